package correlate

import (
	"context"
	"maps"
	"slices"
	"time"

	"meantime/incident"
)

// desk is a correlator that knows all facts around a stretch of time. What it says of the stretch is what Correlate says of
// all facts. A Runner keeps the one of the present between passes, so that a fact that is told as it happens costs little.
type desk struct {
	*correlator
	// core is what it is right about; whole: it knows all facts that there are, and is right about everything.
	core  stretch
	whole bool
	spans map[string]stretch // that each record speaks of, by the id of its incident
	most  int                // how many alerts it may come to know before it is made anew of fewer
}

// How many alerts and records a store may hold for a desk to know all of them, and how many alerts a desk may know to be kept.
const (
	handyAlerts  = 20_000
	handyRecords = 2_000
	mostAlerts   = 300_000
)

// whole is a desk whose core holds all of every incident it is concerned with: what reaches out of the core may be another
// thing once all of what it touches is seen.
func (p *pass) whole(ctx context.Context, core stretch, concerned func(*incident.Incident, stretch) bool, blind map[string][]incident.Impact, usual func(stretch) (past, error)) (stretch, *desk, error) {
	for {
		d, err := p.compute(ctx, core, blind, usual)
		if err != nil {
			return core, nil, err
		}
		joined := core
		var list []*incident.Incident
		for _, m := range d.incidents {
			if s := d.span(&m.incident); concerned(&m.incident, s) {
				joined, list = joined.join(s), append(list, &m.incident)
			}
		}
		others, err := p.others(ctx, d, list, core)
		if err != nil {
			return core, nil, err
		}
		for _, s := range others {
			joined = joined.join(s)
		}
		if joined == core || d.whole {
			return joined, d, nil
		}
		core = joined
	}
}

// others are where the incidents lie, however far away, that a person said are one with those given, or linked alerts of a
// stretch to.
func (p *pass) others(ctx context.Context, d *desk, of []*incident.Incident, core stretch) (where []stretch, err error) {
	if d.whole || len(d.reviews.reviews) == 0 {
		return nil, nil
	}
	known := map[string]bool{}
	for _, in := range of {
		known[in.ID] = true
		for _, id := range in.Aliases {
			known[id] = true
		}
	}
	var ids []string
	for _, r := range d.reviews.reviews {
		switch {
		case d.reviews.joins[pair(r.Incident, r.Other)].ID == r.ID && r.Action == incident.ReviewMerge && known[r.Incident] != known[r.Other]:
			ids = append(ids, r.Incident, r.Other)
		case r.Action == incident.ReviewConfirm && core.holds(r.Episode.StartsAt):
			ids = append(ids, r.Incident)
		}
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if known[id] {
			continue
		}
		in, found, err := stored(p.facts.Incident(ctx, id))
		if err != nil {
			return nil, err
		}
		s, err := p.place(ctx, &in)
		if err != nil {
			return nil, err
		}
		for _, k := range p.todo.records { // it may just have come, or lie elsewhere now
			if incident.RecordID(k) != id && !slices.Contains(in.Records, k) {
				continue
			}
			r, ok, err := stored(p.facts.Record(ctx, k))
			if err != nil {
				return nil, err
			}
			if ok {
				s, found = s.join(p.lasts(&r)), true
			}
		}
		if where = append(where, s); !found {
			p.unknown = append(p.unknown, id)
		}
	}
	return where, nil
}

// compute reads the facts around a stretch and works them out. usual counts what fired in the weeks before them.
func (p *pass) compute(ctx context.Context, core stretch, blind map[string][]incident.Impact, usual func(stretch) (past, error)) (*desk, error) {
	if p.kept != nil && p.kept.whole {
		return p.kept, nil
	}
	small, err := p.small(ctx)
	if err != nil {
		return nil, err
	}
	d := &desk{core: core, whole: small, spans: map[string]stretch{}}
	wide := core.widen(p.rules.around())
	if d.whole {
		d.core = stretch{always, forever}
		wide = d.core
	} else if !core.to.Before(p.now.Add(-p.rules.reach())) { // what is to come belongs to it
		d.core.to, wide.to = forever, forever
	}
	var f incident.Facts
	if f.Sightings, err = p.facts.Sightings(ctx, wide.from, wide.to); err != nil {
		return nil, err
	}
	counted := past{}
	if !d.whole {
		if counted, err = usual(stretch{wide.from.Add(-weeks), wide.from}); err != nil {
			return nil, err
		}
	}
	if f.Records, err = p.records(ctx, wide.widen(referWithin)); err != nil {
		return nil, err
	}
	if !d.whole {
		f.Records = p.near(f.Records, wide)
	}
	if f.Reviews, err = p.facts.Reviews(ctx); err != nil {
		return nil, err
	}
	if f.Silences, err = p.facts.Silences(ctx, wide.from, wide.to); err != nil {
		return nil, err
	}
	for i := range f.Records {
		d.spans[incident.RecordID(f.Records[i].Key())] = p.lasts(&f.Records[i])
	}
	// An episode that a person linked can lie anywhere, and what was decided about it tells of later ones of its name. One that
	// fired for long ends where the next of the same alert begins.
	var elsewhere []string
	for _, r := range f.Reviews {
		if r.Episode != nil {
			elsewhere = append(elsewhere, r.Episode.Fingerprint)
		}
	}
	for i := range f.Sightings {
		if _, to := f.Sightings[i].Span(); to.Add(p.rules.Silence).After(wide.to) {
			elsewhere = append(elsewhere, f.Sightings[i].Fingerprint)
		}
	}
	if len(elsewhere) > 0 && !d.whole {
		slices.Sort(elsewhere)
		more, err := p.facts.SightingsOf(ctx, slices.Compact(elsewhere))
		if err != nil {
			return nil, err
		}
		f.Sightings = append(f.Sightings, more...)
	}
	d.correlator = newCorrelator(&p.rules.Rules, p.dir, counted)
	d.reach = p.reach
	d.tell(f, blind)
	d.pass(p.now)
	if d.core.to.Equal(forever) && len(d.order) <= mostAlerts {
		p.kept, d.most = d, 2*max(p.handy, len(d.order))
	}
	return d, nil
}

// near are the records of a stretch, and of those around it the ones that may be of one incident with them because one names
// the other.
func (p *pass) near(records []incident.Record, s stretch) []incident.Record {
	inside, named := make([]bool, len(records)), map[string]bool{}
	for i := range records {
		r := &records[i]
		if inside[i] = s.touches(p.lasts(r)); inside[i] {
			for _, name := range slices.Concat(r.References.Keys, r.References.URLs) {
				named[name] = true
			}
		}
	}
	var out []incident.Record
	for i := range records {
		r := &records[i]
		if inside[i] || len(r.References.Keys)+len(r.References.URLs) > 0 || named[r.ID] || named[r.Key().String()] || r.URL != "" && named[r.URL] {
			out = append(out, *r)
		}
	}
	return out
}

// always is a time before all others.
var always = time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)

// small says whether the store holds so little that a desk can know all of it.
func (p *pass) small(ctx context.Context) (bool, error) {
	if p.sized {
		return p.tiny, nil
	}
	p.sized, p.tiny = true, false
	alerts, records := p.todo.sightings, len(p.todo.records) // of which no verdict and no incident may tell yet
	if p.todo.more || alerts > p.handy || records > handyRecords {
		return false, nil
	}
	for _, err := range p.facts.EachVerdict(ctx, always, forever) {
		if alerts++; err != nil || alerts > p.handy {
			return false, err
		}
	}
	for _, err := range p.facts.EachIncident(ctx, always) {
		if records++; err != nil || records > handyRecords {
			return false, err
		}
	}
	p.tiny = true
	return true, nil
}

// span is an incident's Span with what its records speak of.
func (d *desk) span(in *incident.Incident) stretch {
	from, to := in.Span()
	s := stretch{from, to}
	for _, k := range in.Records {
		s = s.join(d.spans[incident.RecordID(k)])
	}
	return s
}

// atHand takes the changes to the desk, if what they change is known to be right there, and delivers them. dirty is what they
// speak of but for alerts: an alert that has fired for long began before all that is at hand, and yet most of what is told of
// it changes nothing there.
func (p *pass) atHand(ctx context.Context, delta *incident.Pass, dirty []stretch) (done bool, err error) {
	d := p.desk
	p.desk = nil // it is kept where all goes well
	if d == nil || len(d.order) > d.most || p.todo.reach {
		return false, nil
	}
	d.reach = p.reach
	inside := func(s stretch) bool { return d.whole || s.from.IsZero() || !s.from.Before(d.core.from) }
	if slices.ContainsFunc(dirty, func(s stretch) bool { return !inside(s) }) {
		return false, nil
	}
	prints := map[string]bool{}
	for f := range p.todo.prints {
		prints[f] = true
	}
	for _, k := range p.todo.due {
		if f := p.clock[k].fingerprint; f != "" {
			prints[f] = true
		}
	}
	if len(p.todo.reviewed) > 0 {
		reviews, err := p.facts.Reviews(ctx)
		if err != nil {
			return false, err
		}
		for _, r := range reviews { // what was decided about an alert tells of later ones of its name
			if r.Episode != nil && len(d.alerts[r.Episode.Fingerprint]) == 0 {
				prints[r.Episode.Fingerprint] = true
			}
		}
		d.review(reviews)
	}
	list, err := p.facts.SightingsOf(ctx, sortedKeys(prints))
	if err != nil {
		return false, err
	}
	d.sightings(list)
	for _, k := range p.todo.records {
		r, ok, err := stored(p.facts.Record(ctx, k))
		if err != nil || !ok {
			return false, err
		}
		d.record(&r)
		d.spans[incident.RecordID(k)] = p.lasts(&r)
	}
	if p.todo.silences {
		silences, err := p.facts.Silences(ctx, d.core.from.Add(-p.rules.around()), forever)
		if err != nil {
			return false, err
		}
		d.silence(silences)
	}
	d.blindTimes(delta.Blind)
	ch := d.pass(p.now)
	for _, in := range slices.Concat(ch.incidents, ch.removed) {
		if !inside(d.span(in)) {
			return false, nil
		}
	}
	others, err := p.others(ctx, d, ch.incidents, stretch{})
	if err != nil || slices.ContainsFunc(others, func(s stretch) bool { return !inside(s) }) {
		return false, err
	}
	for _, x := range slices.Concat(ch.alerts, ch.gone) {
		if !d.whole && x.StartsAt.Before(d.core.from) {
			return false, nil
		}
		for _, r := range d.reviews.episodes[x.Fingerprint] { // of an incident that may be far away
			if d.whole || !r.Episode.StartsAt.Equal(x.StartsAt) {
				continue
			}
			in, ok, err := stored(p.facts.Incident(ctx, r.Incident))
			if err != nil || ok && d.incidents[in.ID] == nil {
				return false, err
			}
		}
	}
	for _, in := range ch.incidents {
		delta.Incidents = append(delta.Incidents, *in)
		p.note(in, d.span(in))
	}
	for _, in := range ch.removed {
		delta.Removed = append(delta.Removed, in.ID)
		p.moments[in.ID] = moment{}
	}
	for _, x := range ch.alerts {
		delta.Verdicts = append(delta.Verdicts, x.judged())
	}
	for _, x := range ch.gone {
		delta.Gone = append(delta.Gone, x.Key())
		p.moments[utc(x.Key()).String()] = moment{}
	}
	for f := range prints {
		for _, x := range d.alerts[f] {
			p.watch(&x.Episode)
		}
	}
	for _, k := range p.todo.due {
		if m := d.incidents[k]; m != nil {
			p.note(&m.incident, d.span(&m.incident))
		}
	}
	p.kept = d
	return true, p.send(ctx, *delta)
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
