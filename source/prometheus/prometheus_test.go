package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
)

var (
	_ source.Source = (*Source)(nil)
	_ Client        = (*source.Client)(nil)
)

// server answers like a Prometheus.
type server struct {
	// states are the series there are: at what time they begin and end, and their value.
	states []state
	rules  string
	err    error
	asked  []string // "query TIME" or "rules"
}

type state struct {
	labels   string // as JSON
	from, to string
	value    string
}

func (s *server) Get(_ context.Context, path string, q url.Values, out any) error {
	if s.err != nil {
		return s.err
	}
	if strings.HasSuffix(path, "/rules") {
		s.asked = append(s.asked, "rules")
		return json.Unmarshal([]byte(`{"status":"success","data":{"groups":[{"name":"g","rules":[`+s.rules+`]}]}}`), out)
	}
	t, err := time.Parse(time.RFC3339Nano, q.Get("time"))
	if err != nil {
		return err
	}
	s.asked = append(s.asked, q.Get("query")+" "+q.Get("time"))
	var result []string
	for _, x := range s.states {
		if !t.Before(at(x.from)) && !t.After(at(x.to)) {
			result = append(result, fmt.Sprintf(`{"metric":%s,"value":[%d,%q]}`, x.labels, t.Unix(), x.value))
		}
	}
	return json.Unmarshal([]byte(`{"status":"success","data":{"resultType":"vector","result":[`+strings.Join(result, ",")+`]}}`), out)
}

// memory notes what is put.
type memory struct {
	put []incident.Sighting
	err error
}

func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	if m.err != nil {
		return incident.Receipt{}, m.err
	}
	m.put = append(m.put, f.Sightings...)
	return incident.Receipt{}, nil
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func unix(s string) string { return fmt.Sprint(at(s).Unix()) }

// bench is a source with its world.
type bench struct {
	*Source
	t        *testing.T
	server   *server
	store    *memory
	episodes []incident.Episode
	now      time.Time
	reg      *prometheus.Registry
}

func newBench(t *testing.T, episodes ...incident.Episode) *bench {
	b := &bench{t: t, server: &server{}, store: &memory{}, episodes: episodes, now: at("2026-03-01T10:01:00Z"), reg: prometheus.NewPedanticRegistry()}
	b.Source = New(Options{Name: "prometheus", Client: b.server, Store: b.store, Now: func() time.Time { return b.now }, Metrics: NewMetrics(b.reg),
		Unmeasured: func(context.Context) ([]incident.Episode, error) { return b.episodes, nil }})
	return b
}

// poll polls and gives what was put and asked since the last time.
func (b *bench) poll() ([]incident.Sighting, []string) {
	b.t.Helper()
	b.store.put, b.server.asked = nil, nil
	require.NoError(b.t, b.Poll(b.t.Context()))
	return b.store.put, b.server.asked
}

const start = "2026-03-01T10:00:07.730Z"

func episode(labels map[string]string) incident.Episode {
	return incident.Episode{Fingerprint: "9706f6e226c4ade9", StartsAt: at(start), Labels: labels}
}

var down = map[string]string{"alertname": "Down", "instance": "db-1", "severity": "critical", "cluster": "c1"} // the cluster is an external label

func TestMeasured(t *testing.T) {
	series := func(more, value string) state {
		return state{`{"__name__":"ALERTS_FOR_STATE","alertname":"Down"` + more + `}`, "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z", value}
	}
	tests := []struct {
		name   string
		labels map[string]string
		states []state
		want   string // the condition; empty for none
	}{
		{"the one", down, []state{series(`,"instance":"db-1","severity":"critical"`, unix("2026-03-01T10:00:02Z"))}, "2026-03-01T10:00:02Z"},
		{"one of several", down, []state{
			series(`,"instance":"db-2","severity":"critical"`, unix("2026-03-01T09:00:00Z")),
			series(`,"instance":"db-1","severity":"critical"`, unix("2026-03-01T10:00:02Z")),
			series(`,"instance":"db-1","severity":"warning"`, unix("2026-03-01T09:30:00Z")),
		}, "2026-03-01T10:00:02Z"},
		{"the one with most labels", down, []state{
			series(``, unix("2026-03-01T09:00:00Z")), series(`,"instance":"db-1"`, unix("2026-03-01T10:00:02Z")), series(`,"severity":"critical"`, unix("2026-03-01T09:10:00Z")),
		}, "2026-03-01T10:00:02Z"},
		{"another instance's", down, []state{series(`,"instance":"db-2"`, unix("2026-03-01T10:00:02Z"))}, ""},
		{"a label was dropped on the way", down, []state{series(`,"instance":"db-1","pod":"x"`, unix("2026-03-01T10:00:02Z"))}, "2026-03-01T10:00:02Z"},
		{"and the replicas agree", down, []state{series(`,"instance":"db-1","replica":"a"`, unix("2026-03-01T10:00:04Z")), series(`,"instance":"db-1","replica":"b"`, unix("2026-03-01T10:00:01Z"))}, "2026-03-01T10:00:01Z"},
		{"and nobody can tell which", down, []state{series(`,"pod":"x"`, unix("2026-03-01T10:00:02Z")), series(`,"pod":"y"`, unix("2026-03-01T09:00:02Z"))}, ""},
		{"without a for: the second of the start is the start", down, []state{series(`,"instance":"db-1"`, unix("2026-03-01T10:00:07Z"))}, start},
		{"a later firing's", down, []state{series(`,"instance":"db-1"`, unix("2026-03-01T10:00:08Z"))}, ""},
		{"no time", down, []state{series(``, "NaN"), series(``, "0"), series(``, "1e300"), series(``, "soon"), series(``, "-Inf")}, ""},
		{"no name", map[string]string{"instance": "db-1"}, []state{series(``, unix("2026-03-01T10:00:02Z"))}, ""},
		{"a name to quote", map[string]string{"alertname": "a\"b\\c\n🔥"}, []state{{`{"alertname":"a\"b\\c\n🔥"}`, "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z", unix("2026-03-01T10:00:02Z")}}, "2026-03-01T10:00:02Z"},
		{"a replica that evaluates later", down, []state{{`{"alertname":"Down"}`, "2026-03-01T10:00:20Z", "2026-03-01T11:00:00Z", unix("2026-03-01T10:00:05Z")}}, "2026-03-01T10:00:05Z"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, episode(tc.labels))
			b.now = at("2026-03-01T10:02:00Z")
			b.server.states = tc.states
			got, _ := b.poll()
			if tc.want == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, []incident.Sighting{{Fingerprint: "9706f6e226c4ade9", StartsAt: at(start), ConditionAt: at(tc.want), ConditionFrom: incident.ConditionMeasured, Labels: tc.labels}}, got)
			require.NotEqual(t, got[0].StartsAt, time.Time{})
		})
	}
}

func TestEstimated(t *testing.T) {
	down5m := `{"name":"Down","type":"alerting","duration":300,"labels":{"severity":"critical","team":"{{ $labels.team }}"}}`
	tests := []struct {
		name, rules string
		want        string
	}{
		{"the rule's for", down5m, "2026-03-01T09:55:07.730Z"},
		{"no rule of that name", `{"name":"Up","type":"alerting","duration":300}`, ""},
		{"another severity's", `{"name":"Down","type":"alerting","duration":60,"labels":{"severity":"warning"}},` + down5m, "2026-03-01T09:55:07.730Z"},
		{"two that could have", `{"name":"Down","type":"alerting","duration":60},` + down5m, ""},
		{"two that say the same", `{"name":"Down","type":"alerting","duration":300},` + down5m, "2026-03-01T09:55:07.730Z"},
		{"a recording rule", `{"name":"Down","type":"recording"}`, ""},
		{"an odd rule beside it", `7,{"name":{}},{"name":"Down","type":"alerting","duration":-1},` + down5m, "2026-03-01T09:55:07.730Z"},
		{"without a for", `{"name":"Down","type":"alerting","duration":0}`, start},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, episode(down))
			b.server.rules = tc.rules
			b.now = at("2026-03-01T10:04:00Z")
			got, _ := b.poll()
			require.Empty(t, got, "it may still be measured")
			b.now = at("2026-03-01T10:06:00Z")
			got, _ = b.poll()
			if tc.want == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, []incident.Sighting{{Fingerprint: "9706f6e226c4ade9", StartsAt: at(start), ConditionAt: at(tc.want), ConditionFrom: incident.ConditionFromFor, Labels: down}}, got)

			// It is given again, being only estimated, and is not written again.
			b.episodes[0].ConditionAt, b.episodes[0].ConditionFrom = at(tc.want), incident.ConditionFromFor
			b.now = at("2026-03-01T10:30:00Z")
			got, asked := b.poll()
			require.Empty(t, got)
			require.Len(t, asked, 3)
			b.server.states = []state{{`{"alertname":"Down"}`, "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z", unix("2026-03-01T09:55:02Z")}}
			b.now = at("2026-03-01T11:30:00Z")
			got, _ = b.poll()
			require.Equal(t, incident.ConditionMeasured, got[0].ConditionFrom)
		})
	}
}

// What Prometheus does not know it is asked less and less often.
func TestUnknownIsRemembered(t *testing.T) {
	b := newBench(t, episode(down))
	b.now = at("2026-03-01T10:00:10Z")
	var times []time.Duration
	for range 48 * 60 * 4 {
		if _, asked := b.poll(); len(asked) > 0 {
			times = append(times, b.now.Sub(at("2026-03-01T10:00:10Z")))
		}
		b.now = b.now.Add(15 * time.Second)
	}
	m := time.Minute
	require.Equal(t, []time.Duration{0, m / 2, 3 * m / 2, 7 * m / 2, 27 * m / 2, 147 * m / 2, 24*60*m + 147*m/2}, times)
	b.episodes = nil
	b.now = b.now.Add(72 * time.Hour)
	b.poll()
	require.Empty(t, b.unknown, "nobody asks any more")
}

func TestQuestions(t *testing.T) {
	var many []incident.Episode
	for i := range 1000 {
		e := episode(map[string]string{"alertname": "Down", "instance": fmt.Sprint(i)})
		e.Fingerprint = fmt.Sprintf("%016x", i)
		many = append(many, e)
	}
	b := newBench(t, many...)
	b.server.states = []state{{`{"alertname":"Down"}`, "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z", unix("2026-03-01T10:00:02Z")}}
	got, asked := b.poll()
	require.Len(t, got, perPoll)
	require.Equal(t, []string{`ALERTS_FOR_STATE{alertname="Down"} 2026-03-01T10:00:07.73Z`}, asked, "alerts that fired together share the answer")

	b.server.states = nil
	b.episodes = many
	var seen int
	for range 5 {
		b.poll()
		seen = len(b.unknown)
	}
	require.Equal(t, 1000, seen, "those it does not know do not stand before the others")
}

func TestTrouble(t *testing.T) {
	other := episode(map[string]string{"alertname": "Other"})
	other.Fingerprint = "0000000000000001"
	b := newBench(t, episode(down), other)
	b.server.err = errors.New("GET http://prom/api/v1/query: answered 503 Service Unavailable")
	require.EqualError(t, b.Poll(t.Context()), "GET http://prom/api/v1/query: answered 503 Service Unavailable")
	require.Empty(t, b.unknown, "no answer is not a no")
	b.server.err = nil
	b.server.states = []state{{`{"alertname":"Down"}`, "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z", unix("2026-03-01T10:00:02Z")}}
	b.store.err = errors.New("database is locked")
	require.EqualError(t, b.Poll(t.Context()), "store what was measured: database is locked")
	b.store.err = nil
	got, _ := b.poll()
	require.Len(t, got, 1)
}

func TestMetrics(t *testing.T) {
	b := newBench(t, episode(down), incident.Episode{Fingerprint: "a", StartsAt: at(start), Labels: map[string]string{"alertname": "Ruled"}}, incident.Episode{Fingerprint: "b", StartsAt: at(start), Labels: map[string]string{"alertname": "No"}})
	b.now = at("2026-03-01T10:10:00Z")
	b.server.states = []state{{`{"alertname":"Down"}`, "2026-03-01T09:00:00Z", "2026-03-01T10:00:30Z", unix("2026-03-01T10:00:02Z")}}
	b.server.rules = `{"name":"Ruled","type":"alerting","duration":300}`
	got, _ := b.poll()
	require.Len(t, got, 2)
	require.NoError(t, testutil.GatherAndCompare(b.reg, strings.NewReader(`
# HELP meantime_source_conditions_total Questions when an alert's condition became true, by answer: measured, estimated from the rule's for, or unknown.
# TYPE meantime_source_conditions_total counter
meantime_source_conditions_total{answer="estimated",source="prometheus"} 1
meantime_source_conditions_total{answer="measured",source="prometheus"} 1
meantime_source_conditions_total{answer="unknown",source="prometheus"} 1
`)))
	lint, err := testutil.GatherAndLint(b.reg)
	require.NoError(t, err)
	require.Empty(t, lint)
}
