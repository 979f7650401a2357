package webhook

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

const eventCreated = `{"@timestamp":"2026-03-01T10:00:00.200Z","instance":"am-0","data":{"alertCreated":{"alert":{"fingerprint":"13976535140508350437","name":"Down",
 "labels":{"labels":[{"key":"alertname","value":"Down"},{"key":"instance","value":"db-1"}]},"annotations":{},"startsAt":"2026-03-01T10:00:00.123Z","endsAt":"2026-03-01T10:04:00.123Z"}}}}`

// lines reads a file of testdata. The files hold what Alertmanager 0.34.2 sent when three alerts fired (Boss, which
// inhibits Small, and Down), Down was silenced after its notification and Boss resolved.
func lines(t *testing.T, name string) []string {
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

// word is the first word of the Alertmanager that wrote the recorded events.
func word(stamp string) incident.Word {
	return incident.Word{At: at(stamp), By: incident.NewSender("events of vm", "", time.Time{}).Key, Kind: incident.WordFirst}
}

func TestRecordedEvents(t *testing.T) {
	recorded := lines(t, "events-0.34.2.jsonl")
	c := &clock{t: at("2026-11-21T21:27:00Z")}
	reg := prometheus.NewRegistry()
	m := newMemory()
	h := New(Options{Store: m, Now: c.now, Metrics: NewMetrics(reg)}).Events()
	for _, e := range recorded {
		w := post(h, e)
		require.Equal(t, 200, w.Code, w.Body)
	}
	start := at("2026-11-21T21:26:42.058827234Z")
	group := func(alert string) []string { return []string{fmt.Sprintf(`{}:{alertname=%q}`, alert)} }
	boss := map[string]string{"alertname": "Boss", "cluster": "a"}
	small := map[string]string{"alertname": "Small", "cluster": "a"}
	db := map[string]string{"alertname": "Down", "instance": "db-1"}
	want := map[string]incident.Sighting{
		"80050750ae57f318": {
			Labels: boss, GroupKeys: group("Boss"), FiringLast: at("2026-11-21T21:26:43.063526698Z"), EndsAt: at("2026-11-21T21:26:50Z"),
			EndToldAt: at("2026-11-21T21:26:50.789900322Z"),
			Word:      word("2026-11-21T21:26:43.063526698Z"), // not 21:26:51, which told the end
		},
		"9706f6e226c4ade9": {
			Labels: db, Annotations: map[string]string{"summary": "s"}, GroupKeys: group("Down"), FiringLast: at("2026-11-21T21:26:43.065024362Z"),
			Word:  word("2026-11-21T21:26:43.065024362Z"),
			Mutes: []incident.Mute{{By: "027a7fca-c65f-4aa6-80c7-929e88d69d90", At: at("2026-11-21T21:26:47.062443159Z")}},
		},
		"bb46959aab8fb440": {
			Labels: small, GroupKeys: group("Small"), FiringLast: at("2026-11-21T21:26:51.071713927Z"),
			Word: word("2026-11-21T21:26:51.071713927Z"), Mutes: []incident.Mute{{At: at("2026-11-21T21:26:43.060317156Z")}},
		},
	}
	require.Len(t, m.sightings, 3)
	for k, got := range m.sightings {
		s := want[k.Fingerprint]
		s.Fingerprint, s.StartsAt, s.ToldAt = k.Fingerprint, start, start
		require.Equal(t, s, got)
	}
	silence := incident.Silence{
		ID: "027a7fca-c65f-4aa6-80c7-929e88d69d90", Matchers: []incident.SilenceMatcher{{Name: "alertname", Value: "Down|X", IsRegex: true, IsEqual: true}},
		StartsAt: at("2026-11-21T21:26:45.086662704Z"), EndsAt: at("2026-11-21T22:26:45Z"), CreatedAt: at("2026-11-21T21:26:45.086662704Z"), UpdatedAt: at("2026-11-21T21:26:45.086662704Z"),
		CreatedBy: "me", Comment: "known",
	}
	require.Equal(t, map[string]incident.Silence{silence.ID: silence}, m.silences)
	require.Equal(t, map[string]float64{
		"alertmanager_startup_event": 1, "alertmanager_shutdown_event": 1, "alert_created": 3, "alert_grouped": 4, "alert_resolved": 1,
		"notification": 4, "silence_created": 1, "silence_muted_alert": 5, "inhibition_muted_alert": 4,
	}, counters(t, reg, "meantime_webhook_events_total", "type"))

	// The same in one array, twice over, and in any order after the alerts are known.
	known := slices.IndexFunc(recorded, func(s string) bool { return strings.Contains(s, "inhibitionMutedAlert") })
	for seed := range uint64(20) {
		again := newMemory()
		h := New(Options{Store: again, Now: c.now}).Events()
		require.Equal(t, 200, post(h, "["+strings.Join(recorded[:known], ",")+"]").Code)
		rest := slices.Concat(recorded[known:], recorded[known:])
		rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
		for part := range slices.Chunk(rest, 7) {
			require.Equal(t, 200, post(h, "["+strings.Join(part, ",")+"]").Code)
		}
		require.Equal(t, m.sightings, again.sightings)
		require.Equal(t, m.silences, again.silences)
	}
}

// Events and notifications of the same alerts come together to the same sightings, whichever comes first.
func TestEventsWithNotifications(t *testing.T) {
	c := &clock{t: at("2026-11-21T21:26:52Z")}
	var got []map[incident.EpisodeKey]incident.Sighting
	for _, order := range []string{"events first", "notifications first"} {
		m := newMemory()
		reg := prometheus.NewRegistry()
		r := New(Options{Store: m, Now: c.now, Metrics: NewMetrics(reg)})
		events := func() {
			for _, e := range lines(t, "events-0.34.2.jsonl") {
				require.Equal(t, 200, post(r.Events(), e).Code)
			}
		}
		if order == "events first" {
			events()
		}
		for _, n := range lines(t, "notifications-0.34.2.jsonl") {
			require.Equal(t, 200, post(r.Alertmanager(), n).Code)
		}
		if order != "events first" {
			events()
		}
		last := "resolved"
		if order == "events first" {
			last = "repeated" // an event told the end before
		}
		require.Equal(t, map[string]float64{"new": 3, last: 1}, counters(t, reg, "meantime_webhook_merges_total", "kind"), order)
		got = append(got, m.sightings)
	}
	require.Equal(t, got[0], got[1])
	for _, s := range got[0] {
		require.Equal(t, []string{"http://vm:19094"}, s.Alertmanagers)
		require.Equal(t, c.t, s.ToldAt, "what a notification says about labels outranks an event")
		if s.Labels["alertname"] == "Down" {
			require.Equal(t, "http://p/g", s.GeneratorURL, "which events do not carry")
			require.Equal(t, at("2026-11-21T21:26:43.065024362Z"), s.Word.At, "when it went out, not when it came in")
		}
	}
}

func TestEventStatuses(t *testing.T) {
	alert := func(s string) string {
		return strings.Replace(eventCreated, `"startsAt":"2026-03-01T10:00:00.123Z"`, s, 1)
	}
	muted := `{"@timestamp":"2026-03-01T10:00:05Z","data":{"silenceMutedAlert":{"silence":{"id":"s1","updatedAt":"2026-03-01T10:00:01Z"},"mutedAlert":{"fingerprint":"13976535140508350437"}}}}`
	tests := []struct {
		name, body string
		status     int
		detail     string
		stored     int
	}{
		{"one", eventCreated, 200, `{"taken":1,"refused":0}`, 1},
		{"a list", "[" + eventCreated + "," + eventCreated + "]", 200, `{"taken":2,"refused":0}`, 1},
		{"an empty list", "[]", 200, `{"taken":0,"refused":0}`, 0},
		{"a later version's event", `{"@timestamp":"2026-03-01T10:00:00Z","new":1,"data":{"alertSnoozed":{"alert":{}}}}`, 200, `{"taken":1,"refused":0}`, 0},
		{"a mute of nothing known", muted, 200, `{"taken":1,"refused":0}`, 0},
		{"a mute with its alert", "[" + muted + "," + eventCreated + "]", 200, `{"taken":2,"refused":0}`, 1},
		{"not JSON", `{"data":`, 400, "not JSON: unexpected end of JSON input, at byte 8", 0},
		{"nothing", ``, 400, "not JSON: unexpected end of JSON input, at byte 0", 0},
		{"a text", `"x"`, 400, "a JSON string where an event or a list of events belongs", 0},
		{"no start", alert(`"x":1`), 400, "[0].data.alertCreated.alert.startsAt: missing or out of range", 0},
		{"no labels", strings.Replace(eventCreated, `{"labels":[{"key":"alertname","value":"Down"},{"key":"instance","value":"db-1"}]}`, `{}`, 1), 400, "[0].data.alertCreated.alert.labels: missing; they are what an alert is", 0},
		{"one bad of two", "[1," + eventCreated + "]", 200, "", 1},
		{"too many", "[" + strings.Repeat("{},", 50) + "{}]", 413, "more than the 50 events allowed", 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := newMemory()
			w := post(New(Options{Store: m, MaxAlerts: 50}).Events(), tc.body)
			require.Equal(t, tc.status, w.Code, w.Body)
			require.Len(t, m.sightings, tc.stored)
			switch {
			case tc.status != 200:
				requireProblem(t, w, tc.status, tc.detail)
			case tc.detail != "":
				require.JSONEq(t, tc.detail, w.Body.String())
			default:
				require.Contains(t, w.Body.String(), `"taken":1,"refused":1,"errors":[{"path":"[0]","message":"not an event:`)
			}
		})
	}
}

// An event's own time counts, unless it lies ahead or is none.
func TestEventTimes(t *testing.T) {
	c := &clock{t: at("2026-03-01T10:10:00Z")}
	for stamp, want := range map[string]string{
		`"2026-03-01T10:00:00.200Z"`: "2026-03-01T10:00:00.200Z",
		`"2026-03-01T10:30:00Z"`:     "2026-03-01T10:10:00Z",
		`"0001-01-01T00:00:00Z"`:     "2026-03-01T10:10:00Z",
		`null`:                       "2026-03-01T10:10:00Z",
	} {
		m := newMemory()
		w := post(New(Options{Store: m, Now: c.now}).Events(), strings.Replace(eventCreated, `"2026-03-01T10:00:00.200Z"`, stamp, 1))
		require.Equal(t, 200, w.Code, w.Body)
		for _, s := range m.sightings {
			require.Equal(t, at(want), s.FiringLast, stamp)
		}
	}
}

// Alertmanager says a mute again at every flush of the group: that changes nothing.
func TestRepeatedMutes(t *testing.T) {
	m, c := newMemory(), &clock{t: at("2026-11-21T21:27:00Z")}
	h := New(Options{Store: m, Now: c.now}).Events()
	recorded := lines(t, "events-0.34.2.jsonl")
	for _, e := range recorded {
		post(h, e)
	}
	before, silences := maps.Clone(m.sightings), maps.Clone(m.silences)
	for _, e := range recorded {
		if strings.Contains(e, "MutedAlert") {
			require.Equal(t, 200, post(h, e).Code)
		}
	}
	require.Equal(t, before, m.sightings)
	require.Equal(t, silences, m.silences)
}

// TestMutesBeforeTheirAlert tells events of one alert in every order: that an alert is muted may be told before it is.
func TestMutesBeforeTheirAlert(t *testing.T) {
	labels := `"labels":{"labels":[{"key":"alertname","value":"Q"}]}`
	alert := labels + `,"startsAt":"2026-03-01T10:00:00Z"`
	event := func(at, data string) string {
		return fmt.Sprintf(`{"@timestamp":"2026-03-01T%sZ","data":{%s}}`, at, data)
	}
	all := []string{
		event("10:00:05", `"alertCreated":{"alert":{`+alert+`}}`),
		event("10:00:10", `"silenceMutedAlert":{"silence":{"id":"s1","startsAt":"2026-03-01T09:00:00Z","endsAt":"2026-03-01T20:00:00Z"},"mutedAlert":{`+labels+`}}`),
		event("10:00:20", `"inhibitionMutedAlert":{"mutedAlert":{`+labels+`}}`),
		event("11:00:05", `"alertResolved":{"alert":{"details":{`+alert+`,"resolved":true,"endsAt":"2026-03-01T11:00:00Z"}}}`),
	}
	var first []incident.Episode
	for n, order := range orders(len(all)) {
		m := newMemory()
		reg := prometheus.NewRegistry()
		h := New(Options{Store: m, Now: func() time.Time { return at("2026-03-01T11:00:06Z") }, Metrics: NewMetrics(reg)}).Events()
		known, waits := false, 0.0
		for _, i := range order {
			require.Equal(t, 200, post(h, all[i]).Code)
			if known = known || i == 0 || i == 3; !known {
				waits++
			}
		}
		got := m.episodes(at("2026-03-01T12:00:00Z"))
		require.Len(t, got, 1)
		if n == 0 {
			require.Equal(t, at("2026-03-01T10:00:10Z"), got[0].SilencedAt)
			require.Equal(t, []string{"s1"}, got[0].SilencedBy)
			require.Equal(t, at("2026-03-01T10:00:20Z"), got[0].InhibitedAt)
			first = got
		}
		require.Equal(t, first, got, order)
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(fmt.Sprintf(`
# HELP meantime_webhook_mutes_kept_total Silences and inhibitions told before their alert, kept for it; those whose alert never came are refused as unknown_alert.
# TYPE meantime_webhook_mutes_kept_total counter
meantime_webhook_mutes_kept_total %v
`, waits)), "meantime_webhook_mutes_kept_total"))
	}
}

// orders are all orders of n things, the usual first.
func orders(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, o := range orders(n - 1) {
		for i := len(o); i >= 0; i-- {
			all = append(all, slices.Insert(slices.Clone(o), i, n-1))
		}
	}
	return all
}

func FuzzEvents(f *testing.F) {
	b, err := os.ReadFile("testdata/events-0.34.2.jsonl")
	require.NoError(f, err)
	for l := range strings.Lines(string(b)) {
		f.Add(l)
	}
	f.Add("[{}," + eventCreated + "]")
	f.Fuzz(func(t *testing.T, body string) { fuzz(t, body, (*Receiver).Events) })
}

func FuzzNotification(f *testing.F) {
	b, err := os.ReadFile("testdata/notifications-0.34.2.jsonl")
	require.NoError(f, err)
	for l := range strings.Lines(string(b)) {
		f.Add(l)
	}
	f.Add(body("http://am-0", alert("firing", down, start, year1, fp), alert("resolved", down, year1, year1, "")))
	f.Fuzz(func(t *testing.T, body string) { fuzz(t, body, (*Receiver).Alertmanager) })
}
