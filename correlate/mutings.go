package correlate

import (
	"slices"
	"time"

	"meantime/correlate/assign"
)

const (
	announced  = 30 * time.Minute      // a silence made so long before it begins is no answer to alerts
	answeredIn = int64(24 * time.Hour) // an alert that fired for longer when a silence was made is not what that answers
)

// mutings are the silences that were made shortly before they began. Such a one is a maintenance or an answer to what went on,
// as a whole: it is judged by what was going on when it was made, once for all days that it reaches into.
type mutings struct {
	by     map[string]*muting        // by the silence's id
	made   map[int64]map[string]bool // ids, by the day on which they were made
	unsure map[string]bool           // that are to be judged
}

// muting is one of them, as the maintenance that it may be.
type muting struct {
	known *assign.Known
	made  int64 // unix nanoseconds
}

func newMutings() mutings {
	return mutings{by: map[string]*muting{}, made: map[int64]map[string]bool{}, unsure: map[string]bool{}}
}

func (m *mutings) put(id string, x *muting) {
	m.by[id], m.unsure[id] = x, true
	mark(m.made, floor(x.made, dayLength), id, true)
}

func (m *mutings) take(id string) {
	if x := m.by[id]; x != nil {
		mark(m.made, floor(x.made, dayLength), id, false)
		delete(m.by, id)
		delete(m.unsure, id)
	}
}

// doubtDay says that an incident of records that reaches into a day is another.
func (m *mutings) doubtDay(n int64) {
	for id := range m.made[n] {
		m.unsure[id] = true
	}
}

// doubt says that an alert is another.
func (m *mutings) doubt(e *entry) {
	first := floor(e.start, dayLength)
	for n := first; n <= first+answeredIn/dayLength; n++ {
		for id := range m.made[n] {
			if m.by[id].concerns(e) {
				m.unsure[id] = true
			}
		}
	}
}

// concerns says whether an alert may be what the silence answered, as long as it still fired.
func (m *muting) concerns(e *entry) bool {
	return e.start <= m.made && m.made-e.start <= answeredIn && slices.Contains(m.known.Services, e.series.described.service)
}

// judge finds which silences are maintenances, where that is in doubt.
func (m *mutings) judge(b *book) {
	for _, id := range sortedKeys(m.unsure) {
		x := m.by[id]
		if b.underWay(x) {
			b.setKnown(x.known.ID, nil)
		} else {
			b.setKnown(x.known.ID, x.known)
		}
	}
	clear(m.unsure)
}

// underWay says whether something was when a silence was made: an alert of its services fired, or an incident ran that records
// tell of them.
func (b *book) underWay(m *muting) bool {
	last := floor(m.made, dayLength)
	for n := last - answeredIn/dayLength; n <= last; n++ {
		d := b.days[n]
		if d != nil && slices.ContainsFunc(d.entries, func(e *entry) bool { return m.made <= e.end && m.concerns(e) }) {
			return true
		}
	}
	at := hours(time.Unix(0, m.made))
	for id := range b.reaches[last] {
		k := b.known[id]
		if !k.Maintenance && k.Onset <= at && at <= max(k.End, k.Last, k.Onset) &&
			slices.ContainsFunc(k.Services, func(v string) bool { return slices.Contains(m.known.Services, v) }) {
			return true
		}
	}
	return false
}
