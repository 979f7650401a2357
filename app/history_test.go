package app

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/store/sqlstore"
)

// house is the daemon's way of the data without its network: store, correlation, figures.
type house struct {
	t      require.TestingT
	db     *sqlstore.Store
	app    *App
	runner *correlate.Runner
	rules  correlate.Rules
	now    time.Time
}

var houseClock = time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)

func newHouse(t require.TestingT, dir string) *house {
	h := &house{t: t, now: houseClock}
	c, err := config.Load("", []string{"MEANTIME_STORE_DSN=sqlite:" + filepath.Join(dir, "meantime.db"), `MEANTIME_CORRELATE_OPEN_MATCHERS=["severity=\"critical\""]`})
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	h.app = newApp(Options{Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return h.now }})
	h.db, err = sqlstore.Open(context.Background(), string(v.Store.DSN), sqlstore.Options{Now: h.app.now})
	require.NoError(t, err)
	h.app.pipeline = &pipeline{store: h.db, metrics: h.app.metrics, now: h.app.now, heard: func() map[string]time.Time { return nil }}
	require.NoError(t, h.app.pipeline.configure(context.Background(), v))
	h.rules = v.Rules
	h.runner = correlate.NewRunner(correlate.Options{Facts: h.db, Rules: v.Rules, Now: h.app.now, Deliver: func(ctx context.Context, d incident.Pass) error {
		return h.app.pipeline.deliver(ctx, 0, d)
	}})
	return h
}

func (h *house) close() { require.NoError(h.t, h.db.Close()) }

func (h *house) put(f incident.Facts) {
	_, err := h.db.Put(context.Background(), f, h.now)
	require.NoError(h.t, err)
}

func (h *house) settle() {
	require.NoError(h.t, h.runner.CatchUp(context.Background()))
	h.app.pipeline.follows(context.Background()) // as the clock has it do every few seconds
}

// figures are the samples of /metrics that are a function of the facts: everything but what counts in the all-time histogram, which by its
// nature remembers what was once shown, and the program's own. more are the beginnings of further names.
func (h *house) figures(more ...string) string {
	w := httptest.NewRecorder()
	h.app.metrics.handler(h.app.logger).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(h.t, 200, w.Code)
	var out []string
	for line := range strings.Lines(w.Body.String()) {
		for _, p := range append(more, "meantime_incident", "meantime_measurements", "meantime_interval_", "meantime_impact", "meantime_alert_", "meantime_objective", "meantime_open_", "meantime_oldest_", "meantime_milestones", "meantime_suggested") {
			if strings.HasPrefix(line, p) && !strings.HasPrefix(line, "meantime_interval_duration_seconds") && !strings.HasPrefix(line, "meantime_interval_restatements") {
				out = append(out, line)
				break
			}
		}
	}
	require.NotEmpty(h.t, out)
	return strings.Join(out, "")
}

// days are how long ago things happen: now and then, so that passes look at different stretches of time.
var days = []int{0, 0, 1, 9, 40}

// incidents are what the store holds, as JSON; expected is what Correlate makes of all facts.
func (h *house) incidents() (stored, expected string) {
	page, next, err := h.db.Incidents(context.Background(), incident.IncidentQuery{Limit: 1000})
	require.NoError(h.t, err)
	require.Empty(h.t, next)
	slices.SortFunc(page, func(a, b incident.Incident) int { return strings.Compare(a.ID, b.ID) })
	var f incident.Facts
	f.Sightings, err = h.db.Sightings(context.Background(), houseClock.AddDate(-1, 0, 0), houseClock)
	require.NoError(h.t, err)
	f.Records, err = h.db.Records(context.Background(), time.Time{}, time.Time{})
	require.NoError(h.t, err)
	f.Reviews, err = h.db.Reviews(context.Background())
	require.NoError(h.t, err)
	rules := h.rules
	all := correlate.Correlate(f, &rules, h.now).Incidents
	text := func(list []incident.Incident) string {
		for i := range list {
			list[i].Measurements = nil
		}
		b, err := json.MarshalIndent(append([]incident.Incident{}, list...), "", " ")
		require.NoError(h.t, err)
		return string(b)
	}
	return text(page), text(all)
}

// anyRecord draws a version of one of a few records about one of a few services.
func anyRecord(t *rapid.T, id string) incident.Record {
	day := rapid.SampledFrom(days).Draw(t, "record day")
	moment := func(label string) time.Time {
		return houseClock.AddDate(0, 0, -day).Add(-time.Duration(rapid.IntRange(60, 1500).Draw(t, label)) * time.Minute)
	}
	r := incident.Record{
		Source: "api", ID: id, Title: rapid.SampledFrom([]string{"checkout answers with errors", "search is slow", ""}).Draw(t, "title"),
		Services:   []string{rapid.SampledFrom([]string{"checkout", "search", "payments"}).Draw(t, "service")},
		Severity:   rapid.SampledFrom([]string{"critical", "warning", ""}).Draw(t, "severity"),
		Kind:       rapid.SampledFrom([]incident.Kind{incident.KindIncident, incident.KindIncident, incident.KindDrill}).Draw(t, "kind"),
		State:      rapid.SampledFrom([]incident.State{"", incident.StateOpen, incident.StateResolved, incident.StateCancelled}).Draw(t, "state"),
		Milestones: map[incident.MilestoneName]incident.Stated{},
	}
	for _, m := range incident.MilestoneNames {
		if rapid.Bool().Draw(t, string(m)+"?") {
			r.Milestones[m] = incident.Stated{At: moment(string(m))}
		}
	}
	r.Normalize()
	return r
}

func anyAlert(t *rapid.T) incident.Sighting {
	service := rapid.SampledFrom([]string{"checkout", "search", "payments"}).Draw(t, "alert service")
	labels := map[string]string{"alertname": rapid.SampledFrom([]string{"Errors", "Slow"}).Draw(t, "alertname"), "service": service,
		"severity": rapid.SampledFrom([]string{"critical", "warning"}).Draw(t, "alert severity")}
	start := houseClock.AddDate(0, 0, -rapid.SampledFrom(days).Draw(t, "alert day")).Add(-time.Duration(rapid.IntRange(60, 1500).Draw(t, "alert start")) * time.Minute)
	s := incident.Sighting{
		Fingerprint: fmt.Sprintf("%016x", len(labels["alertname"])*100+len(service)), StartsAt: start,
		FiringFirst: start.Add(30 * time.Second), FiringLast: start.Add(30 * time.Second), ToldAt: start.Add(30 * time.Second), Labels: labels,
	}
	if rapid.Bool().Draw(t, "ended?") {
		s.EndsAt = start.Add(time.Duration(rapid.IntRange(1, 120).Draw(t, "lasts")) * time.Minute)
		s.ResolvedFirst = s.EndsAt.Add(20 * time.Second)
	}
	return s
}

// Whatever way the facts came in, late, out of order, corrected, withdrawn, repeated, with passes in between, the figures
// are those of a store that was told the last word on everything from the start.
func TestFiguresDependOnFactsAlone(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		type version struct {
			incident.Record
			at int
		}
		final := map[string]version{}
		var history []incident.Facts
		for i := range rapid.IntRange(1, 12).Draw(t, "versions") {
			id := fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "id"))
			r := anyRecord(t, id)
			r.UpdatedAt = houseClock.Add(-time.Hour).Add(time.Duration(i) * time.Minute)
			r.Withdrawn = rapid.IntRange(0, 4).Draw(t, "withdrawn") == 0
			final[id] = version{r, i}
			history = append(history, incident.Facts{Records: []incident.Record{r}})
		}
		var alerts []incident.Sighting
		for range rapid.IntRange(0, 8).Draw(t, "alerts") {
			s := anyAlert(t)
			alerts = append(alerts, s)
			// What is told in two notifications: that it fires, and, later, that it ended.
			firing := s
			firing.EndsAt, firing.ResolvedFirst = time.Time{}, time.Time{}
			history = append(history, incident.Facts{Sightings: []incident.Sighting{firing}}, incident.Facts{Sightings: []incident.Sighting{s}})
		}
		order := rapid.Permutation(history).Draw(t, "order")
		order = append(order, rapid.SliceOfN(rapid.SampledFrom(history), 0, 4).Draw(t, "repeated")...)

		live := newHouse(t, filepath.Join(dir, fmt.Sprint(n, "live")))
		defer live.close()
		for _, f := range order {
			live.put(f)
			if rapid.IntRange(0, 2).Draw(t, "pass?") == 0 {
				live.settle()
			}
		}
		live.settle()
		stored, expected := live.incidents()
		require.Equal(t, expected, stored, "stretch by stretch gives what all facts at once give")

		straight := newHouse(t, filepath.Join(dir, fmt.Sprint(n, "straight")))
		defer straight.close()
		for _, id := range slices.Sorted(maps.Keys(final)) {
			if r := final[id].Record; !r.Withdrawn {
				straight.put(incident.Facts{Records: []incident.Record{r}})
			}
		}
		straight.put(incident.Facts{Sightings: alerts})
		straight.settle()
		require.Equal(t, straight.figures(), live.figures())
	})
}
