package postmortem

import (
	"cmp"
	"slices"
	"time"
)

// mention is a date somewhere in the document, with how much speaks for it being the day of the incident.
type mention struct {
	day    date
	score  int
	block  int // -1 in the front matter, -2 in the file's name
	strong bool
	when   string // where it stands, in words
	line   int
}

// givenDay is what somebody who asks says of a document's times: its zone, its day or year, and the zone of times that neither
// carry one nor stand in a document that says one.
type givenDay struct {
	location *time.Location // nil leaves them unknown
	zone     zone
	date     time.Time
	year     int
}

// calendar is what a document says about its days.
type calendar struct {
	day        date // of the incident; the year may be missing
	from       string
	yearFrom   string // empty where the text says it; "title", "publication" or "name" where only that does
	candidates []mention
	monthFirst int // 1: 3/4 is March 4; -1: it is 3 April; 0: not known
	titleYear  int // a year in the title, 0 where there is none
	openOrder  bool
	zoned      bool      // the order was settled by nothing but the zone of the times
	doubts     []mention // days that the text names against one that it nowhere says itself
	ambiguous  date
}

// dated works out the day of the incident, the order of numeric dates, and the year where dates leave it out.
func (o *outline) calendar(given givenDay) calendar {
	var c calendar
	var ms []mention
	pub := 0 // a year from a date of publication
	add := func(m mention) {
		if len(ms) < 1000 {
			ms = append(ms, m)
		}
	}
	for i := range o.doc.front {
		b := &o.doc.front[i]
		if len(b.cells) != 2 {
			continue
		}
		for _, st := range scan(b.text, b.tokens(), o.t) {
			if !st.date.full() {
				continue
			}
			switch {
			case o.fieldName(b.cells[0]) == "date" && b.cells[0] != "date":
				add(mention{day: st.date, score: 6, block: -1, strong: true, when: "front matter", line: b.line})
			case b.cells[0] == "title":
				add(mention{day: st.date, score: 5, block: -1, strong: true, when: "title", line: b.line})
			case b.cells[0] == "date":
				add(mention{day: st.date, score: 1, block: -1, when: "front matter", line: b.line})
			}
			if st.date.y > 0 && pub == 0 {
				pub = st.date.y
			}
		}
	}
	titleSeen := false
	for i := range o.doc.blocks {
		if i > 3000 {
			break
		}
		b := &o.doc.blocks[i]
		title := !titleSeen && b.orig == o.doc.title
		titleSeen = titleSeen || title
		if len(o.stamps[i]) == 0 {
			continue
		}
		// A block that is only a stamp, near the top, is when the page was published; in a timeline it is an entry.
		for _, st := range o.stamps[i] {
			if !st.date.full() && st.date.a == 0 {
				continue
			}
			m := mention{day: st.date, score: 1, block: i, when: "text", line: b.line}
			near, published := o.dateContext(b, st)
			switch {
			case b.kind == code || b.kind == quote:
				m.score, m.when = 0, "log or commit"
				if st.date.y > 0 && b.kind == code {
					m.score = 2
				}
			case title:
				m.score += 4
				m.strong, m.when = true, "title"
			case b.kind == heading && near:
				m.score += 3
				m.strong, m.when = true, "heading"
			case near:
				m.score += 3
				m.strong, m.when = true, "sentence"
			}
			if st.hasClock && b.kind != code && b.kind != quote {
				m.score += 2
			}
			// "All times in UTC, May 22, 2023"
			if !title && !published && o.t.has("every_time", b.tokens()) {
				m.score += 2
			}
			if st.date.weekday > 0 && st.date.y > 0 && isoWeekday(st.date.time()) != st.date.weekday {
				m.score -= 3
			}
			label, _, ok := cutLabel(b.text)
			if l, above := o.labelOf[i]; above {
				label, ok = o.doc.blocks[l].text, true
			}
			switch f := o.fieldName(label); {
			case ok && f == "date":
				m.score += 5
				m.strong, m.when = true, "date field"
			case ok && (f == "started" || f == "period") && !published:
				m.score += 4
				m.strong, m.when = true, "start field"
			}
			if published || excluded(o.sections[i].name) {
				m.score -= 5
				m.strong = false
				m.when = "publication"
			} else if k, only := o.stampOnly(i); only && !o.inTimeline(i) && m.when != "start field" && m.when != "date field" && o.stamps[i][k].date.y > 0 && b.kind == para {
				m.score -= 4
				m.strong = false
				m.when = "publication"
			}
			if m.when == "publication" && st.date.y > 0 && pub == 0 {
				pub = st.date.y
			}
			add(m)
		}
	}
	nameDay := dateInName(o.doc.name)
	if nameDay.ok() {
		add(mention{day: nameDay, score: 3, block: -2, when: "file name"})
	}
	if t := given.year; t > 0 {
		pub = t
	}
	o.settleOrder(&c, ms)
	for i := range ms {
		ms[i].day = c.settle(ms[i].day)
	}
	for _, t := range tokenize(foldWidth(o.doc.title)) { // "Uptime report, March 2023"
		if y, n := digits(t.text, 0); n == 4 && len(t.text) == 4 && validYear(y) {
			c.titleYear = y
		}
	}
	c.pick(ms, pub, nameDay, o.statusFile(), given)
	return c
}

// dateContext says whether an incident's word stands close to a date, and whether a word of publishing does.
func (o *outline) dateContext(b *block, st stamp) (near, published bool) {
	toks := b.tokens()
	sc := scanner{s: b.text, toks: toks, t: o.t}
	from, to := sc.at(st.start), sc.at(st.end)
	clip := func(lo, hi int) []token {
		lo, hi = max(0, lo), min(len(toks), hi)
		for k := from - 1; k >= lo; k-- {
			if toks[k].stop {
				lo = k + 1
			}
		}
		for k := to; k < hi; k++ {
			if toks[k].stop {
				hi = k
			}
		}
		if lo > hi {
			return nil
		}
		return toks[lo:hi]
	}
	reach := 9
	close := 5
	if o.t.Script != "" {
		reach, close = 20, 8
	}
	near = near || o.t.has("incident", clip(from-reach, to+reach))
	published = published || o.t.has("published", clip(from-close, to+close))
	if published { // "…公布した4月8日の障害": what stands right behind the date counts more
		if o.t.has("incident", clip(to, to+4)) {
			return true, false
		}
	}
	return near, published
}

func (o *outline) inTimeline(i int) bool { return o.sections[i].name == "timeline" || o.taken[i] }

// settleOrder decides whether 3/4 is March or April: by a date that can be read only one way, by weekday, by the dates that
// are written out, by which reading keeps the dates together, and last by what the language's writers do.
func (o *outline) settleOrder(c *calendar, ms []mention) {
	vote := 0
	var amb []date
	var sure []time.Time
	for _, m := range ms {
		if m.day.a == 0 {
			if t := m.day.time(); !t.IsZero() {
				sure = append(sure, t)
			}
			continue
		}
		amb = append(amb, m.day)
	}
	if len(amb) == 0 {
		return
	}
	asMonth := func(d date, monthFirst bool) date {
		if monthFirst {
			return date{y: d.y, m: d.a, d: d.b, weekday: d.weekday}
		}
		return date{y: d.y, m: d.b, d: d.a, weekday: d.weekday}
	}
	var spans [2]time.Duration
	for k, mf := range []bool{true, false} {
		sign := 1 - 2*k
		var lo, hi time.Time
		for _, d := range amb {
			x := asMonth(d, mf)
			t := x.time()
			if t.IsZero() {
				x.y = 2024
				t = x.time()
			} else if d.weekday > 0 && isoWeekday(t) == d.weekday {
				vote += 3 * sign
			}
			for _, s := range sure {
				if diff := s.Sub(t).Abs(); d.y > 0 && diff <= 3*24*time.Hour || d.y == 0 && x.m == int(s.Month()) && x.d == s.Day() {
					vote += 2 * sign
					break
				}
			}
			if lo.IsZero() || t.Before(lo) {
				lo = t
			}
			if t.After(hi) {
				hi = t
			}
		}
		spans[k] = hi.Sub(lo)
	}
	if vote == 0 {
		vote = o.orderSeen()
	}
	if vote == 0 && spans[0] != spans[1] {
		if spans[0] < spans[1] {
			vote = 1
		} else {
			vote = -1
		}
	}
	if vote == 0 {
		vote = o.orderOfZones()
		c.zoned, c.ambiguous = vote != 0, amb[0]
	}
	if vote == 0 && !o.t.MonthDay {
		vote = -1
	}
	switch {
	case vote > 0:
		c.monthFirst = 1
	case vote < 0:
		c.monthFirst = -1
	default:
		c.openOrder, c.ambiguous = true, amb[0]
	}
}

// orderSeen looks for numeric dates that can be read only one way.
func (o *outline) orderSeen() int {
	for i := range o.doc.blocks {
		s := o.doc.blocks[i].text
		for _, st := range o.stamps[i] {
			if !st.date.full() || st.date.start >= len(s) || !isDigit(s[st.date.start]) {
				continue
			}
			a, n := digits(s, st.date.start)
			if n > 2 || st.date.start+n >= len(s) || s[st.date.start+n] != '/' && s[st.date.start+n] != '.' && s[st.date.start+n] != '-' {
				continue
			}
			b, bn := digits(s, st.date.start+n+1)
			if bn == 0 || bn > 2 {
				continue
			}
			if a > 12 {
				return -1
			}
			if b > 12 {
				return 1
			}
		}
	}
	return 0
}

// orderOfZones is what the writers at the document's zones do, where all of them do the same: who writes EDT beside the
// times puts the month first, who writes BST does not.
func (o *outline) orderOfZones() int {
	vote := 0
	for i := range o.stamps {
		for _, st := range o.stamps[i] {
			if !st.hasClock || st.zone.place == "" {
				continue
			}
			v := -1
			switch st.zone.place {
			case "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles":
				v = 1
			}
			if vote != 0 && v != vote {
				return 0
			}
			vote = v
		}
	}
	return vote
}

// settle gives an ambiguous date its day and month, where the order is known.
func (c *calendar) settle(d date) date {
	if d.a == 0 || c.monthFirst == 0 {
		return d
	}
	if c.monthFirst > 0 {
		d.m, d.d = d.a, d.b
	} else {
		d.m, d.d = d.b, d.a
	}
	d.a, d.b = 0, 0
	return d
}

// pick chooses the day of the incident among the mentions, and its year.
func (c *calendar) pick(ms []mention, pub int, nameDay date, status bool, given givenDay) {
	type sum struct {
		day   date
		score int
		first int
		best  mention
		told  bool // by the text, not only by what stands beside it
	}
	var sums []sum
	index := map[[2]int]int{}
	for n, m := range ms {
		if !m.day.full() {
			continue
		}
		k := [2]int{m.day.m, m.day.d}
		i, ok := index[k]
		if !ok {
			i = len(sums)
			index[k] = i
			sums = append(sums, sum{day: m.day, first: n, best: m})
		}
		s := &sums[i]
		s.told = s.told || m.inText()
		// Every further mention says less: a long timeline of the day after must not outvote the title.
		if m.score > s.best.score || s.first == n {
			s.best = m
		}
		if s.day.y == 0 {
			s.day.y = m.day.y
		}
		if s.day.weekday == 0 {
			s.day.weekday = m.day.weekday
		}
		if s.first == n || m.score < 0 {
			s.score += m.score
		} else {
			s.score += min(m.score, 2)
		}
	}
	for i := range sums {
		s := &sums[i]
		if s.day.weekday > 0 && s.day.y == 0 && pub > 0 {
			for _, y := range []int{pub, pub - 1} {
				if t := (date{y: y, m: s.day.m, d: s.day.d}).time(); !t.IsZero() && isoWeekday(t) == s.day.weekday {
					s.score++
					break
				}
			}
		}
		if s.day.weekday > 0 && s.day.y > 0 && isoWeekday(s.day.time()) == s.day.weekday {
			s.score += 2
		}
	}
	if len(sums) == 0 {
		return
	}
	best := slices.MaxFunc(sums, func(a, b sum) int {
		return cmp.Or(cmp.Compare(min(a.score, 12), min(b.score, 12)), cmp.Compare(b.first, a.first))
	})
	if best.score <= 0 {
		if pub > 0 {
			c.day.y, c.yearFrom = pub, "publication"
		}
		return
	}
	c.day, c.from = date{y: best.day.y, m: best.day.m, d: best.day.d, weekday: best.day.weekday}, best.best.when
	if best.best.block == -2 && len(sums) == 1 {
		c.yearFrom = "name"
	}
	onlyName := true
	for _, m := range ms {
		if m.day.y > 0 && m.block != -2 {
			onlyName = false
		}
	}
	if c.day.y > 0 && onlyName {
		c.yearFrom = "name"
	}
	if c.day.y == 0 {
		c.findYear(ms, pub, nameDay)
	}
	if !best.told && weakSource(c.from) && !status {
		for _, s := range sums {
			d := c.complete(s.day, c.day)
			near := d.time().Sub(c.day.time()).Abs() <= 14*24*time.Hour
			if s.told && near && !(d.m == c.day.m && d.d == c.day.d) {
				c.doubts = append(c.doubts, s.best)
			}
		}
	}
	for _, s := range sums {
		if s.best.strong && !(s.day.m == c.day.m && s.day.d == c.day.d) {
			c.candidates = append(c.candidates, s.best)
		}
	}
	if !given.date.IsZero() {
		c.day, c.from, c.yearFrom, c.candidates, c.doubts = dateOf(given.date), "answer", "", nil, nil
	} else if given.year > 0 {
		c.day.y, c.yearFrom = given.year, ""
	}
}

// inText says whether the text itself names the day.
func (m mention) inText() bool {
	return m.block >= 0 && m.when != "publication" && m.when != "log or commit"
}

// weakSource says whether a day comes from a place that tells when a document was written as often as when it happened.
func weakSource(from string) bool { return from == "front matter" || from == "file name" }

// findYear fills in a missing year from the nearest full date of the text, else the date of publication, else the file's
// name; a weekday must agree.
func (c *calendar) findYear(ms []mention, pub int, nameDay date) {
	try := func(y int, from string) bool {
		t := (date{y: y, m: c.day.m, d: c.day.d}).time()
		if t.IsZero() || c.day.weekday > 0 && isoWeekday(t) != c.day.weekday {
			return false
		}
		c.day.y, c.yearFrom = y, from
		return true
	}
	bestDist := 1 << 30
	year := 0
	for _, m := range ms {
		if m.day.y == 0 || m.when == "publication" || m.block == -2 || !m.day.full() {
			continue
		}
		dist := (m.day.m-c.day.m)*31 + m.day.d - c.day.d
		dist = max(dist, -dist)
		if m.when == "log or commit" {
			dist++
		}
		if dist < bestDist {
			bestDist, year = dist, m.day.y
		}
	}
	if year > 0 && (try(year, "") || try(year-1, "")) {
		return
	}
	if c.titleYear > 0 && try(c.titleYear, "title") {
		return
	}
	if pub > 0 && (try(pub, "publication") || try(pub-1, "publication")) {
		return
	}
	if nameDay.y > 0 {
		try(nameDay.y, "name")
	}
}

// dateInName finds YYYY-MM-DD, YYYYMMDD or YYYY_MM_DD in a file's name.
func dateInName(name string) date {
	for i := 0; i < len(name); i++ {
		if !isDigit(name[i]) || i > 0 && isDigit(name[i-1]) {
			continue
		}
		v, n := digits(name, i)
		switch {
		case n == 8:
			d := date{y: v / 10000, m: v / 100 % 100, d: v % 100}
			if validYear(d.y) && validDay(d.y, d.m, d.d) {
				return d
			}
		case n == 4 && i+9 < len(name)+1 && validYear(v) && i+4 < len(name) && (name[i+4] == '-' || name[i+4] == '_' || name[i+4] == '.'):
			m, mn := digits(name, i+5)
			if mn != 2 || i+7 >= len(name) || name[i+7] != name[i+4] {
				continue
			}
			d, dn := digits(name, i+8)
			if dn == 2 && validDay(v, m, d) {
				return date{y: v, m: m, d: d}
			}
		}
	}
	return date{}
}
