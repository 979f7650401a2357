package web

import (
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/letter"
)

// What is not known is called so on every page, by no other word.
func TestOneWordForNotKnown(t *testing.T) {
	files, err := templateFiles.ReadDir("templates")
	require.NoError(t, err)
	others := regexp.MustCompile(`(?i)>[^<>{}]*\b(unknown|n/a|none known|no data|undefined)\b[^<>{}]*<|>\s*[–-]\s*<`)
	for _, f := range files {
		text, err := templateFiles.ReadFile("templates/" + f.Name())
		require.NoError(t, err)
		require.Empty(t, others.FindString(string(text)), f.Name())
	}
	require.Equal(t, letter.NotKnown, notKnown)
	require.Equal(t, notKnown, statusWords(incident.StatusMissing))
	require.Contains(t, detectedWords(incident.ByUnknown), notKnown)
	require.Contains(t, detectedWords(""), notKnown)
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                    "0 s",
		1500 * time.Millisecond:              "1.5 s",
		59 * time.Second:                     "59 s",
		time.Minute:                          "1 min",
		91 * time.Minute:                     "1 h 31 min",
		2*time.Hour + 30*time.Second:         "2 h",
		35*time.Minute + 1*time.Second:       "35 min 1 s",
		49 * time.Hour:                       "2 d 1 h",
		24*time.Hour + 30*time.Minute:        "1 d",
		-90 * time.Second:                    "−1 min 30 s",
		math.MinInt64:                        "−106751 d 23 h",
		math.MaxInt64:                        "106751 d 23 h",
		59*time.Minute + 59500000*1000:       "1 h",
		400*24*time.Hour + 5*time.Hour:       "400 d 5 h",
		3*time.Minute + 400*time.Millisecond: "3 min",
	} {
		require.Equal(t, want, duration(d), "%d", d)
	}
}

func TestAgo(t *testing.T) {
	for minutes, want := range map[float64]string{0: "just now", .5: "just now", 5: "5 min ago", 118: "1 h ago", 47 * 60: "47 h ago", 3 * 24 * 60: "3 days ago", -5: "in 5 min", -.5: "just now"} {
		require.Equal(t, want, ago(now, before(minutes)))
	}
}

func TestWhenIsNoMoreExactThanKnown(t *testing.T) {
	at := time.Date(2026, 1, 2, 5, 4, 5, 0, time.FixedZone("", 7200))
	require.Equal(t, "2026-01-02 03:04:05", when(at, incident.PrecisionSecond))
	require.Equal(t, "2026-01-02 03:04", when(at, incident.PrecisionMinute))
	require.Equal(t, "about 2026-01-02 03:04", when(at, incident.PrecisionApproximate))
}

func TestIsLink(t *testing.T) {
	for s, want := range map[string]bool{
		"https://example.org/a?b#c": true, "http://prometheus:9090/graph": true, "HTTPS://EXAMPLE.ORG": true,
		"": false, "example.org": false, "//example.org": false, "javascript:alert(1)": false, "data:text/html,x": false, "http:": false, "http:///x": false,
		"https://example.org is down": false, "see https://example.org": false, "https://example.org/\n": false, "java\tscript:alert(1)": false,
	} {
		require.Equal(t, want, isLink(s), "%q", s)
	}
}

func TestLocal(t *testing.T) {
	for s, want := range map[string]string{
		"/": "/", "/incidents/r1?a=b#c": "/incidents/r1?a=b#c",
		"": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/", "javascript:alert(1)": "/", "incidents": "/",
	} {
		require.Equal(t, want, local(s), "%q", s)
	}
}

func TestWhy(t *testing.T) {
	at := func(o incident.Origin, minutes float64) incident.Candidate {
		return incident.Candidate{Origin: o, At: before(minutes)}
	}
	placeholder := at(incident.OriginRecord, 5)
	placeholder.Placeholder = true
	const review, record, postmortem, prometheus, alert = incident.OriginReview, incident.OriginRecord, incident.OriginPostmortem, incident.OriginPrometheus, incident.OriginAlert
	for _, c := range []struct {
		name       string
		milestone  incident.MilestoneName
		candidates []incident.Candidate
		want       []string
	}{
		{"none", incident.Started, nil, []string{}},
		{"one", incident.Started, []incident.Candidate{at(alert, 1)}, []string{""}},
		{"a person", incident.Detected, []incident.Candidate{at(review, 1), at(alert, 9)}, []string{"counts: a person's decision outranks everything", "overruled by a person"}},
		{"origins", incident.Started, []incident.Candidate{at(record, 1), at(prometheus, 3), at(alert, 2), at(alert, 1)},
			[]string{"counts: a record outranks Prometheus and an alert", "a record outranks Prometheus", "a record outranks an alert", "a record outranks an alert"}},
		{"two records", incident.Resolved, []incident.Candidate{at(record, 1), at(record, 2), at(postmortem, 2)},
			[]string{"counts: its source is listed first in the configuration, or it is the newest", "another source is listed first, or a newer record says otherwise", "a record outranks a written postmortem"}},
		{"placeholder", incident.Started, []incident.Candidate{at(alert, 1), placeholder},
			[]string{"counts: the others only repeat when the record was made or the incident detected", "only repeats when the record was made or the incident detected"}},
		{"only a placeholder", incident.Started, []incident.Candidate{placeholder},
			[]string{"counts for want of a better one, but it only repeats when the record was made or the incident detected, so nothing is measured from it"}},
		{"an alert was first", incident.Detected, []incident.Candidate{at(alert, 9), at(record, 5), at(record, 10)},
			[]string{"counts: the earlier of an alert's first notification and what the records tell", "not earlier than the one that counts", "another source is listed first, or a newer record says otherwise"}},
		{"a record was first", incident.Detected, []incident.Candidate{at(record, 9), at(alert, 5)},
			[]string{"counts: the earlier of an alert's first notification and what the records tell", "not earlier than the one that counts"}},
		{"no alert knew", incident.Detected, []incident.Candidate{at(record, 9), at(postmortem, 10)},
			[]string{"counts: a record outranks a written postmortem", "a record outranks a written postmortem"}},
	} {
		require.Equal(t, c.want, why(c.milestone, c.candidates), c.name)
	}
}

func TestMeasuredInWords(t *testing.T) {
	i := &incident.Incident{Kind: incident.KindDrill, Milestones: map[incident.MilestoneName]incident.Milestone{
		incident.Started: {Candidate: incident.Candidate{At: before(9), Placeholder: true}}, incident.Detected: {Candidate: incident.Candidate{At: before(9)}}}}
	detect := incident.DefaultIntervals()[0]
	for _, c := range []struct {
		m          incident.Measurement
		words, why string
	}{
		{incident.Recorded(91 * time.Minute), "1 h 31 min", ""},
		{incident.Recorded(0), "0 s", ""},
		{incident.Measurement{Status: incident.StatusPending}, "not yet", ""},
		{incident.Measurement{Status: incident.StatusMissing}, "not known", "started (only a placeholder) not known"},
		{incident.Measurement{Status: incident.StatusInvalid}, "contradiction", "detected is told before started"},
		{incident.Measurement{Status: incident.StatusNotApplicable}, "not measured", "a drill is counted, not measured"},
	} {
		got := inWords(i, detect, c.m)
		require.Equal(t, c.words, got.Words)
		require.Equal(t, c.why, got.Why)
	}
	i.State = incident.StateCancelled
	require.Equal(t, "the incident was cancelled", inWords(i, detect, incident.Measurement{Status: incident.StatusNotApplicable}).Why)
	require.Equal(t, "started (only a placeholder) and resolved not known", whyMissing(i, incident.DefaultIntervals()[4]))
	require.Equal(t, "no alert is linked", whyMissing(i, incident.DefaultIntervals()[5]))
}

func TestTimeline(t *testing.T) {
	m := demo()
	tl := newTimeline(&m.incidents[1], now, zone{})
	require.Equal(t, before(131), tl.From)
	require.Equal(t, before(25), tl.To)
	require.Equal(t, bar{"Started", "mark", "about 2026-03-10 09:49", "0.0", "6.0"}, tl.Bars[0])
	require.Equal(t, bar{"Identified", "mark", "2026-03-10 11:35", "994.0", "6.0"}, tl.Bars[4], "nothing is drawn outside")
	require.Equal(t, bar{"Impact", "impact", "56 min", "0.0", "528.3"}, tl.Bars[5])
	require.Equal(t, "CheckoutErrors", tl.Bars[7].Name)

	one := &incident.Incident{Impacts: []incident.Impact{{From: now}}}
	require.Empty(t, newTimeline(one, now, zone{}).Bars, "one moment is no timeline")
	require.Empty(t, newTimeline(&incident.Incident{}, now, zone{}).Bars)

	storm := &incident.Incident{}
	for k := range 30 {
		storm.Links = append(storm.Links, incident.Link{State: incident.LinkLinked, Episode: incident.Episode{Fingerprint: "a", StartsAt: before(float64(60 - k))}})
	}
	tl = newTimeline(storm, now, zone{})
	require.Len(t, tl.Bars, maxBars)
	require.Equal(t, 30-maxBars, tl.More)
	require.Equal(t, now, tl.To, "what fires goes on until now")
}

// Each state of a link has its own heading, those that wait for a decision first.
func TestLinksByState(t *testing.T) {
	var all []incident.Link
	for _, s := range []incident.LinkState{incident.LinkRejected, incident.LinkLinked, incident.LinkStated, incident.LinkConfirmed, incident.LinkSuggested} {
		all = append(all, incident.Link{State: s})
	}
	out, more := groups(all)
	require.Zero(t, more)
	var titles []string
	for _, g := range out {
		titles = append(titles, g.Title)
	}
	require.Equal(t, []string{
		"Suggested: do they belong to it?", "Confirmed by a person", "Stated by a record", "Linked", "Rejected by a person",
	}, titles)
}
