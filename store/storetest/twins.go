package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// maxRounds is more than the calls to the database that any one write makes here.
const maxRounds = 300

// testTwins does the same to two stores, of which one is left alone and the other fails: in the first round each write
// at its first call to the database, in the second at its second, until no write has that many. Whatever failed is tried
// again, and after each round both must say the same of everything. Of writes of a kind only the keys change by round.
func testTwins(t *testing.T, calm, broken store.Store, f *Faults, kind Fault) {
	ctx := context.Background()
	fired, step := 0, 1
	if kind == Breaks {
		step = 3 // another connection each time takes long, and every call fails in one way already
	}
	for round := 1; round == 1 || fired > 0; round += step {
		require.Less(t, round, maxRounds)
		fired = 0
		for n, write := range twinWrites(round) {
			require.NoError(t, write(ctx, calm), "round %d, write %d", round, n)
			f.arm(kind, round)
			err := write(ctx, broken)
			if f.disarm() {
				fired++
			}
			if err != nil {
				require.ErrorIs(t, err, ErrInjected, "round %d, write %d", round, n)
				require.NoError(t, write(ctx, broken), "round %d, write %d, again", round, n)
			}
		}
		same(t, stateOf(t, calm), stateOf(t, broken), fmt.Sprintf("round %d", round))
	}
}

// twinWrites are writes of every kind, those of a round with keys and times of its own.
func twinWrites(round int) []func(ctx context.Context, s store.Store) error {
	at := float64(10_000 * round)
	id := func(name string) string { return fmt.Sprintf("%s-%d", name, round) }
	facts := func(f incident.Facts) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			_, err := s.Put(ctx, f, minutes(at+50))
			return err
		}
	}
	records := func(l ...incident.Record) func(context.Context, store.Store) error {
		return facts(incident.Facts{Records: l})
	}
	pass := func(cursor bool, p incident.Pass) func(context.Context, store.Store) error {
		return func(ctx context.Context, s store.Store) error {
			p := p
			if cursor {
				var err error
				if p.Cursor, _, err = s.Position(ctx); err != nil {
					return err
				}
				for {
					page, err := s.Changes(ctx, p.Cursor, 0)
					if err != nil {
						return err
					}
					if len(page) == 0 {
						break
					}
					p.Cursor = page[len(page)-1].Seq
				}
			}
			return s.Save(ctx, p)
		}
	}
	told := firing(id("a"), at, at+1)
	told.Alertmanagers = []string{"http://am2"}
	unversioned := record(id("unversioned"), "first", at, 0)
	unversioned.UpdatedAt = time.Time{}
	changed := unversioned
	changed.Title = "second"
	inc := func(n int) incident.Incident {
		i := incidentAt(id(fmt.Sprint("r", n)), at+float64(n))
		i.Aliases = []string{id(fmt.Sprint("alias", n))}
		return i
	}
	verdict := func(fp string, o incident.Outcome) incident.Verdict {
		return incident.Verdict{Episode: episode(id(fp), at, at+10), Service: "checkout", Outcome: o}
	}
	observed := incident.Observed{Incident: id("r1"), Seconds: map[string]float64{"detect": at}}
	return []func(context.Context, store.Store) error{
		facts(incident.Facts{
			Sightings: []incident.Sighting{firing(id("a"), at, at), firing(id("b"), at, at), resolved(id("old"), at, at+10, at+11)},
			Beats:     []incident.Beat{{Watchdog: "w", At: minutes(at)}, {Watchdog: "w", At: minutes(at + 1)}},
			Silences:  []incident.Silence{{ID: id("s"), StartsAt: minutes(at), EndsAt: minutes(at + 60), UpdatedAt: minutes(at)}},
			Reviews:   []incident.Review{{ID: id("review"), At: minutes(at), By: "ann", Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started, Time: minutes(at)}},
		}),
		facts(incident.Facts{Sightings: []incident.Sighting{told, resolved(id("b"), at, at+10, at+11)}}),
		records(record(id("1"), "first", at, at)),
		records(record(id("1"), "newer", at+20, at+2), record(id("2"), "other", at, at)),
		records(record(id("1"), "older", at, at+1)),
		records(incident.Record{Source: "ours", ID: id("2"), Withdrawn: true, UpdatedAt: minutes(at + 3)}),
		records(unversioned),
		records(changed),
		pass(true, incident.Pass{
			Rules: id("rules"), Incidents: []incident.Incident{inc(1), inc(2)}, Observed: []incident.Observed{observed},
			Verdicts: []incident.Verdict{verdict("a", incident.OutcomeLinked), verdict("b", incident.OutcomeSuggested), verdict("old", incident.OutcomeNone)},
		}),
		pass(true, incident.Pass{
			Rules: id("rules"), Reset: true, Incidents: []incident.Incident{inc(2), inc(3)},
			Verdicts: []incident.Verdict{verdict("b", incident.OutcomeLinked), verdict("old", incident.OutcomeNone)},
		}),
		func(ctx context.Context, s store.Store) error {
			first := incident.Pass{Reset: true, Part: 1, More: true, Incidents: []incident.Incident{inc(3), inc(5)}, Verdicts: []incident.Verdict{verdict("b", incident.OutcomeLinked)}, Observed: []incident.Observed{observed}}
			last := incident.Pass{Reset: true, Part: 2, Incidents: []incident.Incident{inc(2), inc(5)}, Verdicts: []incident.Verdict{verdict("old", incident.OutcomeNone)}}
			for {
				err := s.Save(ctx, first)
				if err == nil {
					err = pass(true, last)(ctx, s)
				}
				// A connection that broke while nothing was asked of it is replaced, and what it held begins again.
				if err == nil || errors.Is(err, ErrInjected) || incident.CodeOf(err) != incident.CodeUnavailable {
					return err
				}
			}
		},
		facts(incident.Facts{Sightings: []incident.Sighting{firing(id("c"), at+30, at+31)}}),
		pass(true, incident.Pass{
			Rules: id("rules"), Removed: []string{inc(3).ID}, Gone: []incident.EpisodeKey{{Fingerprint: id("b"), StartsAt: minutes(at)}},
			Incidents: []incident.Incident{inc(4)},
		}),
		func(ctx context.Context, s store.Store) error {
			for {
				if n, err := s.Prune(ctx, minutes(at+20), 1); err != nil || n == 0 {
					return err
				}
			}
		},
		func(ctx context.Context, s store.Store) error { return s.Ping(ctx) },
		facts(incident.Facts{Sightings: []incident.Sighting{firing(id("d"), at+40, at+41)}}), // waits in the feed
	}
}

// state is everything a store says of itself, but its size on disk.
type state struct {
	Sightings []incident.Sighting
	Records   []incident.Record
	History   [][]incident.Record
	Reviews   []incident.Review
	Silences  []incident.Silence
	Beats     []incident.Beat
	Feed      []incident.Change
	Incidents []incident.Incident
	Aliased   []string
	Verdicts  []incident.Verdict
	Ledger    []incident.Observed
	Cursor    int64
	Rules     string
	Saved     incident.Saved
	Stats     store.Stats
}

func stateOf(t *testing.T, s store.Store) (all state) {
	ctx, none := context.Background(), time.Time{}
	must := func(err error) {
		t.Helper()
		require.NoError(t, err)
	}
	var err error
	all.Sightings, err = s.Sightings(ctx, none, none)
	must(err)
	all.Records, err = s.Records(ctx, none, none)
	must(err)
	for _, r := range all.Records {
		h, err := s.History(ctx, r.Key())
		must(err)
		all.History = append(all.History, h)
	}
	all.Reviews, err = s.Reviews(ctx)
	must(err)
	all.Silences, err = s.Silences(ctx, none, none)
	must(err)
	all.Beats, err = s.Beats(ctx, none, none)
	must(err)
	all.Feed = drain(t, s, 1000)
	all.Incidents, err = s.IncidentsTouching(ctx, none, none)
	must(err)
	for _, i := range all.Incidents {
		for _, a := range i.Aliases {
			x, err := s.Incident(ctx, a)
			must(err)
			all.Aliased = append(all.Aliased, x.ID)
		}
	}
	all.Verdicts, _, err = s.Verdicts(ctx, incident.VerdictQuery{Limit: 10_000})
	must(err)
	for o, err := range s.Ledger(ctx) {
		must(err)
		all.Ledger = append(all.Ledger, o)
	}
	all.Cursor, all.Rules, err = s.Position(ctx)
	must(err)
	all.Saved, err = s.Follow(ctx, -1)
	must(err)
	all.Saved.Number = 0 // a pass saved twice is two
	all.Stats, err = s.Stats(ctx)
	must(err)
	all.Stats.Bytes = 0
	return all
}

// testLostConcurrently has many write at once, some the same, while the answers to commits are lost. Everybody tries
// again until it is told yes; then everything is there and told of once.
func testLostConcurrently(t *testing.T, s store.Store, f *Faults) {
	const callers, each = 16, 12
	ctx := context.Background()
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for n := range each {
				// Two callers each send the same, as an Alertmanager pair does.
				one := firing(fingerprint(c/2*each+n), 0, 0)
				facts := incident.Facts{Sightings: []incident.Sighting{one}, Records: []incident.Record{record(fmt.Sprint(c/2, "-", n), "x", 0, 1)}}
				for {
					f.arm(Loses, 2)
					_, err := s.Put(ctx, facts, t0)
					if err == nil {
						break
					}
					if !errors.Is(err, ErrInjected) {
						t.Errorf("put: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	f.disarm()
	require.Positive(t, f.count)
	const want = callers / 2 * each
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, want, st.Sightings)
	require.EqualValues(t, want, st.Records)
	told := map[string]int{}
	for _, c := range drain(t, s, 1000) {
		told[c.Key]++
	}
	require.Len(t, told, 2*want)
	for key, n := range told {
		require.Equal(t, 1, n, key)
	}
}
