package correlate

import (
	"context"
	"strings"
	"time"

	"meantime/incident"
)

// chunk is how much is computed at a time where everything is.
const chunk = 7 * 24 * time.Hour

// everything computes all there is, chunk by chunk so that memory holds only one chunk's facts, and delivers it as one.
func (p *pass) everything(ctx context.Context) error {
	blind := p.hearts.windows(p.now)
	d := Delta{Reset: true, Rules: p.rules.digest, Cursor: p.todo.cursor, Blind: blind}
	usual := func(s stretch) (past, error) { // what this pass itself found so far
		counted := past{}
		for i := range d.Verdicts {
			if v := &d.Verdicts[i]; v.Outcome != incident.OutcomeWatchdog && s.holds(v.Episode.StartsAt) {
				counted.add(markOf(v), 1)
			}
		}
		return counted, nil
	}
	names := map[string]map[string]string{}
	first, last, err := p.facts.Extent(ctx)
	if err != nil {
		return err
	}
	for from := first; !from.After(last); from = from.Add(chunk) {
		own := stretch{from, from.Add(chunk - 1)}
		if from.Equal(first) {
			own.from = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC) // a review can set what no fact told
		}
		if from.Add(chunk).After(last) {
			own.to = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		records, err := p.records(ctx, own)
		if err != nil {
			return err
		}
		core := own
		for i := range records {
			core = core.join(p.lasts(&records[i]))
		}
		begins := func(_ *incident.Incident, s stretch) bool { return own.holds(s.from) }
		_, res, spans, err := p.whole(ctx, core, begins, blind, usual)
		if err != nil {
			return err
		}
		for i := range res.Incidents {
			in := &res.Incidents[i]
			if own.holds(p.span(in, spans).from) {
				p.note(in)
				d.Incidents = append(d.Incidents, *in)
			}
		}
		for i := range res.Verdicts {
			v := &res.Verdicts[i]
			if !own.holds(v.Episode.StartsAt) {
				continue
			}
			p.watch(v)
			d.Verdicts = append(d.Verdicts, lean(v, names))
		}
	}
	return p.send(ctx, d)
}

// lean is a verdict with what is stored of it, and nothing that holds the text it was read from: all there are at once are
// many. Those of one alert name share their labels.
func lean(v *incident.Verdict, names map[string]map[string]string) incident.Verdict {
	e := &v.Episode
	name := e.Name()
	if names[name] == nil {
		names[name] = map[string]string{"alertname": name}
	}
	out := *v
	out.Episode = incident.Episode{Fingerprint: strings.Clone(e.Fingerprint), StartsAt: e.StartsAt, EndsAt: e.EndsAt, End: e.End, Labels: names[name], LastSeen: e.LastSeen, Starts: e.Starts}
	return out
}
