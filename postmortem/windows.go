package postmortem

import (
	"time"
)

// window is a stretch of time in which, the document says, users were affected.
type window struct {
	from, to time.Time
	approx   bool
	labelled bool // by a field such as "Period", or in a list under "Impact"
	coherent bool // it lies where the rest of the document does
	line     int
	evidence string
	printed  duration // the length printed with it, zero where none is
	proved   bool     // it is as long as the text says right before
}

// windows lists the impact windows a document states, in its order, each once.
func (o *outline) windows(fs []field, c *calendar, z zone) []window {
	var ws []window
	add := func(w window) {
		if len(ws) >= 100 || w.from.IsZero() || w.to.IsZero() || !w.from.Before(w.to) {
			return
		}
		for i := range ws {
			if ws[i].from.Equal(w.from) && ws[i].to.Equal(w.to) {
				ws[i].labelled = ws[i].labelled || w.labelled
				if w.printed.d > 0 {
					ws[i].printed = w.printed
				}
				return
			}
		}
		if t := c.day.time(); !t.IsZero() {
			w.coherent = w.from.After(t.Add(-3*24*time.Hour)) && w.from.Before(t.Add(4*24*time.Hour))
		}
		ws = append(ws, w)
	}
	inField := map[int]bool{}
	for _, f := range fs {
		if f.name != "period" && f.name != "duration" && f.name != "started" {
			continue
		}
		inField[f.block] = true
		for _, st := range f.stamps {
			if st.to == nil {
				continue
			}
			e := o.momentOf(st, f.block, c, z)
			add(window{from: e.at, to: e.end, approx: st.approx, labelled: true, line: f.line, evidence: f.whole})
		}
	}
	for i := range o.entries {
		e := &o.entries[i]
		if e.st.to == nil || e.at.IsZero() || e.end.IsZero() || e.list && o.timeline && e.section != "impact" && !o.wordy(e) || inField[e.block] && !e.list {
			continue
		}
		b := &o.doc.blocks[e.block]
		about := e.section == "impact" || e.kinds.has(ImpactStart, Failing)
		about = about || o.t.has("incident", b.tokens()) || o.t.has("affected", b.tokens())
		if !about || b.kind == row {
			continue
		}
		w := window{from: e.at, to: e.end, approx: e.st.approx, labelled: e.section == "impact" && b.kind == item, line: e.line, evidence: b.orig}
		sc := scanner{s: b.text, toks: b.tokens(), t: o.t}
		from := sc.at(e.st.end)
		stop := from
		for stop < len(b.toks) && stop < from+14 && !b.toks[stop].stop {
			stop++
		}
		if ds := durationsIn(b.toks[from:stop], o.t); len(ds) > 0 {
			w.printed = ds[0]
		}
		before := sc.at(e.st.start)
		stop = before
		for before > 0 && stop-before < 10 && !b.toks[before-1].stop {
			before--
		}
		// "An outage lasting 1 hour and 48 minutes, from 16:58 to 18:46": the two bear each other out.
		if ds := durationsIn(b.toks[before:stop], o.t); len(ds) == 1 && ds[0].proves(w.to.Sub(w.from)) {
			w.printed, w.proved = ds[0], true
		}
		add(w)
	}
	return ws
}

// momentOf resolves a stamp of a field: its own date, or the document's day.
func (o *outline) momentOf(st stamp, block int, c *calendar, z zone) entry {
	e := entry{block: block, st: st, day: c.day, zone: st.zone}
	if st.date.ok() {
		if d := c.complete(st.date, c.day); d.full() {
			e.day = d
		}
	}
	e.dated = e.day.full() && e.day.y > 0
	if st.to != nil {
		to := *st.to
		to.date = c.complete(to.date, e.day)
		e.st.to = &to
	}
	e.resolve(z)
	return e
}
