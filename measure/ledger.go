package measure

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"
	"unique"

	"meantime/incident"
)

// Labels are what the all-time histogram counts by, besides the interval. The service is the first that an incident names.
type Labels struct {
	Service, Severity string
	DetectedBy        incident.DetectedBy
}

func (l Labels) compare(o Labels) int {
	return cmp.Or(strings.Compare(l.Service, o.Service), strings.Compare(l.Severity, o.Severity), strings.Compare(string(l.DetectedBy), string(o.DetectedBy)))
}

// Observation is one value for the all-time histogram.
type Observation struct {
	Labels
	Incident string
	Interval string
	Seconds  float64
}

// Ledger remembers which measurements the all-time histogram has counted. A histogram cannot take back: each interval of an
// incident is counted once, and what it turns into afterwards is a restatement. An incident is known again by any of its
// aliases, so neither a merge nor a new ID counts it twice.
//
// Most of what is corrected is corrected within days: a record comes after the alerts, two incidents become one. So an
// incident is counted only when it is over and the last time known of it lies back by the settling time, under what is known
// of it by then. Such an incident changes by the clock alone; Due says which do.
//
// It works in two steps, so that nothing is shown before it is stored: Next says what is new and changes nothing, Commit takes
// it in. A Ledger is for one goroutine.
type Ledger struct {
	maxServices int
	settle      time.Duration
	waiting     map[string]time.Time // when incidents are to be counted, by ID
	intervals   []incident.Interval
	names       []string // of intervals, also of those no longer measured
	entries     map[string]*entry
	services    map[string]bool
	severities  map[string]bool
}

// entry is an incident.Observed in compact form.
type entry struct {
	id                string
	service, severity name
	by                incident.DetectedBy
	counted           []countedValue
}

type countedValue struct {
	seconds, latest float64 // as counted, and as it is now
	interval        uint16  // place in Ledger.names
	gone            bool    // it is no longer recorded
	restates        uint32
}

// LedgerStep is what a change of incidents adds to the ledger.
type LedgerStep struct {
	// Observed are the entries to store, new and changed, in order of ID.
	Observed []incident.Observed
	// New are the values to count.
	New []Observation
	// Restated counts the corrections by interval.
	Restated map[string]int

	entries []*entry
	waiting map[string]time.Time // zero: no longer
}

// wait notes when an incident is to be counted.
func (s *LedgerStep) wait(id string, at time.Time) {
	if s.waiting == nil {
		s.waiting = map[string]time.Time{}
	}
	s.waiting[id] = at
}

// NewLedger makes an empty one of which incidents are counted when they have settled for so long; 0: as soon as a value is
// known. Services after the first maxServices are counted under Other, those of the loaded ledger
// coming first; 0 is no limit. Severities are limited likewise.
func NewLedger(intervals []incident.Interval, maxServices int, settle time.Duration) *Ledger {
	return &Ledger{settle: settle, waiting: map[string]time.Time{}, maxServices: maxServices, intervals: intervals, entries: map[string]*entry{}, services: map[string]bool{}, severities: map[string]bool{}}
}

// Load takes in what was stored. It stops at the first error and returns it.
func (l *Ledger) Load(stored iter.Seq2[incident.Observed, error]) error {
	for o, err := range stored {
		if err != nil {
			return err
		}
		e := l.entry(&o)
		l.entries[e.id] = e
	}
	return nil
}

// entry is what was stored in compact form.
func (l *Ledger) entry(o *incident.Observed) *entry {
	e := &entry{id: strings.Clone(o.Incident), service: unique.Make(o.Service), severity: unique.Make(o.Severity), by: unique.Make(o.DetectedBy).Value()}
	for iv, s := range o.Seconds {
		c := countedValue{seconds: s, latest: s, interval: l.place(iv), restates: uint32(o.Restates[iv])}
		if latest, ok := o.Restated[iv]; ok {
			c.latest = latest
		} else {
			c.gone = c.restates > 0
		}
		e.counted = append(e.counted, c)
	}
	l.sort(e)
	// Whatever was shown stays shown.
	limited(l.services, o.Service, 0)
	limited(l.severities, o.Severity, 0)
	return e
}

// Follow takes in entries that another process stored, and incidents that it changed, and says what they add. Entries that
// are known already add nothing.
func (l *Ledger) Follow(stored []incident.Observed, changed []incident.Incident) LedgerStep {
	step := LedgerStep{Restated: map[string]int{}}
	for i := range stored {
		e := l.entry(&stored[i])
		before := l.entries[e.id]
		for _, c := range e.counted {
			known := uint32(0)
			had := false
			if before != nil {
				if i := slices.IndexFunc(before.counted, func(b countedValue) bool { return b.interval == c.interval }); i >= 0 {
					had, known = true, before.counted[i].restates
				}
			}
			name := l.names[c.interval]
			if !had {
				step.New = append(step.New, Observation{e.labels(), e.id, name, c.seconds})
			}
			if c.restates > known {
				step.Restated[name] += int(c.restates - known)
			}
		}
		l.entries[e.id] = e
	}
	sortNew(step.New)
	return step
}

// sortNew orders values as they are counted, so that every process adds them up in one order.
func sortNew(values []Observation) {
	slices.SortFunc(values, func(a, b Observation) int {
		return cmp.Or(strings.Compare(a.Incident, b.Incident), strings.Compare(a.Interval, b.Interval))
	})
}

// labelsOf are the labels an incident counts under, without limits.
func labelsOf(inc *incident.Incident) Labels {
	k := Labels{Severity: inc.Severity, DetectedBy: cmp.Or(inc.DetectedBy, incident.ByUnknown)}
	if len(inc.Services) > 0 {
		k.Service = inc.Services[0]
	}
	return k
}

func (l *Ledger) place(interval string) uint16 {
	i := slices.Index(l.names, interval)
	if i < 0 {
		i = len(l.names)
		l.names = append(l.names, strings.Clone(interval))
	}
	return uint16(i)
}

func (l *Ledger) sort(e *entry) {
	slices.SortFunc(e.counted, func(a, b countedValue) int { return strings.Compare(l.names[a.interval], l.names[b.interval]) })
	e.counted = slices.Clip(e.counted)
}

// All are all values ever counted, to count them again after a start, in no particular order.
func (l *Ledger) All() iter.Seq[Observation] {
	return func(yield func(Observation) bool) {
		for _, e := range l.entries {
			for _, c := range e.counted {
				if !yield(Observation{e.labels(), e.id, l.names[c.interval], c.seconds}) {
					return
				}
			}
		}
	}
}

// Restatements counts all corrections ever by interval, with 0 for an interval without any.
func (l *Ledger) Restatements() map[string]int {
	n := make(map[string]int, len(l.intervals))
	for _, iv := range l.intervals {
		n[iv.Name] = 0
	}
	for _, e := range l.entries {
		for _, c := range e.counted {
			n[l.names[c.interval]] += int(c.restates)
		}
	}
	return n
}

func (e *entry) labels() Labels { return Labels{e.service.Value(), e.severity.Value(), e.by} }

// Meet gives labels in the form the histogram uses, with services over the limit under Other, sorted and each once. What is
// shown by name is remembered.
func (l *Ledger) Meet(known []Labels) []Labels {
	out := make([]Labels, 0, len(known))
	for _, k := range known {
		out = append(out, l.labels(k))
	}
	slices.SortFunc(out, Labels.compare)
	return slices.Compact(out)
}

// labels are k as the histogram shows it.
func (l *Ledger) labels(k Labels) Labels {
	return Labels{limited(l.services, k.Service, l.maxServices), limited(l.severities, k.Severity, maxSeverities), k.DetectedBy}
}

// limited is a name, or Other where there are as many known ones already. 0 is no limit.
func limited(known map[string]bool, s string, most int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	switch {
	case s == "" || s == Other || known[s]:
		return s
	case most > 0 && len(known) >= most:
		return Other
	}
	known[s] = true
	return s
}

// settles is when an incident is counted; false where nothing is known of that yet.
func (l *Ledger) settles(inc *incident.Incident) (at time.Time, known bool) {
	_, to := inc.Span()
	return to.Add(l.settle), inc.State != incident.StateOpen
}

// Await has an incident counted later of which something is measured that was not counted, as after a start.
func (l *Ledger) Await(inc *incident.Incident, now time.Time) {
	at, known := l.settles(inc)
	if !known {
		return
	}
	for name, m := range All(inc, l.intervals, now) {
		if m.Status == incident.StatusRecorded && !l.counted(inc, name) {
			l.waiting[inc.ID] = at
			return
		}
	}
}

// counted says whether an interval of an incident was.
func (l *Ledger) counted(inc *incident.Incident, interval string) bool {
	place := l.place(interval)
	for _, id := range append([]string{inc.ID}, inc.Aliases...) {
		if e := l.entries[id]; e != nil && slices.ContainsFunc(e.counted, func(c countedValue) bool { return c.interval == place }) {
			return true
		}
	}
	return false
}

// Due are incidents that have settled and were not counted yet, in order of ID, at most limit of them. They are given to Next
// as they are now; of one that is no more, Forget is told.
func (l *Ledger) Due(now time.Time, limit int) []string {
	var ids []string
	for id, at := range l.waiting {
		if !now.Before(at) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(len(ids), limit)]
}

// Forget says that an incident is no more.
func (l *Ledger) Forget(id string) { delete(l.waiting, id) }

// Next measures incidents as of now and says what that adds. It does not count anything; the same call gives the same
// answer until Commit. No incident may be given twice.
func (l *Ledger) Next(changed []incident.Incident, now time.Time) LedgerStep {
	step := LedgerStep{Restated: map[string]int{}}
	for i := range changed {
		l.next(&step, &changed[i], l.labels(labelsOf(&changed[i])), now)
	}
	sortNew(step.New)
	slices.SortFunc(step.Observed, func(a, b incident.Observed) int { return strings.Compare(a.Incident, b.Incident) })
	return step
}

func (l *Ledger) next(step *LedgerStep, inc *incident.Incident, k Labels, now time.Time) {
	// The entries under any of its IDs, as they would be after this step, the own first.
	var found []*entry
	touched := map[*entry]bool{}
	for _, id := range slices.Concat([]string{inc.ID}, slices.Sorted(slices.Values(inc.Aliases))) {
		if e := l.entries[id]; e != nil {
			c := *e
			c.counted = slices.Clone(e.counted)
			found = append(found, &c)
		}
	}
	at, known := l.settles(inc)
	settled := l.settle == 0 || known && !now.Before(at)
	if _, waits := l.waiting[inc.ID]; waits {
		step.wait(inc.ID, time.Time{})
	}
	for name, m := range All(inc, l.intervals, now) {
		place := l.place(name)
		var owner *countedValue
		var of *entry
		for _, e := range found {
			if i := slices.IndexFunc(e.counted, func(c countedValue) bool { return c.interval == place }); i >= 0 {
				owner, of = &e.counted[i], e
				break
			}
		}
		switch {
		case owner == nil && m.Status == incident.StatusRecorded && !settled:
			if known {
				step.wait(inc.ID, at)
			}
			continue
		case owner == nil && m.Status == incident.StatusRecorded:
			if len(found) == 0 {
				found = append(found, &entry{id: inc.ID, service: unique.Make(k.Service), severity: unique.Make(k.Severity), by: k.DetectedBy})
			}
			of = found[0]
			of.counted = append(of.counted, countedValue{seconds: *m.Seconds, latest: *m.Seconds, interval: place})
			step.New = append(step.New, Observation{of.labels(), of.id, name, *m.Seconds})
		case owner == nil || m.Status == incident.StatusPending:
			continue // nothing counted yet, or it opened again and will say its new end
		case m.Status != incident.StatusRecorded && !owner.gone:
			owner.gone = true
			owner.restates++
			step.Restated[name]++
		case m.Status == incident.StatusRecorded && (owner.gone || *m.Seconds != owner.latest):
			owner.gone, owner.latest = false, *m.Seconds
			owner.restates++
			step.Restated[name]++
		default:
			continue
		}
		touched[of] = true
	}
	for _, e := range found {
		if touched[e] {
			l.sort(e)
			step.entries = append(step.entries, e)
			step.Observed = append(step.Observed, l.observed(e))
		}
	}
}

func (l *Ledger) observed(e *entry) incident.Observed {
	o := incident.Observed{
		Incident: e.id, Service: e.service.Value(), Severity: e.severity.Value(), DetectedBy: e.by,
		Seconds: make(map[string]float64, len(e.counted)), Restated: map[string]float64{}, Restates: map[string]int{},
	}
	for _, c := range e.counted {
		name := l.names[c.interval]
		o.Seconds[name] = c.seconds
		if c.restates > 0 {
			o.Restates[name] = int(c.restates)
			if !c.gone {
				o.Restated[name] = c.latest
			}
		}
	}
	return o
}

// Joined is what several steps add together, of different incidents and all made before any of them is committed. Their
// Observed are left out: they are many, and stored with each.
func Joined(steps []LedgerStep) LedgerStep {
	all := LedgerStep{Restated: map[string]int{}}
	for _, s := range steps {
		all.New = append(all.New, s.New...)
		all.entries = append(all.entries, s.entries...)
		for id, at := range s.waiting {
			all.wait(id, at)
		}
		for interval, n := range s.Restated {
			all.Restated[interval] += n
		}
	}
	sortNew(all.New)
	return all
}

// Commit takes in a step that was stored. Its entries replace those of the same ID, so steps are committed in the order of
// their Next, and no Next comes between but those of steps that are Joined.
func (l *Ledger) Commit(step LedgerStep) {
	for _, e := range step.entries {
		l.entries[e.id] = e
	}
	for id, at := range step.waiting {
		if at.IsZero() {
			delete(l.waiting, id)
		} else {
			l.waiting[id] = at
		}
	}
}
