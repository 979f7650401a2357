package measure

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// ofTeams are incidents of three teams, and of none.
func ofTeams(n int) (out []incident.Incident) {
	for i := range n {
		s := -float64(i*97%(40*day)) - 1
		out = append(out, down(fmt.Sprint(i), s, s+float64(1+i%50), func(x *incident.Incident) {
			x.Severity = []string{"critical", "warning"}[i%2]
			if team := []string{"", "pay", "ship", "shop"}[i%4]; team != "" {
				x.Labels = map[string]string{"team": team, "region": "eu"}
			}
		}))
	}
	return out
}

// TestByLabel: the figures of a team are those over everything of a book of its incidents alone.
func TestByLabel(t *testing.T) {
	all := ofTeams(200)
	o := Options{Windows: weekOptions.Windows, Intervals: incident.DefaultIntervals(), OpenFor: 7 * 24 * time.Hour}
	book := func(keep func(*incident.Incident) bool, by ...string) *Figures {
		o.By = by
		b := NewBook(o)
		b.Watched(minute(-400 * day))
		var list []incident.Incident
		for i := range all {
			if keep(&all[i]) {
				list = append(list, all[i])
			}
		}
		require.NoError(t, b.Load(each(list), each([]incident.Verdict(nil))))
		return b.Figures(t0)
	}
	f := book(func(*incident.Incident) bool { return true }, "team", "region", "cluster")
	seen := map[string]bool{}
	for w := range f.Windows {
		for _, g := range f.Windows[w].Groups {
			if g.Label != "team" {
				continue
			}
			seen[g.Value+" "+g.Severity] = true
			alone := book(func(x *incident.Incident) bool {
				return x.Labels["team"] == g.Value && (g.Severity == "" || x.Severity == g.Severity)
			}).Windows[w]
			want := *alone.Groups[0]
			want.Grouping = g.Grouping
			require.Equal(t, &want, g)
			for _, r := range f.Windows[w].Reliability {
				if r.Grouping == g.Grouping {
					want := *alone.Reliability[0]
					want.Grouping = g.Grouping
					require.Equal(t, &want, r)
				}
			}
		}
	}
	require.Len(t, seen, 3*2, "each of its severity alone: %v", seen)
	for _, c := range f.Open {
		require.Empty(t, c.Label, "open incidents are counted by service alone")
	}
}

// TestLimitOfLabels: values over the limit are shown together, and the most frequent by themselves.
func TestLimitOfLabels(t *testing.T) {
	var list []incident.Incident
	for i := range 60 {
		list = append(list, down(fmt.Sprint(i), -float64(i)-10, -float64(i)-5, func(x *incident.Incident) {
			x.Labels = map[string]string{"team": fmt.Sprintf("t%02d", i%11%10)}
		}))
	}
	b := NewBook(Options{Windows: weekOptions.Windows, Intervals: incident.DefaultIntervals(), By: []string{"team"}, MaxServices: 3})
	require.NoError(t, b.Load(each(list), each([]incident.Verdict(nil))))
	n := map[string]int{}
	for _, g := range b.Figures(t0).Windows[0].Groups {
		if g.Label == "team" && g.Severity == "" {
			n[g.Value] = g.Incidents
		}
	}
	require.Equal(t, map[string]int{"t00": 11, "t01": 6, "t02": 6, Other: 37}, n)
}

// TestByLabelsInAReport: a report has the groups asked for.
func TestByLabelsInAReport(t *testing.T) {
	for _, c := range []struct {
		q    Question
		want string
		err  string
	}{
		{Question{}, "Everything", ""},
		{Question{By: "team"}, "Everything, team pay, team ship, team shop", ""},
		{Question{By: "region,severity"}, "Everything, Severity critical, Severity warning, region eu, region eu, critical, region eu, warning", ""},
		{Question{By: "team", Severity: "critical"}, "Severity critical, team ship, critical", ""},
		{Question{Label: "team=pay"}, "team pay", ""},
		{Question{Label: "team=pay", By: "severity"}, "team pay, team pay, warning", ""},
		{Question{By: "teem"}, "", `by: no by "teem"; did you mean team?; there are region, service, severity, team`},
		{Question{Label: "team=none"}, "", `team: no team "none"; there are pay, ship, shop`},
	} {
		o := weekOptions
		o.By = []string{"team", "region"}
		asked, err := c.q.Grouping(o.By)
		require.NoError(t, err)
		r, err := NewReport(ReportOptions{Options: o, Period: Rolling(week, t0), Asked: asked, Watched: minute(-400 * day)}, each(ofTeams(200)),
			each([]incident.Verdict(nil)))
		require.NoError(t, err)
		err = r.Only(&c.q, o.By...)
		if c.err != "" {
			require.EqualError(t, err, c.err)
			continue
		}
		require.NoError(t, err)
		var titles []string
		for i := range r.Groups {
			titles = append(titles, r.Groups[i].title())
		}
		require.Equal(t, c.want, strings.Join(titles, ", "), "%+v", c.q)
	}
}
