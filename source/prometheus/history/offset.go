package history

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// offset is the query offset of the groups that an alert's rules are in, as its samples show it: they are that much older than
// the evaluation that wrote them.
//
// The first sample of ALERTS_FOR_STATE is of the evaluation that found the condition, and its value is that evaluation's time,
// cut to the second. Only the first two evaluations after a start of Prometheus, which are written nowhere, make it another's;
// an offset as long as the interval can then look like none. So what two of them agree on is known, and not what one shows.
type offset struct {
	Is    int64 `json:"o"` // whole seconds
	At    int64 `json:"t"` // the sample that showed it last
	Known bool  `json:"k,omitempty"`
	// Next is what later samples show that do not agree with what is known: a group may have been given another offset.
	Next   int64 `json:"n,omitempty"`
	NextAt int64 `json:"m,omitempty"`
}

// shown takes in what the sample of a time shows. usual is what groups have that say nothing, where the server tells it.
func (o *offset) shown(is, at, interval int64, usual *int64) {
	apart := func(t int64) bool { return at-t > 3*interval || t-at > 3*interval }
	switch {
	case o.Known && is == o.Is:
		o.Next, o.NextAt = 0, 0
	case o.Known && at > o.At && o.NextAt != 0 && is == o.Next && apart(o.NextAt):
		o.Is, o.At, o.Next, o.NextAt = is, at, 0, 0
	case o.Known && at > o.At && (o.NextAt == 0 || is != o.Next):
		o.Next, o.NextAt = is, at
	case o.Known:
	case usual != nil && is == *usual, o.At != 0 && is == o.Is && apart(o.At):
		o.Is, o.At, o.Known = is, at, true
	case o.At == 0 || is > o.Is: // less is what those show that came after evaluations that were not written
		o.Is, o.At = is, at
	}
}

// offsetShown is the query offset that the first sample of a condition shows. restored: its rule waits so long that after a
// restart the value is that of before, and tells of no evaluation.
func offsetShown(s *stretch, restored bool) (int64, bool) {
	late := s.Value*second - s.First
	switch {
	case restored, late >= hour, late <= -3*s.Interval:
		return 0, false
	case late > -second:
		return roundUp(late), true
	case s.Interval < 2*second:
		return 0, false
	}
	// It is not the first evaluation's, but of one that is a whole number of intervals later.
	past := mod(-late, s.Interval)
	if past < second {
		return 0, true
	}
	return roundUp(s.Interval - past), true
}

// roundUp makes whole seconds of a time, of which what is cut from a value to the second is missing.
func roundUp(t int64) int64 { return -floorDiv(-t, second) * second }

// learn takes in what the stretches of ALERTS_FOR_STATE of one alert show of the offset of its rules. low is since when samples were
// asked for, and past since when it is known that there are none before them.
func (s *Source) learn(labels map[string]string, list []stretch, low, past int64) {
	if s.server.noOffsets {
		return
	}
	rules := s.server.rules.Of(labels)
	restored := len(rules) == 0
	for _, r := range rules {
		restored = restored || r.For.Milliseconds() >= s.server.grace
	}
	var usual *int64
	if s.server.unsettled == nil {
		d := s.server.settings.queryOffset.Milliseconds()
		usual = &d
	}
	if s.reach.Offsets == nil {
		s.reach.Offsets = map[string]offset{}
	}
	name := labels[model.AlertNameLabel]
	for i := range list {
		if r := &list[i]; r.First >= low+2*r.Interval && (i == 0 || !list[i-1].near(r.First)) {
			before := past // until when there was something that could be restored
			if i > 0 {
				before = list[i-1].Last
			}
			if is, ok := offsetShown(r, restored && r.First-before <= longestOutage+2*r.Interval); ok {
				o := s.reach.Offsets[name]
				o.shown(is, r.First, r.Interval, usual)
				s.reach.Offsets[name] = o
			}
		}
	}
}

// learnAll is for when there is nothing before what is read: then the first sample of an alert is of its first evaluation that was
// written, and nothing can have been restored.
func (s *Source) learnAll() {
	for _, k := range slices.Sorted(maps.Keys(s.tapes)) {
		if _, known := s.offset(s.tapes[k].Labels[model.AlertNameLabel]); !known {
			s.learn(s.tapes[k].Labels, s.tapes[k].State, s.reach.From, s.reach.From-2*longestOutage)
		}
	}
	s.shift()
}

// shift gives all that is not stored yet the offset that is known now.
func (s *Source) shift() {
	for _, t := range s.tapes {
		if len(t.sent) == 0 { // else it stays what it was when that was stored
			t.Offset, _ = s.offset(t.Labels[model.AlertNameLabel])
		}
	}
}

// offset is the one of an alert's rules, and whether it is known: else it is the best guess.
func (s *Source) offset(name string) (int64, bool) {
	o, seen := s.reach.Offsets[name]
	switch {
	case s.server.noOffsets:
		return 0, true
	case seen:
		return o.Is, o.Known
	}
	return s.server.settings.queryOffset.Milliseconds(), false
}

// withoutOffsets says whether a version of Prometheus knows no query offsets.
func withoutOffsets(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	numbers := make([]int, 2)
	if len(parts) < 2 {
		return false
	}
	for i := range numbers {
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return false
		}
		numbers[i] = n
	}
	return slices.Compare(numbers, []int{2, 53}) < 0
}
