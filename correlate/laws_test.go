package correlate

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// anyRules draws what an organisation of four services says of itself.
func anyRules(t *rapid.T) Rules {
	rules := DefaultRules()
	rules.Services.Aliases = []catalog.ServiceAlias{{Service: "checkout", Names: []string{"Check-out"}}}
	if rapid.Bool().Draw(t, "dependencies?") {
		rules.Dependencies = []catalog.Dependency{{Service: "checkout", Needs: []string{"payments", "search"}}, {Service: "payments", Needs: []string{"db"}}}
	}
	rules.Open.Matchers = []labels.Matchers{{{Name: "severity", Value: "critical", Type: labels.MatchEqual}}}
	rules.Open.Weigh = rapid.Bool().Draw(t, "weigh?")
	return rules
}

// anyFacts draws a few days of alerts and records, close enough to each other to be mistaken for one another.
func anyFacts(t *rapid.T) incident.Facts {
	var f incident.Facts
	services := []string{"checkout", "payments", "search", "db"}
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	moment := func(label string) time.Time {
		return begin.AddDate(0, 0, rapid.IntRange(0, 3).Draw(t, label+" day")).Add(time.Duration(rapid.IntRange(0, 300).Draw(t, label)) * time.Minute)
	}
	for range rapid.IntRange(0, 14).Draw(t, "alerts") {
		service, name := rapid.SampledFrom(services).Draw(t, "service"), rapid.SampledFrom([]string{"Errors", "Slow", "Down"}).Draw(t, "name")
		start := moment("start")
		s := incident.Sighting{
			Fingerprint: fmt.Sprintf("%08x%08x", len(service), len(name)), StartsAt: start, FiringFirst: start.Add(30 * time.Second), FiringLast: start.Add(30 * time.Second), ToldAt: start.Add(30 * time.Second),
			Labels: map[string]string{"alertname": name, "service": service, "severity": rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "severity"), "region": rapid.SampledFrom([]string{"", "north", "south"}).Draw(t, "region")},
		}
		if rapid.Bool().Draw(t, "ended?") {
			s.EndsAt = start.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "lasts")) * time.Minute)
			s.ResolvedFirst = s.EndsAt.Add(time.Minute)
		}
		f.Sightings = append(f.Sightings, s)
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "records") {
		r := incident.Record{
			Source: rapid.SampledFrom([]string{"ours", "theirs"}).Draw(t, "source"), ID: fmt.Sprint(i), Title: rapid.SampledFrom([]string{"checkout errors", "slow search", ""}).Draw(t, "title"),
			Services: rapid.SliceOfNDistinct(rapid.SampledFrom(services), 0, 2, rapid.ID).Draw(t, "services"), State: incident.StateResolved,
			Milestones: map[incident.MilestoneName]incident.Stated{}, UpdatedAt: begin.AddDate(0, 0, 5),
		}
		start := moment("record")
		for _, m := range incident.MilestoneNames {
			if rapid.Bool().Draw(t, string(m)+"?") {
				r.Milestones[m] = incident.Stated{At: start.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, string(m))) * time.Minute)}
			}
		}
		if i > 0 && rapid.IntRange(0, 3).Draw(t, "refers?") == 0 {
			r.References.Keys = []string{fmt.Sprint(i - 1)}
		}
		r.Normalize()
		f.Records = append(f.Records, r)
	}
	return f
}

func text(t *rapid.T, r Result) string {
	b, err := json.MarshalIndent(r, "", " ")
	require.NoError(t, err)
	return string(b)
}

// The same facts give the same incidents and links to the byte, whatever their order and however often each is told.
func TestOrderAndRepetitionChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, f := anyRules(t), anyFacts(t)
		f.Reviews = anyReviews(t, f, &rules)
		now := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
		want := text(t, Correlate(f, &rules, now))
		again := incident.Facts{
			Sightings: rapid.Permutation(slices.Concat(f.Sightings, f.Sightings)).Draw(t, "sightings"),
			Records:   rapid.Permutation(slices.Concat(f.Records, f.Records)).Draw(t, "records"),
			Reviews:   rapid.Permutation(slices.Concat(f.Reviews, f.Reviews)).Draw(t, "reviews"),
		}
		require.Equal(t, want, text(t, Correlate(again, &rules, now)))
	})
}

// anyReviews draws decisions about what correlation made of the facts.
func anyReviews(t *rapid.T, f incident.Facts, rules *Rules) []incident.Review {
	res := Correlate(f, rules, time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC))
	if len(res.Incidents) == 0 {
		return nil
	}
	var out []incident.Review
	for i := range rapid.IntRange(0, 4).Draw(t, "reviews") {
		in := rapid.SampledFrom(res.Incidents).Draw(t, "incident")
		r := incident.Review{ID: fmt.Sprint("review-", i), At: time.Date(2026, 3, 10, i, 0, 0, 0, time.UTC), By: "ada", Incident: in.ID}
		switch action := rapid.SampledFrom([]incident.ReviewAction{incident.ReviewConfirm, incident.ReviewReject, incident.ReviewSet, incident.ReviewMerge, incident.ReviewSplit, incident.ReviewMark}).Draw(t, "action"); action {
		case incident.ReviewConfirm, incident.ReviewReject:
			if len(res.Verdicts) == 0 {
				continue
			}
			v := rapid.SampledFrom(res.Verdicts).Draw(t, "episode")
			k := v.Episode.Key()
			r.Action, r.Episode = action, &k
		case incident.ReviewMerge, incident.ReviewSplit:
			r.Action, r.Other = action, rapid.SampledFrom(res.Incidents).Draw(t, "other").ID
			if r.Other == r.Incident {
				continue
			}
		case incident.ReviewSet:
			r.Action, r.Milestone, r.Time = action, incident.Resolved, time.Date(2026, 3, 9, 12, i, 0, 0, time.UTC)
		case incident.ReviewMark:
			r.Action, r.Mark = action, string(incident.KindDrill)
		}
		out = append(out, r)
	}
	return out
}

// What a person decided holds, whatever else was told and decided about other things.
func TestReviewsWin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules, f := anyRules(t), anyFacts(t)
		now := time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC)
		res := Correlate(f, &rules, now)
		if len(f.Records) == 0 || len(res.Verdicts) == 0 {
			return
		}
		verdict, told := rapid.SampledFrom(res.Verdicts).Draw(t, "episode"), rapid.SampledFrom(f.Records).Draw(t, "record")
		key, id := verdict.Episode.Key(), incident.RecordID(told.Key())
		noon := time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
		review := func(r incident.Review) Result {
			r.ID, r.At, r.By, r.Incident = "r", now.Add(-time.Hour), "ada", id
			g := f
			g.Reviews = []incident.Review{r}
			return Correlate(g, &rules, now)
		}
		states := func(res Result) (here, elsewhere []incident.LinkState) {
			for i := range res.Incidents {
				in := &res.Incidents[i]
				for _, l := range in.Links {
					if l.Episode.Key() == key && (in.ID == id || slices.Contains(in.Aliases, id)) {
						here = append(here, l.State)
					} else if l.Episode.Key() == key && l.State.Counts() {
						elsewhere = append(elsewhere, l.State)
					}
				}
			}
			return here, elsewhere
		}
		here, elsewhere := states(review(incident.Review{Action: incident.ReviewConfirm, Episode: &key}))
		require.Equal(t, []incident.LinkState{incident.LinkConfirmed}, here)
		require.Empty(t, elsewhere, "an episode belongs to one incident")
		here, _ = states(review(incident.Review{Action: incident.ReviewReject, Episode: &key}))
		require.Equal(t, []incident.LinkState{incident.LinkRejected}, here)

		res = review(incident.Review{Action: incident.ReviewSet, Milestone: incident.Resolved, Time: noon})
		i := slices.IndexFunc(res.Incidents, func(in incident.Incident) bool { return in.ID == id || slices.Contains(in.Aliases, id) })
		require.Equal(t, noon, res.Incidents[i].Milestones[incident.Resolved].At)

		// Every episode counts in one incident at most, and its verdict says which.
		for _, res := range []Result{res, Correlate(f, &rules, now)} {
			of := map[incident.EpisodeKey]string{}
			for _, in := range res.Incidents {
				for _, e := range in.Linked() {
					require.Empty(t, of[e.Key()])
					of[e.Key()] = in.ID
				}
			}
			for _, v := range res.Verdicts {
				require.Equal(t, of[v.Episode.Key()] != "", v.Outcome == incident.OutcomeLinked)
			}
		}
	})
}
