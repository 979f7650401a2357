package correlate

import (
	"context"
	"runtime/debug"
	"strings"
	"time"

	"meantime/incident"
)

// chunk is how much is computed at a time, but where everything is computed, and it is known how much fired.
const chunk = 7 * day

// Where everything is computed, a part is as long as about partEpisodes take, so that memory holds no more of facts where many
// fired, and little is read twice where few did, within bounds.
const (
	partEpisodes              = 40_000
	shortestPart, longestPart = day, 4 * chunk
)

// gcPercent is how much garbage there may be meanwhile, in percent of what is in use.
const gcPercent = 50

// everything computes all there is, part by part in order of time, and delivers each as it is found: memory holds only the
// facts of one and what became of them.
func (p *pass) everything(ctx context.Context) error {
	if err := p.forward(ctx); err != nil {
		return err
	}
	d := incident.Pass{Reset: true, Rules: p.rules.digest, Cursor: p.todo.cursor, Blind: p.hearts.windows(p.now)}
	first, last, err := p.facts.Extent(ctx)
	if err != nil {
		return err
	}
	// For so long memory is scarcer than processor time.
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	found, incidents, verdicts := newLately(), 0, 0
	length := min(chunk, max(shortestPart, last.Sub(first)/16))
	for from := first; !from.After(last); {
		next := from.Add(length)
		own := stretch{from, next.Add(-1)}
		if from.Equal(first) {
			own.from = always // a review can set what no fact told
		}
		if next.After(last) {
			own.to = forever
		}
		d.Part, d.More = d.Part+1, !next.After(last)
		if err := p.part(ctx, own, found, &d); err != nil {
			return err
		}
		incidents, verdicts = incidents+len(d.Incidents), verdicts+len(d.Verdicts)
		if d.More {
			if err := p.deliver(ctx, d); err != nil {
				return err
			}
			length = min(longestPart, max(shortestPart, time.Duration(float64(length)*partEpisodes/float64(max(1, len(d.Verdicts))))))
		}
		from = next
	}
	d.More = false
	if p.kept != nil && !p.kept.whole {
		p.kept = nil // it is right about the last part alone
	}
	if err := p.send(ctx, d); err != nil {
		return err
	}
	p.incidents, p.verdicts = incidents, verdicts
	return nil
}

// forward moves the pass to the end of the feed: all that the rest of it tells of is stored, and so computed with everything.
func (p *pass) forward(ctx context.Context) error {
	const most = 10_000
	var beats []incident.Change
	if p.todo.more { // a feed as long as this is not of a small store
		p.sized, p.tiny = true, false
	}
	for p.todo.more {
		changes, err := p.facts.Changes(ctx, p.todo.cursor, most)
		if err != nil {
			return err
		}
		for _, c := range changes {
			p.todo.cursor = c.Seq
			if c.Kind == incident.ChangeBeat {
				beats = append(beats, c)
			}
		}
		p.todo.more = len(changes) == most
	}
	_, err := p.hearts.beat(ctx, p.facts, p.rules.Watchdogs, beats, p.now)
	return err
}

// part computes the incidents that begin in a stretch and the verdicts on episodes that do, into d. found are the alerts of
// the parts before, which those of this one are added to.
func (p *pass) part(ctx context.Context, own stretch, found *lately, d *incident.Pass) error {
	d.Incidents, d.Verdicts = nil, nil
	records, err := p.records(ctx, own)
	if err != nil {
		return err
	}
	core := own
	for i := range records {
		core = core.join(p.lasts(&records[i]))
	}
	// What begins just before the end reaches out of it. With room for that it need not be computed a second time.
	core.to = core.to.Add(day)
	begins := func(_ *incident.Incident, s stretch) bool { return own.holds(s.from) }
	found.forget(own.from.Add(-weeks - p.rules.around()))
	_, desk, err := p.whole(ctx, core, begins, d.Blind, found.in)
	if err != nil {
		return err
	}
	for _, id := range sortedKeys(desk.incidents) {
		in := &desk.incidents[id].incident
		if s := desk.span(in); own.holds(s.from) {
			p.note(in, s)
			d.Incidents = append(d.Incidents, *in)
		}
	}
	for _, x := range desk.order {
		if !own.holds(x.StartsAt) {
			continue
		}
		p.watch(&x.Episode)
		if !x.watchdog {
			found.add(x.mark())
		}
		d.Verdicts = append(d.Verdicts, x.judged())
	}
	return nil
}

// lately are the alerts of some weeks, in the order in which they were found, in little memory: there are many.
type lately struct {
	alerts []seen
	labels map[mark]*mark
}

// seen is a mark, with what many have in common in one place.
type seen struct {
	fingerprint string
	at          int64 // start in unix nanoseconds
	labels      *mark // without fingerprint and start
}

func newLately() *lately { return &lately{labels: map[mark]*mark{}} }

func (l *lately) add(m mark) {
	x := seen{fingerprint: strings.Clone(m.fingerprint), at: m.start.UnixNano()}
	m.fingerprint, m.start = "", time.Time{}
	if x.labels = l.labels[m]; x.labels == nil {
		m.name, m.service, m.severity = strings.Clone(m.name), strings.Clone(m.service), strings.Clone(m.severity)
		x.labels = &m
		l.labels[m] = x.labels
	}
	l.alerts = append(l.alerts, x)
}

// forget takes out what began before a moment.
func (l *lately) forget(before time.Time) {
	kept := make([]seen, 0, len(l.alerts))
	for _, x := range l.alerts {
		if !time.Unix(0, x.at).Before(before) {
			kept = append(kept, x)
		}
	}
	l.alerts = kept
}

// in counts those that began in a stretch.
func (l *lately) in(s stretch) (past, error) {
	counted := past{}
	for _, x := range l.alerts {
		if at := time.Unix(0, x.at); s.holds(at) {
			m := *x.labels
			m.fingerprint, m.start = x.fingerprint, at
			counted.add(m, 1)
		}
	}
	return counted, nil
}
