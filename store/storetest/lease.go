package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// A lease is by the database's clock, which no test can turn. long never ends in a test, short ends while it waits.
const (
	long  = time.Hour
	short = 50 * time.Millisecond
)

func testLease(t *testing.T, s store.Store) {
	ctx := context.Background()
	acquire := func(holder string, length time.Duration) store.Lease {
		t.Helper()
		l, err := s.Acquire(ctx, holder, length)
		require.NoError(t, err)
		return l
	}
	a := acquire("a", long)
	require.Equal(t, "a", a.Holder)
	require.Positive(t, a.Token)
	require.Equal(t, long, a.Left)

	// Another does not get it, and learns who has it. Its holder makes it longer and keeps the token.
	got := acquire("b", short)
	require.Equal(t, "a", got.Holder)
	require.Equal(t, a.Token, got.Token)
	require.InDelta(t, long.Seconds(), got.Left.Seconds(), 60)
	require.Equal(t, a.Token, acquire("a", 2*long).Token)
	require.Greater(t, acquire("b", short).Left, long+long/2)

	// Only its holder gives it up; then it is there at once.
	require.NoError(t, s.Release(ctx, "b"))
	require.Equal(t, "a", acquire("b", short).Holder)
	require.NoError(t, s.Release(ctx, "a"))
	b := acquire("b", short)
	require.Equal(t, "b", b.Holder)
	require.Greater(t, b.Token, a.Token)

	// Where it is not renewed it comes free by itself.
	var c store.Lease
	require.Eventually(t, func() bool { c = acquire("c", short); return c.Holder == "c" }, time.Minute, short/5)
	require.Greater(t, c.Token, b.Token)

	// What was taken again by the same holder before anybody else came is the same lease.
	require.Eventually(t, func() bool { return acquire("d", 0).Left <= 0 }, time.Minute, short/5)
	d := acquire("d", long)
	require.Equal(t, "d", d.Holder)
	require.Greater(t, d.Token, c.Token)

	_, err := s.Acquire(ctx, "", long)
	code(t, incident.CodeInvalid, err)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err = s.Acquire(over, "d", long)
	code(t, incident.CodeUnavailable, err)
}

// testLeaseRace has many ask at once: one gets it.
func testLeaseRace(t *testing.T, s store.Store) {
	for range 5 {
		var winner atomic.Pointer[string]
		var wg sync.WaitGroup
		for n := range 8 {
			wg.Go(func() {
				name := fmt.Sprint("replica ", n)
				switch l, err := s.Acquire(context.Background(), name, long); {
				case err != nil:
					t.Errorf("acquire: %v", err)
				case l.Holder == name && !winner.CompareAndSwap(nil, &name):
					t.Errorf("%s and %s both have it", name, *winner.Load())
				}
			})
		}
		wg.Wait()
		require.NotNil(t, winner.Load())
		require.NoError(t, s.Release(context.Background(), *winner.Load()))
	}
}

// testFencing shows that whoever lost the lease can save nothing more, whatever it still believes.
func testFencing(t *testing.T, s store.Store) {
	ctx := context.Background()
	save(t, s, incident.Pass{Rules: "before anybody had it"})
	a, err := s.Acquire(ctx, "a", long)
	require.NoError(t, err)
	refused := func(p incident.Pass) {
		t.Helper()
		before, err := s.Follow(ctx, -1)
		require.NoError(t, err)
		cursor, rules, err := s.Position(ctx)
		require.NoError(t, err)
		p.Incidents, p.Observed = []incident.Incident{incidentAt("late", 0)}, []incident.Observed{{Incident: "late"}}
		p.Verdicts = []incident.Verdict{{Episode: episode("late", 0, 5), Outcome: incident.OutcomeNone}}
		err = s.Save(ctx, p)
		require.ErrorIs(t, err, store.ErrLeaseLost)
		code(t, incident.CodeConflict, err)
		_, err = s.Incident(ctx, "late")
		code(t, incident.CodeNotFound, err)
		after, err := s.Follow(ctx, -1)
		require.NoError(t, err)
		require.Equal(t, before, after)
		c, r, err := s.Position(ctx)
		require.NoError(t, err)
		require.Equal(t, []any{cursor, rules}, []any{c, r})
	}
	refused(incident.Pass{Rules: "without a token"})
	save(t, s, incident.Pass{Rules: "a's", Token: a.Token})

	// A pause that is longer than the lease does no harm by itself; what does is that another has it.
	require.NoError(t, s.Release(ctx, "a"))
	save(t, s, incident.Pass{Rules: "nobody else yet", Token: a.Token})
	b, err := s.Acquire(ctx, "b", long)
	require.NoError(t, err)
	refused(incident.Pass{Rules: "a's", Token: a.Token})
	refused(incident.Pass{Rules: "a's", Token: a.Token, Reset: true, Cursor: 100})
	refused(incident.Pass{Rules: "made up", Token: b.Token + 1})
	save(t, s, incident.Pass{Rules: "b's", Token: b.Token, Incidents: []incident.Incident{incidentAt("i", 0)}})
	_, err = s.Incident(ctx, "i")
	require.NoError(t, err)
	require.NoError(t, s.Release(ctx, "b"))
	a, err = s.Acquire(ctx, "a", long)
	require.NoError(t, err)
	refused(incident.Pass{Rules: "b's", Token: b.Token})
	save(t, s, incident.Pass{Rules: "a's again", Token: a.Token})
}

// testFollow follows passes and checks that whoever does has what is stored.
func testFollow(t *testing.T, s store.Store) {
	ctx := context.Background()
	follow := func(after int64) incident.Saved {
		t.Helper()
		x, err := s.Follow(ctx, after)
		require.NoError(t, err)
		return x
	}
	start := follow(-1)
	require.True(t, start.Whole)
	require.Equal(t, incident.Saved{Number: start.Number}, follow(start.Number), "nothing new")

	silent := map[string][]incident.Impact{"w": {{From: minutes(1), To: minutes(9)}, {From: minutes(20)}}}
	v := func(name string, outcome incident.Outcome) incident.Verdict {
		return incident.Verdict{Episode: episode(name, 0, 5), Service: "checkout", Severity: "critical", Outcome: outcome,
			Incident: "i1", Opens: true, Why: `it "opened" it`}
	}
	key := func(name string) incident.EpisodeKey {
		e := episode(name, 0, 5)
		return e.Key()
	}
	observed := incident.Observed{
		Incident: "i1", Service: "checkout", DetectedBy: incident.ByAlert,
		Seconds: map[string]float64{"detect": 95.5}, Restated: map[string]float64{}, Restates: map[string]int{},
	}
	put(t, s, incident.Facts{Sightings: []incident.Sighting{firing("a", 0, 0)}, Records: []incident.Record{record("1", "a", 0, 1), record("2", "b", 0, 1)},
		Beats: []incident.Beat{{Watchdog: "w", At: minutes(20)}, {Watchdog: "w", At: minutes(1)}, {Watchdog: "v", At: minutes(3)}}}, 1)
	save(t, s, incident.Pass{
		Cursor: newest(t, s), Incidents: []incident.Incident{incidentAt("i1", 0), incidentAt("i2", 1)},
		Verdicts: []incident.Verdict{v("a", incident.OutcomeLinked), v("b", incident.OutcomeNone)}, Observed: []incident.Observed{observed}, Blind: silent,
	})
	x := follow(start.Number)
	require.Equal(t, start.Number+1, x.Number)
	require.False(t, x.Whole)
	require.Equal(t, []incident.RecordKey{{Source: "ours", ID: "1"}, {Source: "ours", ID: "2"}}, x.Records)
	require.Len(t, x.Beats, 2)
	for i, want := range []incident.Beat{{Watchdog: "v", At: minutes(3)}, {Watchdog: "w", At: minutes(20)}} {
		require.Equal(t, want.Watchdog, x.Beats[i].Watchdog)
		require.WithinDuration(t, want.At, x.Beats[i].At, time.Second)
	}
	require.Equal(t, silent, x.Blind)
	same(t, []incident.Observed{observed}, x.Observed)
	var heads []incident.Incident
	for i, err := range s.EachIncident(ctx, time.Time{}) {
		require.NoError(t, err)
		heads = append(heads, i)
	}
	same(t, byID(heads), byID(x.Incidents), "as measuring reads them")
	var verdicts []incident.Verdict
	for v, err := range s.EachVerdict(ctx, time.Time{}, time.Time{}) {
		require.NoError(t, err)
		verdicts = append(verdicts, v)
	}
	same(t, verdicts, x.Verdicts, "as measuring reads them")

	// Several passes are told as one, as it is after the last.
	i2 := incidentAt("i2", 1)
	i2.Title = "Of its second pass"
	save(t, s, incident.Pass{Cursor: newest(t, s), Removed: []string{"i1"}, Incidents: []incident.Incident{i2}, Gone: []incident.EpisodeKey{key("b")}, Blind: silent})
	i2.Title = "Of its third pass"
	save(t, s, incident.Pass{Incidents: []incident.Incident{i2, incidentAt("i3", 2)}, Verdicts: []incident.Verdict{v("a", incident.OutcomeSuggested)}})
	y := follow(x.Number)
	require.Equal(t, x.Number+2, y.Number)
	require.Equal(t, []string{"i1"}, y.Removed)
	require.Len(t, y.Incidents, 2)
	require.Equal(t, "Of its third pass", byID(y.Incidents)[0].Title)
	require.Len(t, y.Verdicts, 1)
	require.Equal(t, incident.OutcomeSuggested, y.Verdicts[0].Outcome)
	require.Equal(t, []incident.EpisodeKey{key("b")}, y.Gone)
	require.Empty(t, y.Blind)
	require.Empty(t, y.Records)
	require.Empty(t, y.Beats)

	// A pass that holds all there is tells of what it changed.
	save(t, s, incident.Pass{Reset: true, Rules: "others", Incidents: []incident.Incident{i2}, Verdicts: []incident.Verdict{v("c", incident.OutcomeNone)}, Blind: silent})
	z := follow(y.Number)
	require.Equal(t, []string{"i3"}, z.Removed)
	require.Empty(t, z.Incidents)
	require.Equal(t, []incident.EpisodeKey{key("a")}, z.Gone)
	require.Len(t, z.Verdicts, 1)

	// What is too long ago, too much, or not of this store is read whole.
	for range 100 {
		save(t, s, incident.Pass{})
	}
	last := follow(-1).Number
	require.Equal(t, z.Number+100, last)
	require.True(t, follow(z.Number).Whole)
	require.True(t, follow(last+1).Whole)
	require.False(t, follow(last-5).Whole)
	var many []incident.Verdict
	for n := range 20_000 {
		many = append(many, v(fingerprint(n), incident.OutcomeNone))
	}
	save(t, s, incident.Pass{Verdicts: many, Blind: silent})
	whole := follow(last)
	require.Equal(t, incident.Saved{Number: last + 1, Whole: true, Blind: silent}, whole)
}

// testListen only asks that listening ends with its context: what it tells is between processes.
func testListen(t *testing.T, s store.Store) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Listen(ctx, func(store.Event) {}) }()
	putSightings(t, s, firing("a", 0, 0))
	save(t, s, incident.Pass{})
	cancel()
	require.True(t, errors.Is(<-ended, context.Canceled))
}
