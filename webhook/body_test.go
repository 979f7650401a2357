package webhook

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func inUTF16(text string, order binary.AppendByteOrder, mark bool) string {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for _, u := range utf16.Encode([]rune(text)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// What is no notification is answered with what it is.
func TestMistakenBodies(t *testing.T) {
	good := body("http://am-0", alert("firing", down, start, year1, fp))
	const api = "these are alerts as Alertmanager's own API has them (/api/v2/alerts), not a notification: send it to Alertmanager, which notifies Meantime, or send {\"alerts\": [...]}"
	one := `{"labels":` + down + `,"startsAt":"` + start + `"}`
	for _, c := range []struct{ name, body, want string }{
		{"a byte order mark", "\uFEFF" + good, "not JSON: it begins with a byte order mark; send UTF-8 without one"},
		{"UTF-16, little", inUTF16(good, binary.LittleEndian, true), "not JSON: it begins with a byte order mark of UTF-16; send UTF-8"},
		{"UTF-16, big", inUTF16(good, binary.BigEndian, true), "not JSON: it begins with a byte order mark of UTF-16; send UTF-8"},
		{"UTF-16 without a mark, little", inUTF16(good, binary.LittleEndian, false), "not JSON: it is UTF-16; send UTF-8"},
		{"UTF-16 without a mark, big", inUTF16(good, binary.BigEndian, false), "not JSON: it is UTF-16; send UTF-8"},
		{"what is posted to Alertmanager", "[" + one + "]", "a JSON array where an object belongs; " + api},
		{"what Alertmanager lists", `[{"annotations":{},"fingerprint":"` + fp + `","receivers":[{"name":"a"}],"labels":{}}]`, "a JSON array where an object belongs; " + api},
		{"its version 1", `{"status":"success","data":[` + one + `]}`, "alerts: missing; " + api},
		{"one alert", one, "alerts: missing; " + api},
		{"silences", `[{"id":"1","matchers":[]}]`, "a JSON array where an object belongs; these are silences as Alertmanager's own API has them, not a notification"},
		{"an event", `{"timestamp":"` + start + `","data":{}}`, "alerts: missing; this is an event of Alertmanager's event recorder; events go to /webhook/alertmanager/events"},
		{"a list of something", `[{"a":1}]`, "a JSON array where an object belongs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory()
			requireProblem(t, post(New(Options{Store: m}).Alertmanager(), c.body), 400, c.want)
			require.Empty(t, m.sightings)
		})
	}
	for _, events := range []string{good, "[" + good + "]"} {
		requireProblem(t, post(New(Options{Store: newMemory()}).Events(), events), 400, "[0]: a notification; those go to /webhook/alertmanager")
	}
}

// Go's own form of a time is what a custom payload's {{ .StartsAt }} gives.
func TestTimesAsGoWritesThem(t *testing.T) {
	utc := time.Date(2026, 3, 1, 10, 0, 0, 123000000, time.UTC)
	for _, text := range []string{
		utc.String(),
		"2026-03-01 10:00:00.123 +0000 UTC m=+0.004567001",
		"2026-03-01 10:00:00.123 +0000 UTC m=-3600.5",
		utc.In(time.FixedZone("CET", 3600)).String(),
		utc.In(time.FixedZone("", -5*3600)).String(),
		utc.In(time.FixedZone("+0530", 5*3600+1800)).String(),
		" 2026-03-01T10:00:00.123Z",
	} {
		m := newMemory()
		w := post(New(Options{Store: m, Now: func() time.Time { return utc.Add(time.Minute) }}).Alertmanager(), body("http://am-0", alert("firing", down, text, "0001-01-01 00:00:00 +0000 UTC", fp)))
		require.Equal(t, 200, w.Code, "%s: %s", text, w.Body)
		for _, s := range m.sightings {
			require.Equal(t, utc, s.StartsAt, text)
		}
	}
	w := post(New(Options{Store: newMemory()}).Alertmanager(), body("http://am-0", alert("firing", down, "2026-03-01 10:00:00 UTC", year1, fp)))
	requireProblem(t, w, 400, `alerts[0].startsAt: not a time: "2026-03-01 10:00:00 UTC"; write it like 2006-01-02T15:04:05Z`)
}

func TestStartsThatHaveNotCome(t *testing.T) {
	now := at("2026-03-01T10:00:00Z")
	try := func(startsAt string) string {
		m := newMemory()
		w := post(New(Options{Store: m, Now: func() time.Time { return now }}).Alertmanager(), body("http://am-0", alert("firing", down, startsAt, year1, fp)))
		require.Equal(t, w.Code == 200, len(m.sightings) == 1)
		if w.Code == 200 {
			return ""
		}
		return w.Body.String()
	}
	require.Empty(t, try("2026-03-02T09:59:00Z"), "clocks and zones differ")
	require.Contains(t, try("2026-03-02T11:00:00Z"), "alerts[0].startsAt: 2026-03-02T11:00:00Z lies 25h0m0s after its receipt at 2026-03-01T10:00:00Z, so nothing can fire since then; "+
		"the sender's clock or the zone is wrong")
	require.Contains(t, try("9999-12-31T00:00:00Z"), "alerts[0].startsAt: 9999-12-31")
	require.Empty(t, try("1900-01-01T00:00:00Z"), "as good as none")

	e := strings.Replace(eventCreated, `"startsAt":"2026-03-01T10:00:00.123Z"`, `"startsAt":"2026-03-02T11:00:00.123Z"`, 1)
	requireProblem(t, post(New(Options{Store: newMemory(), Now: func() time.Time { return now.Add(time.Minute) }}).Events(), e), 400,
		"[0].data.alertCreated.alert.startsAt: 2026-03-02T11:00:00Z lies 25h0m0s after its receipt at 2026-03-01T10:00:00Z, so nothing can fire since then; the sender's clock or the zone is wrong")
}

// Two values that are no UTF-8 would be read as one value, and so two alerts as one.
func TestLabelsThatAreNoUTF8(t *testing.T) {
	try := func(labels string) (int, string) {
		m := newMemory()
		w := post(New(Options{Store: m}).Alertmanager(), body("http://am-0", alert("firing", labels, start, year1, "")))
		return len(m.sightings), w.Body.String()
	}
	for _, bad := range []string{"{\"alertname\":\"caf\xe9\"}", "{\"caf\xe9\":\"x\"}", `{"alertname":"half \ud83d of it"}`, "{\"alertname\":\"\uFFFD and \xff\"}", `{"alertname":"\ufffd \udc00"}`} {
		n, answer := try(bad)
		require.Zero(t, n, bad)
		require.Contains(t, answer, "alerts[0].labels: not UTF-8: different values would be read as one; send UTF-8", bad)
	}
	for _, good := range []string{`{"alertname":"café"}`, "{\"alertname\":\"\uFFFD\"}", `{"alertname":"\uFFFD"}`, `{"alertname":"\ud83d\ude00"}`, `{"alertname":"a","alertname":"\ufffd"}`} {
		n, answer := try(good)
		require.Equal(t, 1, n, "%s: %s", good, answer)
	}
	m := newMemory()
	w := post(New(Options{Store: m}).Alertmanager(), body("http://am-0", strings.Replace(alert("firing", down, start, year1, fp), `"s"`, "\"\xe9\"", 1)))
	require.Equal(t, 200, w.Code, "an annotation is only shown")
}

func sandboxed() incident.Intake {
	return incident.Intake{Ignored: func(l map[string]string) bool { return l["team"] == "sandbox" }, DropLabels: []string{"replica"}}
}

func TestIgnoredAlerts(t *testing.T) {
	m := newMemory()
	r := New(Options{
		Store: m, Intake: sandboxed, Now: func() time.Time { return at("2026-03-01T10:00:30Z") },
		Watchdogs: func(l map[string]string) (string, bool) { return "dog", l["alertname"] == "Watchdog" },
	})
	w := post(r.Alertmanager(), body("http://am-0", alert("firing", `{"alertname":"A","team":"sandbox"}`, start, year1, fp), alert("firing", down, start, year1, "")))
	require.JSONEq(t, `{"taken":1,"ignored":1,"refused":0}`, w.Body.String())
	require.Len(t, m.sightings, 1)
	w = post(r.Alertmanager(), body("http://am-0", alert("resolved", `{"alertname":"A","team":"sandbox"}`, start, start, fp), `{"labels":7}`))
	require.Equal(t, 200, w.Code, "that one is ignored is no reason to refuse the rest")
	require.Len(t, m.sightings, 1)
	w = post(r.Alertmanager(), body("http://am-0", alert("firing", `{"alertname":"Watchdog","team":"sandbox"}`, start, year1, fp)))
	require.Equal(t, 200, w.Code)
	require.Len(t, m.sightings, 1)
	require.Len(t, m.beats, 1, "an ignored watchdog is a sign of life all the same")

	labels := `{"key":"alertname","value":"Down"}`
	sandbox := strings.Replace(eventCreated, labels, labels+`,{"key":"team","value":"sandbox"}`, 1)
	muted := `{"@timestamp":"2026-03-01T10:00:05Z","data":{"inhibitionMutedAlert":{"mutedAlert":{"fingerprint":"7","labels":{"labels":[{"key":"team","value":"sandbox"}]}}}}}`
	w = post(r.Events(), "["+sandbox+","+muted+"]")
	require.JSONEq(t, `{"taken":2,"ignored":2,"refused":0}`, w.Body.String())
	require.Len(t, m.sightings, 1)
	require.Equal(t, 5.0, testutil.ToFloat64(r.metrics.ignored))
	require.Zero(t, testutil.ToFloat64(r.metrics.refused.WithLabelValues("events", string(refusedUnknown))))
}

// Replicas of one Prometheus say one thing under two fingerprints; notifications and events agree on the one that stays.
func TestDroppedLabels(t *testing.T) {
	m := newMemory()
	r := New(Options{Store: m, Intake: sandboxed, Now: func() time.Time { return at("2026-03-01T10:00:30Z") }})
	of := func(replica string) string {
		return fmt.Sprintf(`{"alertname":"Down","instance":"db-1","replica":%q}`, replica)
	}
	post(r.Alertmanager(), body("http://am-0", alert("firing", of("a"), start, year1, fp), alert("firing", of("b"), start, year1, "c1f6a0a8d0c3b7e6")))
	labels := `{"key":"alertname","value":"Down"}`
	post(r.Events(), strings.Replace(eventCreated, labels, labels+`,{"key":"replica","value":"b"}`, 1))
	muted := `{"@timestamp":"2026-03-01T10:00:05Z","data":{"inhibitionMutedAlert":{"mutedAlert":{"fingerprint":"7","labels":{"labels":[` +
		labels + `,{"key":"instance","value":"db-1"},{"key":"replica","value":"a"}]}}}}}`
	require.Equal(t, 200, post(r.Events(), muted).Code)
	require.Len(t, m.sightings, 1)
	for _, s := range m.sightings {
		require.Equal(t, model.LabelSet{"alertname": "Down", "instance": "db-1"}.Fingerprint().String(), s.Fingerprint)
		require.Equal(t, map[string]string{"alertname": "Down", "instance": "db-1"}, s.Labels)
		require.NotEmpty(t, s.Mutes)
	}
}
