package postmortem

import (
	"slices"
	"strings"
	"time"
)

// zoneChoice is the zone of a document's times, and what is doubtful about it.
type zoneChoice struct {
	zone     zone
	from     string // how it is known
	label    zone   // what the document says, where evidence contradicts it
	proof    string // the evidence
	line     int
	guessed  bool
	proofFor *entry
}

// docZone decides which zone the document's times are in: what it says of all its times, the zone its entries carry, a
// stamp that shows the same moment in UTC, last its language's home.
func (o *outline) docZone(fs []field, given givenDay) zoneChoice {
	if given.zone.set {
		return zoneChoice{zone: given.zone, from: "answer"}
	}
	var c zoneChoice
	for i := range o.doc.blocks {
		b := &o.doc.blocks[i]
		if b.kind == code || b.kind == quote || c.zone.ok() {
			continue
		}
		clocked := false
		for _, st := range o.stamps[i] {
			clocked = clocked || st.hasClock
		}
		if clocked && b.kind != row || len(b.text) > 600 {
			if z, ok := o.allTimesZone(b); ok {
				c = zoneChoice{zone: z, from: "the document says so", line: b.line}
			}
			continue
		}
		// A table's head, or a line that is little more than the zone: "2024-04-11, UTC".
		says := b.kind == row && b.head || o.fewWords(i) && b.kind != row
		says = says || o.t.has("all_times", b.tokens()) || o.t.has("every_time", b.tokens())
		if b.kind == heading && (o.sections[i].name == "timeline" || says) {
			says = true
		}
		if !says {
			continue
		}
		if zs := findZones(b.text, o.t); len(zs) > 0 {
			c = zoneChoice{zone: zs[0], from: "the document says so", line: b.line}
			for _, z := range zs[1:] { // "PDT (UTC-7)" written apart
				if z.fixed && !c.zone.fixed {
					c.zone = fixedZone(c.zone.label, z.offset)
				}
			}
		} else if z, ok := o.allTimesZone(b); ok {
			c = zoneChoice{zone: z, from: "the document says so", line: b.line}
		} else if toks := b.tokens(); len(toks) > 1 && len(toks) <= 7 { // "All times Z."
			n := len(toks)
			if toks[n-1].stop {
				n--
			}
			if toks[n-1].text == "z" {
				c = zoneChoice{zone: fixedZone("UTC", 0), from: "the document says so", line: b.line}
			}
		}
	}
	for _, f := range fs {
		clocked := slices.ContainsFunc(f.stamps, func(st stamp) bool { return st.hasClock })
		if (f.name == "zone" || f.name == "period" && !clocked) && !c.zone.ok() {
			if zs := findZones(f.text, o.t); len(zs) > 0 {
				c = zoneChoice{zone: zs[0], from: "the document says so", line: f.line}
			}
		}
	}
	if !c.zone.ok() {
		c = o.carriedZone()
	}
	if !c.zone.ok() {
		c = o.frontZone()
	}
	o.checkZone(&c)
	if !c.zone.ok() {
		switch home := o.t.HomeZone; {
		case given.location != nil:
			c = zoneChoice{zone: placeZone(given.location.String(), given.location.String()), from: "default"}
			if given.location == time.UTC {
				c.zone = fixedZone("UTC", 0)
			}
		case home != "":
			c = zoneChoice{zone: placeZone(home, home), from: "the language", guessed: true}
		}
	}
	return c
}

// fewWords says whether a block is a few words beside its dates and times.
func (o *outline) fewWords(i int) bool {
	n := 0
	for _, t := range o.doc.blocks[i].tokens() {
		in := t.comma || t.stop
		for _, st := range o.stamps[i] {
			in = in || t.start >= st.start && t.end <= st.end
		}
		if !in {
			n++
		}
	}
	return n <= 6
}

// allTimesZone is the zone that a passage of running text says all times are in: the one named right behind the words.
func (o *outline) allTimesZone(b *block) (z zone, ok bool) {
	toks := b.tokens()
	for _, x := range o.t.spansOf("every_time", toks) {
		to := x[1]
		end := len(b.text)
		for i := to; i < len(toks); i++ {
			if toks[i].stop || i > to+10 {
				end = toks[i].start
				break
			}
		}
		if zs := findZones(b.text[toks[to-1].end:end], o.t); len(zs) > 0 {
			return zs[0], true
		}
		for i := to; i < len(toks) && i <= to+6 && !toks[i].stop; i++ { // "all times are Brasília's"
			if z, ok = cityAt(b.text, toks, i); ok {
				return z, true
			}
		}
	}
	return zone{}, false
}

// cityAt is the clock of a city that is named at token i, in capitals.
func cityAt(s string, toks []token, i int) (zone, bool) {
	table, err := zoneTable()
	if err != nil || s[toks[i].start] < 'A' || s[toks[i].start] > 'Z' && s[toks[i].start] < 0x80 {
		return zone{}, false
	}
	for _, c := range table.cities {
		if e := matchAt([]alt{c.words}, toks, i); e > 0 {
			return placeZone(s[toks[i].start:toks[e-1].end], c.zone), true
		}
	}
	return zone{}, false
}

// carriedZone is the zone that stands beside some of the times, where only one stands there.
func (o *outline) carriedZone() zoneChoice {
	var c zoneChoice
	ofRow := map[int][]stamp{} // a row -> the time of its entry; what another cell quotes has a clock of its own
	for i := range o.entries {
		if e := &o.entries[i]; e.row != "" {
			ofRow[e.block] = append(ofRow[e.block], e.st)
		}
	}
	for pass := 0; pass < 2 && !c.zone.ok(); pass++ {
		two := false
		for i := range o.doc.blocks {
			if k := o.doc.blocks[i].kind; k == code || k == quote || excluded(o.sections[i].name) {
				continue
			}
			stamps := o.stamps[i]
			if own, ok := ofRow[i]; ok {
				stamps = own
			}
			for _, st := range stamps {
				if !st.hasClock || !st.zone.ok() {
					continue
				}
				if _, only := o.stampOnly(i); only && pass == 0 && !o.inTimeline(i) {
					continue // a date of publication
				}
				if c.zone.ok() && c.zone.label != st.zone.label {
					two = true
					continue
				}
				if !c.zone.ok() {
					c = zoneChoice{zone: st.zone, from: "other times of the document", line: o.doc.blocks[i].line}
				}
			}
		}
		if two {
			// Two zones beside times: the rest could be in either, unless they mean the same.
			for i := range o.entries {
				if z := o.entries[i].st.zone; z.ok() {
					return zoneChoice{zone: z, from: "the entry before", line: o.entries[i].line}
				}
			}
			return zoneChoice{}
		}
	}
	return c
}

// frontZone is the zone of a status page's updates, where its front matter tells the moment of the last of them in UTC: such
// pages have the times of updates as their author's clock showed them.
func (o *outline) frontZone() zoneChoice {
	minute := func(st stamp) time.Time {
		return time.Date(st.date.y, time.Month(st.date.m), st.date.d, st.h, st.m, 0, 0, time.UTC)
	}
	for i := range o.doc.front {
		b := &o.doc.front[i]
		if len(b.cells) != 2 || !strings.HasPrefix(b.cells[0], "resolved") {
			continue
		}
		for _, st := range scan(b.text, b.tokens(), o.t) {
			if !st.hasClock || !st.date.full() || !st.zone.fixed || st.zone.offset != 0 {
				continue
			}
			for k := range o.entries {
				e := &o.entries[k]
				if e.status != "resolved" || !e.st.hasClock || !e.st.date.full() || e.st.zone.ok() {
					continue
				}
				ahead := minute(e.st).Sub(minute(st))
				if offset := ahead.Round(30 * time.Minute); (ahead-offset).Abs() <= 3*time.Minute && offset >= -12*time.Hour && offset <= 14*time.Hour {
					return zoneChoice{zone: fixedZone("as in the front matter", int(offset/time.Second)), from: "the front matter tells the same moment in UTC", line: b.line}
				}
			}
		}
	}
	return zoneChoice{}
}

// checkZone compares the zone with quoted alerts, commit stamps and log lines that belong to an entry. One that shows the
// entry's own clock with an offset says the zone; one that shows the same minute in UTC proves the label right or wrong.
func (o *outline) checkZone(c *zoneChoice) {
	for i := range o.entries {
		e := &o.entries[i]
		if !e.st.hasClock || e.st.hourOnly || !e.list {
			continue
		}
		z := e.zone
		if !z.ok() {
			z = c.zone
		}
		for _, bi := range e.body {
			b := &o.doc.blocks[bi]
			if b.kind != quote && b.kind != code {
				continue
			}
			for _, st := range o.stamps[bi] {
				if !st.hasClock || !st.zone.ok() || st.zone.place != "" {
					continue
				}
				day := e.day
				if st.date.full() {
					day = st.date
					if day.y == 0 {
						day.y = e.day.y
					}
				}
				if !day.full() || day.y == 0 || !e.dated {
					continue
				}
				if st.h == e.st.h && st.m == e.st.m && st.zone.offset != 0 && day.same(e.day) {
					if !z.ok() {
						c.zone, c.from, c.line = fixedZone(formatOffset(st.zone.offset), st.zone.offset), "a stamp in the text", b.line
						c.proof = quoteText(b.text[st.start:st.end], 80)
						return
					}
				}
				shown, _ := moment(day, st, st.zone)
				wall := time.Date(e.day.y, time.Month(e.day.m), e.day.d, e.st.h, e.st.m, 0, 0, time.UTC)
				off := wall.Sub(shown.Truncate(time.Minute))
				if off%time.Hour != 0 || off.Abs() > 14*time.Hour {
					continue
				}
				sec := int(off / time.Second)
				if z.ok() {
					if has, _ := z.offsetAt(e.day.y, e.day.m, e.day.d, e.st.h, e.st.m); has == sec {
						continue // it bears the label out
					}
					c.label = z
				} else if sec == st.zone.offset && sec == 0 {
					continue
				}
				c.zone, c.from, c.line, c.proofFor = fixedZone("UTC"+formatOffset(sec), sec), "evidence in the text", b.line, e
				c.proof = quoteText(b.text[st.start:st.end], 80)
				return
			}
		}
	}
}

// apply turns every entry's day and clock into a moment.
func (o *outline) apply(c zoneChoice, cal *calendar) {
	o.clearHours()
	for i := range o.entries {
		e := &o.entries[i]
		if c.label.ok() || c.from == "answer" && (!e.st.zone.ok() || e.st.zone.label == c.label.label) {
			if !e.st.zone.ok() || c.label.ok() && e.st.zone.label == c.label.label {
				e.zone = zone{} // the label is proved wrong
			}
		}
		e.resolve(c.zone)
	}
	o.placeRelative(cal, c.zone)
}

// clearHours settles a clock whose day part contradicts its hour, where the document names the same clock with a part
// that fits.
func (o *outline) clearHours() {
	for i := range o.entries {
		e := &o.entries[i]
		if !e.st.unclear {
			continue
		}
		for k := range o.entries {
			if x := &o.entries[k]; x.st.twelve && !x.st.unclear && x.st.h%12 == e.st.h%12 && x.st.m == e.st.m {
				e.st.h, e.st.unclear = x.st.h, false
				e.cleared = true
				break
			}
		}
	}
}

// placeRelative gives T+5 its moment, where the entry the count begins at has one.
func (o *outline) placeRelative(cal *calendar, z zone) {
	var zero time.Time
	for i := range o.stamps { // "T0 is 20:00 UTC": a moment in the block that names T0
		named := false
		for _, st := range o.stamps[i] {
			named = named || st.relative && st.plus == 0
		}
		for _, st := range o.stamps[i] {
			if named && st.hasClock && zero.IsZero() {
				e := o.momentOf(st, i, cal, z)
				zero = e.at
			}
		}
	}
	if zero.IsZero() {
		return
	}
	for i := range o.entries {
		if e := &o.entries[i]; e.st.relative {
			e.at, e.dated = zero.Add(e.st.plus), true
		}
	}
}
