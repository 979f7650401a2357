// For those who build their monitoring from mixins. Everybody else takes the JSON and YAML files as they are: this reads
// the same files, and puts in what config.libsonnet says. It needs no function that jsonnet 0.18 lacks.
local rules = import 'rules.libsonnet';

// choose adds matchers to every selector of a meantime_ series in an expression. A series that a rule recorded
// (window:meantime_…) begins with something else and stays as it is. It looks at single characters, because the functions of
// jsonnet 0.18 that look for texts take a minute over the dashboards.
local choose(expr, matchers) =
  local n = std.length(expr);
  local begins(i) =
    expr[i] == 'm' && expr[i + 1] == 'e' && expr[i + 2] == 'a' && expr[i + 3] == 'n' && expr[i + 4] == 't' && expr[i + 5] == 'i'
    && expr[i + 6] == 'm' && expr[i + 7] == 'e' && expr[i + 8] == '_';
  local inName(i) =
    local c = std.codepoint(expr[i]);
    c >= 97 && c <= 122 || c >= 48 && c <= 58 || c == 95;  // a-z, 0-9, colon, underscore
  local end(i) = if i < n && inName(i) then end(i + 1) else i;
  local ends = [end(i) for i in std.range(0, std.max(n - 10, -1)) if begins(i) && (i == 0 || !inName(i - 1))];
  local add(i) =
    if i < n && expr[i] == '{' then { skip: 1, text: '{' + matchers + (if expr[i + 1] == '}' then '' else ',') }
    else { skip: 0, text: '{' + matchers + '}' };
  local step(done, i) = { to: i + add(i).skip, text: done.text + std.substr(expr, done.to, i - done.to) + add(i).text };
  if matchers == '' then expr else
    local all = std.foldl(step, ends, { to: 0, text: '' });
    all.text + std.substr(expr, all.to, n - all.to);

// everywhere applies a function to the texts under some keys, however deep.
local everywhere(x, keys, f) =
  if std.isObject(x) then {
    [k]: if std.isString(x[k]) && std.member(keys, k) then f(x[k]) else everywhere(x[k], keys, f)
    for k in std.objectFields(x)
  }
  else if std.isArray(x) then [everywhere(y, keys, f) for y in x]
  else x;

(import 'config.libsonnet') {
  local c = $._config,

  local dashboard(d) = everywhere(d, ['expr', 'query', 'definition'], function(e) choose(e, c.meantimeSelector)) {
    local own = 'Meantime / ',
    title: c.dashboardNamePrefix + (if std.startsWith(super.title, own) then super.title[std.length(own):] else super.title),
    tags: c.dashboardTags,
    links: [l + (if std.objectHas(l, 'tags') then { tags: c.dashboardTags[0:1] } else {}) for l in super.links],
  },

  local number(n) = if std.isString(n) then n else std.toString(n),
  local bound(expr) = std.foldl(function(e, name) std.strReplace(e, '<' + name + '>', number(c.thresholds[name])), std.objectFields(c.thresholds), expr),

  local alert(r) = r {
    expr: choose(bound(super.expr), c.meantimeSelector),
    labels: c.alertLabels + super.labels,
    annotations+: { runbook_url: c.runbookURLPattern % r.alert },
  },

  grafanaDashboardFolder:: 'Meantime',
  grafanaDashboards+:: {
    'meantime-review-meeting.json': dashboard(import 'review-meeting.json'),
    'meantime-incident-response.json': dashboard(import 'incident-response.json'),
    'meantime-detection.json': dashboard(import 'detection.json'),
    'meantime-alert-quality.json': dashboard(import 'alert-quality.json'),
    'meantime-data-quality.json': dashboard(import 'data-quality.json'),
    'meantime-itself.json': dashboard(import 'meantime-itself.json'),
  },
  prometheusAlerts+:: {
    groups+: [g { rules: [alert(r) for r in super.rules] } for g in rules.alerts],
  },
  prometheusRules+:: {
    groups+: [g { rules: [r { expr: choose(super.expr, c.meantimeSelector) } for r in super.rules] } for g in rules.records],
  },
}
