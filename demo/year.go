package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// seed makes every demo the same, but for the weekdays, which come with the date.
const seed = 10049

// days is how far back the past reaches: a year, and the longest window before it, so that no figure of the year begins
// half empty.
const days = 365 + 90

// year is what a shop with eight services has gone through.
//
// Its story, for whoever looks at the dashboards: in the beginning customers tell of too many incidents, until better alerts
// come in the fifth month; mitigation gets faster, with runbooks from the seventh; people close their tickets hours late
// until the tenth; one disk alert is noise for eight months and is then mended; the weeks before Christmas are busy.
type year struct {
	rng       *rand.Rand
	from, end time.Time
	troubles  []*trouble
	lines     []line
}

// line is one line of an archive for meantime replay: a notification or a record.
type line struct {
	At     time.Time `json:"at"`
	Body   any       `json:"body,omitempty"`
	Source string    `json:"source,omitempty"`
	Record any       `json:"record,omitempty"`
}

// newYear makes up the year that ends at a time.
func newYear(end time.Time) *year {
	end = end.UTC().Truncate(time.Minute)
	y := &year{rng: rand.New(rand.NewPCG(seed, 1)), from: end.AddDate(0, 0, -days), end: end}
	y.incidents()
	y.noise()
	y.watchdog()
	y.document()
	for _, t := range y.troubles {
		for _, f := range t.alerts {
			y.notify(f)
		}
		y.record(t)
	}
	// What was not known at the end is not told.
	y.lines = slices.DeleteFunc(y.lines, func(l line) bool { return l.At.After(end) })
	slices.SortStableFunc(y.lines, func(a, b line) int { return a.At.Compare(b.At) })
	return y
}

// archive writes the lines.
func (y *year) archive(w io.Writer) error {
	enc := json.NewEncoder(w)
	for _, l := range y.lines {
		if err := enc.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// progress is how much of the last year has passed at a time: below 0 before it, 1 at its end.
func (y *year) progress(t time.Time) float64 { return 1 - y.end.Sub(t).Hours()/(365*24) }

// month says whether the given month of the last year has begun.
func (y *year) month(t time.Time, n float64) bool { return y.progress(t) >= (n-1)/12 }

func (y *year) chance(p float64) bool { return y.rng.Float64() < p }

// about is a duration around a median, as long-tailed as real ones.
func (y *year) about(median time.Duration, sigma float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(sigma*y.rng.NormFloat64())).Truncate(time.Second)
}

// within is a duration with the given mean, most of them shorter.
func (y *year) within(mean time.Duration) time.Duration {
	return time.Duration(y.rng.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

// events is a number of events with the given mean.
func (y *year) events(mean float64) int {
	n, p, limit := 0, y.rng.Float64(), math.Exp(-mean)
	for ; p > limit; p *= y.rng.Float64() {
		n++
	}
	return n
}

func choose[T any](y *year, list []T) T { return list[y.rng.IntN(len(list))] }

// weighted chooses by weight.
func weighted[T any](y *year, list []T, weight func(T) float64) T {
	sum := 0.0
	for _, x := range list {
		sum += weight(x)
	}
	at := y.rng.Float64() * sum
	for _, x := range list {
		if at -= weight(x); at < 0 {
			return x
		}
	}
	return list[len(list)-1]
}

// moment is a time on a day: during office hours, or at any hour.
func (y *year) moment(day time.Time, office bool) time.Time {
	day = day.Truncate(24 * time.Hour)
	if office {
		return day.Add(8*time.Hour + time.Duration(y.rng.IntN(9*3600))*time.Second)
	}
	return day.Add(time.Duration(y.rng.IntN(24*3600)) * time.Second)
}

// each calls f for every day.
func (y *year) each(f func(day time.Time)) {
	for day := y.from; day.Before(y.end); day = day.AddDate(0, 0, 1) {
		f(day)
	}
}

// season is how much more goes on than usual.
func season(day time.Time) float64 {
	s := 1.0
	switch day.Weekday() {
	case time.Saturday, time.Sunday:
		s = 0.4
	}
	if m := day.Month(); m == time.November && day.Day() > 15 || m == time.December && day.Day() < 24 {
		s *= 1.7
	}
	return s
}

// fingerprint tells alerts apart.
func fingerprint(labels map[string]string) string {
	h := fnv.New64a()
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(h, "%s\x00%s\x00", k, labels[k])
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// earlier is the earlier of two times, a zero time being none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func latest(times ...time.Time) time.Time {
	return slices.MaxFunc(times, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
}
