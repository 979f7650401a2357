package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func moment(minutes int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// checkout is an incident with something in every field.
func checkout() incident.Incident {
	prometheus := incident.Candidate{At: moment(0), Precision: incident.PrecisionSecond, Origin: incident.OriginPrometheus, Evidence: "ALERTS_FOR_STATE", From: "aa@1"}
	record := incident.Candidate{At: moment(5), Precision: incident.PrecisionMinute, Origin: incident.OriginRecord, From: "ours/42", Placeholder: true}
	detected := incident.Candidate{At: moment(2), Precision: incident.PrecisionSecond, Origin: incident.OriginAlert}
	return incident.Incident{
		ID: "r1", Aliases: []string{"a9"}, Title: "Checkout <b>slow</b>", URL: "https://example.org/42", Services: []string{"checkout"}, Severity: "critical",
		Kind: incident.KindIncident, State: incident.StateResolved, Labels: map[string]string{"region": "eu"}, OpenUntil: moment(9000),
		DetectedBy: incident.ByAlert, LateAlert: true, Blind: true,
		Records: []incident.RecordKey{{Source: "ours", ID: "42"}},
		Milestones: map[incident.MilestoneName]incident.Milestone{
			incident.Started:  {Candidate: prometheus, Candidates: []incident.Candidate{prometheus, record}},
			incident.Detected: {Candidate: detected},
		},
		Impacts: []incident.Impact{{From: moment(0), To: moment(30), Evidence: "5xx"}, {From: moment(40)}},
		Alerts:  incident.AlertTimes{Condition: moment(0), Fired: moment(1), Notified: moment(2), Ended: moment(30), First: moment(2), Person: moment(3)},
		Links: []incident.Link{{
			Episode: incident.Episode{Fingerprint: "aa", StartsAt: moment(1), EndsAt: moment(30), End: incident.EndResolved,
				Labels: map[string]string{"alertname": "Slow"}, Annotations: map[string]string{"summary": "slow"}, NotifiedAt: moment(2),
				ConditionAt: moment(0), ConditionFrom: incident.ConditionMeasured, SilencedAt: moment(3), InhibitedAt: moment(3), SilencedBy: []string{"s"},
				GeneratorURL: "http://prometheus/graph", GroupKeys: []string{"g"}, LastSeen: moment(30), Starts: []time.Time{moment(1)}},
			State: incident.LinkLinked, Score: 0.93, Evidence: []string{"same service checkout"},
		}, {Episode: incident.Episode{Fingerprint: "bb", StartsAt: moment(4)}, State: incident.LinkSuggested, Score: 0.5}},
		Merged: []string{"same key"}, Related: []incident.Related{{ID: "r7", How: "caused_by"}},
		Actions: []incident.Action{{Title: "alert on 5xx", State: "open", Due: "2026-02-01"}}, Reviews: []string{"v1"},
	}
}

func TestGetIncident(t *testing.T) {
	f := newFixture(t)
	f.store.incidents = []incident.Incident{checkout()}
	w := f.call("GET", "/api/v1/incidents/r1", "")
	require.Equal(t, http.StatusOK, w.Code)
	got := decode[map[string]any](t, w)
	require.JSONEq(t, `{"at":"2026-01-02T03:04:05Z","precision":"second","origin":"prometheus","evidence":"ALERTS_FOR_STATE","from":"aa@1","candidates":[
		{"at":"2026-01-02T03:04:05Z","precision":"second","origin":"prometheus","evidence":"ALERTS_FOR_STATE","from":"aa@1"},
		{"at":"2026-01-02T03:09:05Z","precision":"minute","origin":"record","from":"ours/42","placeholder":true}]}`,
		marshal(t, got["milestones"].(map[string]any)["started"]))
	require.JSONEq(t, `{"status":"recorded","seconds":120}`, marshal(t, got["measurements"].(map[string]any)["detect"]))
	require.JSONEq(t, `{"episode":{"fingerprint":"bb","starts_at":"2026-01-02T03:08:05Z","labels":{}},"state":"suggested","score":0.5,"evidence":[]}`,
		marshal(t, got["links"].([]any)[1]))
	require.JSONEq(t, `{"from":"2026-01-02T03:44:05Z"}`, marshal(t, got["impacts"].([]any)[1]))

	require.Equal(t, got, decode[map[string]any](t, f.call("GET", "/api/v1/incidents/a9", "")), "an alias answers the incident with its id")
	w = f.call("GET", "/api/v1/incidents/r2", "")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "no incident r2", f.requireProblem(w).Detail)
}

func TestAnIncidentOfNothingHasNoNulls(t *testing.T) {
	f := newFixture(t)
	f.store.incidents = []incident.Incident{{ID: "r1", Kind: incident.KindIncident, State: incident.StateOpen, DetectedBy: incident.ByUnknown}}
	w := f.call("GET", "/api/v1/incidents/r1", "")
	require.Equal(t, http.StatusOK, w.Code)
	require.NotContains(t, w.Body.String(), "null")
}

func TestListIncidents(t *testing.T) {
	f := newFixture(t)
	for i, id := range []string{"r3", "r2", "r1"} {
		x := checkout()
		x.ID, x.Aliases = id, nil
		at := incident.Candidate{At: moment(-60 * i), Precision: incident.PrecisionSecond, Origin: incident.OriginRecord}
		x.Milestones = map[incident.MilestoneName]incident.Milestone{incident.Started: {Candidate: at}}
		if id == "r2" {
			x.State, x.Severity, x.Services = incident.StateOpen, "warning", []string{"search", "sign in"}
		}
		f.store.incidents = append(f.store.incidents, x)
	}
	type page struct {
		Incidents []incident.Incident
		Next      string
	}
	ids := func(query string) string {
		var out []string
		p := decode[page](t, f.call("GET", "/api/v1/incidents"+query, ""))
		for _, i := range p.Incidents {
			require.NotEmpty(t, i.Measurements)
			out = append(out, i.ID)
		}
		return strings.Join(out, " ")
	}
	at := func(minutes int) string { return url.QueryEscape(moment(minutes).Format(time.RFC3339)) }
	require.Equal(t, "r3 r2 r1", ids(""))
	require.Equal(t, "r2", ids("?state=open"))
	require.Equal(t, "r3 r1", ids("?severity=critical&service=checkout"))
	require.Equal(t, "r2", ids("?service=sign+in"))
	require.Equal(t, "r3 r2", ids("?from="+at(-60)), "from is inclusive")
	require.Equal(t, "r2 r1", ids("?to="+at(0)), "to is exclusive")
	require.Equal(t, "", ids("?from="+at(1)))

	first := decode[page](t, f.call("GET", "/api/v1/incidents?limit=1&severity=critical", ""))
	require.Equal(t, "r3", first.Incidents[0].ID)
	second := decode[page](t, f.call("GET", "/api/v1/incidents?limit=1&severity=critical&cursor="+first.Next, ""))
	require.Equal(t, "r1", second.Incidents[0].ID)
	require.Empty(t, second.Next)
	for _, query := range []string{"?severity=warning&cursor=" + first.Next, "?severity=critical&cursor=" + first.Next[:6], "?cursor=zzz", "?cursor=" + url.QueryEscape("../..")} {
		w := f.call("GET", "/api/v1/incidents"+query, "")
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Equal(t, []incident.Problem{{Path: "cursor", Message: "not one that this list gave for these filters; begin again without it"}}, f.requireProblem(w).Errors)
	}
}

func TestListEpisodes(t *testing.T) {
	f := newFixture(t)
	whole := checkout().Links[0].Episode
	f.store.verdicts = []incident.Verdict{
		{Episode: whole, Service: "checkout", Severity: "critical", Outcome: incident.OutcomeLinked, Incident: "r1"},
		{Episode: incident.Episode{Fingerprint: "bb", StartsAt: moment(-60)}, Outcome: incident.OutcomeNone, Opens: true, Why: "it is maintenance"},
	}
	w := f.call("GET", "/api/v1/episodes", "")
	require.Equal(t, http.StatusOK, w.Code)
	got := decode[struct{ Episodes []map[string]any }](t, w)
	require.JSONEq(t, `{"fingerprint":"bb","starts_at":"2026-01-02T02:04:05Z","labels":{},"service":"","severity":"","outcome":"none","opens":true,"why":"it is maintenance"}`, marshal(t, got.Episodes[1]))
	require.Equal(t, "2026-01-02T03:34:05Z", got.Episodes[0]["ends_at"])
	require.Equal(t, "r1", got.Episodes[0]["incident"])
	require.Len(t, decode[struct{ Episodes []any }](t, f.call("GET", "/api/v1/episodes?outcome=none", "")).Episodes, 1)
	require.False(t, f.store.verdicts[0].Episode.EndsAt.IsZero(), "the store's own is as it was")
	require.Empty(t, decode[struct{ Episodes []any }](t, f.call("GET", "/api/v1/episodes?outcome=suggested", "")).Episodes)
}

// When an alert was last heard of does not look like its end, whatever kind of end it is, and the document knows them all.
func TestEndsThatAreNotKnown(t *testing.T) {
	f := newFixture(t)
	in := checkout()
	in.Links = nil
	for i, end := range append(slices.Clone(incident.EndKinds), incident.EndNone) {
		e := incident.Episode{Fingerprint: strconv.Itoa(i), StartsAt: moment(0), EndsAt: moment(30), End: end, LastSeen: moment(40)}
		switch end {
		case incident.EndNone:
			e.EndsAt = time.Time{}
		case incident.EndVanished:
			e.EndReason = "Paused"
		}
		f.store.verdicts = append(f.store.verdicts, incident.Verdict{Episode: e, Outcome: incident.OutcomeNone})
		in.Links = append(in.Links, incident.Link{Episode: e, State: incident.LinkLinked})
	}
	f.store.incidents = []incident.Incident{in}
	want := map[string]any{"resolved": "2026-01-02T03:34:05Z", "gone": "2026-01-02T03:34:05Z", "history": "2026-01-02T03:34:05Z", "superseded": nil, "expired": nil, "vanished": nil, "": nil}
	require.Len(t, want, len(incident.EndKinds)+1)
	check := func(e map[string]any) {
		kind, _ := e["end"].(string)
		require.Equal(t, want[kind], e["ends_at"], kind)
		require.Equal(t, "2026-01-02T03:44:05Z", e["last_seen"], kind)
	}
	episodes := decode[struct{ Episodes []map[string]any }](t, f.call("GET", "/api/v1/episodes", "")).Episodes
	links := decode[struct {
		Links []struct{ Episode map[string]any }
	}](t, f.call("GET", "/api/v1/incidents/r1", "")).Links
	listed := decode[struct {
		Incidents []struct {
			Links []struct{ Episode map[string]any }
		}
	}](t, f.call("GET", "/api/v1/incidents", "")).Incidents[0].Links
	require.Len(t, episodes, len(want))
	require.Len(t, links, len(want))
	for i := range episodes {
		check(episodes[i])
		check(links[i].Episode)
		check(listed[i].Episode)
	}
	require.False(t, f.store.incidents[0].Links[4].Episode.EndsAt.IsZero(), "the store's own is as it was")
}
