package correlate

import (
	"maps"
	"math"
	"slices"
	"time"
)

// folding is a working day's rare alerts, grouped into outbreaks. Fold says what it does to them.
//
// An alert that comes late, or goes, changes what later troubles had to choose from. Only what it reaches is decided anew:
// the outbreaks that it changes from then on, the troubles that join or leave those, and so on. All others stay as they
// are, so that a pointer to an outbreak or a trouble stands for its content.
type folding struct {
	alerts    []*alert              // in order of key
	troubles  map[string][]*trouble // by the key of their alerts, in order
	outbreaks []*outbreak           // in order of their first alerts
	asked     int                   // how often an outbreak was looked for
}

// fold groups the rare alerts of a working day, in order of key. It comes to the same whatever was folded before.
//
// Alerts of one service in one place that follow each other are one trouble. Whether a trouble joins an outbreak is decided
// in the order of time, by what is known when it begins.
func (f *folding) fold(alerts []*alert, dir *directory) {
	if slices.Equal(f.alerts, alerts) {
		return
	}
	gone, fresh, first := difference(f.alerts, alerts)
	vanished := f.segment(gone, fresh)
	if len(vanished) > 0 { // an alert can change what it is part of from before it began
		i, _ := slices.BinarySearchFunc(alerts, vanished[0].members[0], byKey)
		first = min(first, i)
	}
	f.alerts = alerts
	r := refolding{folding: f, dir: dir, old: f.outbreaks, now: map[*outbreak]*outbreak{}, live: living{at: map[string][]*outbreak{}}}
	for _, x := range alerts[first:] {
		dir.ask()
		for len(vanished) > 0 && byKey(vanished[0].members[0], x) <= 0 {
			r.reopen(vanished[0].outbreak, vanished[0].members[0])
			vanished = vanished[1:]
		}
		if x.trouble.members[0] == x {
			r.place(x.trouble)
		}
		if o := x.trouble.outbreak; o.open {
			o.members = append(o.members, x)
			o.last, o.until = x.StartsAt, latest(o.until, x.until())
		}
	}
	for _, t := range vanished {
		r.reopen(t.outbreak, t.members[0])
	}
	f.outbreaks = r.close()
}

// difference finds what is only in one of two lists in order of key, and the place in the second where they begin to differ.
func difference(old, now []*alert) (gone, fresh []*alert, first int) {
	for first < len(old) && first < len(now) && old[first] == now[first] {
		first++
	}
	old, rest := old[first:], now[first:]
	for len(old) > 0 && len(rest) > 0 {
		switch {
		case old[0] == rest[0]:
			old, rest = old[1:], rest[1:]
		case byKey(old[0], rest[0]) <= 0:
			gone, old = append(gone, old[0]), old[1:]
		default:
			fresh, rest = append(fresh, rest[0]), rest[1:]
		}
	}
	return append(gone, old...), append(fresh, rest...), first
}

// segment cuts the alerts of each key that changed into troubles, and gives those that are no more, in order.
func (f *folding) segment(gone, fresh []*alert) (vanished []*trouble) {
	if f.troubles == nil {
		f.troubles = map[string][]*trouble{}
	}
	without, with := map[*alert]bool{}, map[string][]*alert{}
	for _, x := range gone {
		without[x] = true
		with[x.key] = nil
	}
	for _, x := range fresh {
		with[x.key] = append(with[x.key], x)
	}
	for key, list := range with {
		known := map[*alert]*trouble{} // by their first alerts
		for _, t := range f.troubles[key] {
			known[t.members[0]] = t
			for _, x := range t.members {
				if !without[x] {
					list = append(list, x)
				}
			}
		}
		slices.SortFunc(list, byKey)
		var now []*trouble
		for i := 0; i < len(list); {
			j, until := i+1, list[i].until()
			for ; j < len(list) && follows(list[j], list[j-1], until); j++ {
				until = latest(until, list[j].until())
			}
			t := known[list[i]]
			if t == nil || !slices.Equal(t.members, list[i:j]) {
				t = &trouble{service: list[i].service, place: list[i].place, members: list[i:j:j], first: list[i].StartsAt}
			} else {
				delete(known, list[i])
			}
			for _, x := range t.members {
				x.trouble = t
			}
			now = append(now, t)
			i = j
		}
		for _, t := range known {
			vanished = append(vanished, t)
		}
		if f.troubles[key] = now; len(now) == 0 {
			delete(f.troubles, key)
		}
	}
	slices.SortFunc(vanished, func(a, b *trouble) int { return byKey(a.members[0], b.members[0]) })
	return vanished
}

// follows says whether an alert goes on with a trouble whose last alert was another and whose latest end so far is known.
func follows(x, last *alert, until time.Time) bool {
	pause := troublePause
	if x.StartsAt.Before(until.Add(lingers)) {
		pause = troubleActivePause
	}
	return x.StartsAt.Sub(last.StartsAt) <= pause
}

// refolding decides again about the troubles of a day from some moment on.
type refolding struct {
	*folding
	dir     *directory
	old     []*outbreak             // in order
	now     map[*outbreak]*outbreak // what became of those that something changed in
	live    living                  // those that are being put together, as far as a trouble can still join
	made    []*outbreak             // all of them
	decided int                     // troubles that were compared with all outbreaks
}

// mostDecided is how many troubles are compared with all outbreaks that are as they were. From then on so much is otherwise
// that it is less work to decide about all again.
const mostDecided = 100

// place finds the outbreak of a trouble that begins now.
func (r *refolding) place(t *trouble) {
	r.asked++
	was := t.outbreak
	_, reopened := r.now[was]
	known := was != nil && !reopened // what it had to choose from then is as it was
	if !known {
		r.decided++
	}
	if !known && r.decided == mostDecided {
		for _, o := range r.old {
			if t.first.Sub(o.last) <= outbreakActive {
				r.reopen(o, t.members[0])
			}
		}
	}
	var to *outbreak
	top := joinOdds
	if known {
		top = t.top
	}
	var whole *outbreak // that to was a part of then
	look := func(o, of *outbreak) {
		r.dir.ask()
		if o.asked == r.asked || o.group != t.members[0].group {
			return
		}
		o.asked = r.asked
		// Of equals the one that began first counts.
		if odds := o.odds(t, top, r.dir); odds > top || odds == top && to != nil && byFirst(o, to) < 0 || known && to == nil && odds == top && top > joinOdds && byFirst(o, was) < 0 {
			to, top, whole = o, odds, of
		}
	}
	for _, o := range r.live.near(t, r.dir) {
		look(o, nil)
	}
	if known && to == nil {
		return
	}
	if !known && r.decided < mostDecided {
		for _, o := range r.old {
			if byKey(o.members[0], t.members[0]) >= 0 {
				break
			}
			if t.first.Sub(o.last) > outbreakActive || o.group != t.members[0].group || !o.mayHave(t, top) {
				continue
			}
			if _, reopened := r.now[o]; reopened || !o.reaches(t, r.dir) {
				continue
			}
			then := o
			if byKey(o.members[len(o.members)-1], t.members[0]) > 0 {
				then = o.asOf(t.members[0], r.dir)
			}
			if then.alive(t.first) {
				look(then, o)
			}
		}
	}
	switch {
	case known:
		r.reopen(was, t.members[0])
	case to == nil:
		to = newOutbreak(t.members[0])
		to.open = true
		r.made, r.live.all = append(r.made, to), append(r.live.all, to)
	case whole != nil:
		to = r.reopen(whole, t.members[0])
	}
	r.live.reach(to, t, r.dir)
	to.join(t, r.dir)
	t.outbreak, t.top = to, top
}

// reopen puts an outbreak together again from what of it began before an alert; nil where that is nothing.
func (r *refolding) reopen(o *outbreak, x *alert) *outbreak {
	if _, done := r.now[o]; done || o.open {
		return r.now[o]
	}
	r.now[o] = nil
	if byKey(o.members[0], x) >= 0 {
		return nil
	}
	again := o.asOf(x, r.dir)
	again.open = true
	for _, t := range again.troubles {
		t.outbreak = again
	}
	r.now[o] = again
	r.made, r.live.all = append(r.made, again), append(r.live.all, again)
	for root := range again.roots {
		r.live.at[root] = append(r.live.at[root], again)
	}
	return again
}

// close gives all outbreaks of the day in order. What came out as it was is what it was.
func (r *refolding) close() []*outbreak {
	of := map[*alert]*outbreak{}
	var out []*outbreak
	for _, o := range r.old {
		if _, reopened := r.now[o]; reopened {
			of[o.members[0]] = o
		} else {
			out = append(out, o)
		}
	}
	for _, o := range r.made {
		if old := of[o.members[0]]; old != nil && slices.Equal(old.troubles, o.troubles) {
			o = old
		}
		o.open = false
		for _, t := range o.troubles {
			t.outbreak = o
		}
		for _, x := range o.members {
			x.outbreak = o
		}
		out = append(out, o)
	}
	slices.SortFunc(out, byFirst)
	return out
}

func byFirst(a, b *outbreak) int { return byKey(a.members[0], b.members[0]) }

// asOf is what was known of an outbreak when an alert began.
func (o *outbreak) asOf(x *alert, dir *directory) *outbreak {
	then := newOutbreak(o.members[0])
	if byKey(o.troubles[len(o.troubles)-1].members[0], x) < 0 { // all of it, but for alerts
		then.troubles, then.base, then.root, then.best = slices.Clone(o.troubles), o.base, o.root, o.best
		then.roots, then.places, then.where = maps.Clone(o.roots), maps.Clone(o.places), maps.Clone(o.where)
	} else {
		for _, t := range o.troubles {
			if byKey(t.members[0], x) >= 0 {
				break
			}
			then.add(t, dir)
		}
		then.lead()
	}
	n, _ := slices.BinarySearchFunc(o.members, x, byKey)
	then.members = slices.Clone(o.members[:n])
	for _, m := range then.members {
		then.last, then.until = m.StartsAt, latest(then.until, m.until())
	}
	return then
}

// mayHave says whether a trouble can have joined an outbreak that is complete, by odds above least, as far as times tell.
func (o *outbreak) mayHave(t *trouble, least float64) bool {
	x := t.members[0]
	n, _ := slices.BinarySearchFunc(o.members, x, byKey)
	if n == 0 {
		return false
	}
	last := o.members[n-1].StartsAt
	return max(timeOdds(x, o.first, last, true), timeOdds(x, o.first, last, false))+bestWay > least
}

// living are the outbreaks that a trouble can still join. Up to fewLive are looked at one by one.
const fewLive = 8

type living struct {
	all []*outbreak
	at  map[string][]*outbreak // by the services that may be their root
}

// bestWay is the most that the way from a root can say, the logarithm of how likely the root itself is in trouble.
var bestWay = math.Log(atRoot) + 1e-9

// mostOdds is the logarithm of the odds that a trouble joins what began just before it, if its service had no habits.
var mostOdds = math.Log((quickShare/quick.Hours() + (1-quickShare)/slow.Hours()) / (rareRate * kindsPer))

// near are those that a trouble may be part of, in no order. One that no root is known to reach is likely enough only where
// nothing is known of its service's dependencies; else the others need not be looked at.
func (l *living) near(t *trouble, dir *directory) []*outbreak {
	alive := func(list []*outbreak) []*outbreak {
		return slices.DeleteFunc(list, func(o *outbreak) bool { return !o.alive(t.first) })
	}
	if len(l.all) <= fewLive || dir.none(t.service)+mostOdds > joinOdds {
		l.all = alive(l.all)
		return l.all
	}
	var out []*outbreak
	for _, r := range dir.upward(t.service) {
		if len(l.at[r.from]) > 0 {
			l.at[r.from] = alive(l.at[r.from])
			out = append(out, l.at[r.from]...)
		}
	}
	return out
}

// reach notes the roots that an outbreak gains by a trouble that joins it.
func (l *living) reach(o *outbreak, t *trouble, dir *directory) {
	for _, r := range dir.upward(t.service) {
		if _, ok := o.roots[r.from]; !ok {
			l.at[r.from] = append(l.at[r.from], o)
		}
	}
}

// reaches says whether a trouble can have joined an outbreak, as far as roots tell.
func (o *outbreak) reaches(t *trouble, dir *directory) bool {
	if dir.none(t.service)+mostOdds > joinOdds {
		return true
	}
	for _, r := range dir.upward(t.service) {
		if _, ok := o.roots[r.from]; ok {
			return true
		}
	}
	return false
}
