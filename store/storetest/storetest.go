// Package storetest is the suite that every store must pass: each sentence of the contract in package store, as a test.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// Run runs the suite. Each call of open gives an empty store, which open closes at the end of the test.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s store.Store)
	}{
		{"sightings", testSightings},
		{"sightings merge in any order", testSightingsAnyOrder},
		{"sightings by span", testSightingsSpan},
		{"put is all or nothing", testPutInvalid},
		{"put leaves its facts alone", testPutPure},
		{"put gives up with its context", testPutContext},
		{"concurrent puts", testConcurrentPuts},
		{"records", testRecords},
		{"records in any order", testRecordsAnyOrder},
		{"records without a version", testRecordsUnversioned},
		{"records withdrawn", testRecordsWithdrawn},
		{"records by span and page", testRecordLists},
		{"reviews", testReviews},
		{"silences", testSilences},
		{"beats", testBeats},
		{"marks", testMarks},
		{"feed", testFeed},
		{"feed of records and reviews", testFeedSpans},
		{"feed while others write", testFeedConcurrent},
		{"incident whole", testIncidentWhole},
		{"incidents by query", testIncidentQuery},
		{"incidents paged while others come and go", testIncidentPages},
		{"incidents touching", testIncidentsTouching},
		{"incidents for measuring", testEachIncident},
		{"passes", testPasses},
		{"passes in any sequence", testPassesModel},
		{"passes in parts", testParts},
		{"began", testBegan},
		{"aliases", testAliases},
		{"verdicts", testVerdicts},
		{"verdict pages", testVerdictPages},
		{"ledger", testLedger},
		{"position and backlog", testPosition},
		{"prune", testPrune},
		{"prune waits for correlation", testPruneWaits},
		{"lease", testLease},
		{"lease that many want", testLeaseRace},
		{"lease that was lost", testFencing},
		{"follow", testFollow},
		{"listen", testListen},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// t0 is the beginning of the tests' time. Its nanoseconds show whether they are kept.
var t0 = time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)

func minutes(n float64) time.Time { return t0.Add(time.Duration(n * float64(time.Minute))) }

// put stores facts, received at t0 plus that many minutes.
func put(t require.TestingT, s store.Facts, f incident.Facts, received float64) incident.Receipt {
	r, err := s.Put(context.Background(), f, minutes(received))
	require.NoError(t, err)
	return r
}

func putSightings(t require.TestingT, s store.Facts, l ...incident.Sighting) []incident.MergeKind {
	return put(t, s, incident.Facts{Sightings: l}, 0).Sightings
}

func putRecord(t require.TestingT, s store.Facts, r incident.Record, received float64) bool {
	return put(t, s, incident.Facts{Records: []incident.Record{r}}, received).Records[0]
}

// firing is an alert that started at and was heard of then, whole in all its fields.
func firing(fingerprint string, start, heard float64) incident.Sighting {
	at := minutes(heard)
	return incident.Sighting{
		Fingerprint: fingerprint, StartsAt: minutes(start), FiringFirst: at, FiringLast: at, ToldAt: at,
		Labels: map[string]string{"alertname": "High" + fingerprint, "service": "checkout"}, Annotations: map[string]string{"summary": "Slow \"☃\"\n"},
		GeneratorURL: "http://prometheus.example.org/graph?g0.expr=up", GroupKeys: []string{"{}:{}"}, Alertmanagers: []string{"http://am1"},
	}
}

func resolved(fingerprint string, start, end, heard float64) incident.Sighting {
	s := firing(fingerprint, start, heard)
	s.EndsAt, s.ResolvedFirst = minutes(end), s.FiringFirst
	s.FiringFirst, s.FiringLast = time.Time{}, time.Time{}
	return s
}

// incidentAt is an incident that started then; whole, so that what a store forgets is missed.
func incidentAt(id string, start float64) incident.Incident {
	seconds := 95.5
	candidate := incident.Candidate{At: minutes(start), Precision: incident.PrecisionMinute, Origin: incident.OriginRecord, Evidence: "said <so>", From: "ours/" + id}
	second := incident.Candidate{At: minutes(start + 1), Precision: incident.PrecisionSecond, Origin: incident.OriginAlert, Placeholder: true}
	return incident.Incident{
		ID: id, Title: "Checkout é slow", URL: "https://example.org/" + id, Services: []string{"checkout"}, Severity: "critical",
		Kind: incident.KindIncident, State: incident.StateResolved, Labels: map[string]string{"region": "eu"}, DetectedBy: incident.ByAlert,
		Records: []incident.RecordKey{{Source: "ours", ID: id}},
		Milestones: map[incident.MilestoneName]incident.Milestone{
			incident.Started:  {Candidate: candidate, Candidates: []incident.Candidate{candidate, second}},
			incident.Resolved: {Candidate: second, Candidates: []incident.Candidate{second}},
		},
		Impacts: []incident.Impact{{From: minutes(start), To: minutes(start + 2), Evidence: "graphs"}, {From: minutes(start + 3)}},
		Measurements: map[string]incident.Measurement{
			"detect": {Status: incident.StatusRecorded, Seconds: &seconds}, "resolve": {Status: incident.StatusMissing},
		},
	}
}

// episode is the episode of one firing and resolved.
func episode(fingerprint string, start, end float64) incident.Episode {
	s := incident.Merge(firing(fingerprint, start, start+1), resolved(fingerprint, start, end, end+1))
	return judgedEpisodes([]incident.Sighting{s}, time.Hour, minutes(end+2))[0]
}

func save(t require.TestingT, s store.Derived, p incident.Pass) {
	require.NoError(t, s.Save(context.Background(), p))
}

// drain reads the whole feed in pages of limit, and checks that its numbers grow.
func drain(t require.TestingT, s store.Facts, limit int) []incident.Change {
	var all []incident.Change
	after := int64(0)
	for {
		page, err := s.Changes(context.Background(), after, limit)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page), limit)
		for _, c := range page {
			require.Greater(t, c.Seq, after)
			after = c.Seq
		}
		all = append(all, page...)
		if len(page) == 0 {
			return all
		}
	}
}

// since is what the feed says after a number, without the numbers.
func since(t require.TestingT, s store.Facts, after int64) []incident.Change {
	l, err := s.Changes(context.Background(), after, 1000)
	require.NoError(t, err)
	for i := range l {
		l[i].Seq = 0
	}
	return l
}

// newest is the number of the feed's last entry.
func newest(t require.TestingT, s store.Facts) int64 {
	all := drain(t, s, 1000)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Seq
}

// same compares by JSON, in which an empty list and none, a time and the same in another zone, are what they are to
// every reader.
func same(t require.TestingT, want, got any, msg ...any) {
	w, err := json.MarshalIndent(want, "", " ")
	require.NoError(t, err)
	g, err := json.MarshalIndent(got, "", " ")
	require.NoError(t, err)
	require.Equal(t, string(w), string(g), msg...)
}

func ids(l []incident.Incident) []string {
	out := []string{}
	for i := range l {
		out = append(out, l[i].ID)
	}
	return out
}

func byID(l []incident.Incident) []incident.Incident {
	slices.SortFunc(l, func(a, b incident.Incident) int { return strings.Compare(a.ID, b.ID) })
	return l
}

func code(t require.TestingT, want incident.Code, err error) {
	require.Error(t, err)
	require.Equal(t, want, incident.CodeOf(err), "%v", err)
}

// byKey is the order of sightings.
func byKey(l []incident.Sighting) []incident.Sighting {
	l = slices.Clone(l)
	slices.SortFunc(l, func(a, b incident.Sighting) int { return a.Key().Compare(b.Key()) })
	return l
}

func fingerprint(n int) string { return fmt.Sprintf("%016x", n) }

// judgedEpisodes are episodes as a store gives them that knows of no lives.
func judgedEpisodes(l []incident.Sighting, silence time.Duration, now time.Time) []incident.Episode {
	all := incident.Episodes(l, silence, now)
	for i := range all {
		new(incident.Reach).Judge(&all[i])
	}
	return all
}
