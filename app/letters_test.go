package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/letter"
	"meantime/letter/post"
	"meantime/measure"
)

// yearAnswered is a house with a year of records, and the answers over it.
func yearAnswered(t *testing.T, seed uint64) (*house, *answers) {
	h := newHouse(t, t.TempDir())
	h.yearOf(seed)
	c, err := config.Load("", []string{"A=b"})
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	return h, &answers{func() *config.Validated { return v }, h.db, h.app.now, func() string { return "https://ops.example.org/meantime" }}
}

// The figures of a letter are those of the report, and its incidents those of explain and of the counts.
func TestLetterTellsTheFigures(t *testing.T) {
	for seed := range uint64(3) {
		h, a := yearAnswered(t, seed)
		for _, q := range []measure.Question{{}, {Service: "checkout"}, {Severity: "critical", Zone: "Asia/Tokyo"}} {
			l, err := a.Letter(t.Context(), "2026-02", q)
			require.NoError(t, err)
			of := q
			of.Month = "2026-02"
			r, err := a.Report(t.Context(), of)
			require.NoError(t, err)
			g := &r.Groups[0]
			require.Equal(t, g.Now.Incidents, l.Incidents)
			require.Equal(t, g.Before.Incidents, l.Before)
			for i, f := range l.Figures {
				of.Interval = letter.Intervals[i].Interval
				e, err := a.Explain(t.Context(), of)
				require.NoError(t, err)
				require.Equal(t, e.Figures, *f.Now)
				require.Equal(t, e.Interval.Name, f.Interval)
				if f.Interval != "resolve" {
					continue
				}
				require.Len(t, l.Longest, len(e.Included))
				for k, x := range l.Longest {
					require.InDelta(t, e.Included[len(e.Included)-1-k].Seconds, x.Seconds, 0)
				}
			}
			require.Len(t, l.NotCaught, g.Now.Missed+g.Now.Late)
			require.NotEmpty(t, l.Unknown)
			require.Contains(t, l.Unknown[0].Ask, "whoever keeps its record, api ")
			require.Contains(t, l.Unknown[0].URL, "https://ops.example.org/meantime/incidents/")
		}
		_, err := a.Letter(t.Context(), "2026-02", measure.Question{Service: "chekout"})
		require.ErrorContains(t, err, "did you mean checkout?")
		h.close()
	}
}

// Of two replicas over one store, of which each holds the lease for a time and one begins anew, a webhook that refuses twice gets each
// month once.
func TestLetterOncePerPeriod(t *testing.T) {
	h, a := yearAnswered(t, 1)
	defer h.close()
	var got []letter.Letter
	refuse := 0
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if refuse > 0 {
			refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var l letter.Letter
		if json.Unmarshal(body, &l) == nil && r.Header.Get("Authorization") == "Bearer key" {
			got = append(got, l)
		}
	}))
	defer webhook.Close()
	replica := func() *post.Poster {
		return post.New(post.Options{
			Letter: a.Letter, Store: h.db, Now: h.app.now, Logger: slog.New(slog.DiscardHandler), Metrics: post.NewMetrics(nil),
			Destinations: func() []post.Destination {
				return []post.Destination{{
					Name: "managers", URL: func() string { return webhook.URL + "/secret" }, BearerToken: func() string { return "key" },
					Form: letter.FormJSON, Zone: time.UTC, After: 8 * time.Hour,
				}}
			},
		})
	}
	at := func(s string) {
		var err error
		h.now, err = time.Parse(time.DateTime, s)
		require.NoError(t, err)
	}
	ctx := context.Background()
	one, two := replica(), replica()
	at("2026-03-10 00:00:00")
	one.Look(ctx) // February was over before anybody wanted to know
	at("2026-04-01 07:59:59")
	one.Look(ctx)
	require.Empty(t, got)

	at("2026-04-01 08:00:00")
	refuse = 2
	one.Look(ctx)
	one.Look(ctx) // not at once
	require.Equal(t, 1, refuse)
	at("2026-04-01 08:01:00")
	one.Look(ctx)
	require.Zero(t, refuse)
	require.Empty(t, got)
	at("2026-04-01 08:03:00")
	two.Look(ctx) // the other holds the lease now
	require.Len(t, got, 1)
	require.Equal(t, "2026-03", got[0].Period)
	require.NotEmpty(t, got[0].Longest)
	two.Look(ctx)
	one.Look(ctx)
	at("2026-04-20 00:00:00")
	replica().Look(ctx) // begun anew
	one.Look(ctx)
	require.Len(t, got, 1)

	at("2026-05-01 08:00:00")
	one.Look(ctx)
	two.Look(ctx)
	require.Len(t, got, 2)
	require.Equal(t, "2026-04", got[1].Period)
}
