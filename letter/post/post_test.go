package post

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/letter"
	"meantime/measure"
)

// A period is over by its own zone, and its letter is due some hours later.
func TestDue(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		now    string
		weekly bool
		zone   *time.Location
		after  time.Duration
		want   string
		end    string
	}{
		{"2026-12-01T07:59:59Z", false, time.UTC, 8 * time.Hour, "2026-10", "2026-11-01T00:00:00Z"},
		{"2026-12-01T08:00:00Z", false, time.UTC, 8 * time.Hour, "2026-11", "2026-12-01T00:00:00Z"},
		{"2026-11-30T23:00:00Z", false, berlin, 0, "2026-11", "2026-11-30T23:00:00Z"},
		{"2026-11-30T22:59:59Z", false, berlin, 0, "2026-10", "2026-10-31T23:00:00Z"},
		{"2027-01-31T12:00:00Z", false, time.UTC, 0, "2026-12", "2027-01-01T00:00:00Z"},
		{"2026-11-30T00:00:00Z", true, time.UTC, 0, "2026-W48", "2026-11-30T00:00:00Z"}, // a Monday
		{"2026-11-29T23:59:59Z", true, time.UTC, 0, "2026-W47", "2026-11-23T00:00:00Z"},
		{"2026-11-29T23:00:00Z", true, berlin, 0, "2026-W48", "2026-11-29T23:00:00Z"},
		{"2027-01-04T00:00:00Z", true, time.UTC, 0, "2026-W53", "2027-01-04T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		d := Destination{Weekly: c.weekly, Zone: c.zone, After: c.after}
		period, end := d.Due(now)
		require.Equal(t, c.want, period, c.now)
		require.Equal(t, c.end, end.UTC().Format(time.RFC3339), c.now)
		q, err := letter.Asked(period, c.zone.String())
		require.NoError(t, err)
		p, err := q.Period(nil, now)
		require.NoError(t, err)
		require.Equal(t, c.end, p.To.UTC().Format(time.RFC3339), "the letter is of what ended then")
	}
}

// marks is a store of marks alone.
type marks struct {
	held map[string]incident.Mark
	err  error
}

func (m *marks) Marks(_ context.Context, source string) (out []incident.Mark, err error) {
	for _, x := range m.held {
		if x.Source == source {
			out = append(out, x)
		}
	}
	return out, m.err
}

func (m *marks) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	for _, x := range f.Marks {
		m.held[x.Source+x.Name] = x
	}
	return incident.Receipt{}, m.err
}

type carry func(*http.Request) (*http.Response, error)

func (c carry) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

// What goes wrong is told without the webhook's address, counted, and tried again later and later.
func TestTroubles(t *testing.T) {
	const secret = "https://hooks.example.org/services/T0/s3cr3t?sig=abc"
	var log bytes.Buffer
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	store := &marks{held: map[string]incident.Mark{}}
	attempts, answer := 0, func() (*http.Response, error) { return nil, errors.New("no route to host") }
	reg := prometheus.NewPedanticRegistry()
	p := New(Options{
		Store: store, Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(&log, nil)), Metrics: NewMetrics(reg),
		Letter: func(_ context.Context, period string, q measure.Question) (*letter.Letter, error) {
			require.Equal(t, measure.Question{Zone: "UTC", Service: "checkout"}, q)
			return &letter.Letter{Period: period}, nil
		},
		Destinations: func() []Destination {
			return []Destination{{
				Name: "managers", URL: func() string { return secret + "\n" }, BearerToken: func() string { return "" },
				Form: letter.FormSlack, Zone: time.UTC, Service: "checkout",
			}}
		},
		Transport: carry(func(r *http.Request) (*http.Response, error) {
			attempts++
			require.Equal(t, secret, r.URL.String())
			require.Equal(t, "application/json", r.Header.Get("Content-Type"))
			return answer()
		}),
	})
	ctx := context.Background()
	p.Look(ctx)
	require.Zero(t, attempts)
	require.NoError(t, testutil.CollectAndCompare(reg, strings.NewReader(`
# HELP meantime_letter_told_timestamp_seconds The end of the newest period whose letter was taken by its webhook; where none was yet, since when it is wanted.
# TYPE meantime_letter_told_timestamp_seconds gauge
meantime_letter_told_timestamp_seconds{letter="managers"} 1.7951328e+09
`)))

	says := func(status int, body string) {
		answer = func() (*http.Response, error) {
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: http.NoBody}, nil
		}
		if body != "" {
			answer = func() (*http.Response, error) {
				w := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {"text/plain"}}}
				w.Body = readAll{strings.NewReader(body)}
				return w, nil
			}
		}
	}
	now = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	p.Look(ctx)
	require.Equal(t, 1, attempts)
	require.Contains(t, log.String(), "no route to host")
	now = now.Add(59 * time.Second)
	p.Look(ctx)
	require.Equal(t, 1, attempts)
	now = now.Add(time.Second)
	says(404, "no_service at "+secret)
	p.Look(ctx)
	require.Equal(t, 2, attempts)
	require.Contains(t, log.String(), "no_service at …")
	now = now.Add(90 * time.Second) // the second wait is two minutes
	p.Look(ctx)
	require.Equal(t, 2, attempts)
	says(302, "")
	now = now.Add(30 * time.Second)
	p.Look(ctx)
	require.Equal(t, 3, attempts, "an answer that leads elsewhere is not followed")
	now = now.Add(time.Hour)
	says(200, "ok")
	p.Look(ctx)
	p.Look(ctx)
	require.Equal(t, 4, attempts)
	require.Equal(t, "2026-11", store.held["letter/managerstold"].Value)
	require.NotContains(t, log.String(), "s3cr3t")
	require.NotContains(t, log.String(), "sig=abc")
	require.InDelta(t, 3, testutil.ToFloat64(p.Metrics.attempts.WithLabelValues("managers", "failed")), 0)
	require.InDelta(t, 1, testutil.ToFloat64(p.Metrics.attempts.WithLabelValues("managers", "posted")), 0)
}

// A store that is down holds the letter back: who cannot note that it was taken would send it again and again.
func TestNoStoreNoLetter(t *testing.T) {
	store := &marks{held: map[string]incident.Mark{
		"a": {Source: "letter/x", Name: "since", Value: "2026-11-01T00:00:00Z"},
	}, err: errors.New("down")}
	p := New(Options{
		Store: store, Now: func() time.Time { return time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC) }, Logger: slog.New(slog.DiscardHandler),
		Metrics: NewMetrics(nil), Destinations: func() []Destination { return []Destination{{Name: "x", Zone: time.UTC}} },
		Letter: func(context.Context, string, measure.Question) (*letter.Letter, error) {
			t.Error("a letter was written")
			return nil, nil
		},
	})
	p.Look(context.Background())
}

type readAll struct{ *strings.Reader }

func (readAll) Close() error { return nil }
