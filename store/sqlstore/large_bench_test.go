package sqlstore

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// BenchmarkLarge measures what a start and a pass need, on a store of the size it is built for: a million sightings with
// their verdicts over 400 days, and 100,000 incidents. MEANTIME_BENCH_STORE names a directory to keep it in, since
// filling it takes minutes.
func BenchmarkLarge(b *testing.B) {
	dir := os.Getenv("MEANTIME_BENCH_STORE")
	if dir == "" {
		dir = b.TempDir()
	}
	path := filepath.Join(dir, "large.db")
	t1 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fillLarge(b, path, t1)

	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(b.Context(), "sqlite:"+path, Options{})
			require.NoError(b, err)
			_, err = s.Stats(b.Context())
			require.NoError(b, err)
			require.NoError(b, s.Close())
		}
	})
	s, err := Open(b.Context(), "sqlite:"+path, Options{})
	require.NoError(b, err)
	defer s.Close()
	st, err := s.Stats(b.Context())
	require.NoError(b, err)
	b.Run("each incident", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range s.EachIncident(b.Context(), time.Time{}) {
				require.NoError(b, err)
				n++
			}
			require.EqualValues(b, st.Incidents, n)
		}
	})
	b.Run("each verdict", func(b *testing.B) {
		for b.Loop() {
			n := 0
			for _, err := range s.EachVerdict(b.Context(), time.Time{}, time.Time{}) {
				require.NoError(b, err)
				n++
			}
			require.EqualValues(b, st.Sightings, n)
		}
	})
	b.Run("sightings of six hours", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			from := t1.Add(-time.Duration(i*7919%9600) * time.Hour)
			l, err := s.Sightings(b.Context(), from, from.Add(6*time.Hour))
			require.NoError(b, err)
			require.NotEmpty(b, l)
		}
	})
	b.Run("incidents touching six hours", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			from := t1.Add(-time.Duration(i*7919%9600) * time.Hour)
			l, err := s.IncidentsTouching(b.Context(), from, from.Add(6*time.Hour))
			require.NoError(b, err)
			require.NotEmpty(b, l)
		}
	})
	b.Run("sightings of 100 fingerprints", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			var fps []string
			for k := range 100 {
				fps = append(fps, benchSighting(uint64((i*100+k)%10_000), t1).Fingerprint)
			}
			_, err := s.SightingsOf(b.Context(), fps)
			require.NoError(b, err)
		}
	})
	b.Run("page of verdicts", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, _, err := s.Verdicts(b.Context(), incident.VerdictQuery{To: t1.Add(-time.Duration(i*7919%9600) * time.Hour)})
			require.NoError(b, err)
		}
	})
	b.Run("page of incidents of a service", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, _, err := s.Incidents(b.Context(), incident.IncidentQuery{Service: fmt.Sprint("service-", i%50), To: t1.Add(-time.Duration(i*7919%9600) * time.Hour)})
			require.NoError(b, err)
		}
	})
	b.Run("save a pass of one", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			in := benchIncident(i%100_000, t1)
			require.NoError(b, s.Save(b.Context(), incident.Pass{Incidents: []incident.Incident{in}}))
		}
	})
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	b.Logf("%d sightings, %d incidents, %d MB on disk, %d MB of Go heap", st.Sightings, st.Incidents, st.Bytes>>20, m.HeapAlloc>>20)
}

// benchIncident is an incident with one record, two episodes and all its milestones.
func benchIncident(n int, t1 time.Time) incident.Incident {
	at := t1.Add(-time.Duration(n) * (400 * 24 * time.Hour / 100_000))
	seconds := 95.0
	i := incident.Incident{
		ID: fmt.Sprintf("r%016x", uint64(n)*0x9e3779b97f4a7c15), Title: fmt.Sprintf("Checkout answered with errors, again (%d)", n), URL: "https://status.example.org/incidents/42",
		Services: []string{fmt.Sprint("service-", n%50)}, Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved, DetectedBy: incident.ByAlert,
		Records: []incident.RecordKey{{Source: "ours", ID: fmt.Sprint(n)}}, Impacts: []incident.Impact{{From: at, To: at.Add(time.Hour)}},
		Alerts:     incident.AlertTimes{Condition: at, Fired: at.Add(time.Minute), Notified: at.Add(2 * time.Minute), Ended: at.Add(time.Hour), First: at.Add(2 * time.Minute)},
		Milestones: make(map[incident.MilestoneName]incident.Milestone), Measurements: make(map[string]incident.Measurement),
	}
	for k, name := range incident.MilestoneNames {
		c := incident.Candidate{At: at.Add(time.Duration(k) * time.Minute), Precision: incident.PrecisionSecond, Origin: incident.OriginRecord, Evidence: "the record says so", From: fmt.Sprint("ours/", n)}
		i.Milestones[name] = incident.Milestone{Candidate: c, Candidates: []incident.Candidate{c, c}}
	}
	for _, x := range incident.DefaultIntervals() {
		i.Measurements[x.Name] = incident.Measurement{Status: incident.StatusRecorded, Seconds: &seconds}
	}
	for k := range 2 {
		e := incident.Episodes([]incident.Sighting{benchSighting(uint64(n+k), at)}, time.Hour, at)[0]
		i.Links = append(i.Links, incident.Link{Episode: e, State: incident.LinkLinked, Score: 0.93, Evidence: []string{"same service checkout"}})
	}
	return i
}

func fillLarge(b *testing.B, path string, t1 time.Time) {
	const sightings, incidents, some = 1_000_000, 100_000, 5000
	s, err := Open(b.Context(), "sqlite:"+path, Options{})
	require.NoError(b, err)
	defer s.Close()
	st, err := s.Stats(b.Context())
	require.NoError(b, err)
	if st.Incidents == incidents {
		return
	}
	for from := 0; from < sightings; from += some {
		var f incident.Facts
		var p incident.Pass
		for n := from; n < from+some; n++ {
			x := benchSighting(uint64(n%10_000), t1.Add(-time.Duration(n)*(400*24*time.Hour/sightings)))
			x.EndsAt, x.ResolvedFirst = x.StartsAt.Add(20*time.Minute), x.StartsAt.Add(21*time.Minute)
			f.Sightings = append(f.Sightings, x)
			e := incident.Episodes([]incident.Sighting{x}, time.Hour, t1)[0]
			p.Verdicts = append(p.Verdicts, incident.Verdict{Episode: e, Service: "checkout", Severity: "critical", Outcome: incident.OutcomeLinked, Incident: benchIncident(n/10, t1).ID})
		}
		for n := from / 10; n < (from+some)/10; n++ {
			p.Incidents = append(p.Incidents, benchIncident(n, t1))
		}
		_, err := s.Put(b.Context(), f, t1)
		require.NoError(b, err)
		p.Cursor = int64(from + some)
		require.NoError(b, s.Save(b.Context(), p))
	}
}
