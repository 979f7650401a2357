package storetest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
)

// saveParts saves the parts of a pass, from the first again where what came of those before is lost.
func saveParts(t require.TestingT, s store.Derived, parts ...incident.Pass) {
	const tries = 20
	for try := 1; ; try++ {
		var err error
		for i, p := range parts {
			p.Reset, p.Part = true, i+1
			if err = s.Save(context.Background(), p); err != nil {
				break
			}
		}
		if err == nil {
			return
		}
		require.Contains(t, []incident.Code{incident.CodeConflict, incident.CodeUnavailable}, incident.CodeOf(err), "%v", err)
		require.NotErrorIs(t, err, store.ErrLeaseLost)
		require.Less(t, try, tries, "%v", err)
	}
}

// testParts saves a pass in parts: it is one pass, which nobody sees before its last part.
func testParts(t *testing.T, s store.Store) {
	ctx := context.Background()
	verdict := func(fp string, start float64, id string) incident.Verdict {
		return incident.Verdict{Episode: episode(fp, start, start+1), Outcome: incident.OutcomeLinked, Incident: id}
	}
	named := func(id string, start float64, title string) incident.Incident {
		i := incidentAt(id, start)
		i.Title, i.Aliases = title, []string{"alias of " + id}
		return i
	}
	observed := func(id string, seconds float64) incident.Observed {
		return incident.Observed{Incident: id, Seconds: map[string]float64{"detect": seconds}}
	}
	incidents := func() []incident.Incident { return byID(list(t, s, incident.IncidentQuery{})) }
	verdicts := func() (keys []string) {
		page, _, err := s.Verdicts(ctx, incident.VerdictQuery{})
		require.NoError(t, err)
		for _, v := range page {
			keys = append(keys, v.Episode.Fingerprint+" "+v.Incident)
		}
		return keys
	}
	ledger := func() (ids []string) {
		for o, err := range s.Ledger(ctx) {
			require.NoError(t, err)
			ids = append(ids, o.Incident)
		}
		return ids
	}
	seen := func() []any {
		saved, err := s.Follow(ctx, -1)
		require.NoError(t, err)
		cursor, rules, err := s.Position(ctx)
		require.NoError(t, err)
		st, err := s.Stats(ctx)
		require.NoError(t, err)
		return []any{incidents(), verdicts(), ledger(), saved, cursor, rules, st.Incidents}
	}
	a := incident.Pass{Incidents: []incident.Incident{named("same", 0, "same"), named("changed", 1, "old"), named("gone", 2, "old")}, Rules: "old",
		Verdicts: []incident.Verdict{verdict("a", 0, "same"), verdict("b", 1, "old"), verdict("c", 2, "gone"), verdict("d", 3, "gone"), verdict("e", 9, "gone")}}
	save(t, s, a)
	before := seen()

	parts := []incident.Pass{
		{More: true, Incidents: []incident.Incident{named("same", 0, "same"), named("twice", 1, "first")}, Verdicts: []incident.Verdict{verdict("a", 0, "same"), verdict("b", 1, "changed")}, Observed: []incident.Observed{observed("same", 1)}},
		{More: true},
		{More: true, Incidents: []incident.Incident{named("changed", 1, "new"), named("twice", 1, "second"), named("new", 4, "new")}, Verdicts: []incident.Verdict{verdict("d", 3, "new")}, Observed: []incident.Observed{observed("new", 2), observed("same", 3)}},
		{Rules: "new", Blind: map[string][]incident.Impact{"w": {{From: minutes(1)}}}, Verdicts: []incident.Verdict{verdict("f", 4, "new")}},
	}
	for n := range parts[:3] {
		saveParts(t, s, parts[:n+1]...)
		same(t, before, seen(), "nobody sees what is not whole")
	}
	// Facts go on being taken in between.
	putSightings(t, s, firing("z", 0, 1))
	saved, err := s.Follow(ctx, -1)
	require.NoError(t, err)
	saveParts(t, s, parts...)
	same(t, byID([]incident.Incident{named("same", 0, "same"), named("changed", 1, "new"), named("twice", 1, "second"), named("new", 4, "new")}), incidents())
	require.Equal(t, []string{"f new", "d new", "b changed", "a same"}, verdicts())
	require.Equal(t, []string{"new", "same"}, ledger())
	_, rules, err := s.Position(ctx)
	require.NoError(t, err)
	require.Equal(t, "new", rules)
	for id, want := range map[string]string{"alias of new": "new", "alias of twice": "twice"} {
		got, err := s.Incident(ctx, id)
		require.NoError(t, err)
		require.Equal(t, want, got.ID)
	}
	_, err = s.Incident(ctx, "alias of gone")
	code(t, incident.CodeNotFound, err)
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 4, st.Incidents)

	// Who follows is told of one pass, and only of what differs.
	after, err := s.Follow(ctx, saved.Number)
	require.NoError(t, err)
	require.False(t, after.Whole)
	require.Contains(t, []int64{saved.Number + 1, saved.Number + 2}, after.Number, "one, or one and the same again after an answer was lost")
	if after.Number == saved.Number+1 {
		require.Equal(t, []string{"gone"}, after.Removed)
		same(t, []string{"changed", "new", "twice"}, ids(byID(after.Incidents)))
		require.Len(t, after.Gone, 2)
		require.Len(t, after.Verdicts, 3)
		require.Len(t, after.Observed, 2)
	}

	// What never comes to its end is as if it had not begun: where another pass comes, and where it begins again.
	before = seen()
	saveParts(t, s, parts[:1]...)
	save(t, s, incident.Pass{Rules: "new", Blind: parts[3].Blind})
	code(t, incident.CodeConflict, s.Save(ctx, incident.Pass{Reset: true, Part: 2}))
	same(t, before[:3], seen()[:3])
	saveParts(t, s, incident.Pass{More: true, Incidents: []incident.Incident{named("lost", 0, "lost")}})
	saveParts(t, s, incident.Pass{More: true}, incident.Pass{Rules: "none"})
	require.Empty(t, incidents())
	require.Empty(t, verdicts())

	// Parts come one after the other, with episodes in order.
	saveParts(t, s, incident.Pass{More: true})
	code(t, incident.CodeConflict, s.Save(ctx, incident.Pass{Reset: true, Part: 3}))
	saveParts(t, s, incident.Pass{More: true, Verdicts: []incident.Verdict{verdict("b", 5, "")}})
	if err := s.Save(ctx, incident.Pass{Reset: true, Part: 2, Verdicts: []incident.Verdict{verdict("a", 5, "")}}); incident.CodeOf(err) != incident.CodeConflict {
		code(t, incident.CodeInvalid, err)
	}
	require.Empty(t, verdicts())

	// Whoever has the lease by now is not disturbed by the parts of one who had it.
	old, err := s.Acquire(ctx, "a", long)
	require.NoError(t, err)
	saveParts(t, s, incident.Pass{More: true, Token: old.Token, Incidents: []incident.Incident{named("late", 0, "late")}})
	require.NoError(t, s.Release(ctx, "a"))
	next, err := s.Acquire(ctx, "b", long)
	require.NoError(t, err)
	require.Error(t, s.Save(ctx, incident.Pass{Reset: true, Part: 2, Token: old.Token, Incidents: []incident.Incident{named("later", 0, "late")}}))
	require.Empty(t, incidents())
	save(t, s, incident.Pass{Token: next.Token, Incidents: []incident.Incident{named("b's", 0, "in time")}})
	require.Len(t, incidents(), 1)
}
