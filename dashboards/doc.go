// Package dashboards is Meantime's Grafana dashboards and rules, with their tests. See README.md.
package dashboards

//go:generate go run ./generate
