// Package preview compares what two configurations make of the same facts, before the second is taken.
package preview

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// MaxText is how long a configuration that is sent may be, in bytes.
const MaxText = 256 << 10

// ErrBusy says that another preview is being worked out: it takes memory and a processor, so there is one at a time.
var ErrBusy = errors.New("another preview is being worked out; ask again in a few seconds")

// Side is what one configuration makes of the facts.
type Side struct {
	Incidents []incident.Incident
	Report    *measure.Report
}

// Change is what would be otherwise.
type Change struct {
	From time.Time `json:"from"` // incidents that began before it are not compared
	To   time.Time `json:"to"`
	// Incidents are how many there are, and would be.
	Incidents       int `json:"incidents"`
	IncidentsBefore int `json:"incidents_before"`
	// Appearing, Vanishing, Joining and Parting are incidents that would come, go, become one and become several.
	Appearing []Incident `json:"appearing"`
	Vanishing []Incident `json:"vanishing"`
	Joining   []Split    `json:"joining"`
	Parting   []Split    `json:"parting"`
	// Links are of alerts that would belong to another incident, to one or to none.
	Links []Link `json:"links"`
	// Figures are those that would move, of the groups that the reports have.
	Figures []Figure `json:"figures"`
}

// Incident names one.
type Incident struct {
	ID    string    `json:"id"`
	Title string    `json:"title"`
	At    time.Time `json:"at,omitzero"`
}

// Split is one incident that is several on the other side.
type Split struct {
	One     Incident   `json:"one"`
	Several []Incident `json:"several"`
}

// Link is one alert that would belong elsewhere. The incidents are empty where it belongs to none.
type Link struct {
	Alert    string    `json:"alert"`
	StartsAt time.Time `json:"starts_at"`
	Before   string    `json:"before"`
	After    string    `json:"after"`
}

// Figure is one interval of one group that would be otherwise. Medians are in seconds, nil where not known.
type Figure struct {
	measure.Grouping
	Interval        string   `json:"interval"`
	IncidentsBefore int      `json:"incidents_before"`
	Incidents       int      `json:"incidents"`
	NBefore         int      `json:"n_before"`
	N               int      `json:"n"`
	MedianBefore    *float64 `json:"median_before_seconds,omitempty"`
	Median          *float64 `json:"median_seconds,omitempty"`
	MeanBefore      *float64 `json:"mean_before_seconds,omitempty"`
	Mean            *float64 `json:"mean_seconds,omitempty"`
}

// Compare says what changes from one side to the other, of incidents that began at or after from, or of which it is not known.
func Compare(before, after Side, from, to time.Time) *Change {
	c := &Change{From: from, To: to, Appearing: []Incident{}, Vanishing: []Incident{}, Joining: []Split{}, Parting: []Split{},
		Links: []Link{}, Figures: []Figure{}}
	within := func(l []incident.Incident) (out []*incident.Incident) {
		for i := range l {
			if at := l[i].At(); at.IsZero() || !at.Before(from) {
				out = append(out, &l[i])
			}
		}
		slices.SortFunc(out, func(a, b *incident.Incident) int { return cmp.Or(a.At().Compare(b.At()), strings.Compare(a.ID, b.ID)) })
		return out
	}
	a, b := within(before.Incidents), within(after.Incidents)
	c.IncidentsBefore, c.Incidents = len(a), len(b)
	// What is compared is found among all of the other side: it may have begun at another time.
	c.Vanishing, c.Parting = others(a, pointers(after.Incidents))
	c.Appearing, c.Joining = others(b, pointers(before.Incidents))
	c.links(a, b, before.Incidents, after.Incidents)
	if before.Report != nil && after.Report != nil {
		c.figures(before.Report, after.Report)
	}
	return c
}

func pointers(l []incident.Incident) []*incident.Incident {
	out := make([]*incident.Incident, len(l))
	for i := range l {
		out[i] = &l[i]
	}
	return out
}

// facts are what an incident is made of: its records, and the alerts that belong to it. Two incidents with one in common are the same, or
// parts of it; those without any are told by their names.
func facts(in *incident.Incident) (out []string) {
	for _, r := range in.Records {
		out = append(out, "record "+r.String())
	}
	for i := range in.Links {
		if l := &in.Links[i]; l.State.Counts() {
			out = append(out, "alert "+l.Episode.Key().String())
		}
	}
	return out
}

// others finds for each incident those that it is on the other side: of one that is none there, and of several, it tells.
func others(list, other []*incident.Incident) (none []Incident, several []Split) {
	none, several = []Incident{}, []Split{}
	of := map[string]*incident.Incident{}
	for _, in := range other {
		for _, f := range facts(in) {
			of[f] = in
		}
	}
	for _, in := range list {
		found := map[string]*incident.Incident{}
		for _, f := range facts(in) {
			if x := of[f]; x != nil {
				found[x.ID] = x
			}
		}
		switch len(found) {
		case 0:
			none = append(none, named(in))
		case 1:
		default:
			s := Split{One: named(in)}
			for _, id := range slices.Sorted(maps.Keys(found)) {
				s.Several = append(s.Several, named(found[id]))
			}
			several = append(several, s)
		}
	}
	return none, several
}

func named(in *incident.Incident) Incident { return Incident{in.ID, in.Title, in.At()} }

// links tells of alerts that would belong to an incident without a fact in common with the one that they belong to but themselves.
func (c *Change) links(a, b []*incident.Incident, before, after []incident.Incident) {
	type place struct {
		in    *incident.Incident
		alert *incident.Episode
	}
	places := func(l []incident.Incident) map[incident.EpisodeKey]place {
		out := map[incident.EpisodeKey]place{}
		for i := range l {
			for k := range l[i].Links {
				if x := &l[i].Links[k]; x.State.Counts() {
					out[x.Episode.Key()] = place{&l[i], &x.Episode}
				}
			}
		}
		return out
	}
	was, is := places(before), places(after)
	compared := map[string]bool{}
	for _, in := range slices.Concat(a, b) {
		compared[in.ID] = true
	}
	keys := map[incident.EpisodeKey]bool{}
	for k := range was {
		keys[k] = true
	}
	for k := range is {
		keys[k] = true
	}
	for _, k := range slices.SortedFunc(maps.Keys(keys), incident.EpisodeKey.Compare) {
		x, y := was[k], is[k]
		if x.in != nil && y.in != nil && same(x.in, y.in) {
			continue
		}
		l := Link{StartsAt: k.StartsAt}
		if x.in != nil {
			l.Alert, l.Before = x.alert.Name(), x.in.ID
		}
		if y.in != nil {
			l.Alert, l.After = y.alert.Name(), y.in.ID
		}
		if compared[l.Before] || compared[l.After] {
			c.Links = append(c.Links, l)
		}
	}
}

// same says whether two incidents of the two sides are one: by any of their IDs.
func same(a, b *incident.Incident) bool {
	return a.ID == b.ID || slices.Contains(a.Aliases, b.ID) || slices.Contains(b.Aliases, a.ID)
}

func (c *Change) figures(before, after *measure.Report) {
	groups := map[measure.Grouping]bool{}
	var order []measure.Grouping
	for _, r := range []*measure.Report{before, after} {
		for i := range r.Groups {
			if g := r.Groups[i].Grouping; !groups[g] {
				groups[g] = true
				order = append(order, g)
			}
		}
	}
	for _, g := range order {
		x, y := intervals(before.Group(g)), intervals(after.Group(g))
		var names []string
		for _, f := range slices.Concat(x, y) {
			if !slices.Contains(names, f.Interval) {
				names = append(names, f.Interval)
			}
		}
		for _, name := range names {
			f := Figure{Grouping: g, Interval: name}
			f.IncidentsBefore, f.NBefore, f.MedianBefore, f.MeanBefore = figureOf(before.Group(g), x, name)
			f.Incidents, f.N, f.Median, f.Mean = figureOf(after.Group(g), y, name)
			if f.IncidentsBefore != f.Incidents || f.NBefore != f.N || !equal(f.MedianBefore, f.Median) || !equal(f.MeanBefore, f.Mean) {
				c.Figures = append(c.Figures, f)
			}
		}
	}
}

func intervals(g *measure.ReportGroup) []measure.IntervalFigures {
	if g == nil {
		return nil
	}
	return g.Now.Intervals
}

func figureOf(g *measure.ReportGroup, l []measure.IntervalFigures, name string) (incidents, n int, median, mean *float64) {
	if g != nil {
		incidents = g.Now.Incidents
	}
	i := slices.IndexFunc(l, func(f measure.IntervalFigures) bool { return f.Interval == name })
	if i < 0 {
		return incidents, 0, nil, nil
	}
	if m := l[i].Median; m != nil {
		median = &m.Value
	}
	return incidents, l[i].N, median, l[i].Mean
}

func equal(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// MostLines is how many lines of a kind are written for people; JSON has all.
const MostLines = 50

// Markdown writes it for people.
func (c *Change) Markdown(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# What the other configuration would change")
	line("")
	line("Incidents that began from %s to %s: %d as configured now, %d with the other.", stamp(c.From), stamp(c.To), c.IncidentsBefore, c.Incidents)
	section(line, "would appear", c.Appearing, func(x Incident) string { return x.words() })
	section(line, "would vanish", c.Vanishing, func(x Incident) string { return x.words() })
	section(line, "would be one", c.Joining, func(x Split) string { return x.words() })
	section(line, "would part", c.Parting, func(x Split) string { return x.words() })
	section(line, "alerts would belong elsewhere", c.Links, func(x Link) string {
		return fmt.Sprintf("%s of %s: from %s to %s", plain(x.Alert), stamp(x.StartsAt), cmp.Or(x.Before, "none"), cmp.Or(x.After, "none"))
	})
	section(line, "figures would move", c.Figures, func(f Figure) string {
		words := fmt.Sprintf("%s of %s: ", plain(f.Interval), plain(f.Of()))
		if f.IncidentsBefore != f.Incidents {
			words += fmt.Sprintf("%d incidents instead of %d, ", f.Incidents, f.IncidentsBefore)
		}
		return words + fmt.Sprintf("n %d instead of %d, median %s instead of %s, mean %s instead of %s", f.N, f.NBefore, human(f.Median),
			human(f.MedianBefore), human(f.Mean), human(f.MeanBefore))
	})
	_, err := io.WriteString(w, b.String())
	return err
}

func section[T any](line func(string, ...any), what string, l []T, words func(T) string) {
	line("")
	line("## %d %s", len(l), what)
	if len(l) > 0 {
		line("")
	}
	for _, x := range l[:min(len(l), MostLines)] {
		line("- %s", words(x))
	}
	if n := len(l) - MostLines; n > 0 {
		line("- and %d more", n)
	}
}

func (i Incident) words() string {
	if i.At.IsZero() {
		return fmt.Sprintf("%s %s", i.ID, plain(i.Title))
	}
	return fmt.Sprintf("%s %s, %s", i.ID, plain(i.Title), stamp(i.At))
}

func (s Split) words() string {
	var l []string
	for _, x := range s.Several {
		l = append(l, x.words())
	}
	return s.One.words() + ": " + strings.Join(l, "; ")
}

// Of names the group that a figure is of.
func (f *Figure) Of() string {
	var l []string
	for _, s := range []string{f.Service, f.Severity, f.Value} {
		if s != "" {
			l = append(l, s)
		}
	}
	return cmp.Or(strings.Join(l, ", "), "everything")
}

func human(v *float64) string {
	if v == nil {
		return "not known"
	}
	return measure.Human(*v)
}

// plain is text from outside on one line without markup.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(s), " ") {
		if strings.ContainsRune("\\`*_[]#|<>~&", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
