package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestPanelsHaveACounterpart: each panel is held to the report, or it is said why it is not.
func TestPanelsHaveACounterpart(t *testing.T) {
	left := maps.Clone(without)
	seen := map[string]bool{}
	for title, d := range dashboards(t) {
		for _, p := range d.Panels {
			panel := place(title, p.Title)
			require.False(t, seen[panel], "%s: two panels have one name", panel)
			seen[panel] = true
			_, held := counterparts[panel]
			_, not := without[panel]
			require.True(t, held != not, "%s: say which figures of the report it shows, or why none", panel)
			delete(left, panel)
			for _, x := range p.Targets {
				delete(left, place(panel, p.name(x)))
			}
		}
	}
	for panel := range counterparts {
		require.True(t, seen[panel], "there is no panel %s", panel)
	}
	for name := range left { // those of one figure
		require.True(t, slices.ContainsFunc(slices.Collect(maps.Keys(counterparts)), func(panel string) bool { return strings.HasPrefix(name, panel+" / ") }), "there is no panel %s", name)
	}
}

// TestDashboards has the real Prometheus scrape two replicas of a Meantime with the demo's year, and asks it every query
// of every panel: each figure is the one that meantime report tells for the same window, with two replicas as with
// one, each query returns data, and every variable has something to choose.
func TestDashboards(t *testing.T) {
	s := newShop(t)
	all := dashboards(t)

	for _, c := range []choice{
		{window: "7d", measured: "resolve"},
		{window: "28d", measured: "resolve"},
		{window: "90d", measured: "detect"},
		{window: "90d", measured: "mitigate", services: []string{"checkout"}},
		{window: "90d", measured: "resolve", severities: []string{"critical"}},
		{window: "28d", measured: "acknowledge", services: []string{"payments", "checkout"}, severities: []string{"critical", "warning"}},
	} {
		t.Run(c.String(), func(t *testing.T) {
			servers.Eventually(t, 2*time.Minute, func() error { return s.held(t, all, c) })
		})
	}

	t.Run("variables", func(t *testing.T) {
		for title, d := range all {
			for _, v := range d.Templating.List {
				if v.Type != "query" {
					continue
				}
				options := v.options(t, s.prometheus)
				if v.Name == "cluster" {
					require.Empty(t, options, "no target of this Prometheus has one")
					continue
				}
				require.NotEmpty(t, options, "%s: %s", title, v.Name)
				if current, ok := v.Current.Value.(string); ok {
					require.Contains(t, options, current, "%s: %s", title, v.Name)
				}
			}
		}
	})

	t.Run("data", func(t *testing.T) {
		queries := map[string]string{}
		for title, d := range all {
			for _, p := range d.Panels {
				for _, x := range p.Targets {
					if waits := slices.ContainsFunc(idle, func(part string) bool { return strings.Contains(x.Expr, part) }); !waits {
						queries[place(title, p.Title, x.RefID)] = x.Expr
					}
				}
			}
		}
		require.Greater(t, len(queries), 100)
		now, round := time.Now().UTC().Truncate(time.Second), 0
		servers.Eventually(t, 2*time.Minute, func() error {
			round++
			s.work(now, round)
			at := time.Now()
			for name, expr := range queries {
				v, err := s.prometheus.Query(choice{window: "90d", measured: "resolve"}.fill(expr, at), at)
				require.NoError(t, err, name)
				if len(v) > 0 {
					delete(queries, name)
				}
			}
			if len(queries) > 0 {
				return fmt.Errorf("%d queries return nothing: %v", len(queries), queries)
			}
			return nil
		})
	})
}

// earlier is in the queries for the period before, of which a Prometheus that has just begun knows nothing. TestBefore of the
// dashboards has one that does.
const earlier = "offset $window"

// idle are the parts of queries that have nothing to show as long as all is well.
var idle = []string{
	earlier,
	`instance=~"$instance",outcome!="ok"`, // no operation of the store fails here
	`outcome="suggested"`,                 // no alert has to be in doubt
	`) < max by`,                          // no two incidents have to begin at one point of the axis
	`meantime_source_backfill_remaining_`, // no source here is asked over HTTP; TestPager has those that are
	`meantime_source_cursor_timestamp_`,
	`meantime_source_records_total`,
}

// TestDashboardsOfNothing asks every query of an empty store, with All chosen and with one: none fails, none shows an
// incident, and the windows and intervals can be chosen all the same.
func TestDashboardsOfNothing(t *testing.T) {
	address := servers.Address(t)
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{Targets: map[string][]string{"meantime": {address}}})
	servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: "windows: [7d, 28d, 90d]\nsources: []\nobjectives: [{severity: critical, interval: resolve, within: 1h}]\n"})
	servers.Eventually(t, soon, func() error {
		v, err := prometheus.Query(`meantime_measurements{affected_service="",severity=""}`, time.Time{})
		if err == nil && len(v) == 0 {
			err = fmt.Errorf("it has not been scraped")
		}
		return err
	})
	for title, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, x := range p.Targets {
				for _, c := range []choice{{window: "28d", measured: "resolve"}, {window: "28d", measured: "resolve", services: []string{"checkout"}, severities: []string{"critical", "warning"}}} {
					at := time.Now()
					v, err := prometheus.Query(c.fill(x.Expr, at), at)
					require.NoError(t, err, place(title, p.Title, x.RefID))
					if title == "Meantime itself" || ofNoIncident.MatchString(x.Expr) {
						continue // it runs, and is seen to
					}
					for _, sample := range v {
						require.Zero(t, float64(sample.Value), "%s: %s", place(title, p.Title, x.RefID), sample)
					}
				}
			}
		}
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			if options := v.options(t, prometheus); v.Name == "service" || v.Name == "severity" || v.Name == "cluster" {
				require.Empty(t, options, "%s: %s", title, v.Name)
			} else {
				require.NotEmpty(t, options, "%s: %s", title, v.Name)
			}
		}
	}
}

// ofNoIncident are the parts of queries that tell something without any incident: what sources and the configuration say, how long
// was watched, and the order of a table's rows.
var ofNoIncident = regexp.MustCompile(`meantime_source_|meantime_objective_seconds|meantime_availability_|meantime_time_between_|` +
	`group_left \(\) \(label_replace\(vector`)

// shop is a Meantime with the demo's year, twice, and the Prometheus that scrapes both.
type shop struct {
	meantime   *servers.MeantimeServer // one of the replicas
	config     string                  // its configuration's file
	prometheus *servers.PrometheusServer
}

func newShop(t *testing.T) *shop {
	t.Helper()
	dir, other := t.TempDir(), t.TempDir()
	do := func(status int, program string, args ...string) {
		cmd := exec.Command(program, args...)
		cmd.Dir = servers.Root(t)
		out, err := cmd.CombinedOutput()
		if ended := new(exec.ExitError); errors.As(err, &ended) && ended.ExitCode() == status {
			err = nil
		}
		require.NoError(t, err, string(out))
	}
	do(0, "go", "run", "./demo", "--data-only", "--dir="+dir, "--listen=127.0.0.1:0", "--prometheus.listen=127.0.0.1:0")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}

	one, two := servers.Address(t), servers.Address(t)
	s := &shop{config: filepath.Join(dir, "meantime.yml")}
	s.prometheus = servers.Prometheus(t, servers.PrometheusOptions{Rules: read("rules.yml"), Targets: map[string][]string{"meantime": {one, two}}})
	config := regexp.MustCompile(`(?m)^(store|prometheuses|sources): .*\n`).ReplaceAllString(read("meantime.yml"), "") +
		"prometheuses: [{url: " + s.prometheus.URL + "}]\nsources: [{name: postmortems, type: file, dir: " + filepath.Join(dir, "postmortems") + ", interval: 1s}]\n"
	store := "sqlite:" + filepath.Join(dir, "meantime.db")
	require.NoError(t, os.WriteFile(s.config, []byte("store: {dsn: "+store+"}\n"+config), 0o644))

	documents, err := filepath.Glob(filepath.Join(dir, "postmortems/*.md"))
	require.NoError(t, err)
	const open = 3 // the status that says that questions are open
	do(open, servers.Binary(t), append([]string{"import", "--config.file=" + s.config}, documents...)...)
	do(0, servers.Binary(t), "replay", "--config.file="+s.config, filepath.Join(dir, "archive.jsonl"))

	require.NoError(t, os.WriteFile(filepath.Join(other, "meantime.db"), []byte(read("meantime.db")), 0o644))
	servers.Meantime(t, servers.MeantimeOptions{Address: two, Dir: other, Config: config})
	s.meantime = servers.Meantime(t, servers.MeantimeOptions{Address: one, Dir: dir, Config: config})
	require.NoError(t, os.WriteFile(s.config, []byte("store: {dsn: "+store+"}\n"+config), 0o644)) // as report reads it
	return s
}

// held holds what every panel shows now, of both replicas, to the report of one.
func (s *shop) held(t *testing.T, all map[string]dashboard, c choice) error {
	at := time.Now().UTC().Truncate(time.Second)
	r := reported(t, s.config, c.window, at)
	for title, d := range all {
		for _, p := range d.Panels {
			panel := place(title, p.Title)
			x, held := counterparts[panel]
			if !held {
				continue
			}
			got := map[figure]float64{}
			for _, query := range p.Targets {
				if _, not := without[place(panel, p.name(query))]; not || strings.Contains(query.Expr, earlier) {
					continue
				}
				shown, err := p.shown(query, c, s.prometheus, at)
				if err != nil {
					return fmt.Errorf("%s: %w", panel, err)
				}
				maps.Copy(got, shown)
			}
			maps.DeleteFunc(got, func(f figure, _ float64) bool { _, not := without[place(panel, f.name, f.of)]; return not })
			if err := x.differs(r, x.of(r, c), got); err != nil {
				return fmt.Errorf("%s: %w", panel, err)
			}
		}
	}
	return nil
}

// work has something of everything go on.
func (s *shop) work(now time.Time, round int) {
	fired := now.Add(-time.Duration(round) * time.Minute)
	s.meantime.Must("POST", "/webhook/alertmanager", servers.Notification(
		servers.Firing("Noise", "checkout", fired.Add(-12*time.Hour)).Resolved(fired.Add(-12*time.Hour+time.Minute)),
		servers.Firing("SearchDown", "search", fired).Resolved(fired.Add(time.Minute)),
		servers.Alert{Status: "firing"}, // refused
	))
	s.meantime.Must("POST", "/webhook/alertmanager/events", event(fired))
	s.meantime.Must("GET", "/api/v1/incidents", nil)
	_, _, _ = s.meantime.Do("POST", "/webhook/alertmanager", "no JSON") // refused
}

// event is one of the event recorder: an alert was created.
func event(at time.Time) map[string]any {
	return map[string]any{
		"@timestamp": at, "instance": "alertmanager.example.org",
		"data": map[string]any{"alertCreated": map[string]any{"alert": map[string]any{
			"startsAt": at,
			"labels": map[string]any{"labels": []any{
				map[string]string{"key": "alertname", "value": "Recorded"}, map[string]string{"key": "service", "value": "search"},
			}},
		}}},
	}
}
