package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"meantime/incident"
)

// memory is a store in memory. While err is set, every call answers with it.
type memory struct {
	mu        sync.Mutex
	records   []incident.Record
	reviews   []incident.Review
	incidents []incident.Incident
	verdicts  []incident.Verdict
	pending   bool // correlation has not taken in everything
	err       error
}

var _ Store = (*memory)(nil)

func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.reviews = append(m.reviews, f.Reviews...)
	}
	return incident.Receipt{}, m.err
}

func (m *memory) Record(_ context.Context, k incident.RecordKey) (incident.Record, error) {
	for _, r := range m.records {
		if r.Key() == k {
			return r, m.err
		}
	}
	return incident.Record{}, incident.Errorf(incident.CodeNotFound, "no record %s", k)
}

func (m *memory) Records(_ context.Context, from, _ time.Time) ([]incident.Record, error) {
	var out []incident.Record
	for _, r := range m.records {
		if _, to := r.Span(); !to.Before(from) {
			out = append(out, r)
		}
	}
	return out, m.err
}

func (m *memory) Reviews(context.Context) ([]incident.Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.reviews), m.err
}

func (m *memory) SightingsOf(_ context.Context, fingerprints []string) (out []incident.Sighting, err error) {
	for _, v := range m.verdicts {
		if slices.Contains(fingerprints, v.Episode.Fingerprint) {
			out = append(out, incident.Sighting{Fingerprint: v.Episode.Fingerprint, StartsAt: v.Episode.StartsAt})
		}
	}
	return out, m.err
}

// Position is behind the only change while something is pending.
func (m *memory) Position(context.Context) (int64, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending {
		return 0, "rules", m.err
	}
	return 1, "rules", m.err
}

func (m *memory) Changes(_ context.Context, after int64, _ int) ([]incident.Change, error) {
	if after == 0 {
		return []incident.Change{{Seq: 1}}, m.err
	}
	return nil, m.err
}

func (m *memory) Review(_ context.Context, id string) (incident.Review, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return incident.Review{}, m.err
	}
	if i := slices.IndexFunc(m.reviews, func(r incident.Review) bool { return r.ID == id }); i >= 0 {
		return m.reviews[i], nil
	}
	return incident.Review{}, incident.Errorf(incident.CodeNotFound, "no review %s", id)
}

func (m *memory) Incident(_ context.Context, id string) (incident.Incident, error) {
	if m.err != nil {
		return incident.Incident{}, m.err
	}
	for _, i := range m.incidents {
		if i.ID == id || slices.Contains(i.Aliases, id) {
			return i, nil
		}
	}
	return incident.Incident{}, incident.Errorf(incident.CodeNotFound, "no incident %s", id)
}

func (m *memory) Incidents(_ context.Context, q incident.IncidentQuery) ([]incident.Incident, string, error) {
	var out []incident.Incident
	for _, i := range m.incidents {
		if (q.State == "" || q.State == i.State) && (q.Severity == "" || q.Severity == i.Severity) &&
			(q.Service == "" || slices.Contains(i.Services, q.Service)) && within(i.At(), q.From, q.To) {
			out = append(out, i)
		}
	}
	return turn(out, q.Cursor, q.Limit, m.err)
}

func (m *memory) Verdicts(_ context.Context, q incident.VerdictQuery) ([]incident.Verdict, string, error) {
	var out []incident.Verdict
	for _, v := range m.verdicts {
		if (q.Outcome == "" || q.Outcome == v.Outcome) && within(v.Episode.StartsAt, q.From, q.To) {
			out = append(out, v)
		}
	}
	return turn(out, q.Cursor, q.Limit, m.err)
}

func within(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// turn is the page at a cursor that counts from 0.
func turn[T any](all []T, cursor string, limit int, err error) ([]T, string, error) {
	if err != nil {
		return nil, "", err
	}
	n := 0
	if cursor != "" {
		if n, err = strconv.Atoi(cursor); err != nil || n > len(all) {
			return nil, "", incident.Errorf(incident.CodeInvalid, "cursor: not one of ours")
		}
	}
	end, next := min(n+limit, len(all)), ""
	if end < len(all) {
		next = strconv.Itoa(end)
	}
	return all[n:end], next, nil
}

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// before is a moment some minutes before now.
func before(minutes float64) time.Time {
	return now.Add(-time.Duration(minutes * float64(time.Minute)))
}

// stated makes a milestone of its candidates, the first of which counts.
func stated(c ...incident.Candidate) incident.Milestone {
	return incident.Milestone{Candidate: c[0], Candidates: c}
}

func says(o incident.Origin, at time.Time, from, evidence string) incident.Candidate {
	return incident.Candidate{At: at, Precision: incident.DefaultPrecision(at), Origin: o, From: from, Evidence: evidence}
}

// hostile is a text that must not reach a page as markup.
const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

// demo is a store with something of everything: an open incident with suggestions, one whose record contradicts its
// alerts, one that stopped and came back, one that no alert caught, a drill, and one that tries to break the page.
func demo() *memory {
	placeholder := says(incident.OriginRecord, before(110), "ours/checkout-42", "")
	placeholder.Placeholder = true
	about := says(incident.OriginPostmortem, before(131), "notes/42", "“errors since about ten to ten”")
	about.Precision = incident.PrecisionApproximate
	episode := func(name, fingerprint string, from, to float64) incident.Episode {
		e := incident.Episode{Fingerprint: fingerprint, StartsAt: before(from), Labels: map[string]string{"alertname": name, "service": "checkout", "severity": "critical", "region": "eu-west-1"},
			Annotations: map[string]string{"summary": "5xx above 5 % for 5 minutes"}, GeneratorURL: "http://prometheus.example:9090/graph?g0.expr=up",
			NotifiedAt: before(from - 0.5), ConditionAt: before(from + 5), ConditionFrom: incident.ConditionMeasured}
		if to > 0 {
			e.EndsAt, e.End = before(to), incident.EndResolved
		}
		return e
	}
	errors, latency, disk := episode("CheckoutErrors", "00000000000000aa", 125, 30), episode("CheckoutLatencyHigh", "00000000000000bb", 120, 41), episode("DiskAlmostFull", "00000000000000cc", 118, 0)
	gone := episode("PaymentsDown", "00000000000000dd", 100, 60)
	gone.End = incident.EndExpired
	m := &memory{
		records: []incident.Record{
			{Source: "ours", ID: "checkout-42", Title: "Checkout answers with errors", URL: "https://status.example.org/incidents/42", UpdatedAt: before(20), Milestones: map[incident.MilestoneName]incident.Stated{"started": {At: before(110)}}},
			{Source: "notes", ID: "42", Title: "What happened on Tuesday", Origin: incident.OriginPostmortem, UpdatedAt: before(5), Milestones: map[incident.MilestoneName]incident.Stated{"started": {At: before(131)}},
				Questions: []incident.Question{{Kind: "zone", Text: "Is 09:50 in UTC or in local time?", Why: "the document names no zone", Candidates: []string{"09:50 UTC", "08:50 UTC"}, Field: "milestones.started", Line: 12}}},
		},
		reviews: []incident.Review{
			{ID: "v1", At: before(15), By: "Ada", Reason: "the disk has nothing to do with it", Action: incident.ReviewReject, Incident: "r1", Episode: &incident.EpisodeKey{Fingerprint: gone.Fingerprint, StartsAt: gone.StartsAt}},
			{ID: "v2", At: before(12), By: "Bob", Action: incident.ReviewMark, Incident: "r1", Mark: "drill"},
			{ID: "v3", At: before(11), By: "Ada", Action: incident.ReviewWithdraw, Other: "v2"},
		},
	}
	checkout := incident.Incident{
		ID: "r1", Aliases: []string{"r0"}, Title: "Checkout answers with errors", URL: "https://status.example.org/incidents/42", Services: []string{"checkout", "payments"},
		Severity: "critical", Kind: incident.KindIncident, State: incident.StateResolved, DetectedBy: incident.ByAlert,
		Records: []incident.RecordKey{{Source: "ours", ID: "checkout-42"}, {Source: "notes", ID: "42"}},
		Milestones: map[incident.MilestoneName]incident.Milestone{
			incident.Started:      stated(about, says(incident.OriginPrometheus, before(130), errors.Key().String(), "ALERTS_FOR_STATE"), says(incident.OriginAlert, before(125), errors.Key().String(), ""), placeholder),
			incident.Detected:     stated(says(incident.OriginAlert, before(124.5), errors.Key().String(), "first notification of CheckoutErrors"), says(incident.OriginRecord, before(110), "ours/checkout-42", "")),
			incident.Acknowledged: stated(says(incident.OriginRecord, before(107), "ours/checkout-42", "https://chat.example.org/t/881")),
			incident.Identified:   stated(says(incident.OriginReview, before(25), "v7", "the change that was rolled back"), says(incident.OriginRecord, before(80), "ours/checkout-42", "")),
			incident.Resolved:     stated(says(incident.OriginRecord, before(28), "ours/checkout-42", "")),
		},
		Impacts: []incident.Impact{{From: before(131), To: before(75), Evidence: "errors on the status page"}, {From: before(52), To: before(30)}},
		Links: []incident.Link{
			{Episode: errors, State: incident.LinkLinked, Score: .96, Evidence: []string{"same service checkout", "fired 6 minutes after the impact began", "this alert fired twice in the past four weeks"}},
			{Episode: latency, State: incident.LinkConfirmed, Score: .7, Evidence: []string{"same service checkout"}},
			{Episode: disk, State: incident.LinkSuggested, Score: .52, Evidence: []string{"fired during the impact", "against it: this alert fires every day"}},
			{Episode: gone, State: incident.LinkRejected, Score: .41},
		},
		Alerts:  incident.AlertTimes{Condition: before(130), Fired: before(125), Notified: before(124.5), Ended: before(30)},
		Merged:  []string{"notes/42 names ours/checkout-42 in its references"},
		Actions: []incident.Action{{Title: "Alert on errors after one minute", State: "open", Due: "2026-04-01"}},
	}
	search := incident.Incident{
		ID: "r2", Title: "Search does not find new articles", Services: []string{"search"}, Severity: "warning", Kind: incident.KindIncident, State: incident.StateOpen,
		DetectedBy: incident.ByCustomer, MissedDetection: true, OpenUntil: before(-6000), Records: []incident.RecordKey{{Source: "ours", ID: "43"}},
		Milestones: map[incident.MilestoneName]incident.Milestone{incident.Detected: stated(says(incident.OriginRecord, before(47), "ours/43", "a customer wrote"))},
		Impacts:    []incident.Impact{{From: before(200)}},
	}
	drill := incident.Incident{ID: "r3", Title: "Failover drill", Services: []string{"payments"}, Severity: "info", Kind: incident.KindDrill, State: incident.StateResolved, DetectedBy: incident.ByStaff,
		Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: stated(says(incident.OriginRecord, before(5000), "ours/44", ""))}}
	evil := incident.Incident{
		ID: "a4", Title: hostile, URL: "javascript:alert(3)", Services: []string{hostile, strings.Repeat("x", 120)}, Severity: hostile, Kind: incident.KindIncident, State: incident.StateResolved,
		DetectedBy: incident.ByUnknown, OpenedByAlerts: true, LateAlert: true, Blind: true,
		Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: stated(says(incident.OriginRecord, before(9000), hostile, "javascript:alert(4)")), incident.Resolved: stated(says(incident.OriginRecord, before(9100), "", hostile))},
		Impacts:    []incident.Impact{{From: before(9000), Evidence: hostile}},
		Links: []incident.Link{{State: incident.LinkSuggested, Score: 7, Evidence: []string{hostile}, Episode: incident.Episode{Fingerprint: hostile, StartsAt: before(8990),
			Labels: map[string]string{"alertname": hostile, hostile: hostile}, Annotations: map[string]string{"summary": hostile}, GeneratorURL: "javascript:alert(5)"}}},
		Merged: []string{hostile}, Related: []incident.Related{{ID: hostile, How: hostile}}, Actions: []incident.Action{{Title: hostile, State: hostile, Due: hostile}},
	}
	m.incidents = []incident.Incident{search, checkout, drill, evil}
	for _, l := range checkout.Links {
		m.verdicts = append(m.verdicts, incident.Verdict{Episode: l.Episode, Service: "checkout", Severity: "critical", Outcome: incident.OutcomeLinked, Incident: "r1"})
	}
	m.verdicts[2].Outcome = incident.OutcomeSuggested
	m.verdicts[3].Outcome, m.verdicts[3].Incident = incident.OutcomeNone, ""
	m.verdicts[3].Why = "nothing explains it, and it seldom fires on its own <b>"
	return m
}
