package backfill

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"meantime/measure"
)

// Metrics are the daemon's metrics.
type Metrics interface {
	// Publish makes the figures what Past shows.
	Publish(*measure.Figures)
	// Know makes histograms of labels, at 0 where they are new.
	Know([]measure.Labels)
	// Replay counts values in the histograms.
	Replay(iter.Seq[measure.Observation])
	// Past is what can be told of a moment that has passed. A metric that it sends is never written to: the same one sent
	// again has the same value.
	Past() prometheus.Collector
}

// reader notes what a collector shows at each step. A metric that it knows it need not read again, which are nearly all.
type reader struct {
	of       prometheus.Collector
	labels   []*dto.LabelPair // that every series has besides
	history  *history
	families map[*prometheus.Desc]*family
	seen     map[prometheus.Metric]*track
	newest   map[*track]prometheus.Metric // what seen holds of each
}

func newReader(of prometheus.Collector, labels map[string]string, h *history) *reader {
	var pairs []*dto.LabelPair
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if value := labels[name]; value != "" { // an empty label is none
			pairs = append(pairs, &dto.LabelPair{Name: &name, Value: &value})
		}
	}
	return &reader{of: of, labels: pairs, history: h, families: map[*prometheus.Desc]*family{}, seen: map[prometheus.Metric]*track{}, newest: map[*track]prometheus.Metric{}}
}

// step notes everything that is shown at a step.
func (r *reader) step(k int) error {
	metrics := make(chan prometheus.Metric, 256)
	go func() {
		r.of.Collect(metrics)
		close(metrics)
	}()
	var failed error
	for m := range metrics { // to the end, or the other side would wait for ever
		if failed != nil {
			continue
		}
		if t, ok := r.seen[m]; ok {
			failed = r.history.note(t, k, t.values)
			continue
		}
		failed = r.read(k, m)
	}
	return failed
}

// read notes a metric that was not seen before.
func (r *reader) read(k int, m prometheus.Metric) error {
	var said dto.Metric
	if err := m.Write(&said); err != nil {
		return err
	}
	if len(r.labels) > 0 {
		said.Label = slices.Concat(said.Label, r.labels)
		slices.SortFunc(said.Label, func(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) })
	}
	f, ok := r.families[m.Desc()]
	if !ok {
		var err error
		if f, err = familyOf(m); err != nil {
			return err
		}
		r.families[m.Desc()] = f
	}
	lines, values, err := f.lines(&said)
	if err != nil {
		return err
	}
	t := r.history.track(f, lines)
	delete(r.seen, r.newest[t])
	r.seen[m], r.newest[t] = t, m
	return r.history.note(t, k, values)
}

// family is what stands above the metrics of one name.
type family struct {
	name string
	head string // HELP and TYPE
	kind dto.MetricType
}

// familyOf asks a registry for the name, help and type of a metric, because its description does not tell.
func familyOf(m prometheus.Metric) (*family, error) {
	reg := prometheus.NewRegistry()
	if err := reg.Register(single{m}); err != nil {
		return nil, err
	}
	all, err := reg.Gather()
	if err != nil {
		return nil, err
	}
	if len(all) != 1 {
		return nil, fmt.Errorf("%s is in %d families", m.Desc(), len(all))
	}
	f := all[0]
	f.Metric = nil
	var head bytes.Buffer
	if _, err := expfmt.MetricFamilyToOpenMetrics(&head, f); err != nil {
		return nil, err
	}
	return &family{f.GetName(), head.String(), f.GetType()}, nil
}

// single is a collector of one metric.
type single struct{ prometheus.Metric }

func (single) Describe(chan<- *prometheus.Desc) {} // a registry takes it unchecked

func (s single) Collect(ch chan<- prometheus.Metric) { ch <- s.Metric }

// lines are the lines of a metric, each up to its value, and the values.
func (f *family) lines(m *dto.Metric) (lines []string, values []float64, err error) {
	var text bytes.Buffer
	one := &dto.MetricFamily{Name: &f.name, Type: &f.kind, Metric: []*dto.Metric{m}}
	if _, err := expfmt.MetricFamilyToOpenMetrics(&text, one); err != nil {
		return nil, nil, err
	}
	for line := range bytes.Lines(text.Bytes()) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if bytes.HasPrefix(line, []byte("#")) {
			continue
		}
		i := bytes.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(string(line[i+1:]), 64)
		if i < 0 || err != nil {
			return nil, nil, fmt.Errorf("%s: not a sample: %q", f.name, line)
		}
		lines, values = append(lines, string(line[:i])), append(values, v)
	}
	if len(lines) == 0 {
		return nil, nil, fmt.Errorf("%s: a metric without a sample", f.name)
	}
	return lines, values, nil
}
