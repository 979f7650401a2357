package correlate

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestToldHowFar has everything worked out at the first start, at one with the same rules and by other rules: each is told as what it
// is, from nothing on and never backwards, and is given up as the last thing.
func TestToldHowFar(t *testing.T) {
	for _, roomy := range []bool{true, false} {
		w := newWorld(t, smallRules(), roomy)
		var whys []Why
		var last, most int64
		told := func(why Why, done, total int64) {
			if len(whys) == 0 || done == 0 && last == 0 && total > 0 {
				whys = append(whys, why)
			}
			require.Equal(t, whys[len(whys)-1], why)
			if total == 0 {
				require.Zero(t, done)
				last = 0
				return
			}
			require.Less(t, done, total, "it is over when the last call says so")
			require.GreaterOrEqual(t, done, last)
			last, most = done, max(most, done)
		}
		restart := func() {
			w.restart()
			w.runner.told = told
			w.settle()
			require.Zero(t, last, "nothing goes on")
		}
		var list []incident.Sighting
		for i := range 20 {
			at := w.now.Add(-time.Duration(i) * 30 * time.Hour)
			list = append(list, incident.Sighting{
				Fingerprint: fmt.Sprint("f", i), StartsAt: at, EndsAt: at.Add(time.Hour), FiringFirst: at, FiringLast: at, ResolvedFirst: at, ToldAt: at,
				Labels: map[string]string{"alertname": "Errors", "service": fmt.Sprint("s", i), "severity": "critical"},
			})
		}
		w.shelf.put(incident.Facts{Sightings: list})
		restart()
		require.Equal(t, []Why{FirstTime}, whys)
		require.GreaterOrEqual(t, most, int64(workedUpTo), "cells and incidents count")
		restart()
		require.Equal(t, []Why{FirstTime, Restarted}, whys)
		w.rules.OpenFor += time.Minute
		w.runner.SetRules(w.rules)
		w.settle()
		require.Equal(t, []Why{FirstTime, Restarted, OtherRules}, whys)
	}
}
