package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"meantime/incident"
)

// notification takes one of Alertmanager's notifications.
func (r *Receiver) notification(ctx context.Context, body []byte, received time.Time) answer {
	m, err := decode(body, r.maxAlerts)
	switch {
	case errors.Is(err, errTooMany):
		r.truncated()
		return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("alerts: more than the %d allowed", r.maxAlerts))
	case err != nil:
		return problem(http.StatusBadRequest, err.Error())
	}

	var f incident.Facts
	var refused incident.Problems
	firing, ignored := 0, 0
	intake := r.intake()
	from, sender := m.sender(), incident.NewSender(m.ExternalURL, m.GroupKey, received)
	from.key = sender.Key
	f.Sightings = make([]incident.Sighting, 0, len(m.Alerts.list))
	for i := range m.Alerts.list {
		a := &m.Alerts.list[i]
		s, why, p := a.sighting(from, received)
		if why != "" {
			r.metrics.refuse("alertmanager", why)
			p.Path = fmt.Sprintf("alerts[%d]", i) + dot(p.Path)
			refused = append(refused, p)
			continue
		}
		// A resolved watchdog is no sign of life: Alertmanager sends it after Prometheus has fallen silent.
		if name, ok := r.watchdogs(s.Labels); ok && !s.FiringLast.IsZero() {
			if beat := (incident.Beat{Watchdog: name, At: received}); !slices.Contains(f.Beats, beat) {
				f.Beats = append(f.Beats, beat)
			}
		}
		var ok bool
		if s.Fingerprint, s.Labels, ok = intake.Take(s.Fingerprint, s.Labels); !ok {
			ignored++
			continue
		}
		f.Sightings = append(f.Sightings, s)
		if !s.FiringLast.IsZero() {
			firing++
		}
	}
	if len(refused) > 0 {
		r.log.Debug("Alerts refused", "alerts", len(m.Alerts.list), "refused", len(refused), "first", refused[0].String())
		if len(f.Sightings)+ignored == 0 {
			a := problem(http.StatusBadRequest, refused[0].String())
			a.refused = refused
			return a
		}
	}
	if len(f.Sightings)+len(f.Beats)+ignored > 0 {
		f.Senders = []incident.Sender{sender} // what is ignored shows that it is there, too
		if m.Receiver != "" {
			f.Senders = append(f.Senders, incident.NewReceiver(m.ExternalURL, m.Receiver, received))
		}
		receipt, failed := r.put(ctx, f, received)
		if failed != nil {
			return *failed
		}
		r.heard(f.Senders, received)
		r.metrics.stored(firing, len(f.Sightings)-firing, receipt.Sightings)
	}
	if m.TruncatedAlerts > 0 {
		r.metrics.leftOut(m.TruncatedAlerts)
		r.log.Debug("Notification left out alerts", "group_key", m.GroupKey, "truncated", m.TruncatedAlerts)
		r.truncated()
	}
	r.metrics.ignore(ignored)
	return answer{status: http.StatusOK, taken: len(f.Sightings), ignored: ignored, refused: refused}
}

func dot(path string) string {
	if path == "" {
		return ""
	}
	return "." + path
}
