package postmortem

import (
	"cmp"
	"slices"
	"time"
)

// complete fills what a date leaves out from the day it is read near to: the year that brings it closest, the month of a
// bare day.
func (c *calendar) complete(d, near date) date {
	d = c.settle(d)
	if d.a > 0 || near.m == 0 && d.m == 0 {
		return date{}
	}
	if d.m == 0 {
		d.m = near.m
		if d.y == 0 {
			d.y = near.y
		}
	}
	if d.y == 0 {
		if near.y == 0 {
			return d
		}
		ref := near.time()
		best := time.Duration(1 << 62)
		for _, y := range []int{near.y, near.y - 1, near.y + 1} {
			t := (date{y: y, m: d.m, d: d.d}).time()
			if diff := t.Sub(ref).Abs(); !t.IsZero() && diff < best {
				best, d.y = diff, y
			}
		}
	}
	return d
}

// place gives every entry its day.
func (o *outline) place(c *calendar) (questions []dayQuestion) {
	var list []*entry
	for i := range o.entries {
		if e := &o.entries[i]; e.list && !e.st.unknown && !e.st.relative {
			list = append(list, e)
		}
	}
	o.newest = newestFirst(list, c)
	if o.newest {
		slices.Reverse(list)
	}
	var cur date
	known := false // cur is certain
	prev := -1     // minutes of the entry before, on cur
	seen := 0      // date marks passed
	usual := o.usualDay(c)
	aside := false // the entry before has a day of its own
	for _, e := range list {
		mins := e.st.h*60 + e.st.m
		marked := false
		if !o.newest {
			for seen < e.mark {
				m := o.marks[seen]
				seen++
				if m.next {
					if known {
						cur = cur.add(1)
						prev, marked = -1, true
					}
					continue
				}
				if d := c.complete(m.day, pickDay(cur, c.day)); d.full() && !c.rejected(d) {
					cur, prev, known, marked = d, -1, d.y > 0, true
				}
			}
		} else if e.mark > 0 && e.mark <= len(o.marks) {
			if d := c.complete(o.marks[e.mark-1].day, c.day); d.full() && !e.st.date.ok() && !d.same(cur) {
				cur, prev, known, marked = d, -1, true, true
			}
		}
		was := aside
		aside = e.st.date.ok() && !o.newest
		switch {
		case e.st.date.ok():
			d := c.complete(e.st.date, pickDay(c.day, cur))
			if !d.full() {
				break
			}
			cur, known = d, true
			e.explicit = true
		case was && !marked && !e.st.next && usual.full() && !usual.same(cur):
			cur, known = usual, true // "unless said otherwise, all was on …"
		case e.st.next && known && !marked && cur.full():
			cur = cur.add(1)
		case !cur.full():
			cur, known = c.day, true
			if e.st.next {
				cur = cur.add(1)
			}
		case marked:
		case prev >= 0 && mins < prev:
			back := prev - mins
			switch {
			case back < 60:
				mins = prev // disorder: the later one goes on counting
			case prev >= 16*60 && 1440-back <= 10*60 && mins < 12*60, prev >= 18*60 && 1440-back <= 14*60 && mins < 10*60:
				cur = cur.add(1)
			case was && c.fromText() && before(cur, c.day):
				cur = c.day // one entry had a day of its own; this one is of the day that the document is about
			default:
				if known && len(questions) < 20 {
					questions = append(questions, dayQuestion{e, cur})
				}
				known = false
			}
		}
		prev = mins
		e.day, e.dated = cur, cur.full() && cur.y > 0 && known
		e.suspicious = !known
	}
	o.checkOrder(list)
	o.placeProse(c)
	for i := range o.entries {
		e := &o.entries[i]
		if e.st.to != nil {
			e.st.to.date = c.complete(e.st.to.date, e.day)
		}
	}
	return questions
}

// usualDay is the day that a sentence gives to all entries that say no other: "unless noted otherwise, all was on 14 May".
func (o *outline) usualDay(c *calendar) date {
	for i := range o.doc.blocks[:min(len(o.doc.blocks), 400)] {
		b := &o.doc.blocks[i]
		if b.kind != para && b.kind != item || len(o.stamps[i]) == 0 {
			continue
		}
		for _, st := range o.stamps[i] {
			if st.hasClock || !st.date.ok() {
				continue
			}
			if o.t.has("unless", b.tokens()) {
				return c.complete(st.date, c.day)
			}
		}
	}
	return date{}
}

// fromText says whether the day of the document is one that its text tells.
func (c *calendar) fromText() bool { return c.from != "" && !weakSource(c.from) && c.from != "answer" }

// rejected says whether a day is one that the title gives and the rest of the document contradicts.
func (c *calendar) rejected(d date) bool {
	for _, m := range c.candidates {
		if m.when == "title" && m.day.m == d.m && m.day.d == d.d && c.from != "title" {
			return true
		}
	}
	return false
}

// dayQuestion is an entry whose clock goes back without a word of the day.
type dayQuestion struct {
	e   *entry
	cur date
}

func pickDay(a, b date) date {
	if a.full() {
		return a
	}
	return b
}

// newestFirst says whether a list of entries runs backwards.
func newestFirst(list []*entry, c *calendar) bool {
	up, down := 0, 0
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		da, db := c.complete(a.st.date, c.day), c.complete(b.st.date, c.day)
		if da.full() && db.full() && !da.same(db) {
			if da.time().IsZero() || db.time().IsZero() {
				if da.m*31+da.d < db.m*31+db.d {
					up++
				} else {
					down++
				}
			} else if da.time().Before(db.time()) {
				up++
			} else {
				down++
			}
			continue
		}
		x, y := a.st.h*60+a.st.m, b.st.h*60+b.st.m
		if x < y {
			up++
		} else if x > y {
			down++
		}
	}
	return down >= 2 && down > 2*up || down == 1 && up == 0 && len(list) == 2 && list[0].status != ""
}

// checkOrder marks the entries with a written date that do not fit the order of the rest: those outside the longest run
// that only steps back by less than an hour.
func (o *outline) checkOrder(list []*entry) {
	var run []*entry
	for _, e := range list {
		if e.dated && e.explicit {
			run = append(run, e)
		}
	}
	if len(run) < 3 {
		return
	}
	key := func(e *entry) int64 { return e.day.time().Unix()/60 + int64(e.st.h*60+e.st.m) }
	// Patience sorting for the longest non-decreasing subsequence; an hour of disorder is let pass by raising a small
	// step back to what came before it.
	vals := make([]int64, len(run))
	for i, e := range run {
		vals[i] = key(e)
		if i > 0 && vals[i] < vals[i-1] && vals[i-1]-vals[i] < 60 {
			vals[i] = vals[i-1]
		}
	}
	tails := []int{}
	back := make([]int, len(run))
	for i, v := range vals {
		p, _ := slices.BinarySearchFunc(tails, v+1, func(t int, v int64) int { return cmp.Compare(vals[t], v) })
		back[i] = -1
		if p > 0 {
			back[i] = tails[p-1]
		}
		if p == len(tails) {
			tails = append(tails, i)
		} else {
			tails[p] = i
		}
	}
	good := make([]bool, len(run))
	for i := tails[len(tails)-1]; i >= 0; i = back[i] {
		good[i] = true
	}
	for i, e := range run {
		if !good[i] {
			e.suspicious = true
		}
	}
}

// before says whether a day is known to be before another.
func before(a, b date) bool {
	x, y := a.time(), b.time()
	return !x.IsZero() && !y.IsZero() && x.Before(y)
}

// placeProse gives a time in running text the day last named in its section, else the document's.
func (o *outline) placeProse(c *calendar) {
	last := map[int]date{} // section -> day
	late := map[int]int{}  // section -> minutes of the time before, on that day
	scanned := map[int]int{}
	named := map[[2]int]int{} // day and month -> how often the text names it
	for i := range o.stamps {
		for _, st := range o.stamps[i] {
			if d := c.settle(st.date); d.full() {
				named[[2]int{d.m, d.d}]++
			}
		}
	}
	// "We had run it before, the last time on August 25": named once, and earlier than the day of the incident, which is
	// named again and again.
	aside := func(d date) bool {
		return before(d, c.day) && named[[2]int{d.m, d.d}] == 1 && named[[2]int{c.day.m, c.day.d}] > 1
	}
	for i := range o.entries {
		e := &o.entries[i]
		if e.list && !e.st.unknown && !e.st.relative || e.st.unknown || e.st.relative {
			if e.list {
				continue
			}
		}
		if e.dated {
			continue
		}
		head := o.sections[e.block].head
		from, ok := scanned[head]
		if !ok {
			from = max(head, 0)
		}
		for b := from; b <= e.block; b++ {
			if o.doc.blocks[b].kind == code || o.doc.blocks[b].kind == quote || o.sections[b].head != head || b < e.block && o.isField(b) {
				continue
			}
			for _, st := range o.stamps[b] {
				if b == e.block && st.start >= e.st.start {
					break
				}
				if !st.date.ok() || st.date.m == 0 && st.date.a == 0 {
					continue
				}
				if _, published := o.dateContext(&o.doc.blocks[b], st); published {
					continue
				}
				if d := c.complete(st.date, c.day); d.full() && !aside(d) {
					last[head] = d
				}
			}
		}
		scanned[head] = e.block
		day := c.day
		if d := last[head]; d.full() {
			day = d
		}
		if e.st.date.ok() {
			if d := c.complete(e.st.date, day); d.full() {
				day = d
				e.explicit = true
				if !aside(d) { // a look back does not move the story
					last[head] = d
				}
			}
		}
		mins := e.st.h*60 + e.st.m
		if e.st.next && !e.explicit && day.y > 0 {
			day = day.add(1)
			last[head] = day
			delete(late, head)
		}
		if prev, ok := late[head]; ok && !e.explicit && e.st.hasClock && prev >= 18*60 && mins < 10*60 && day.y > 0 {
			day = day.add(1) // after late evening the small hours are the next day
			last[head] = day
		}
		late[head] = mins
		e.day, e.dated = day, day.full() && day.y > 0
	}
}

// clockAt turns an entry's day and clock into a moment, with the zone that counts for it.
func (e *entry) resolve(doc zone) {
	z := e.zone
	if !z.ok() {
		z = doc
	}
	e.zone = z
	if !z.ok() || !e.dated || e.st.unclear {
		return
	}
	e.at, e.conflict = moment(e.day, e.st, z)
	if to := e.st.to; to != nil {
		day := e.day
		if to.date.full() && to.date.y > 0 {
			day = to.date
		} else if to.h*60+to.m < e.st.h*60+e.st.m {
			day = day.add(1)
		}
		tz := z
		if to.zone.ok() {
			tz = to.zone
		}
		e.end, _ = moment(day, *to, tz)
	}
}

// moment is a wall clock time of a day in a zone, in UTC.
func moment(d date, st stamp, z zone) (time.Time, bool) {
	off, conflict := z.offsetAt(d.y, d.m, d.d, st.h, st.m)
	return time.Date(d.y, time.Month(d.m), d.d, st.h, st.m, st.s, 0, time.UTC).Add(-time.Duration(off) * time.Second), conflict
}
