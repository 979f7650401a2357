package correlate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// reach is how far apart two facts can be in time and still matter to each other, but for how usual an alert is: an outbreak
// lasts a working day at most, and what its record tells lies some hours around it. What a change can reach is computed again.
func (r *Rules) reach() time.Duration {
	return max(32*time.Hour, r.Before, r.After, r.Open.Quiet+r.Open.ReopenWithin, r.Silence)
}

// around is how far beyond that facts are needed to compute it right.
func (r *Rules) around() time.Duration { return r.reach() + day }

// todo is what a pass has to look at.
type todo struct {
	cursor    int64
	more      bool      // the feed goes on after cursor
	stretches []stretch // what changed facts but alerts speak of, and what the clock brought due
	alerts    []stretch // what changed alerts speak of
	records   []incident.RecordKey
	beats     []incident.Change
	prints    map[string]bool // fingerprints of alerts of which something was told
	sightings int             // of which something was told
	due       []string        // keys of the clock
	reviewed  []string        // ids of incidents that reviews name
	silences  bool            // some changed
	reach     bool            // it is otherwise than it was
}

// todo reads the feed and the clock.
func (r *Runner) todo(ctx context.Context, now time.Time) (todo, error) {
	t := todo{cursor: r.cursor, prints: map[string]bool{}, reviewed: slices.Clone(r.again)}
	const most = 10_000
	for range 5 { // a long feed is worked off in several passes, so that none holds all of it
		changes, err := r.facts.Changes(ctx, t.cursor, most)
		if err != nil {
			return t, err
		}
		for _, c := range changes {
			t.cursor = c.Seq
			switch c.Kind {
			case incident.ChangeBeat:
				t.beats = append(t.beats, c)
			case incident.ChangeRecord:
				source, id, _ := strings.Cut(c.Key, "/")
				t.records = append(t.records, incident.RecordKey{Source: source, ID: id})
				// Where it was and where it is; of one that tells no milestone this is all there is to know it by.
				t.stretches = append(t.stretches, stretch{c.From, c.From}, stretch{c.To, c.To})
			case incident.ChangeReview:
				t.reviewed = append(t.reviewed, c.Key)
			case incident.ChangeSilence:
				// That somebody silenced tells something of the moment it was done, not of all the time it holds.
				t.stretches, t.silences = append(t.stretches, stretch{c.From, c.From}), true
			case incident.ChangeReach:
				t.stretches, t.reach = append(t.stretches, stretch{c.From, c.To}), true
			case incident.ChangeSighting:
				t.prints[c.Key] = true
				t.sightings++
				// An alert that fires for days matters where it began and where it is now.
				t.alerts = append(t.alerts, stretch{c.From, c.From}, stretch{c.To, c.To})
			}
		}
		if t.more = len(changes) == most; !t.more {
			break
		}
	}
	for k, m := range r.clock.due(now) {
		if t.due = append(t.due, k); m.fingerprint != "" {
			t.alerts = append(t.alerts, m.of)
		} else {
			t.stretches = append(t.stretches, m.of)
		}
	}
	return t, nil
}

// pass computes what has to be computed again and delivers it.
type pass struct {
	*Runner
	rules *ruleSet
	dir   *directory
	now   time.Time
	todo  todo
	reach *incident.Reach

	// moments are what the clock learns when the pass is delivered; kept is the desk that later passes go on with.
	moments map[string]moment
	kept    *desk
	// unknown are ids of incidents far away that reviews name, of which nothing is stored.
	unknown []string
	sized   bool // tiny is known: whether the store holds little
	tiny    bool

	incidents, verdicts int // delivered
}

// united are stretches in order that hold all those given and do not overlap.
func united(list []stretch) []stretch {
	slices.SortFunc(list, func(a, b stretch) int { return a.from.Compare(b.from) })
	var out []stretch
	for _, s := range list {
		if n := len(out); n > 0 && out[n-1].touches(s) {
			out[n-1] = out[n-1].join(s)
		} else {
			out = append(out, s)
		}
	}
	return out
}

// changes computes what the changes since the last pass can reach, and delivers it as one.
func (p *pass) changes(ctx context.Context) error {
	dirty, named, err := p.dirty(ctx)
	if err != nil {
		return err
	}
	blind := p.hearts.windows(p.now)
	f := &found{
		fresh: map[string]*incident.Incident{}, spans: map[string]stretch{}, old: named, verdicts: map[incident.EpisodeKey]*incident.Verdict{}, gone: map[incident.EpisodeKey]bool{},
		added: map[incident.EpisodeKey]mark{}, lost: map[incident.EpisodeKey]mark{},
	}
	d := incident.Pass{Rules: p.rules.digest, Cursor: p.todo.cursor, Blind: blind}
	if done, err := p.atHand(ctx, &d, dirty); err != nil || done {
		return err
	}
	if err := p.lookAll(ctx, slices.Concat(dirty, p.todo.alerts), blind, f); err != nil {
		return err
	}
	// Then what was told of the past has made later alerts more or less usual.
	other, err := p.rerated(ctx, f)
	if err != nil {
		return err
	}
	if len(other) > 0 && p.kept != nil && !p.kept.whole {
		p.kept = nil // what it knows of the weeks before is no longer so
	}
	far, err := p.reviewed(ctx, f)
	if err != nil {
		return err
	}
	if other = append(other, far...); len(other) > 0 {
		if err := p.lookAll(ctx, other, blind, f); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.fresh)) {
		in := f.fresh[id]
		if was, ok := f.old[id]; !ok || !same(&was, in) {
			d.Incidents = append(d.Incidents, *in)
		}
		p.note(in, f.spans[id])
	}
	for _, id := range slices.Sorted(maps.Keys(f.old)) {
		if f.fresh[id] == nil {
			d.Removed = append(d.Removed, id)
			p.moments[id] = moment{}
		}
	}
	for _, k := range slices.SortedFunc(maps.Keys(f.verdicts), incident.EpisodeKey.Compare) {
		d.Verdicts = append(d.Verdicts, *f.verdicts[k])
	}
	for _, k := range slices.SortedFunc(maps.Keys(f.gone), incident.EpisodeKey.Compare) {
		if f.verdicts[k] == nil {
			d.Gone = append(d.Gone, k)
			p.moments[k.String()] = moment{}
		}
	}
	return p.send(ctx, d)
}

// dirty are the stretches that the changes but those of alerts speak of, and the incidents that are known to be concerned.
func (p *pass) dirty(ctx context.Context) ([]stretch, map[string]incident.Incident, error) {
	dirty := slices.Clone(p.todo.stretches)
	ids := slices.Clone(p.todo.reviewed)
	if len(ids) > 0 {
		named, decided, err := p.reviews(ctx, ids)
		if err != nil {
			return nil, nil, err
		}
		ids, dirty = append(ids, named...), append(dirty, decided...)
	}
	// A record or an incident that moved in time is looked at where it was and where it is, not in between.
	for _, k := range p.todo.records {
		ids = append(ids, incident.RecordID(k))
		r, ok, err := stored(p.facts.Record(ctx, k))
		if err != nil {
			return nil, nil, err
		}
		if ok {
			dirty = append(dirty, p.lasts(&r))
		}
	}
	// What cannot be found by the time it tells is found by its id.
	named := map[string]incident.Incident{}
	for _, id := range ids {
		in, ok, err := stored(p.facts.Incident(ctx, id))
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		named[in.ID] = in
		s, err := p.place(ctx, &in)
		if err != nil {
			return nil, nil, err
		}
		if !s.from.IsZero() {
			dirty = append(dirty, s)
		}
	}
	return dirty, named, nil
}

// lookAll computes stretches again, with all that a change in them can reach.
func (p *pass) lookAll(ctx context.Context, dirty []stretch, blind map[string][]incident.Impact, f *found) error {
	dirty = slices.Clone(dirty)
	// An episode that began long ago may end where the next of the same alert begins.
	if prints := slices.Sorted(maps.Keys(p.todo.prints)); len(prints) > 0 {
		list, err := p.facts.SightingsOf(ctx, prints)
		if err != nil {
			return err
		}
		known, last := united(slices.Clone(dirty)), map[string]time.Time{}
		for i := range list { // in order of start
			s := &list[i]
			if at, ok := last[s.Fingerprint]; ok && slices.ContainsFunc(known, func(k stretch) bool { return k.holds(s.StartsAt) }) {
				dirty = append(dirty, stretch{at, at})
			}
			last[s.Fingerprint] = s.StartsAt
		}
	}
	for i := range dirty {
		dirty[i] = dirty[i].widen(p.rules.reach())
	}
	small, err := p.small(ctx)
	if err != nil {
		return err
	}
	for _, s := range united(dirty) {
		// In parts, so that memory does not hold it all; there is not much of what is to come.
		for ; !small && s.to.Sub(s.from) > chunk && s.from.Before(p.now); s.from = s.from.Add(chunk) {
			if err := p.look(ctx, stretch{s.from, s.from.Add(chunk - 1)}, blind, f); err != nil {
				return err
			}
		}
		if err := p.look(ctx, s, blind, f); err != nil {
			return err
		}
	}
	return nil
}

// reviews finds what else the reviews of some incidents name: other incidents, and where the episodes are.
func (p *pass) reviews(ctx context.Context, ids []string) (named []string, where []stretch, err error) {
	list, err := p.facts.Reviews(ctx)
	if err != nil {
		return nil, nil, err
	}
	byID := map[string]incident.Review{}
	for _, r := range list {
		byID[r.ID] = r
	}
	for _, r := range list {
		if !slices.Contains(ids, r.Incident) && !slices.Contains(ids, r.Other) && !(r.Incident == "" && slices.Contains(ids, r.ID)) {
			continue
		}
		for range list { // what it withdraws holds no more, or holds again
			other, ok := byID[r.Other]
			if r.Action != incident.ReviewWithdraw || !ok {
				break
			}
			r = other
		}
		named = append(named, r.Incident, r.Other)
		where = append(where, stretch{r.At, r.At}) // later alerts of the name are judged by it
		if r.Episode != nil {
			where = append(where, stretch{r.Episode.StartsAt, r.Episode.StartsAt})
		}
	}
	return slices.DeleteFunc(named, func(id string) bool { return id == "" }), where, nil
}

// reviewed finds the incidents, however far away, to which a person linked alerts that the pass found otherwise, or said that
// they are not theirs: they tell of them.
func (p *pass) reviewed(ctx context.Context, f *found) (where []stretch, err error) {
	if len(p.todo.prints)+len(f.verdicts)+len(f.gone) == 0 {
		return nil, nil
	}
	list, err := p.facts.Reviews(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if e := r.Episode; e == nil || !p.todo.prints[e.Fingerprint] && f.verdicts[utc(*e)] == nil && !f.gone[utc(*e)] {
			continue
		}
		in, ok, err := stored(p.facts.Incident(ctx, r.Incident))
		if err != nil {
			return nil, err
		}
		if !ok || f.fresh[in.ID] != nil {
			continue
		}
		f.old[in.ID] = in
		s, err := p.place(ctx, &in)
		if err != nil {
			return nil, err
		}
		where = append(where, s)
	}
	return where, nil
}

// found is what was found in all the stretches of a pass.
type found struct {
	fresh    map[string]*incident.Incident // as they are now, of those that the pass is about
	spans    map[string]stretch            // in which these lie
	old      map[string]incident.Incident  // as they were
	verdicts map[incident.EpisodeKey]*incident.Verdict
	gone     map[incident.EpisodeKey]bool
	// added and lost tell of episodes that the store knows nothing of yet, or otherwise, or still.
	added, lost map[incident.EpisodeKey]mark
}

func (p *pass) send(ctx context.Context, d incident.Pass) error {
	if err := p.deliver(ctx, d); err != nil {
		return err
	}
	if p.again = nil; d.Reset { // they are stored now
		p.clock, p.again = clock{}, slices.Compact(slices.Sorted(slices.Values(p.unknown)))
	}
	p.desk = p.kept
	for _, k := range p.todo.due {
		if _, ok := p.moments[k]; !ok {
			delete(p.clock, k)
		}
	}
	for k, m := range p.moments {
		p.clock.set(k, m)
	}
	p.Runner.cursor, p.current = d.Cursor, d.Rules
	p.incidents, p.verdicts = len(d.Incidents), len(d.Verdicts)
	return nil
}

// look computes a stretch again.
func (p *pass) look(ctx context.Context, dirty stretch, blind map[string][]incident.Impact, f *found) error {
	before, err := p.facts.IncidentsTouching(ctx, dirty.from, dirty.to)
	if err != nil {
		return err
	}
	// An incident or a record is computed from all of what belongs to it, so the core holds the whole of each.
	core := dirty
	for i := range before {
		s, err := p.place(ctx, &before[i])
		if err != nil {
			return err
		}
		core = core.join(s)
		if _, ok := f.old[before[i].ID]; !ok {
			f.old[before[i].ID] = before[i]
		}
	}
	records, err := p.records(ctx, dirty)
	if err != nil {
		return err
	}
	for i := range records {
		core = core.join(p.lasts(&records[i]))
	}
	touched := map[incident.EpisodeKey]bool{}
	touch := func(in *incident.Incident) {
		for k := range in.Links {
			if in.Links[k].State != incident.LinkRejected {
				touched[utc(in.Links[k].Episode.Key())] = true
			}
		}
	}
	was := map[string]bool{} // here
	for id, in := range f.old {
		if from, to := in.Span(); from.IsZero() || dirty.touches(stretch{from, to}) {
			was[id] = true
			touch(&in)
		}
	}
	concerned := func(in *incident.Incident, s stretch) bool {
		if was[in.ID] || dirty.touches(s) {
			return true
		}
		// What was of an incident that is looked at may be another now.
		return slices.ContainsFunc(in.Links, func(l incident.Link) bool { return l.State.Counts() && touched[utc(l.Episode.Key())] })
	}
	var d *desk
	for joined := core; d == nil || joined != core && !d.whole; { // what it was holds what it may be now
		if core, d, err = p.whole(ctx, joined, concerned, blind, func(s stretch) (past, error) { return p.usual(ctx, s, f) }); err != nil {
			return err
		}
		joined = core
		for id, m := range d.incidents {
			if !concerned(&m.incident, d.span(&m.incident)) {
				continue
			}
			in, ok := f.old[id]
			if !ok {
				if in, ok, err = stored(p.facts.Incident(ctx, id)); err != nil {
					return err
				}
				if !ok {
					continue
				}
			}
			s, err := p.place(ctx, &in)
			if err != nil {
				return err
			}
			f.old[in.ID], joined = in, joined.join(s)
		}
	}
	for _, m := range d.incidents {
		in := &m.incident
		if !concerned(in, d.span(in)) {
			continue
		}
		f.fresh[in.ID], f.spans[in.ID] = in, d.span(in)
		if err := p.absorbed(ctx, in, f); err != nil {
			return err
		}
		touch(in)
	}
	return p.judge(ctx, f, d, dirty, core, touched)
}

// absorbed finds the incidents, however far away, that were incidents of their own and are part of this one now.
func (p *pass) absorbed(ctx context.Context, in *incident.Incident, f *found) error {
	was := f.old[in.ID]
	for _, id := range in.Aliases {
		if slices.Contains(was.Aliases, id) {
			continue
		}
		other, ok, err := stored(p.facts.Incident(ctx, id))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if _, ok := f.old[other.ID]; !ok {
			f.old[other.ID] = other
		}
	}
	return nil
}

// watch tells the clock when a firing episode that is not heard of expires.
func (p *pass) watch(e *incident.Episode) {
	key := utc(e.Key()).String()
	if e.Firing() {
		p.moments[key] = moment{e.LastSeen.Add(p.rules.Silence + 1), stretch{e.StartsAt, e.LastSeen}, e.Fingerprint}
	} else if _, ok := p.clock[key]; ok {
		p.moments[key] = moment{}
	}
}

func utc(k incident.EpisodeKey) incident.EpisodeKey {
	k.StartsAt = k.StartsAt.UTC()
	return k
}

// note tells the clock when time alone changes an incident, which lies in a stretch.
func (p *pass) note(in *incident.Incident, of stretch) {
	var at time.Time
	if in.State == incident.StateOpen {
		at = in.OpenUntil
		if in.OpenedByAlerts && !in.Alerts.Heard.IsZero() {
			at = earliest(at, in.Alerts.Heard.Add(p.rules.Open.Quiet))
		}
		if !at.IsZero() && !at.After(p.now) {
			at = p.now.Add(time.Minute) // it should be over; look again, but not at once for ever
		}
	}
	if _, ok := p.clock[in.ID]; ok || !at.IsZero() {
		p.moments[in.ID] = moment{at: at, of: of}
	}
}

// lasts is the stretch that a record speaks of or can draw alerts from.
func (p *pass) lasts(r *incident.Record) stretch {
	from, to := r.Span()
	told := newReport([]*incident.Record{r}, nil, p.dir)
	return stretch{earliest(from, told.from), latest(to, told.to)}
}

// place is an incident's Span, with what its records speak of that no milestone tells.
func (p *pass) place(ctx context.Context, in *incident.Incident) (stretch, error) {
	from, to := in.Span()
	s, told := stretch{from, to}, map[string]bool{}
	for _, m := range in.Milestones {
		for _, c := range m.Candidates {
			told[c.From] = true
		}
	}
	for _, k := range in.Records {
		if told[k.String()] {
			continue
		}
		r, ok, err := stored(p.facts.Record(ctx, k))
		if err != nil {
			return s, err
		}
		if ok {
			s = s.join(p.lasts(&r))
		}
	}
	return s, nil
}

// records are those that can draw alerts from a stretch.
func (p *pass) records(ctx context.Context, s stretch) ([]incident.Record, error) {
	wide := s.widen(p.rules.reach())
	list, err := p.facts.Records(ctx, wide.from.Add(-p.rules.OpenFor), wide.to)
	return slices.DeleteFunc(list, func(r incident.Record) bool { return r.Withdrawn || !s.touches(p.lasts(&r)) }), err
}

// stored says whether a store has what was read; that it has not is no error here.
func stored[T any](v T, err error) (T, bool, error) {
	if err != nil && incident.CodeOf(err) == incident.CodeNotFound {
		return v, false, nil
	}
	return v, err == nil, err
}

// same says whether an incident is what is stored of it.
func same(a, b *incident.Incident) bool {
	if len(a.Links) != len(b.Links) { // of most that differ this is what does, and there may be many
		return false
	}
	x, y := *a, *b
	x.Measurements, y.Measurements = nil, nil
	p, err1 := json.Marshal(&x)
	q, err2 := json.Marshal(&y)
	return errors.Join(err1, err2) == nil && bytes.Equal(p, q)
}
