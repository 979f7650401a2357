package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/correlate"
	"meantime/correlate/catalog"
	"meantime/incident"
)

// TestRulesChangeCutOff changes the rules and ends the process between two parts of what comes of it: the old stays in place, also
// after the next start, and what the new rules make then is what they make where nothing was cut off.
func TestRulesChangeCutOff(t *testing.T) {
	dir := t.TempDir()
	fill := func(h *house) {
		var f incident.Facts
		for day := range 90 {
			for k, service := range []string{"checkout", "search", "payments"} {
				start := houseClock.AddDate(0, 0, -day-1).Add(time.Duration(k*day%7) * time.Hour)
				f.Sightings = append(f.Sightings, incident.Sighting{
					Fingerprint: fmt.Sprintf("%016x", 100*day+k), StartsAt: start, EndsAt: start.Add(40 * time.Minute), FiringFirst: start.Add(time.Minute), FiringLast: start.Add(time.Minute),
					ToldAt: start.Add(time.Minute), ResolvedFirst: start.Add(41 * time.Minute),
					Labels: map[string]string{"alertname": "Errors", "service": service, "severity": "critical"},
				})
			}
			if day%3 == 0 {
				start := houseClock.AddDate(0, 0, -day-1)
				f.Records = append(f.Records, incident.Record{Source: "api", ID: fmt.Sprint(day), Title: "Checkout is slow", Services: []string{"checkout"}, State: incident.StateResolved,
					Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: start}, incident.Resolved: {At: start.Add(time.Hour)}}})
			}
		}
		h.put(f)
	}
	changed := func(h *house, deliver func(context.Context, incident.Pass) error) {
		h.rules.Dependencies = []catalog.Dependency{{Service: "checkout", Needs: []string{"payments"}}}
		h.rules.Open.Matchers = nil
		h.runner = correlate.NewRunner(correlate.Options{Facts: h.db, Rules: h.rules, Now: h.app.now, Deliver: deliver, Part: 20})
	}
	h := newHouse(t, filepath.Join(dir, "cut"))
	fill(h)
	h.settle()
	old, _ := h.incidents()
	figures := h.figures()
	parts := 0
	cut := errors.New("cut off")
	changed(h, func(ctx context.Context, d incident.Pass) error {
		if parts++; parts == 3 {
			return cut
		}
		require.True(t, d.More)
		return h.app.pipeline.deliver(ctx, 0, d)
	})
	require.ErrorIs(t, h.runner.CatchUp(t.Context()), cut)
	now, _ := h.incidents()
	require.Equal(t, old, now)
	require.Equal(t, figures, h.figures())
	h.close()

	h = newHouse(t, filepath.Join(dir, "cut"))
	defer h.close()
	now, _ = h.incidents()
	require.Equal(t, old, now)
	require.Equal(t, figures, h.figures())
	deliver := func(h *house) func(context.Context, incident.Pass) error {
		return func(ctx context.Context, d incident.Pass) error { return h.app.pipeline.deliver(ctx, 0, d) }
	}
	changed(h, deliver(h))
	h.settle()

	straight := newHouse(t, filepath.Join(dir, "straight"))
	defer straight.close()
	fill(straight)
	changed(straight, deliver(straight))
	straight.settle()
	now, all := h.incidents()
	require.Equal(t, all, now)
	want, _ := straight.incidents()
	require.Equal(t, want, now)
	require.NotEqual(t, old, now)
	require.Equal(t, straight.figures(), h.figures())

	// A configuration that comes between two parts wants them measured otherwise: they come again.
	d := incident.Pass{Reset: true, Part: 1, More: true}
	require.NoError(t, h.app.pipeline.deliver(t.Context(), 0, d))
	require.NoError(t, h.app.pipeline.load(t.Context(), h.app.pipeline.view))
	d.Part = 2
	require.Equal(t, incident.CodeConflict, incident.CodeOf(h.app.pipeline.deliver(t.Context(), 0, d)))
	again, _ := h.incidents()
	require.Equal(t, want, again)
}
