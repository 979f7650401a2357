package correlate

import (
	"cmp"
	"encoding/json"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/correlate/assign"
	"meantime/correlate/catalog"
	"meantime/correlate/linkage"
	"meantime/incident"
)

// book holds, for every key of the computation, what its answer was made of, and in little memory what it was. What changed
// is told to it, marks the keys that are made of it, and settle computes those again, in order of time; where an answer is
// what it was, nothing that is made of it is marked. It keeps no other state: a book that was told all facts at once and
// one that was told them bit by bit answer alike.
type book struct {
	rules *Rules
	sizes sizes
	now   time.Time

	names   catalog.Names
	catalog *catalog.Catalog
	graph   *assign.Graph
	scale   scale

	series  map[string]*series
	days    map[int64]*day
	firing  map[string]time.Time // when a firing alert that is not heard of expires, by fingerprint
	records map[incident.RecordKey]*recordInfo
	index   *linkage.Index
	known   map[string]*assign.Known              // by incident, maintenance too
	reaches map[int64]map[string]bool             // the known that reach into a day
	states  map[int64]map[incident.RecordKey]bool // the records that name alerts of a day
	weeks   map[int64]week
	late    map[int64][4][4]float64               // how late people come, by week
	unsure  map[int64]bool                        // weeks of which that may be another now
	medians map[int64]time.Duration               // how long incidents last, by week
	guessed map[int64]map[incident.RecordKey]bool // records that tell only their end, by its week
	reviews *decisions
	silence map[string]incident.Silence
	mutings mutings
	blind   map[string][]incident.Impact
	reach   *incident.Reach

	parts map[string]*part // incidents by their ref

	// What is marked.
	dirty     map[*cell]bool
	reordered map[int64]bool // days whose cells may be others
	renamed   bool           // names of services came or went
	relearn   bool           // names may have gone
	recount   bool           // the number of days with alerts changed
	reweek    map[int64]bool
	touched   map[*part]bool
	judged    map[*entry]bool
	gone      []incident.EpisodeKey
	within    map[*part]*part // what was told as part of another incident, with that one
	regrouped bool
	filled    []*entry // that were told with their episodes, while everything is
	total     int      // of entries
	reading   bool     // everything is told
	told      bool     // something that is delivered with every pass changed
	weighed   int      // how often an alert was weighed against an incident so far
}

// sizes bound how much is worked out and kept at once, in episodes.
type sizes struct {
	cell   int // a cell that holds more is cut into shorter ones
	atHand int // with their answers, for who reads from a store
	flush  int // are worked out before they are delivered, while everything is
}

var usualSizes = sizes{cell: 800, atHand: 60_000, flush: 50_000}

// scale are numbers of the whole organisation, rounded.
type scale struct {
	services float64
	values   map[string]float64
}

// series are the episodes of one alert.
type series struct {
	fingerprint string
	described   *described
	mixed       bool     // its episodes do not all carry the same labels
	entries     []*entry // by start
}

// entry is one episode.
type entry struct {
	series     *series
	start, end int64 // unix nanoseconds
	digest     uint64
	past       assign.Past
	noise      uint8  // halves that it began for nothing, and unwritten
	told       uint64 // digest of its verdict, 0 for none
	part       *part  // the incident it counts in
	cell       *cell
	episode    *incident.Episode // nil where it is not at hand
	taken      bool              // it is no more
	moved      bool              // a person put it where it is: its id means no longer where it was
	starts     []int64           // further starts that it was told with
}

func (e *entry) key() incident.EpisodeKey {
	return incident.EpisodeKey{Fingerprint: e.series.fingerprint, StartsAt: time.Unix(0, e.start).UTC()}
}

func (e *entry) at() float64 { return float64(e.start/1e6) / 3.6e6 }

func byStart(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.start, b.start), strings.Compare(a.series.fingerprint, b.series.fingerprint))
}

// day is what begins on one day, in cells: as a whole or, where much fires, in shorter stretches of the clock.
type day struct {
	entries   []*entry
	unordered bool // entries are not in order of start
	cells     []*cell
}

// cell is a stretch of time that is worked out at once.
type cell struct {
	from, to int64
	entries  []*entry
	in, out  []*assign.Carried
	answer   *assign.Output  // nil where it is not at hand
	refs     map[string]bool // incidents that its alerts have to do with
	opened   []string        // incidents that its alerts opened
	listened [2]float64
	early    map[string]assign.Early // alerts by how early they began, of incidents of records
}

// part is an incident, but for what people said is one with it.
type part struct {
	ref      string
	group    *linkage.Group
	opened   int // cells in which alerts opened it
	cells    map[*cell]bool
	from, to time.Time
	id       string // that it is shown by, empty for none
	digest   uint64
	next     time.Time
}

// week are the numbers of an organisation in one week: how long its incidents last and how many an hour there are, rounded.
type week struct{ median, rate float64 }

func newBook(rules *Rules, sizes sizes) *book {
	b := &book{
		rules: rules, sizes: sizes, reach: &incident.Reach{}, series: map[string]*series{}, days: map[int64]*day{},
		firing: map[string]time.Time{}, records: map[incident.RecordKey]*recordInfo{},
		known: map[string]*assign.Known{}, reaches: map[int64]map[string]bool{},
		states: map[int64]map[incident.RecordKey]bool{}, weeks: map[int64]week{},
		late: map[int64][4][4]float64{}, unsure: map[int64]bool{},
		medians: map[int64]time.Duration{}, guessed: map[int64]map[incident.RecordKey]bool{},
		silence: map[string]incident.Silence{}, mutings: newMutings(), parts: map[string]*part{}, dirty: map[*cell]bool{},
		reordered: map[int64]bool{}, reweek: map[int64]bool{},
		touched: map[*part]bool{}, judged: map[*entry]bool{},
	}
	b.rename()
	b.reviews = decide(nil)
	b.index = linkage.NewIndex(b.catalog, linkage.Options{})
	return b
}

func (b *book) rename() {
	b.catalog = catalog.New(b.rules.catalog(), &b.names)
	b.graph = assign.NewGraph(b.catalog)
}

// Lookback is how far back correlation looks for how usual an alert is and how often incidents begin. Whoever forgets alerts
// has to keep them for so much longer than the incidents whose links are not to change by it.
const Lookback = 90 * 24 * time.Hour

const (
	dayLength  = int64(24 * time.Hour)
	weekLength = 7 * dayLength
	lookback   = int64(Lookback) / dayLength // days
	mostBegins = 500                         // of an alert that its habit is made of
)

func floor(t, length int64) int64 {
	n := t / length
	if t%length < 0 {
		n--
	}
	return n
}

var seed = maphash.MakeSeed()

// digestOf names an episode by its content.
func digestOf(e *incident.Episode) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, t := range []time.Time{e.StartsAt, e.EndsAt, e.NotifiedAt, e.ConditionAt, e.SilencedAt, e.InhibitedAt, e.LastSeen} {
		maphash.WriteComparable(&h, t.UnixNano())
	}
	for _, t := range e.Starts {
		maphash.WriteComparable(&h, t.UnixNano())
	}
	maphash.WriteComparable(&h, [5]string{string(e.End), e.EndReason, string(e.ConditionFrom), e.GeneratorURL, e.NotifiedUnknown})
	told, _ := json.Marshal(e.Told) // of strings and times, which always marshal
	h.Write(told)
	maphash.WriteComparable(&h, e.Unheard)
	for _, s := range slices.Concat(e.SilencedBy, e.GroupKeys) {
		maphash.WriteComparable(&h, s)
	}
	sum := h.Sum64()
	for _, m := range []map[string]string{e.Labels, e.Annotations} {
		both := uint64(len(m)) + sum%7
		for k, v := range m {
			both += maphash.Comparable(seed, [2]string{k, v})
		}
		sum = maphash.Comparable(seed, [2]uint64{sum, both})
	}
	return sum
}

// tell takes in all episodes of one alert, in order of start.
func (b *book) tell(fingerprint string, episodes []incident.Episode) {
	s := b.series[fingerprint]
	if s == nil {
		if len(episodes) == 0 {
			return
		}
		s = &series{fingerprint: fingerprint}
		b.series[fingerprint] = s
	}
	old := map[int64]*entry{}
	for _, e := range s.entries {
		old[e.start] = e
	}
	delete(b.firing, fingerprint)
	s.entries = s.entries[:0:0]
	var turned []*entry
	for i := range episodes {
		ep := &episodes[i]
		if ep.Firing() {
			b.firing[fingerprint] = incident.Earliest(b.firing[fingerprint], ep.LastSeen.Add(b.rules.Silence+1))
		}
		at, digest := ep.StartsAt.UnixNano(), digestOf(ep)
		e := old[at]
		delete(old, at)
		switch {
		case e == nil:
			e = &entry{series: s, start: at, noise: fresh}
			b.enter(e, ep, digest)
			b.insert(e)
			turned = append(turned, e)
		case e.digest != digest:
			b.enter(e, ep, digest)
			turned = append(turned, e)
			if e.cell != nil {
				b.dirty[e.cell] = true
			}
			b.judged[e] = true
		}
		s.entries = append(s.entries, e)
		if i == len(episodes)-1 && (s.described == nil || !maps.Equal(s.described.labels, ep.Labels)) {
			was := s.described
			s.described = b.describe(ep.Labels)
			b.recount = b.recount || len(s.described.places) > 0 || was != nil && len(was.places) > 0
			if was != nil { // which a fingerprint's labels never should: what they taught is not known any more
				b.relearn = true
			} else if b.names.Learn(&b.rules.Services, ep.Labels) {
				b.renamed = true
			}
		}
	}
	s.mixed = slices.ContainsFunc(episodes, func(ep incident.Episode) bool { return !maps.Equal(ep.Labels, s.described.labels) })
	for _, e := range turned {
		b.mutings.doubt(e)
	}
	for _, e := range old {
		b.take(e)
	}
	if len(s.entries) == 0 {
		delete(b.series, fingerprint)
		b.recount, b.relearn = true, true
	}
}

// episodes are those of one alert, with what is known of who was told of them.
func (b *book) episodes(sightings []incident.Sighting) []incident.Episode {
	out := incident.Episodes(sightings, b.rules.Silence, b.now)
	for i := range out {
		b.reach.Judge(&out[i])
	}
	return out
}

// enter writes down what an episode is.
func (b *book) enter(e *entry, ep *incident.Episode, digest uint64) {
	e.digest, e.end, e.episode = digest, math.MaxInt64, ep
	if b.reading {
		b.filled = append(b.filled, e)
	}
	if !ep.Firing() {
		e.end = ep.EndsAt.UnixNano()
	}
	e.starts = nil
	for _, t := range ep.Starts {
		if n := t.UnixNano(); n != e.start {
			e.starts = append(e.starts, n)
		}
	}
	b.reviews.meet(e)
}

func (b *book) insert(e *entry) {
	n := floor(e.start, dayLength)
	d := b.days[n]
	if d == nil {
		d = &day{}
		b.days[n] = d
		b.recount = true
	}
	if last := len(d.entries) - 1; last >= 0 && byStart(d.entries[last], e) > 0 {
		d.unordered = true
	}
	d.entries = append(d.entries, e)
	b.reordered[n] = true
	b.total++
}

func (b *book) take(e *entry) {
	b.reordered[floor(e.start, dayLength)] = true
	b.total--
	e.taken = true
	if e.cell != nil {
		b.dirty[e.cell] = true
	}
	if e.told != 0 {
		b.gone = append(b.gone, e.key())
	}
	delete(b.judged, e)
	b.propagate(e, true)
	b.reviews.part(e)
	b.mutings.doubt(e)
}

const (
	fresh     = 2 | 128 // the noise of an episode that was not worked out yet
	unwritten = 4       // it belongs to an incident that alerts opened
)

// begin is the episode as its alert's later ones look back at it.
func (e *entry) begin() assign.Begin {
	x := assign.Begin{At: e.at(), Noise: float64(e.noise&3) / 2}
	if x.Clock = x.Noise; e.noise&unwritten != 0 {
		x.Clock = 1
	}
	return x
}

// propagate marks the cells of later episodes of an alert whose habit is another now.
func (b *book) propagate(e *entry, all bool) {
	list := e.series.entries
	i, _ := slices.BinarySearchFunc(list, e, byStart)
	for _, later := range list[i:] {
		if later.start > e.start+lookback*dayLength {
			break
		}
		if later.cell == nil || later.cell == e.cell && !all || b.dirty[later.cell] {
			continue
		}
		if later.past != b.past(later, later.cell, later.cell.listened[1]) {
			b.dirty[later.cell] = true
		}
	}
}

// past is what an episode's alert did before its cell.
func (b *book) past(e *entry, c *cell, days float64) assign.Past {
	list := e.series.entries
	i, _ := slices.BinarySearchFunc(list, e, byStart)
	var begins []assign.Begin
	for k := i - 1; k >= 0 && len(begins) < mostBegins; k-- {
		if list[k].start < c.from-lookback*dayLength {
			break
		}
		if list[k].start < c.from {
			begins = append(begins, list[k].begin())
		}
	}
	slices.Reverse(begins)
	return assign.PastOf(begins, e.at(), days)
}

// daysBefore is on how many days of the last ninety before a cell any alert began.
func (b *book) daysBefore(c *cell) float64 {
	n, count := floor(c.from, dayLength), 0
	for k := n - lookback; k < n; k++ {
		if d := b.days[k]; d != nil && len(d.entries) > 0 {
			count++
		}
	}
	return float64(count)
}

// roundNats rounds to steps of nats.
func roundNats(x, step float64) float64 { return math.Exp(math.Round(math.Log(x)/step) * step) }

// tellRecord takes in a record in its newest version; one that is withdrawn is taken out.
func (b *book) tellRecord(r *incident.Record) {
	k := r.Key()
	old := b.records[k]
	var x *recordInfo
	if !r.Withdrawn {
		x = b.describeRecord(r)
	}
	b.replace(old, x)
	if p := b.partOf(k); p != nil {
		b.touched[p] = true
	}
}

func (b *book) partOf(k incident.RecordKey) *part {
	if g := b.index.Of(k); g != nil {
		return b.parts[g.ID()]
	}
	return nil
}

func (b *book) replace(old, x *recordInfo) {
	for _, r := range []*recordInfo{old, x} {
		if r == nil {
			continue
		}
		b.reweek[floor(r.Onset.UnixNano(), weekLength)] = true
		if r.guessed {
			mark(b.guessed, floor(r.end.UnixNano(), weekLength), r.Key, r == x)
		}
		for _, n := range r.stateDays() {
			mark(b.states, n, r.Key, r == x)
			b.markDay(n)
		}
	}
	b.regrouped = true
	switch {
	case x != nil:
		b.records[x.Key] = x
		b.index.Put(&x.Record)
	case old != nil:
		if p := b.partOf(old.Key); p != nil {
			b.touched[p] = true
		}
		delete(b.records, old.Key)
		b.index.Remove(old.Key)
	}
}

// mark notes a key in the set of a stretch of time, or takes it out.
func mark[K comparable](sets map[int64]map[K]bool, n int64, k K, in bool) {
	switch {
	case !in:
		if delete(sets[n], k); len(sets[n]) == 0 {
			delete(sets, n)
		}
	case sets[n] == nil:
		sets[n] = map[K]bool{k: true}
	default:
		sets[n][k] = true
	}
}

// stateDays are the days on which alerts begin that a record names exactly.
func (x *recordInfo) stateDays() (out []int64) {
	for _, k := range x.States {
		out = append(out, floor(k.StartsAt.UnixNano(), dayLength))
	}
	for _, g := range x.Groups {
		last := floor(g.To.Add(statedSlack).UnixNano(), dayLength)
		for n := floor(g.From.Add(-statedSlack-statedBefore).UnixNano(), dayLength); n <= last; n++ {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

const (
	statedSlack   = 2 * time.Minute
	statedLongest = 7 * 24 * time.Hour // that a group without an end is looked for
	statedBefore  = 48 * time.Hour     // a group named now may hold an alert that has fired for so long
)

func (b *book) markDay(n int64) {
	if d := b.days[n]; d != nil {
		for _, c := range d.cells {
			b.dirty[c] = true
		}
	}
}

func sortedKeys[K cmp.Ordered, T any](m map[K]T) []K { return slices.Sorted(maps.Keys(m)) }
