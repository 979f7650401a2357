package backfill

import (
	"bufio"
	"context"
	"io"
	"strconv"

	"github.com/prometheus/common/expfmt"
)

// part is what one writer gets.
type part struct {
	first  int // step
	to     io.WriteCloser
	out    *bufio.Writer
	family *family // of the last sample
	line   []byte
}

func newPart(to io.WriteCloser, first int) *part {
	return &part{first: first, to: to, out: bufio.NewWriterSize(to, 64<<10)}
}

// write writes the history as OpenMetrics and says how many series and samples that were. In each part a metric's samples
// are together, in the order of their times, and so are the metrics of a family; families and metrics are in the order of
// their names.
func (h *history) write(ctx context.Context, parts []*part, s steps) (series, samples int, err error) {
	stamps := make([]string, s.n)
	for k := range stamps {
		stamps[k] = " " + strconv.FormatInt(s.unix(k), 10) + "\n"
	}
	var t *track
	var values [][]byte
	at := 0 // the part of the last run
	for r, err := range h.all() {
		if err != nil {
			return series, samples, err
		}
		if r.track != t {
			t, at = r.track, 0
			series += len(t.lines)
			h.begun(t)
			if err := ctx.Err(); err != nil {
				return series, samples, err
			}
		}
		values = values[:0]
		for _, v := range r.values {
			values = append(values, strconv.AppendFloat([]byte{' '}, v, 'g', -1, 64))
		}
		samples += (r.until - r.from + 1) * len(t.lines)
		for k := r.from; k <= r.until; {
			for at+1 < len(parts) && parts[at+1].first <= k {
				at++
			}
			until := r.until
			if at+1 < len(parts) {
				until = min(until, parts[at+1].first-1)
			}
			if err := parts[at].write(t, values, stamps[k:until+1]); err != nil {
				return series, samples, err
			}
			k = until + 1
		}
	}
	h.whole()
	for _, p := range parts {
		if _, err := expfmt.FinalizeOpenMetrics(p.out); err != nil {
			return series, samples, err
		}
		if err := p.out.Flush(); err != nil {
			return series, samples, err
		}
	}
	return series, samples, nil
}

// write writes the same values at several times.
func (p *part) write(t *track, values [][]byte, stamps []string) error {
	if p.family != t.family {
		p.family = t.family
		if _, err := p.out.WriteString(p.family.head); err != nil {
			return err
		}
	}
	for _, stamp := range stamps {
		p.line = p.line[:0]
		for i, line := range t.lines {
			p.line = append(p.line, line...)
			p.line = append(p.line, values[i]...)
			p.line = append(p.line, stamp...)
		}
		if _, err := p.out.Write(p.line); err != nil {
			return err
		}
	}
	return nil
}
