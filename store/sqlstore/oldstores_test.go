package sqlstore

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// writeStore writes the store of the newest schema for testdata, with what this program reads of it: the last thing that is done
// before a migration is added. It is never written again: it is what a program of that time wrote.
var writeStore = flag.Bool("write-store", false, "write testdata/stores of the newest schema")

// TestWriteStore makes what TestOldStores reads. Without its flag it makes it elsewhere, and holds it to itself.
func TestWriteStore(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "store.db")
	s, err := Open(t.Context(), "sqlite:"+path, Options{Now: func() time.Time { return storeTime }})
	require.NoError(t, err)
	fillStore(t, s)
	said := sayings(t, s)
	require.NoError(t, s.Close())
	requireSaid(t, said, path)
	if !*writeStore {
		return
	}
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	files, err := filepath.Glob("migrations/sqlite3/*.sql")
	require.NoError(t, err)
	name := filepath.Join("testdata", "stores", fmt.Sprint("schema-", len(files)))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoFileExists(t, name+".json", "a store of that schema is there")
	require.NoError(t, os.WriteFile(name+".db.gz", zipped.Bytes(), 0o644))
	require.NoError(t, os.WriteFile(name+".json", said, 0o644))
}

var storeTime = time.Date(2026, 3, 1, 10, 0, 0, 123456789, time.UTC)

// fillStore puts something of every kind into a store: alerts that fire, ended and of no incident, versions of records, one of
// them withdrawn, reviews, silences, beats, what correlation made of them, and some that it has not seen yet.
func fillStore(t *testing.T, s *Store) {
	at := func(minutes int) time.Time { return storeTime.Add(time.Duration(minutes) * time.Minute) }
	sighting := func(name string, start, end int) incident.Sighting {
		x := incident.Sighting{
			Fingerprint: fmt.Sprintf("%016x", len(name)*7919+start), StartsAt: at(start), FiringFirst: at(start + 1), FiringLast: at(start + 5), ToldAt: at(start + 1),
			Labels: map[string]string{"alertname": name, "service": "checkout", "größe": "\"☃\"\n"}, Annotations: map[string]string{"summary": "It is slow"},
			GeneratorURL: "http://prometheus.example.org/graph?g0.expr=up", GroupKeys: []string{"{}:{service=\"checkout\"}"}, Alertmanagers: []string{"http://am1"},
		}
		if end > 0 {
			x.EndsAt, x.ResolvedFirst = at(end), at(end+1)
		}
		return x
	}
	fires, ended, alone := sighting("Slow", 0, 0), sighting("Errors", 2, 40), sighting("Batch", 300, 310)
	record := incident.Record{
		Source: "ours", ID: "2026-03-01-checkout", Title: "Checkout was slow", UpdatedAt: at(60), Services: []string{"checkout"}, Severity: "critical",
		Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: at(-5)}, incident.Resolved: {At: at(45)}},
	}
	older, gone := record, record
	older.Title, older.UpdatedAt = "Checkout is slow", at(10)
	gone.ID, gone.Withdrawn = "withdrawn", true
	facts := incident.Facts{
		Sightings: []incident.Sighting{fires, ended, alone}, Records: []incident.Record{older, record, gone},
		Reviews:  []incident.Review{{ID: "review-1", At: at(70), By: "ann", Action: incident.ReviewSet, Incident: "i1", Milestone: incident.Started, Time: at(-6)}},
		Silences: []incident.Silence{{ID: "silence-1", StartsAt: at(3), EndsAt: at(30), UpdatedAt: at(3)}},
		Beats:    []incident.Beat{{Watchdog: "w", At: at(0).Truncate(time.Second)}, {Watchdog: "w", At: at(1).Truncate(time.Second)}},
	}
	_, err := s.Put(t.Context(), facts, at(71))
	require.NoError(t, err)
	feed, err := s.Changes(t.Context(), 0, 100)
	require.NoError(t, err)
	seconds := 300.5
	started := incident.Candidate{At: at(-6), Precision: incident.PrecisionMinute, Origin: incident.OriginReview, Evidence: "ann says so"}
	verdict := func(x incident.Sighting, o incident.Outcome, in string) incident.Verdict {
		return incident.Verdict{Episode: incident.Episodes([]incident.Sighting{x}, 24*time.Hour, at(400))[0], Service: "checkout", Outcome: o, Incident: in}
	}
	require.NoError(t, s.Save(t.Context(), incident.Pass{
		Cursor: feed[len(feed)-1].Seq, Rules: "rules 1",
		Incidents: []incident.Incident{{
			ID: "i1", Title: record.Title, Services: record.Services, Severity: "critical", State: incident.StateResolved, Aliases: []string{"old1"},
			Records:      []incident.RecordKey{record.Key()},
			Milestones:   map[incident.MilestoneName]incident.Milestone{incident.Started: {Candidate: started, Candidates: []incident.Candidate{started}}},
			Measurements: map[string]incident.Measurement{"detect": {Status: incident.StatusRecorded, Seconds: &seconds}},
		}},
		Verdicts: []incident.Verdict{verdict(ended, incident.OutcomeLinked, "i1"), verdict(alone, incident.OutcomeNone, "")},
		Observed: []incident.Observed{{Incident: "i1", Seconds: map[string]float64{"detect": seconds}}},
	}))
	_, err = s.Put(t.Context(), incident.Facts{Sightings: []incident.Sighting{sighting("Late", 200, 0)}}, at(201))
	require.NoError(t, err)
}

// sayings are what a store says of what was put into it, as JSON.
func sayings(t *testing.T, s *Store) []byte {
	none, all := time.Time{}, map[string]any{}
	must := func(name string, v any, err error) {
		t.Helper()
		require.NoError(t, err, name)
		all[name] = v
	}
	ctx := t.Context()
	sightings, err := s.Sightings(ctx, none, none)
	must("sightings", sightings, err)
	records, err := s.Records(ctx, none, none)
	must("records", records, err)
	history, err := s.History(ctx, incident.RecordKey{Source: "ours", ID: "2026-03-01-checkout"})
	must("history", history, err)
	reviews, err := s.Reviews(ctx)
	must("reviews", reviews, err)
	silences, err := s.Silences(ctx, none, none)
	must("silences", silences, err)
	beats, err := s.Beats(ctx, none, none)
	must("beats", beats, err)
	cursor, _, err := s.Position(ctx) // a migration may have all that is derived computed anew, by forgetting the rules
	must("cursor", cursor, err)
	feed, err := s.Changes(ctx, cursor, 100)
	must("feed", feed, err)
	i, err := s.Incident(ctx, "old1")
	must("incident", i, err)
	verdicts, _, err := s.Verdicts(ctx, incident.VerdictQuery{Limit: 100})
	must("verdicts", verdicts, err)
	var ledger []incident.Observed
	for o, err := range s.Ledger(ctx) {
		require.NoError(t, err)
		ledger = append(ledger, o)
	}
	must("ledger", ledger, nil)
	st, err := s.Stats(ctx)
	must("stats", []int64{st.Sightings, st.Records, st.Incidents, st.Backlog}, err)
	b, err := json.MarshalIndent(all, "", " ")
	require.NoError(t, err)
	return append(b, '\n')
}

// requireSaid opens a store and holds it to what was said of it. What later programs say beside it is theirs.
func requireSaid(t *testing.T, said []byte, path string) {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var want, got any
	require.NoError(t, json.Unmarshal(said, &want))
	require.NoError(t, json.Unmarshal(sayings(t, s), &got))
	requireWithin(t, want, got, "")
}

// requireWithin holds got to everything that want says.
func requireWithin(t *testing.T, want, got any, place string) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for k, v := range w {
			requireWithin(t, v, g[k], place+"."+k)
		}
	case []any:
		g, _ := got.([]any)
		require.Len(t, g, len(w), place)
		for i, v := range w {
			requireWithin(t, v, g[i], fmt.Sprintf("%s[%d]", place, i))
		}
	default:
		require.Equal(t, want, got, place)
	}
}

// oldStores are the stores in testdata, the oldest schema first, by the names of their files without ".db.gz".
func oldStores(t *testing.T) []string {
	names, err := filepath.Glob("testdata/stores/schema-*.db.gz")
	require.NoError(t, err)
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], ".db.gz")
	}
	return names
}

// copyOldStore puts an old store at a path.
func copyOldStore(t *testing.T, name, path string) {
	f, err := os.Open(name + ".db.gz")
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b, 0o600))
}
