// Package calendar settles the moments of a document's entries: which day and which zone its times are of, weighed over the
// whole document, and the windows of time it says users were affected in.
package calendar

import (
	"cmp"
	"slices"
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// Mention is a date somewhere in the document, with how much speaks for it being the day of the incident.
type Mention struct {
	Day    timex.Date
	score  int
	Block  int // -1 in the front matter, -2 in the file's name
	strong bool
	When   string // where it stands, in words
	Line   int
}

// Given is what somebody who asks says of a document's times: its zone, its day or year, and the zone of times that neither
// carry one nor stand in a document that says one.
type Given struct {
	Location *time.Location // nil leaves them unknown
	Zone     timex.Zone
	Date     time.Time
	Year     int
}

// Calendar is what a document says about its days.
type Calendar struct {
	Day        timex.Date // of the incident; the year may be missing
	From       string
	YearFrom   string // empty where the text says it; "title", "publication" or "name" where only that does
	Candidates []Mention
	monthFirst int // 1: 3/4 is March 4; -1: it is 3 April; 0: not known
	titleYear  int // a year in the title, 0 where there is none
	OpenOrder  bool
	Zoned      bool      // the order was settled by nothing but the zone of the times
	Doubts     []Mention // days that the text names against one that it nowhere says itself
	Ambiguous  timex.Date
}

// dated works out the day of the incident, the order of numeric dates, and the year where dates leave it out.
func Of(o *timeline.Outline, given Given) Calendar {
	var c Calendar
	var ms []Mention
	pub := 0 // a year from a date of publication
	add := func(m Mention) {
		if len(ms) < 1000 {
			ms = append(ms, m)
		}
	}
	for i := range o.Document.Front {
		b := &o.Document.Front[i]
		if len(b.Cells) != 2 {
			continue
		}
		for _, st := range timex.Scan(b.Text, b.Tokens(), o.Tongue) {
			if !st.Date.Full() {
				continue
			}
			switch {
			case o.FieldName(b.Cells[0]) == "date" && b.Cells[0] != "date":
				add(Mention{Day: st.Date, score: 6, Block: -1, strong: true, When: "front matter", Line: b.Line})
			case b.Cells[0] == "title":
				add(Mention{Day: st.Date, score: 5, Block: -1, strong: true, When: "title", Line: b.Line})
			case b.Cells[0] == "date":
				add(Mention{Day: st.Date, score: 1, Block: -1, When: "front matter", Line: b.Line})
			}
			if st.Date.Year > 0 && pub == 0 {
				pub = st.Date.Year
			}
		}
	}
	titleSeen := false
	for i := range o.Document.Blocks {
		if i > 3000 {
			break
		}
		b := &o.Document.Blocks[i]
		title := !titleSeen && b.Orig == o.Document.Title
		titleSeen = titleSeen || title
		if len(o.Stamps[i]) == 0 {
			continue
		}
		// A block that is only a stamp, near the top, is when the page was published; in a timeline it is an entry.
		for _, st := range o.Stamps[i] {
			if !st.Date.Full() && st.Date.A == 0 {
				continue
			}
			m := Mention{Day: st.Date, score: 1, Block: i, When: "text", Line: b.Line}
			near, published := dateContext(o, b, st)
			switch {
			case b.Kind == document.Code || b.Kind == document.Quote:
				m.score, m.When = 0, "log or commit"
				if st.Date.Year > 0 && b.Kind == document.Code {
					m.score = 2
				}
			case title:
				m.score += 4
				m.strong, m.When = true, "title"
			case b.Kind == document.Heading && near:
				m.score += 3
				m.strong, m.When = true, "heading"
			case near:
				m.score += 3
				m.strong, m.When = true, "sentence"
			}
			if st.HasClock && b.Kind != document.Code && b.Kind != document.Quote {
				m.score += 2
			}
			// "All times in UTC, May 22, 2023"
			if !title && !published && o.Tongue.Has("every_time", b.Tokens()) {
				m.score += 2
			}
			if st.Date.Weekday > 0 && st.Date.Year > 0 && timex.IsoWeekday(st.Date.Time()) != st.Date.Weekday {
				m.score -= 3
			}
			label, _, ok := lexicon.CutLabel(b.Text)
			if l, above := o.LabelOf[i]; above {
				label, ok = o.Document.Blocks[l].Text, true
			}
			switch f := o.FieldName(label); {
			case ok && f == "date":
				m.score += 5
				m.strong, m.When = true, "date field"
			case ok && (f == "started" || f == "period") && !published:
				m.score += 4
				m.strong, m.When = true, "start field"
			}
			if published || timeline.Excluded(o.Sections[i].Name) {
				m.score -= 5
				m.strong = false
				m.When = "publication"
			} else if k, only := o.StampOnly(i); only && !inTimeline(o, i) && m.When != "start field" && m.When != "date field" &&
				o.Stamps[i][k].Date.Year > 0 && b.Kind == document.Para {
				m.score -= 4
				m.strong = false
				m.When = "publication"
			}
			if m.When == "publication" && st.Date.Year > 0 && pub == 0 {
				pub = st.Date.Year
			}
			add(m)
		}
	}
	nameDay := dateInName(o.Document.Name)
	if nameDay.OK() {
		add(Mention{Day: nameDay, score: 3, Block: -2, When: "file name"})
	}
	if t := given.Year; t > 0 {
		pub = t
	}
	settleOrder(o, &c, ms)
	for i := range ms {
		ms[i].Day = c.Settle(ms[i].Day)
	}
	for _, t := range lexicon.Tokenize(lexicon.FoldWidth(o.Document.Title)) { // "Uptime report, March 2023"
		if y, n := lexicon.Digits(t.Text, 0); n == 4 && len(t.Text) == 4 && lexicon.ValidYear(y) {
			c.titleYear = y
		}
	}
	c.pick(ms, pub, nameDay, o.StatusFile())
	c.take(given)
	return c
}

// dateContext says whether an incident's word stands close to a date, and whether a word of publishing does.
func dateContext(o *timeline.Outline, b *document.Block, st timex.Stamp) (near, published bool) {
	toks := b.Tokens()
	sc := timex.Scanner{S: b.Text, Toks: toks, T: o.Tongue}
	from, to := sc.At(st.Start), sc.At(st.End)
	clip := func(lo, hi int) []lexicon.Token {
		lo, hi = max(0, lo), min(len(toks), hi)
		for k := from - 1; k >= lo; k-- {
			if toks[k].Stop {
				lo = k + 1
			}
		}
		for k := to; k < hi; k++ {
			if toks[k].Stop {
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
	if o.Tongue.Script != "" {
		reach, close = 20, 8
	}
	near = near || o.Tongue.Has("incident", clip(from-reach, to+reach))
	published = published || o.Tongue.Has("published", clip(from-close, to+close))
	if published { // "…公布した4月8日の障害": what stands right behind the date counts more
		if o.Tongue.Has("incident", clip(to, to+4)) {
			return true, false
		}
	}
	return near, published
}

func inTimeline(o *timeline.Outline, i int) bool {
	return o.Sections[i].Name == "timeline" || o.Taken[i]
}

// settleOrder decides whether 3/4 is March or April: by a date that can be read only one way, by weekday, by the dates that
// are written out, by which reading keeps the dates together, and last by what the language's writers do.
func settleOrder(o *timeline.Outline, c *Calendar, ms []Mention) {
	vote := 0
	var amb []timex.Date
	var sure []time.Time
	for _, m := range ms {
		if m.Day.A == 0 {
			if t := m.Day.Time(); !t.IsZero() {
				sure = append(sure, t)
			}
			continue
		}
		amb = append(amb, m.Day)
	}
	if len(amb) == 0 {
		return
	}
	asMonth := func(d timex.Date, monthFirst bool) timex.Date {
		if monthFirst {
			return timex.Date{Year: d.Year, Month: d.A, Day: d.B, Weekday: d.Weekday}
		}
		return timex.Date{Year: d.Year, Month: d.B, Day: d.A, Weekday: d.Weekday}
	}
	var spans [2]time.Duration
	for k, mf := range []bool{true, false} {
		sign := 1 - 2*k
		var lo, hi time.Time
		for _, d := range amb {
			x := asMonth(d, mf)
			t := x.Time()
			if t.IsZero() {
				x.Year = 2024
				t = x.Time()
			} else if d.Weekday > 0 && timex.IsoWeekday(t) == d.Weekday {
				vote += 3 * sign
			}
			for _, s := range sure {
				if diff := s.Sub(t).Abs(); d.Year > 0 && diff <= 3*24*time.Hour || d.Year == 0 && x.Month == int(s.Month()) && x.Day == s.Day() {
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
		vote = orderSeen(o)
	}
	if vote == 0 && spans[0] != spans[1] {
		if spans[0] < spans[1] {
			vote = 1
		} else {
			vote = -1
		}
	}
	if vote == 0 {
		vote = orderOfZones(o)
		c.Zoned, c.Ambiguous = vote != 0, amb[0]
	}
	if vote == 0 && !o.Tongue.MonthDay {
		vote = -1
	}
	switch {
	case vote > 0:
		c.monthFirst = 1
	case vote < 0:
		c.monthFirst = -1
	default:
		c.OpenOrder, c.Ambiguous = true, amb[0]
	}
}

// orderSeen looks for numeric dates that can be read only one way.
func orderSeen(o *timeline.Outline) int {
	for i := range o.Document.Blocks {
		s := o.Document.Blocks[i].Text
		for _, st := range o.Stamps[i] {
			if !st.Date.Full() || st.Date.Start >= len(s) || !lexicon.IsDigit(s[st.Date.Start]) {
				continue
			}
			a, n := lexicon.Digits(s, st.Date.Start)
			if n > 2 || st.Date.Start+n >= len(s) || s[st.Date.Start+n] != '/' && s[st.Date.Start+n] != '.' && s[st.Date.Start+n] != '-' {
				continue
			}
			b, bn := lexicon.Digits(s, st.Date.Start+n+1)
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
func orderOfZones(o *timeline.Outline) int {
	vote := 0
	for i := range o.Stamps {
		for _, st := range o.Stamps[i] {
			if !st.HasClock || st.Zone.Place == "" {
				continue
			}
			v := -1
			switch st.Zone.Place {
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

// Settle gives an ambiguous date its day and month, where the order is known.
func (c *Calendar) Settle(d timex.Date) timex.Date {
	if d.A == 0 || c.monthFirst == 0 {
		return d
	}
	if c.monthFirst > 0 {
		d.Month, d.Day = d.A, d.B
	} else {
		d.Month, d.Day = d.B, d.A
	}
	d.A, d.B = 0, 0
	return d
}

// pick chooses the day of the incident among the mentions, and its year.
func (c *Calendar) pick(ms []Mention, pub int, nameDay timex.Date, status bool) {
	type sum struct {
		day   timex.Date
		score int
		first int
		best  Mention
		told  bool // by the text, not only by what stands beside it
	}
	var sums []sum
	index := map[[2]int]int{}
	for n, m := range ms {
		if !m.Day.Full() {
			continue
		}
		k := [2]int{m.Day.Month, m.Day.Day}
		i, ok := index[k]
		if !ok {
			i = len(sums)
			index[k] = i
			sums = append(sums, sum{day: m.Day, first: n, best: m})
		}
		s := &sums[i]
		s.told = s.told || m.inText()
		// Every further mention says less: a long timeline of the day after must not outvote the title.
		if m.score > s.best.score || s.first == n {
			s.best = m
		}
		if s.day.Year == 0 {
			s.day.Year = m.Day.Year
		}
		if s.day.Weekday == 0 {
			s.day.Weekday = m.Day.Weekday
		}
		if s.first == n || m.score < 0 {
			s.score += m.score
		} else {
			s.score += min(m.score, 2)
		}
	}
	for i := range sums {
		s := &sums[i]
		if s.day.Weekday > 0 && s.day.Year == 0 && pub > 0 {
			for _, y := range []int{pub, pub - 1} {
				if t := (timex.Date{Year: y, Month: s.day.Month, Day: s.day.Day}).Time(); !t.IsZero() && timex.IsoWeekday(t) == s.day.Weekday {
					s.score++
					break
				}
			}
		}
		if s.day.Weekday > 0 && s.day.Year > 0 && timex.IsoWeekday(s.day.Time()) == s.day.Weekday {
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
			c.Day.Year, c.YearFrom = pub, "publication"
		}
		return
	}
	c.Day, c.From = timex.Date{Year: best.day.Year, Month: best.day.Month, Day: best.day.Day, Weekday: best.day.Weekday}, best.best.When
	if best.best.Block == -2 && len(sums) == 1 {
		c.YearFrom = "name"
	}
	onlyName := true
	for _, m := range ms {
		if m.Day.Year > 0 && m.Block != -2 {
			onlyName = false
		}
	}
	if c.Day.Year > 0 && onlyName {
		c.YearFrom = "name"
	}
	if c.Day.Year == 0 {
		c.findYear(ms, pub, nameDay)
	}
	if !best.told && weakSource(c.From) && !status {
		for _, s := range sums {
			d := c.Complete(s.day, c.Day)
			near := d.Time().Sub(c.Day.Time()).Abs() <= 14*24*time.Hour
			if s.told && near && !(d.Month == c.Day.Month && d.Day == c.Day.Day) {
				c.Doubts = append(c.Doubts, s.best)
			}
		}
	}
	for _, s := range sums {
		if s.best.strong && !(s.day.Month == c.Day.Month && s.day.Day == c.Day.Day) {
			c.Candidates = append(c.Candidates, s.best)
		}
	}
}

// take sets what a person says of the day, whatever the document says of it, and where it says nothing.
func (c *Calendar) take(given Given) {
	if !given.Date.IsZero() {
		c.Day, c.From, c.YearFrom, c.Candidates, c.Doubts = timex.DateOf(given.Date), "answer", "", nil, nil
	} else if given.Year > 0 {
		c.Day.Year, c.YearFrom = given.Year, ""
	}
}

// inText says whether the text itself names the day.
func (m Mention) inText() bool {
	return m.Block >= 0 && m.When != "publication" && m.When != "log or commit"
}

// weakSource says whether a day comes from a place that tells when a document was written as often as when it happened.
func weakSource(from string) bool { return from == "front matter" || from == "file name" }

// findYear fills in a missing year from the nearest full date of the text, else the date of publication, else the file's
// name; a weekday must agree.
func (c *Calendar) findYear(ms []Mention, pub int, nameDay timex.Date) {
	try := func(y int, from string) bool {
		t := (timex.Date{Year: y, Month: c.Day.Month, Day: c.Day.Day}).Time()
		if t.IsZero() || c.Day.Weekday > 0 && timex.IsoWeekday(t) != c.Day.Weekday {
			return false
		}
		c.Day.Year, c.YearFrom = y, from
		return true
	}
	bestDist := 1 << 30
	year := 0
	for _, m := range ms {
		if m.Day.Year == 0 || m.When == "publication" || m.Block == -2 || !m.Day.Full() {
			continue
		}
		dist := (m.Day.Month-c.Day.Month)*31 + m.Day.Day - c.Day.Day
		dist = max(dist, -dist)
		if m.When == "log or commit" {
			dist++
		}
		if dist < bestDist {
			bestDist, year = dist, m.Day.Year
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
	if nameDay.Year > 0 {
		try(nameDay.Year, "name")
	}
}

// dateInName finds YYYY-MM-DD, YYYYMMDD or YYYY_MM_DD in a file's name.
func dateInName(name string) timex.Date {
	for i := 0; i < len(name); i++ {
		if !lexicon.IsDigit(name[i]) || i > 0 && lexicon.IsDigit(name[i-1]) {
			continue
		}
		v, n := lexicon.Digits(name, i)
		switch {
		case n == 8:
			d := timex.Date{Year: v / 10000, Month: v / 100 % 100, Day: v % 100}
			if lexicon.ValidYear(d.Year) && timex.ValidDay(d.Year, d.Month, d.Day) {
				return d
			}
		case n == 4 && i+9 < len(name)+1 && lexicon.ValidYear(v) && i+4 < len(name) && (name[i+4] == '-' || name[i+4] == '_' || name[i+4] == '.'):
			m, mn := lexicon.Digits(name, i+5)
			if mn != 2 || i+7 >= len(name) || name[i+7] != name[i+4] {
				continue
			}
			d, dn := lexicon.Digits(name, i+8)
			if dn == 2 && timex.ValidDay(v, m, d) {
				return timex.Date{Year: v, Month: m, Day: d}
			}
		}
	}
	return timex.Date{}
}
