package dashboards_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/test/servers"
)

// A mixin is what jsonnet makes of mixin.libsonnet.
type mixin struct {
	Dashboards map[string]json.RawMessage
	Alerts     struct{ Groups []mixinGroup }
	Records    struct{ Groups []mixinGroup }
}

type mixinGroup struct {
	Name  string
	Rules []mixinRule
}

type mixinRule struct {
	Alert, Record, Expr, For string
	Labels, Annotations      map[string]string
}

// evaluate runs the mixin with the jsonnet of Debian, which is the oldest that people use; the newest is tried by test/deploy.
func evaluate(t *testing.T, config string) mixin {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), servers.Path(t, "jsonnet"), "-e", `local m = (import 'mixin.libsonnet') + { _config+:: `+config+` };
		{ Dashboards: m.grafanaDashboards, Alerts: m.prometheusAlerts, Records: m.prometheusRules }`)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	require.NoError(t, err, said.String())
	var m mixin
	require.NoError(t, json.Unmarshal(out, &m))
	return m
}

// As it comes the mixin is the plain files.
func TestMixinIsTheFiles(t *testing.T) {
	m := evaluate(t, "{}")
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(m.Dashboards["meantime-"+strings.TrimPrefix(f, "meantime-")]), f)
	}
	require.Len(t, m.Dashboards, len(files))
	for file, groups := range map[string][]mixinGroup{"alerts.yaml": m.Alerts.Groups, "records.yaml": m.Records.Groups} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var want struct{ Groups []mixinGroup }
		require.NoError(t, yaml.Unmarshal(text, &want))
		require.NotEmpty(t, want.Groups)
		for i, g := range want.Groups {
			for j := range g.Rules {
				spaces(&g.Rules[j])
				spaces(&groups[i].Rules[j])
			}
		}
		require.Equal(t, want.Groups, groups, file)
	}
}

// spaces makes an expression comparable: only a bound is written otherwise, as its product.
func spaces(r *mixinRule) {
	r.Expr = strings.NewReplacer("6 * 3600", "21600", "15 * 60", "900").Replace(strings.TrimSpace(r.Expr))
}

// What _config says is in everything that it is about, and in nothing else.
func TestMixinConfig(t *testing.T) {
	m := evaluate(t, `{
		meantimeSelector: 'job="mt",cluster=~"eu|us"',
		dashboardNamePrefix: 'SRE: ',
		dashboardTags: ['sre', 'mixin'],
		alertLabels: { team: 'sre', meantime: 'other' },
		runbookURLPattern: 'https://runbooks.example.org/%s/',
		thresholds+: { storeWaitingWrites: 7, watchdogSilentSeconds: 61 },
	}`)
	series := regexp.MustCompile(`(^|[^a-z0-9_:])meantime_[a-z0-9_:]*(\{[^}]*\})?`)
	const selector = `{job="mt",cluster=~"eu|us"`
	chosen := 0
	check := func(place, expr string) {
		for _, found := range series.FindAllStringSubmatch(expr, -1) {
			chosen++
			require.True(t, found[2] == selector+"}" || strings.HasPrefix(found[2], selector+","), "%s: %s", place, found[0])
		}
	}
	for _, g := range append(m.Alerts.Groups, m.Records.Groups...) {
		for _, r := range g.Rules {
			check(r.Alert+r.Record, r.Expr)
			if r.Alert != "" {
				require.Equal(t, "https://runbooks.example.org/"+r.Alert+"/", r.Annotations["runbook_url"])
				require.Equal(t, "sre", r.Labels["team"])
				require.Equal(t, "self", r.Labels["meantime"], "%s would count as an alert of the organisation's own services", r.Alert)
			}
			switch r.Alert {
			case "MeantimeStoreSlow":
				require.Equal(t, `meantime_store_waiting_writes{job="mt",cluster=~"eu|us"} > 7`, r.Expr)
			case "MeantimeWatchdogSilent":
				require.True(t, strings.HasSuffix(r.Expr, " > 61"), r.Expr)
			}
			require.NotRegexp(t, "<[a-zA-Z]+>", r.Expr, "a bound without its value")
		}
	}
	before := chosen
	for name, text := range m.Dashboards {
		var d struct {
			Title string
			Tags  []string
			Links []struct{ Tags []string }
			Rest  map[string]any `json:"-"`
		}
		require.NoError(t, json.Unmarshal(text, &d))
		require.NoError(t, json.Unmarshal(text, &d.Rest))
		require.True(t, strings.HasPrefix(d.Title, "SRE: "), d.Title)
		require.NotContains(t, d.Title, "Meantime /")
		require.Equal(t, []string{"sre", "mixin"}, d.Tags)
		for _, l := range d.Links {
			require.Equal(t, []string{"sre"}, l.Tags)
		}
		texts(d.Rest, func(s string) {
			if !strings.Contains(s, "__name__") {
				check(name, s)
			}
		})
	}
	require.Greater(t, before, 20)
	require.Greater(t, chosen-before, 100)
}

// texts calls f with every expression below x.
func texts(x any, f func(string)) {
	switch x := x.(type) {
	case []any:
		for _, y := range x {
			texts(y, f)
		}
	case map[string]any:
		for k, y := range x {
			if s, ok := y.(string); ok && (k == "expr" || k == "query" || k == "definition") {
				f(s)
				continue
			}
			texts(y, f)
		}
	}
}

// Every rule has its runbook, and every runbook its rule.
func TestRunbooks(t *testing.T) {
	const dir = "../docs/runbooks"
	index, err := os.ReadFile(filepath.Join(dir, "README.md"))
	require.NoError(t, err)
	have := map[string]bool{}
	for _, r := range rules(t) {
		have[r.Alert+".md"] = true
		require.Equal(t, "docs/runbooks/"+r.Alert+".md", r.Annotations["runbook_url"], r.Alert)
		require.Contains(t, string(index), "("+r.Alert+".md)")
		text, err := os.ReadFile(filepath.Join(dir, r.Alert+".md"))
		require.NoError(t, err, "write a page for the rule %s", r.Alert)
		require.True(t, strings.HasPrefix(string(text), "# "+r.Alert+"\n"), r.Alert)
		for _, part := range []string{"**What is lost meanwhile.**", "\n## Look\n", "\n## Do\n"} {
			require.Contains(t, string(text), part, r.Alert)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)`).FindAllStringSubmatch(string(text), -1) {
			require.FileExists(t, filepath.Join(dir, link[1]), r.Alert)
		}
	}
	pages, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, p := range pages {
		require.True(t, p.Name() == "README.md" || have[p.Name()], "%s is of no rule", p.Name())
	}
}
