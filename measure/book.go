package measure

import (
	"errors"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
	"unique"

	"meantime/incident"
)

// Options say what a Book shows.
type Options struct {
	Windows    []Window
	Intervals  []incident.Interval
	Objectives []Objective
	// By are labels of incidents by which there are figures too, alone and by severity.
	By []string
	// Newest is how many of the newest incidents are listed; 0 lists none.
	Newest int
	// MaxServices and MaxNames are how many services and alert names are shown by name, the most frequent of the longest
	// window first; the rest are under Other. 0 shows all.
	MaxServices, MaxNames int
	// Availability says which incidents count as down.
	Availability []Availability
	// OpenFor is how long after the last time known of it an incident may have gone on whose end nobody knows.
	OpenFor time.Duration
}

// Book holds the incidents and episodes of its longest window, and all open incidents, in compact rows and answers with
// their Figures, recomputed exactly from the rows: the same rows and clock give the same figures, however they came in. What
// left the longest window is forgotten, so a Book is not asked about an earlier time again. It is safe for concurrent use.
//
// Figures costs what changed: a group is computed again when one of its incidents was changed, or came into or went
// out of its window, or, every Step, when one of them is open.
type Book struct {
	mu   sync.Mutex
	o    Options
	plan plan

	rows     map[string]*row
	early    map[string]*row // those that began before the longest window and reach into it; they are nowhere else
	since    int64           // the first time watched
	groups   map[groupKey]*group
	episodes episodes
	known    map[Labels]int // how many rows count in the histogram under which labels
	open     map[*row]bool  // rows that can be open; whether they are comes with the clock
	shown    counts         // how many milestones of which origin count

	now, tick time.Time // of the figures last given; zero before the first
	last      *Figures
	changed   bool // since then
	others    []*otherGroup

	limited limits // of the figures last given
}

// group is all rows of one grouping, with the figures last computed for each window.
type group struct {
	rows  []*row // by compareRows
	cache []cached
}

type cached struct {
	g *Group // nil where it has to be computed again
	// live: the clock alone changes it. tick is when it was computed, which may be long ago for one that was not shown since.
	live bool
	tick time.Time

	// Its reliability, which holds until the clock is at relied, where it was computed at all.
	rel      *Reliability
	relied   int64
	computed int64 // when it was computed
	counted  bool
}

// at says whether it holds at a tick.
func (c *cached) at(tick time.Time) bool { return c.g != nil && (!c.live || c.tick.Equal(tick)) }

// counts counts milestones by place in MilestoneNames and Origins.
type counts [nMilestones][8]int

func (c *counts) add(r *row, by int) {
	for i, o := range r.origins {
		if o > 0 {
			c[i][o-1] += by
		}
	}
}

// NewBook makes an empty one.
func NewBook(o Options) *Book {
	b := &Book{o: o, plan: newPlan(o), since: unknown, early: map[string]*row{}, rows: map[string]*row{}, groups: map[groupKey]*group{},
		open: map[*row]bool{}, known: map[Labels]int{}, changed: true}
	b.episodes = newEpisodes(o.Windows)
	b.group(everything)
	return b
}

func (b *Book) group(k groupKey) *group {
	g := b.groups[k]
	if g == nil {
		g = &group{cache: make([]cached, len(b.o.Windows))}
		b.groups[k] = g
	}
	return g
}

// Load replaces everything by what the two sequences give, in any order. Both are ranged over at once. Each stops at its first
// error, which is returned; the Book then holds what came before. It is how a Book starts; Apply and ApplyVerdicts keep it up to
// date.
func (b *Book) Load(incidents iter.Seq2[incident.Incident, error], verdicts iter.Seq2[incident.Verdict, error]) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows, b.groups, b.open, b.shown = map[string]*row{}, map[groupKey]*group{}, map[*row]bool{}, counts{}
	b.known, b.early = map[Labels]int{}, map[string]*row{}
	b.group(everything)
	b.episodes = newEpisodes(b.o.Windows)
	b.last, b.others, b.changed = nil, nil, true
	defer func() {
		for _, g := range b.groups {
			slices.SortFunc(g.rows, compareRows)
			g.rows = slices.Clip(g.rows)
		}
	}()
	loaded := make(chan error, 1)
	go func() { loaded <- b.episodes.load(verdicts) }()
	return errors.Join(b.loadIncidents(incidents), <-loaded)
}

func (b *Book) loadIncidents(incidents iter.Seq2[incident.Incident, error]) error {
	for inc, err := range incidents {
		if err != nil {
			return err
		}
		r := rowOf(&inc, b.o.By...)
		if old := b.rows[r.id]; old != nil {
			continue
		}
		b.note(r)
		for k := range r.keys {
			g := b.group(k)
			g.rows = append(g.rows, r)
		}
	}
	return nil
}

// Apply replaces the incidents of the same IDs, adds those not known, and removes those named.
func (b *Book) Apply(changed []incident.Incident, removed []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, in := map[*row]bool{}, map[string]*row{}
	for _, id := range removed {
		b.recall(id)
		if r := b.rows[id]; r != nil {
			out[r] = true
		}
	}
	for i := range changed {
		r := rowOf(&changed[i], b.o.By...)
		b.recall(r.id)
		old := b.rows[r.id]
		if old != nil && old.equal(r) {
			delete(out, old)
			delete(in, r.id)
			continue
		}
		if old != nil {
			out[old] = true
		}
		in[r.id] = r
	}
	b.edit(out, slices.Collect(maps.Values(in)))
}

// edit takes rows out and puts rows in.
func (b *Book) edit(out map[*row]bool, in []*row) {
	if len(out)+len(in) == 0 {
		return
	}
	b.changed = true
	touched := map[*group]int{}
	for r := range out {
		delete(b.rows, r.id)
		delete(b.open, r)
		b.shown.add(r, -1)
		if l := r.labels(); b.known[l] > 1 {
			b.known[l]--
		} else {
			delete(b.known, l)
		}
		for k := range r.keys {
			touched[b.groups[k]]++
		}
	}
	gone := func(r *row) bool { return out[r] }
	for g, n := range touched {
		if n > few {
			g.rows = slices.DeleteFunc(g.rows, gone)
		}
	}
	for r := range out {
		for k := range r.keys {
			g := b.groups[k]
			if touched[g] <= few {
				if i, ok := slices.BinarySearchFunc(g.rows, r, compareRows); ok {
					g.rows = slices.Delete(g.rows, i, i+1)
				}
			}
			g.forget()
		}
	}
	clear(touched)
	for _, r := range in {
		for k := range r.keys {
			touched[b.group(k)]++
		}
	}
	for _, r := range in {
		b.note(r)
		for k := range r.keys {
			g := b.group(k)
			if touched[g] > few {
				g.rows = append(g.rows, r)
			} else {
				i, _ := slices.BinarySearchFunc(g.rows, r, compareRows)
				g.rows = slices.Insert(g.rows, i, r)
			}
			g.forget()
		}
	}
	for g, n := range touched {
		if n > few {
			slices.SortFunc(g.rows, compareRows)
		}
	}
	for r := range out {
		for k := range r.keys {
			if g := b.groups[k]; g != nil && len(g.rows) == 0 && k != everything {
				delete(b.groups, k)
			}
		}
	}
}

// note adds a row to everything but its groups.
func (b *Book) note(r *row) {
	b.rows[r.id] = r
	b.shown.add(r, 1)
	b.known[r.labels()]++
	if r.canOpen() {
		b.open[r] = true
	}
}

// forget takes out the rows that are neither in the longest window, nor still to come into it, nor open: a Book that was
// loaded with the others left out shows the same.
func (b *Book) forget(now time.Time) {
	longest := b.longest()
	if longest < 0 {
		return
	}
	tick := now.Truncate(Step).UnixNano()
	edge := tick - int64(b.o.Windows[longest].Length)
	for id, r := range b.early {
		if !b.plan.reaches(r, edge, tick) {
			delete(b.early, id)
			b.changed = true
		}
	}
	all := b.groups[everything].rows
	out := map[*row]bool{}
	for _, r := range all[:after(all, now.Add(-b.o.Windows[longest].Length).UnixNano())] {
		if !r.openAt(tick) {
			out[r] = true
			if b.plan.reaches(r, edge, tick) {
				b.early[r.id] = r
			}
		}
	}
	b.edit(out, nil)
}

// Known are the labels under which the incidents count in the all-time histogram, sorted.
func (b *Book) Known() []Labels {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.SortedFunc(maps.Keys(b.known), Labels.compare)
}

// recall takes an incident out of those that only reach into the longest window.
func (b *Book) recall(id string) {
	r := b.early[id]
	if r == nil {
		return
	}
	delete(b.early, id)
	b.changed = true
	for k := range r.keys {
		if g := b.groups[k]; g != nil {
			g.forget()
		}
	}
}

// Watched says since when anything is known at all, which is from when reliability counts; the zero time for nothing.
func (b *Book) Watched(since time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ns := nanos(since); ns != b.since {
		b.since, b.changed = ns, true
		for _, g := range b.groups {
			for w := range g.cache {
				g.cache[w].counted = false
			}
		}
		b.others = nil
	}
}

func (g *group) forget() {
	for i := range g.cache {
		g.cache[i] = cached{}
	}
}

// ApplyVerdicts replaces the verdicts of the same episodes, adds those not known, and removes those gone. Only verdicts of
// the outcomes in incident.Outcomes are counted.
func (b *Book) ApplyVerdicts(changed []incident.Verdict, gone []incident.EpisodeKey) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.episodes.apply(changed, gone)
}

// after is the place of the first row of the sorted rows that is after t.
func after(rows []*row, t int64) int {
	return sort.Search(len(rows), func(i int) bool { return rows[i].at > t })
}

// Figures are the figures as of now. A window holds what began after now minus its length and not after now. Asked again with
// nothing changed and no edge crossed it gives the same pointer.
func (b *Book) Figures(now time.Time) *Figures {
	b.mu.Lock()
	defer b.mu.Unlock()
	tick := now.Truncate(Step)
	b.forget(now)
	back := now.Before(b.now)
	moved := b.slide(now, back || b.last == nil)
	if b.last != nil && !b.changed && !moved && !b.episodes.changed && tick.Equal(b.tick) {
		return b.last
	}
	b.now, b.tick, b.changed = now, tick, false

	f := &Figures{At: now, Windows: make([]WindowFigures, len(b.o.Windows)), Suggested: b.episodes.suggested(), Ended: b.episodes.ends()}
	l := b.limits()
	f.OtherServices, f.OtherSeverities, f.OtherNames = l.services.over, l.severities.over, l.alerts.over
	keys := b.shownKeys(&l)
	for w := range b.o.Windows {
		f.Windows[w].Window = b.o.Windows[w]
		for _, k := range keys {
			f.Windows[w].Groups = append(f.Windows[w].Groups, b.figures(k, w))
			f.Windows[w].relies(b.reliability(k, w))
		}
		for _, o := range b.otherFigures(w, &l) {
			f.Windows[w].Groups = append(f.Windows[w].Groups, o.g)
			f.Windows[w].relies(o.rel)
		}
		var before []*AlertGroup
		if b.last != nil {
			before = b.last.Windows[w].Alerts
		}
		if b.last != nil && !b.episodes.changed && l.equal(&b.limited) {
			f.Windows[w].Alerts = before
		} else {
			f.Windows[w].Alerts = keep(before, b.episodes.figures(w, &l))
		}
	}
	b.nowFigures(f, &l)
	b.last, b.limited, b.episodes.changed = f, l, false
	return f
}

// slide moves the windows to now, forgetting the figures of every group with a row that crossed an edge, and says whether
// any row did. With reset everything is forgotten.
func (b *Book) slide(now time.Time, reset bool) (moved bool) {
	b.episodes.slide(now.UnixNano(), reset)
	if reset {
		for _, g := range b.groups {
			g.forget()
		}
		return true
	}
	rows := b.groups[everything].rows
	for w := range b.o.Windows {
		length := int64(b.o.Windows[w].Length)
		for _, edge := range []int64{0, length} {
			from, to := after(rows, b.now.UnixNano()-edge), after(rows, now.UnixNano()-edge)
			for _, r := range rows[from:to] {
				moved = true
				for k := range r.keys {
					b.groups[k].cache[w] = cached{}
				}
			}
		}
	}
	return moved
}

// in are the rows of a window.
func (b *Book) in(rows []*row, w int) []*row {
	now := b.now.UnixNano()
	return rows[after(rows, now-int64(b.o.Windows[w].Length)):after(rows, now)]
}

// figures are a group's figures for a window, computed only where something could have changed them.
func (b *Book) figures(k groupKey, w int) *Group {
	g := b.group(k)
	c := &g.cache[w]
	if !c.at(b.tick) {
		c.tick = b.tick
		c.g, c.live = b.plan.figures(k.grouping(), b.in(g.rows, w), b.tick.UnixNano())
	}
	return c.g
}

// reliability is a group's for a window, computed only where something could have changed it.
func (b *Book) reliability(k groupKey, w int) *Reliability {
	g := b.group(k)
	c := &g.cache[w]
	b.relied(c, k, w, b.in(g.rows, w), func() []*row { return b.reaching(g.rows, k, w) })
	return c.rel
}

// relied computes the reliability of rows, and of those before the window, where it does not hold any more.
func (b *Book) relied(c *cached, k groupKey, w int, rows []*row, before func() []*row) {
	if tick := b.tick.UnixNano(); !c.counted || tick >= c.relied && tick != c.computed {
		c.rel, c.relied = b.plan.reliability(k.grouping(), rows, before(), int64(b.o.Windows[w].Length), b.since, tick)
		c.counted, c.computed = true, tick
	}
}

// reaching are the rows that began before a window and reach into it, of a group's.
func (b *Book) reaching(rows []*row, k groupKey, w int) (out []*row) {
	tick := b.tick.UnixNano()
	edge := tick - int64(b.o.Windows[w].Length)
	for _, r := range rows[:after(rows, b.now.UnixNano()-int64(b.o.Windows[w].Length))] {
		if b.plan.reaches(r, edge, tick) {
			out = append(out, r)
		}
	}
	for _, r := range b.early {
		if b.plan.reaches(r, edge, tick) && r.in(k) {
			out = append(out, r)
		}
	}
	return out
}

func (w *WindowFigures) relies(r *Reliability) {
	if r != nil {
		w.Reliability = append(w.Reliability, r)
	}
}

func (k groupKey) grouping() Grouping {
	label, value, _ := strings.Cut(k.tag.Value(), "=")
	return Grouping{k.service.Value(), k.severity.Value(), label, value}
}

func (g Grouping) key() groupKey {
	k := groupKey{service: unique.Make(g.Service), severity: unique.Make(g.Severity), tag: noName}
	if g.Label != "" {
		k.tag = unique.Make(g.Label + "=" + g.Value)
	}
	return k
}

// shownKeys are the groups that have an incident in the longest window, or one that reaches into it, everything first, in order;
// those over a limit are left to otherFigures.
func (b *Book) shownKeys(l *limits) []groupKey {
	longest := b.longest()
	reach := map[groupKey]bool{}
	for _, r := range b.early {
		for k := range r.keys {
			reach[k] = true
		}
	}
	var keys []groupKey
	for k, g := range b.groups {
		switch {
		case k == everything || l.shows(k) && (reach[k] || longest >= 0 && len(b.in(g.rows, longest)) > 0):
			keys = append(keys, k)
		case len(g.rows) == 0:
			delete(b.groups, k) // it was there for those that reached into the window
		}
		delete(reach, k)
	}
	for k := range reach {
		if l.shows(k) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, groupKey.compare)
	return keys
}

// longest is the place of the longest window; -1 where there is none.
func (b *Book) longest() int {
	best := -1
	for i, w := range b.o.Windows {
		if best < 0 || w.Length > b.o.Windows[best].Length {
			best = i
		}
	}
	return best
}

// nowFigures fills in what has no window.
func (b *Book) nowFigures(f *Figures, l *limits) {
	f.Milestones = make(map[incident.MilestoneName]map[incident.Origin]int, nMilestones)
	for i, m := range incident.MilestoneNames {
		f.Milestones[m] = make(map[incident.Origin]int, len(incident.Origins))
		for j, o := range incident.Origins {
			f.Milestones[m][o] = b.shown[i][j]
		}
	}
	tick := b.tick.UnixNano()
	open := map[groupKey]int{everything: 0}
	if len(f.Windows) > 0 {
		// What has a figure for a window has one for now, so that a count goes back to 0 and does not vanish.
		for _, g := range f.Windows[b.longest()].Groups {
			if g.Label == "" {
				open[g.key()] = 0
			}
		}
	}
	oldest := int64(unknown)
	all := b.groups[everything].rows
	for r := range b.open {
		if !r.listed || !r.openAt(tick) {
			continue
		}
		if r.at != unknown && (oldest == unknown || r.at < oldest) {
			oldest = r.at
		}
		seen := map[groupKey]bool{}
		for k := range r.keys {
			if k = l.of(k); !seen[k] && k.tag == noName {
				seen[k] = true
				open[k]++
			}
		}
	}
	f.OldestOpen = timeOf(oldest)
	keys := make([]groupKey, 0, len(open))
	for k := range open {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, groupKey.compare)
	for _, k := range keys {
		f.Open = append(f.Open, OpenCount{k.grouping(), open[k]})
	}
	for i := len(all) - 1; i >= 0 && len(f.Newest) < b.o.Newest; i-- {
		if all[i].listed {
			f.Newest = append(f.Newest, all[i].head(tick))
		}
	}
	if b.last != nil {
		f.Newest = keep(b.last.Newest, f.Newest)
	}
}

// keep replaces every element of next by the equal one of before, so that who holds something made of it can keep that.
func keep[T interface{ equal(T) bool }](before, next []T) []T {
	// Both are in one order and differ little, so an equal one is looked for at the same place and nearby first.
	const near = 2
	shift := 0
	for i := range next {
		for d := -near; d <= near; d++ {
			if j := i + shift + d; j >= 0 && j < len(before) && before[j].equal(next[i]) {
				next[i], shift = before[j], shift+d
				break
			}
		}
	}
	return next
}
