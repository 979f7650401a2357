package backfill

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strings"
)

// enough is how many bytes of runs are kept in memory.
const enough = 64 << 20

// history is what was shown at every step, by metric. Values stay for long, so it holds runs of steps with the same ones.
// OpenMetrics wants a metric's samples together, and a family's metrics, while they come step by step: runs are
// sorted a memory full at a time, written to a temporary file, and merged at the end.
type history struct {
	dir    string
	memory int

	index  map[string]*track // by first line
	tracks []*track
	runs   []run // closed, in no order
	size   int   // of runs, in bytes
	spill  *os.File
	// written is told how many tracks of how many were written; nil: nobody wants to know.
	written func(done, total int64)
	pieces  []piece // of spill, each sorted
}

// track is one metric: a gauge, or a histogram with all its buckets.
type track struct {
	family *family
	lines  []string // each up to its value
	id     int      // place in tracks
	rank   int      // place among all in the order of the output

	from, until int // the run that is still open
	values      []float64
}

// run is a metric's values over steps from to until, both included.
type run struct {
	track       *track
	from, until int
	values      []float64
}

// runBytes is about what a run takes in memory besides its values.
const runBytes = 64

// piece is a part of the temporary file.
type piece struct{ at, length int64 }

func newHistory(dir string, memory int) *history {
	return &history{dir: dir, memory: cmp.Or(memory, enough), index: map[string]*track{}}
}

// close removes the temporary file.
func (h *history) close() {
	if h.spill != nil {
		_ = h.spill.Close()
		_ = os.Remove(h.spill.Name())
	}
}

// begun says that one more track is written.
func (h *history) begun(t *track) {
	if h.written != nil {
		h.written(int64(t.rank), int64(len(h.tracks)))
	}
}

// whole says that all are written.
func (h *history) whole() {
	if h.written != nil {
		h.written(int64(len(h.tracks)), int64(len(h.tracks)))
	}
}

// track is the track of a metric with these lines.
func (h *history) track(f *family, lines []string) *track {
	t := h.index[lines[0]]
	if t == nil {
		t = &track{family: f, lines: lines, id: len(h.tracks)}
		h.index[lines[0]] = t
		h.tracks = append(h.tracks, t)
	}
	return t
}

// note notes a metric's values at a step, which is the step of the last call or a later one. The values are kept.
func (h *history) note(t *track, step int, values []float64) error {
	switch {
	case len(values) != len(t.lines):
		return fmt.Errorf("%s: %d samples where %d were before", t.lines[0], len(values), len(t.lines))
	case t.values != nil && t.until == step:
		return fmt.Errorf("%s is there twice", t.lines[0])
	case t.values != nil && t.until == step-1 && slices.Equal(t.values, values):
		t.until = step
		return nil
	}
	if t.values != nil {
		h.runs = append(h.runs, run{t, t.from, t.until, t.values})
		h.size += runBytes + 8*len(t.values)
	}
	t.from, t.until, t.values = step, step, values
	if h.size < h.memory {
		return nil
	}
	return h.flush()
}

// sort brings runs into the order of the output.
func (h *history) sort() {
	order := slices.SortedFunc(slices.Values(h.tracks), func(a, b *track) int {
		return cmp.Or(strings.Compare(a.family.name, b.family.name), strings.Compare(a.lines[0], b.lines[0]))
	})
	for i, t := range order {
		t.rank = i
	}
	slices.SortFunc(h.runs, run.compare)
}

func (r run) compare(o run) int {
	return cmp.Or(cmp.Compare(r.track.rank, o.track.rank), cmp.Compare(r.from, o.from))
}

// flush moves the runs to the temporary file. Later tracks come between, but do not change the order of those in it.
func (h *history) flush() (err error) {
	if h.spill == nil {
		if h.spill, err = os.CreateTemp(h.dir, "meantime-backfill-"); err != nil {
			return err
		}
	}
	at, err := h.spill.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	h.sort()
	out := bufio.NewWriter(h.spill)
	var b []byte
	var length int64
	for _, r := range h.runs {
		b = binary.AppendUvarint(b[:0], uint64(r.track.id))
		b = binary.AppendUvarint(b, uint64(r.from))
		b = binary.AppendUvarint(b, uint64(r.until-r.from))
		for _, v := range r.values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		n, err := out.Write(b)
		length += int64(n)
		if err != nil {
			return err
		}
	}
	h.pieces = append(h.pieces, piece{at, length})
	clear(h.runs)
	h.runs, h.size = h.runs[:0], 0
	return out.Flush()
}

// read gives the runs of a piece.
func (h *history) read(p piece) iter.Seq2[run, error] {
	return func(yield func(run, error) bool) {
		in := bufio.NewReader(io.NewSectionReader(h.spill, p.at, p.length))
		var b [8]byte
		for {
			id, err := binary.ReadUvarint(in)
			if errors.Is(err, io.EOF) {
				return
			}
			var r run
			if err == nil {
				r.track = h.tracks[id]
				r.from, r.until, err = readSpan(in)
				r.values = make([]float64, len(r.track.lines))
			}
			for i := 0; i < len(r.values) && err == nil; i++ {
				_, err = io.ReadFull(in, b[:])
				r.values[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func readSpan(in io.ByteReader) (from, until int, err error) {
	a, err := binary.ReadUvarint(in)
	if err != nil {
		return 0, 0, err
	}
	n, err := binary.ReadUvarint(in)
	return int(a), int(a + n), err
}

// all gives every run in the order of the output. No more can be noted.
func (h *history) all() iter.Seq2[run, error] {
	for _, t := range h.tracks {
		if t.values != nil {
			h.runs = append(h.runs, run{t, t.from, t.until, t.values})
			t.values = nil
		}
	}
	h.sort()
	return func(yield func(run, error) bool) {
		type head struct {
			run  run
			next func() (run, error, bool)
		}
		var heads []*head
		add := func(seq iter.Seq2[run, error]) (stop func(), err error) {
			next, stop := iter.Pull2(seq)
			r, err, ok := next()
			if ok {
				heads = append(heads, &head{r, next})
			}
			return stop, err
		}
		for _, p := range h.pieces {
			stop, err := add(h.read(p))
			defer stop()
			if err != nil {
				yield(run{}, err)
				return
			}
		}
		stop, _ := add(func(yield func(run, error) bool) {
			for _, r := range h.runs {
				if !yield(r, nil) {
					return
				}
			}
		})
		defer stop()
		for len(heads) > 0 {
			first := 0
			for i := range heads {
				if heads[i].run.compare(heads[first].run) < 0 {
					first = i
				}
			}
			x := heads[first]
			if !yield(x.run, nil) {
				return
			}
			r, err, ok := x.next()
			switch {
			case err != nil:
				yield(run{}, err)
				return
			case ok:
				x.run = r
			default:
				heads = slices.Delete(heads, first, first+1)
			}
		}
	}
}
