package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// dashboard is what Grafana reads of a dashboard to ask its queries and to name what they return.
type dashboard struct {
	Title      string
	Panels     []panel
	Templating struct{ List []variable }
}

type panel struct {
	Type, Title     string
	Targets         []target
	Transformations []struct {
		Options struct{ RenameByName map[string]string }
	}
}

type target struct{ RefID, Expr, LegendFormat, Format string }

type variable struct {
	Name, Type, Definition, AllValue string
	Current                          struct{ Value any }
}

// dashboards are all dashboards of the repository by their title, without the rows of their panels.
func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(servers.Root(t), "dashboards", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	all := map[string]dashboard{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		var d dashboard
		require.NoError(t, json.Unmarshal(text, &d))
		d.Panels = slices.DeleteFunc(d.Panels, func(p panel) bool { return p.Type == "row" })
		all[strings.TrimPrefix(d.Title, "Meantime / ")] = d
	}
	return all
}

// choice is what is chosen in the variables of a dashboard. No service and no severity is All.
type choice struct {
	window, measured     string
	services, severities []string
}

func (c choice) String() string { return fmt.Sprint(c.window, c.measured, c.services, c.severities) }

// fill puts what is chosen into a query, as Grafana does, for a time range of 90 days up to a moment.
func (c choice) fill(expr string, at time.Time) string {
	all := func(values []string) string {
		if len(values) == 0 {
			return "^$" // the variables' allValue, to which TestVariables holds them
		}
		return "(" + strings.Join(values, "|") + ")"
	}
	return strings.NewReplacer(
		"$service", all(c.services), "$severity", all(c.severities), "$window", c.window, "$measured", c.measured, "$job", "meantime", "$cluster", "", "$instance", ".+",
		"$__rate_interval", "5s", "$__interval_ms", "7776000000", "${__to:date:seconds}", fmt.Sprint(at.Unix()),
	).Replace(expr)
}

// place is a panel's name, or that of one of the figures in it.
func place(parts ...string) string { return strings.Join(parts, " / ") }

var labelsInLegend = regexp.MustCompile(`\{\{\w+\}\}`)

// name is what a person reads beside what a query returns: a column's head, or a legend without what it says of a series.
func (p *panel) name(x target) string {
	if x.Format != "table" {
		return strings.TrimSpace(labelsInLegend.ReplaceAllString(strings.TrimPrefix(x.LegendFormat, "__auto"), ""))
	}
	column := "Value"
	if len(p.Targets) > 1 {
		column += " #" + x.RefID
	}
	for _, tr := range p.Transformations {
		if name, ok := tr.Options.RenameByName[column]; ok {
			return name
		}
	}
	return column
}

// figure is one figure of a panel by what a person reads beside it.
type figure struct{ name, of, service, severity string }

func (f figure) String() string {
	return fmt.Sprintf("%q %q of service %q and severity %q", f.name, f.of, f.service, f.severity)
}

// shown is what a query of a panel shows at a moment.
func (p *panel) shown(x target, c choice, prometheus *servers.PrometheusServer, at time.Time) (map[figure]float64, error) {
	values, err := prometheus.Query(c.fill(x.Expr, at), at)
	if err != nil {
		return nil, err
	}
	out := map[figure]float64{}
	for _, v := range values {
		f := figure{name: p.name(x)}
		for _, label := range slices.Sorted(maps.Keys(v.Metric)) {
			switch value := string(v.Metric[label]); label {
			case "affected_service":
				f.service = value
			case "severity":
				f.severity = value
			case "interval", "status", "detected_by", "outcome":
				f.of = value
			case "bar", "of", "at", model.MetricNameLabel: // the two before in other words
			default:
				return nil, fmt.Errorf("%s: the label %s of %s has no meaning here", x.Expr, label, v.Metric)
			}
		}
		if _, ok := out[f]; ok {
			return nil, fmt.Errorf("%s: %s is there twice", x.Expr, f)
		}
		out[f] = float64(v.Value)
	}
	return out, nil
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// options asks for what can be chosen in a variable.
func (v *variable) options(t *testing.T, prometheus *servers.PrometheusServer) []string {
	t.Helper()
	m := labelValues.FindStringSubmatch(v.Definition)
	require.NotNil(t, m, v.Definition)
	options, err := prometheus.LabelValues(m[2], choice{}.fill(m[1], time.Time{}))
	require.NoError(t, err)
	return options
}
