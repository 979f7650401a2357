package app

import (
	"context"
	"log/slog"
	"strings"

	"meantime/incident"
)

// mostNews is how many incidents of one pass are told of, each by itself: more come of the past, or of other rules.
const mostNews = 20

// news is what the log says of an incident that a pass changed.
type news struct {
	what   string
	in     *incident.Incident
	joined int // alerts that belong to it now and did not before
}

// news compares the incidents of a pass with what is stored of them. A pass that holds all there is tells none.
func (p *pipeline) news(ctx context.Context, d *incident.Pass) (out []news) {
	if p.logger == nil || d.Reset || len(d.Incidents) > mostNews {
		return nil
	}
	for i := range d.Incidents {
		in := &d.Incidents[i]
		old, err := p.store.Incident(ctx, in.ID)
		known := err == nil && old.ID == in.ID
		joined := len(in.Linked()) - len(old.Linked())
		switch {
		case err != nil && incident.CodeOf(err) != incident.CodeNotFound:
			return out // the log can do without
		case !known && in.State == incident.StateOpen:
			out = append(out, news{"Incident opened", in, 0})
		case !known:
		case old.State == incident.StateOpen && in.State == incident.StateResolved:
			out = append(out, news{"Incident resolved", in, 0})
		case old.State == incident.StateOpen && in.State == incident.StateCancelled:
			out = append(out, news{"Incident cancelled", in, 0})
		case in.State == incident.StateOpen && joined > 0:
			out = append(out, news{"Alerts joined an incident", in, joined})
		}
	}
	return out
}

func (n *news) say(logger *slog.Logger) {
	with := []any{"id", n.in.ID, "title", n.in.Title, "services", strings.Join(n.in.Services, ","), "severity", n.in.Severity}
	if n.joined > 0 {
		with = append(with, "alerts", n.joined)
	}
	logger.Info(n.what, with...) //nolint:sloglint // one of four constants
}
