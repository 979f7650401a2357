// What differs from house to house. Set it after the import:
//
//   (import 'meantime/mixin.libsonnet') + { _config+:: { meantimeSelector: 'job="meantime",cluster="eu"' } }
{
  _config+:: {
    // Matchers that choose Meantime's own series, as between braces; empty takes every meantime_ series. It is added to every
    // selector of a rule or a dashboard. Two Meantimes in one Prometheus need one each.
    meantimeSelector: '',

    // Before the title of each dashboard.
    dashboardNamePrefix: 'Meantime / ',
    // The tags by which the dashboards find each other; the link at the top of each lists what has the first one.
    dashboardTags: ['meantime'],

    // Added to the labels of every alert, such as a team. `meantime: self` stays: by it Meantime leaves its own alerts out of every figure.
    alertLabels: {},
    // Where the pages of docs/runbooks are read; %s is the alert's name.
    runbookURLPattern: 'docs/runbooks/%s.md',

    // The bounds of the rules, by name, as numbers: see `thresholds` in rules.libsonnet.
    thresholds: (import 'rules.libsonnet').thresholds,
  },
}
