package backfill

import (
	"bufio"
	"context"
	"io"
	"strconv"

	"github.com/prometheus/common/expfmt"
)

// write writes the history as OpenMetrics and says how many series and samples that were. A metric's samples are together,
// in the order of their times, and so are the metrics of a family; families and metrics are in the order of their names.
func (h *history) write(ctx context.Context, w io.Writer, s steps) (series, samples int, err error) {
	out := bufio.NewWriterSize(w, 256<<10)
	stamps := make([]string, s.n)
	for k := range stamps {
		stamps[k] = " " + strconv.FormatInt(s.unix(k), 10) + "\n"
	}
	var f *family
	var t *track
	var values [][]byte
	for r, err := range h.all() {
		if err != nil {
			return series, samples, err
		}
		if r.track.family != f {
			f = r.track.family
			out.WriteString(f.head)
		}
		if r.track != t {
			t = r.track
			series += len(t.lines)
			if err := ctx.Err(); err != nil {
				return series, samples, err
			}
		}
		values = values[:0]
		for _, v := range r.values {
			values = append(values, strconv.AppendFloat([]byte{' '}, v, 'g', -1, 64))
		}
		for k := r.from; k <= r.until; k++ {
			for i, line := range t.lines {
				out.WriteString(line)
				out.Write(values[i])
				if _, err := out.WriteString(stamps[k]); err != nil { // an error stays
					return series, samples, err
				}
			}
		}
		samples += (r.until - r.from + 1) * len(t.lines)
	}
	if _, err := expfmt.FinalizeOpenMetrics(out); err != nil {
		return series, samples, err
	}
	return series, samples, out.Flush()
}
