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

	f := incident.Facts{Mutes: h.mutes}
	for _, k := range h.order {
		f.Sightings = append(f.Sightings, h.sightings[k])
	}
	for _, s := range h.silences {
		f.Silences = append(f.Silences, s)
	}
	slices.SortFunc(f.Silences, func(a, b incident.Silence) int { return strings.Compare(a.ID, b.ID) })
	for _, s := range h.senders {
		f.Senders = append(f.Senders, s)
	}
	if len(f.Sightings)+len(f.Silences)+len(f.Mutes)+len(f.Senders) > 0 {
		receipt, failed := r.put(ctx, f, received)
		if failed != nil {
			return *failed
		}
		r.heard(f.Senders, received)
		r.metrics.muted(receipt)
	}
	for t, n := range h.types {
		r.metrics.event(t, n)
	}
	r.metrics.ignore(h.ignored)
	return answer{status: http.StatusOK, taken: len(raw) - len(refused), ignored: h.ignored, refused: refused}
}
