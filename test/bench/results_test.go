package bench

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"text/tabwriter"
)

// table is what the benchmarks found, one row each, beside what is to be held.
type table struct {
	mu   sync.Mutex
	rows [][4]string // what, figure, bound, whether it holds
}

var results table

func (t *table) add(what string, v float64, unit string) { t.row(what, figure(v, unit), "", "") }

func (t *table) atMost(what string, v, bound float64, unit string) {
	t.row(what, figure(v, unit), "at most "+figure(bound, unit), held(v <= bound))
}

func (t *table) atLeast(what string, v, bound float64, unit string) {
	t.row(what, figure(v, unit), "at least "+figure(bound, unit), held(v >= bound))
}

func (t *table) row(columns ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows = append(t.rows, [4]string(columns))
}

func held(ok bool) string {
	if ok {
		return "held"
	}
	return "NOT HELD"
}

func figure(v float64, unit string) string {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if v != float64(int64(v)) {
		text = strconv.FormatFloat(v, 'g', 3, 64)
	}
	if unit == "" {
		return text
	}
	return text + " " + unit
}

func (t *table) print(w io.Writer) {
	if len(t.rows) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw)
	for _, r := range t.rows {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", r[0], r[1], r[2], r[3])
	}
	_ = tw.Flush()
}
