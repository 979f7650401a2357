package calendar

import (
	"slices"
	"strings"
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// ZoneChoice is the zone of a document's times, and what is doubtful about it.
type ZoneChoice struct {
	Zone     timex.Zone
	From     string     // how it is known
	Label    timex.Zone // what the document says, where evidence contradicts it
	Proof    string     // the evidence
	Line     int
	Guessed  bool
	ProofFor *timeline.Entry
}

// ZoneOf decides which zone the document's times are in: what it says of all its times, the zone its entries carry, a
// stamp that shows the same moment in UTC, last its language's home.
func ZoneOf(o *timeline.Outline, fs []timeline.Field, given Given) ZoneChoice {
	if given.Zone.Set {
		return ZoneChoice{Zone: given.Zone, From: "answer"}
	}
	var c ZoneChoice
	for i := range o.Document.Blocks {
		b := &o.Document.Blocks[i]
		if b.Kind == document.Code || b.Kind == document.Quote || c.Zone.OK() {
			continue
		}
		clocked := false
		for _, st := range o.Stamps[i] {
			clocked = clocked || st.HasClock
		}
		if clocked && b.Kind != document.Row || len(b.Text) > 600 {
			if z, ok := allTimesZone(o, b); ok {
				c = ZoneChoice{Zone: z, From: "the document says so", Line: b.Line}
			}
			continue
		}
		// A table's head, or a line that is little more than the zone: "2024-04-11, UTC".
		says := b.Kind == document.Row && b.Head || fewWords(o, i) && b.Kind != document.Row
		says = says || o.Tongue.Has("all_times", b.Tokens()) || o.Tongue.Has("every_time", b.Tokens())
		if b.Kind == document.Heading && (o.Sections[i].Name == "timeline" || says) {
			says = true
		}
		if !says {
			continue
		}
		if zs := timex.FindZones(b.Text, o.Tongue); len(zs) > 0 {
			c = ZoneChoice{Zone: zs[0], From: "the document says so", Line: b.Line}
			for _, z := range zs[1:] { // "PDT (UTC-7)" written apart
				if z.Fixed && !c.Zone.Fixed {
					c.Zone = timex.FixedZone(c.Zone.Label, z.Offset)
				}
			}
		} else if z, ok := allTimesZone(o, b); ok {
			c = ZoneChoice{Zone: z, From: "the document says so", Line: b.Line}
		} else if toks := b.Tokens(); len(toks) > 1 && len(toks) <= 7 { // "All times Z."
			n := len(toks)
			if toks[n-1].Stop {
				n--
			}
			if toks[n-1].Text == "z" {
				c = ZoneChoice{Zone: timex.FixedZone("UTC", 0), From: "the document says so", Line: b.Line}
			}
		}
	}
	for _, f := range fs {
		clocked := slices.ContainsFunc(f.Stamps, func(st timex.Stamp) bool { return st.HasClock })
		if (f.Name == "zone" || f.Name == "period" && !clocked) && !c.Zone.OK() {
			if zs := timex.FindZones(f.Text, o.Tongue); len(zs) > 0 {
				c = ZoneChoice{Zone: zs[0], From: "the document says so", Line: f.Line}
			}
		}
	}
	if !c.Zone.OK() {
		c = carriedZone(o)
	}
	if !c.Zone.OK() {
		c = frontZone(o)
	}
	checkZone(o, &c)
	if !c.Zone.OK() {
		switch home := o.Tongue.HomeZone; {
		case given.Location != nil:
			c = ZoneChoice{Zone: timex.PlaceZone(given.Location.String(), given.Location.String()), From: "default"}
			if given.Location == time.UTC {
				c.Zone = timex.FixedZone("UTC", 0)
			}
		case home != "":
			c = ZoneChoice{Zone: timex.PlaceZone(home, home), From: "the language", Guessed: true}
		}
	}
	return c
}

// fewWords says whether a block is a few words beside its dates and times.
func fewWords(o *timeline.Outline, i int) bool {
	n := 0
	for _, t := range o.Document.Blocks[i].Tokens() {
		in := t.Comma || t.Stop
		for _, st := range o.Stamps[i] {
			in = in || t.Start >= st.Start && t.End <= st.End
		}
		if !in {
			n++
		}
	}
	return n <= 6
}

// allTimesZone is the zone that a passage of running text says all times are in: the one named right behind the words.
func allTimesZone(o *timeline.Outline, b *document.Block) (z timex.Zone, ok bool) {
	toks := b.Tokens()
	for _, x := range o.Tongue.SpansOf("every_time", toks) {
		to := x[1]
		end := len(b.Text)
		for i := to; i < len(toks); i++ {
			if toks[i].Stop || i > to+10 {
				end = toks[i].Start
				break
			}
		}
		if zs := timex.FindZones(b.Text[toks[to-1].End:end], o.Tongue); len(zs) > 0 {
			return zs[0], true
		}
		for i := to; i < len(toks) && i <= to+6 && !toks[i].Stop; i++ { // "all times are Brasília's"
			if z, ok = cityAt(b.Text, toks, i); ok {
				return z, true
			}
		}
	}
	return timex.Zone{}, false
}

// cityAt is the clock of a city that is named at token i, in capitals.
func cityAt(s string, toks []lexicon.Token, i int) (timex.Zone, bool) {
	table, err := timex.ZoneTable()
	if err != nil || s[toks[i].Start] < 'A' || s[toks[i].Start] > 'Z' && s[toks[i].Start] < 0x80 {
		return timex.Zone{}, false
	}
	for _, c := range table.Cities {
		if e := lexicon.MatchAt([]lexicon.Alt{c.Words}, toks, i); e > 0 {
			return timex.PlaceZone(s[toks[i].Start:toks[e-1].End], c.Zone), true
		}
	}
	return timex.Zone{}, false
}

// carriedZone is the zone that stands beside some of the times, where only one stands there.
func carriedZone(o *timeline.Outline) ZoneChoice {
	var c ZoneChoice
	ofRow := map[int][]timex.Stamp{} // a row -> the time of its entry; what another cell quotes has a clock of its own
	for i := range o.Entries {
		if e := &o.Entries[i]; e.Row != "" {
			ofRow[e.Block] = append(ofRow[e.Block], e.Stamp)
		}
	}
	for pass := 0; pass < 2 && !c.Zone.OK(); pass++ {
		two := false
		for i := range o.Document.Blocks {
			if k := o.Document.Blocks[i].Kind; k == document.Code || k == document.Quote || timeline.Excluded(o.Sections[i].Name) {
				continue
			}
			stamps := o.Stamps[i]
			if own, ok := ofRow[i]; ok {
				stamps = own
			}
			for _, st := range stamps {
				if !st.HasClock || !st.Zone.OK() {
					continue
				}
				if _, only := o.StampOnly(i); only && pass == 0 && !inTimeline(o, i) {
					continue // a date of publication
				}
				if c.Zone.OK() && c.Zone.Label != st.Zone.Label {
					two = true
					continue
				}
				if !c.Zone.OK() {
					c = ZoneChoice{Zone: st.Zone, From: "other times of the document", Line: o.Document.Blocks[i].Line}
				}
			}
		}
		if two {
			// Two zones beside times: the rest could be in either, unless they mean the same.
			for i := range o.Entries {
				if z := o.Entries[i].Stamp.Zone; z.OK() {
					return ZoneChoice{Zone: z, From: "the entry before", Line: o.Entries[i].Line}
				}
			}
			return ZoneChoice{}
		}
	}
	return c
}

// frontZone is the zone of a status page's updates, where its front matter tells the moment of the last of them in UTC: such
// pages have the times of updates as their author's clock showed them.
func frontZone(o *timeline.Outline) ZoneChoice {
	minute := func(st timex.Stamp) time.Time {
		return time.Date(st.Date.Year, time.Month(st.Date.Month), st.Date.Day, st.Hour, st.Minute, 0, 0, time.UTC)
	}
	for i := range o.Document.Front {
		b := &o.Document.Front[i]
		if len(b.Cells) != 2 || !strings.HasPrefix(b.Cells[0], "resolved") {
			continue
		}
		for _, st := range timex.Scan(b.Text, b.Tokens(), o.Tongue) {
			if !st.HasClock || !st.Date.Full() || !st.Zone.Fixed || st.Zone.Offset != 0 {
				continue
			}
			for k := range o.Entries {
				e := &o.Entries[k]
				if e.Status != "resolved" || !e.Stamp.HasClock || !e.Stamp.Date.Full() || e.Stamp.Zone.OK() {
					continue
				}
				ahead := minute(e.Stamp).Sub(minute(st))
				if offset := ahead.Round(30 * time.Minute); (ahead-offset).Abs() <= 3*time.Minute && offset >= -12*time.Hour && offset <= 14*time.Hour {
					return ZoneChoice{Zone: timex.FixedZone("as in the front matter", int(offset/time.Second)),
						From: "the front matter tells the same moment in UTC", Line: b.Line}
				}
			}
		}
	}
	return ZoneChoice{}
}

// checkZone compares the zone with quoted alerts, commit stamps and log lines that belong to an entry. One that shows the
// entry's own clock with an offset says the zone; one that shows the same minute in UTC proves the label right or wrong.
func checkZone(o *timeline.Outline, c *ZoneChoice) {
	for i := range o.Entries {
		e := &o.Entries[i]
		if !e.Stamp.HasClock || e.Stamp.HourOnly || !e.List {
			continue
		}
		z := e.Zone
		if !z.OK() {
			z = c.Zone
		}
		for _, bi := range e.Body {
			b := &o.Document.Blocks[bi]
			if b.Kind != document.Quote && b.Kind != document.Code {
				continue
			}
			for _, st := range o.Stamps[bi] {
				if !st.HasClock || !st.Zone.OK() || st.Zone.Place != "" {
					continue
				}
				day := e.Day
				if st.Date.Full() {
					day = st.Date
					if day.Year == 0 {
						day.Year = e.Day.Year
					}
				}
				if !day.Full() || day.Year == 0 || !e.Dated {
					continue
				}
				if st.Hour == e.Stamp.Hour && st.Minute == e.Stamp.Minute && st.Zone.Offset != 0 && day.Same(e.Day) {
					if !z.OK() {
						c.Zone, c.From, c.Line = timex.FixedZone(timex.FormatOffset(st.Zone.Offset), st.Zone.Offset), "a stamp in the text", b.Line
						c.Proof = document.QuoteText(b.Text[st.Start:st.End], 80)
						return
					}
				}
				shown, _ := moment(day, st, st.Zone)
				wall := time.Date(e.Day.Year, time.Month(e.Day.Month), e.Day.Day, e.Stamp.Hour, e.Stamp.Minute, 0, 0, time.UTC)
				off := wall.Sub(shown.Truncate(time.Minute))
				if off%time.Hour != 0 || off.Abs() > 14*time.Hour {
					continue
				}
				sec := int(off / time.Second)
				if z.OK() {
					if has, _ := z.OffsetAt(e.Day.Year, e.Day.Month, e.Day.Day, e.Stamp.Hour, e.Stamp.Minute); has == sec {
						continue // it bears the label out
					}
					c.Label = z
				} else if sec == st.Zone.Offset && sec == 0 {
					continue
				}
				c.Zone, c.From, c.Line, c.ProofFor = timex.FixedZone("UTC"+timex.FormatOffset(sec), sec), "evidence in the text", b.Line, e
				c.Proof = document.QuoteText(b.Text[st.Start:st.End], 80)
				return
			}
		}
	}
}

// Apply turns every entry's day and clock into a moment.
func Apply(o *timeline.Outline, c ZoneChoice, cal *Calendar) {
	clearHours(o)
	for i := range o.Entries {
		e := &o.Entries[i]
		if c.Label.OK() || c.From == "answer" && (!e.Stamp.Zone.OK() || e.Stamp.Zone.Label == c.Label.Label) {
			if !e.Stamp.Zone.OK() || c.Label.OK() && e.Stamp.Zone.Label == c.Label.Label {
				e.Zone = timex.Zone{} // the label is proved wrong
			}
		}
		resolve(e, c.Zone)
	}
	placeRelative(o, cal, c.Zone)
}

// clearHours settles a clock whose day part contradicts its hour, where the document names the same clock with a part
// that fits.
func clearHours(o *timeline.Outline) {
	for i := range o.Entries {
		e := &o.Entries[i]
		if !e.Stamp.Unclear {
			continue
		}
		for k := range o.Entries {
			if x := &o.Entries[k]; x.Stamp.Twelve && !x.Stamp.Unclear && x.Stamp.Hour%12 == e.Stamp.Hour%12 && x.Stamp.Minute == e.Stamp.Minute {
				e.Stamp.Hour, e.Stamp.Unclear = x.Stamp.Hour, false
				e.Cleared = true
				break
			}
		}
	}
}

// placeRelative gives T+5 its moment, where the entry the count begins at has one.
func placeRelative(o *timeline.Outline, cal *Calendar, z timex.Zone) {
	var zero time.Time
	for i := range o.Stamps { // "T0 is 20:00 UTC": a moment in the block that names T0
		named := false
		for _, st := range o.Stamps[i] {
			named = named || st.Relative && st.Plus == 0
		}
		for _, st := range o.Stamps[i] {
			if named && st.HasClock && zero.IsZero() {
				e := MomentOf(o, st, i, cal, z)
				zero = e.At
			}
		}
	}
	if zero.IsZero() {
		return
	}
	for i := range o.Entries {
		if e := &o.Entries[i]; e.Stamp.Relative {
			e.At, e.Dated = zero.Add(e.Stamp.Plus), true
		}
	}
}
