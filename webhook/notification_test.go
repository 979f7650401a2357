package webhook

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

// alert is one alert of a body, as Alertmanager writes it.
func alert(status, labels, startsAt, endsAt, fingerprint string) string {
	return fmt.Sprintf(`{"status":%q,"labels":%s,"annotations":{"summary":"s"},"startsAt":%q,"endsAt":%q,"generatorURL":"http://prom:9090/graph","fingerprint":%q}`,
		status, labels, startsAt, endsAt, fingerprint)
}

// body is a message as Alertmanager writes it.
func body(am string, alerts ...string) string {
	return fmt.Sprintf(`{"receiver":"meantime","status":"firing","alerts":[%s],"groupLabels":{"alertname":"Down"},"commonLabels":{},"commonAnnotations":{},`+
		`"externalURL":%q,"version":"4","groupKey":"{}:{alertname=\"Down\"}","truncatedAlerts":0}`, strings.Join(alerts, ","), am)
}

const (
	year1 = "0001-01-01T00:00:00Z"
	fp    = "c1f6a0a8d0c3b7e5"
	down  = `{"alertname":"Down","instance":"db-1"}`
	start = "2026-03-01T10:00:00.123Z"
)

// step is one delivery in a test's timeline.
type step struct {
	received string
	body     string
}

func TestEpisodes(t *testing.T) {
	firing := body("http://am-0", alert("firing", down, start, year1, fp))
	pair := body("http://am-1", alert("firing", down, start, year1, fp))
	resolved := body("http://am-0", alert("resolved", down, start, "2026-03-01T10:07:00.123Z", fp))
	tests := []struct {
		name  string
		steps []step
		kinds string // of all merges, in order
		want  []incident.Episode
	}{
		{
			"one alert", []step{{"2026-03-01T10:00:30Z", firing}}, "new",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z")}},
		}, {
			"repeats and the other of a pair",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:00:31Z", pair}, {"2026-03-01T11:00:30Z", firing}, {"2026-03-01T11:00:31Z", pair}},
			"new duplicate repeated repeated",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z")}},
		}, {
			"resolved, told twice",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:12:00Z", resolved}, {"2026-03-01T10:12:00Z", resolved}},
			"new resolved repeated",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z"), EndsAt: at("2026-03-01T10:07:00.123Z"), End: incident.EndResolved}},
		}, {
			"the firing after its resolved",
			[]step{{"2026-03-01T10:12:00Z", resolved}, {"2026-03-01T10:12:05Z", firing}}, "new late",
			[]incident.Episode{{StartsAt: at(start), EndsAt: at("2026-03-01T10:07:00.123Z"), End: incident.EndResolved}},
		}, {
			"a replica's other start",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:00:40Z", body("http://am-0", alert("firing", down, "2026-03-01T10:00:15.987Z", year1, fp))}}, "new new",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z")}},
		}, {
			"it fires again",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:12:00Z", resolved}, {"2026-03-01T10:21:00Z", body("http://am-0", alert("firing", down, "2026-03-01T10:20:00Z", year1, fp))}},
			"new resolved new",
			[]incident.Episode{
				{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z"), EndsAt: at("2026-03-01T10:07:00.123Z"), End: incident.EndResolved},
				{StartsAt: at("2026-03-01T10:20:00Z"), NotifiedAt: at("2026-03-01T10:21:00Z")},
			},
		}, {
			"a start of the year 1 begins at the receipt",
			[]step{{"2026-03-01T10:00:30Z", body("http://am-0", alert("firing", down, year1, year1, fp))}, {"2026-03-01T10:05:30Z", body("http://am-0", alert("firing", down, "0001-01-01T00:00:00+01:00", year1, fp))}},
			"new repeated",
			[]incident.Episode{{StartsAt: at("2026-03-01T10:00:30Z"), NotifiedAt: at("2026-03-01T10:00:30Z")}},
		}, {
			"a resolved without its end ends when it was first received",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:12:00Z", body("http://am-0", alert("resolved", down, start, year1, fp))}, {"2026-03-01T10:14:00Z", body("http://am-0", alert("resolved", down, start, year1, fp))}},
			"new resolved repeated",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z"), EndsAt: at("2026-03-01T10:12:00Z"), End: incident.EndResolved}},
		}, {
			"a resolved whose end is not a time, or lies ahead, likewise",
			[]step{{"2026-03-01T10:00:30Z", body("http://am-0", alert("resolved", down, start, "soon", fp), alert("resolved", down, start, "2063-01-01T00:00:00Z", fp))}}, "new repeated",
			[]incident.Episode{{StartsAt: at(start), EndsAt: at("2026-03-01T10:00:30Z"), End: incident.EndResolved}},
		}, {
			"the forecast of a firing alert is no end, wherever it lies",
			[]step{{"2026-03-01T10:10:30Z", body("http://am-0", alert("firing", down, start, "2026-03-01T10:25:00Z", fp), alert("firing", down, start, "2026-03-01T10:05:00Z", fp))}}, "new repeated",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:10:30Z")}},
		}, {
			"other offsets are the same moment",
			[]step{{"2026-03-01T10:00:30Z", firing}, {"2026-03-01T10:01:30Z", body("http://am-0", alert("firing", down, "2026-03-01T05:00:00.123-05:00", year1, fp))}}, "new repeated",
			[]incident.Episode{{StartsAt: at(start), NotifiedAt: at("2026-03-01T10:00:30Z")}},
		}, {
			"a repeat that says it is one is not the first notification",
			[]step{{"2026-03-01T14:00:30Z", strings.Replace(firing, `"version"`, `"notification_reason":"repeat interval elapsed","version"`, 1)}}, "new",
			[]incident.Episode{{StartsAt: at(start)}},
		}, {
			"no status in the alert: the message's, then its end's",
			[]step{{"2026-03-01T10:12:00Z", strings.NewReplacer(`"status":"",`, "").Replace(body("http://am-0", alert("", down, start, "2026-03-01T10:07:00.123Z", fp)))}}, "new",
			[]incident.Episode{{StartsAt: at(start), EndsAt: at("2026-03-01T10:07:00.123Z"), End: incident.EndResolved}},
		},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m, c := newMemory(), &clock{}
			reg := prometheus.NewRegistry()
			h := New(Options{Store: m, Now: c.now, Metrics: NewMetrics(reg)}).Alertmanager()
			want := map[string]float64{}
			for _, s := range tc.steps {
				c.t = at(s.received)
				w := post(h, s.body)
				require.Equal(t, 200, w.Code, w.Body)
			}
			for _, k := range strings.Fields(tc.kinds) {
				want[k]++
			}
			require.Equal(t, want, counters(t, reg, "meantime_webhook_merges_total", "kind"))
			got := m.episodes(c.t)
			require.Len(t, got, len(tc.want))
			for i, e := range got {
				require.Equal(t, fp, e.Fingerprint)
				require.Equal(t, map[string]string{"alertname": "Down", "instance": "db-1"}, e.Labels)
				require.Equal(t, tc.want[i], incident.Episode{StartsAt: e.StartsAt, NotifiedAt: e.NotifiedAt, EndsAt: e.EndsAt, End: e.End})
			}
		})
	}
}

// counters reads the values of a counter that are not 0, by one label.
func counters(t *testing.T, g prometheus.Gatherer, name, label string) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	require.NoError(t, err)
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == label && m.GetCounter().GetValue() != 0 {
					out[l.GetValue()] += m.GetCounter().GetValue()
				}
			}
		}
	}
	return out
}

func TestSightingOfAnAlert(t *testing.T) {
	m, c := newMemory(), &clock{t: at("2026-03-01T10:00:30Z")}
	h := New(Options{Store: m, Now: c.now}).Alertmanager()
	long := strings.Repeat("ä", 3000) // 6,000 bytes
	w := post(h, mustJSON(map[string]any{
		"version": "4", "groupKey": "{}:{}", "externalURL": "http://am-0", "notification_reason": "first notification", "routeLabels": map[string]string{"team": "a"}, "news": []int{1},
		"alerts": []any{map[string]any{
			"status": "firing", "labels": map[string]string{"alertname": "Zahlung hängt", "регион": "север", "emoji": "🔥", "nul": "a\x00b"},
			"annotations": map[string]string{"long": long, "описание": "задержка", strings.Repeat("n", 300): "dropped"},
			"startsAt":    "2026-03-01T12:00:00+02:00", "endsAt": year1, "generatorURL": "http://prom/graph", "fingerprint": "C1F6A0A8D0C3B7E5",
		}},
	}))
	require.Equal(t, 200, w.Code, w.Body)
	require.JSONEq(t, `{"taken":1,"refused":0}`, w.Body.String())
	got := m.sightings[incident.EpisodeKey{Fingerprint: fp, StartsAt: at("2026-03-01T10:00:00Z")}]
	require.Equal(t, incident.Sighting{
		Fingerprint: fp, StartsAt: at("2026-03-01T10:00:00Z"), FiringFirst: c.t, FiringLast: c.t, ToldAt: c.t,
		Word:         incident.Word{At: c.t, By: incident.NewSender("http://am-0", "{}:{}", c.t).Key, Kind: incident.WordFirst},
		Labels:       map[string]string{"alertname": "Zahlung hängt", "регион": "север", "emoji": "🔥", "nul": "a\uFFFDb"},
		Annotations:  map[string]string{"long": long[:4096] + "…", "описание": "задержка"},
		GeneratorURL: "http://prom/graph", GroupKeys: []string{"{}:{}"}, Alertmanagers: []string{"http://am-0"},
	}, got)
}

func TestFingerprint(t *testing.T) {
	require.Equal(t, "c1f6a0a8d0c3b7e5", fingerprint("c1f6a0a8d0c3b7e5", map[string]string{"a": "b"}), "the one sent counts")
	require.Equal(t, "9706f6e226c4ade9", fingerprint("", map[string]string{"alertname": "Down", "instance": "db-1"}), "as Alertmanager computes it")
	computed := fingerprint("", map[string]string{"alertname": "Down"})
	require.Len(t, computed, 16)
	require.Equal(t, computed, fingerprint("00", map[string]string{"alertname": "Down"}), "what is no fingerprint is computed")
	require.Equal(t, computed, fingerprint("zzzzzzzzzzzzzzzz", map[string]string{"alertname": "Down", "empty": ""}), "Alertmanager drops empty labels")
	require.NotEqual(t, computed, fingerprint("", map[string]string{"alertname": "Up"}))
}

func TestWatchdogsAndTruncation(t *testing.T) {
	m, c := newMemory(), &clock{t: at("2026-03-01T10:00:30Z")}
	asked := 0
	reg := prometheus.NewRegistry()
	r := New(Options{
		Store: m, Now: c.now, Metrics: NewMetrics(reg), Truncated: func() { asked++ },
		Watchdogs: func(l map[string]string) (string, bool) { return "dog", l["alertname"] == "Watchdog" },
	})
	dog := `{"alertname":"Watchdog"}`
	post(r.Alertmanager(), body("http://am-0", alert("firing", dog, start, year1, fp), alert("firing", dog, start, year1, "c1f6a0a8d0c3b7e6"), alert("firing", down, start, year1, "c1f6a0a8d0c3b7e7")))
	require.Equal(t, []incident.Beat{{Watchdog: "dog", At: c.t}}, m.beats)
	require.Len(t, m.sightings, 3)
	post(r.Alertmanager(), body("http://am-0", alert("resolved", dog, start, "2026-03-01T10:00:10Z", fp)))
	require.Len(t, m.beats, 1, "a resolved watchdog is no sign of life")
	require.Zero(t, asked)

	truncated := strings.Replace(body("http://am-0", alert("firing", down, start, year1, fp)), `"truncatedAlerts":0`, `"truncatedAlerts":118`, 1)
	require.Equal(t, 200, post(r.Alertmanager(), truncated).Code)
	require.Equal(t, 1, asked)
	require.Equal(t, 118.0, testutil.ToFloat64(r.metrics.truncated))

	m.err = incident.Errorf(incident.CodeUnavailable, "locked")
	require.Equal(t, 503, post(r.Alertmanager(), truncated).Code)
	require.Equal(t, 1, asked, "it comes again, and asks then")
}

// Bodies of several senders and versions: all of them are taken whole, and what they add up to does not depend on their
// order.
func TestAnyOrder(t *testing.T) {
	const (
		other  = `{"alertname":"Slow","instance":"größe-1","summary":"日本"}`
		otherP = "0a2d7c1be3f49586"
		again  = "2026-03-01T10:20:00.123Z"
	)
	bodies := []string{
		body("http://am-0", alert("firing", down, start, year1, fp)),
		body("http://am-0", alert("firing", down, start, year1, fp)),                      // repeated
		body("http://am-1", alert("firing", down, start, year1, fp)),                      // by the other Alertmanager
		body("http://am-0", alert("firing", down, "2026-03-01T10:00:15.987Z", year1, fp)), // by the other Prometheus
		body("http://am-0", alert("resolved", down, start, "2026-03-01T10:07:00.123Z", fp)),
		body("http://am-0", alert("firing", down, again, year1, fp), alert("resolved", other, start, "2026-03-01T10:09:00Z", otherP)),
		strings.Replace(body("http://am-0", alert("firing", other, again, year1, otherP)), `"truncatedAlerts":0`, `"truncatedAlerts":118`, 1),
		body("http://am-0", alert("resolved", other, again, "2063-01-01T00:00:00Z", otherP)),                 // its end lies ahead
		strings.Replace(body("", alert("firing", other, year1, year1, otherP)), `"alertname":"Down"`, ``, 1), // not grouped, without a start
		// as versions before 0.16 write it
		`{"receiver":"meantime","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"Old"},"annotations":{},"startsAt":"2018-08-03T09:52:26.739266876+02:00",` +
			`"endsAt":"0001-01-01T00:00:00Z","generatorURL":""}],"groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"","version":"4","groupKey":"{}:{}"}`,
	}
	deliver := func(bodies []string) []incident.Episode {
		m, c := newMemory(), &clock{t: at("2026-03-01T10:30:00Z")}
		h := New(Options{Store: m, Now: c.now}).Alertmanager()
		for _, b := range bodies {
			w := post(h, b)
			require.Equal(t, 200, w.Code, "%s: %s", b, w.Body)
			require.Contains(t, w.Body.String(), `"refused":0`, b)
		}
		return m.episodes(c.t)
	}
	want := deliver(bodies)
	require.Len(t, want, 6)
	rapid.Check(t, func(r *rapid.T) {
		require.Equal(t, want, deliver(rapid.Permutation(bodies).Draw(r, "bodies")))
	})
}

func TestStatuses(t *testing.T) {
	good := body("http://am-0", alert("firing", down, start, year1, fp))
	var many, labels []string
	for i := range 51 {
		many = append(many, alert("firing", fmt.Sprintf(`{"alertname":"A%d"}`, i), start, year1, ""))
	}
	for i := range 129 {
		labels = append(labels, fmt.Sprintf(`"l%d":"v"`, i))
	}
	one := func(a string) string { return body("http://am-0", a) }
	tests := []struct {
		name, body string
		status     int
		detail     string // of the problem, or the whole answer
		stored     int
	}{
		{"good", good, 200, `{"taken":1,"refused":0}`, 1},
		{"nothing", ``, 400, "not JSON: unexpected end of JSON input, at byte 0", 0},
		{"not JSON", `{"alerts":[}`, 400, "not JSON: invalid character '}' looking for beginning of value, at byte 12", 0},
		{"cut off", good[:100], 400, "not JSON: unexpected end of JSON input, at byte 100", 0},
		{"two messages", good + good, 400, "not JSON: invalid character '{' after top-level value, at byte " + fmt.Sprint(len(good)+1), 0},
		{"HTML", `<html></html>`, 400, "not JSON: invalid character '<' looking for beginning of value, at byte 1", 0},
		{"a list", `[]`, 400, "a JSON array where an object belongs", 0},
		{"a number", `12`, 400, "a JSON number where an object belongs", 0},
		{"null", `null`, 400, "a JSON null where an object belongs", 0},
		{"another webhook", `{"event":"push"}`, 400, "alerts: missing; this is no Alertmanager notification", 0},
		{"alerts is no list", `{"alerts":{"a":1}}`, 400, "alerts: a JSON object where a list belongs", 0},
		{"no alerts", body("http://am-0"), 200, `{"taken":0,"refused":0}`, 0},
		{"alerts null", `{"alerts":null}`, 200, `{"taken":0,"refused":0}`, 0},
		{"an alert is no object", `{"alerts":[1]}`, 400, "alerts[0]: a JSON number where an object belongs", 0},
		{"an alert is null", `{"alerts":[null]}`, 400, "alerts[0]: a JSON null where an object belongs", 0},
		{"alerts twice, the last counts", `{"alerts":"x","alerts":[` + alert("firing", down, start, year1, fp) + `]}`, 200, `{"taken":1,"refused":0}`, 1},
		{"labels are no object", `{"alerts":[{"labels":"x"}]}`, 400, "alerts[0].labels: a JSON string where an object belongs", 0},
		{"a label is no text", `{"alerts":[{"labels":{"a":1}}]}`, 400, "alerts[0].labels.a: a JSON number where a string belongs", 0},
		{"of labels that are no text the first by name", `{"alerts":[{"annotations":[],"status":7,"labels":{"z":1,"b":[],"a":"x"}}]}`, 400, "alerts[0].labels.b: a JSON array where a string belongs", 0},
		{"a label that is null is empty", one(alert("firing", `{"alertname":"Down","a":null}`, start, year1, fp)), 200, `{"taken":1,"refused":0}`, 1},
		{"no labels", one(alert("firing", `{}`, start, year1, fp)), 400, "alerts[0].labels: missing; they are what an alert is", 0},
		{"too many labels", one(alert("firing", "{"+strings.Join(labels, ",")+"}", start, year1, fp)), 400, "alerts[0].labels: 129 are more than the 128 allowed", 0},
		{"too long labels", one(alert("firing", `{"a":"`+strings.Repeat("x", 16384)+`"}`, start, year1, fp)), 400, "alerts[0].labels: 16385 bytes are more than the 16384 allowed", 0},
		{"a start without a zone", one(alert("firing", down, "2026-03-01T10:00:00", year1, fp)), 400,
			`alerts[0].startsAt: time without a zone: "2026-03-01T10:00:00"; write 2026-03-01T10:00:00Z for UTC, or with an offset such as +02:00`, 0},
		{"a start that is no time", one(strings.Replace(alert("firing", down, start, year1, fp), `"`+start+`"`, `1772359200`, 1)), 400, "alerts[0].startsAt: not a time: a JSON number", 0},
		{"a status there is not", one(alert("suppressed", down, start, year1, fp)), 400, `alerts[0].status: unknown value "suppressed"; it is one of firing, resolved`, 0},
		{"one bad of three", body("http://am-0", alert("firing", down, start, year1, fp), `{"labels":[]}`, alert("firing", down, "2026-02-28T10:00:00Z", year1, fp)), 200,
			`{"taken":2,"refused":1,"errors":[{"path":"alerts[1].labels","message":"a JSON array where an object belongs"}]}`, 2},
		{"wrong types in an alert where it does not matter", one(strings.NewReplacer(`{"summary":"s"}`, `{"a":1}`, `"http://prom:9090/graph"`, `7`, `"`+fp+`"`, `[]`).Replace(alert("firing", down, start, year1, fp))), 200, `{"taken":1,"refused":0}`, 1},
		{"a status that is no text", one(`{"status":1,"labels":` + down + `}`), 400, "alerts[0].status: a JSON number where a string belongs", 0},
		{"wrong types where it does not matter", `{"status":4,"groupKey":[],"receiver":7,"externalURL":{},"truncatedAlerts":"2","groupLabels":7,"version":4,"alerts":[` + alert("firing", down, start, year1, fp) + `]}`, 200, `{"taken":1,"refused":0}`, 1},
		{"too many alerts", body("http://am-0", many...), 413, "alerts: more than the 50 allowed", 0},
		{"too large", strings.Repeat(" ", 65537), 413, "more than the 65536 bytes allowed", 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			m := newMemory()
			asked := 0
			h := New(Options{Store: m, Now: func() time.Time { return at("2026-03-01T10:00:30Z") }, MaxBody: 65536, MaxAlerts: 50, Truncated: func() { asked++ }}).Alertmanager()
			w := post(h, tc.body)
			require.Equal(t, tc.status, w.Code, w.Body)
			require.Len(t, m.sightings, tc.stored)
			if tc.status == 200 {
				require.JSONEq(t, tc.detail, w.Body.String())
				require.Equal(t, "application/json", w.Header().Get("Content-Type"))
				return
			}
			requireProblem(t, w, tc.status, tc.detail)
			require.Equal(t, tc.status == 413, asked == 1, "what could not be taken is asked for")
		})
	}
}

// The limits as they are where nobody sets them.
func TestDefaultLimits(t *testing.T) {
	m := newMemory()
	h := New(Options{Store: m}).Alertmanager()
	w := post(h, large(5000))
	require.Equal(t, 200, w.Code, w.Body)
	require.JSONEq(t, `{"taken":5000,"refused":0}`, w.Body.String())
	require.Len(t, m.sightings, 5000)

	requireProblem(t, post(h, strings.Repeat(" ", 20_000_000)), 413, "more than the 16777216 bytes allowed")
	req := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(strings.Repeat(" ", 20_000_000))))
	req.ContentLength = -1 // it does not say how long it is
	w = httptest.NewRecorder()
	h.ServeHTTP(w, req)
	requireProblem(t, w, 413, "more than the 16777216 bytes allowed")

	requireProblem(t, post(h, `{"alerts":[`+strings.Repeat(`{"labels":{"a":"b"}},`, 99_999)+`{"labels":{"a":"b"}}]}`), 413, "alerts: more than the 50000 allowed")
	require.Len(t, m.sightings, 5000)
}

func requireProblem(t *testing.T, w *httptest.ResponseRecorder, status int, detail string) {
	t.Helper()
	require.Equal(t, status, w.Code, w.Body)
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	unmarshal(t, w.Body.Bytes(), &p)
	require.Equal(t, "about:blank", p.Type)
	require.Equal(t, http.StatusText(status), p.Title)
	require.Equal(t, status, p.Status)
	require.Equal(t, detail, p.Detail)
}

// Who sent a notification is kept by its route and by its receiver, which outlives an edit of the routes.
func TestSenders(t *testing.T) {
	m := newMemory()
	text := strings.Replace(body("http://am-0", alert("firing", down, start, year1, fp)), `"version"`, `"receiver":"team/to:here","version"`, 1)
	require.Equal(t, 200, post(New(Options{Store: m, Now: func() time.Time { return at("2026-03-01T10:00:00Z") }}).Alertmanager(), text).Code)
	require.Len(t, m.senders, 2)
	require.Equal(t, "{}", m.senders[0].Route)
	require.Empty(t, m.senders[0].Receiver())
	require.Equal(t, "team/to:here", m.senders[1].Receiver())
	require.Equal(t, "http://am-0", m.senders[1].URL)
}
