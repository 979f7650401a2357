package backfill

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"meantime/test/servers"
)

var quiet = slog.New(slog.DiscardHandler)

// TestSendCorrection sends what a correction touches to a running Prometheus, over blocks of its past, and holds the whole
// past in it to a report on each month.
func TestSendCorrection(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes seconds")
	}
	w := invent(12, 180, 60, 200)
	from, to := t0.AddDate(0, -4, 0), t0
	data := t.TempDir()
	imported(t, w, from, to, data)

	p := receiving(t, servers.PrometheusOptions{Data: data, OutOfOrder: "50y"})
	holds(t, p, w, from, to)

	since, until := correct(w, t0.AddDate(0, -3, 0), t0.AddDate(0, -2, 0))
	forget(t, p, since, until)
	sent, err := Send(context.Background(), p.URL+"/api/v1/write", quiet, daily(w, since, until))
	require.NoError(t, err)
	require.Greater(t, sent.Samples, 3*requestSamples, "it takes several requests")
	holds(t, p, w, from, to)
}

// receiving starts a Prometheus that takes remote write. It scrapes something, so its newest sample is of now, and all that
// is sent is old.
func receiving(t *testing.T, o servers.PrometheusOptions) *servers.PrometheusServer {
	t.Helper()
	scraped := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "one 1\n") }))
	t.Cleanup(scraped.Close)
	o.Targets = map[string][]string{"one": {strings.TrimPrefix(scraped.URL, "http://")}}
	o.Args = []string{"--storage.tsdb.retention.time=50y", "--web.enable-admin-api", "--web.enable-remote-write-receiver"}
	p := servers.Prometheus(t, o)
	servers.Eventually(t, time.Minute, func() error {
		v, err := p.Query("one", time.Time{})
		if err == nil && len(v) == 0 {
			err = errors.New("nothing is scraped")
		}
		return err
	})
	return p
}

// TestSendRefused: what a Prometheus does not take is said in its words.
func TestSendRefused(t *testing.T) {
	o := options(invent(8, 10, 5, 5), t0.AddDate(0, 0, -2), t0, 24*time.Hour)
	p := servers.Prometheus(t, servers.PrometheusOptions{})
	_, err := Send(context.Background(), p.URL+"/api/v1/write", quiet, o)
	require.ErrorContains(t, err, "404 Not Found: remote write receiver needs to be enabled")

	o.Metrics = newDaemon()
	_, err = Send(context.Background(), receiving(t, servers.PrometheusOptions{}).URL+"/api/v1/write", quiet, o)
	require.ErrorContains(t, err, "400 Bad Request: out of bounds")

	o.Metrics = newDaemon()
	_, err = Send(context.Background(), "http://[::1", quiet, o)
	require.ErrorContains(t, err, "missing ']' in host")
}

// TestRequests: the requests hold every sample that the text holds, a series' in the order of time.
func TestRequests(t *testing.T) {
	w := invent(9, 10, 8, 20)
	from, until := t0.AddDate(0, 0, -5), t0
	text, out := write(t, options(w, from, until, 2*time.Hour))

	o := options(w, from, until, 2*time.Hour)
	o.Dir = t.TempDir()
	steps, err := stepsOf(o)
	require.NoError(t, err)
	h, err := lookBack(context.Background(), o, steps)
	require.NoError(t, err)
	defer h.close()
	got, newest, requests := map[string]map[int64]float64{}, map[string]int64{}, 0
	s := sender{send: func(r request) error {
		b := make([]byte, r.SizeVT())
		n, err := r.MarshalToSizedBufferVT(b)
		require.NoError(t, err)
		require.Equal(t, len(b), n)
		requests++
		samples := 0
		for labels, values := range decoded(t, b) {
			if got[labels] == nil {
				got[labels] = map[int64]float64{}
			}
			for _, v := range values {
				if before, ok := newest[labels]; ok && before >= v.at { // require is slow, and they are many
					t.Fatalf("%q: %d after %d", labels, v.at, before)
				}
				newest[labels], got[labels][v.at] = v.at, v.value
			}
			samples += len(values)
		}
		require.Less(t, samples, requestSamples+100)
		return nil
	}}
	series, samples, err := s.all(h, steps)
	require.NoError(t, err)
	require.Equal(t, out.Series, series)
	require.Equal(t, out.Samples, samples)
	require.Greater(t, requests, 5)

	want := map[string]map[int64]float64{}
	for line, values := range parse(t, text) {
		l, err := appendLabels(nil, line)
		require.NoError(t, err)
		want[string(l)] = values
	}
	require.Len(t, got, len(want))
	for l, values := range want {
		require.Equal(t, values, got[l])
	}

	s = sender{send: func(request) error { return errors.New("no") }}
	again, err := lookBack(context.Background(), options(w, from, until, 2*time.Hour), steps)
	require.NoError(t, err)
	defer again.close()
	_, _, err = s.all(again, steps)
	require.EqualError(t, err, "no")
}

func TestLabels(t *testing.T) {
	b, err := appendLabels(nil, `meantime_x{affected_service="odd \"one\"\\ # {}",severity="",le="60.0"}`)
	require.NoError(t, err)
	require.Equal(t, "\n\x16\n\b__name__\x12\nmeantime_x\n#\n\x10affected_service\x12\x0fodd \"one\"\\ # {}\n\n\n\x02le\x12\x0460.0", string(b))
	_, err = appendLabels(nil, `meantime_x{`)
	require.ErrorContains(t, err, "meantime_x{: ")
}

type sample struct {
	at    int64 // unix seconds
	value float64
}

// decoded are the samples of a request by their series' labels.
func decoded(t *testing.T, b []byte) map[string][]sample {
	t.Helper()
	field := func(b *[]byte, want protowire.Number, kind protowire.Type) {
		n, k, length := protowire.ConsumeTag(*b)
		require.Positive(t, length)
		require.Equal(t, want, n)
		require.Equal(t, kind, k)
		*b = (*b)[length:]
	}
	bytes := func(b *[]byte) []byte {
		v, length := protowire.ConsumeBytes(*b)
		require.Positive(t, length)
		*b = (*b)[length:]
		return v
	}
	out := map[string][]sample{}
	for len(b) > 0 {
		field(&b, 1, protowire.BytesType)
		series := bytes(&b)
		labels := series
		for len(series) > 0 && series[0] == labels[0] { // field 1
			field(&series, 1, protowire.BytesType)
			bytes(&series)
		}
		key := string(labels[:len(labels)-len(series)])
		require.NotContains(t, out, key, "twice in one request")
		for len(series) > 0 {
			field(&series, 2, protowire.BytesType)
			x := bytes(&series)
			field(&x, 1, protowire.Fixed64Type)
			bits, n := protowire.ConsumeFixed64(x)
			x = x[n:]
			field(&x, 2, protowire.VarintType)
			at, n := protowire.ConsumeVarint(x)
			require.Len(t, x, n)
			out[key] = append(out[key], sample{int64(at) / 1000, math.Float64frombits(bits)})
		}
	}
	return out
}
