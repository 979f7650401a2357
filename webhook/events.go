package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// events takes events of Alertmanager's event recorder: one, or an array of them.
func (r *Receiver) events(ctx context.Context, body []byte, received time.Time) answer {
	raw, err := splitEvents(body, r.maxAlerts)
	switch {
	case errors.Is(err, errTooMany):
		r.truncated()
		return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("more than the %d events allowed", r.maxAlerts))
	case err != nil:
		return problem(http.StatusBadRequest, err.Error())
	}

	h := newHeard(r.intake())
	var refused incident.Problems
	for i := range raw {
		e, err := decodeEvent(raw[i])
		why, p := refusedForm, incident.Problem{}
		switch {
		case err != nil:
			p.Message = "not an event: " + err.Error()
		case notificationAmongEvents(raw[i]):
			p.Message = "a notification; those go to /webhook/alertmanager"
		default:
			why, p = h.add(e, received)
		}
		if why == "" {
			continue
		}
		r.metrics.refuse("events", why)
		p.Path = fmt.Sprintf("[%d]", i) + dot(p.Path)
		refused = append(refused, p)
	}
	if len(refused) > 0 {
		r.log.Debug("Events refused", "events", len(raw), "refused", len(refused), "first", refused[0].String())
	}
	if len(refused) == len(raw) && len(raw) > 0 {
		a := problem(http.StatusBadRequest, refused[0].String())
		a.refused = refused
		return a
	}

	if err := r.place(ctx, h); err != nil {
		return unavailable("the store cannot be asked now", err)
	}
	var f incident.Facts
	for _, k := range h.order {
		f.Sightings = append(f.Sightings, h.sightings[k])
	}
	for _, s := range h.silences {
		f.Silences = append(f.Silences, s)
	}
	slices.SortFunc(f.Silences, func(a, b incident.Silence) int { return strings.Compare(a.ID, b.ID) })
	if len(f.Sightings)+len(f.Silences) > 0 {
		if _, failed := r.put(ctx, f, received); failed != nil {
			return *failed
		}
	}
	for t, n := range h.types {
		r.metrics.event(t, n)
	}
	r.metrics.ignore(h.ignored)
	return answer{status: http.StatusOK, taken: len(raw) - len(refused), ignored: h.ignored, refused: refused}
}

// place finds for every muted alert the start it was muted in: the last before the mute that had not ended. What was
// already known of a mute is not said again, because Alertmanager repeats it at every flush of the group.
func (r *Receiver) place(ctx context.Context, h *heard) error {
	if len(h.muted) == 0 {
		return nil
	}
	var fps []string
	for _, m := range h.muted {
		fps = append(fps, m.fingerprint)
	}
	slices.Sort(fps)
	stored, err := r.store.SightingsOf(ctx, slices.Compact(fps))
	if err != nil {
		return err
	}
	known := make(map[string][]incident.Sighting)
	for _, s := range stored {
		known[s.Fingerprint] = append(known[s.Fingerprint], s)
	}
	for _, s := range h.sightings {
		known[s.Fingerprint] = append(known[s.Fingerprint], s)
	}
	for _, m := range h.muted {
		s := startAt(known[m.fingerprint], m.at)
		if s == nil {
			r.metrics.refuse("events", refusedUnknown)
			continue
		}
		next := incident.Sighting{ // the labels with it, so that it stands by itself
			Fingerprint: s.Fingerprint, StartsAt: s.StartsAt,
			Labels: s.Labels, Annotations: s.Annotations, GeneratorURL: s.GeneratorURL, ToldAt: s.ToldAt,
		}
		if m.silence != nil {
			next.SilencedAt, next.SilencedBy = m.at, []string{m.silence.ID}
		} else {
			next.InhibitedAt = m.at
		}
		if incident.Equal(incident.Merge(*s, next), *s) {
			continue
		}
		if m.silence != nil {
			h.keepSilence(*m.silence)
		}
		h.merge(next)
	}
	return nil
}

// startAt is the latest start at or before t that had not ended by t; nil where there is none.
func startAt(all []incident.Sighting, t time.Time) *incident.Sighting {
	var best *incident.Sighting
	for i := range all {
		s := &all[i]
		if s.StartsAt.After(t) || (!s.EndsAt.IsZero() && s.EndsAt.Before(t)) {
			continue
		}
		if best == nil || !s.StartsAt.Before(best.StartsAt) {
			best = s
		}
	}
	return best
}
