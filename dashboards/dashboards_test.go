// Package dashboards_test checks the dashboards and the rules against the metrics there are.
package dashboards_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/test/servers"
)

type dashboard struct {
	File          string `json:"-"`
	UID           string
	Title         string
	Description   string
	SchemaVersion int
	Tags          []string
	Panels        []panel
	Templating    struct{ List []variable }
	Annotations   struct{ List []annotation }
}

type annotation struct{ Name, Expr string }

type variable struct {
	Name, Label, Type, Definition, AllValue string
	Datasource                              datasource
	Query                                   json.RawMessage
	Multi, IncludeAll                       bool
	Hide                                    int
}

type datasource struct{ Type, UID string }

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               datasource
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []target
	Links                    []link
	FieldConfig              struct {
		Defaults struct {
			Unit, NoValue string
			Links         []link
		}
		Overrides []struct {
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct{ RenameByName map[string]string }
	}
}

type link struct{ Title, URL string }

type target struct {
	RefID, Expr, Format, LegendFormat string
	Datasource                        datasource
	Instant, Range                    bool
}

func dashboards(t *testing.T) []dashboard {
	t.Helper()
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	require.Len(t, files, 6)
	var out []dashboard
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		d := dashboard{File: f}
		require.NoError(t, json.Unmarshal(b, &d), f)
		require.NotContains(t, string(b), "__inputs", "%s asks questions at its import, which provisioning cannot answer", f)
		out = append(out, d)
	}
	return out
}

func TestDashboards(t *testing.T) {
	uids := map[string]bool{}
	for _, d := range dashboards(t) {
		t.Run(d.File, func(t *testing.T) {
			require.NotEmpty(t, d.UID)
			require.False(t, uids[d.UID], "uid %s is given twice", d.UID)
			uids[d.UID] = true
			require.Regexp(t, "^Meantime / ", d.Title)
			require.NotEmpty(t, d.Description)
			require.Contains(t, d.Tags, "meantime", "the links between the dashboards go by the tag")
			// Grafana raises an older version when it loads it, and does not know a newer one: 38 is that of 10.0.
			require.LessOrEqual(t, d.SchemaVersion, 38)

			ids := map[int]bool{}
			for i, p := range d.Panels {
				require.NotZero(t, p.ID, p.Title)
				require.False(t, ids[p.ID], "%s: id %d is given twice", p.Title, p.ID)
				ids[p.ID] = true
				g := p.GridPos
				require.True(t, g.X >= 0 && g.W > 0 && g.H > 0 && g.X+g.W <= 24, "%s is outside the grid", p.Title)
				for _, o := range d.Panels[:i] {
					apart := g.X+g.W <= o.GridPos.X || o.GridPos.X+o.GridPos.W <= g.X || g.Y+g.H <= o.GridPos.Y || o.GridPos.Y+o.GridPos.H <= g.Y
					require.True(t, apart, "%s and %s overlap", p.Title, o.Title)
				}
				require.NotEmpty(t, p.Title)
				if p.Type == "row" {
					continue
				}
				require.Contains(t, []string{"stat", "timeseries", "bargauge", "barchart", "table"}, p.Type, p.Title)
				require.Greater(t, len(p.Description), 40, "%s does not say what it counts and what not", p.Title)
				require.NotEmpty(t, p.FieldConfig.Defaults.Unit, "%s has no unit", p.Title)
				require.NotEmpty(t, p.FieldConfig.Defaults.NoValue, "%s says nothing where there is nothing", p.Title)
				require.NotEmpty(t, p.Targets, p.Title)
				refs := map[string]bool{}
				for _, q := range p.Targets {
					require.False(t, refs[q.RefID], "%s: query %s is given twice", p.Title, q.RefID)
					refs[q.RefID] = true
					require.NotEqual(t, q.Instant, q.Range, "%s %s", p.Title, q.RefID)
					require.Equal(t, p.Type == "timeseries" && q.Format != "table", q.Range, "%s %s", p.Title, q.RefID)
					require.Equal(t, datasource{"prometheus", "${datasource}"}, q.Datasource, p.Title)
				}
				require.Equal(t, datasource{"prometheus", "${datasource}"}, p.Datasource, p.Title)
			}
		})
	}
}

var used = regexp.MustCompile(`\$\{?([a-z_]+)`)

// Grafana's own variables.
var builtin = []string{"__rate_interval", "__interval_ms", "__to", "__data", "__value", "__all"}

func TestVariables(t *testing.T) {
	for _, d := range dashboards(t) {
		t.Run(d.File, func(t *testing.T) {
			b, err := os.ReadFile(d.File)
			require.NoError(t, err)
			names := map[string]bool{}
			for _, v := range d.Templating.List {
				require.NotEmpty(t, v.Label, v.Name)
				if v.Type == "query" {
					require.Regexp(t, `^label_values\(.+, [a-z_]+\)$`, v.Definition)
					require.Contains(t, string(v.Query), strings.ReplaceAll(v.Definition, `"`, `\"`))
					require.Equal(t, datasource{"prometheus", "${datasource}"}, v.Datasource)
					for _, u := range used.FindAllStringSubmatch(v.Definition, -1) {
						require.True(t, names[u[1]], "%s uses %s, which does not come before it", v.Name, u[1])
					}
				}
				if v.Name == "service" || v.Name == "severity" {
					// All is the series with the empty label. Without this it would be each service in its own right.
					require.True(t, v.Multi && v.IncludeAll)
					require.Equal(t, "^$", v.AllValue)
				}
				names[v.Name] = true
			}
			require.True(t, names["datasource"])
			for _, u := range used.FindAllStringSubmatch(string(b), -1) {
				if !slices.Contains(builtin, u[1]) {
					require.True(t, names[u[1]], "$%s is no variable of it", u[1])
				}
			}
			for name := range names {
				require.Regexp(t, `\$\{?`+name+`\b`, string(b), "nothing uses the variable %s", name)
			}
		})
	}
}

// queries ranges over every query of every dashboard and rule, with a name of its place.
func queries(t *testing.T, f func(place, expr string)) {
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				f(d.File+": "+p.Title+" "+q.RefID, q.Expr)
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				f(d.File+": variable "+v.Name, v.Definition)
			}
		}
		for _, a := range d.Annotations.List {
			if a.Expr != "" {
				f(d.File+": annotation "+a.Name, a.Expr)
			}
		}
	}
	for _, r := range rules(t) {
		f("alerts.yaml: "+r.Alert, r.Expr)
	}
}

func TestQueriesAskForMetricsThereAre(t *testing.T) {
	metrics := known(t)
	everywhere := []string{"job", "cluster", "instance"}
	queries(t, func(place, expr string) {
		found := selections(expr)
		require.NotEmpty(t, found, place)
		for _, s := range found {
			labels, ok := metrics.labelsOf(s.metric)
			require.True(t, ok, "%s: there is no metric %s", place, s.metric)
			for l := range s.matchers {
				require.True(t, slices.Contains(labels, l) || slices.Contains(everywhere, l), "%s: %s has no label %s", place, s.metric, l)
			}
			if strings.HasSuffix(s.metric, "_total") {
				require.Regexp(t, regexp.QuoteMeta(s.metric)+`[^\[]*(\[| offset| unless|$)`, expr, place)
			}
		}
	})
}

// A figure over a window has a value for each window, and one for each service and severity besides the one over
// everything. A query that does not choose adds up or mixes what must not be.
func TestQueriesChooseWindowServiceAndSeverity(t *testing.T) {
	metrics := known(t)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, s := range selections(q.Expr) {
					labels, _ := metrics.labelsOf(s.metric)
					place := d.File + ": " + p.Title + " " + q.RefID + ": " + s.metric
					if !slices.Contains(labels, "window") {
						continue
					}
					if s.metric == "meantime_incidents" && strings.Contains(s.matchers["affected_service"]+s.matchers["severity"], `=""`) && s.matchers["window"] == "" {
						continue // asks only whether All is chosen
					}
					require.Equal(t, `="$window"`, s.matchers["window"], place)
					if slices.Contains(labels, "affected_service") {
						require.Contains(t, []string{`=~"$service"`, `=~"$service|.+"`, `!=""`}, s.matchers["affected_service"], place)
						require.Contains(t, []string{`=~"$severity"`, `!=""`}, s.matchers["severity"], place)
					}
				}
				if strings.Contains(q.Expr, "$service") {
					require.NotRegexp(t, `\b(sum|avg) ?\(`, q.Expr, "%s: %s adds up figures of services", d.File, p.Title)
				}
			}
		}
	}
}

// Two Meantimes that one Prometheus scrapes are two organisations: each query is of one of them.
func TestOneMeantime(t *testing.T) {
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Name == "job" || v.Name == "cluster" {
				require.False(t, v.Multi || v.IncludeAll, "%s: several of %s would be mixed", d.File, v.Name)
			}
		}
	}
	queries(t, func(place, expr string) {
		if strings.HasPrefix(place, "alerts.yaml") || strings.HasSuffix(place, "variable job") {
			return
		}
		for _, s := range selections(expr) {
			if s.metric == "ALERTS_FOR_STATE" {
				continue // Prometheus' own
			}
			require.Equal(t, `="$job"`, s.matchers["job"], "%s: %s", place, s.metric)
			if !strings.HasSuffix(place, "variable cluster") {
				require.Equal(t, `="$cluster"`, s.matchers["cluster"], "%s: %s", place, s.metric)
			}
		}
	})
}

// A picture of a panel in a talk has no variables around it: its title says of which period it is. What ignores the window says so.
func TestTitlesTellThePeriod(t *testing.T) {
	other := regexp.MustCompile(`(?i)\b(now|newest|last (hour|day|6 hours)|each day|all incidents)\b`)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			windowed := slices.ContainsFunc(p.Targets, func(q target) bool {
				return strings.Contains(q.Expr, `"$window"`) || strings.Contains(q.Expr, "[$window:")
			})
			switch {
			case p.Type == "row":
			case windowed:
				require.Contains(t, p.Title, "$window", "%s: %s", d.File, p.Title)
			case p.Type == "timeseries": // of the time range, which is in every picture of it
			default:
				require.Regexp(t, other, p.Title, d.File)
			}
		}
	}
}

// Every tile of figures leads to the page that shows the same figures with their incidents, wherever Meantime is.
func TestTilesLeadToTheFigures(t *testing.T) {
	for _, d := range dashboards(t) {
		for _, v := range d.Templating.List {
			if v.Name == "meantime" {
				require.Equal(t, `label_values(meantime_external_url_info{job="$job",cluster="$cluster"}, url)`, v.Definition)
				require.Equal(t, 2, v.Hide, "there is nothing to type")
			}
		}
		for _, p := range d.Panels {
			if p.Type != "stat" || !strings.Contains(p.Title, "$window") || strings.Contains(p.Title, "Episodes") || strings.Contains(p.Title, "Blind") {
				continue
			}
			require.NotEmpty(t, p.Links, "%s: %s", d.File, p.Title)
			require.Equal(t, "${meantime}figures?window=$window&service=${service:percentencode}&severity=${severity:percentencode}", p.Links[0].URL)
		}
	}
}

// What is not known is called so, everywhere, and by no other word.
func TestOneWordForNotKnown(t *testing.T) {
	others := regexp.MustCompile(`(?i)^(–|-|n/?a|none known|unknown|missing|no data|null|undefined)$`)
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			said := []string{p.FieldConfig.Defaults.NoValue}
			for _, q := range p.Targets {
				said = append(said, q.LegendFormat)
			}
			for _, tr := range p.Transformations {
				for _, name := range tr.Options.RenameByName {
					said = append(said, name)
				}
			}
			for _, o := range p.FieldConfig.Overrides {
				for _, x := range o.Properties {
					var text string
					if x.ID == "noValue" && json.Unmarshal(x.Value, &text) == nil {
						said = append(said, text)
					}
					var maps []struct {
						Options map[string]struct{ Text string }
					}
					if x.ID == "mappings" && json.Unmarshal(x.Value, &maps) == nil {
						for _, m := range maps {
							for _, to := range m.Options {
								said = append(said, to.Text)
							}
						}
					}
				}
			}
			for _, s := range said {
				require.NotRegexp(t, others, s, "%s: %s", d.File, p.Title)
			}
			for _, q := range p.Targets {
				if strings.Contains(q.LegendFormat, "{{detected_by}}") {
					require.Contains(t, q.Expr, `"detected_by", "not known", "detected_by", "unknown"`, p.Title)
				}
				if strings.Contains(q.LegendFormat, "{{status}}") && strings.Contains(q.Expr, "meantime_measurements") {
					require.Contains(t, q.Expr, `"status", "not known", "status", "missing"`, p.Title)
				}
			}
		}
	}
}

// The query that the documentation gives for anybody's boards is the one that the dashboards have, of whichever Meantime.
func TestAnnotations(t *testing.T) {
	docs, err := os.ReadFile("../docs/grafana.md")
	require.NoError(t, err)
	of := 0
	for _, d := range dashboards(t) {
		for _, a := range d.Annotations.List {
			if a.Expr != "" {
				of++
				plain := strings.NewReplacer(`{job="$job",cluster="$cluster"}`, "", `job="$job",cluster="$cluster",`, "").Replace(a.Expr)
				require.Contains(t, string(docs), "```promql\n"+plain+"\n```")
			}
		}
	}
	require.Positive(t, of)
	dir := t.TempDir()
	plain := regexp.MustCompile("```promql\n(.+)\n```").FindStringSubmatch(string(docs))[1]
	info := `meantime_incident_info{job="mt",instance="a",incident="x",title="Down",severity="critical",state="open",detected_by="alert",affected_service=`
	b, err := yaml.Marshal(map[string]any{"tests": []map[string]any{{"interval": "1m", "input_series": []map[string]string{
		{"series": info + `"checkout"}`, "values": "1x5"},
		{"series": info + `"search"}`, "values": "1x5"},
		{"series": strings.Replace(info, `"a"`, `"b"`, 1) + `"search"}`, "values": "1x5"},
		{"series": `meantime_incident_milestone_timestamp_seconds{job="mt",instance="a",incident="x",origin="alert",milestone="started"}`, "values": "1000x5"},
		{"series": `meantime_incident_milestone_timestamp_seconds{job="mt",instance="b",incident="x",origin="alert",milestone="started"}`, "values": "1000x5"},
		{"series": `meantime_incident_milestone_timestamp_seconds{job="mt",instance="a",incident="x",origin="alert",milestone="resolved"}`, "values": "9000x5"},
	}, "promql_expr_test": []map[string]any{{"expr": plain, "eval_time": "2m", "exp_samples": []map[string]any{
		{"labels": `{incident="x",title="Down",severity="critical",affected_service="checkout"}`, "value": 1000000},
		{"labels": `{incident="x",title="Down",severity="critical",affected_service="search"}`, "value": 1000000},
	}}}}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test.yaml"), b, 0o600))
	promtool(t, dir, "test", "rules", "test.yaml")
}

// The figure of the period before is what was told at its end, also where the past was written with six hours between samples, and
// nothing where there is no past.
func TestBefore(t *testing.T) {
	fill := strings.NewReplacer("$service", "^$", "$severity", "^$", "$window", "7d", "$job", "mt", "$cluster", "")
	var checks []map[string]any
	input := map[string]bool{}
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if !strings.Contains(q.Expr, " offset ") {
					continue
				}
				require.True(t, strings.HasPrefix(q.LegendFormat, "before ") || strings.HasPrefix(q.LegendFormat, "available before "), p.Title)
				s := selections(q.Expr)
				require.Len(t, s, 1)
				labels := `job="mt",instance="a",window="7d",affected_service="",severity=""`
				if iv := s[0].matchers["interval"]; iv != "" {
					labels += ",interval" + iv
				}
				input[s[0].metric+"{"+labels+"}"] = true
				expr := fill.Replace(q.Expr)
				checks = append(checks,
					map[string]any{"expr": expr, "eval_time": "10d", "exp_samples": []map[string]any{{"labels": "{}", "value": 12}}},
					map[string]any{"expr": expr, "eval_time": "6d", "exp_samples": []any{}})
			}
		}
	}
	require.Greater(t, len(checks), 20)
	var series []map[string]string
	for s := range input {
		series = append(series, map[string]string{"series": s, "values": "0+1x60"}) // the 12th sample is at the end of the third day
	}
	b, err := yaml.Marshal(map[string]any{"tests": []map[string]any{{"interval": "6h", "input_series": series, "promql_expr_test": checks}}})
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test.yaml"), b, 0o600))
	promtool(t, dir, "test", "rules", "test.yaml")
}

type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	b, err := os.ReadFile("alerts.yaml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	require.NoError(t, yaml.Unmarshal(b, &file))
	var out []rule
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	return out
}

func TestRules(t *testing.T) {
	b, err := os.ReadFile("rules_test.yaml")
	require.NoError(t, err)
	var tests struct {
		Tests []struct {
			Checks []struct {
				Alert    string `yaml:"alertname"`
				Expected []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	require.NoError(t, yaml.Unmarshal(b, &tests))
	firing, silent := map[string]bool{}, map[string]bool{}
	for _, x := range tests.Tests {
		for _, c := range x.Checks {
			if len(c.Expected) > 0 {
				firing[c.Alert] = true
			} else {
				silent[c.Alert] = true
			}
		}
	}
	for _, r := range rules(t) {
		require.Regexp(t, "^Meantime[A-Z]", r.Alert)
		require.Contains(t, []string{"critical", "warning", "info"}, r.Labels["severity"], r.Alert)
		require.Equal(t, "self", r.Labels["meantime"], "%s would count as an alert of the organisation's own services", r.Alert)
		require.NotEmpty(t, r.Annotations["summary"], r.Alert)
		require.NotEmpty(t, r.Annotations["description"], r.Alert)
		require.True(t, firing[r.Alert], "%s is never tested firing", r.Alert)
		require.True(t, silent[r.Alert], "%s is never tested silent", r.Alert)
	}
}

// Each recording rule has a test in which it gives something and one in which it gives nothing.
func TestRecords(t *testing.T) {
	var records struct {
		Groups []struct {
			Rules []struct{ Record string }
		}
	}
	b, err := os.ReadFile("records.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &records))
	var tests struct {
		Tests []struct {
			Checks []struct {
				Expr     string
				Expected []any `yaml:"exp_samples"`
			} `yaml:"promql_expr_test"`
		}
	}
	b, err = os.ReadFile("records_test.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(b, &tests))
	seen := map[bool]map[string]bool{true: {}, false: {}}
	for _, x := range tests.Tests {
		for _, c := range x.Checks {
			seen[len(c.Expected) > 0][c.Expr] = true
		}
	}
	for _, g := range records.Groups {
		for _, r := range g.Rules {
			require.True(t, seen[true][r.Record], "%s is never tested with figures", r.Record)
			require.True(t, seen[false][r.Record], "%s is never tested without", r.Record)
		}
	}
}

// promtool runs Prometheus's own judge of rules.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), servers.Path(t, "promtool"), args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestRulesByPromtool(t *testing.T) {
	promtool(t, ".", "check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml")
	promtool(t, ".", "test", "rules", "rules_test.yaml")
	promtool(t, ".", "check", "rules", "--lint=all", "--lint-fatal", "records.yaml")
	promtool(t, ".", "test", "rules", "records_test.yaml")
}

// Replicas can differ for a moment in what they tell of an incident. It is shown once all the same, and no query fails.
func TestReplicasThatDiffer(t *testing.T) {
	type series struct {
		Series string `yaml:"series"`
		Values string `yaml:"values"`
	}
	input := []series{{`meantime_incidents{window="28d",affected_service="",severity="",detected_by="alert"}`, "1x5"}}
	for instance, told := range map[string]string{"a": `state="open",severity="critical",title="Trouble"`, "b": `state="resolved",severity="warning",title="Much trouble"`} {
		input = append(input, series{`meantime_incident_info{instance="` + instance + `",incident="x",affected_service="checkout",detected_by="customer",` + told + `}`, "1x5"})
		for i, m := range []string{"started", "detected", "acknowledged", "mitigated", "resolved"} {
			input = append(input, series{`meantime_incident_milestone_timestamp_seconds{instance="` + instance + `",incident="x",origin="record",milestone="` + m + `"}`, strconv.Itoa(i*10) + "x5"})
		}
	}
	type sample struct {
		Labels string `yaml:"labels"`
		Value  int    `yaml:"value"`
	}
	type check struct {
		Expr    string   `yaml:"expr"`
		At      string   `yaml:"eval_time"`
		Samples []sample `yaml:"exp_samples"`
	}
	fill := strings.NewReplacer("$service", "^$", "$severity", "^$", "$window", "28d", "$job", "", "$cluster", "", "$__interval_ms", "3600000", "${__to:date:seconds}", "60")
	var checks []check
	for _, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if strings.Contains(q.Expr, "meantime_incident_info") && !strings.Contains(q.Expr, ") < max by") { // the shortest, where it is not the longest too
					checks = append(checks, check{"count(" + fill.Replace(q.Expr) + ")", "1m", []sample{{"{}", 1}}})
				}
			}
		}
	}
	require.Greater(t, len(checks), 7)
	var b bytes.Buffer
	require.NoError(t, yaml.NewEncoder(&b).Encode(map[string]any{"tests": []map[string]any{{"interval": "1m", "input_series": input, "promql_expr_test": checks}}}))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "test.yaml"), b.Bytes(), 0o600))
	promtool(t, dir, "test", "rules", "test.yaml")
}

// Every query of every panel is PromQL, whatever is chosen.
func TestQueriesByPromtool(t *testing.T) {
	type record struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var all []record
	for _, chosen := range []string{"^$", `checkout|\\(other\\)`} {
		fill := strings.NewReplacer("$service", chosen, "$severity", chosen, "$window", "28d", "$measured", "resolve", "$job", "meantime", "$cluster", "eu", "$instance", ".+", "$__rate_interval", "1m", "$__interval_ms", "60000", "${__to:date:seconds}", "1700000000")
		for _, d := range dashboards(t) {
			for _, p := range d.Panels {
				for _, q := range p.Targets {
					all = append(all, record{"x:" + strconv.Itoa(len(all)), fill.Replace(q.Expr)})
				}
			}
		}
	}
	var b bytes.Buffer
	require.NoError(t, yaml.NewEncoder(&b).Encode(map[string]any{"groups": []map[string]any{{"name": "queries", "rules": all}}}))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "queries.yaml"), b.Bytes(), 0o600))
	promtool(t, dir, "check", "rules", "--lint=none", "queries.yaml")
}
