package setup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func before(d time.Duration) time.Time { return now.Add(-d) }

// TestList has one case for each thing that a set-up can lack.
func TestList(t *testing.T) {
	heard := []Sender{{URL: "http://am:9093", Route: `{}/{team="a"}`}, {URL: "http://am:9093", Receiver: "pager"}}
	whole := Facts{
		Now: now, URL: "http://meantime:10049", Running: true, Senders: heard, LastNotification: before(40 * time.Second),
		Alertmanagers: []Asked{{Name: "alertmanager", Up: true, Answered: before(5 * time.Second), Sends: true}},
		Prometheuses:  []Asked{{Name: "prometheus", Up: true, Answered: before(time.Minute)}},
		Records:       []Asked{{Name: "pager", Up: true, Answered: before(3 * time.Minute), Progress: "2 of 90 days"}},
		Opens:         []string{`{severity="page"}`},
		Scrapes:       []Scrape{{From: "10.0.0.1", Agent: "Prometheus/3.5.0", At: before(9 * time.Second)}},
	}
	for name, c := range map[string]struct {
		change func(f *Facts)
		check  string
		state  State
		text   string
		says   []string // problems, in part
		paste  string   // in part
	}{
		"heard": {func(*Facts) {}, "notifications", OK,
			`The last one came 40 s ago, by http://am:9093, receiver pager, route {}/{team="a"}.`, nil, ""},
		"heard before": {func(f *Facts) { f.LastNotification = time.Time{} }, "notifications", OK,
			`They came by http://am:9093, receiver pager, route {}/{team="a"}. None has come since this process started.`, nil, ""},
		"nobody heard, but led": {func(f *Facts) { f.Senders, f.LastNotification = nil, time.Time{} }, "notifications", Waiting,
			"No notification has come yet. Alertmanager's configuration leads here; one comes with the next alert that fires.", nil, ""},
		"nobody heard": {func(f *Facts) { f.Senders, f.LastNotification, f.Alertmanagers = nil, time.Time{}, nil }, "notifications", Missing,
			"No notification has come yet.", nil, "url: http://meantime:10049/webhook/alertmanager\n        send_resolved: true\n"},
		"with a token": {func(f *Facts) { f.Senders, f.LastNotification, f.Alertmanagers, f.Token = nil, time.Time{}, nil, true },
			"notifications", Missing,
			"No notification has come yet.", nil, "authorization: {credentials_file: "},
		"a wrong path": {func(f *Facts) { f.Misses = []Miss{{"10.0.0.2", "/alerts", 404, before(10 * time.Second)}} }, "notifications", Wrong,
			`The last one came 40 s ago, by http://am:9093, receiver pager, route {}/{team="a"}.`,
			[]string{"An Alertmanager at 10.0.0.2 was answered 404 on /alerts 10 s ago: the url of its webhook_configs must be http://meantime:10049/webhook/alertmanager"}, ""},
		"a wrong token": {func(f *Facts) {
			f.Misses = []Miss{{"10.0.0.2", "/webhook/alertmanager", 401, before(10 * time.Second)}}
		}, "notifications", Wrong,
			`The last one came 40 s ago, by http://am:9093, receiver pager, route {}/{team="a"}.`,
			[]string{"it sends no token, or another one"}, ""},
		"a mistake of another sender": {func(f *Facts) { f.Misses = []Miss{{"10.0.0.2", "/alerts", 404, before(41 * time.Second)}} },
			"notifications", Wrong,
			`The last one came 40 s ago, by http://am:9093, receiver pager, route {}/{team="a"}.`, []string{"was answered 404"}, ""},
		"a mistake of long ago": {func(f *Facts) { f.Misses = []Miss{{"10.0.0.2", "/alerts", 404, before(61 * time.Minute)}} },
			"notifications", OK,
			`The last one came 40 s ago, by http://am:9093, receiver pager, route {}/{team="a"}.`, nil, ""},
		"Alertmanager is not asked": {func(f *Facts) { f.Alertmanagers = nil }, "alertmanager", Optional, "", nil,
			`alertmanagers: [{url: "http://am:9093"}]`},
		"Alertmanager hides ends": {func(f *Facts) { f.Alertmanagers[0].Problems = []string{"send_resolved is false"} }, "alertmanager", Wrong,
			"alertmanager answered 5 s ago.", []string{"alertmanager: send_resolved is false"}, ""},
		"Prometheus does not answer": {func(f *Facts) { f.Prometheuses[0].Up, f.Prometheuses[0].Err = false, "refused" }, "prometheus",
			Wrong, "", []string{"prometheus does not answer: refused"}, ""},
		"Prometheus is not asked": {func(f *Facts) { f.Prometheuses = nil }, "prometheus", Optional, "", nil, "prometheuses: [{url:"},
		"another replica asks": {func(f *Facts) { f.Follows, f.Prometheuses[0].Answered = true, time.Time{} }, "prometheus", Waiting,
			"Another replica asks, and knows how they are.", nil, ""},
		"it was not asked yet": {func(f *Facts) { f.Prometheuses[0].Answered = time.Time{} }, "prometheus", Waiting,
			"prometheus was not asked yet.", nil, ""},
		"its past is read":  {func(f *Facts) { f.Records[0].Answered = time.Time{} }, "records", Waiting, "pager is read for the first time (2 of 90 days).", nil, ""},
		"records":           {func(*Facts) {}, "records", OK, "pager answered 3 min ago (2 of 90 days).", nil, ""},
		"no records":        {func(f *Facts) { f.Records = nil }, "records", Optional, "", nil, "sources:"},
		"alerts open":       {func(*Facts) {}, "opening", OK, `Records do, and alerts with {severity="page"}.`, nil, ""},
		"alerts alone open": {func(f *Facts) { f.Records = nil }, "opening", OK, `Alerts with {severity="page"}.`, nil, ""},
		"records alone open": {func(f *Facts) { f.Opens = nil }, "opening", OK,
			"Records do. Alerts open none, since correlate.open.matchers is empty.", nil, ""},
		"nothing opens": {func(f *Facts) { f.Opens, f.Records = nil, nil }, "opening", Missing, "",
			[]string{"Nothing can open an incident"}, "correlate:"},
		"no alert that came opens": {func(f *Facts) { f.NoneOpens = "None of 3 may" }, "opening", Wrong, "None of 3 may.",
			[]string{"No alert that came may open an incident"}, "correlate:"},
		"scraped": {func(*Facts) {}, "scrape", OK, "Prometheus/3.5.0 at 10.0.0.1 did 9 s ago.", nil, ""},
		"scraped no more": {func(f *Facts) { f.Scrapes[0].At = before(11 * time.Minute) }, "scrape", Missing,
			"Prometheus/3.5.0 at 10.0.0.1 did last 11 min ago.", nil, `targets: ["meantime:10049"]`},
		"only somebody looked": {func(f *Facts) { f.Scrapes[0].Agent = "curl/8" }, "scrape", Missing,
			"Only curl/8 at 10.0.0.1 has read /metrics, which is not known to be a Prometheus.", nil, "job_name: meantime"},
		"nobody looked": {func(f *Facts) { f.Scrapes = nil }, "scrape", Missing,
			"No Prometheus has read /metrics since this process started.", nil, "job_name: meantime"},
		"just started": {func(f *Facts) { f.Scrapes, f.Started = nil, before(30*time.Second) }, "scrape", Waiting,
			"Nobody has had the time to: Meantime has just started.", nil, ""},
		"scraped below a path": {func(f *Facts) { f.Scrapes, f.URL = nil, "https://ops.example.org/m" }, "scrape", Missing, "", nil,
			"scheme: https\n    metrics_path: /m/metrics\n    static_configs: [{targets: [\"ops.example.org\"]}]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := whole
			f.Alertmanagers, f.Prometheuses, f.Records = append([]Asked{}, whole.Alertmanagers...), append([]Asked{}, whole.Prometheuses...),
				append([]Asked{}, whole.Records...)
			f.Scrapes = append([]Scrape{}, whole.Scrapes...)
			c.change(&f)
			list := List(f)
			for _, x := range list.Checks {
				if x.Name != c.check {
					require.Contains(t, []State{OK, Optional, Waiting}, x.State, x.Name)
					continue
				}
				require.Equal(t, c.state, x.State)
				if c.text != "" {
					require.Equal(t, c.text, x.Text)
				}
				require.Len(t, x.Problems, len(c.says))
				for i, p := range c.says {
					require.Contains(t, x.Problems[i], p)
				}
				require.Contains(t, x.Paste, c.paste)
				require.Equal(t, x.Paste == "", x.Into == "", "lines belong into a file")
			}
			require.Equal(t, c.state != Missing && c.state != Wrong, list.Ready)
		})
	}
	whole.Running = false
	require.Len(t, List(whole).Checks, 5, "a configuration does not tell who scrapes")
}

func TestLine(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	for want, p := range map[string]Progress{
		"Figures are still of the old rules: 40 %": {What: "Working", Means: "Figures are still of the old rules", Done: 4, Total: 10, Percent: 40},
		"Copying: 0 %, about 2 min left":           {What: "Copying", Total: 10, Left: seconds(150)},
		"Figures are still of the old rules":       {What: "Another replica works", Means: "Figures are still of the old rules"},
	} {
		require.Equal(t, want, p.Line())
	}
}
