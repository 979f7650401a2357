// For those who build their monitoring from mixins. Everybody else takes the JSON and YAML files as they are.
{
  grafanaDashboards+:: {
    'meantime-incident-response.json': import 'incident-response.json',
    'meantime-detection.json': import 'detection.json',
    'meantime-alert-quality.json': import 'alert-quality.json',
    'meantime-data-quality.json': import 'data-quality.json',
    'meantime-itself.json': import 'meantime-itself.json',
  },
  prometheusAlerts+:: {
    groups+: std.parseYaml(importstr 'alerts.yaml').groups,
  },
  prometheusRules+:: {
    groups+: std.parseYaml(importstr 'records.yaml').groups,
  },
}
