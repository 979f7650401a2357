package correlate

import (
	"context"
	"time"

	"meantime/incident"
)

// judge finds the verdicts that are new, changed or gone: those of episodes that start in the stretch, and of those that
// incidents of it hold or held.
func (p *pass) judge(ctx context.Context, f *found, d *desk, dirty, core stretch, touched map[incident.EpisodeKey]bool) error {
	type bare struct {
		ends int64
		end  incident.EndKind
		mark
		outcome  incident.Outcome
		incident string
	}
	of := func(v *incident.Verdict) bare {
		b := bare{end: v.Episode.End, mark: markOf(v), outcome: v.Outcome, incident: v.Incident}
		b.start = b.start.UTC()
		if !v.Episode.EndsAt.IsZero() {
			b.ends = v.Episode.EndsAt.UnixNano()
		}
		return b
	}
	before := map[incident.EpisodeKey]bare{}
	for v, err := range p.facts.EachVerdict(ctx, core.from, core.to) {
		if err != nil {
			return err
		}
		before[utc(v.Episode.Key())] = of(&v)
	}
	for _, x := range d.order {
		k := utc(x.Key())
		was, ok := before[k]
		delete(before, k)
		if !dirty.holds(k.StartsAt) && !touched[k] {
			continue
		}
		p.watch(&x.Episode)
		v := x.judged()
		is := of(&v)
		if ok && was == is { // whatever an earlier look of the pass made of it
			delete(f.verdicts, k)
			delete(f.added, k)
			delete(f.lost, k)
			continue
		}
		f.verdicts[k] = &v
		if ok && was.mark == is.mark || x.watchdog {
			continue
		}
		f.added[k] = is.mark
		if ok {
			f.lost[k] = was.mark
		}
	}
	for k, was := range before {
		f.gone[k], f.lost[k] = true, was.mark
	}
	return nil
}

// weeks is how far back an alert's habits are looked for.
const weeks = (lookback + sameBout + 1) * time.Hour

// usual counts what began in a stretch, as the store knows it from earlier passes and this one corrects it.
func (p *pass) usual(ctx context.Context, s stretch, f *found) (past, error) {
	counted := past{}
	for v, err := range p.facts.EachVerdict(ctx, s.from, s.to) {
		if err != nil {
			return nil, err
		}
		if _, lost := f.lost[utc(v.Episode.Key())]; !lost && v.Outcome != incident.OutcomeWatchdog {
			counted.add(markOf(&v), 1)
		}
	}
	for _, m := range f.added {
		if s.holds(m.start) {
			counted.add(m, 1)
		}
	}
	return counted, nil
}

// rerated are the moments at which alerts began that are more or less usual than they were, because the pass found others
// that began in the weeks before, or found that they did not. Of what is told as it happens there are none.
func (p *pass) rerated(ctx context.Context, f *found) ([]stretch, error) {
	kinds := map[kind]bool{}
	var span stretch
	for _, changed := range []map[incident.EpisodeKey]mark{f.added, f.lost} {
		for _, m := range changed {
			span = span.join(stretch{m.start, m.start})
			for _, k := range m.kinds() {
				kinds[k] = true
			}
		}
	}
	if span.from.IsZero() {
		return nil, nil
	}
	var later []mark
	for v, err := range p.facts.EachVerdict(ctx, span.from.Add(time.Hour), span.to.Add(weeks)) {
		if err != nil {
			return nil, err
		}
		m := markOf(&v)
		if _, lost := f.lost[utc(v.Episode.Key())]; lost || v.Outcome == incident.OutcomeWatchdog {
			continue
		}
		if k := m.kinds(); kinds[k[0]] || kinds[k[1]] || kinds[k[2]] {
			later = append(later, m)
		}
	}
	if len(later) == 0 {
		return nil, nil
	}
	var told stretch
	for _, m := range later {
		told = told.join(stretch{m.start.Add(-weeks), m.start})
	}
	was, err := p.usual(ctx, told, &found{})
	if err != nil {
		return nil, err
	}
	is, err := p.usual(ctx, told, f)
	if err != nil {
		return nil, err
	}
	var out []stretch
	for _, m := range later {
		if was.habit(m) != is.habit(m) {
			out = append(out, stretch{m.start, m.start})
		}
	}
	return out, nil
}
