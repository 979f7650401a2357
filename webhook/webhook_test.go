package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func unmarshal(t *testing.T, b []byte, v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(b, v), string(b))
}

func TestRequests(t *testing.T) {
	good := body("http://am-0", alert("firing", down, start, year1, fp))
	token := "s3cret"
	h := New(Options{Store: newMemory(), Token: func() string { return token }}).Alertmanager()

	const none, wrong = "a token is needed: send the header Authorization: Bearer TOKEN, or X-Meantime-Token: TOKEN beside a password", "this is not the right token"
	requireProblem(t, post(h, good), 401, none)
	for a, want := range map[string]string{"Bearer": none, "Bearer s3cre": wrong, "Bearer s3crets": wrong, "Basic s3cret": none, "s3cret": none} {
		w := post(h, good, "Authorization", a)
		requireProblem(t, w, 401, want)
		require.Equal(t, `Bearer realm="meantime"`, w.Header().Get("WWW-Authenticate"))
		require.NotContains(t, w.Body.String(), "s3c")
	}
	require.Equal(t, 200, post(h, good, "Authorization", "Bearer s3cret").Code)
	require.Equal(t, 200, post(h, good, "Authorization", "bearer s3cret").Code, "the scheme has no case")
	require.Equal(t, 200, post(h, good, "Authorization", "Basic YTpi", "X-Meantime-Token", "s3cret").Code, "beside a password")
	token = "" // a reload took it away
	require.Equal(t, 200, post(h, good).Code)
	require.Equal(t, 200, post(h, good, "Content-Type", "text/plain").Code, "whatever it calls itself")
	requireProblem(t, post(h, good, "Content-Encoding", "gzip"), 415, "a compressed body is not taken")

	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		requireProblem(t, w, 405, method+" is not taken here; POST is")
		require.Equal(t, "POST", w.Header().Get("Allow"))
	}
}

// A page of another site can have a visitor's browser post a form here without asking. No Alertmanager sends these headers.
func TestCrossSite(t *testing.T) {
	m := newMemory()
	r := New(Options{Store: m})
	good := body("http://am-0", alert("firing", down, start, year1, fp))
	for _, h := range []http.Handler{r.Alertmanager(), r.Events()} {
		for _, header := range [][]string{
			{"Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example", "Content-Type", "text/plain"},
			{"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}, {"Origin", "null"},
		} {
			require.Equal(t, 403, post(h, good, header...).Code, header)
		}
	}
	require.Empty(t, m.sightings)
	require.Equal(t, 200, post(r.Alertmanager(), good).Code)
}

// Who sent too many wrong tokens is not listened to for a while, but told to come again: a 4xx would lose what it brings.
func TestWrongTokensAreSlowed(t *testing.T) {
	h := New(Options{Store: newMemory(), Token: func() string { return "s3cret" }}).Alertmanager()
	good := body("http://am-0", alert("firing", down, start, year1, fp))
	last := 0
	for i := 0; i < 100 && last != 503; i++ {
		last = post(h, good, "X-Meantime-Token", fmt.Sprint(i)).Code
	}
	w := post(h, good, "X-Meantime-Token", "s3cret")
	requireProblem(t, w, 503, "too many wrong tokens came from this address")
	require.Equal(t, "5", w.Header().Get("Retry-After"))
}

// Whatever the store says, a good notification must not be answered 4xx: Alertmanager would never send it again.
func TestStoreErrors(t *testing.T) {
	for _, err := range []error{
		errors.New("disk I/O error"),
		incident.Errorf(incident.CodeUnavailable, "database is locked"),
		incident.Errorf(incident.CodeInvalid, "no such column"),
		incident.Problems{{Path: "sightings[0]", Message: "bad"}},
		context.Canceled,
	} {
		m := newMemory()
		m.err = err
		var log bytes.Buffer
		r := New(Options{Store: m, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		w := post(r.Alertmanager(), body("http://am-0", alert("firing", down, start, year1, fp)))
		requireProblem(t, w, 503, "the store cannot take it now")
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.NotContains(t, w.Body.String(), err.Error(), "which files and hosts are here is no sender's business")
		require.Contains(t, log.String(), err.Error())
		require.Zero(t, testutil.ToFloat64(r.metrics.alerts.WithLabelValues("firing")), "nothing was stored")
		w = post(r.Events(), eventCreated)
		requireProblem(t, w, 503, "the store cannot take it now")
	}
}

// The store gets its time even where the sender hung up: else a sender with a short timeout would send for ever.
func TestSenderHangsUp(t *testing.T) {
	m := newMemory()
	h := New(Options{Store: m}).Alertmanager()
	ctx, cancel := context.WithCancel(t.Context())
	req := httptest.NewRequest(http.MethodPost, "/", &cancelling{Reader: strings.NewReader(body("http://am-0", alert("firing", down, start, year1, fp))), cancel: cancel})
	req = req.WithContext(ctx)
	h.ServeHTTP(httptest.NewRecorder(), req)
	require.Len(t, m.sightings, 1)
}

// cancelling is a body whose sender hangs up when it is read.
type cancelling struct {
	io.Reader
	cancel func()
}

func (c *cancelling) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	if err == io.EOF {
		c.cancel()
	}
	return n, err
}

func TestBodyShorterThanSaid(t *testing.T) {
	h := New(Options{Store: newMemory()}).Alertmanager()
	req := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(`{"alerts":[]}`)))
	req.ContentLength = 100
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	requireProblem(t, w, 503, "the body did not arrive: 13 of 100 bytes: unexpected EOF")
}

// A burst of groups: every request is taken, each alert once, and no more bodies are in work than the memory holds.
func TestBurst(t *testing.T) {
	m := &slow{memory: newMemory()}
	pad := strings.Repeat("x", 2000)
	const maxBody, memory = 4 << 10, 32 << 10
	srv := httptest.NewServer(New(Options{Store: m, MaxBody: maxBody, Memory: memory}).Alertmanager())
	defer srv.Close()
	var wg sync.WaitGroup
	var failed atomic.Int64
	for i := range 1200 {
		wg.Go(func() {
			b := body("http://am-0", alert("firing", fmt.Sprintf(`{"alertname":"A%d"}`, i), start, year1, "")) + pad[:0] + strings.Repeat(" ", 2000)
			res, err := http.Post(srv.URL, "application/json", strings.NewReader(b))
			if err != nil || res.StatusCode != 200 {
				failed.Add(1)
				return
			}
			_ = res.Body.Close()
		})
	}
	wg.Wait()
	require.Zero(t, failed.Load())
	require.Len(t, m.sightings, 1200)
	require.LessOrEqual(t, m.most.Load(), int64(memory/2000), "each body has more than 2,000 bytes")
}

// slow counts the largest number of Puts at the same time.
type slow struct {
	*memory
	in, most atomic.Int64
}

func (s *slow) Put(ctx context.Context, f incident.Facts, at time.Time) (incident.Receipt, error) {
	n := s.in.Add(1)
	defer s.in.Add(-1)
	for {
		most := s.most.Load()
		if n <= most || s.most.CompareAndSwap(most, n) {
			break
		}
	}
	return s.memory.Put(ctx, f, at)
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := newMemory()
	r := New(Options{Store: m, Metrics: NewMetrics(reg), Now: func() time.Time { return at("2026-03-01T10:00:30Z") }})
	post(r.Alertmanager(), body("http://am-0", alert("firing", down, start, year1, fp), alert("resolved", down, start, "2026-03-01T10:00:10Z", fp), alert("firing", "{}", start, year1, fp)))
	post(r.Alertmanager(), `{`)
	post(r.Events(), eventCreated)
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP meantime_webhook_alerts_total Alerts stored from notifications, by status.
# TYPE meantime_webhook_alerts_total counter
meantime_webhook_alerts_total{status="firing"} 1
meantime_webhook_alerts_total{status="resolved"} 1
# HELP meantime_webhook_merges_total What the alerts of notifications added to what was known: new, repeated by the same Alertmanager, duplicate from another, resolved, or late (firing after its resolved).
# TYPE meantime_webhook_merges_total counter
meantime_webhook_merges_total{kind="duplicate"} 0
meantime_webhook_merges_total{kind="late"} 0
meantime_webhook_merges_total{kind="new"} 1
meantime_webhook_merges_total{kind="repeated"} 0
meantime_webhook_merges_total{kind="resolved"} 1
# HELP meantime_webhook_refused_total Alerts and events refused out of requests that could be read, by receiver and reason.
# TYPE meantime_webhook_refused_total counter
meantime_webhook_refused_total{reason="form",receiver="alertmanager"} 0
meantime_webhook_refused_total{reason="form",receiver="events"} 0
meantime_webhook_refused_total{reason="labels",receiver="alertmanager"} 1
meantime_webhook_refused_total{reason="labels",receiver="events"} 0
meantime_webhook_refused_total{reason="status",receiver="alertmanager"} 0
meantime_webhook_refused_total{reason="time",receiver="alertmanager"} 0
meantime_webhook_refused_total{reason="time",receiver="events"} 0
meantime_webhook_refused_total{reason="unknown_alert",receiver="events"} 0
# HELP meantime_webhook_requests_total Requests to the webhooks, by receiver and status code.
# TYPE meantime_webhook_requests_total counter
meantime_webhook_requests_total{code="200",receiver="alertmanager"} 1
meantime_webhook_requests_total{code="200",receiver="events"} 1
meantime_webhook_requests_total{code="400",receiver="alertmanager"} 1
`), "meantime_webhook_alerts_total", "meantime_webhook_merges_total", "meantime_webhook_refused_total", "meantime_webhook_requests_total"))
	require.Equal(t, map[string]float64{"alert_created": 1}, counters(t, reg, "meantime_webhook_events_total", "type"))
	problems, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Equal(t, []promlint.Problem(nil), problems)
}

// fuzz holds what must be true of any body: an answer of this list, nothing stored that is not said, and everything
// stored usable.
func fuzz(t *testing.T, body string, endpoint func(*Receiver) http.Handler) {
	m := newMemory()
	r := New(Options{Store: m, Now: func() time.Time { return at("2026-03-01T10:00:30Z") }, MaxBody: 1 << 20, MaxAlerts: 100})
	w := post(endpoint(r), body)
	require.Contains(t, []int{200, 400, 413}, w.Code)
	if w.Code != 200 {
		require.Empty(t, m.sightings)
		return
	}
	for k, s := range m.sightings {
		require.Regexp(t, `^[0-9a-f]{16}$`, s.Fingerprint)
		require.Equal(t, k, s.Key())
		require.NoError(t, incident.CheckLabels(s.Labels))
		for _, at := range []time.Time{s.StartsAt, s.EndsAt, s.FiringFirst, s.FiringLast, s.ResolvedFirst, s.Word.At, s.ToldAt} {
			require.True(t, at.IsZero() || (at.Year() >= 1980 && at.Year() <= 2200 && at.Location() == time.UTC), at)
		}
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		require.NotContains(t, string(raw), `\u0000`)
		require.NotEmpty(t, incident.Episodes([]incident.Sighting{s}, time.Hour, at("2026-03-01T10:00:30Z"))[0].StartsAt)
	}
	require.Equal(t, 200, post(endpoint(r), body).Code, "again")
}
