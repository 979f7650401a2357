package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/test/servers"
)

// block is a fenced part of README.
type block struct{ kind, text string }

var fenced = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

func readme(t *testing.T) []block {
	text, err := os.ReadFile(filepath.Join(servers.Root(t), "README.md"))
	require.NoError(t, err)
	var out []block
	for _, m := range fenced.FindAllStringSubmatch(string(text), -1) {
		out = append(out, block{m[1], m[2]})
	}
	return out
}

// snippet is the part of README for a file, as it is printed but for where things are.
func snippet(t *testing.T, blocks []block, file string, places ...string) map[string]any {
	for _, b := range blocks {
		if b.kind == "yaml" && strings.HasPrefix(b.text, "# "+file+"\n") {
			var out map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(strings.NewReplacer(places...).Replace(b.text)), &out), file)
			return out
		}
	}
	t.Fatalf("README has no lines for %s", file)
	return nil
}

func asYAML(t *testing.T, v any) string {
	b, err := yaml.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// readmeRules is a rule as everybody has one.
const readmeRules = `
groups:
  - name: shop
    rules:
      - {alert: Broken, expr: 'broken > 0', for: 2s, labels: {severity: critical, service: checkout}}
`

// TestReadmeEndsWithMTTR follows README with real servers: its snippets, a rule that fires and resolves, and what it says is to be seen
// after each step.
func TestReadmeEndsWithMTTR(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"in the pager's own receiver": "alertmanager.yml", "as a route of its own": "alertmanager.yml, else"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			followReadme(t, file)
		})
	}
}

func followReadme(t *testing.T, file string) {
	began := time.Now()
	blocks := readme(t)
	address := servers.Address(t)

	// 1. Alertmanager, with the lines and around them what everybody has: here a pager that is not asked, and one group_wait less.
	config := snippet(t, blocks, file, "meantime:10049", address)
	route := map[string]any{"receiver": "pager", "group_by": []string{"alertname", "service"}, "group_wait": "1s", "group_interval": "1s"}
	if own, ok := config["route"].(map[string]any); ok {
		route["routes"] = own["routes"]
		config["receivers"] = append(config["receivers"].([]any), map[string]any{"name": "pager"})
	}
	config["route"] = route
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Config: asYAML(t, config)})

	// 2. Prometheus. The test's server scrapes and evaluates each second; the job and the target are README's.
	var jobs struct {
		Scrape []struct {
			Job    string `yaml:"job_name"`
			Static []struct {
				Targets []string `yaml:"targets"`
			} `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	require.NoError(t, yaml.Unmarshal([]byte(asYAML(t, snippet(t, blocks, "prometheus.yml", "meantime:10049", address))), &jobs))
	require.Len(t, jobs.Scrape, 1)
	shop := newPastShop(t)
	prometheus := servers.Prometheus(t, servers.PrometheusOptions{
		Rules: readmeRules, Alertmanagers: []string{am.Address()},
		Targets: map[string][]string{"shop": {shop.address()}, jobs.Scrape[0].Job: jobs.Scrape[0].Static[0].Targets},
	})
	settings := snippet(t, blocks, "meantime.yml", "http://prometheus:9090", prometheus.URL, "http://alertmanager:9093", am.URL)
	settings["correlate"] = map[string]any{"open": map[string]any{"quiet": "2s"}} // README's ten minutes

	m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: asYAML(t, settings)})
	doctor := func() (int, string) { return servers.MeantimeRun(t, m.Dir, "doctor", "--url", m.URL) }

	shop.broken.Store(1)
	servers.Eventually(t, long, func() error {
		if !strings.Contains(m.Log(), "First notification of a receiver") {
			return fmt.Errorf("the log names no first notification")
		}
		all, err := incidents(m)
		if err == nil && (len(all) != 1 || all[0].State != "open") {
			err = fmt.Errorf("there are %v", all)
		}
		return err
	})
	servers.Eventually(t, long, func() error {
		if status, text := doctor(); status != 0 {
			return fmt.Errorf("doctor ends with %d: %s", status, text)
		}
		return nil
	})
	_, text := doctor()
	for _, state := range []string{"[ok]      Alertmanager sends", "[ok]      Something opens", "[ok]      Prometheus scrapes"} {
		require.Contains(t, text, state)
	}
	shop.broken.Store(0)

	// MTTD and MTTR on /metrics, in Prometheus, and in what the dashboards ask.
	mean := func(interval string) string {
		return fmt.Sprintf(`meantime_interval_mean_seconds{affected_service="",interval=%q,severity="",window="28d"}`, interval)
	}
	servers.Eventually(t, long, func() error {
		got := scrape(t, m, figures)
		for _, interval := range []string{"detect", "resolve"} {
			if got[mean(interval)] == "" {
				return fmt.Errorf("no mean of %s; there are %s", interval, m.Must("GET", "/api/v1/incidents", nil))
			}
			v, err := prometheus.Query(mean(interval), time.Time{})
			if err != nil || len(v) != 1 {
				return fmt.Errorf("Prometheus has %v of %s: %w", v, interval, err)
			}
		}
		return nil
	})
	c := choice{window: "28d", measured: "resolve"}
	asked := 0
	for name, d := range dashboards(t) {
		for i := range d.Panels {
			for _, x := range d.Panels[i].Targets {
				// Nobody acknowledged, so that not every interval has a mean.
				if !strings.Contains(x.Expr, "meantime_interval_mean_seconds") || !meansOf.MatchString(x.Expr) || othersOf.MatchString(x.Expr) {
					continue
				}
				v, err := prometheus.Query(c.fill(x.Expr, time.Now()), time.Time{})
				require.NoError(t, err, "%s / %s", name, d.Panels[i].Title)
				require.NotEmpty(t, v, "%s / %s shows nothing", name, d.Panels[i].Title)
				asked++
			}
		}
	}
	require.Positive(t, asked)
	t.Logf("from nothing to MTTR in %s", time.Since(began).Round(time.Second))
}

var meansOf, othersOf = regexp.MustCompile(`interval="(detect|resolve)"`),
	regexp.MustCompile(`interval="(acknowledge|identify|mitigate|paperwork)"`)

// long is for what takes several servers, on a busy machine.
const long = 3 * time.Minute

// Commands of README that are not run here, each with the reason.
var notRun = map[string]string{
	"go build ./cmd/meantime":     "the program that is tested was built this way",
	"./meantime":                  "it runs on a free port",
	"make run":                    "TestExamples runs what it runs",
	"make test":                   "this is a part of it",
	"kill -HUP $(pidof meantime)": "others may run here; test/faults has reloads",
	"./meantime --config.file=meantime.yml check-config":                              "it needs a pager's key",
	"./meantime --config.file=meantime.yml try-source pager":                          "it needs a pager; TestPager has one",
	"./meantime --config.file=meantime.yml serve":                                     "it needs a pager; TestPager has one",
	"createdb --owner=meantime meantime":                                              "it needs a PostgreSQL; test/replicas has one",
	"./meantime copy --from sqlite:meantime.db --to postgres://meantime@db1/meantime": "it needs a PostgreSQL; test/faults has one",
}

// Commands that end with another status than 0, and what they say.
var otherwise = map[string]struct {
	status int
	says   string
}{
	"./meantime doctor --url http://127.0.0.1:10049": {1,
		"[missing] Alertmanager sends notifications"},
	"./meantime import --dry-run --format table examples/postmortems/2024-07-18-sign-in.md":    {3, "2024-07-18-sign-in"},
	"./meantime import --dry-run examples/postmortems/2024-07-18-sign-in.md":                   {3, "id: 2024-07-18-sign-in"},
	"./meantime import --store.dsn=sqlite:other.db examples/postmortems/2024-07-18-sign-in.md": {3, "2024-07-18-sign-in"},
	"./meantime simulate --interval resolve --window 90d":                                      {1, "too few incidents"},
}

var comment = regexp.MustCompile(`\s+#.*`)

// commands are those of a shell block, without what is said beside them.
func commands(text string) []string {
	text = comment.ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	var out []string
	open := ""
	for line := range strings.Lines(text) {
		open += line
		if strings.Count(open, "'")%2 == 1 { // a body goes over lines
			continue
		}
		if c := strings.TrimSpace(open); c != "" {
			out = append(out, c)
		}
		open = ""
	}
	return out
}

// TestReadmeCommands runs every command of README as it is printed, in a folder that looks like a clone.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	root, dir := servers.Root(t), t.TempDir()
	for _, name := range []string{"examples", "dashboards", "Makefile"} {
		require.NoError(t, os.Symlink(filepath.Join(root, name), filepath.Join(dir, name)))
	}
	require.NoError(t, os.Symlink(servers.Binary(t), filepath.Join(dir, "meantime")))
	m := servers.Meantime(t, servers.MeantimeOptions{Dir: dir})

	seen := map[string]bool{}
	for _, b := range readme(t) {
		if b.kind != "sh" {
			continue
		}
		for _, c := range commands(b.text) {
			key := strings.Join(strings.Fields(c), " ")
			seen[key] = true
			if notRun[key] != "" {
				continue
			}
			ctx, cancel := context.WithTimeout(t.Context(), long)
			cmd := exec.CommandContext(ctx, "bash", "-c", strings.ReplaceAll(c, "127.0.0.1:10049", m.Address()))
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			cancel()
			want := otherwise[key]
			if strings.Contains(c, "| grep") {
				want.status = 1 // there are no incidents of which the figures could be; TestReadmeEndsWithMTTR has some
			}
			require.NotNil(t, cmd.ProcessState, "%s: %v", c, err)
			require.Equal(t, want.status, cmd.ProcessState.ExitCode(), "%s\n%s", c, out)
			require.Contains(t, string(out), want.says, c)
			require.NotContains(t, string(out), `"status":4`, c)
			require.NotContains(t, string(out), "could not be read", c)
		}
	}
	for c := range notRun {
		require.True(t, seen[c], "README has no command %q any more", c)
	}
	for c := range otherwise {
		require.True(t, seen[c], "README has no command %q any more", c)
	}
	// What was sent is there.
	servers.Eventually(t, soon, func() error {
		all, err := incidents(m)
		if err == nil && !slices.ContainsFunc(all, func(i incident) bool { return i.Title == "Checkout is slow" }) {
			err = fmt.Errorf("there are %v", all)
		}
		return err
	})
}
