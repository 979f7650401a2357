package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// meantimeConfig is Meantime's configuration. JSON strings are YAML's.
func meantimeConfig(d *demo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "store: {dsn: %q}\n", "sqlite:"+d.path("meantime.db"))
	b.WriteString(`windows: [7d, 28d, 90d]
objectives:
  - {severity: critical, interval: detect, within: 10m}
  - {severity: critical, interval: resolve, within: 1h}
  - {interval: resolve, within: 4h}
services: {labels: [service]}
severities:
  labels: [severity]
  order: [critical, warning, info]
  aliases:
    - {severity: critical, names: [SEV-1]}
    - {severity: warning, names: [SEV-2]}
    - {severity: info, names: [SEV-3]}
correlate:
  dependencies:
`)
	for _, s := range services {
		if len(s.needs) > 0 {
			fmt.Fprintf(&b, "    - {service: %s, needs: [%s]}\n", s.name, strings.Join(s.needs, ", "))
		}
	}
	b.WriteString(`  expire_after: 5h
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 3h}]
`)
	fmt.Fprintf(&b, "sources: [{name: postmortems, type: file, dir: %q}]\n", d.path("postmortems"))
	if d.prometheus != "" {
		fmt.Fprintf(&b, "prometheuses: [{url: %q}]\n", "http://"+d.prometheusListen)
	}
	return b.String()
}

// prometheusConfig is Prometheus' configuration.
func prometheusConfig(d *demo) string {
	files := fmt.Sprintf("%q", d.path("rules.yml"))
	if own, err := filepath.Abs("dashboards/alerts.yaml"); err == nil {
		if _, err := os.Stat(own); err == nil {
			files += fmt.Sprintf(", %q", own) // the rules that watch Meantime, where the demo runs in its repository
		}
	}
	return fmt.Sprintf(`global: {scrape_interval: 5s, evaluation_interval: 5s}
rule_files: [%s]
scrape_configs:
  - {job_name: meantime, static_configs: [{targets: [%q]}]}
`, files, d.listen)
}

// rulesFile has the shop's alerting rules. They have nothing to look at and never fire; Meantime asks for their `for`. One
// more comes and goes all the time, and nobody is told of it.
func rulesFile() string {
	var b strings.Builder
	b.WriteString("groups:\n  - name: shop\n    rules:\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "      - {alert: %s, expr: 'shop_problem{kind=%q} > 0', for: %s, labels: {severity: %s}, annotations: {summary: %q}}\n", r.name, r.name, duration(r.wait), r.severity, r.summary)
	}
	b.WriteString("      - {alert: ReplicaLag, expr: 'vector(time()) % 10 < 5', labels: {severity: info}, annotations: {summary: a replica of the database is behind}}\n")
	return b.String()
}
