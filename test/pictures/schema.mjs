// Holds every dashboard to the types of @grafana/schema: the JSON becomes TypeScript, and the compiler says what is no
// option of Grafana's. Before it is believed it must find a mistake planted in each place.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const KINDS = ['stat', 'timeseries', 'bargauge', 'barchart', 'table'];
const WITH_FIELDS = ['barchart', 'table']; // their own options of a field; a time series has GraphFieldConfig, the others none

const HEAD = `import type { AnnotationQuery, Dashboard, Panel, RowPanel, FieldConfig, MatcherConfig, GraphFieldConfig, DataTransformerConfig, VariableModel } from '@grafana/schema';
${KINDS.map((k) => `import type * as ${k} from './node_modules/@grafana/schema/dist/types/raw/composable/${k}/panelcfg/x/types.gen';`).join('\n')}
// As in JSON: an enumeration is its text, everything may be left out.
type J<T> = T extends string ? \`\${T}\` : T extends (infer U)[] ? J<U>[] : T extends object ? { [K in keyof T]?: J<T[K]> } : T;
type Defaults<C> = J<Omit<FieldConfig, 'custom' | 'thresholds'>> & { custom?: C; thresholds?: { mode: 'absolute' | 'percentage'; steps: { color: string; value: number | null }[] } };
type Property<C> = { [K in keyof Defaults<C>]-?: K extends 'custom' ? never : { id: K; value: Defaults<C>[K] } }[keyof Defaults<C>] | { [K in keyof C]-?: K extends string ? { id: \`custom.\${K}\`; value: C[K] } : never }[keyof C];
type Fields<C> = { defaults: Defaults<C>; overrides: { matcher: J<MatcherConfig>; properties: Property<C>[] }[] };
// What a Prometheus data source reads of a query.
type Target = { refId: string; datasource: { type: 'prometheus'; uid: string }; editorMode: 'code' | 'builder'; expr: string; legendFormat: string; instant: boolean; range: boolean; format: 'time_series' | 'table' | 'heatmap'; interval?: string; hide?: boolean };
type P<O, C> = Omit<J<Panel>, 'options' | 'fieldConfig' | 'targets' | 'type' | 'transformations'> & { type: string; options: J<O>; fieldConfig: Fields<J<C>>; targets: Target[]; transformations?: J<DataTransformerConfig>[] };
// What a Prometheus data source reads of an annotation besides.
type Annotation = J<AnnotationQuery> & { expr?: string; step?: string; titleFormat?: string; textFormat?: string; tagKeys?: string; useValueForTime?: boolean };
type D = Omit<J<Dashboard>, 'panels' | 'templating' | 'annotations'> & { annotations: { list: Annotation[] } } & { templating: { list: (J<VariableModel> & { definition?: string; current?: object })[] } };
`;

const fields = (kind) => (kind === 'timeseries' ? 'GraphFieldConfig' : WITH_FIELDS.includes(kind) ? `${kind}.FieldConfig` : '{}');

// typed is the TypeScript of a dashboard.
function typed(name, dashboard) {
  const { panels, ...rest } = dashboard;
  const id = name.replaceAll('-', '_');
  const out = [`export const ${id}: D = ${JSON.stringify(rest, null, 1)};`];
  panels.forEach((p, i) => {
    const type = p.type === 'row' ? 'J<RowPanel>' : KINDS.includes(p.type) ? `P<${p.type}.Options, ${fields(p.type)}>` : 'never';
    out.push(`export const ${id}_${i}: ${type} = ${JSON.stringify(p, null, 1)};`);
  });
  return out.join('\n');
}

// compile returns the compiler's complaints about dashboards, by name.
function compile(work, dashboards) {
  const file = path.join(work, 'check.ts');
  fs.writeFileSync(file, HEAD + Object.entries(dashboards).map(([name, d]) => typed(name, d)).join('\n'));
  const tsc = spawnSync(process.execPath, [path.join(work, 'node_modules/typescript/bin/tsc'), '--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', file], { cwd: work, encoding: 'utf8' });
  if (tsc.status !== 0 && !tsc.stdout.includes('error TS')) throw new Error(`tsc: ${tsc.stderr || tsc.stdout}`);
  return tsc.stdout.split('\n').filter((l) => l.includes('error TS'));
}

// MISTAKES are what a tired person might write, each in a place of its own.
const panel = (d, type) => d.panels.find((p) => p.type === type);
const MISTAKES = {
  'an option of a dashboard': (d) => { d.refesh = '1m'; },
  'an option of a panel': (d) => { panel(d, 'stat').discription = 'x'; },
  'an option of a stat': (d) => { panel(d, 'stat').options.colourMode = 'value'; },
  'a value of an option': (d) => { panel(d, 'stat').options.graphMode = 'lines'; },
  'an option of a legend': (d) => { panel(d, 'timeseries').options.legend.placing = 'bottom'; },
  'an option of a field': (d) => { panel(d, 'timeseries').fieldConfig.defaults.units = 's'; },
  'how a line is drawn': (d) => { panel(d, 'timeseries').fieldConfig.defaults.custom.lineWidht = 2; },
  'an override': (d) => { panel(d, 'timeseries').fieldConfig.overrides.push({ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'custom.fillOpacityy', value: 1 }] }); },
  'the value of an override': (d) => { panel(d, 'timeseries').fieldConfig.overrides.push({ matcher: { id: 'byName', options: 'x' }, properties: [{ id: 'custom.showPoints', value: 'sometimes' }] }); },
  'an option of a table': (d) => { panel(d, 'table').options.cellHeights = 'sm'; },
  'an option of a column': (d) => { panel(d, 'table').fieldConfig.defaults.custom.minimumWidth = 80; },
  'an option of a query': (d) => { panel(d, 'stat').targets[0].legend = 'x'; },
};

// check throws where a dashboard has what Grafana does not know, or where the check itself finds nothing.
export function check(root, work) {
  const folder = path.join(root, 'dashboards');
  const read = (f) => JSON.parse(fs.readFileSync(path.join(folder, f)));
  const files = fs.readdirSync(folder).filter((f) => f.endsWith('.json'));
  const complaints = compile(work, Object.fromEntries(files.map((f) => [f.slice(0, -5), read(f)])));
  if (complaints.length) throw new Error(`Grafana's types do not have this (in ${path.join(work, 'check.ts')}):\n${complaints.join('\n')}`);

  const planted = Object.fromEntries(Object.entries(MISTAKES).map(([, plant], i) => {
    const d = read('incident-response.json');
    plant(d);
    return [`planted${i}_`, d];
  }));
  const found = compile(work, planted);
  const text = fs.readFileSync(path.join(work, 'check.ts'), 'utf8').split('\n');
  // A complaint names a line; the constant that it stands in names the mistake.
  const owners = new Set(found.map((l) => {
    for (let i = +l.match(/\((\d+),/)[1] - 1; i >= 0; i--) {
      const m = text[i].match(/^export const planted(\d+)_/);
      if (m) return +m[1];
    }
    return -1;
  }));
  const missed = Object.keys(MISTAKES).filter((_, i) => !owners.has(i));
  if (missed.length) throw new Error(`the schema check does not find a mistake in: ${missed.join(', ')}`);
  console.log(`${files.length} dashboards keep to Grafana's types; ${Object.keys(MISTAKES).length} planted mistakes found`);
}
