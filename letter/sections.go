package letter

import (
	"fmt"
	"strings"

	"meantime/incident"
	"meantime/measure"
)

// NotKnown is how a figure is said that has no value.
const NotKnown = "not known"

// shown is how many lines of a section stand open; the rest is folded.
const shown = 5

// Section is a part of a letter: lines to read, and more of them, folded.
type Section struct {
	Title string
	Lines []Line
	More  []Line
}

// Line is one sentence in pieces.
type Line []Piece

// Piece is text, which may be strong or a link.
type Piece struct {
	Text, URL string
	Strong    bool
}

func text(format string, args ...any) Piece { return Piece{Text: fmt.Sprintf(format, args...)} }

// Sections are the letter as people read it.
func (l *Letter) Sections() []Section {
	figures := Section{Title: "How it went"}
	figures.Lines = append(figures.Lines, l.began())
	for i := range l.Figures {
		figures.Lines = append(figures.Lines, l.Figures[i].line(l.Incidents))
	}
	for _, s := range l.Reliability {
		figures.Lines = append(figures.Lines, Line{text("%s", s)})
	}
	long := section("The longest incidents", "None has a known time to resolve.", l.Longest, func(e *Entry) Line {
		return append(Line{{Text: measure.Human(e.Seconds) + ": "}, e.link()}, text("%s", e.about()))
	})
	caught := section("What no alert caught first", "None.", l.NotCaught, func(e *Entry) Line {
		return Line{e.link(), text("%s; %s", e.about(), strings.Join(e.What, "; "))}
	})
	var noise []Line
	for _, n := range l.Noise {
		of := ""
		if n.Service != "" {
			of = " of " + n.Service
		}
		noise = append(noise, Line{{Text: n.Alert, Strong: true}, text("%s fired %d times, never with an incident", of, n.Episodes)})
	}
	unknown := section("What is not known, and who can tell", "Every time of every incident is known.", l.Unknown, func(e *Entry) Line {
		return Line{e.link(), text("%s: %s. Ask %s", e.about(), strings.Join(e.What, "; "), e.Ask)}
	})
	if l.Timeless > 0 {
		verb := "are"
		if l.Timeless == 1 {
			verb = "is"
		}
		unknown.Lines = append(unknown.Lines, Line{text("%s %s in no period, because no time is known", count(l.Timeless, "more incident"), verb)})
	}
	return []Section{figures, long, caught, folded("Noise worth deleting", fmt.Sprintf("No alert fired %d times for nothing.", leastNoise), noise), unknown}
}

// began says how many incidents began, and how many did before.
func (l *Letter) began() Line {
	now, before := count(l.Incidents, "incident")+" began", fmt.Sprintf("%d in the period before", l.Before)
	if l.Incidents == 0 && l.Unwatched {
		now = "how many incidents began is " + NotKnown + ": nothing was watched"
	}
	if l.Before == 0 && l.UnwatchedBefore {
		before = "how many in the period before is " + NotKnown + ": nothing was watched then"
	} else if l.Change != "" {
		before += ": " + l.Change
	}
	return Line{text("%s; %s", now, before)}
}

// line says a figure in one sentence.
func (f *Figure) line(incidents int) Line {
	name := Piece{Text: fmt.Sprintf("%s (%s): ", f.Title, f.Mean)}
	if f.Now == nil || f.Now.Median == nil {
		return Line{name, {Text: NotKnown, Strong: true}, text(" of all %d incidents%s", incidents, f.before())}
	}
	m := f.Now.Median
	rest := fmt.Sprintf(", too few to be sure of: it takes %d", measure.MinBounds)
	if m.Bounds != nil {
		rest = fmt.Sprintf(", 90 %% sure between %s and %s", measure.Human(m.Bounds.Lower), measure.Human(m.Bounds.Upper))
	}
	rest += fmt.Sprintf(", %d of %d incidents%s", f.Now.N, incidents, f.before())
	if f.Now.Mean != nil {
		rest += "; mean " + measure.Human(*f.Now.Mean)
	}
	return Line{name, {Text: "median " + measure.Human(m.Value), Strong: true}, {Text: rest}}
}

// before says what a figure was, and whether it changed.
func (f *Figure) before() string {
	if f.Before == nil || f.Before.Median == nil {
		return "; before: " + NotKnown
	}
	return fmt.Sprintf("; before: %s (%d), %s", measure.Human(f.Before.Median.Value), f.Before.N, f.Change)
}

func (e *Entry) link() Piece { return Piece{Text: e.Title, URL: e.URL} }

// about says which service and severity it was, and who detected it.
func (e *Entry) about() string {
	var parts []string
	if len(e.Services) > 0 {
		parts = append(parts, strings.Join(e.Services, " and "))
	}
	if e.Severity != "" {
		parts = append(parts, e.Severity)
	}
	switch e.DetectedBy {
	case "", incident.ByUnknown:
		parts = append(parts, "who knew first is "+NotKnown)
	default:
		parts = append(parts, "detected by "+strings.ReplaceAll(string(e.DetectedBy), "_", " "))
	}
	return ", " + strings.Join(parts, ", ")
}

func section(title, none string, entries []Entry, line func(*Entry) Line) Section {
	var lines []Line
	for i := range entries {
		lines = append(lines, line(&entries[i]))
	}
	return folded(title, none, lines)
}

func folded(title, none string, lines []Line) Section {
	switch {
	case len(lines) == 0:
		return Section{Title: title, Lines: []Line{{{Text: none}}}}
	case len(lines) <= shown+1: // to fold one saves nothing
		return Section{Title: title, Lines: lines}
	}
	return Section{Title: title, Lines: lines[:shown], More: lines[shown:]}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
