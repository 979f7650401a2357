// Package history is the source that reads which alerts fired in a Prometheus' past, out of the series ALERTS and
// ALERTS_FOR_STATE: exact starts, ends and condition times of what fired before anybody listened, and of what no notification
// told of since.
//
// It writes sightings with the labels that Alertmanager has of the alerts, so that they merge with what notifications tell,
// whichever comes first. No word comes from it: nobody was told of an alert because Prometheus had it.
//
// The newest is read first, in slices of a day at most. How far it came is stored as a mark with the facts of each slice,
// together with the runs of samples at both edges of what is read: a run goes on over an edge.
package history

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// Store is what the source needs of the store.
type Store interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// Marks are those of one source, by name.
	Marks(ctx context.Context, source string) ([]incident.Mark, error)
	// SightingsOf are all sightings of the given fingerprints.
	SightingsOf(ctx context.Context, fingerprints []string) ([]incident.Sighting, error)
}

const (
	// markName is the mark that says how far the past has been read.
	markName = "history"
	// maxSlice is how many samples are asked for at a time, as far as is known before.
	maxSlice = 500_000
	// freshen is how old the last that was stored of a firing alert may become before it is stored again.
	freshen = 30 * time.Minute
	// remoteLag is how late samples may come to a server that others write to.
	remoteLag = 30 * second
	// batch is how many sightings are stored at a time.
	batch = 500
	// maxProbes bounds the questions after the ends of rules that are no more, for each slice.
	maxProbes = 100
)

// Options are what the source depends on. Name, Client, Store and Back are required.
type Options struct {
	Name   string
	Client Client
	Store  Store
	// Back is how far back the past is read, where the server still has it.
	Back time.Duration
	// Timeout bounds one question; 0 means that only the client does.
	Timeout time.Duration
	// Intake says which of the alerts found are taken in, and as what: the same as of those that are notified.
	Intake incident.Intake
	// ExternalLabels are those that the server adds to its alerts, where it does not tell.
	ExternalLabels map[string]string
	// Settled waits until Elsewhere knows what it can know, or not for long; nil: it does already.
	Settled func(ctx context.Context)
	// Elsewhere says whether an alert with these labels is known not to come here by any route; nil where nothing is known.
	Elsewhere func(labels map[string]string) bool
	// Progress is told how many hours of how many were read, until all are; nil: nobody wants to know.
	Progress func(done, total int64)
	Logger   *slog.Logger     // nil means silent
	Metrics  *Metrics         // nil means not exposed
	Now      func() time.Time // nil means time.Now
}

// Source reads one Prometheus' past. It implements source.Source and source.Watcher.
type Source struct {
	name      string
	asker     asker
	store     Store
	back      int64
	intake    incident.Intake
	external  map[string]string
	settled   func(ctx context.Context)
	elsewhere func(labels map[string]string) bool
	progress  func(done, total int64)
	log       *slog.Logger
	metrics   *Metrics
	now       func() time.Time
	more      chan struct{} // the next poll has something to do at once

	// Only Poll touches these.
	server server
	begun  bool
	reach  reach
	tapes  map[string]*tape
	days   map[int64]int64 // samples of each day, by its end, of what is not read yet
	span   int64           // how long a slice may be: less after a refusal
	warned string
}

// reach is how far the past was read.
type reach struct {
	Server string `json:"server"`
	From   int64  `json:"from"` // what is before that is not read
	To     int64  `json:"to"`   // nor what is after that
	Done   bool   `json:"done"` // there is nothing to read before From
	// Intervals are those at which rules were evaluated that the server does not tell, by alert name.
	Intervals map[string]int64 `json:"intervals,omitempty"`
	// Offsets are the query offsets of rules, by alert name.
	Offsets map[string]offset `json:"offsets,omitempty"`
	// Latest is the last sample of all of alerts whose rule is no more, by name.
	Latest map[string]int64 `json:"latest,omitempty"`
	Tapes  []*tape          `json:"tapes,omitempty"` // only as stored
}

// sent is what was stored of an episode.
type sent struct{ incident.Sighting }

// New makes the source. Nothing is asked before the first Poll.
func New(o Options) *Source {
	s := &Source{
		name: o.Name, store: o.Store, back: o.Back.Milliseconds(), intake: o.Intake, external: o.ExternalLabels,
		settled: o.Settled, elsewhere: o.Elsewhere, progress: o.Progress,
		log: o.Logger, metrics: o.Metrics, now: o.Now, more: make(chan struct{}, 1), tapes: map[string]*tape{}, span: day,
	}
	if s.progress == nil {
		s.progress = func(int64, int64) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "source", "name", o.Name)
	if s.metrics == nil {
		s.metrics = NewMetrics(nil)
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.asker = asker{client: o.Client, metrics: s.metrics, name: o.Name, timeout: o.Timeout, pause: pause}
	s.metrics.begin(o.Name)
	return s
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Watch has the next poll come at once where the one before left something to read.
func (s *Source) Watch(ctx context.Context, changed func()) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.more:
			changed()
		}
	}
}

// Close forgets what the metrics say of a Prometheus that is asked no more.
func (s *Source) Close() error {
	s.progress(0, 0)
	s.metrics.forget(s.name)
	return nil
}

// Poll reads what is new and then, for half of the time that it has, what is old. Each slice is stored with the mark that it is
// read, so that nothing is read twice after an interruption but the slice that was interrupted.
func (s *Source) Poll(ctx context.Context) error {
	began := time.Now()
	if err := s.begin(ctx); err != nil {
		return err
	}
	now := s.now().UTC()
	if err := s.server.ask(ctx, s.asker.client, now); err != nil {
		return err
	}
	s.sayUnknown()
	target, oldest := s.bounds(now)
	if s.reach.To < oldest {
		s.reach, s.tapes = reach{Server: s.asker.client.Base(), From: target, To: target}, map[string]*tape{}
	}
	for s.reach.To < target {
		to := min(target, s.reach.To+s.span)
		if err := s.read(ctx, s.reach.From, to, s.reach.To-s.overlap(), to); err != nil {
			return err
		}
	}
	s.reach.Done = s.reach.Done && s.reach.From < oldest+day
	budget := time.Duration(math.MaxInt64)
	if deadline, ok := ctx.Deadline(); ok {
		budget = time.Until(deadline) / 2
	}
	for !s.reach.Done {
		if time.Since(began) > budget {
			select {
			case s.more <- struct{}{}:
			default:
			}
			break
		}
		s.report(oldest)
		if err := s.older(ctx, oldest); err != nil {
			return err
		}
	}
	s.report(oldest)
	return nil
}

// bounds are until when the past can be read now, and since when it is wanted.
func (s *Source) bounds(now time.Time) (target, oldest int64) {
	// An evaluation is there when it is done, which takes less than an interval, and is of a time before it by the offset.
	lag, offset := 2*min(s.server.longest(s.reach.Intervals), minute), s.server.settings.queryOffset.Milliseconds()
	if s.server.remote {
		lag += remoteLag
	}
	for _, o := range s.reach.Offsets {
		offset = max(offset, o.Is)
	}
	return now.UnixMilli() - lag - offset, now.UnixMilli() - s.back
}

// overlap is how much of what was read before is read again: a run goes on over the edge.
func (s *Source) overlap() int64 { return max(5*minute, 3*s.server.longest(s.reach.Intervals)) }

// begin reads how far the process before came.
func (s *Source) begin(ctx context.Context) error {
	if s.begun {
		return nil
	}
	marks, err := s.store.Marks(ctx, s.name)
	if err != nil {
		return fmt.Errorf("read how far the past was read: %w", err)
	}
	s.reach, s.tapes = reach{Server: s.asker.client.Base()}, map[string]*tape{}
	for _, m := range marks {
		var r reach
		if m.Name != markName || json.Unmarshal([]byte(m.Value), &r) != nil || r.Server != s.asker.client.Base() {
			continue // another server's, or another version's: it is read anew
		}
		for _, t := range r.Tapes {
			s.tapes[key(t.Labels)] = t
		}
		r.Tapes, s.reach = nil, r
	}
	if s.settled != nil {
		s.settled(ctx)
	}
	s.begun = true
	return nil
}

// older reads the slice before what is read.
func (s *Source) older(ctx context.Context, oldest int64) error {
	if s.reach.From <= oldest {
		s.learnAll()
		return s.save(ctx, s.reach.From, s.reach.To, true, s.emit(s.reach.From, true))
	}
	if s.days == nil {
		if err := s.askDays(ctx, oldest); err != nil {
			return err
		}
	}
	from := s.dayStart(s.reach.From)
	pieces := int64(1)
	if n := s.days[from+day]; n > 0 {
		most := min(maxSlice, s.server.maxSamples/2)
		pieces = (n + most - 1) / most
	}
	if step := min(s.span, max(shortest, day/pieces)); s.reach.From-from > step {
		from = s.reach.From - step
	}
	if !s.worth(oldest, s.reach.From) && len(s.edge()) == 0 {
		from = oldest // nothing fired before
	}
	from = max(oldest, from)
	return s.read(ctx, from, s.reach.To, from, s.reach.From+s.overlap())
}

// askDays finds out how much there is to read. It is asked once, since the past does not change.
func (s *Source) askDays(ctx context.Context, oldest int64) error {
	n := int((s.reach.From-oldest)/day) + 1
	days, err := s.asker.days(ctx, s.reach.From, n)
	if err != nil && tooMuch(ctx, err) {
		days, err = map[int64]int64{}, nil
		for i := range n {
			days[s.reach.From-int64(i)*day] = 1 // nobody knows: each is looked at
		}
	}
	if err != nil {
		return fmt.Errorf("which days have alerts: %w", err)
	}
	s.days = days
	return nil
}

// edge are the names of the alerts that fired so soon after what is not read yet that it may tell more of them.
func (s *Source) edge() map[string]bool {
	names := map[string]bool{}
	for _, t := range s.tapes {
		if len(t.Firing) > 0 && t.Firing[0].First < s.reach.From+margin {
			names[t.Labels[model.AlertNameLabel]] = true
		}
	}
	return names
}

// dayStart is the start of the day, of those whose samples are known, that ends at a time or has it inside.
func (s *Source) dayStart(t int64) int64 {
	for end := range s.days {
		return t - 1 - mod(t-1-end, day) // all ends are whole days apart
	}
	return t - day
}

// read reads a slice of the past, after which everything from a time to another is read, and stores what it tells. Where the
// server refuses because it is too much, less is read.
func (s *Source) read(ctx context.Context, from, to, low, high int64) error {
	high = min(high, to)
	old := from < s.reach.From
	firing, state, err := s.raw(ctx, low, high, old)
	if err != nil {
		if tooMuch(ctx, err) && s.span > shortest {
			s.span = max(shortest, min(s.span, high-low)/2)
			s.log.Info("Prometheus refused a question as too large; the next ones are smaller",
				"span", time.Duration(s.span)*time.Millisecond, "err", err)
			return nil // nothing was read, and the next slice is shorter
		}
		return err
	}
	before := s.copied()
	s.take(firing, state, low)
	if err := s.decide(ctx, low, high); err != nil {
		// What follows the stretches that were taken in is not known: the next reading must not take it for an end.
		s.tapes = before
		if tooMuch(ctx, err) && s.span > shortest {
			s.span = max(shortest, min(s.span, high-low)/2)
			return nil
		}
		return err
	}
	if err := s.save(ctx, from, to, s.reach.Done, s.emit(from, s.reach.Done)); err != nil {
		s.tapes = before
		return err
	}
	s.span = min(day, 2*s.span)
	return nil
}

// copied are the tapes as they are now.
func (s *Source) copied() map[string]*tape {
	out := make(map[string]*tape, len(s.tapes))
	for k, t := range s.tapes {
		c := *t
		c.Firing, c.State, c.sent = slices.Clone(t.Firing), slices.Clone(t.State), maps.Clone(t.sent)
		out[k] = &c
	}
	return out
}

// raw asks for all samples from one time to another.
func (s *Source) raw(ctx context.Context, low, high int64, old bool) (firing, state model.Matrix, err error) {
	if !old || s.worth(low, high) {
		if firing, err = s.asker.samples(ctx, firingSeries+"{"+firingOnly+"}", low, high); err != nil {
			return nil, nil, err
		}
	}
	which := ""
	if old {
		// What was only pending then and never fired is nobody's concern; but what fired soon after may have been pending.
		names := s.edge()
		for _, x := range firing {
			names[string(x.Metric[model.AlertNameLabel])] = true
		}
		if len(names) == 0 {
			return firing, nil, nil
		}
		which = "{alertname" + oneOf(slices.Sorted(maps.Keys(names))) + "}"
	}
	state, err = s.asker.samples(ctx, stateSeries+which, low, high)
	return firing, state, err
}

// worth says whether any alert fired from one time to another, as far as is known.
func (s *Source) worth(low, high int64) bool {
	n := int64(0)
	for end, samples := range s.days {
		if end-day < high && end > low {
			n += samples
		}
	}
	return n > 0
}

// take brings samples into the tapes. low is since when they were asked for.
func (s *Source) take(firing, state model.Matrix, low int64) {
	type pair struct {
		labels        map[string]string
		firing, state series
	}
	all := map[string]*pair{}
	of := func(x *model.SampleStream) *pair {
		l := plain(x.Metric)
		k := key(l)
		if all[k] == nil {
			all[k] = &pair{labels: l}
		}
		return all[k]
	}
	for _, x := range firing {
		of(x).firing = newSeries(x.Values)
	}
	for _, x := range state {
		of(x).state = newSeries(x.Values)
	}
	distances := map[string][]int64{} // between samples, or else from the last to the marker, by alert name
	markers := map[string][]int64{}
	for _, p := range all {
		if len(p.firing.markers)+len(p.state.markers) > 0 {
			s.server.markers = true
		}
		name := p.labels[model.AlertNameLabel]
		for _, x := range []series{p.firing, p.state} {
			for i, l := 0, x.samples; i < len(l); i++ {
				if next := x.marked(int64(l[i].Timestamp), math.MaxInt64); i+1 < len(l) && (next == 0 || int64(l[i+1].Timestamp) < next) {
					distances[name] = append(distances[name], int64(l[i+1].Timestamp-l[i].Timestamp))
				} else if next != 0 {
					markers[name] = append(markers[name], next-int64(l[i].Timestamp))
				}
			}
		}
	}
	for name, d := range markers { // a group that is taken away writes one at any time, so these tell less
		if len(distances[name]) == 0 {
			distances[name] = d
		}
	}
	usual := s.usual(distances)
	past := low
	switch { // the tapes have all of what was read so long before
	case s.reach.Done:
		past = low - margin
	case s.reach.From < low:
		past = max(low-margin, s.reach.From)
	}
	for k, p := range all {
		t := s.tapes[k]
		if t == nil {
			t = &tape{Labels: p.labels}
			s.tapes[k] = t
		}
		interval := s.interval(p.labels, usual[p.labels[model.AlertNameLabel]])
		t.add(p.firing, p.state, interval)
		if len(p.state.samples) > 0 {
			s.learn(p.labels, t.State, low, past)
		}
	}
	s.shift()
}

// usual are the intervals that the samples of alerts show, by name, those of names of which nothing is shown now as they were
// before.
func (s *Source) usual(distances map[string][]int64) map[string]int64 {
	if s.reach.Intervals == nil {
		s.reach.Intervals = map[string]int64{}
	}
	usual := maps.Clone(s.reach.Intervals)
	for name, d := range distances {
		slices.Sort(d)
		usual[name] = d[len(d)/4] // the gaps between episodes are fewer than the intervals in them
		if len(s.server.rules[name]) == 0 {
			s.reach.Intervals[name] = usual[name]
		}
	}
	return usual
}

// interval is the interval at which the rule of an alert was evaluated: today's, unless its samples were closer together.
func (s *Source) interval(labels map[string]string, usual int64) int64 {
	iv := s.server.interval(s.server.rules.Of(labels))
	switch {
	case usual > 0 && (iv == 0 || 10*usual < 9*iv):
		return usual
	case iv > 0:
		return iv
	}
	return s.server.fallback()
}

// decide finds out how the stretches are over of which all that follows is read now.
func (s *Source) decide(ctx context.Context, low, high int64) error {
	type group struct {
		names    map[string]bool
		from, to int64
	}
	groups := map[int64]*group{}
	for _, t := range s.tapes {
		of := func(x *stretch, _ int64) {
			if s.server.markers || !s.server.tells(x.Interval) {
				return
			}
			g := groups[x.Interval]
			if g == nil {
				g = &group{map[string]bool{}, math.MaxInt64, 0}
				groups[x.Interval] = g
			}
			g.names[t.Labels[model.AlertNameLabel]] = true
			g.from, g.to = min(g.from, x.Last), max(g.to, x.Last+2*x.Interval)
		}
		open(t.Firing, high, of)
		open(t.State, high, of)
	}
	cuts := map[string][]int64{}
	for _, iv := range slices.Sorted(maps.Keys(groups)) {
		g := groups[iv]
		if err := s.asker.cuts(ctx, slices.Sorted(maps.Keys(g.names)), iv, max(g.from, low), min(g.to, high), cuts); err != nil {
			return fmt.Errorf("where series stopped without an end: %w", err)
		}
	}
	var fresh []*tape
	for k, t := range s.tapes {
		slices.Sort(cuts[k])
		n := len(t.Firing) - 1
		waits := n >= 0 && t.Firing[n].End == undecided
		t.decide(s.server.view, high, cuts[k])
		if waits && t.Firing[n].End == ended && t.Firing[n].Last == t.latest() {
			fresh = append(fresh, t)
		}
	}
	return s.vanishing(ctx, fresh, high)
}

// vanishing finds out whether the last end of all of an alert whose rule is no more was none: the rule was taken away then.
// VictoriaMetrics has no rules, and shows by itself where a group was taken away.
func (s *Source) vanishing(ctx context.Context, ends []*tape, high int64) error {
	if !s.server.rulesKnown || s.server.markers {
		return nil
	}
	gone := func(t *tape) bool { return len(s.server.rules.Of(t.Labels)) == 0 }
	if s.reach.Latest == nil {
		s.reach.Latest = map[string]int64{}
	}
	for _, t := range s.tapes {
		if name := t.Labels[model.AlertNameLabel]; gone(t) {
			s.reach.Latest[name] = max(s.reach.Latest[name], t.latest())
		}
	}
	probes := 0
	slices.SortFunc(ends, func(a, b *tape) int { return cmp.Compare(a.latest(), b.latest()) })
	for _, t := range ends {
		r := &t.Firing[len(t.Firing)-1]
		if !gone(t) || r.Last+2*r.Interval < s.reach.Latest[t.Labels[model.AlertNameLabel]] {
			continue
		}
		if probes++; probes > maxProbes {
			r.End = vanished // nobody looked, and an end that is none would be worse than an end that is not known
			continue
		}
		taken, at, err := s.takenAway(ctx, t, r, high)
		if err != nil {
			return fmt.Errorf("whether a rule was taken away: %w", err)
		}
		if taken {
			r.End, r.Gone = vanished, at
		}
	}
	return nil
}

// reloads is the metric by which a Prometheus that scrapes itself tells when it read its configuration last.
const reloads = "prometheus_config_last_reload_success_timestamp_seconds"

// takenAway says whether a rule was taken away with the last sample of its alert, and when, as far as is known.
func (s *Source) takenAway(ctx context.Context, t *tape, r *stretch, high int64) (bool, int64, error) {
	// A group that is taken away ends its series at once, before the next evaluation would have.
	shown, err := s.asker.shown(ctx, selector(t.Labels), r.next()-1)
	switch {
	case err != nil:
		return false, 0, err
	case !shown:
		return true, r.next() - 1, nil
	}
	// A rule that is taken out of its group ends them as its condition would, at the next evaluation; but then there was a
	// reload in between.
	m, err := s.asker.samples(ctx, reloads, r.Last, min(high, r.next()+2*minute))
	if err != nil {
		return false, 0, err
	}
	for _, x := range m {
		for _, p := range x.Values {
			if at := int64(float64(p.Value) * 1000); at > r.Last && at <= r.next() {
				return true, r.Gone, nil
			}
		}
	}
	return len(m) == 0, r.Gone, nil // where it does not scrape itself, nobody knows
}

// emit makes sightings of what the tapes tell.
func (s *Source) emit(from int64, done bool) []candidate {
	var out []candidate
	for _, k := range slices.Sorted(maps.Keys(s.tapes)) {
		t := s.tapes[k]
		if _, known := s.offset(t.Labels[model.AlertNameLabel]); !known && !done {
			continue // what is read of it next may show that all of it is later
		}
		if t.sent == nil {
			t.sent = map[int64]sent{}
		}
		for _, f := range t.episodes(s.server.rules.Of(t.Labels), s.server.sender, from, done) {
			if !f.whole {
				continue
			}
			old, known := t.sent[f.start]
			if f.before {
				if !known {
					s.count(t, f.start, incident.Sighting{}, tooOld)
				}
				continue
			}
			next, o := s.sighting(t, f)
			switch {
			case o != stored:
				if !known {
					s.count(t, f.start, next, o)
				}
			case !known:
				out = append(out, candidate{tape: t, at: f.start, next: next})
			case incident.Equal(old.Sighting, next):
			default:
				later := old.Sighting
				later.ActiveAt, later.LapsesAt = next.ActiveAt, next.LapsesAt
				// All that is new of it is that it fires on.
				on := !f.over && incident.Equal(later, next) && next.ActiveAt.Sub(old.ActiveAt) < freshen
				out = append(out, candidate{tape: t, at: f.start, next: next, again: true, idle: on})
			}
		}
	}
	return out
}

// candidate is a sighting that may have to be stored.
type candidate struct {
	tape  *tape
	at    int64
	next  incident.Sighting
	again bool // something of it was stored before
	idle  bool // all that is new of it is that it fires on
	// away: it is known to come here by no route. It counts only where something of it came all the same.
	away bool
}

// sighting is what an episode says, or why it is not stored.
func (s *Source) sighting(t *tape, f found) (incident.Sighting, outcome) {
	l := s.server.settings.labelling
	if s.server.unsettled != nil {
		l = labelling{external: s.external}
	}
	set, ok := l.alert(t.Labels)
	if !ok {
		return incident.Sighting{}, dropped
	}
	if incident.CheckLabels(set) != nil {
		return incident.Sighting{}, refused
	}
	fingerprint, kept, ok := s.intake.Take(incident.Fingerprint(set), set)
	if !ok {
		return incident.Sighting{}, ignored
	}
	x := incident.Sighting{
		Fingerprint: fingerprint, StartsAt: moment(f.start), ActiveAt: moment(f.last), HistoryEndsAt: moment(f.end), Labels: kept,
	}
	if f.over {
		x.LapsesAt = moment(f.lapses)
	}
	if f.vanished != 0 {
		x.VanishedAt, x.VanishedFor = moment(f.vanished), "its rule was taken out of Prometheus"
	}
	if f.condition != 0 {
		x.ConditionAt, x.ConditionFrom = moment(f.condition), incident.ConditionMeasured
	}
	return x, stored
}

// moment is a time as facts have it.
func moment(t int64) time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.UnixMilli(t).UTC()
}

// count notes what became of an episode.
func (s *Source) count(t *tape, start int64, x incident.Sighting, o outcome) {
	if _, known := t.sent[start]; !known {
		s.metrics.found(s.name, o)
	}
	t.sent[start] = sent{x}
}

// save stores what was found, with the mark that everything from a time to another is read, and that there is nothing before
// (done).
func (s *Source) save(ctx context.Context, from, to int64, done bool, list []candidate) error {
	list, left, err := s.choose(ctx, list)
	if err != nil {
		return err
	}
	r := s.reach
	r.From, r.To, r.Done, r.Server = from, to, done, s.asker.client.Base()
	now := s.now().UTC()
	for len(list) > batch {
		if err := s.put(ctx, list[:batch], nil, now); err != nil {
			return err
		}
		list = list[batch:]
	}
	tapes := maps.Clone(s.tapes)
	for k, t := range tapes {
		c := &tape{Labels: t.Labels, Offset: t.Offset, Firing: t.Firing, State: slices.Clone(t.State), sent: t.sent}
		if _, known := s.offset(t.Labels[model.AlertNameLabel]); (known || done) && !c.prune(from, to, done) {
			delete(tapes, k)
			continue
		}
		tapes[k] = c
	}
	for _, k := range slices.Sorted(maps.Keys(tapes)) {
		r.Tapes = append(r.Tapes, tapes[k])
	}
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write down how far the past was read: %w", err)
	}
	if err := s.put(ctx, list, []incident.Mark{{Source: s.name, Name: markName, Value: string(text)}}, now); err != nil {
		return err
	}
	for _, c := range left {
		s.count(c.tape, c.at, c.next, elsewhere)
	}
	r.Tapes = nil
	s.reach, s.tapes = r, tapes
	return nil
}

func (s *Source) put(ctx context.Context, list []candidate, marks []incident.Mark, now time.Time) error {
	f := incident.Facts{Marks: marks}
	for _, c := range list {
		f.Sightings = append(f.Sightings, c.next)
	}
	if _, err := s.store.Put(ctx, f, now); err != nil {
		return fmt.Errorf("store what was found: %w", err)
	}
	for _, c := range list {
		s.count(c.tape, c.at, c.next, stored)
	}
	return nil
}

// choose leaves out what comes here by no route and of which nothing came, and what is as good as stored already.
func (s *Source) choose(ctx context.Context, all []candidate) (take, left []candidate, err error) {
	var ask []string
	for i := range all {
		c := &all[i]
		c.away = s.elsewhere != nil && s.elsewhere(c.next.Labels)
		if c.away || c.idle {
			ask = append(ask, c.next.Fingerprint)
		}
	}
	slices.Sort(ask)
	heard, over := map[string]bool{}, map[string]time.Time{}
	for part := range slices.Chunk(slices.Compact(ask), batch) {
		known, err := s.store.SightingsOf(ctx, part)
		if err != nil {
			return nil, nil, fmt.Errorf("read what is known: %w", err)
		}
		for _, x := range known {
			heard[x.Fingerprint] = heard[x.Fingerprint] || !x.FiringFirst.IsZero() || !x.ResolvedFirst.IsZero() || !x.FiringLast.IsZero()
			over[x.Fingerprint] = incident.Latest(over[x.Fingerprint], incident.Latest(x.EndsAt, x.GoneAt))
		}
	}
	for _, c := range all {
		switch fp := c.next.Fingerprint; {
		case c.away && !heard[fp]:
			left = append(left, c)
		case c.idle && !over[fp].After(c.next.StartsAt): // nobody says that it is over
		default:
			take = append(take, c)
		}
	}
	return take, left, nil
}

// report says how far the past was read.
func (s *Source) report(oldest int64) {
	ratio := 1.0
	if !s.reach.Done {
		ratio = max(0, min(1, float64(s.reach.To-s.reach.From)/float64(max(1, s.reach.To-oldest))))
	}
	s.metrics.reached(s.name, ratio, moment(s.reach.From), moment(s.reach.To))
	hours := max(1, (s.reach.To-oldest+hour-1)/hour)
	done := min(max(0, s.reach.To-s.reach.From)/hour, hours-1)
	if s.reach.Done {
		done = hours
	}
	s.progress(done, hours)
}

// sayUnknown warns, once for each reason, of what makes labels of the past others than those that notifications have.
func (s *Source) sayUnknown() {
	why := ""
	switch {
	case s.server.unsettled != nil:
		why = s.server.unsettled.Error()
	case s.server.settings.differing:
		why = "it relabels alerts for some Alertmanagers otherwise than for others"
	}
	if why != s.warned && why != "" {
		s.log.Warn("Which labels Alertmanager has of this Prometheus' alerts is known only in part: "+
			"alerts of its past are stored with those of their series and prometheuses[].external_labels", "err", why)
	}
	s.warned = why
}
