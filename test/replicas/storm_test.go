package replicas

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store/sqlstore"
	"meantime/test/servers"
)

const (
	groups   = 300 // of alerts, each one notification
	perGroup = 100
	firing   = 100 // groups that are not resolved
)

// storm bounds each wait of the test below. On a machine of its own it takes well under two minutes as a whole.
const storm = 4 * time.Minute

// TestStorm has two Alertmanagers that do not know each other tell 30,000 alerts to three replicas behind a load
// balancer, people write records and reviews meanwhile, and the replicas and the database are killed in turn. What was
// acknowledged must be there, once; all replicas must say the same; and all of it must be what one Meantime on SQLite,
// which nobody disturbs, makes of the same facts.
func TestStorm(t *testing.T) {
	const config = `
windows: [7d, 90d]
sources: []
correlate: {open: {matchers: ['severity="critical"'], group_by: [service], quiet: 10m}}
`
	begun := time.Now()
	c := newCrowd(t, 3, config)
	c.holder()
	b := newBalancer(t, c.replicas)
	var ams []*servers.AlertmanagerServer
	for _, version := range []servers.AlertmanagerVersion{servers.OldAlertmanager, servers.NewAlertmanager} {
		ams = append(ams, servers.Alertmanager(t, servers.AlertmanagerOptions{Version: version, Config: fmt.Sprintf(`
route: {receiver: meantime, group_by: [group], group_wait: 1s, group_interval: 5s, repeat_interval: 24h}
receivers: [{name: meantime, webhook_configs: [{url: "%s/webhook/alertmanager", send_resolved: true}]}]
`, b.url)}))
	}
	alerts := manyAlerts(time.Now().UTC().Truncate(time.Second))
	written := make(chan error, 1)
	go func() { written <- writeRecords(b.url, alerts) }()

	tell := func(ams []*servers.AlertmanagerServer, alerts []alert) {
		t.Helper()
		for _, am := range ams {
			for part := range slices.Chunk(alerts, 1000) {
				post(t, am.URL+"/api/v2/alerts", part)
			}
		}
	}
	// acknowledged waits until a share of the alerts, all of them at 1, were answered 200 to each of the Alertmanagers.
	acknowledged := func(ams []*servers.AlertmanagerServer, share float64, alerts []alert) {
		t.Helper()
		servers.Eventually(t, storm, func() error {
			n := 0
			for _, am := range ams {
				n += b.count(am.URL, alerts)
			}
			if want := share * float64(len(ams)*len(alerts)); float64(n) < want {
				return fmt.Errorf("%d of %g alerts are acknowledged", n, want)
			}
			return nil
		})
	}
	killed := func(i int) {
		c.replicas[i].Kill()
		c.replicas[i].Restart()
	}
	// What happens in the middle of each fifth of the alerts.
	disturbances := []struct {
		name string
		do   func()
	}{
		{"the holder is killed", func() { killed(c.holder()) }},
		{"the database is killed", func() {
			c.postgres.StopAtOnce()
			c.postgres.Restart()
		}},
		{"a follower is killed", func() { killed((c.holder() + 1) % 3) }},
		{"the database and the holder are killed", func() {
			held := c.holder()
			c.postgres.StopAtOnce()
			c.replicas[held].Kill()
			c.postgres.Restart()
			c.replicas[held].Restart()
		}},
		{"the holder is frozen for longer than its lease", func() {
			held := c.holder()
			c.replicas[held].Signal(syscall.SIGSTOP)
			c.holder(held)
			c.replicas[held].Signal(syscall.SIGCONT)
		}},
	}
	size := len(alerts) / len(disturbances)
	for i, d := range disturbances {
		part := alerts[i*size : (i+1)*size]
		tell(ams, part)
		acknowledged(ams, 0.2, part)
		d.do()
		t.Logf("%s: %s; %d alerts acknowledged", time.Since(begun).Round(time.Second), d.name, b.all())
	}
	acknowledged(ams, 1, alerts)
	t.Logf("%s: all that fire are acknowledged", time.Since(begun).Round(time.Second))
	var over []alert
	for _, a := range alerts[firing*perGroup:] {
		over = append(over, a.resolved())
	}
	// Of the ends only one of the two hears; the other goes on saying that they fire.
	tell(ams[:1], over)
	acknowledged(ams[:1], 0.2, over)
	killed(c.holder())
	c.postgres.StopAtOnce()
	c.postgres.Restart()
	acknowledged(ams[:1], 1, over)
	require.NoError(t, <-written)
	t.Logf("%s: all is acknowledged; %d requests failed and were sent again", time.Since(begun).Round(time.Second), b.failed.Load())
	require.Positive(t, b.failed.Load(), "something was killed in the middle")

	settled := func(e servers.Exposition) error {
		for series, want := range map[string]int{
			"meantime_correlation_backlog":             0,
			`meantime_store_entries{kind="sightings"}`: groups * perGroup,
			`meantime_store_entries{kind="records"}`:   records,
		} {
			if e[series] != fmt.Sprint(want) {
				return fmt.Errorf("%s is %q, not %d", series, e[series], want)
			}
		}
		return nil
	}
	c.same(storm, settled)
	t.Logf("%s: all replicas show the same", time.Since(begun).Round(time.Second))

	// Everything acknowledged is there, and once.
	episodes := list(t, c.replicas[0], "episodes")
	require.Len(t, episodes, groups*perGroup)
	ended := map[string]time.Time{}
	for _, raw := range episodes {
		var e struct {
			Fingerprint string    `json:"fingerprint"`
			EndsAt      time.Time `json:"ends_at"`
		}
		require.NoError(t, json.Unmarshal(raw, &e))
		if _, twice := ended[e.Fingerprint]; twice {
			t.Fatalf("twice: %s", raw)
		}
		ended[e.Fingerprint] = e.EndsAt
	}
	b.mu.Lock()
	told := maps.Clone(b.told)
	b.mu.Unlock()
	for a, end := range told {
		got, ok := ended[a.fingerprint]
		if !ok || a.resolved && !got.Equal(end) {
			t.Fatalf("acknowledged and lost: %+v, with its end at %s", a, end)
		}
	}

	// The same facts, and nothing else, in a store of SQLite.
	dir := t.TempDir()
	copyFacts(t, c.dsn, "sqlite:"+dir+"/meantime.db")
	calm := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})
	servers.Eventually(t, storm, func() error {
		want, err := servers.Scrape(calm.URL)
		if err != nil {
			return err
		}
		got, err := servers.Scrape(c.replicas[1].URL)
		if err != nil {
			return err
		}
		if d := difference(want.Keep(figures), got.Keep(figures)); d != "" {
			return fmt.Errorf("the replicas do not show what one on SQLite does:\n%s", d)
		}
		return settled(want)
	})
	for _, what := range []string{"incidents", "episodes"} {
		want, got := list(t, calm, what), list(t, c.replicas[2], what)
		require.Equal(t, len(want), len(got), what)
		for i := range want {
			require.Equal(t, string(want[i]), string(got[i]))
		}
	}
	t.Logf("%s: one on SQLite makes the same of the same facts", time.Since(begun).Round(time.Second))
}

// figures are what is a function of the facts and the clock alone. The all-time histogram remembers what was shown.
func figures(series string) bool {
	return servers.OfAll(series) && !strings.HasPrefix(series, "meantime_interval_duration_seconds") &&
		!strings.HasPrefix(series, "meantime_interval_restatements_total")
}

// alert is an alert as Alertmanager's API takes it.
type alert struct {
	Labels   map[string]string `json:"labels"`
	StartsAt time.Time         `json:"startsAt"`
	EndsAt   time.Time         `json:"endsAt"`

	over time.Time // when it ends, where it does
}

func (a alert) resolved() alert {
	a.EndsAt = a.over
	return a
}

// manyAlerts are the alerts of all groups, each ten minutes from the next, over two days; none leaves a window while the test
// runs. Those of the first groups fire, the others lasted half an hour.
func manyAlerts(now time.Time) (all []alert) {
	for g := range groups {
		start := now.Add(-time.Duration(g+1) * 10 * time.Minute)
		for i := range perGroup {
			severity := "warning"
			if i == 0 {
				severity = "critical"
			}
			all = append(all, alert{
				Labels: map[string]string{
					"alertname": fmt.Sprintf("Errors%d", i%25), "service": fmt.Sprintf("service-%d", g%20), "instance": fmt.Sprintf("host-%d-%d", g, i),
					"severity": severity, "group": fmt.Sprint(g),
				},
				StartsAt: start.Add(time.Duration(i) * time.Second), EndsAt: now.Add(24 * time.Hour), over: start.Add(30 * time.Minute),
			})
		}
	}
	return all
}

// records is how many records people write, and reviews how many of them they review.
const (
	records = 40
	reviews = 10
)

// writeRecords writes records of some of the groups, and reviews of some of the records, and tries again where it must.
func writeRecords(url string, alerts []alert) error {
	for n := range records {
		start := alerts[(firing+5*n)*perGroup].StartsAt
		service := alerts[(firing+5*n)*perGroup].Labels["service"]
		err := send(http.MethodPut, fmt.Sprintf("%s/api/v1/records/ours/%d", url, n), map[string]any{
			"title": "Something broke", "services": []string{service}, "severity": "critical", "state": "resolved", "detected_by": "staff",
			"updated_at": start.Add(2 * time.Hour),
			"milestones": map[string]any{"started": start.Add(-5 * time.Minute), "detected": start.Add(time.Minute), "resolved": start.Add(time.Hour)},
		})
		if err != nil {
			return err
		}
		if n >= reviews {
			continue
		}
		err = send(http.MethodPost, url+"/api/v1/reviews", map[string]any{
			"id": fmt.Sprint("review ", n), "by": "ann", "reason": "The log says so", "action": "set_milestone",
			"incident": incident.RecordID(incident.RecordKey{Source: "ours", ID: fmt.Sprint(n)}), "milestone": "mitigated", "time": start.Add(40 * time.Minute),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// send sends something until it is taken.
func send(method, url string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(storm); ; time.Sleep(200 * time.Millisecond) {
		err := func() error {
			req, err := http.NewRequest(method, url, bytes.NewReader(text))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			answer, err := io.ReadAll(resp.Body)
			if err == nil && resp.StatusCode/100 != 2 {
				err = fmt.Errorf("%s %s: status %d: %s", method, url, resp.StatusCode, answer)
			}
			return err
		}()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func post(t *testing.T, url string, body any) {
	t.Helper()
	require.NoError(t, send(http.MethodPost, url, body))
}

// balancer spreads requests over replicas as a load balancer does, and remembers which alerts were acknowledged to whom.
type balancer struct {
	url     string
	next    atomic.Int64
	failed  atomic.Int64
	proxies []string
	client  *http.Client

	mu   sync.Mutex
	told map[notified]time.Time // the ends of those resolved
}

// notified is one alert of one Alertmanager.
type notified struct {
	alertmanager, group, instance, fingerprint string
	resolved                                   bool
}

func newBalancer(t *testing.T, replicas []*servers.MeantimeServer) *balancer {
	b := &balancer{told: map[notified]time.Time{}, client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	for _, m := range replicas {
		b.proxies = append(b.proxies, m.URL)
	}
	s := httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(s.Close)
	b.url = s.URL
	return b
}

func (b *balancer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status, answer := b.forward(r, body)
	if status/100 == 2 && r.URL.Path == "/webhook/alertmanager" {
		b.remember(body)
	} else if status >= 500 {
		b.failed.Add(1)
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// forward asks the next replica, and the one after it where nobody listens there.
func (b *balancer) forward(r *http.Request, body []byte) (int, []byte) {
	for range b.proxies {
		to := b.proxies[int(b.next.Add(1))%len(b.proxies)]
		req, err := http.NewRequestWithContext(r.Context(), r.Method, to+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			return http.StatusBadGateway, []byte(err.Error())
		}
		req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
		resp, err := b.client.Do(req)
		if errors.Is(err, syscall.ECONNREFUSED) {
			continue
		}
		if err != nil {
			return http.StatusBadGateway, []byte(err.Error()) // whether it was taken nobody knows
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			return http.StatusBadGateway, []byte(err.Error())
		}
		return resp.StatusCode, answer
	}
	return http.StatusBadGateway, nil
}

// remember notes the alerts of a notification that was acknowledged.
func (b *balancer) remember(body []byte) {
	var n struct {
		ExternalURL string          `json:"externalURL"`
		Alerts      []servers.Alert `json:"alerts"`
	}
	if json.Unmarshal(body, &n) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range n.Alerts {
		b.told[notified{n.ExternalURL, a.Labels["group"], a.Labels["instance"], a.Fingerprint, a.Status == "resolved"}] = a.EndsAt.UTC()
	}
}

// count is how many of the alerts, fire they or are over, were acknowledged to an Alertmanager.
func (b *balancer) count(alertmanager string, alerts []alert) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[[2]string]bool{}
	for k := range b.told {
		if k.alertmanager == alertmanager {
			seen[[2]string{k.instance, fmt.Sprint(k.resolved)}] = true
		}
	}
	for _, a := range alerts {
		if seen[[2]string{a.Labels["instance"], fmt.Sprint(a.EndsAt.Equal(a.over))}] {
			n++
		}
	}
	return n
}

// all is how many alerts were acknowledged.
func (b *balancer) all() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := map[string]bool{}
	for k := range b.told {
		seen[k.fingerprint] = true
	}
	return len(slices.Collect(maps.Keys(seen)))
}

// list reads a list of the API as it is written.
func list(t *testing.T, m *servers.MeantimeServer, what string) []json.RawMessage {
	t.Helper()
	all, err := servers.List[json.RawMessage](m, what)
	require.NoError(t, err)
	return all
}

// copyFacts brings all facts of a store, as they are, into a new one.
func copyFacts(t *testing.T, from, to string) {
	t.Helper()
	ctx := t.Context()
	source, err := sqlstore.Open(ctx, from, sqlstore.Options{ReadOnly: true})
	require.NoError(t, err)
	defer source.Close()
	target, err := sqlstore.Open(ctx, to, sqlstore.Options{})
	require.NoError(t, err)
	defer target.Close()
	var f incident.Facts
	f.Records, err = source.RecordPage(ctx, "", incident.RecordKey{}, 1000)
	require.NoError(t, err)
	f.Reviews, err = source.Reviews(ctx)
	require.NoError(t, err)
	f.Lives, f.Senders, err = source.Reach(ctx) // who listened, and to whom, is a fact as well
	require.NoError(t, err)
	_, err = target.Put(ctx, f, time.Now())
	require.NoError(t, err)
	sightings, err := source.Sightings(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	for part := range slices.Chunk(sightings, 5000) {
		_, err := target.Put(ctx, incident.Facts{Sightings: part}, time.Now())
		require.NoError(t, err)
	}
}
