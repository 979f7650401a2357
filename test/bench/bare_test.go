package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// The benchmarks' own binary, started with this variable, is a bare server: a process of its own, as Meantime is.
const bareRole = "MEANTIME_BENCH_BARE"

func TestMain(m *testing.M) {
	var handler http.Handler
	switch role := os.Getenv(bareRole); role {
	case "":
		code := m.Run()
		results.print(os.Stdout)
		os.Exit(code)
	case "webhook":
		handler = bareWebhook(os.Getenv("MEANTIME_BENCH_FILE"))
	case "metrics":
		handler = bareMetrics(os.Getenv("MEANTIME_BENCH_FILE"))
	default:
		panic("unknown role " + role)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(l.Addr())
	panic(http.Serve(l, handler))
}

// target is a server to measure.
type target struct {
	url string
	pid int
}

// bare starts a bare server.
func bare(b *testing.B, role, file string) target {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bareRole+"="+role, "MEANTIME_BENCH_FILE="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var addr string
	_, err = fmt.Fscanln(out, &addr)
	require.NoError(b, err)
	return target{"http://" + addr, cmd.Process.Pid}
}

// bareWebhook takes a notification and keeps it, with nothing else: it decodes the body, appends it to a file, and
// answers after an fsync that it shares with the others who wait.
func bareWebhook(file string) http.Handler {
	f, err := os.Create(file)
	if err != nil {
		panic(err)
	}
	type write struct {
		body []byte
		done chan error
	}
	queue := make(chan write, 1024)
	go func() {
		for first := range queue {
			batch := []write{first}
		more:
			for {
				select {
				case w := <-queue:
					batch = append(batch, w)
				default:
					break more
				}
			}
			var err error
			for _, w := range batch {
				if _, e := f.Write(w.body); e != nil {
					err = e
				}
			}
			if e := f.Sync(); e != nil {
				err = e
			}
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var m template.Data
		if err := json.Unmarshal(body, &m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		x := write{body, make(chan error, 1)}
		queue <- x
		if err := <-x.done; err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
}

// bareMetrics serves the metrics in a file of the text format, each made once.
func bareMetrics(file string) http.Handler {
	f, err := os.Open(file)
	if err != nil {
		panic(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		panic(err)
	}
	var ready readyMade
	for _, family := range families {
		for _, m := range family.GetMetric() {
			ready = append(ready, constMetric(family, m))
		}
	}
	r := prometheus.NewRegistry()
	r.MustRegister(ready)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{})
}

// readyMade is a collector of metrics that are all there already.
type readyMade []prometheus.Metric

// Describe sends nothing, which makes the collector an unchecked one.
func (readyMade) Describe(chan<- *prometheus.Desc) {}

func (r readyMade) Collect(ch chan<- prometheus.Metric) {
	for _, m := range r {
		ch <- m
	}
}

func constMetric(family *dto.MetricFamily, m *dto.Metric) prometheus.Metric {
	var names, values []string
	for _, l := range m.GetLabel() {
		names, values = append(names, l.GetName()), append(values, l.GetValue())
	}
	d := prometheus.NewDesc(family.GetName(), family.GetHelp(), names, nil)
	switch {
	case m.Histogram != nil:
		buckets := map[float64]uint64{}
		for _, b := range m.Histogram.GetBucket() {
			buckets[b.GetUpperBound()] = b.GetCumulativeCount()
		}
		return prometheus.MustNewConstHistogram(d, m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum(), buckets, values...)
	case m.Summary != nil:
		quantiles := map[float64]float64{}
		for _, q := range m.Summary.GetQuantile() {
			quantiles[q.GetQuantile()] = q.GetValue()
		}
		return prometheus.MustNewConstSummary(d, m.Summary.GetSampleCount(), m.Summary.GetSampleSum(), quantiles, values...)
	case m.Counter != nil:
		return prometheus.MustNewConstMetric(d, prometheus.CounterValue, m.Counter.GetValue(), values...)
	case m.Gauge != nil:
		return prometheus.MustNewConstMetric(d, prometheus.GaugeValue, m.Gauge.GetValue(), values...)
	}
	return prometheus.MustNewConstMetric(d, prometheus.UntypedValue, m.GetUntyped().GetValue(), values...)
}

// client keeps as many connections as the benchmarks use.
var client = &http.Client{
	Timeout:   2 * time.Minute,
	Transport: &http.Transport{MaxIdleConns: 0, MaxIdleConnsPerHost: 5000},
}
