// Grafana's server registers the options of a field when it starts; the packages have what they do, not the list.
import {
  FieldConfigOptionsRegistry, FieldType, identityOverrideProcessor, standardTransformers, standardTransformersRegistry,
  applyFieldOverrides, transformDataFrame,
} from '@grafana/data';
import { firstValueFrom } from 'rxjs';

const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'mappings', 'links', 'filterable', 'fieldMinMax', 'description'];
const NUMBERS = ['min', 'max', 'decimals', 'fieldMinMax'];
const CUSTOM = [
  'drawStyle', 'lineWidth', 'lineStyle', 'lineInterpolation', 'fillOpacity', 'fillBelowTo', 'gradientMode', 'showPoints', 'pointSize', 'spanNulls', 'stacking',
  'barAlignment', 'barWidthFactor', 'barMaxWidth', 'hideFrom', 'hideFrom.legend', 'hideFrom.viz', 'hideFrom.tooltip', 'scaleDistribution', 'thresholdsStyle', 'axisPlacement', 'axisLabel', 'axisColorMode', 'axisBorderShow', 'axisSoftMin', 'axisSoftMax', 'axisGridShow', 'axisCenteredZero', 'transform',
  'align', 'width', 'minWidth', 'cellOptions', 'hidden', 'inspect', 'filterable',
];

const item = (id, path, isCustom, applies) => ({ id, path, name: id, isCustom, process: identityOverrideProcessor, override: () => null, editor: () => null, settings: {}, shouldApply: applies });

const registry = new FieldConfigOptionsRegistry();
for (const id of STANDARD) registry.register(item(id, id, false, NUMBERS.includes(id) ? (f) => f.type === FieldType.number : () => true));
for (const id of CUSTOM) registry.register(item(`custom.${id}`, id, true, () => true));

// Some stand in the list under an older name as well.
const transformers = new Map(Object.values(standardTransformers).map((t) => [t.id, t]));
standardTransformersRegistry.setInit(() => [...transformers.values()].map((transformation) => ({
  id: transformation.id, name: transformation.name, transformation: async () => transformation, editor: () => null, imageDark: '', imageLight: '',
})));

// shaped puts frames through a panel's transformations and field options, as the panel's own code finds them.
export async function shaped(frames, panel, theme, replaceVariables) {
  for (const t of panel.transformations ?? []) {
    if (!standardTransformersRegistry.getIfExists(t.id)) throw new Error(`the transformation ${t.id} is not published`);
  }
  const full = frames.filter((f) => f.fields.length > 0);
  const out = await firstValueFrom(transformDataFrame(panel.transformations ?? [], full, { interpolate: (s) => s }));
  return applyFieldOverrides({ data: out, fieldConfig: known(panel.fieldConfig), fieldConfigRegistry: registry, replaceVariables, theme, timeZone: 'utc' });
}

// What Grafana does not know it leaves out without a word; here it is said.
function known(config) {
  const names = [...Object.keys(config.defaults).filter((k) => k !== 'custom'), ...Object.keys(config.defaults.custom ?? {}).map((k) => `custom.${k}`), ...config.overrides.flatMap((o) => o.properties.map((p) => p.id))];
  for (const name of names) if (!registry.getIfExists(name)) throw new Error(`the field option ${name} is not known here`);
  return config;
}
