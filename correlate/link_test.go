package correlate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func fires(service string, from, to float64, more ...func(*incident.Sighting)) incident.Sighting {
	start := noon.Add(time.Duration(from * float64(time.Minute)))
	s := incident.Sighting{
		Fingerprint: fmt.Sprintf("%016x", len(service)*1000+int(from)+500), StartsAt: start, EndsAt: noon.Add(time.Duration(to * float64(time.Minute))),
		FiringFirst: start.Add(time.Minute), FiringLast: start.Add(time.Minute), ToldAt: start.Add(time.Minute),
		Labels: map[string]string{"alertname": "Errors", "service": service, "severity": "critical"},
	}
	for _, m := range more {
		m(&s)
	}
	return s
}

func tells(id string, services []string, from, to float64, more ...func(*incident.Record)) incident.Record {
	r := incident.Record{Source: "ours", ID: id, Services: services, State: incident.StateResolved, Milestones: map[incident.MilestoneName]incident.Stated{
		incident.Started:  {At: noon.Add(time.Duration(from * float64(time.Minute)))},
		incident.Resolved: {At: noon.Add(time.Duration(to * float64(time.Minute)))},
	}}
	r.Normalize()
	for _, m := range more {
		m(&r)
	}
	return r
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// linkOf is what became of the first episode and the first record: the state, and what speaks for it.
func linkOf(t *testing.T, f incident.Facts, rules Rules) (incident.LinkState, string) {
	res := Correlate(f, &rules, noon.Add(6*time.Hour))
	for _, in := range res.Incidents {
		for _, l := range in.Links {
			if len(in.Records) > 0 && in.Records[0] == f.Records[0].Key() && l.Episode.Fingerprint == f.Sightings[0].Fingerprint {
				return l.State, strings.Join(l.Evidence, "; ")
			}
		}
	}
	return "", ""
}

func TestReviewsOutrankScores(t *testing.T) {
	f := incident.Facts{
		Sightings: []incident.Sighting{fires("checkout", 5, 20)},
		Records:   []incident.Record{tells("1", []string{"checkout"}, 0, 30), tells("2", []string{"search"}, 300, 330)},
	}
	key := f.Sightings[0].Key()
	decide := func(action incident.ReviewAction, record int) incident.Review {
		return incident.Review{ID: string(action), At: noon, By: "ada", Action: action, Incident: incident.RecordID(f.Records[record].Key()), Episode: &key}
	}
	f.Reviews = []incident.Review{decide(incident.ReviewReject, 0)}
	state, _ := linkOf(t, f, DefaultRules())
	require.Equal(t, incident.LinkRejected, state)

	// Moved to an incident that its times would never lead to.
	f.Reviews = []incident.Review{decide(incident.ReviewReject, 0), decide(incident.ReviewConfirm, 1)}
	rules := DefaultRules()
	res := Correlate(f, &rules, noon.Add(10*time.Hour))
	for _, in := range res.Incidents {
		require.Equal(t, in.Records[0].ID == "2", len(in.Linked()) == 1, in.Records)
	}
	require.Equal(t, incident.OutcomeLinked, res.Verdicts[0].Outcome)
}

func TestAnEpisodeBelongsToOneIncidentAndTheRunnerUpIsSuggested(t *testing.T) {
	group := func(s *incident.Sighting) { s.GroupKeys = []string{"{}:{}"} }
	f := incident.Facts{
		Sightings: []incident.Sighting{fires("checkout", 5, 20, group)},
		Records: []incident.Record{tells("1", []string{"checkout"}, 3, 30), tells("2", []string{"checkout"}, 16, 55, func(r *incident.Record) {
			r.References.GroupKeys = []string{"{}:{}"}
		})},
	}
	rules := DefaultRules()
	states := map[incident.LinkState]int{}
	for _, in := range Correlate(f, &rules, noon.Add(time.Hour)).Incidents {
		for _, l := range in.Links {
			states[l.State]++
		}
	}
	require.Equal(t, map[incident.LinkState]int{incident.LinkLinked: 1, incident.LinkSuggested: 1}, states)
}

func TestOpenedIncidentsGroupAndRelapse(t *testing.T) {
	rules := DefaultRules()
	m, err := labels.ParseMatchers(`severity="critical"`)
	require.NoError(t, err)
	rules.Open.Matchers = append(rules.Open.Matchers, m)
	f := incident.Facts{Sightings: []incident.Sighting{fires("checkout", 0, 10), fires("checkout", 40, 50), fires("search", 5, 9), fires("checkout", 200, 210)}}
	res := Correlate(f, &rules, noon.Add(24*time.Hour))
	linked := map[int]int{}
	for _, in := range res.Incidents {
		require.True(t, in.OpenedByAlerts)
		linked[len(in.Links)]++
	}
	require.Equal(t, map[int]int{2: 1, 1: 2}, linked, "what fires again within the hour is a relapse, later it is another, and another service is another")
}

// That something was heard of an alert long after it was over makes what fires then no relapse.
func TestNoRelapseOfWhatWasLongOver(t *testing.T) {
	rules := DefaultRules()
	m, err := labels.ParseMatchers(`severity="critical"`)
	require.NoError(t, err)
	rules.Open.Matchers = append(rules.Open.Matchers, m)
	late, later := fires("checkout", 0, 1), fires("checkout", 35*24*60, 35*24*60+1)
	late.FiringLast, late.ToldAt = noon.AddDate(0, 0, 40), noon.AddDate(0, 0, 40)
	later.Fingerprint = "another"
	res := Correlate(incident.Facts{Sightings: []incident.Sighting{late, later}}, &rules, noon.AddDate(0, 0, 50))
	require.Len(t, res.Incidents, 2)
}

// A silence that is made during an incident for a time to come is no acknowledgement.
func TestSilenceForATimeToCome(t *testing.T) {
	rules := DefaultRules()
	f := incident.Facts{Sightings: []incident.Sighting{fires("checkout", 0, 90)}, Records: []incident.Record{{
		Source: "tickets", ID: "1", Services: []string{"checkout"}, UpdatedAt: noon, Milestones: map[incident.MilestoneName]incident.Stated{incident.Started: {At: noon}},
	}}}
	for starts, acknowledged := range map[time.Duration]bool{10 * time.Minute: true, 24 * time.Hour: false} {
		f.Silences = []incident.Silence{{ID: "1", CreatedAt: noon.Add(5 * time.Minute), StartsAt: noon.Add(starts), EndsAt: noon.Add(starts + time.Hour), UpdatedAt: noon, CreatedBy: "ann",
			Matchers: []incident.SilenceMatcher{{Name: "service", Value: "checkout", IsEqual: true}}}}
		res := Correlate(f, &rules, noon.AddDate(0, 0, 2))
		require.Len(t, res.Incidents, 1)
		_, ok := res.Incidents[0].Milestones[incident.Acknowledged]
		require.Equal(t, acknowledged, ok, starts)
	}
}
