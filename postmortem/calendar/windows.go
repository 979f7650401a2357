package calendar

import (
	"time"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// Window is a stretch of time in which, the document says, users were affected.
type Window struct {
	From, To time.Time
	Approx   bool
	Labelled bool // by a field such as "Period", or in a list under "Impact"
	Coherent bool // it lies where the rest of the document does
	Line     int
	Evidence string
	Printed  timex.Duration // the length printed with it, zero where none is
	Proved   bool           // it is as long as the text says right before
}

// Windows lists the impact windows a document states, in its order, each once.
func Windows(o *timeline.Outline, fs []timeline.Field, c *Calendar, z timex.Zone) []Window {
	var ws []Window
	add := func(w Window) {
		if len(ws) >= 100 || w.From.IsZero() || w.To.IsZero() || !w.From.Before(w.To) {
			return
		}
		for i := range ws {
			if ws[i].From.Equal(w.From) && ws[i].To.Equal(w.To) {
				ws[i].Labelled = ws[i].Labelled || w.Labelled
				if w.Printed.Length > 0 {
					ws[i].Printed = w.Printed
				}
				return
			}
		}
		if t := c.Day.Time(); !t.IsZero() {
			w.Coherent = w.From.After(t.Add(-3*24*time.Hour)) && w.From.Before(t.Add(4*24*time.Hour))
		}
		ws = append(ws, w)
	}
	inField := map[int]bool{}
	for _, f := range fs {
		if f.Name != "period" && f.Name != "duration" && f.Name != "started" {
			continue
		}
		inField[f.Block] = true
		for _, st := range f.Stamps {
			if st.To == nil {
				continue
			}
			e := MomentOf(o, st, f.Block, c, z)
			add(Window{From: e.At, To: e.End, Approx: st.Approx, Labelled: true, Line: f.Line, Evidence: f.Whole})
		}
	}
	for i := range o.Entries {
		e := &o.Entries[i]
		if e.Stamp.To == nil || e.At.IsZero() || e.End.IsZero() || e.List && o.Timeline && e.Section != "impact" && !o.Wordy(e) ||
			inField[e.Block] && !e.List {
			continue
		}
		b := &o.Document.Blocks[e.Block]
		about := e.Section == "impact" || e.Kinds.Has(lexicon.ImpactStart, lexicon.Failing)
		about = about || o.Tongue.Has("incident", b.Tokens()) || o.Tongue.Has("affected", b.Tokens())
		if !about || b.Kind == document.Row {
			continue
		}
		w := Window{From: e.At, To: e.End, Approx: e.Stamp.Approx, Labelled: e.Section == "impact" && b.Kind == document.Item, Line: e.Line,
			Evidence: b.Orig}
		sc := timex.Scanner{S: b.Text, Toks: b.Tokens(), T: o.Tongue}
		from := sc.At(e.Stamp.End)
		stop := from
		for stop < len(b.Toks) && stop < from+14 && !b.Toks[stop].Stop {
			stop++
		}
		if ds := timex.DurationsIn(b.Toks[from:stop], o.Tongue); len(ds) > 0 {
			w.Printed = ds[0]
		}
		before := sc.At(e.Stamp.Start)
		stop = before
		for before > 0 && stop-before < 10 && !b.Toks[before-1].Stop {
			before--
		}
		// "An outage lasting 1 hour and 48 minutes, from 16:58 to 18:46": the two bear each other out.
		if ds := timex.DurationsIn(b.Toks[before:stop], o.Tongue); len(ds) == 1 && ds[0].Proves(w.To.Sub(w.From)) {
			w.Printed, w.Proved = ds[0], true
		}
		add(w)
	}
	return ws
}

// MomentOf resolves a stamp of a field: its own date, or the document's day.
func MomentOf(o *timeline.Outline, st timex.Stamp, block int, c *Calendar, z timex.Zone) timeline.Entry {
	e := timeline.Entry{Block: block, Stamp: st, Day: c.Day, Zone: st.Zone}
	if st.Date.OK() {
		if d := c.Complete(st.Date, c.Day); d.Full() {
			e.Day = d
		}
	}
	e.Dated = e.Day.Full() && e.Day.Year > 0
	if st.To != nil {
		to := *st.To
		to.Date = c.Complete(to.Date, e.Day)
		e.Stamp.To = &to
	}
	resolve(&e, z)
	return e
}
