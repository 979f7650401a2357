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
