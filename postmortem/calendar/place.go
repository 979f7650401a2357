package calendar

import (
	"cmp"
	"slices"
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// Complete fills what a date leaves out from the day it is read near to: the year that brings it closest, the month of a
// bare day.
func (c *Calendar) Complete(d, near timex.Date) timex.Date {
	d = c.Settle(d)
	if d.A > 0 || near.Month == 0 && d.Month == 0 {
		return timex.Date{}
	}
	if d.Month == 0 {
		d.Month = near.Month
		if d.Year == 0 {
			d.Year = near.Year
		}
	}
	if d.Year == 0 {
		if near.Year == 0 {
			return d
		}
		ref := near.Time()
		best := time.Duration(1 << 62)
		for _, y := range []int{near.Year, near.Year - 1, near.Year + 1} {
			t := (timex.Date{Year: y, Month: d.Month, Day: d.Day}).Time()
			if diff := t.Sub(ref).Abs(); !t.IsZero() && diff < best {
				best, d.Year = diff, y
			}
		}
	}
	return d
}

// Place gives every entry its day.
func Place(o *timeline.Outline, c *Calendar) (questions []DayQuestion) {
	var list []*timeline.Entry
	for i := range o.Entries {
		if e := &o.Entries[i]; e.List && !e.Stamp.Unknown && !e.Stamp.Relative {
			list = append(list, e)
		}
	}
	o.Newest = newestFirst(list, c)
	if o.Newest {
		slices.Reverse(list)
	}
	var cur timex.Date
	known := false // cur is certain
	prev := -1     // minutes of the entry before, on cur
	seen := 0      // date marks passed
	usual := usualDay(o, c)
	aside := false // the entry before has a day of its own
	for _, e := range list {
		mins := e.Stamp.Hour*60 + e.Stamp.Minute
		marked := false
		if !o.Newest {
			for seen < e.Mark {
				m := o.Marks[seen]
				seen++
				if m.Next {
					if known {
						cur = cur.Add(1)
						prev, marked = -1, true
					}
					continue
				}
				if d := c.Complete(m.Day, pickDay(cur, c.Day)); d.Full() && !c.rejected(d) {
					cur, prev, known, marked = d, -1, d.Year > 0, true
				}
			}
		} else if e.Mark > 0 && e.Mark <= len(o.Marks) {
			if d := c.Complete(o.Marks[e.Mark-1].Day, c.Day); d.Full() && !e.Stamp.Date.OK() && !d.Same(cur) {
				cur, prev, known, marked = d, -1, true, true
			}
		}
		was := aside
		aside = e.Stamp.Date.OK() && !o.Newest
		switch {
		case e.Stamp.Date.OK():
			d := c.Complete(e.Stamp.Date, pickDay(c.Day, cur))
			if !d.Full() {
				break
			}
			cur, known = d, true
			e.Explicit = true
		case was && !marked && !e.Stamp.Next && usual.Full() && !usual.Same(cur):
			cur, known = usual, true // "unless said otherwise, all was on …"
		case e.Stamp.Next && known && !marked && cur.Full():
			cur = cur.Add(1)
		case !cur.Full():
			cur, known = c.Day, true
			if e.Stamp.Next {
				cur = cur.Add(1)
			}
		case marked:
		case prev >= 0 && mins < prev:
			back := prev - mins
			switch {
			case back < 60:
				mins = prev // disorder: the later one goes on counting
			case prev >= 16*60 && 1440-back <= 10*60 && mins < 12*60, prev >= 18*60 && 1440-back <= 14*60 && mins < 10*60:
				cur = cur.Add(1)
			case was && c.fromText() && before(cur, c.Day):
				cur = c.Day // one entry had a day of its own; this one is of the day that the document is about
			default:
				if known && len(questions) < 20 {
					questions = append(questions, DayQuestion{e, cur})
				}
				known = false
			}
		}
		prev = mins
		e.Day, e.Dated = cur, cur.Full() && cur.Year > 0 && known
		e.Suspicious = !known
	}
	checkOrder(o, list)
	placeProse(o, c)
	for i := range o.Entries {
		e := &o.Entries[i]
		if e.Stamp.To != nil {
			e.Stamp.To.Date = c.Complete(e.Stamp.To.Date, e.Day)
		}
	}
	return questions
}

// usualDay is the day that a sentence gives to all entries that say no other: "unless noted otherwise, all was on 14 May".
func usualDay(o *timeline.Outline, c *Calendar) timex.Date {
	for i := range o.Document.Blocks[:min(len(o.Document.Blocks), 400)] {
		b := &o.Document.Blocks[i]
		if b.Kind != document.Para && b.Kind != document.Item || len(o.Stamps[i]) == 0 {
			continue
		}
		for _, st := range o.Stamps[i] {
			if st.HasClock || !st.Date.OK() {
				continue
			}
			if o.Tongue.Has("unless", b.Tokens()) {
				return c.Complete(st.Date, c.Day)
			}
		}
	}
	return timex.Date{}
}

// fromText says whether the day of the document is one that its text tells.
func (c *Calendar) fromText() bool { return c.From != "" && !weakSource(c.From) && c.From != "answer" }

// rejected says whether a day is one that the title gives and the rest of the document contradicts.
func (c *Calendar) rejected(d timex.Date) bool {
	for _, m := range c.Candidates {
		if m.When == "title" && m.Day.Month == d.Month && m.Day.Day == d.Day && c.From != "title" {
			return true
		}
	}
	return false
}

// DayQuestion is an entry whose clock goes back without a word of the day.
type DayQuestion struct {
	E   *timeline.Entry
	Cur timex.Date
}

func pickDay(a, b timex.Date) timex.Date {
	if a.Full() {
		return a
	}
	return b
}

// newestFirst says whether a list of entries runs backwards.
func newestFirst(list []*timeline.Entry, c *Calendar) bool {
	up, down := 0, 0
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		da, db := c.Complete(a.Stamp.Date, c.Day), c.Complete(b.Stamp.Date, c.Day)
		if da.Full() && db.Full() && !da.Same(db) {
			if da.Time().IsZero() || db.Time().IsZero() {
				if da.Month*31+da.Day < db.Month*31+db.Day {
					up++
				} else {
					down++
				}
			} else if da.Time().Before(db.Time()) {
				up++
			} else {
				down++
			}
			continue
		}
		x, y := a.Stamp.Hour*60+a.Stamp.Minute, b.Stamp.Hour*60+b.Stamp.Minute
		if x < y {
			up++
		} else if x > y {
			down++
		}
	}
	return down >= 2 && down > 2*up || down == 1 && up == 0 && len(list) == 2 && list[0].Status != ""
}

// checkOrder marks the entries with a written date that do not fit the order of the rest: those outside the longest run
// that only steps back by less than an hour.
func checkOrder(o *timeline.Outline, list []*timeline.Entry) {
	var run []*timeline.Entry
	for _, e := range list {
		if e.Dated && e.Explicit {
			run = append(run, e)
		}
	}
	if len(run) < 3 {
		return
	}
	key := func(e *timeline.Entry) int64 { return e.Day.Time().Unix()/60 + int64(e.Stamp.Hour*60+e.Stamp.Minute) }
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
			e.Suspicious = true
		}
	}
}

// before says whether a day is known to be before another.
func before(a, b timex.Date) bool {
	x, y := a.Time(), b.Time()
	return !x.IsZero() && !y.IsZero() && x.Before(y)
}

// placeProse gives a time in running text the day last named in its section, else the document's.
func placeProse(o *timeline.Outline, c *Calendar) {
	last := map[int]timex.Date{} // section -> day
	late := map[int]int{}        // section -> minutes of the time before, on that day
	scanned := map[int]int{}
	named := map[[2]int]int{} // day and month -> how often the text names it
	for i := range o.Stamps {
		for _, st := range o.Stamps[i] {
			if d := c.Settle(st.Date); d.Full() {
				named[[2]int{d.Month, d.Day}]++
			}
		}
	}
	// "We had run it before, the last time on August 25": named once, and earlier than the day of the incident, which is
	// named again and again.
	aside := func(d timex.Date) bool {
		return before(d, c.Day) && named[[2]int{d.Month, d.Day}] == 1 && named[[2]int{c.Day.Month, c.Day.Day}] > 1
	}
	for i := range o.Entries {
		e := &o.Entries[i]
		if e.List && !e.Stamp.Unknown && !e.Stamp.Relative || e.Stamp.Unknown || e.Stamp.Relative {
			if e.List {
				continue
			}
		}
		if e.Dated {
			continue
		}
		head := o.Sections[e.Block].Head
		from, ok := scanned[head]
		if !ok {
			from = max(head, 0)
		}
		for b := from; b <= e.Block; b++ {
			if o.Document.Blocks[b].Kind == document.Code || o.Document.Blocks[b].Kind == document.Quote || o.Sections[b].Head != head ||
				b < e.Block && o.IsField(b) {
				continue
			}
			for _, st := range o.Stamps[b] {
				if b == e.Block && st.Start >= e.Stamp.Start {
					break
				}
				if !st.Date.OK() || st.Date.Month == 0 && st.Date.A == 0 {
					continue
				}
				if _, published := dateContext(o, &o.Document.Blocks[b], st); published {
					continue
				}
				if d := c.Complete(st.Date, c.Day); d.Full() && !aside(d) {
					last[head] = d
				}
			}
		}
		scanned[head] = e.Block
		day := c.Day
		if d := last[head]; d.Full() {
			day = d
		}
		if e.Stamp.Date.OK() {
			if d := c.Complete(e.Stamp.Date, day); d.Full() {
				day = d
				e.Explicit = true
				if !aside(d) { // a look back does not move the story
					last[head] = d
				}
			}
		}
		mins := e.Stamp.Hour*60 + e.Stamp.Minute
		if e.Stamp.Next && !e.Explicit && day.Year > 0 {
			day = day.Add(1)
			last[head] = day
			delete(late, head)
		}
		if prev, ok := late[head]; ok && !e.Explicit && e.Stamp.HasClock && prev >= 18*60 && mins < 10*60 && day.Year > 0 {
			day = day.Add(1) // after late evening the small hours are the next day
			last[head] = day
		}
		late[head] = mins
		e.Day, e.Dated = day, day.Full() && day.Year > 0
	}
}

// clockAt turns an entry's day and clock into a moment, with the zone that counts for it.
func resolve(e *timeline.Entry, doc timex.Zone) {
	z := e.Zone
	if !z.OK() {
		z = doc
	}
	e.Zone = z
	if !z.OK() || !e.Dated || e.Stamp.Unclear {
		return
	}
	e.At, e.Conflict = moment(e.Day, e.Stamp, z)
	if to := e.Stamp.To; to != nil {
		day := e.Day
		if to.Date.Full() && to.Date.Year > 0 {
			day = to.Date
		} else if to.Hour*60+to.Minute < e.Stamp.Hour*60+e.Stamp.Minute {
			day = day.Add(1)
		}
		tz := z
		if to.Zone.OK() {
			tz = to.Zone
		}
		e.End, _ = moment(day, *to, tz)
	}
}

// moment is a wall clock time of a day in a zone, in UTC.
func moment(d timex.Date, st timex.Stamp, z timex.Zone) (time.Time, bool) {
	off, conflict := z.OffsetAt(d.Year, d.Month, d.Day, st.Hour, st.Minute)
	return time.Date(d.Year, time.Month(d.Month), d.Day, st.Hour, st.Minute, st.Second, 0, time.UTC).Add(-time.Duration(off) * time.Second),
		conflict
}
