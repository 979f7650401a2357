// The variables of a dashboard: their values from Prometheus, and their place in a query or a text.
import { get } from './prometheus.js';

const LABEL_VALUES = /^label_values\((.+), ([a-z_]+)\)$/;

// Windows and other values come in the order that Grafana gives them: 3 is by number.
function sorted(values, how) {
  const number = (v) => parseFloat(v) || 0;
  return how === 3 ? [...values].sort((a, b) => number(a) - number(b)) : [...values].sort();
}

// resolve gives every variable what a person finds chosen who opens the dashboard, or what chosen says.
export async function resolve(dashboard, chosen) {
  const out = {};
  for (const v of dashboard.templating.list) {
    let options = [];
    if (v.type === 'query') {
      const [, selector, label] = v.definition.match(LABEL_VALUES);
      const filled = replace(selector, out, {}, 'regex');
      options = sorted(await get(`label/${label}/values`, { 'match[]': filled }), v.sort);
    } else if (v.type === 'custom') {
      options = v.query.split(',').map((o) => o.trim());
    }
    let current = chosen[v.name] ?? v.current?.value ?? v.query;
    if (v.type === 'datasource') current = 'prometheus';
    if (v.type === 'query' && current !== '$__all' && !Array.isArray(current) && !options.includes(current)) {
      current = options[0] ?? '';
    }
    out[v.name] = { label: v.label, all: [current].flat().includes('$__all'), allValue: v.allValue, multi: v.multi, hide: v.hide, options, values: [current].flat() };
  }
  return out;
}

const escapeRegex = (s) => s.replace(/[\\^$.*+?()[\]{}|]/g, '\\\\$&');

// text is what stands in place of a variable.
function text(v, format) {
  if (v.all) {
    if (format === 'text') return 'All';
    return v.allValue ?? `(${v.options.map(escapeRegex).join('|')})`;
  }
  if (format === 'text' || !v.multi) return v.values.join(' + ');
  return v.values.length === 1 ? escapeRegex(v.values[0]) : `(${v.values.map(escapeRegex).join('|')})`;
}

// replace puts variables into a text: as regular expressions in queries, as a person reads them elsewhere.
export function replace(s, variables, scoped = {}, format = 'text') {
  return s.replace(/\$(\w+)|\$\{([\w.]+)(?::[\w:]+)?\}/g, (whole, a, b) => {
    const name = a ?? b;
    if (name in scoped) return scoped[name];
    return variables[name] ? text(variables[name], format) : whole;
  });
}
