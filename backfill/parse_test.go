package backfill

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// samples are values by series and by unix second.
type samples map[string]map[int64]float64

func parse(t *testing.T, text string) samples {
	t.Helper()
	p := parser{samples: samples{}, lines: map[string]*line{}, families: map[string]bool{}, metrics: map[string]bool{}}
	text, ok := strings.CutSuffix(text, "# EOF\n")
	require.True(t, ok, "it ends")
	for l := range strings.Lines(text) {
		require.NoError(t, p.line(strings.TrimSuffix(l, "\n")), l)
	}
	return p.samples
}

// parser reads OpenMetrics as strictly as its specification is: a family's lines are together and follow its TYPE; a metric's
// lines are together; the times of its points grow; the buckets of a histogram's point do not fall.
type parser struct {
	samples           samples
	lines             map[string]*line // by series
	families, metrics map[string]bool  // seen

	family, kind, helped, metric string
	bucket                       float64
}

// line is a series as its lines name it.
type line struct {
	metric, suffix, le string
	at                 int64 // of the last sample
	values             map[int64]float64
}

var (
	seriesText = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*"(?:,|\}$))+)?$`)
	boundary   = regexp.MustCompile(`([{,])le="([^"]*)"`)
)

func (p *parser) line(s string) error {
	if rest, ok := strings.CutPrefix(s, "# HELP "); ok {
		p.helped, _, _ = strings.Cut(rest, " ")
		return nil
	}
	if rest, ok := strings.CutPrefix(s, "# TYPE "); ok {
		p.family, p.kind, _ = strings.Cut(rest, " ")
		switch {
		case p.helped != p.family:
			return fmt.Errorf("no HELP before it")
		case p.families[p.family]:
			return fmt.Errorf("the family is not in one piece")
		case p.kind != "gauge" && p.kind != "histogram":
			return fmt.Errorf("a %s", p.kind)
		}
		p.families[p.family] = true
		return nil
	}
	s, stamp, ok := cutLast(s)
	series, value, ok2 := cutLast(s)
	at, err := strconv.ParseInt(stamp, 10, 64)
	v, err2 := strconv.ParseFloat(value, 64)
	if !ok || !ok2 || err != nil || err2 != nil {
		return fmt.Errorf("not a sample")
	}
	l, known := p.lines[series]
	if !known {
		if l, err = p.series(series); err != nil {
			return err
		}
		p.lines[series], p.samples[series] = l, l.values
	}
	if l.metric != p.metric {
		if p.metrics[l.metric] {
			return fmt.Errorf("the metric is not in one piece")
		}
		p.metrics[l.metric], p.metric, p.bucket = true, l.metric, 0
	}
	if known && l.at >= at {
		return fmt.Errorf("the time does not grow")
	}
	if l.suffix == "_bucket" {
		if v < p.bucket {
			return fmt.Errorf("the bucket falls")
		}
		p.bucket = v
	} else if l.suffix == "_count" {
		if v != p.bucket {
			return fmt.Errorf("the count is not the last bucket's")
		}
		p.bucket = 0
	}
	l.at, l.values[at] = at, v
	return nil
}

func (p *parser) series(s string) (*line, error) {
	m := seriesText.FindStringSubmatch(s)
	if m == nil {
		return nil, fmt.Errorf("not a series")
	}
	suffix, ok := strings.CutPrefix(m[1], p.family)
	if !ok || p.kind == "gauge" && suffix != "" || p.kind == "histogram" && !slices.Contains([]string{"_bucket", "_sum", "_count"}, suffix) {
		return nil, fmt.Errorf("not in the family %s", p.family)
	}
	l := &line{suffix: suffix, values: map[int64]float64{}}
	labels := s[len(m[1]):]
	if le := boundary.FindStringSubmatch(labels); le != nil {
		if l.le = le[2]; l.le != "+Inf" && !strings.Contains(l.le, ".") {
			return nil, fmt.Errorf("le is not as floats are written")
		}
		labels = strings.Replace(labels, le[0], le[1], 1)
		labels = strings.NewReplacer("{,", "{", ",}", "}").Replace(labels)
	}
	if (l.le != "") != (suffix == "_bucket") {
		return nil, fmt.Errorf("le and the suffix do not agree")
	}
	l.metric = p.family + labels
	return l, nil
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, ' ')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// TestParser shows that what the other tests lean on can fail.
func TestParser(t *testing.T) {
	const g, h = "# HELP g x\n# TYPE g gauge\n", "# HELP h x\n# TYPE h histogram\n"
	for text, want := range map[string]string{
		g + "g{a=\"1\"} 1 1\ng{a=\"1\"} 1 2\ng{a=\"2\"} 1 1\n": "",
		g + "g{a=\"1\"} 1 1\ng{a=\"2\"} 1 1\ng{a=\"1\"} 1 2\n": "the metric is not in one piece",
		g + "g 1 2\ng 1 2\n":      "the time does not grow",
		g + "g 1\n":               "not a sample",
		g + "g 1 1.5e\n":          "not a sample",
		g + "g{a=\"x\"y\"} 1 1\n": "not a series",
		g + "g_sum 1 1\n":         "not in the family g",
		g + "g 1 1\n" + h + "h_sum 1 1\n" + g + "g 1 2\n":         "the family is not in one piece",
		h + "h_bucket{le=\"1\"} 1 1\n":                            "le is not as floats are written",
		h + "h_bucket{le=\"1.0\"} 2 1\nh_bucket{le=\"+Inf\"} 1 1": "the bucket falls",
		h + "h_bucket{le=\"+Inf\"} 2 1\nh_count 1 1":              "the count is not the last bucket's",
		"# TYPE g gauge\n":                                        "no HELP before it",
	} {
		p := parser{samples: samples{}, lines: map[string]*line{}, families: map[string]bool{}, metrics: map[string]bool{}}
		var err error
		for l := range strings.Lines(text) {
			if err == nil {
				err = p.line(strings.TrimSuffix(l, "\n"))
			}
		}
		if want == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want, text)
		}
	}
}
