package app

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

// What the retention deletes nobody needs: in however small steps it goes, every incident is word for word what it was, and so
// is every figure of a window that it does not reach into. Only a change of the rules computes old incidents anew, from
// their own alerts and no longer against what else fired then.
func TestRetentionLeavesIncidentsAlone(t *testing.T) {
	dir, n, deleted := t.TempDir(), 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		h := newHouse(t, filepath.Join(dir, fmt.Sprint(n)))
		defer h.close()
		for i := range rapid.IntRange(0, 4).Draw(t, "records") {
			r := anyRecord(t, fmt.Sprint(i))
			r.UpdatedAt = houseClock.Add(-time.Hour)
			h.put(incident.Facts{Records: []incident.Record{r}})
		}
		var f incident.Facts
		for range rapid.IntRange(1, 12).Draw(t, "alerts") {
			f.Sightings = append(f.Sightings, anyAlert(t))
		}
		h.put(f)
		h.settle()
		before, expected := h.incidents()
		require.Equal(t, expected, before)
		short := h.shortFigures()

		// The shortest window that is shown is 7 days.
		end := houseClock.AddDate(0, 0, -rapid.SampledFrom([]int{8, 20, 50}).Draw(t, "keep"))
		step := rapid.IntRange(1, 5).Draw(t, "step")
		for {
			gone, err := h.db.Prune(context.Background(), end, step)
			require.NoError(t, err)
			if gone == 0 {
				break
			}
			deleted += gone
			if rapid.Bool().Draw(t, "settle between") {
				h.settle()
			}
		}
		h.settle()
		after, _ := h.incidents()
		require.Equal(t, before, after)
		require.Equal(t, short, h.shortFigures())
		left, err := h.db.Sightings(context.Background(), time.Time{}, end)
		require.NoError(t, err)
		for _, s := range left {
			require.True(t, s.EndsAt.IsZero() || !s.EndsAt.Before(end) || needed(t, h, s), "%s is left", s.Key())
		}
	})
	require.Positive(t, deleted)
}

// shortFigures are those of the shortest window.
func (h *house) shortFigures() (short string) {
	for line := range strings.Lines(h.figures()) {
		if strings.Contains(line, `window="7d"`) {
			short += line
		}
	}
	return short
}

// needed says whether an incident has a link to a sighting.
func needed(t require.TestingT, h *house, s incident.Sighting) bool {
	all, err := h.db.IncidentsTouching(context.Background(), time.Time{}, time.Time{})
	require.NoError(t, err)
	for _, i := range all {
		for _, l := range i.Links {
			if l.Episode.Fingerprint == s.Fingerprint {
				return true
			}
		}
	}
	return false
}

// An alert that fires for nothing twice a day fires again while an incident goes on. That it is usual is known from what fired
// before, and still is when the retention has passed over that and Meantime starts again.
func TestRetentionKeepsHabits(t *testing.T) {
	const keep = 30 * 24 * time.Hour
	began := houseClock.Add(-keep + 2*24*time.Hour)
	start := func(t *testing.T, before time.Time) (incidents, again string) {
		dir := t.TempDir()
		h := newHouse(t, dir)
		var f incident.Facts
		alert := func(name string, at time.Time, lasts time.Duration) {
			f.Sightings = append(f.Sightings, incident.Sighting{
				Fingerprint: fmt.Sprintf("%016x", len(name)), StartsAt: at, EndsAt: at.Add(lasts), ResolvedFirst: at.Add(lasts),
				FiringFirst: at, FiringLast: at, ToldAt: at, Labels: map[string]string{"alertname": name, "service": "payments", "severity": "warning"},
			})
		}
		for k := range 200 {
			alert("QueueBacklog", began.Add(-time.Duration(k)*13*time.Hour-8*time.Hour), 8*time.Minute)
		}
		alert("QueueBacklog", began.Add(90*time.Minute), 8*time.Minute)
		f.Records = []incident.Record{{
			Source: "ours", ID: "1", Title: "Payments fail", Services: []string{"payments"}, State: incident.StateResolved, UpdatedAt: began.Add(3 * time.Hour),
			Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: began}, incident.Resolved: {At: began.Add(2 * time.Hour)}},
		}}
		h.put(f)
		h.settle()
		incidents, _ = h.incidents()
		for {
			n, err := h.db.Prune(context.Background(), before, 100)
			require.NoError(t, err)
			if n == 0 {
				break
			}
		}
		h.close()
		h = newHouse(t, dir)
		defer h.close()
		h.settle()
		again, _ = h.incidents()
		return incidents, again
	}
	was, is := start(t, forgotten(houseClock, keep))
	require.Equal(t, was, is)
	was, is = start(t, houseClock.Add(-keep))
	require.NotEqual(t, was, is, "this is a case in which it matters")
}
