package backfill

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// requestSamples is how many samples one request of remote write has about.
	requestSamples = 5000
	// requestTimeout is how long one may take.
	requestTimeout = time.Minute
)

// patience is how often and how far apart a request is tried that the other side could not take: about half a minute in
// all. Some versions of Prometheus say of a sample that is too old that the fault is their own, so it cannot be much more.
var patience = remote.BackoffConfig{Min: time.Second, Max: 10 * time.Second, MaxRetries: 5}

// Send writes the past to a Prometheus by remote write 1.0, at the URL of its receiver. It tries again what the other side
// could not take at that time. Where it fails, what was sent until then stays; sent again it is the same.
func Send(ctx context.Context, url string, logger *slog.Logger, o Options) (_ Written, err error) {
	steps, err := stepsOf(o)
	if err != nil {
		return Written{}, err
	}
	api, err := remote.NewAPI(url, remote.WithAPIPath(""), remote.WithAPILogger(logger), remote.WithAPIHTTPClient(&http.Client{Timeout: requestTimeout}), remote.WithAPIBackoff(patience))
	if err != nil {
		return Written{}, fmt.Errorf("remote write: %w", err)
	}
	h, err := lookBack(ctx, o, steps)
	if err != nil {
		return Written{}, err
	}
	defer h.close()
	s := sender{send: func(r request) error {
		if _, err := api.Write(ctx, remote.WriteV1MessageType, r); err != nil {
			return fmt.Errorf("remote write: %w", err)
		}
		return nil
	}}
	out := Written{From: steps.at(0), To: steps.at(steps.n - 1)}
	out.Series, out.Samples, err = s.all(h, steps)
	return out, err
}

// sender puts a history into requests.
type sender struct {
	send func(request) error

	track   *track
	labels  [][]byte // of the track's series
	samples [][]byte // of each, not in the request yet
	request request
	n       int // samples not sent yet
}

// all sends everything and says how many series and samples that were. The samples of a series come in the order of time.
func (s *sender) all(h *history, steps steps) (series, samples int, err error) {
	for r, err := range h.all() {
		if err != nil {
			return series, samples, err
		}
		if r.track != s.track {
			s.seal()
			if err := s.begin(r.track); err != nil {
				return series, samples, err
			}
			h.begun(r.track)
			series += len(r.values)
		}
		for k := r.from; k <= r.until; k++ {
			for i, v := range r.values {
				s.samples[i] = appendSample(s.samples[i], steps.unix(k)*1000, v)
			}
			if s.n += len(r.values); s.n < requestSamples {
				continue
			}
			if err := s.flush(); err != nil {
				return series, samples, err
			}
		}
		samples += (r.until - r.from + 1) * len(r.values)
	}
	if err := s.flush(); err != nil {
		return series, samples, err
	}
	h.whole()
	return series, samples, nil
}

// begin begins a track.
func (s *sender) begin(t *track) error {
	s.track, s.labels, s.samples = t, s.labels[:0], make([][]byte, len(t.lines))
	for _, line := range t.lines {
		l, err := appendLabels(nil, line)
		if err != nil {
			return err
		}
		s.labels = append(s.labels, l)
	}
	return nil
}

// seal moves the track's samples into the request.
func (s *sender) seal() {
	for i, samples := range s.samples {
		if len(samples) > 0 {
			s.request = protowire.AppendTag(s.request, 1, protowire.BytesType)
			s.request = protowire.AppendVarint(s.request, uint64(len(s.labels[i])+len(samples)))
			s.request = append(append(s.request, s.labels[i]...), samples...)
			s.samples[i] = samples[:0]
		}
	}
}

// flush sends the request.
func (s *sender) flush() error {
	s.seal()
	if s.n == 0 {
		return nil
	}
	if err := s.send(s.request); err != nil {
		return err
	}
	s.request, s.n = s.request[:0], 0
	return nil
}

// request is the body of a remote write 1.0 request: the protobuf message prometheus.WriteRequest, whose field 1 is a
// TimeSeries with its labels as field 1 and its samples as field 2 (https://prometheus.io/docs/specs/prw/remote_write_spec/).
type request []byte

// SizeVT and MarshalToSizedBufferVT are by which the client takes a message that is encoded already.
func (r request) SizeVT() int { return len(r) }

// MarshalToSizedBufferVT fills b, which is as long as the message.
func (r request) MarshalToSizedBufferVT(b []byte) (int, error) { return copy(b, r), nil }

// appendLabels appends the labels of a series, by the line of its samples up to their value, in the order of their names.
func appendLabels(b []byte, line string) ([]byte, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(line + " 0\n"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", line, err)
	}
	for name, f := range all { // it is one
		labels := [][2]string{{model.MetricNameLabel, name}}
		for _, l := range f.GetMetric()[0].GetLabel() {
			if l.GetValue() != "" { // which is the same as none, and what the receiver wants
				labels = append(labels, [2]string{l.GetName(), l.GetValue()})
			}
		}
		slices.SortFunc(labels, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
		for _, l := range labels {
			pair := protowire.AppendString(protowire.AppendTag(nil, 1, protowire.BytesType), l[0])
			pair = protowire.AppendString(protowire.AppendTag(pair, 2, protowire.BytesType), l[1])
			b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), pair)
		}
	}
	return b, nil
}

// appendSample appends a value at a time in milliseconds.
func appendSample(b []byte, at int64, v float64) []byte {
	sample := protowire.AppendFixed64(protowire.AppendTag(nil, 1, protowire.Fixed64Type), math.Float64bits(v))
	sample = protowire.AppendVarint(protowire.AppendTag(sample, 2, protowire.VarintType), uint64(at))
	return protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), sample)
}
