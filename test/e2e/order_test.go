package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestAnyOrder tells the same notifications, events, records and reviews in order and in random orders, some of them twice, over
// several runs of the program of which each ends by SIGKILL. /metrics, incidents and episodes must be the same to the byte, but
// for what tellsTheWay names.
// MEANTIME_ORDERS asks for more orders than the usual two, MEANTIME_SEED for those of a run before.
func TestAnyOrder(t *testing.T) {
	t.Parallel()
	orders, seed := 2, rand.Uint64()
	if n, err := strconv.Atoi(os.Getenv("MEANTIME_ORDERS")); err == nil {
		orders = n
	}
	if n, err := strconv.ParseUint(os.Getenv("MEANTIME_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("MEANTIME_SEED=%d", seed)
	base := time.Now().UTC().Truncate(time.Hour).AddDate(0, 0, -6)
	lines, posts := pastWork(rand.New(rand.NewPCG(seed, 0)), base)
	want := playedIn(t, [][]string{lines}, [][]post{posts})
	require.Contains(t, want[1], `"state":"linked"`)
	require.Contains(t, want[2], "silenced_at")
	require.Contains(t, want[2], "inhibited_at")
	for n := range orders {
		r := rand.New(rand.NewPCG(seed, uint64(n+1)))
		got := playedIn(t, shuffled(r, lines), shuffled(r, posts))
		for i, what := range []string{"/metrics", "incidents", "episodes"} {
			if got[i] != want[i] {
				a, b := strings.Split(want[i], "\n"), strings.Split(got[i], "\n")
				k := 0
				for k < min(len(a), len(b)) && a[k] == b[k] {
					k++
				}
				t.Fatalf("order %d of MEANTIME_SEED=%d: %s are otherwise:\n%.1500s\n%.1500s", n+1, seed, what, strings.Join(a[k:], "\n"), strings.Join(b[k:], "\n"))
			}
		}
	}
}

// tellsTheWay are the families that tell of the way to the facts, not of the facts.
var tellsTheWay = regexp.MustCompile(`^(` + strings.Join([]string{
	"(go|process|promhttp)_.*",                              // this process
	"meantime_config_last_reload_success_timestamp_seconds", // when it started
	"meantime_api_request(s_total|_duration_seconds.*)",     // what it was asked, by this test as well
	"meantime_correlation_pass_duration_seconds.*",          // how long what takes
	"meantime_correlation_(episodes|incidents)_total",       // how much of it was worked out after the last kill
	"meantime_store_(operation|transaction)(s_total|_\\w+)", // what was read and written since
	// Counted once in a while, and not before: what there is of them, the lists of incidents and episodes show as well.
	"meantime_(store_(entries|size_bytes)|correlation_backlog|external_url_info)",
	"meantime_(availability|error_budget|incident_rate|time_between)_.*", // of the time watched until now
	"meantime_interval_(duration_seconds_\\w+|restatements_total)",       // the all-time histogram keeps what once was right
}, "|") + `)$`)

// post is a request with its body.
type post struct{ method, path, body string }

// pastWork is a made-up past: lines of an archive (notifications and records), and what can only be posted (events and reviews).
func pastWork(r *rand.Rand, base time.Time) (lines []string, posts []post) {
	stamp := func(t time.Time) string { return t.Format(time.RFC3339) }
	line := func(at time.Time, what string) { lines = append(lines, fmt.Sprintf(`{"at":%q,%s}`, stamp(at), what)) }
	event := func(at time.Time, data string) {
		posts = append(posts, post{"POST", "/webhook/alertmanager/events", fmt.Sprintf(`{"@timestamp":%q,"instance":"am","data":{%s}}`, stamp(at), data)})
	}
	for i := range 40 {
		service := fmt.Sprint("s", i%4)
		name := fmt.Sprintf("%s%d", []string{"Errors", "Slow", "Full"}[i%3], i%6)
		fired := base.Add(time.Duration(i)*2*time.Hour + time.Duration(r.IntN(3600))*time.Second)
		alert := servers.Firing(name, service, fired)
		if i%3 == 0 {
			alert.Labels["severity"] = "warning"
		}
		line(fired.Add(time.Duration(10+r.IntN(1800))*time.Second), `"body":`+string(servers.Notification(alert)))
		end := fired.Add(40 * time.Minute)
		line(end.Add(10*time.Second), `"body":`+string(servers.Notification(alert.Resolved(end))))
		if i%4 == 0 {
			milestones := map[string]any{"started": fired.Add(-time.Minute), "detected": fired.Add(5 * time.Minute)}
			for k := range 2 {
				record, _ := json.Marshal(map[string]any{"id": fmt.Sprint(i), "title": "Trouble", "services": []string{service}, "severity": "critical", "milestones": milestones, "state": []string{"open", "resolved"}[k]})
				line(fired.Add(time.Duration(k+1)*time.Hour), `"source":"ours","record":`+string(record))
				milestones["resolved"] = fired.Add(50 * time.Minute)
			}
			id := "r-" + fmt.Sprint(i)
			posts = append(posts, post{"POST", "/api/v1/reviews", fmt.Sprintf(`{"id":%q,"at":%q,"by":"ada","action":"set_milestone","incident":"INCIDENT %d","milestone":"acknowledged","time":%q}`,
				id, stamp(end.Add(time.Hour)), i, stamp(fired.Add(8*time.Minute)))})
		}
		pairs := func(l map[string]string) string {
			var p []string
			for _, k := range []string{"alertname", "service", "severity"} {
				p = append(p, fmt.Sprintf(`{"key":%q,"value":%q}`, k, l[k]))
			}
			return `"labels":{"labels":[` + strings.Join(p, ",") + `]}`
		}(alert.Labels)
		event(fired.Add(time.Second), fmt.Sprintf(`"alertCreated":{"alert":{%s,"startsAt":%q}}`, pairs, stamp(fired)))
		if i%2 == 0 {
			event(fired.Add(5*time.Minute), fmt.Sprintf(`"silenceMutedAlert":{"silence":{"id":"q%d","createdBy":"ada","updatedAt":%q,"startsAt":%q,"endsAt":%q,"matchers":[{"name":"alertname","pattern":"%s"}]},"mutedAlert":{%s}}`,
				i, stamp(fired.Add(4*time.Minute)), stamp(fired.Add(4*time.Minute)), stamp(end), name, pairs))
		} else {
			event(fired.Add(6*time.Minute), fmt.Sprintf(`"inhibitionMutedAlert":{"mutedAlert":{%s}}`, pairs))
		}
	}
	return lines, posts
}

// shuffled are some things in random order, a fifth of them twice, in three parts.
func shuffled[T any](r *rand.Rand, list []T) (parts [][]T) {
	all := slices.Concat(list, list[:len(list)/5])
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	a, b := len(all)/5+r.IntN(len(all)/4), len(all)/2+r.IntN(len(all)/4)
	return [][]T{all[:a], all[a:b], all[b:]}
}

// recordIncident is the id of the incident of a record.
func recordIncident(id string) string {
	h := sha256.Sum256([]byte("record\x00ours\x00" + id))
	return "r" + hex.EncodeToString(h[:8])
}

// playedIn tells everything, each part in a run of its own, and gives figures, incidents and episodes as they are then.
func playedIn(t *testing.T, lines [][]string, posts [][]post) [3]string {
	t.Helper()
	dir := t.TempDir()
	const config = "windows: [36500d]\nsources: []\ncorrelate: {open: {matchers: ['severity=\"critical\"']}}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "meantime.yml"), []byte(config), 0o644))
	var later []post
	for i := range lines {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a.jsonl"), []byte(strings.Join(lines[i], "\n")), 0o644))
		m := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})
		for _, p := range posts[i] {
			if at := strings.Index(p.body, "INCIDENT "); at >= 0 { // whose id follows from its record's
				n, _, _ := strings.Cut(p.body[at+len("INCIDENT "):], `"`)
				p.body = strings.Replace(p.body, "INCIDENT "+n, recordIncident(n), 1)
			}
			status, answer, err := m.Do(p.method, p.path, p.body)
			require.NoError(t, err)
			if status == 404 || status == 503 { // a review of what is not there yet is refused, and so sent again later
				require.Contains(t, p.path, "reviews", "%s", answer)
				later = append(later, p)
				continue
			}
			require.Equal(t, 2, status/100, "%s", answer)
		}
		m.Kill()
		status, log := servers.MeantimeRun(t, dir, "replay", "--config.file=meantime.yml", "a.jsonl")
		require.Zero(t, status, log)
	}
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, Dir: dir})
	defer m.Kill()
	servers.Eventually(t, soon, func() error { // an incident is there once it is correlated
		for len(later) > 0 {
			if status, answer, err := m.Do(later[0].method, later[0].path, later[0].body); err != nil || status/100 != 2 {
				return fmt.Errorf("%d %s: %w", status, answer, err)
			}
			later = later[1:]
		}
		return nil
	})
	var last [3]string
	servers.Eventually(t, soon, func() error {
		time.Sleep(time.Second)
		in, err := servers.List[json.RawMessage](m, "incidents")
		if err != nil {
			return err
		}
		ep, err := servers.List[json.RawMessage](m, "episodes")
		if err != nil {
			return err
		}
		text := func(l []json.RawMessage) string {
			b, _ := json.MarshalIndent(l, "", " ")
			return strings.ReplaceAll(string(b), `": "`, `":"`)
		}
		e := scrape(t, m, func(family string) bool { return !tellsTheWay.MatchString(family) })
		var series []string
		for k, v := range e {
			series = append(series, k+" "+v)
		}
		slices.Sort(series)
		next := [3]string{strings.Join(series, "\n"), text(in), text(ep)}
		if next != last {
			last = next
			return fmt.Errorf("it still changes")
		}
		return nil
	})
	return last
}
