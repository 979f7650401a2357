package measure

import (
	"cmp"
	"hash/fnv"
	"iter"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unique"

	"meantime/incident"
)

// episode is what the figures need of one episode, 24 bytes.
type episode struct {
	start       int64
	fingerprint uint64
	class       uint32
	outcome     uint8 // place in incident.Outcomes
	end         uint8 // place in incident.EndKinds, plus 1; 0 while it fires
}

func (e episode) compare(o episode) int {
	return cmp.Or(cmp.Compare(e.start, o.start), cmp.Compare(e.fingerprint, o.fingerprint))
}

// class is what many episodes have in common.
type class struct{ alert, service, severity name }

// tally counts episodes by outcome.
type tally [3]int32

// episodes are all episodes of the longest window in rows sorted by start, with their numbers by class in every window
// kept up to date as rows change and windows slide.
type episodes struct {
	lengths []int64 // of the windows
	longest int     // place in lengths, -1 where there is none
	rows    []episode

	classes []class
	held    []int32 // how many rows are of each class
	index   map[class]uint32
	free    []uint32 // places in classes that no row is of

	now     int64 // where the windows end; unknown before the first slide
	counts  [][]tally
	ended   [8]int // the episodes of the longest window by end
	changed bool   // any count, since it was last set to false
}

func newEpisodes(windows []Window) episodes {
	e := episodes{longest: -1, index: map[class]uint32{}, now: unknown, counts: make([][]tally, len(windows))}
	for i, w := range windows {
		e.lengths = append(e.lengths, int64(w.Length))
		if e.longest < 0 || e.lengths[i] > e.lengths[e.longest] {
			e.longest = i
		}
	}
	return e
}

// key is an episode's key in the form of a row. Fingerprints are 64 bits in hexadecimal; one that is not is hashed to them.
func key(k incident.EpisodeKey) episode {
	fp, err := strconv.ParseUint(k.Fingerprint, 16, 64)
	if err != nil {
		h := fnv.New64a()
		h.Write([]byte(k.Fingerprint))
		fp = h.Sum64()
	}
	return episode{start: nanos(k.StartsAt), fingerprint: fp}
}

// row makes a row and holds its class; ok is false for an outcome that is not counted.
func (e *episodes) row(v *incident.Verdict) (r episode, ok bool) {
	outcome := slices.Index(incident.Outcomes, v.Outcome)
	if outcome < 0 || v.Episode.StartsAt.IsZero() {
		return episode{}, false
	}
	r = key(v.Episode.Key())
	r.outcome, r.end = uint8(outcome), uint8(slices.Index(incident.EndKinds, v.Episode.End)+1)
	c := class{intern(v.Episode.Name()), intern(v.Service), intern(v.Severity)}
	i, known := e.index[c]
	if !known {
		if n := len(e.free); n > 0 {
			i, e.free = e.free[n-1], e.free[:n-1]
			e.classes[i] = c
		} else {
			i = uint32(len(e.classes))
			e.classes, e.held = append(e.classes, c), append(e.held, 0)
			for w := range e.counts {
				e.counts[w] = append(e.counts[w], tally{})
			}
		}
		e.index[c] = i
	}
	e.held[i]++
	r.class = i
	return r, true
}

// intern keeps a name without the larger string it may be a part of.
func intern(s string) name { return unique.Make(strings.ToValidUTF8(s, "\uFFFD")) }

// release gives back the class of a row that is no more.
func (e *episodes) release(r episode) {
	if e.held[r.class]--; e.held[r.class] == 0 {
		delete(e.index, e.classes[r.class])
		e.classes[r.class] = class{}
		e.free = append(e.free, r.class)
	}
}

// count adds a row to every window it is in, or takes it out.
func (e *episodes) count(r episode, by int32) {
	if e.now == unknown || r.start > e.now {
		return
	}
	for w, length := range e.lengths {
		if r.start > e.now-length {
			e.add(w, r, by)
		}
	}
}

// add counts a row in a window.
func (e *episodes) add(w int, r episode, by int32) {
	e.counts[w][r.class][r.outcome] += by
	if w == e.longest {
		e.ended[r.end] += int(by)
	}
}

func (e *episodes) load(verdicts iter.Seq2[incident.Verdict, error]) error {
	for v, err := range verdicts {
		if err != nil {
			return err
		}
		if r, ok := e.row(&v); ok {
			e.rows = append(e.rows, r)
		}
	}
	slices.SortStableFunc(e.rows, episode.compare)
	kept := e.rows[:0]
	for _, r := range e.rows {
		if n := len(kept); n > 0 && kept[n-1].compare(r) == 0 {
			e.release(r)
			continue
		}
		kept = append(kept, r)
	}
	e.rows = slices.Clip(kept)
	return nil
}

// few is up to how many changes are put into the rows one by one; more are merged in one pass.
const few = 64

// apply replaces rows, adds and removes them.
func (e *episodes) apply(changed []incident.Verdict, gone []incident.EpisodeKey) {
	// What is to be at a key: a row, or nothing.
	type edit struct {
		episode
		present bool
	}
	edits := make([]edit, 0, len(gone)+len(changed))
	for _, k := range gone {
		edits = append(edits, edit{episode: key(k)})
	}
	for i := range changed {
		r, ok := e.row(&changed[i])
		if !ok {
			r = key(changed[i].Episode.Key())
		}
		edits = append(edits, edit{r, ok})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.episode.compare(b.episode) })
	// Of several edits of a key the last counts.
	last := edits[:0]
	for i, x := range edits {
		if i+1 < len(edits) && edits[i+1].episode.compare(x.episode) == 0 {
			if x.present {
				e.release(x.episode)
			}
			continue
		}
		last = append(last, x)
	}
	edits = last

	replace := func(old *episode, next edit) {
		if old != nil && next.present && *old == next.episode {
			e.release(*old) // it is held twice now
			return
		}
		if old == nil && !next.present {
			return
		}
		e.changed = true
		if old != nil {
			e.count(*old, -1)
		}
		if next.present {
			e.count(next.episode, 1)
		}
		if old != nil {
			e.release(*old)
		}
	}
	if len(edits) <= few {
		for _, x := range edits {
			i, found := slices.BinarySearchFunc(e.rows, x.episode, episode.compare)
			switch {
			case found:
				old := e.rows[i]
				if x.present {
					e.rows[i] = x.episode
				} else {
					e.rows = slices.Delete(e.rows, i, i+1)
				}
				replace(&old, x)
			case x.present:
				e.rows = slices.Insert(e.rows, i, x.episode)
				replace(nil, x)
			}
		}
		return
	}
	merged := make([]episode, 0, len(e.rows)+len(edits))
	i := 0
	for _, x := range edits {
		for i < len(e.rows) && e.rows[i].compare(x.episode) < 0 {
			merged = append(merged, e.rows[i])
			i++
		}
		var old *episode
		if i < len(e.rows) && e.rows[i].compare(x.episode) == 0 {
			old = &e.rows[i]
			i++
		}
		replace(old, x)
		if x.present {
			merged = append(merged, x.episode)
		}
	}
	e.rows = append(merged, e.rows[i:]...)
}

func (e *episodes) after(t int64) int {
	return sort.Search(len(e.rows), func(i int) bool { return e.rows[i].start > t })
}

// slide moves the windows to now. With reset all is counted anew, which also
// makes a step back in time right. What has left the longest window is forgotten in large pieces.
func (e *episodes) slide(now int64, reset bool) {
	before := e.now
	e.now = now
	if e.longest < 0 {
		return
	}
	if reset || before == unknown {
		e.recount(now)
		e.prune()
		return
	}
	for w, length := range e.lengths {
		// An episode can come in and go out in one step, and then the two sums cancel out.
		for _, r := range e.rows[e.after(before):e.after(now)] {
			e.add(w, r, 1)
			e.changed = true
		}
		for _, r := range e.rows[e.after(before-length):e.after(now-length)] {
			e.add(w, r, -1)
			e.changed = true
		}
	}
	e.prune()
}

// recount counts the windows as of any time, without forgetting.
func (e *episodes) recount(now int64) {
	e.now, e.changed, e.ended = now, true, [8]int{}
	for w, length := range e.lengths {
		clear(e.counts[w])
		for _, r := range e.rows[e.after(now-length):e.after(now)] {
			e.add(w, r, 1)
		}
	}
}

func (e *episodes) prune() {
	n := e.after(e.now - e.lengths[e.longest])
	if n < 4096 || n < len(e.rows)/8 {
		return
	}
	for _, r := range e.rows[:n] {
		e.release(r)
	}
	e.rows = slices.Clone(e.rows[n:])
}

// suggested is the number of episodes of the longest window that wait for a person's word.
func (e *episodes) suggested() int {
	if e.longest < 0 {
		return 0
	}
	n, place := 0, slices.Index(incident.Outcomes, incident.OutcomeSuggested)
	for _, t := range e.counts[e.longest] {
		n += int(t[place])
	}
	return n
}

// ends counts the episodes of the longest window by how they came to fire no more.
func (e *episodes) ends() map[incident.EndKind]int {
	out := make(map[incident.EndKind]int, len(incident.EndKinds))
	for i, k := range incident.EndKinds {
		out[k] = e.ended[i+1]
	}
	return out
}

// figures are the figures of one window, everything first.
func (e *episodes) figures(w int, l *limits) []*AlertGroup {
	type cell struct {
		alert   name
		outcome uint8
	}
	groups := map[groupKey]map[cell]int{}
	for i, t := range e.counts[w] {
		if t == (tally{}) {
			continue
		}
		c := e.classes[i]
		c = class{l.alerts.of(c.alert), l.services.of(c.service), l.severities.of(c.severity)}
		for k := range c.keys {
			g := groups[k]
			if g == nil {
				g = map[cell]int{}
				groups[k] = g
			}
			for o, n := range t {
				if n > 0 {
					g[cell{c.alert, uint8(o)}] += int(n)
				}
			}
		}
	}
	out := make([]*AlertGroup, 0, len(groups))
	keys := make([]groupKey, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, groupKey.compare)
	for _, k := range keys {
		g := &AlertGroup{Grouping: k.grouping()}
		belonged, all := 0, 0
		for c, n := range groups[k] {
			outcome := incident.Outcomes[c.outcome]
			all += n
			if outcome == incident.OutcomeLinked {
				belonged += n
			}
			g.Episodes = append(g.Episodes, EpisodeCount{c.alert.Value(), outcome, n})
		}
		slices.SortFunc(g.Episodes, func(a, b EpisodeCount) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Outcome), string(b.Outcome)))
		})
		g.Precision, _ = Wilson(belonged, all)
		out = append(out, g)
	}
	return out
}

// keys are the groups that the class counts in.
func (c class) keys(yield func(groupKey) bool) {
	if !yield(everything) {
		return
	}
	if c.severity != noName && !yield(groupKey{noName, c.severity, noName}) {
		return
	}
	if c.service != noName && yield(groupKey{c.service, noName, noName}) && c.severity != noName {
		yield(groupKey{c.service, c.severity, noName})
	}
}

//nolint:unused // keep calls it
func (g *AlertGroup) equal(o *AlertGroup) bool {
	return g.Grouping == o.Grouping && g.Precision.K == o.Precision.K && g.Precision.N == o.Precision.N && slices.Equal(g.Episodes, o.Episodes)
}
