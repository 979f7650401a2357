package backfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"meantime/incident"
	"meantime/measure"
)

// Facts is what is read of the store. What ranges stops at the first error.
type Facts interface {
	// EachIncident ranges over all incidents from a time on, all for the zero time, in no particular order.
	EachIncident(ctx context.Context, from time.Time) iter.Seq2[incident.Incident, error]
	// EachVerdict ranges over the episodes that start in [from, to].
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
	// Ledger ranges over everything the all-time histogram has counted.
	Ledger(ctx context.Context) iter.Seq2[incident.Observed, error]
}

// Options say what past to write.
type Options struct {
	// Measure are the daemon's. Newest is of no use here.
	Measure measure.Options
	// Watched is since when anything is known at all.
	Watched time.Time
	// Samples are at the whole multiples of Step, counted from the unix epoch, from From to To, both included. A graph whose
	// resolution is a multiple of Step then meets them. Step is whole seconds, at least one.
	From, To time.Time
	Step     time.Duration
	Facts    Facts
	// Metrics must be fresh: nothing was published or counted before.
	Metrics Metrics
	// Labels are what every series has besides, by which Prometheus tells one Meantime from another.
	Labels map[string]string
	// Part is how long a stretch of time goes to one writer; 0 for all to one. Parts begin at whole multiples of Part, counted
	// from the unix epoch, as Prometheus' blocks do. promtool reads a whole file for each block it makes, so it is fast
	// where every file is one block.
	Part time.Duration
	// Dir is where the temporary file goes; empty for the system's place.
	Dir string
	// Computing and Writing are told how far the two steps are: how many steps of time were computed, and how many series are
	// written or sent, each of how many. nil: nobody wants to know.
	Computing, Writing func(done, total int64)

	memory int // how many bytes of changes are kept in memory; 0 for the usual
}

// Written says what was written.
type Written struct {
	Series, Samples int
	From, To        time.Time // of the first and the last step
}

// Open opens the writer of the part that begins with a step. All are open at the same time.
type Open func(first time.Time) (io.WriteCloser, error)

// Write writes the past. Where it fails, what was written ends without the `# EOF` that promtool asks for.
func Write(ctx context.Context, open Open, o Options) (_ Written, err error) {
	steps, err := stepsOf(o)
	if err != nil {
		return Written{}, err
	}
	starts, err := steps.parts(o.Part)
	if err != nil {
		return Written{}, err
	}
	h, err := lookBack(ctx, o, steps)
	if err != nil {
		return Written{}, err
	}
	defer h.close()
	var parts []*part
	defer func() {
		for _, p := range parts {
			err = errors.Join(err, p.to.Close())
		}
	}()
	for _, k := range starts {
		to, err := open(steps.at(k))
		if err != nil {
			return Written{}, err
		}
		parts = append(parts, newPart(to, k))
	}
	out := Written{From: steps.at(0), To: steps.at(steps.n - 1)}
	out.Series, out.Samples, err = h.write(ctx, parts, steps)
	return out, err
}

// lookBack is what was shown at every step. The caller closes it.
func lookBack(ctx context.Context, o Options, steps steps) (*history, error) {
	book, values, err := load(ctx, o, steps)
	if err != nil {
		return nil, err
	}
	h := newHistory(o.Dir, o.memory)
	h.written = o.Writing
	if err := follow(ctx, o, book, values, steps, h); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

// follow shows every step and notes what it shows.
func follow(ctx context.Context, o Options, book *measure.Book, values []counted, steps steps, h *history) error {
	m := o.Metrics
	read := newReader(m.Past(), o.Labels, h)
	known, reached := 0, 0
	for k := range steps.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.Publish(book.Figures(steps.at(k)))
		// A histogram is there at 0 one step before its first value, so that the value is seen as an increase. That holds
		// also for the first value after the last step, with which a later backfill goes on.
		from := known
		for known < len(values) && !values[known].at.After(steps.at(k+1)) {
			known++
		}
		if known > from {
			m.Know(labelsOf(values[:known]))
		}
		from = reached
		for reached < len(values) && !values[reached].at.After(steps.at(k)) {
			reached++
		}
		if reached > from {
			m.Replay(observations(values[from:reached]))
		}
		if err := read.step(k); err != nil {
			return fmt.Errorf("at %s: %w", steps.at(k).Format(time.RFC3339), err)
		}
		if o.Computing != nil {
			o.Computing(int64(k)+1, int64(steps.n))
		}
	}
	return nil
}

// maxSteps bounds one backfill: a year of half-minutes.
const maxSteps = 1 << 20

// steps are the moments that have samples.
type steps struct {
	first, step int64 // unix seconds, seconds
	n           int
}

func stepsOf(o Options) (steps, error) {
	if o.Step < time.Second || o.Step%time.Second != 0 {
		return steps{}, fmt.Errorf("step %s: not a whole number of seconds", o.Step)
	}
	s := steps{step: int64(o.Step / time.Second)}
	from := o.From.Unix()
	if o.From.Nanosecond() > 0 {
		from++
	}
	s.first = floor(from+s.step-1, s.step) // the first multiple at or after it
	stretch := fmt.Sprintf("between %s and %s", o.From.UTC().Format(time.RFC3339), o.To.UTC().Format(time.RFC3339))
	last := o.To.Unix()
	if last < s.first {
		return steps{}, fmt.Errorf("step %s: no whole multiple of it lies %s", o.Step, stretch)
	}
	n := (last-s.first)/s.step + 1
	if n > maxSteps {
		return steps{}, fmt.Errorf("step %s: %d samples of each series %s are more than the %d allowed; write it in parts", o.Step, n, stretch, maxSteps)
	}
	s.n = int(n)
	return s, nil
}

// maxParts bounds how many files are open at a time.
const maxParts = 500

// parts are the first steps of the parts of a length.
func (s steps) parts(length time.Duration) ([]int, error) {
	if length == 0 {
		return []int{0}, nil
	}
	if length < time.Second || length%time.Second != 0 {
		return nil, fmt.Errorf("parts of %s: not a whole number of seconds", length)
	}
	sec := int64(length / time.Second)
	var starts []int
	for k := 0; k < s.n; {
		if len(starts) == maxParts {
			return nil, fmt.Errorf("more than the %d parts of %s allowed", maxParts, length)
		}
		starts = append(starts, k)
		end := floor(s.unix(k), sec) + sec                // the first second after the part
		k += int((end - s.unix(k) + s.step - 1) / s.step) // the first step there
	}
	return starts, nil
}

// floor is the last multiple of m at or before x.
func floor(x, m int64) int64 {
	n := x / m
	if x%m < 0 {
		n--
	}
	return n * m
}

func (s steps) unix(k int) int64 { return s.first + int64(k)*s.step }

func (s steps) at(k int) time.Time { return time.Unix(s.unix(k), 0).UTC() }
