// Package prometheus is the source that asks Prometheus when the condition of an alert became true.
//
// An alert's startsAt is when it fired, after its rule's `for`; users suffered before. Prometheus keeps the moment in the
// series ALERTS_FOR_STATE: its value is the time, in whole seconds, at which an evaluation first found the condition
// true. Where that series is not there any more or never was, the rule's `for` before startsAt is an estimate of the
// same moment, and is marked as one.
package prometheus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"meantime/incident"
)

// Client asks one Prometheus, or what answers like one. *source.Client is one.
type Client interface {
	// Get decodes the JSON answer of a path into out.
	Get(ctx context.Context, path string, query url.Values, out any) error
}

// Store is what the source needs of the store.
type Store interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
}

const (
	// perPoll is how many episodes one poll asks about.
	perPoll = 200
	// settled is how long after an alert fired its rule is asked for an estimate: until then the series may still come,
	// such as through a remote write.
	settled = 5 * time.Minute
	// maxRemembered bounds the memory of what Prometheus did not know.
	maxRemembered = 50_000
	// rulesFor is how long an answer about rules is used.
	rulesFor = 5 * time.Minute
)

// pauses are the waits before an episode is asked about again, after each time that Prometheus did not know; the last
// one goes on.
var pauses = []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// Options are what the source depends on. Name, Client, Store and Unmeasured are required.
type Options struct {
	Name   string
	Client Client
	Store  Store
	// Unmeasured gives episodes whose ConditionAt is not known or only estimated, the most wanted first. The source
	// chooses among them, so more than it can ask about in one poll do no harm.
	Unmeasured func(ctx context.Context) ([]incident.Episode, error)
	Logger     *slog.Logger     // nil means silent
	Metrics    *Metrics         // nil means not exposed
	Now        func() time.Time // nil means time.Now
}

// Source asks one Prometheus. It implements source.Source.
type Source struct {
	name       string
	client     Client
	store      Store
	unmeasured func(ctx context.Context) ([]incident.Episode, error)
	log        *slog.Logger
	metrics    *Metrics
	now        func() time.Time

	// Only Poll touches these.
	unknown map[incident.EpisodeKey]try
	rules   rules
}

// try remembers that Prometheus did not know.
type try struct {
	times int
	next  time.Time // not to be asked before
}

// New makes the source. Nothing is asked before the first Poll.
func New(o Options) *Source {
	s := &Source{
		name: o.Name, client: o.Client, store: o.Store, unmeasured: o.Unmeasured, log: o.Logger, metrics: o.Metrics, now: o.Now,
		unknown: map[incident.EpisodeKey]try{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "source", "name", o.Name)
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

// Poll asks about some of the episodes that are not measured and stores the answers. What Prometheus does not know it is
// asked again later, less and less often. Where it fails, what it answered before is stored all the same.
func (s *Source) Poll(ctx context.Context) error {
	episodes, err := s.unmeasured(ctx)
	if err != nil {
		return fmt.Errorf("list what is not measured: %w", err)
	}
	now := s.now().UTC()
	s.forget(now)
	var found []incident.Sighting
	var failed error
	answers := map[question][]series{}
	asked := 0
	for i := range episodes {
		e := &episodes[i]
		if asked == perPoll {
			break
		}
		if t := s.unknown[e.Key()]; t.next.After(now) {
			continue
		}
		asked++
		at, how, err := s.condition(ctx, e, now, answers)
		if err != nil {
			failed = err // Prometheus is down or refuses: the others would fare no better
			break
		}
		s.metrics.asked(s.name, how)
		// An estimate is written once; the measurement is asked for again a few times.
		if how != incident.ConditionMeasured {
			s.later(e.Key(), now)
		}
		if how == "" || (how == e.ConditionFrom && at.Equal(e.ConditionAt)) {
			continue
		}
		found = append(found, incident.Sighting{Fingerprint: e.Fingerprint, StartsAt: e.StartsAt, ConditionAt: at, ConditionFrom: how, Labels: e.Labels})
	}
	if len(found) > 0 {
		if _, err := s.store.Put(ctx, incident.Facts{Sightings: found}, now); err != nil {
			return errors.Join(fmt.Errorf("store what was measured: %w", err), failed)
		}
		s.log.Debug("Conditions measured", "episodes", len(found), "asked", asked)
	}
	return failed
}

// condition is when the condition of an episode became true and how that is known; "" where it is not.
func (s *Source) condition(ctx context.Context, e *incident.Episode, now time.Time, answers map[question][]series) (time.Time, incident.ConditionSource, error) {
	if e.Name() == "" {
		return time.Time{}, "", nil
	}
	// The evaluation that fired the alert also wrote the sample. Where Alertmanager took the start from another replica,
	// the one asked may have evaluated a little later.
	for _, t := range []time.Time{e.StartsAt, e.StartsAt.Add(incident.ReplicaSkew)} {
		if t.After(now) {
			break
		}
		q := question{e.Name(), t}
		all, ok := answers[q]
		if !ok {
			var err error
			if all, err = s.states(ctx, q); err != nil {
				return time.Time{}, "", err
			}
			answers[q] = all
		}
		if at, ok := pick(all, e.Labels, e.StartsAt); ok {
			return at, incident.ConditionMeasured, nil
		}
	}
	if now.Sub(e.StartsAt) < settled {
		return time.Time{}, "", nil
	}
	wait, ok, err := s.waits(ctx, e, now)
	if err != nil || !ok {
		return time.Time{}, "", err
	}
	return e.StartsAt.Add(-wait), incident.ConditionFromFor, nil
}

// later remembers that an episode is not to be asked about for a while.
func (s *Source) later(k incident.EpisodeKey, now time.Time) {
	t := s.unknown[k]
	t.next = now.Add(pauses[min(t.times, len(pauses)-1)])
	t.times++
	if len(s.unknown) < maxRemembered {
		s.unknown[k] = t
	}
}

// forget drops what has not been asked about for long: it is measured, or nobody wants it any more.
func (s *Source) forget(now time.Time) {
	for k, t := range s.unknown {
		if now.Sub(t.next) > 24*time.Hour {
			delete(s.unknown, k)
		}
	}
}
