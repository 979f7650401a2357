package web

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// maxBars bounds the alerts drawn in a timeline; an alert storm would make a page of bars.
const maxBars = 12

// timeline is an incident drawn over time: a line for each milestone, impact window and alert. Its places are in
// thousandths of the width, because a strict content security policy leaves attributes of SVG as the only way to place
// anything.
type timeline struct {
	From, To time.Time
	Bars     []bar
	// More is how many alerts are not drawn.
	More int
}

// bar is one line of a timeline.
type bar struct {
	Name, Class string
	Note        string // the time or duration in words
	X, Width    string // in thousandths
}

// newTimeline draws what is known of an incident. It is empty where less than two moments are known.
func newTimeline(i *incident.Incident, now time.Time, z zone) timeline {
	type piece struct {
		name, class, note string
		from, to          time.Time
	}
	var marks, pieces []piece
	for _, n := range incident.MilestoneNames {
		if m, ok := i.Milestones[n]; ok {
			marks = append(marks, piece{capital(string(n)), "mark", z.when(m.At, m.Precision), m.At, m.At})
		}
	}
	slices.SortStableFunc(marks, func(a, b piece) int { return a.from.Compare(b.from) })
	for k, w := range i.Impacts {
		name := "Impact"
		if k > 0 {
			name = fmt.Sprintf("Relapse %d", k)
		}
		switch {
		case !w.To.IsZero():
			pieces = append(pieces, piece{name, "impact", duration(w.To.Sub(w.From)), w.From, w.To})
		case i.State == incident.StateOpen && k == len(i.Impacts)-1:
			pieces = append(pieces, piece{name, "impact", "goes on", w.From, now})
		default:
			pieces = append(pieces, piece{name, "impact", "end not known", w.From, w.From})
		}
	}
	var t timeline
	linked := i.Linked()
	if len(linked) > maxBars {
		linked, t.More = linked[:maxBars], len(linked)-maxBars
	}
	for _, e := range linked {
		end := e.EndsAt
		if e.Firing() {
			end = now
		}
		pieces = append(pieces, piece{cmp.Or(e.Name(), "(an alert without a name)"), "alert", alertTimes(*e, now), e.StartsAt, end})
	}
	pieces = append(marks, pieces...)
	for _, p := range pieces {
		if t.From.IsZero() || p.from.Before(t.From) {
			t.From = p.from
		}
		if p.to.After(t.To) {
			t.To = p.to
		}
	}
	width := t.To.Sub(t.From)
	if width <= 0 {
		return timeline{}
	}
	at := func(m time.Time) float64 { return 1000 * float64(m.Sub(t.From)) / float64(width) }
	for _, p := range pieces {
		// What is too short to be seen is drawn as a mark, and nothing is drawn outside.
		w := math.Max(at(p.to)-at(p.from), 6)
		x := math.Min(at(p.from), 1000-w)
		t.Bars = append(t.Bars, bar{p.name, p.class, p.note, fmt.Sprintf("%.1f", x), fmt.Sprintf("%.1f", w)})
	}
	return t
}
