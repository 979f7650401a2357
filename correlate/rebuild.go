package correlate

import (
	"context"
	"runtime/debug"
	"slices"
	"time"

	"meantime/incident"
)

const (
	readWindow = 24 * time.Hour
	gcPercent  = 50 // how much garbage there may be while everything is worked out, in percent of what is in use
)

// rebuild makes a new book, tells it everything and delivers what is otherwise than stored: all of it, where other rules
// made that.
func (r *Runner) rebuild(ctx context.Context, rules *ruleSet) error {
	cursor, digest, err := r.facts.Position(ctx)
	if err != nil {
		return err
	}
	far := &far{told: r.told, why: why(digest, rules.digest)}
	far.tell(0)
	defer func() { r.told(far.why, 0, 0) }()
	// All that the rest of the feed tells of is stored by now, and so told with everything.
	r.cursor = cursor
	for {
		list, more, err := r.read(ctx)
		if err != nil {
			return err
		}
		if n := len(list); n > 0 {
			r.cursor = list[n-1].Seq
		}
		if !more {
			break
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent)) // for so long memory is scarcer than processor time
	b := newBook(&rules.Rules, r.sizes)
	b.now = r.now()
	r.book, r.current, r.cache = b, rules, &cache{facts: r.facts, book: b}
	b.reading = true
	if err := r.tellAll(ctx, far); err != nil {
		return err
	}
	b.reading, b.filled = false, nil
	far.total = b.total
	out := &outlet{Runner: r, far: far, reset: digest != rules.digest, before: cursor, begun: time.Now()}
	if err := b.settle(ctx, r.cache, out.flush); err != nil {
		return err
	}
	return out.last(ctx)
}

// why is the reason why everything is worked out, by the digests of the rules that made what is stored and of those to come.
func why(stored, now string) Why {
	switch stored {
	case now:
		return Restarted
	case "":
		return FirstTime
	}
	return OtherRules
}

// far is how far working out everything is. It goes by shares of the time that the steps take: reading the facts, working out
// their cells, making incidents of those, and saving what came of it.
type far struct {
	told          func(why Why, done, total int64)
	why           Why
	worked, total int // alerts
}

// The shares, in thousandths: measured with 20,000 alerts in SQLite.
const (
	allShares  = 1000
	readShare  = 200
	workedUpTo = 300
	shownUpTo  = 550
)

func (f *far) tell(done int64) { f.told(f.why, done, allShares) }

// read says that so much of a stretch of time was read.
func (f *far) read(done, all time.Duration) {
	if all > 0 {
		f.tell(int64(readShare * float64(done) / float64(all)))
	}
}

// cell says that the alerts of a cell were worked out. Some cells are more than once.
func (f *far) cell(n int) {
	f.worked = min(f.worked+n, f.total)
	f.tell(readShare + int64(workedUpTo-readShare)*int64(f.worked)/int64(max(1, f.total)))
}

// incident says that so many incidents of about so many were made.
func (f *far) incident(done, about int) {
	f.tell(workedUpTo + int64(shownUpTo-workedUpTo)*int64(min(done, about))/int64(max(1, about)))
}

// tellAll tells a new book everything.
func (r *Runner) tellAll(ctx context.Context, far *far) error {
	if err := r.reach(ctx); err != nil {
		return err
	}
	reviews, err := r.facts.Reviews(ctx)
	if err != nil {
		return err
	}
	r.book.tellReviews(reviews)
	silences, err := r.facts.Silences(ctx, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	from, to, err := r.facts.Extent(ctx)
	if err != nil {
		return err
	}
	whole := map[string]bool{} // of which all episodes were told
	for at := from; !from.IsZero() && !at.After(to); at = at.Add(readWindow) {
		end := at.Add(readWindow - 1)
		if err := r.tellWindow(ctx, at, end, whole); err != nil {
			return err
		}
		far.read(min(end.Sub(from), to.Sub(from)), to.Sub(from))
		records, err := r.facts.Records(ctx, at, end)
		if err != nil {
			return err
		}
		for i := range records {
			if r.book.records[records[i].Key()] == nil {
				r.book.tellRecord(&records[i])
			}
		}
	}
	for _, s := range silences {
		r.book.tellSilence(s)
	}
	return r.watch(ctx, true)
}

// tellWindow tells the book the episodes of a window of time. An alert that may reach out of it is told whole.
func (r *Runner) tellWindow(ctx context.Context, from, to time.Time, whole map[string]bool) error {
	list, err := r.facts.Sightings(ctx, from, to)
	if err != nil {
		return err
	}
	of := map[string][]incident.Sighting{}
	for _, s := range list {
		if !whole[s.Fingerprint] {
			of[s.Fingerprint] = append(of[s.Fingerprint], s)
		}
	}
	var edge []string
	for _, f := range sortedKeys(of) {
		if r.book.series[f] != nil || slices.ContainsFunc(of[f], func(s incident.Sighting) bool { return reachesOut(&s, from, to) }) {
			edge = append(edge, f)
			whole[f] = true
			continue
		}
		r.book.tell(f, r.book.episodes(of[f]))
	}
	err = r.tellPrints(ctx, edge)
	r.cache.putAway(r.book)
	return err
}

// reachesOut says whether what was heard of an alert outside of a window may be of one episode with a sighting.
func reachesOut(s *incident.Sighting, from, to time.Time) bool {
	a, b := s.Span()
	return s.EndsAt.IsZero() || a.Before(from.Add(time.Hour)) || b.After(to.Add(-time.Hour))
}

// putAway lets go of episodes; they are read again when their cell is worked out.
func (s *cache) putAway(b *book) {
	if b.total <= b.sizes.atHand {
		return
	}
	for _, e := range b.filled {
		e.episode = nil
	}
	b.filled = nil
}

// outlet delivers what a new book finds, in pieces.
type outlet struct {
	*Runner
	far    *far
	reset  bool
	before int64 // the cursor until everything is delivered
	begun  time.Time
	worked int
	part   int
	end    incident.EpisodeKey // of the newest verdict delivered
}

// flush delivers what is worked out up to a cell, if that is much.
func (o *outlet) flush(ctx context.Context, c *cell, more bool) error {
	o.far.cell(len(c.entries))
	if o.worked += len(c.entries); o.worked < o.book.sizes.flush || !more {
		return nil
	}
	o.worked = 0
	carried := map[string]bool{}
	for i := range c.out {
		carried[c.out[i].ID] = true
	}
	at := float64(c.to/1e6) / 3.6e6
	d, err := o.book.show(ctx, o.cache, func(p *part) bool {
		k := o.book.known[p.ref]
		return carried[p.ref] || k != nil && k.To() >= at || p.group == nil && p.opened == 0
	})
	if err != nil {
		return err
	}
	o.part++
	p := incident.Pass{
		Cursor:    o.before,
		Rules:     o.current.digest,
		Blind:     o.book.blind,
		Reset:     o.reset,
		Incidents: d.incidents,
		Verdicts:  d.verdicts,
	}
	if o.reset {
		p.Part, p.More = o.part, true
		o.late(&p)
		return o.deliver(ctx, p)
	}
	return o.differing(ctx, &p)
}

// late leaves verdicts that come before what was delivered for the pass after the last part.
func (o *outlet) late(p *incident.Pass) {
	kept := p.Verdicts[:0]
	for i := range p.Verdicts {
		k := utc(p.Verdicts[i].Episode.Key())
		if k.Compare(o.end) <= 0 {
			o.book.retell(k)
			continue
		}
		o.end = k
		kept = append(kept, p.Verdicts[i])
	}
	p.Verdicts = kept
}

// retell marks a verdict as not told.
func (b *book) retell(k incident.EpisodeKey) {
	if s := b.series[k.Fingerprint]; s != nil {
		for _, e := range s.entries {
			if e.start == k.StartsAt.UnixNano() {
				e.told = 0
				b.judged[e] = true
			}
		}
	}
}

// last delivers the rest.
func (o *outlet) last(ctx context.Context) error {
	shown, all := 0, len(o.book.parts)
	d, err := o.book.show(ctx, o.cache, func(*part) bool {
		o.far.incident(shown, all)
		shown++
		return false
	})
	if err != nil {
		return err
	}
	o.far.tell(shownUpTo)
	p := incident.Pass{
		Cursor:    o.cursor,
		Rules:     o.current.digest,
		Blind:     o.book.blind,
		Reset:     o.reset,
		Incidents: d.incidents,
		Verdicts:  d.verdicts,
	}
	if o.reset {
		if o.part > 0 {
			p.Part = o.part + 1
			o.late(&p)
		}
		return o.send(ctx, p, o.begun)
	}
	if err := o.obsolete(ctx, &p); err != nil {
		return err
	}
	return o.differing(ctx, &p)
}

// differing delivers of a pass what is stored otherwise.
func (o *outlet) differing(ctx context.Context, p *incident.Pass) error {
	kept := p.Incidents[:0]
	for i := range p.Incidents {
		in, ok, err := stored(o.facts.Incident(ctx, p.Incidents[i].ID))
		if err != nil {
			return err
		}
		if !ok || in.ID != p.Incidents[i].ID || !same(&in, &p.Incidents[i]) {
			kept = append(kept, p.Incidents[i])
		}
	}
	p.Incidents = kept
	if n := len(p.Verdicts); n > 0 {
		told := map[incident.EpisodeKey]uint64{}
		first, last := p.Verdicts[0].Episode.StartsAt, p.Verdicts[n-1].Episode.StartsAt
		for v, err := range o.facts.EachVerdict(ctx, first, last) {
			if err != nil {
				return err
			}
			told[utc(v.Episode.Key())] = verdictDigest(&v)
		}
		verdicts := p.Verdicts[:0]
		for i := range p.Verdicts {
			if told[utc(p.Verdicts[i].Episode.Key())] != verdictDigest(&p.Verdicts[i]) {
				verdicts = append(verdicts, p.Verdicts[i])
			}
		}
		p.Verdicts = verdicts
	}
	return o.send(ctx, *p, o.begun)
}

// obsolete finds what is stored of incidents and episodes that are no more.
func (o *outlet) obsolete(ctx context.Context, p *incident.Pass) error {
	shown := map[string]bool{}
	for _, x := range o.book.parts {
		shown[x.id] = true
	}
	for in, err := range o.facts.EachIncident(ctx, time.Time{}) {
		if err != nil {
			return err
		}
		if !shown[in.ID] {
			p.Removed = append(p.Removed, in.ID)
		}
	}
	slices.Sort(p.Removed)
	for v, err := range o.facts.EachVerdict(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return err
		}
		k := utc(v.Episode.Key())
		known := false
		if s := o.book.series[k.Fingerprint]; s != nil {
			at := k.StartsAt.UnixNano()
			_, known = slices.BinarySearchFunc(s.entries, at, func(e *entry, t int64) int {
				switch {
				case e.start < t:
					return -1
				case e.start > t:
					return 1
				}
				return 0
			})
		}
		if !known {
			p.Gone = append(p.Gone, k)
		}
	}
	slices.SortFunc(p.Gone, incident.EpisodeKey.Compare)
	return nil
}
