// Asking Prometheus, and its answers as Grafana's data source makes frames of them.
import { FieldType, toDataFrame } from '@grafana/data';
import { replace } from './variables.js';

const base = new URLSearchParams(location.search).get('prometheus');

export async function get(path, parameters) {
  const answer = await (await fetch(`${base}/api/v1/${path}?${new URLSearchParams(parameters)}`)).json();
  if (answer.status !== 'success') throw new Error(answer.error);
  return answer.data;
}

const SCRAPE = 15;

// stepOf is what Grafana calculates: the range in as many points as the panel is wide, rounded up to a friendly number.
export function stepOf(range, panel, target = {}) {
  const points = panel.maxDataPoints ?? Math.round((panel.gridPos.w / 24) * 1600);
  const raw = Math.max((range.to - range.from) / 1000 / points, (range.to - range.from) / 1000 / 11000, range.scrape ?? SCRAPE);
  const nice = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800];
  const step = nice.find((n) => n >= raw) ?? raw;
  const least = seconds(target.interval ?? panel.interval ?? '0s');
  return Math.max(step, least);
}

function seconds(d) {
  const [, n, unit] = d.match(/^(\d+)([smhdw])$/);
  return n * { s: 1, m: 60, h: 3600, d: 86400, w: 604800 }[unit];
}

const labelsOf = (metric) => Object.fromEntries(Object.entries(metric).filter(([k]) => k !== '__name__'));
const number = (s) => (s === '+Inf' ? Infinity : s === '-Inf' ? -Infinity : +s);

function named(target, metric) {
  if (!target.legendFormat || target.legendFormat === '__auto') return undefined;
  return target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, k) => metric[k] ?? '');
}

function asTable(target, result, several) {
  const labels = [...new Set(result.flatMap((s) => Object.keys(labelsOf(s.metric))))].sort();
  const points = result.flatMap((s) => (s.values ?? [s.value]).map((v) => ({ metric: s.metric, at: v[0], value: v[1] })));
  if (points.length === 0) return [toDataFrame({ refId: target.refId, fields: [] })];
  return [toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: points.map((p) => p.at * 1000) },
      ...labels.map((l) => ({ name: l, type: FieldType.string, config: { filterable: true }, values: points.map((p) => p.metric[l] ?? '') })),
      { name: several ? `Value #${target.refId}` : 'Value', type: FieldType.number, config: {}, values: points.map((p) => number(p.value)) },
    ],
  })];
}

function asSeries(target, result, range, step) {
  return result.map((s) => {
    const points = s.values ?? [s.value];
    const labels = labelsOf(s.metric);
    const name = named(target, s.metric);
    return toDataFrame({
      refId: target.refId,
      meta: { type: s.values ? 'timeseries-multi' : 'numeric-multi' },
      fields: [
        { name: 'Time', type: FieldType.time, config: { interval: step * 1000 }, values: points.map((p) => p[0] * 1000) },
        { name: 'Value', type: FieldType.number, labels, config: name === undefined ? {} : { displayNameFromDS: name }, values: points.map((p) => number(p[1])) },
      ],
    });
  });
}

// A time with nothing is a gap in the line, as Grafana's data source fills it in.
function gaps(frame, step) {
  const [time, value] = frame.fields;
  const times = [], values = [];
  time.values.forEach((t, i) => {
    if (i > 0 && t - time.values[i - 1] > step * 1500) {
      times.push(time.values[i - 1] + step * 1000);
      values.push(null);
    }
    times.push(t);
    values.push(value.values[i]);
  });
  return { ...frame, length: times.length, fields: [{ ...time, values: times }, { ...value, values }] };
}

// query runs one target of a panel over a range.
export async function query(target, panel, variables, range) {
  const step = stepOf(range, panel, target);
  const expr = replace(target.expr, variables, {
    __rate_interval: `${Math.max(step + (range.scrape ?? SCRAPE), 4 * (range.scrape ?? SCRAPE))}s`,
    __interval: `${step}s`,
    __interval_ms: String(step * 1000),
    __to: String(Math.round(range.to / 1000)), // in the one form that queries ask for, ${__to:date:seconds}
    __range: `${Math.round((range.to - range.from) / 1000)}s`,
  }, 'regex');
  const to = range.to / 1000, from = range.from / 1000;
  const data = target.instant
    ? await get('query', { query: expr, time: to })
    : await get('query_range', { query: expr, start: Math.floor(from / step) * step, end: Math.floor(to / step) * step, step });
  const several = panel.targets.filter((t) => !t.hide).length > 1;
  if (target.format === 'table') return asTable(target, data.result, several);
  const frames = asSeries(target, data.result, range, step);
  return target.instant ? frames : frames.map((f) => gaps(f, step));
}
