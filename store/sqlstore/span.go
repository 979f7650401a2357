package sqlstore

import (
	"math"
	"time"
)

// Stretches of time are filed by their length, so that the ones that touch a given stretch are found by ranges of
// their starts: one that touches [from, to] and is of a class with the longest length l starts in [from-l, to].
var spanLengths = [...]time.Duration{time.Hour, 24 * time.Hour, 30 * 24 * time.Hour} // and a class for what is longer

func spanClass(from, to time.Time) int {
	d := to.Sub(from)
	for c, l := range spanLengths {
		if d < l {
			return c
		}
	}
	return len(spanLengths)
}

// touching is a condition on span_class, span_from and span_to with the parameters $1 to $5: what touches the stretch of
// touchingArgs.
const touching = `(span_class = 0 AND span_from BETWEEN $1 AND $5 OR span_class = 1 AND span_from BETWEEN $2 AND $5` +
	` OR span_class = 2 AND span_from BETWEEN $3 AND $5 OR span_class = 3 AND span_from <= $5) AND span_to >= $4`

// touchingArgs are the parameters of touching. A zero from or to is no bound.
func touchingArgs(from, to time.Time) []any {
	f, t := int64(math.MinInt64), int64(math.MaxInt64)
	if !from.IsZero() {
		f = nanos(from)
	}
	if !to.IsZero() {
		t = nanos(to)
	}
	args := make([]any, 0, 5)
	for _, l := range spanLengths {
		begin := f - int64(l)
		if begin > f { // below the first time a column can hold
			begin = math.MinInt64
		}
		args = append(args, begin)
	}
	return append(args, f, t)
}

// joinSpans is the stretch of time from the earlier start to the later end of two; a zero time is none.
func joinSpans(from1, to1, from2, to2 time.Time) (from, to time.Time) {
	if from = from1; from.IsZero() || !from2.IsZero() && from2.Before(from) {
		from = from2
	}
	if to = to1; to2.After(to) {
		to = to2
	}
	return from, to
}
