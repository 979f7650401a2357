package preview

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// of is an incident of records and of alerts, by their names; it begins at noon.
func of(id string, records, alerts string) incident.Incident {
	in := incident.Incident{ID: id, Title: "Incident " + id, Milestones: map[incident.MilestoneName]incident.Milestone{
		incident.Started: {Candidate: incident.Candidate{At: noon}},
	}}
	for r := range strings.FieldsSeq(records) {
		in.Records = append(in.Records, incident.RecordKey{Source: "ours", ID: r})
	}
	for a := range strings.FieldsSeq(alerts) {
		l := incident.Link{State: incident.LinkLinked, Episode: incident.Episode{Fingerprint: a, StartsAt: noon, Labels: map[string]string{"alertname": a}}}
		if suggested := strings.TrimSuffix(a, "?"); suggested != a {
			l.State, l.Episode.Fingerprint = incident.LinkSuggested, suggested
		}
		in.Links = append(in.Links, l)
	}
	return in
}

// TestCompare is a case for each way in which incidents can be otherwise.
func TestCompare(t *testing.T) {
	ids := func(l []Incident) (out []string) {
		for _, x := range l {
			out = append(out, x.ID)
		}
		return out
	}
	splits := func(l []Split) (out []string) {
		for _, x := range l {
			out = append(out, x.One.ID+": "+strings.Join(ids(x.Several), " "))
		}
		return out
	}
	early := of("early", "9", "")
	early.Milestones[incident.Started] = incident.Milestone{Candidate: incident.Candidate{At: noon.Add(-48 * time.Hour)}}
	for _, c := range []struct {
		name                       string
		before, after              []incident.Incident
		appear, vanish, join, part []string
		links                      []Link
	}{
		{name: "the same", before: []incident.Incident{of("a", "1", "x")}, after: []incident.Incident{of("a", "1", "x")}},
		{name: "one that alerts open", after: []incident.Incident{of("a", "", "x")}, appear: []string{"a"},
			links: []Link{{Alert: "x", StartsAt: noon, After: "a"}}},
		{name: "one that alerts open no more", before: []incident.Incident{of("a", "", "x")}, vanish: []string{"a"},
			links: []Link{{Alert: "x", StartsAt: noon, Before: "a"}}},
		{name: "an alert that is linked", before: []incident.Incident{of("a", "1", "x?")}, after: []incident.Incident{of("a", "1", "x")},
			links: []Link{{Alert: "x", StartsAt: noon, After: "a"}}},
		{name: "two that become one", before: []incident.Incident{of("a", "1", ""), of("b", "2", "y")},
			after: []incident.Incident{of("a", "1 2", "y")}, join: []string{"a: a b"},
			links: []Link{{Alert: "y", StartsAt: noon, Before: "b", After: "a"}}},
		{name: "one that becomes two", before: []incident.Incident{of("a", "1 2", "")},
			after: []incident.Incident{of("a", "1", ""), of("b", "2", "")}, part: []string{"a: a b"}},
		{name: "an alert that moves", before: []incident.Incident{of("a", "1", "x"), of("b", "2", "")},
			after: []incident.Incident{of("a", "1", ""), of("b", "2", "x")},
			join:  []string{"b: a b"}, part: []string{"a: a b"}, links: []Link{{Alert: "x", StartsAt: noon, Before: "a", After: "b"}}},
		{name: "one from before the period", before: []incident.Incident{early}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Compare(Side{Incidents: c.before}, Side{Incidents: c.after}, noon.Add(-time.Hour), noon.Add(time.Hour))
			require.Equal(t, c.appear, ids(got.Appearing))
			require.Equal(t, c.vanish, ids(got.Vanishing))
			require.Equal(t, c.join, splits(got.Joining))
			require.Equal(t, c.part, splits(got.Parting))
			require.Equal(t, append([]Link{}, c.links...), got.Links)
		})
	}
}
