package history

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// Times in this package are milliseconds since the unix epoch, as Prometheus keeps them, and lengths are milliseconds.
const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// how a stretch of samples is over.
type how string

const (
	undecided how = ""
	// ended: the rule was evaluated and the alert was not there any more; Prometheus wrote a staleness marker.
	ended how = "ended"
	// cut: nothing says that the alert ended. Prometheus stopped, or an evaluation failed.
	cut how = "cut"
	// vanished: the rule was taken away.
	vanished how = "vanished"
)

// stretch are the samples of one series that are no further apart than one and a half intervals and, of ALERTS_FOR_STATE,
// have one value.
type stretch struct {
	First    int64 `json:"a"`
	Last     int64 `json:"b"`
	Interval int64 `json:"i"`           // between evaluations
	Value    int64 `json:"v,omitempty"` // of ALERTS_FOR_STATE, in seconds
	End      how   `json:"e,omitempty"`
	Gone     int64 `json:"g,omitempty"` // when the series was gone, where it ended or vanished
}

// next is when the evaluation after the last sample was due.
func (s *stretch) next() int64 { return s.Last + s.Interval }

// near says whether a sample at a time would belong to the stretch or to one that goes on from it.
func (s *stretch) near(t int64) bool { return 2*(t-s.Last) <= 3*s.Interval }

// tape is what is known of the samples of one alert: of ALERTS{alertstate="firing"} and of ALERTS_FOR_STATE.
type tape struct {
	Labels map[string]string `json:"l"` // without the metric's name and alertstate
	// Offset is the group's query offset: its samples are that much older than the evaluation.
	Offset int64     `json:"o,omitempty"`
	Firing []stretch `json:"f,omitempty"`
	State  []stretch `json:"s,omitempty"`

	sent map[int64]sent // what was stored of its episodes, by start
}

// series are the samples of one series in one answer.
type series struct {
	samples []model.SamplePair
	markers []int64 // staleness markers, which VictoriaMetrics shows
}

// newSeries sorts the samples of a series out: a value that is none is a staleness marker.
func newSeries(values []model.SamplePair) series {
	var s series
	for _, p := range values {
		if math.IsNaN(float64(p.Value)) {
			s.markers = append(s.markers, int64(p.Timestamp))
			continue
		}
		s.samples = append(s.samples, p)
	}
	slices.SortFunc(s.samples, func(a, b model.SamplePair) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	s.samples = slices.CompactFunc(s.samples, func(a, b model.SamplePair) bool { return a.Timestamp == b.Timestamp })
	slices.Sort(s.markers)
	return s
}

// marked is the first marker after one time and before another; 0 where there is none.
func (s *series) marked(after, before int64) int64 {
	i, _ := slices.BinarySearch(s.markers, after+1)
	if i < len(s.markers) && s.markers[i] < before {
		return s.markers[i]
	}
	return 0
}

// stretches are the series' stretches where its rule is evaluated at an interval.
func (s *series) stretches(interval int64, valued bool) []stretch {
	var out []stretch
	for i, p := range s.samples {
		t, v := int64(p.Timestamp), int64(0)
		if valued {
			v = int64(p.Value)
		}
		if n := len(out); n > 0 {
			last := &out[n-1]
			if gone := s.marked(last.Last, t); gone != 0 {
				last.end(gone)
			} else if last.Value == v && last.near(t) {
				last.Last = t
				continue
			}
		}
		out = append(out, stretch{First: t, Last: t, Interval: interval, Value: v})
		if i == len(s.samples)-1 {
			break
		}
	}
	if n := len(out); n > 0 {
		if gone := s.marked(out[n-1].Last, math.MaxInt64); gone != 0 {
			out[n-1].end(gone)
		}
	}
	return out
}

// end notes the marker of a stretch. One before the next evaluation was due was written when the whole group went; before one long
// after that, evaluations failed, and the alert may have ended in any of them.
func (s *stretch) end(gone int64) {
	s.End, s.Gone = ended, gone
	switch {
	case s.next()-gone > s.Interval/10:
		s.End = vanished
	case !s.near(gone):
		s.End = cut
	}
}

// add brings further stretches in, which may be known already, in whole or in part.
func add(known, more []stretch) []stretch {
	all := slices.Concat(known, more)
	slices.SortFunc(all, func(a, b stretch) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Last, b.Last), cmp.Compare(b.Gone, a.Gone))
	})
	var out []stretch
	for _, s := range all {
		n := len(out)
		if n == 0 {
			out = append(out, s)
			continue
		}
		last := &out[n-1]
		switch {
		case s.First > last.Last && (last.Gone != 0 || !last.near(s.First)), s.Value != last.Value:
			out = append(out, s)
		case s.Last > last.Last:
			last.Last, last.Interval, last.End, last.Gone = s.Last, s.Interval, s.End, s.Gone
		case s.Last == last.Last && last.End == undecided:
			last.End, last.Gone = s.End, s.Gone
		}
	}
	return out
}

// add takes in the samples of one reading.
func (t *tape) add(firing, state series, interval int64) {
	t.Firing = add(t.Firing, firing.stretches(interval, false))
	t.State = add(t.State, state.stretches(interval, true))
}

// latest is its last sample of all.
func (t *tape) latest() int64 {
	last := int64(math.MinInt64)
	for _, l := range [][]stretch{t.Firing, t.State} {
		if n := len(l); n > 0 {
			last = max(last, l[n-1].Last)
		}
	}
	return last
}

// open are the stretches whose end is not decided yet though it could be: what follows was read up to a time.
func open(list []stretch, read int64, f func(s *stretch, next int64)) {
	for i := range list {
		s, next := &list[i], int64(math.MaxInt64)
		if i+1 < len(list) {
			next = list[i+1].First
		}
		if s.End == undecided && s.Last+2*s.Interval <= read && (next == math.MaxInt64 || !s.near(next)) {
			f(s, next)
		}
	}
}

// view is what of a server decides how a stretch is over.
type view struct {
	markers  bool  // it shows staleness markers
	lookback int64 // for how long it shows a sample that nothing follows
}

// tells says whether the server tells an end from a cut at an interval.
func (v view) tells(interval int64) bool { return v.markers || 5*interval < 4*v.lookback }

// decide says how the stretches are over of which all that follows is read up to a time. cuts are the times at which the
// series was still shown though its last sample was older than an interval: nobody had written a marker.
func (t *tape) decide(v view, read int64, cuts []int64) {
	of := func(s *stretch, next int64) {
		i, _ := slices.BinarySearch(cuts, s.Last+1)
		until := min(next, s.Last+v.lookback+s.Interval)
		moved := next != math.MaxInt64 && next-s.Last < 2*s.Interval-s.Interval/10 // the group has another phase: it was renamed
		switch {
		case v.markers, !v.tells(s.Interval), moved, i < len(cuts) && cuts[i] < until:
			s.End = cut
		default:
			s.End, s.Gone = ended, s.next()
		}
	}
	open(t.Firing, read, of)
	open(t.State, read, of)
}

// prune forgets what is neither near what is not read yet on the left nor near what comes on the right, and says whether
// anything is left. A run that may be joined to one that is kept is kept, with all that tells when it began.
func (t *tape) prune(from, to int64, done bool) bool {
	right, n := to-margin, len(t.Firing)
	for n > 0 && (t.Firing[n-1].Last >= right || n < len(t.Firing) && t.Firing[n-1].End != ended) {
		n--
		right = min(right, t.Firing[n].First-margin)
	}
	left, m := from+margin, 0
	if done {
		left = math.MinInt64
	}
	for m < n && (t.Firing[m].First <= left || m > 0 && t.Firing[m-1].End != ended) {
		left = max(left, t.Firing[m].Last)
		m++
	}
	t.Firing = slices.Concat(t.Firing[:m], t.Firing[n:])
	t.State = slices.DeleteFunc(t.State, func(s stretch) bool { return s.Last < right && s.First > left })
	return len(t.Firing)+len(t.State) > 0
}

// key tells one alert's series from others'.
func key(labels map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(k)
		b.WriteByte(0xff)
		b.WriteString(labels[k])
		b.WriteByte(0xff)
	}
	return b.String()
}
