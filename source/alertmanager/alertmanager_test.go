package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
)

var (
	_ source.Source = (*Source)(nil)
	_ Client        = (*source.Client)(nil)
)

// memory is a store in memory that merges as the contract says.
type memory struct {
	sightings map[incident.EpisodeKey]incident.Sighting
	silences  map[string]incident.Silence
	senders   []incident.Sender
	wrote     int // sightings in Puts
	err       error
}

func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	if m.err != nil {
		return incident.Receipt{}, m.err
	}
	for _, s := range f.Sightings {
		m.wrote++
		if old, ok := m.sightings[s.Key()]; ok {
			s = incident.Merge(old, s)
		}
		m.sightings[s.Key()] = s
	}
	for _, s := range f.Silences {
		m.silences[s.ID] = s
	}
	return incident.Receipt{}, nil
}

func (m *memory) Sightings(_ context.Context, from, to time.Time) ([]incident.Sighting, error) {
	var out []incident.Sighting
	for _, s := range m.sightings {
		if f, t := s.Span(); !f.After(to) && !t.Before(from) {
			out = append(out, s)
		}
	}
	return out, m.err
}

func (m *memory) SightingsOf(_ context.Context, fps []string) ([]incident.Sighting, error) {
	var out []incident.Sighting
	for _, s := range m.sightings {
		if slices.Contains(fps, s.Fingerprint) {
			out = append(out, s)
		}
	}
	return out, m.err
}

func (m *memory) Reach(context.Context) ([]incident.Life, []incident.Sender, error) {
	return nil, m.senders, m.err
}

// api is an Alertmanager's API.
type api struct {
	alerts   models.GettableAlerts
	silences models.GettableSilences
	raw      string // what it answers for the alerts instead
	config   string // Alertmanager's own
	err      error
	errs     error // of the silences
	hidden   error // of the configuration
}

func (a *api) Base() string { return "http://am:9093" }

func (a *api) Get(_ context.Context, path string, _ url.Values, out any) error {
	var v any = a.alerts
	err := a.err
	if strings.HasSuffix(path, "/status") {
		if a.hidden != nil {
			return a.hidden
		}
		config := a.config
		if config == "" {
			config = "route: {receiver: other}\nreceivers: [{name: other, slack_configs: [{channel: c}]}]\n"
		}
		b, err := json.Marshal(map[string]any{"config": map[string]string{"original": config}})
		if err != nil {
			return err
		}
		return json.Unmarshal(b, out)
	}
	if strings.HasSuffix(path, "/silences") {
		v, err = a.silences, a.errs
	}
	if err != nil {
		return err
	}
	b, e := json.Marshal(v)
	if e != nil {
		return e
	}
	if a.raw != "" && !strings.HasSuffix(path, "/silences") {
		b = []byte(a.raw)
	}
	return json.Unmarshal(b, out)
}

// listed makes an alert as the API lists it.
func listed(name, startsAt, state string, mutes ...string) *models.GettableAlert {
	labels := models.LabelSet{"alertname": name}
	fp, start := incident.Fingerprint(labels), strfmt.DateTime(at(startsAt))
	a := &models.GettableAlert{
		Fingerprint: &fp, StartsAt: &start, EndsAt: &start, UpdatedAt: &start, Annotations: models.LabelSet{"summary": "s"},
		Alert:  models.Alert{Labels: labels, GeneratorURL: "http://prom/graph"},
		Status: &models.AlertStatus{State: &state, SilencedBy: []string{}, InhibitedBy: []string{}, MutedBy: []string{}},
	}
	for _, m := range mutes {
		if id, ok := strings.CutPrefix(m, "silence:"); ok {
			a.Status.SilencedBy = append(a.Status.SilencedBy, id)
		} else {
			a.Status.InhibitedBy = append(a.Status.InhibitedBy, m)
		}
	}
	return a
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// bench is a source with its world.
type bench struct {
	*Source
	t      *testing.T
	api    *api
	store  *memory
	now    time.Time
	reg    *prometheus.Registry
	log    bytes.Buffer
	alone  bool
	expire time.Duration
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, api: &api{}, store: &memory{sightings: map[incident.EpisodeKey]incident.Sighting{}, silences: map[string]incident.Silence{}}, now: at("2026-03-01T10:00:00Z")}
	b.restart()
	return b
}

// restart forgets what the source remembers, not what the store holds.
func (b *bench) restart() {
	b.reg = prometheus.NewRegistry()
	b.Source = New(Options{Name: "alertmanager", Client: b.api, Store: b.store, Now: func() time.Time { return b.now }, Metrics: NewMetrics(b.reg),
		ExpireAfter: b.expire, Address: b.api.Base(), Alone: b.alone, Logger: slog.New(slog.NewTextHandler(&b.log, nil))})
}

// poll polls at a time of the day and says how many sightings were written.
func (b *bench) poll(clock string) int {
	b.t.Helper()
	b.now = at("2026-03-01T" + clock + "Z")
	before := b.store.wrote
	require.NoError(b.t, b.Poll(b.t.Context()))
	return b.store.wrote - before
}

// pollEach polls every minute from one time of the day to another, both included.
func (b *bench) pollEach(from, to string) int {
	b.t.Helper()
	n := 0
	for t := at("2026-03-01T" + from + "Z"); !t.After(at("2026-03-01T" + to + "Z")); t = t.Add(time.Minute) {
		n += b.poll(t.Format("15:04:05"))
	}
	return n
}

// receive is a notification received by webhook.
func (b *bench) receive(name, startsAt, clock string, endsAt string) {
	b.t.Helper()
	labels := map[string]string{"alertname": name}
	now := at("2026-03-01T" + clock + "Z")
	s := incident.Sighting{Fingerprint: incident.Fingerprint(labels), StartsAt: at(startsAt), Labels: labels, ToldAt: now, Alertmanagers: []string{"http://outside/am"}}
	if endsAt == "" {
		s.FiringFirst, s.FiringLast = now, now
	} else {
		s.EndsAt, s.ResolvedFirst = at(endsAt), now
	}
	_, err := b.store.Put(b.t.Context(), incident.Facts{Sightings: []incident.Sighting{s}}, now)
	require.NoError(b.t, err)
}

// episode is the only one of an alert.
func (b *bench) episode(name string) *incident.Episode {
	b.t.Helper()
	var all []incident.Sighting
	for _, s := range b.store.sightings {
		if s.Labels["alertname"] == name {
			all = append(all, s)
		}
	}
	e := incident.Episodes(all, 5*time.Hour, b.now)
	require.Len(b.t, e, 1)
	new(incident.Reach).Judge(&e[0])
	return &e[0]
}

const (
	startMilli = "2026-03-01T10:00:10.123Z"
	startNano  = "2026-03-01T10:00:10.123456789Z"
)

func TestAlertNoWebhookBrought(t *testing.T) {
	b := newBench(t)
	require.Zero(t, b.poll("10:00:00"))
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	require.Equal(t, 1, b.poll("10:01:00"))
	e := b.episode("Down")
	require.Equal(t, at(startMilli), e.StartsAt)
	require.Zero(t, e.NotifiedAt, "Alertmanager lists it before it notifies")
	require.Equal(t, "http://prom/graph", e.GeneratorURL)
	require.Equal(t, map[string]string{"summary": "s"}, e.Annotations)
	require.True(t, e.Firing())

	require.Zero(t, b.pollEach("10:02:00", "10:10:00"), "nothing new is not written")
	require.Equal(t, 1, b.poll("10:11:00"))
	require.Equal(t, at("2026-03-01T10:01:00Z"), b.episode("Down").NotifiedAt)
	require.Equal(t, 1, b.pollEach("10:12:00", "11:00:00"), "once in half an hour")
	require.Equal(t, 2, b.pollEach("11:01:00", "12:00:00"))
	require.True(t, b.episode("Down").Firing())
	require.NoError(t, testutil.GatherAndCompare(b.reg, strings.NewReader(`
# HELP meantime_source_closed_alerts_total Alerts closed because Alertmanager no longer listed them, though no resolved came.
# TYPE meantime_source_closed_alerts_total counter
meantime_source_closed_alerts_total{source="alertmanager"} 0
# HELP meantime_source_found_alerts_total Alerts that Alertmanager listed as active for ten minutes and of which no notification came.
# TYPE meantime_source_found_alerts_total counter
meantime_source_found_alerts_total{source="alertmanager"} 1
`), "meantime_source_closed_alerts_total", "meantime_source_found_alerts_total"))
	lint, err := testutil.GatherAndLint(b.reg)
	require.NoError(t, err)
	require.Empty(t, lint)
}

// When it was first listed is known after a restart too.
func TestAlertNoWebhookBroughtOverARestart(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	require.Equal(t, 1, b.poll("10:01:00"))
	b.restart()
	require.Equal(t, 1, b.poll("10:12:00"))
	require.Equal(t, at("2026-03-01T10:01:00Z"), b.episode("Down").NotifiedAt)
}

func TestNotificationAfterThePoll(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	require.Equal(t, 1, b.poll("10:00:20"))
	b.receive("Down", startNano, "10:00:40", "")
	require.Equal(t, at("2026-03-01T10:00:40Z"), b.episode("Down").NotifiedAt, "not when it was listed")
	b.pollEach("10:01:00", "10:30:00")
	require.Equal(t, at("2026-03-01T10:00:40Z"), b.episode("Down").NotifiedAt)
	b.api.alerts = nil
	b.pollEach("10:31:00", "10:36:00")
	require.Equal(t, incident.EndGone, b.episode("Down").End)
	require.Equal(t, at("2026-03-01T10:30:00Z"), b.episode("Down").EndsAt)
}

// An end that was told is not found out again, though the API's own sighting does not have it.
func TestEndToldOfTheOtherPrecision(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	b.poll("10:00:20")
	b.receive("Down", startNano, "10:05:00", "2026-03-01T10:04:00Z")
	b.api.alerts = nil
	require.Zero(t, b.pollEach("10:06:00", "10:30:00"))
	require.Equal(t, at("2026-03-01T10:04:00Z"), b.episode("Down").EndsAt)
}

// The notification told of another replica's start.
func TestNotificationOfAReplica(t *testing.T) {
	b := newBench(t)
	b.receive("Down", "2026-03-01T10:00:40Z", "10:01:10", "")
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	b.pollEach("10:01:00", "10:30:00")
	require.Equal(t, at("2026-03-01T10:01:10Z"), b.episode("Down").NotifiedAt)
}

// Alerts that fired long before they were first listed were notified of at a time that nobody knows.
func TestAlertsOlderThanTheFirstPoll(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", "2026-02-20T10:00:00Z", "active")}
	b.pollEach("10:00:00", "10:30:00")
	require.Zero(t, b.episode("Down").NotifiedAt)
}

func TestKnownAlertIsNotWritten(t *testing.T) {
	b := newBench(t)
	b.receive("Down", startNano, "10:00:40", "")
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	require.Equal(t, 1, b.poll("10:01:00"), "once, to mark it as this Alertmanager's")
	require.Len(t, b.store.sightings, 1, "the API's millisecond is the webhook's nanosecond")
	require.Zero(t, b.pollEach("10:02:00", "10:30:00"))
	require.Equal(t, 1, b.pollEach("10:31:00", "10:59:00"))

	b.receive("Down", startNano, "11:00:00", "2026-03-01T10:59:30Z")
	b.poll("11:00:30") // still listed: the answer is older than the webhook
	require.Equal(t, at("2026-03-01T10:59:30Z"), b.episode("Down").EndsAt)
	require.Equal(t, incident.EndResolved, b.episode("Down").End)
}

func TestLostResolved(t *testing.T) {
	b := newBench(t)
	b.receive("Down", startNano, "10:00:40", "")
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	b.pollEach("10:01:00", "10:20:00")
	b.api.alerts = nil
	b.pollEach("10:21:00", "10:25:00")
	require.True(t, b.episode("Down").Firing(), "Alertmanager may have been restarted")
	require.Equal(t, 1, b.pollEach("10:26:00", "10:40:00"))
	e := b.episode("Down")
	require.Equal(t, incident.EndGone, e.End)
	require.Equal(t, at("2026-03-01T10:20:00Z"), e.EndsAt, "when it was last listed")

	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	require.Equal(t, 1, b.poll("10:41:00"))
	require.True(t, b.episode("Down").Firing(), "it was not gone after all")
}

func TestNotGone(t *testing.T) {
	list := models.GettableAlerts{listed("Down", startMilli, "active")}
	t.Run("restarted Alertmanager", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts = list
		b.poll("10:01:00")
		b.api.alerts = nil
		b.pollEach("10:02:00", "10:05:00")
		b.api.alerts = list
		b.poll("10:06:00")
		b.api.alerts = nil
		b.pollEach("10:07:00", "10:11:00")
		require.True(t, b.episode("Down").Firing())
	})
	t.Run("no answer", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts = list
		b.poll("10:01:00")
		b.api.err = errors.New("connection refused")
		for m := 2; m < 60; m++ {
			b.now = at(fmt.Sprintf("2026-03-01T10:%02d:00Z", m))
			require.EqualError(t, b.Poll(t.Context()), "connection refused")
		}
		require.True(t, b.episode("Down").Firing())
		b.api.err, b.api.alerts = nil, nil
		b.pollEach("11:00:00", "11:04:00")
		require.True(t, b.episode("Down").Firing())
		b.poll("11:05:00")
		require.Equal(t, at("2026-03-01T10:01:00Z"), b.episode("Down").EndsAt)
	})
	t.Run("part of an answer", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts = list
		b.poll("10:01:00")
		b.api.raw = `[{"labels":{"alertname":"Other"},"startsAt":"2026-03-01T10:00:00Z","fingerprint":"1","status":{"state":"active"}}, {"labels":{"alertname":"X"},"startsAt":"soon"}, 7]`
		for m := 2; m < 20; m++ {
			b.now = at(fmt.Sprintf("2026-03-01T10:%02d:00Z", m))
			require.EqualError(t, b.Poll(t.Context()), `2 of 3 alerts could not be read: alerts[1]: startsAt: not a time: "soon"; write it like 2006-01-02T15:04:05Z`)
		}
		require.True(t, b.episode("Down").Firing())
		require.True(t, b.episode("Other").Firing(), "what could be read is taken")
	})
	t.Run("notified again meanwhile", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts = list
		b.poll("10:01:00")
		b.api.alerts = nil
		b.pollEach("10:02:00", "10:05:00")
		b.receive("Down", startMilli, "10:05:30", "")
		b.pollEach("10:06:00", "10:10:00")
		require.True(t, b.episode("Down").Firing())
		b.poll("10:11:00")
		require.Equal(t, incident.EndGone, b.episode("Down").End)
	})
	t.Run("another sender's", func(t *testing.T) {
		b := newBench(t)
		b.receive("Down", startNano, "10:00:40", "")
		require.Zero(t, b.pollEach("10:01:00", "10:59:00"))
		require.True(t, b.episode("Down").Firing(), "this Alertmanager never listed it")
	})
	t.Run("a new start is listed", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts = list
		b.poll("10:01:00")
		b.api.alerts = models.GettableAlerts{listed("Down", "2026-03-01T10:05:00Z", "active")}
		b.pollEach("10:06:00", "10:15:00")
		for _, s := range b.store.sightings {
			require.Zero(t, s.GoneAt)
		}
	})
}

// Tenants of one address are asked there in turn: what one lists is not gone because another does not list it.
func TestTenantsCloseTheirOwn(t *testing.T) {
	b := newBench(t)
	tenant := func(name string) (*Source, *api) {
		a := &api{}
		return New(Options{Name: name, Client: a, Store: b.store, Now: func() time.Time { return b.now }, Mark: a.Base() + "#" + name}), a
	}
	one, ones := tenant("one")
	two, _ := tenant("two")
	ones.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	for m := range 20 {
		b.now = at(fmt.Sprintf("2026-03-01T10:%02d:00Z", m+1))
		require.NoError(t, one.Poll(t.Context()))
		require.NoError(t, two.Poll(t.Context()))
		require.True(t, b.episode("Down").Firing())
	}
	ones.alerts = nil
	for m := range 8 {
		b.now = at(fmt.Sprintf("2026-03-01T10:%02d:00Z", m+21))
		require.NoError(t, one.Poll(t.Context()))
		require.NoError(t, two.Poll(t.Context()))
	}
	require.Equal(t, incident.EndGone, b.episode("Down").End)
}

// What was believed to fire before a restart is closed too, at the time it was last written.
func TestGoneOverARestart(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	b.poll("10:01:00")
	b.restart()
	b.api.alerts = nil
	b.pollEach("14:00:00", "14:05:00")
	e := b.episode("Down")
	require.Equal(t, incident.EndGone, e.End)
	require.Equal(t, at("2026-03-01T10:01:00Z"), e.EndsAt)
}

func TestMutes(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Silenced", startMilli, "suppressed", "silence:s2", "silence:s1"), listed("Inhibited", startMilli, "suppressed", "9706f6e226c4ade9"), listed("New", startMilli, "unprocessed")}
	require.Equal(t, 3, b.poll("10:01:00"))
	require.Zero(t, b.pollEach("10:02:00", "10:30:00"))
	e := b.episode("Silenced")
	require.Equal(t, at("2026-03-01T10:01:00Z"), e.SilencedAt)
	require.Equal(t, []string{"s1", "s2"}, e.SilencedBy)
	require.Zero(t, e.NotifiedAt, "nobody was")
	require.Equal(t, at("2026-03-01T10:01:00Z"), b.episode("Inhibited").InhibitedAt)
	require.Zero(t, b.episode("New").NotifiedAt)

	b.api.alerts = models.GettableAlerts{listed("Silenced", startMilli, "suppressed", "silence:s3")}
	require.Equal(t, 1, b.poll("10:30:30"))
	require.Equal(t, []string{"s1", "s2", "s3"}, b.episode("Silenced").SilencedBy)
	require.Equal(t, at("2026-03-01T10:01:00Z"), b.episode("Silenced").SilencedAt)

	b.api.alerts = models.GettableAlerts{listed("Silenced", startMilli, "active")}
	b.pollEach("10:31:00", "11:00:00")
	require.Zero(t, b.episode("Silenced").NotifiedAt, "when it was notified of after its silence is not known from here")
}

func TestSilences(t *testing.T) {
	b := newBench(t)
	date := func(s string) *strfmt.DateTime { d := strfmt.DateTime(at(s)); return &d }
	text := func(s string) *string { return &s }
	yes, no := true, false
	state := "active"
	x := &models.GettableSilence{ID: text("s1"), UpdatedAt: date("2026-03-01T09:58:00.5Z"), Status: &models.SilenceStatus{State: &state}, Silence: models.Silence{
		StartsAt: date("2026-03-01T09:50:00Z"), EndsAt: date("2026-03-01T11:00:00Z"), CreatedBy: text("me"), Comment: text("known 🔥"),
		Matchers: models.Matchers{{Name: text("alertname"), Value: text("a|b"), IsRegex: &yes, IsEqual: &no}, {Name: text("x"), Value: text("y"), IsRegex: &no}},
	}}
	b.api.silences = models.GettableSilences{x}
	b.poll("10:01:00")
	require.Equal(t, map[string]incident.Silence{"s1": {
		ID: "s1", StartsAt: at("2026-03-01T09:50:00Z"), EndsAt: at("2026-03-01T11:00:00Z"), UpdatedAt: at("2026-03-01T09:58:00.5Z"), CreatedAt: at("2026-03-01T09:50:00Z"), CreatedBy: "me", Comment: "known 🔥",
		Matchers: []incident.SilenceMatcher{{Name: "alertname", Value: "a|b", IsRegex: true}, {Name: "x", Value: "y", IsEqual: true}},
	}}, b.store.silences)

	b.store.silences = map[string]incident.Silence{}
	b.poll("10:02:00")
	require.Empty(t, b.store.silences, "it is not written again")
	x.EndsAt, x.UpdatedAt = date("2026-03-01T10:02:30Z"), date("2026-03-01T10:02:30Z")
	b.poll("10:03:00")
	require.Equal(t, at("2026-03-01T10:02:30Z"), b.store.silences["s1"].EndsAt)

	b.api.alerts, b.api.errs = models.GettableAlerts{listed("Down", startMilli, "active")}, errors.New("no silences")
	b.now = at("2026-03-01T10:04:00Z")
	require.EqualError(t, b.Poll(t.Context()), "no silences")
	require.True(t, b.episode("Down").Firing(), "the alerts are taken all the same")
}

func TestStoreTrouble(t *testing.T) {
	b := newBench(t)
	b.api.alerts = models.GettableAlerts{listed("Down", startMilli, "active")}
	b.store.err = incident.Errorf(incident.CodeUnavailable, "database is locked")
	err := b.Poll(t.Context())
	require.EqualError(t, err, "read what is known: database is locked")
	b.store.err = nil
	require.Equal(t, 1, b.poll("10:01:00"))
}

func TestManyAlerts(t *testing.T) {
	b := newBench(t)
	for i := range 1234 {
		b.api.alerts = append(b.api.alerts, listed(fmt.Sprint("A", i), startMilli, "active"))
	}
	require.Equal(t, 1234, b.poll("10:01:00"))
	require.Len(t, b.store.sightings, 1234)
	b.restart()
	require.Zero(t, b.poll("10:02:00"))
}

// Answers that Alertmanager 0.34.2 gave.
func TestRealAnswers(t *testing.T) {
	var alerts, silences []json.RawMessage
	load(t, "testdata/alerts-0.34.2.json", &alerts)
	load(t, "testdata/silences-0.34.2.json", &silences)
	states := map[string]string{}
	for _, raw := range alerts {
		a, err := readAlert(raw)
		require.NoError(t, err)
		require.Equal(t, a.fingerprint, incident.Fingerprint(a.labels), "what we compute is what Alertmanager says")
		states[a.labels["alertname"]] = a.state
	}
	require.Equal(t, map[string]string{
		"CertExpires": "active", "DatacentreDark": "active", "DiskFills": "suppressed", "QueueGrows": "suppressed",
	}, states)
	var matchers []incident.SilenceMatcher
	for _, raw := range silences {
		x, err := readSilence(raw)
		require.NoError(t, err)
		matchers = append(matchers, x.Matchers...)
	}
	require.Equal(t, []incident.SilenceMatcher{
		{Name: "service", Value: "ledger", IsEqual: true}, {Name: "alertname", Value: "Probe.*|Lag", IsRegex: true, IsEqual: true}, {Name: "site"},
	}, matchers)
}

func load(t *testing.T, name string, out any) {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, out))
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"labels":{"alertname":"A"},"startsAt":"2026-03-01T10:00:00.123Z","fingerprint":"9706f6e226c4ade9","status":{"state":"active","silencedBy":["a"],"inhibitedBy":[]}}`)
	f.Add(`{"id":"a","matchers":[{"name":"a","value":"b","isRegex":true}],"startsAt":"2026-03-01T10:00:00.123Z","endsAt":"2026-03-01T10:00:00.123Z","updatedAt":"2026-03-01T10:00:00.123Z"}`)
	f.Fuzz(func(t *testing.T, raw string) {
		if a, err := readAlert([]byte(raw)); err == nil {
			require.NoError(t, incident.CheckLabels(a.labels))
			require.Len(t, a.fingerprint, 16)
			require.False(t, a.startsAt.IsZero())
		}
		if x, err := readSilence([]byte(raw)); err == nil {
			require.NotEmpty(t, x.ID)
			require.False(t, x.CreatedAt.After(x.UpdatedAt))
		}
	})
}

// What is listed goes by the same rules as what is notified: an ignored alert is not stored, and replicas are one alert.
func TestIntake(t *testing.T) {
	b := newBench(t)
	b.intake = incident.Intake{Ignored: func(l map[string]string) bool { return l["alertname"] == "Test" }, DropLabels: []string{"replica"}}
	replica := func(r, start string) *models.GettableAlert {
		a := listed("Down", start, "active")
		a.Labels["replica"] = r
		fp := incident.Fingerprint(a.Labels)
		a.Fingerprint = &fp
		return a
	}
	b.receive("Down", startNano, "10:00:30", "")
	b.api.alerts = models.GettableAlerts{replica("a", startMilli), replica("b", "2026-03-01T10:00:17.000Z"), listed("Test", startMilli, "active")}
	b.pollEach("10:01:00", "10:20:00")
	require.True(t, b.episode("Down").Firing(), "the webhook's and the list's are one")
	for _, s := range b.store.sightings {
		require.Equal(t, map[string]string{"alertname": "Down"}, s.Labels)
	}
	b.api.alerts = models.GettableAlerts{replica("b", "2026-03-01T10:00:17.000Z")}
	b.pollEach("10:21:00", "10:40:00")
	require.True(t, b.episode("Down").Firing(), "one replica still says so")
	b.api.alerts = nil
	b.pollEach("10:41:00", "11:20:00")
	require.False(t, b.episode("Down").Firing())
}
