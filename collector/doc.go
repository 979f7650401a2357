// Package collector shows the figures as Prometheus metrics. Everything is built when a snapshot is published, never at a
// scrape: a scrape sends what is ready, and a part of a snapshot that is the same as in the one before is not built again.
//
// The names are the product's interface: one once released stays. Durations are in seconds, times are unix seconds,
// ratios are 0 to 1, and no sample carries a timestamp. An empty affected_service or severity means "not grouped by
// this". A statistic without enough data is left out; it is never 0.
package collector
