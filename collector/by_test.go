package collector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/measure"
)

// TestSeriesByLabel: figures by a label cost no more than those by service do, whatever the number of its values, and leave the others as
// they are.
func TestSeriesByLabel(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	milestone := func(at time.Time) incident.Milestone {
		return incident.Milestone{Candidate: incident.Candidate{At: at, Origin: incident.OriginRecord}}
	}
	shown := func(teams int, by ...string) (series map[string]bool) {
		var list []incident.Incident
		for i := range 2000 {
			start := at.Add(-time.Duration(1+i) * time.Hour / 2)
			list = append(list, incident.Incident{
				ID: fmt.Sprint(i), Services: []string{fmt.Sprintf("s%03d", i%200)}, Severity: []string{"critical", "warning"}[i/200%2],
				Labels: map[string]string{"team": fmt.Sprintf("t%04d", i%teams)}, State: incident.StateResolved, DetectedBy: incident.ByAlert,
				Milestones: map[incident.MilestoneName]incident.Milestone{
					incident.Started: milestone(start), incident.Detected: milestone(start.Add(time.Minute)),
					incident.Resolved: milestone(start.Add(time.Duration(10+i%50) * time.Minute)),
				},
			})
		}
		book := measure.NewBook(measure.Options{
			Windows: []measure.Window{{Name: "28d", Length: 28 * 24 * time.Hour}}, Intervals: incident.DefaultIntervals(), MaxServices: 200, By: by,
		})
		book.Watched(at.AddDate(-1, 0, 0))
		require.NoError(t, book.Load(func(yield func(incident.Incident, error) bool) {
			for _, in := range list {
				if !yield(in, nil) {
					return
				}
			}
		}, func(func(incident.Verdict, error) bool) {}))
		c := New(Options{Intervals: incident.DefaultIntervals(), By: by})
		c.Publish(Snapshot{Figures: book.Figures(at)})
		reg := prometheus.NewPedanticRegistry()
		require.NoError(t, reg.Register(c))
		families, err := reg.Gather()
		require.NoError(t, err)
		series = map[string]bool{}
		for _, f := range families {
			for _, m := range f.Metric {
				if m.Gauge == nil { // a counter says when it was made
					continue
				}
				series[f.GetName()+" "+m.String()] = true
			}
		}
		return series
	}
	count := func(series map[string]bool, prefix string) (n int) {
		for s := range series {
			if strings.HasPrefix(s, prefix) {
				n++
			}
		}
		return n
	}
	plain := shown(40)
	require.Zero(t, count(plain, "meantime_by_"))
	for _, teams := range []int{40, 2000} {
		all := shown(teams, "team")
		more := count(all, "meantime_by_team_")
		t.Logf("%d teams: %d series without, %d more by team", teams, len(plain), more)
		require.Positive(t, more)
		require.LessOrEqual(t, more, len(plain), "%d teams", teams)
		for s := range plain {
			require.True(t, all[s], s)
		}
		require.Len(t, all, len(plain)+more, "the others are as they were")
	}
}
