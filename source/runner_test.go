package source

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

// fake is a source that notes when it is polled, counted from when it was made.
type fake struct {
	name  string
	start time.Time
	poll  func(ctx context.Context, n int) error

	mu    sync.Mutex
	times []time.Duration
}

func newFake(name string, poll func(ctx context.Context, n int) error) *fake {
	return &fake{name: name, start: time.Now(), poll: poll}
}

func (f *fake) Name() string { return f.name }

func (f *fake) Poll(ctx context.Context) error {
	f.mu.Lock()
	f.times = append(f.times, time.Since(f.start))
	n := len(f.times)
	f.mu.Unlock()
	if f.poll == nil {
		return nil
	}
	return f.poll(ctx, n)
}

func (f *fake) polls() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]time.Duration(nil), f.times...)
}

func seconds(s ...float64) []time.Duration {
	var out []time.Duration
	for _, x := range s {
		out = append(out, time.Duration(x*float64(time.Second)))
	}
	return out
}

func job(s Source) Job { return Job{Source: s, Interval: time.Minute, Timeout: 10 * time.Second} }

// run runs a Runner in a bubble for a while and has it end.
func run(t *testing.T, r *Runner, d time.Duration, during func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	synctest.Wait()
	if during != nil {
		during()
	}
	<-done
}

func TestInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewPedanticRegistry()
		r := NewRunner(Options{Metrics: NewMetrics(reg)})
		f := newFake("a", func(context.Context, int) error { time.Sleep(5 * time.Second); return nil })
		require.NoError(t, r.Reload([]Job{job(f)}))
		run(t, r, 3*time.Minute, nil)
		require.Equal(t, seconds(0, 65, 130), f.polls(), "a minute after the end of the one before")
		require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP meantime_source_errors_total Polls of the source that failed.
# TYPE meantime_source_errors_total counter
meantime_source_errors_total{source="a"} 0
# HELP meantime_source_last_success_timestamp_seconds When the source was last read without a mistake.
# TYPE meantime_source_last_success_timestamp_seconds gauge
meantime_source_last_success_timestamp_seconds{source="a"} 9.46684935e+08
# HELP meantime_source_polls_total Polls of the source.
# TYPE meantime_source_polls_total counter
meantime_source_polls_total{source="a"} 3
# HELP meantime_source_up Whether the last poll of the source could read all of it; no value before the first poll is done.
# TYPE meantime_source_up gauge
meantime_source_up{source="a"} 1
`), "meantime_source_errors_total", "meantime_source_last_success_timestamp_seconds", "meantime_source_polls_total", "meantime_source_up"))
		problems, err := testutil.GatherAndLint(reg)
		require.NoError(t, err)
		require.Empty(t, problems)
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		m := NewMetrics(reg)
		r := NewRunner(Options{Metrics: m})
		f := newFake("a", func(_ context.Context, n int) error {
			if n <= 6 {
				return errors.New("down")
			}
			return nil
		})
		require.NoError(t, r.Reload([]Job{job(f)}))
		run(t, r, 4*time.Minute, func() { require.Zero(t, testutil.ToFloat64(m.up)) })
		require.Equal(t, seconds(0, 5, 15, 35, 75, 135, 195), f.polls())
		require.Equal(t, 6.0, testutil.ToFloat64(m.errors))
		require.Equal(t, 1.0, testutil.ToFloat64(m.up))
	})
	require.Equal(t, time.Second, backoff(time.Second, 1), "no longer than the interval at first")
	require.Equal(t, time.Minute, backoff(time.Second, 60))
	require.Equal(t, 10*time.Minute, backoff(10*time.Minute, 60), "no longer than the interval in the end")
}

func TestRunnerHeedsRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(Options{})
		f := newFake("a", func(_ context.Context, n int) error {
			if n == 1 {
				return &StatusError{Status: 429, After: 90 * time.Second}
			}
			return nil
		})
		require.NoError(t, r.Reload([]Job{job(f)}))
		run(t, r, 100*time.Second, func() {
			time.Sleep(10 * time.Second)
			require.True(t, r.Trigger("a"))
		})
		require.Equal(t, seconds(0, 90), f.polls(), "not even a trigger comes earlier")
	})
}

func TestTimeoutAndPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMetrics(nil)
		r := NewRunner(Options{Metrics: m})
		var cause error
		slow := newFake("slow", func(ctx context.Context, _ int) error { <-ctx.Done(); cause = context.Cause(ctx); return ctx.Err() })
		bad := newFake("bad", func(context.Context, int) error { panic("nil map") })
		good := newFake("good", nil)
		require.NoError(t, r.Reload([]Job{job(slow), job(bad), job(good)}))
		run(t, r, 61*time.Second, nil)
		require.Equal(t, seconds(0, 15, 35), slow.polls())
		require.EqualError(t, cause, "not done within 10s")
		require.Equal(t, seconds(0, 5, 15, 35), bad.polls())
		require.Equal(t, seconds(0, 60), good.polls())
		require.Zero(t, testutil.ToFloat64(m.up.WithLabelValues("bad")))
		require.Equal(t, 1.0, testutil.ToFloat64(m.up.WithLabelValues("good")))
	})
}

func TestTrigger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(Options{})
		f := newFake("a", func(context.Context, int) error { time.Sleep(time.Second); return nil })
		require.NoError(t, r.Reload([]Job{job(f)}))
		require.False(t, r.Trigger("a"), "not running yet")
		run(t, r, 65*time.Second, func() {
			require.False(t, r.Trigger("b"))
			time.Sleep(10 * time.Second)
			for range 100 {
				require.True(t, r.Trigger("a"))
			}
			time.Sleep(500 * time.Millisecond) // it runs now; one more is due after it
			r.Trigger("a")
			r.Trigger("a")
		})
		require.Equal(t, seconds(0, 10.2, 11.4), f.polls())
	})
}

// watched is a source that tells when to poll it.
type watched struct {
	*fake
	err error
}

func (w watched) Watch(ctx context.Context, changed func()) error {
	if w.err != nil {
		return w.err
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(7 * time.Second):
			changed()
		}
	}
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(Options{})
		a, b := watched{fake: newFake("a", nil)}, watched{newFake("b", nil), errors.New("no inotify")}
		require.NoError(t, r.Reload([]Job{job(a), job(b)}))
		run(t, r, 16*time.Second, nil)
		require.Equal(t, seconds(0, 7.2, 14.2), a.polls())
		require.Equal(t, seconds(0), b.polls())
	})
}

func TestReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		r := NewRunner(Options{Metrics: NewMetrics(reg)})
		with := func(f *fake, config string) Job { j := job(f); j.Config = config; return j }
		stays, goes := newFake("stays", nil), newFake("goes", nil)
		changes := newFake("changes", func(ctx context.Context, _ int) error {
			<-ctx.Done()
			time.Sleep(3 * time.Second) // it takes its time to stop
			return ctx.Err()
		})
		require.NoError(t, r.Reload([]Job{with(stays, "1"), with(goes, "1"), with(changes, "1")}))
		successor, unused := newFake("changes", nil), newFake("stays", nil)
		run(t, r, 70*time.Second, func() {
			time.Sleep(5 * time.Second)
			require.EqualError(t, r.Reload([]Job{with(stays, "1"), with(unused, "1")}), `source "stays": the name is there twice`)
			require.EqualError(t, r.Reload([]Job{{Source: stays, Interval: time.Second}}), `source "stays": interval and timeout must be longer than 0`)
			require.NoError(t, r.Reload([]Job{with(unused, "1"), with(successor, "2")}))
			require.False(t, r.Trigger("goes"))
		})
		require.Equal(t, seconds(0, 60), stays.polls(), "undisturbed")
		require.Empty(t, unused.polls())
		require.Equal(t, seconds(0), goes.polls())
		require.Equal(t, seconds(0), changes.polls())
		require.Equal(t, seconds(8, 68), successor.polls(), "only after the one before has ended")
		families, err := reg.Gather()
		require.NoError(t, err)
		for _, f := range families {
			for _, m := range f.GetMetric() {
				require.NotEqual(t, "goes", m.GetLabel()[0].GetValue(), f.GetName())
			}
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock begins at 2000-01-01T00:00:00Z
		start := time.Now().UTC()
		r := NewRunner(Options{})
		require.Empty(t, r.Status())
		answers := []func() (*http.Response, error){
			func() (*http.Response, error) { return reply(200, `{}`), nil },
			func() (*http.Response, error) {
				return reply(403, "no such token: t0ken\nnor passw0rd, nor "+strings.TrimPrefix(basic("user", "passw0rd"), "Basic ")), nil
			},
		}
		client, err := NewClient(ClientOptions{
			URL: "http://user:passw0rd@tickets.example", BearerToken: fixed("t0ken"),
			Transport: roundTrip(func(*http.Request) (*http.Response, error) {
				a := answers[0]
				answers = answers[1:]
				return a()
			}),
		})
		require.NoError(t, err)
		tickets := newFake("tickets", func(ctx context.Context, _ int) error {
			return client.Get(ctx, "/search", url.Values{"key": {"t0ken"}}, new(any))
		})
		slow := newFake("alerts", func(context.Context, int) error { time.Sleep(5 * time.Second); return nil })
		bad := newFake("bad", func(context.Context, int) error { panic("t0ken") })
		wordy := newFake("wordy", func(context.Context, int) error { return errors.New(strings.Repeat("ä", 1000)) })
		require.NoError(t, r.Reload([]Job{job(tickets), job(slow), job(bad), job(wordy)}))
		names := func() (all []string) {
			for _, s := range r.Status() {
				all = append(all, s.Name)
			}
			return all
		}
		require.Equal(t, []string{"alerts", "bad", "tickets", "wordy"}, names(), "before it runs")
		run(t, r, 100*time.Second, func() {
			got := r.Status()
			require.Equal(t, Status{Name: "alerts", Up: true}, got[0], "the first poll is not done")
			require.Equal(t, Status{Name: "bad", Err: "panicked; the log says where"}, got[1])
			require.Equal(t, Status{Name: "tickets", Up: true, LastSuccess: start}, got[2])
			require.Equal(t, Status{Name: "wordy", Err: strings.Repeat("ä", maxShown/2) + "…"}, got[3])
			time.Sleep(62 * time.Second)
			got = r.Status()
			require.Equal(t, Status{Name: "alerts", Up: true, LastSuccess: start.Add(5 * time.Second)}, got[0])
			require.Equal(t, Status{
				Name: "tickets", LastSuccess: start,
				Err: "GET http://tickets.example/search: answered 403 Forbidden: no such token: <secret> nor <secret>, nor <secret>",
			}, got[2])

			require.NoError(t, r.Reload([]Job{job(newFake("alerts", slow.poll))}))
			require.Equal(t, []Status{{Name: "alerts", Up: true}}, r.Status(), "another of the name begins anew")
			time.Sleep(10 * time.Second)
			require.Equal(t, []Status{{Name: "alerts", Up: true, LastSuccess: start.Add(67 * time.Second)}}, r.Status())
		})
	})
}

func TestRunEndsAfterThePolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewRunner(Options{})
		ended := false
		f := newFake("a", func(ctx context.Context, _ int) error {
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
			return nil
		})
		require.NoError(t, r.Reload([]Job{job(f)}))
		run(t, r, time.Second, nil)
		require.True(t, ended)
		require.NoError(t, r.Reload(nil), "a reload after the end does nothing")
	})
}

// A poll that left something out is not a success, and is not tried again any sooner.
func TestLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake("a", func(context.Context, int) error {
			return &LeftOut{What: "incidents/a.yaml:3: state: unknown value", Files: 1}
		})
		r := NewRunner(Options{})
		require.NoError(t, r.Reload([]Job{{Source: src, Interval: 10 * time.Minute, Timeout: time.Minute}}))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		time.Sleep(25 * time.Minute)
		synctest.Wait()
		require.Len(t, src.polls(), 3)
		s := r.Status()[0]
		require.False(t, s.Up)
		require.Equal(t, "a file is left out: incidents/a.yaml:3: state: unknown value", s.Err)
		stop()
		<-done
	})
}
