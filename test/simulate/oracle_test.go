package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"meantime/collector"
	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
	"meantime/test/servers"
)

// What must hold. That only one saves passes at a time, and under its own lease, is looked at where they are saved (hub.Save);
// that nothing goes back and everything is shown in time, where it is read (bystander.read and expect).

// mustHold says that what is acknowledged of an alert is stored, at that very moment.
func (h *hub) mustHold(a *alert) {
	list, err := h.Store.SightingsOf(context.Background(), []string{a.Fingerprint})
	if err != nil {
		h.breaks("the store does not answer: %v", err)
	}
	for _, s := range list {
		if s.StartsAt.Equal(a.StartsAt) {
			if a.toldEnd && !s.EndsAt.Equal(a.ends) {
				h.breaks("the end of %v was acknowledged, and it ends at %s, not %s", a.Labels, s.EndsAt, a.ends)
			}
			return
		}
	}
	h.breaks("%v was acknowledged and is not stored", a.Labels)
}

// mustHoldRecord says the same of a version of a register, or that a newer one is there.
func (h *hub) mustHoldRecord(k incident.RecordKey, resolved time.Time) {
	r, err := h.Store.Record(context.Background(), k)
	if err != nil || r.Milestones[incident.Resolved].At.Before(resolved) {
		h.breaks("a version of %s was acknowledged and is not stored: %v", k, err)
	}
}

func (h *hub) mustHoldReview(id string) {
	if _, err := h.Store.Review(context.Background(), id); err != nil {
		h.breaks("%s was acknowledged and is not stored: %v", id, err)
	}
}

// judge compares what is stored and shown when everything is at rest with what the pure functions make of all facts.
func (w *world) judge() {
	ctx := context.Background()
	for _, a := range w.alerts {
		w.hub.mustHold(a)
		if !a.told || !a.toldEnd {
			w.hub.breaks("%v was not acknowledged", a.Labels)
		}
	}
	for i := range registers {
		if n := w.versions[i].Load(); n > 0 {
			k := incident.RecordKey{Source: "ours", ID: fmt.Sprint("register-", i)}
			w.hub.mustHoldRecord(k, epoch.Add(-time.Duration(i+1)*9*time.Hour).Add(time.Duration(5+n)*time.Minute))
		}
	}
	for id := range w.reviews {
		w.hub.mustHoldReview(id)
	}
	facts, err := allFacts(ctx, w.hub.Store)
	if err != nil {
		w.hub.breaks("facts cannot be read: %v", err)
		return
	}
	c, err := loaded(w.config)
	if err != nil {
		w.hub.breaks("%v", err)
		return
	}
	now := time.Now()
	want := correlate.Correlate(facts, &c.Rules, now)
	w.compareDerived(ctx, want)
	w.compareFigures(c, want, now)
}

func loaded(file string) (*config.Validated, error) {
	c, err := config.Load(file, nil)
	if err != nil {
		return nil, err
	}
	return c.Validate()
}

// allFacts are all facts of a store.
func allFacts(ctx context.Context, s interface {
	correlate.FactsReader
}) (f incident.Facts, err error) {
	var none time.Time
	if f.Sightings, err = s.Sightings(ctx, none, none); err != nil {
		return f, err
	}
	if f.Records, err = s.Records(ctx, none, none); err != nil {
		return f, err
	}
	if f.Reviews, err = s.Reviews(ctx); err != nil {
		return f, err
	}
	if f.Silences, err = s.Silences(ctx, none, none); err != nil {
		return f, err
	}
	if f.Beats, err = s.Beats(ctx, none, none); err != nil {
		return f, err
	}
	f.Lives, f.Senders, err = s.Reach(ctx)
	return f, err
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// compareDerived compares incidents and verdicts.
func (w *world) compareDerived(ctx context.Context, want correlate.Result) {
	stored, err := w.hub.Store.IncidentsTouching(ctx, time.Time{}, time.Time{})
	if err != nil {
		w.hub.breaks("incidents cannot be read: %v", err)
		return
	}
	got := map[string]string{}
	for i := range stored {
		got[stored[i].ID] = text(stored[i])
	}
	for i := range want.Incidents {
		in := &want.Incidents[i]
		if s, ok := got[in.ID]; !ok {
			w.hub.breaks("incident %s is missing: %s", in.ID, text(in))
		} else if s != text(in) {
			w.hub.breaks("incident %s is\n%s\nand not\n%s", in.ID, s, text(in))
		}
		delete(got, in.ID)
	}
	for _, id := range slices.Sorted(maps.Keys(got)) {
		w.hub.breaks("incident %s is none: %s", id, got[id])
	}
	verdicts := map[incident.EpisodeKey]incident.Verdict{}
	for v, err := range w.hub.Store.EachVerdict(ctx, time.Time{}, time.Now().Add(time.Hour)) {
		if err != nil {
			w.hub.breaks("verdicts cannot be read: %v", err)
			return
		}
		verdicts[key(&v)] = v
	}
	for i := range want.Verdicts {
		v := &want.Verdicts[i]
		s, ok := verdicts[key(v)]
		if !ok || s.Outcome != v.Outcome || s.Incident != v.Incident || !s.Episode.EndsAt.Equal(v.Episode.EndsAt) {
			w.hub.breaks("the verdict of %v is %v %s and not %v %s", v.Episode.Labels, s.Outcome, s.Incident, v.Outcome, v.Incident)
		}
		delete(verdicts, key(v))
	}
	if len(verdicts) > 0 {
		w.hub.breaks("%d verdicts of episodes that are none", len(verdicts))
	}
}

func key(v *incident.Verdict) incident.EpisodeKey {
	k := v.Episode.Key()
	k.StartsAt = k.StartsAt.UTC()
	return k
}

// compareFigures compares what the replicas show with each other, and with what is measured of the incidents as they must be.
func (w *world) compareFigures(c *config.Validated, want correlate.Result, now time.Time) {
	o := measure.Options{Intervals: c.Intervals, Newest: c.Limits.RecentIncidents, MaxServices: c.Limits.Services,
		MaxNames: c.Limits.AlertNames, OpenFor: c.Rules.OpenFor}
	for _, x := range c.Windows {
		o.Windows = append(o.Windows, measure.Window{Name: x.Name, Length: x.Duration})
	}
	book := measure.NewBook(o)
	watched, err := w.hub.Store.Began(context.Background())
	if err != nil {
		w.hub.breaks("%v", err)
		return
	}
	book.Watched(watched)
	book.Apply(want.Incidents, nil)
	book.ApplyVerdicts(want.Verdicts, nil)
	shown := collector.New(collector.Options{Intervals: c.Intervals})
	shown.Publish(collector.Snapshot{Figures: book.Figures(now)})
	registry := prometheus.NewRegistry()
	if err := registry.Register(shown); err != nil {
		w.hub.breaks("%v", err)
		return
	}
	rec := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	pure, err := servers.ReadExposition(rec.Body.Bytes())
	if err != nil {
		w.hub.breaks("%v", err)
		return
	}
	follows := measured(shown)
	if len(pure.Keep(follows)) < 100 {
		w.hub.breaks("next to nothing is measured: %v", pure)
	}
	var all []servers.Exposition
	for i := range replicas {
		status, text := w.answer(i, http.MethodGet, "/metrics", "")
		e, err := servers.ReadExposition([]byte(text))
		if status != http.StatusOK || err != nil {
			w.hub.breaks("replica %d answers a scrape with %d, %v", i, status, err)
			return
		}
		all = append(all, e)
		if d := servers.Difference(pure.Keep(follows), e.Keep(follows), servers.Alike); d != "" {
			w.hub.breaks("replica %d does not show what is measured of all facts:\n%s", i, d)
		}
	}
	for i, e := range all[1:] {
		if d := servers.Difference(all[0].Keep(servers.OfAll), e.Keep(servers.OfAll), servers.Alike); d != "" {
			w.hub.breaks("replica %d does not show what replica 0 does:\n%s", i+1, d)
		}
	}
}

// measured says of a series that it follows from incidents and verdicts alone: the collector shows it, and it remembers nothing
// that was shown before, says nothing of watchdogs, and is not of the time up to when it was shown.
func measured(shown *collector.Collector) func(series string) bool {
	described := make(chan *prometheus.Desc, 1000)
	shown.Describe(described)
	close(described)
	names := map[string]bool{}
	for d := range described {
		if _, rest, found := strings.Cut(d.String(), `fqName: "`); found {
			name, _, _ := strings.Cut(rest, `"`)
			names[name] = true
		}
	}
	return func(series string) bool {
		name, _, _ := strings.Cut(series, "{")
		return names[name] && name != "meantime_interval_restatements_total" && name != "meantime_watchdog_last_seen_timestamp_seconds" &&
			name != "meantime_blind_seconds" && !servers.UntilNow(series)
	}
}
