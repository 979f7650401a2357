// Package alertmanager is the source that asks Alertmanager's API (v2) what it knows, and so catches what no webhook
// brought: alerts whose notification was lost or goes to others only, ends whose notification was lost, silences, and
// who silenced or inhibited what.
//
// What it does not do is as deliberate. It writes nothing for an alert that is known and goes on. It does not call an
// alert detected because the API lists it: Alertmanager lists an alert before it notifies anybody of it. Only an alert
// that was listed soon after it fired, stays active and brings no notification for a while counts as notified when it
// was first listed. And the API is no sign of life of a watchdog, because it would tell that Alertmanager lives, not
// that its notifications arrive.
package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"meantime/incident"
)

// Client asks one Alertmanager. *source.Client is one.
type Client interface {
	// Get decodes the JSON answer of a path into out.
	Get(ctx context.Context, path string, query url.Values, out any) error
	// Base names the server: it is kept with what the server said.
	Base() string
}

// Store is what the source needs of the store.
type Store interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// Sightings are those whose Span touches [from, to].
	Sightings(ctx context.Context, from, to time.Time) ([]incident.Sighting, error)
	// SightingsOf are all sightings of the given fingerprints.
	SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error)
	// Reach is when this program could be told of alerts, and by whom it was.
	Reach(ctx context.Context) ([]incident.Life, []incident.Sender, error)
}

const (
	// longestFreshen is how old the last word of a firing alert may become before it is written again, where that is sooner
	// than half the time after which its episode expires.
	longestFreshen = 30 * time.Minute
	// goneAfter is how long an alert must not be listed before it is closed. Alertmanager does not keep alerts over a
	// restart: until Prometheus has sent them again, which takes minutes, it lists none.
	goneAfter = 5 * time.Minute
	// notifiedAfter is how long an alert must be listed as active without a notification before it counts as notified
	// when it was first listed so. It must be longer than usual group_wait and group_interval, and shorter than freshen.
	notifiedAfter = 10 * time.Minute
	// lookBack is how far the first poll looks for alerts that the store believes to fire.
	lookBack = 24 * time.Hour
	// forever is a silence that expires nothing.
	forever = 100 * 365 * 24 * time.Hour
	// batch is how many sightings are asked for or stored at a time.
	batch = 500
)

// Options are what the source depends on. Name, Client and Store are required.
type Options struct {
	Name    string
	Client  Client
	Store   Store
	Logger  *slog.Logger     // nil means silent
	Metrics *Metrics         // nil means not exposed
	Now     func() time.Time // nil means time.Now
	// Intake says which of the alerts listed are taken in, and as what: the same as of those that are notified.
	Intake incident.Intake
	// ExpireAfter is for how long nothing may be heard of a firing alert; 0 means long. One that is listed is heard of sooner.
	ExpireAfter time.Duration
	// Address is what its notifications name as their sender; empty where that would be somebody else's as well.
	Address string
	// Mark is what alerts that it lists are marked with in the store; empty for the client's address. Tenants of one address
	// need one each: what one does not list, another may.
	Mark string
	// Alone says that no other Alertmanager is asked: notifications of a single address, whatever that is, are this one's.
	Alone bool
	// Ways are told which ways lead from it to here; nil: nobody wants to know.
	Ways *Ways
}

// Source asks one Alertmanager. It implements source.Source.
//
// Of what Alertmanager lists only that is taken in which a receiver gets that sends here, where its configuration and the
// notifications that came tell. What a notification told of is followed to its end in any case.
//
// Of several Alertmanagers it closes only what the one it asks has itself listed: each alert listed is marked with that
// Alertmanager's address. So alerts of another cluster, or of a sender that is no Alertmanager, are left alone.
type Source struct {
	name    string
	client  Client
	store   Store
	log     *slog.Logger
	metrics *Metrics
	now     func() time.Time
	intake  incident.Intake
	freshen time.Duration // how old the last word of a firing alert may become before it is written again
	expire  time.Duration
	alone   bool
	address string
	mark    string
	notes   atomic.Pointer[[]string]
	ways    *Ways

	// What the polls so far have seen; only Poll touches it.
	lastPoll time.Time                         // the last that saw everything
	listed   map[incident.EpisodeKey]time.Time // when each was last listed; those missing since too
	active   map[incident.EpisodeKey]time.Time // since when each is listed as active
	missing  map[incident.EpisodeKey]time.Time // since when each is not listed
	keyed    map[incident.EpisodeKey]bool      // those whose groups are stored, by the configuration that was read last
	silences map[string]incident.Silence       // as stored last
	routing                                    // what its configuration said last
}

// New makes the source. Nothing is asked before the first Poll.
func New(o Options) *Source {
	s := &Source{
		name: o.Name, client: o.Client, store: o.Store, log: o.Logger, metrics: o.Metrics, now: o.Now, intake: o.Intake,
		listed: map[incident.EpisodeKey]time.Time{}, active: map[incident.EpisodeKey]time.Time{}, missing: map[incident.EpisodeKey]time.Time{},
		silences: map[string]incident.Silence{}, freshen: longestFreshen, expire: o.ExpireAfter, alone: o.Alone, address: strings.TrimRight(o.Address, "/"),
		mark: cmp.Or(o.Mark, o.Client.Base()),
		ways: o.Ways,
	}
	if half := o.ExpireAfter / 2; half > 0 {
		s.freshen = min(s.freshen, half)
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "source", "name", o.Name)
	if s.ways == nil {
		s.ways = NewWays()
	}
	if s.metrics == nil {
		s.metrics = NewMetrics(nil)
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Poll asks for alerts and silences and stores what is new. An answer that failed, or that could be read only in part,
// closes nothing.
func (s *Source) Poll(ctx context.Context) error {
	defer func() { s.ways.set(s.name, s.tree, s.ours) }()
	// Taken before the question, so that whatever is received while it is asked counts as later.
	asked := s.now().UTC()
	alerts, unread, err := s.alerts(ctx)
	if err != nil {
		return err
	}
	silences, silencesErr := s.newSilences(ctx)
	known, err := s.known(ctx, alerts, asked)
	if err != nil {
		return fmt.Errorf("read what is known: %w", err)
	}
	if err := s.route(ctx); err != nil {
		return fmt.Errorf("read who was heard: %w", err)
	}

	r := &round{
		Source: s, asked: asked, known: known, listed: map[incident.EpisodeKey]time.Time{}, active: map[incident.EpisodeKey]time.Time{},
		missing: map[incident.EpisodeKey]time.Time{}, keyed: map[incident.EpisodeKey]bool{},
	}
	for i := range alerts {
		r.observe(&alerts[i])
	}
	if unread == nil {
		r.close(alerts)
	}
	if err := s.put(ctx, r.next, silences, asked); err != nil {
		return err
	}
	r.done()
	for _, x := range silences {
		s.silences[x.ID] = x
	}
	if unread == nil {
		s.lastPoll = asked
	}
	return errors.Join(unread, silencesErr)
}

// put stores sightings in batches, the silences with the first.
func (s *Source) put(ctx context.Context, next []incident.Sighting, silences []incident.Silence, at time.Time) error {
	for len(next)+len(silences) > 0 {
		n := min(len(next), batch)
		if _, err := s.store.Put(ctx, incident.Facts{Sightings: next[:n], Silences: silences}, at); err != nil {
			return fmt.Errorf("store what was found: %w", err)
		}
		next, silences = next[n:], nil
	}
	return nil
}

// known are the sightings that the listed alerts may be, those that were heard of since the last poll and those that
// were missing in it, by fingerprint. A firing alert is heard of at least every freshen.
func (s *Source) known(ctx context.Context, alerts []alert, asked time.Time) (map[string][]incident.Sighting, error) {
	from := asked.Add(-lookBack)
	if last := s.lastPoll.Add(-s.freshen - goneAfter); last.After(from) {
		from = last
	}
	recent, err := s.store.Sightings(ctx, from, asked)
	if err != nil {
		return nil, err
	}
	known := map[string][]incident.Sighting{}
	for _, x := range recent {
		known[x.Fingerprint] = append(known[x.Fingerprint], x)
	}
	var older []string
	for i := range alerts {
		if fp := alerts[i].fingerprint; known[fp] == nil {
			older = append(older, fp)
		}
	}
	for k := range s.missing {
		if known[k.Fingerprint] == nil {
			older = append(older, k.Fingerprint)
		}
	}
	slices.Sort(older)
	for part := range slices.Chunk(slices.Compact(older), batch) {
		more, err := s.store.SightingsOf(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, x := range more {
			known[x.Fingerprint] = append(known[x.Fingerprint], x)
		}
	}
	return known, nil
}

// round is what one poll finds.
type round struct {
	*Source
	asked time.Time
	known map[string][]incident.Sighting
	next  []incident.Sighting // to be stored

	listed, active, missing map[incident.EpisodeKey]time.Time // what the Source's maps will be
	keyed                   map[incident.EpisodeKey]bool      // also
	found, closed, reopened int
	elsewhere               int // left out, because no receiver of theirs sends here
}

// observe takes in one listed alert: a sighting where it tells something new.
func (r *round) observe(a *alert) {
	next := incident.Sighting{
		Fingerprint: a.fingerprint, StartsAt: a.startsAt, FiringLast: r.asked,
		ActiveAt: earlier(a.updatedAt, r.asked), Alertmanagers: []string{r.mark},
		Labels: a.labels, Annotations: a.annotations, GeneratorURL: a.generatorURL, ToldAt: r.asked,
	}
	old, notified := a.among(r.known[a.fingerprint])
	if old == nil && !notified && r.leads(a.receivers) {
		r.elsewhere++
		return
	}
	if old != nil {
		next.StartsAt = old.StartsAt // to the nanosecond, which the API does not tell
		next.Labels, next.Annotations, next.GeneratorURL, next.ToldAt = old.Labels, old.Annotations, old.GeneratorURL, old.ToldAt
	}
	k := next.Key()
	r.listed[k] = r.asked
	if old != nil && ended(*old) {
		if ended(incident.Merge(*old, next)) {
			return // its end has been told; this answer is older, or Alertmanager has not forgotten it yet
		}
		r.reopened++
	} else if old != nil && r.asked.Sub(old.FiringLast) < r.freshen && !old.GoneAt.After(old.FiringLast) {
		next.FiringLast, next.ActiveAt = time.Time{}, time.Time{}
	}
	for _, id := range a.silencedBy {
		next.Mutes = append(next.Mutes, incident.Mute{By: id, At: r.asked})
	}
	if a.inhibited {
		next.Mutes = append(next.Mutes, incident.Mute{At: r.asked})
	}
	if a.state == stateActive {
		next.GroupKeys = r.groupKeys(a, k, old)
		since := r.activeSince(k, old)
		r.active[k] = since
		// The list is no sender that could have reached this program before: its word counts only where it is prompt.
		word := incident.Word{At: since}
		if word.Prompt(next.StartsAt) && !notified && old != nil && r.asked.Sub(since) >= notifiedAfter {
			next.FiringFirst, next.Word = since, word
			r.found++
		}
	}
	if old == nil || !incident.Equal(incident.Merge(*old, next), *old) {
		r.next = append(r.next, next)
	}
}

// groupKeys are those of all routes of an alert that was not muted: pagers name by their hash the group of their own route,
// and the notifications that come here may have come by another. Once stored they need no second look. All are told or none: a
// sighting holds a few, and the one that a notification told must stay.
func (r *round) groupKeys(a *alert, k incident.EpisodeKey, old *incident.Sighting) []string {
	if r.tree == nil {
		return nil
	}
	if old != nil && r.Source.keyed[k] {
		r.keyed[k] = true
		return nil
	}
	keys := r.tree.GroupKeys(a.routed, a.receivers)
	if len(keys) == 0 {
		return nil
	}
	r.keyed[k] = true
	all := keys
	if old != nil {
		all = slices.Concat(keys, old.GroupKeys)
		slices.Sort(all)
		all = slices.Compact(all)
	}
	if len(all) > incident.MaxOrigins {
		return nil
	}
	return keys
}

// activeSince is since when an alert is listed as active, as far as is known. After a restart of this program that is
// what was written when it was first listed, which freshen leaves alone for long enough.
func (r *round) activeSince(k incident.EpisodeKey, old *incident.Sighting) time.Time {
	if since, ok := r.Source.active[k]; ok {
		return since
	}
	if old != nil && r.lastPoll.IsZero() && len(old.Mutes) == 0 && slices.Contains(old.Alertmanagers, r.mark) && !old.FiringLast.IsZero() {
		return old.FiringLast
	}
	return r.asked
}

// close marks as gone what this Alertmanager listed once and has not listed for a while now.
func (r *round) close(alerts []alert) {
	present := make(map[string]bool, len(alerts))
	for i := range alerts {
		present[alerts[i].fingerprint] = true
	}
	for fp, all := range r.known {
		if present[fp] {
			continue // an earlier start of it is superseded by the one that is listed
		}
		// The newest start, with all that was said of it: an end told of a replica's start is its end too.
		episodes := incident.Episodes(all, forever, r.asked)
		last := episodes[len(episodes)-1]
		if !last.Firing() {
			continue
		}
		for i := range all {
			x := &all[i]
			if !slices.ContainsFunc(last.Starts, x.StartsAt.Equal) || !slices.Contains(x.Alertmanagers, r.mark) {
				continue
			}
			k := x.Key()
			if seen, ok := r.Source.listed[k]; ok {
				r.listed[k] = seen
			}
			since, ok := r.Source.missing[k]
			if !ok || x.FiringLast.After(since) { // a notification came meanwhile
				since = r.asked
			}
			r.missing[k] = since
			if r.asked.Sub(since) < goneAfter {
				continue
			}
			r.next = append(r.next, incident.Sighting{
				Fingerprint: x.Fingerprint, StartsAt: x.StartsAt, GoneAt: r.asked, FiringLast: r.listed[k],
				Labels: x.Labels, Annotations: x.Annotations, GeneratorURL: x.GeneratorURL, ToldAt: x.ToldAt,
			})
			delete(r.listed, k)
			delete(r.missing, k)
			r.closed++
		}
	}
}

// ended says whether an end was told of a sighting that still stands.
func ended(s incident.Sighting) bool {
	s.GoneAt = time.Time{}
	return !incident.Episodes([]incident.Sighting{s}, forever, s.StartsAt)[0].Firing()
}

// earlier is the earlier of two times, of which the first may be none.
func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

// done makes what the round saw the state of the source, after it was stored.
func (r *round) done() {
	r.Source.listed, r.Source.active, r.Source.missing = r.listed, r.active, r.missing
	r.Source.keyed = r.keyed
	r.metrics.reconciled(r.name, r.found, r.closed, r.elsewhere)
	if r.found+r.closed+r.reopened > 0 {
		r.log.Info("Alertmanager knew more than its notifications told", "alerts", r.found, "ended", r.closed, "fire_on", r.reopened)
	}
}
