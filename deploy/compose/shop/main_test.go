package main

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var opened = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestBreaks(t *testing.T) {
	s := shop{every: 10 * time.Minute, broken: 3 * time.Minute, opened: opened}
	for _, c := range []struct {
		service int
		at      time.Duration
		total   time.Duration
		down    bool
	}{
		{0, -time.Minute, 0, false},
		{0, 7*time.Minute - time.Second, 0, false},
		{0, 7 * time.Minute, 0, true},
		{0, 8 * time.Minute, time.Minute, true},
		{0, 10 * time.Minute, 3 * time.Minute, false},
		{1, 10 * time.Minute, 0, false},
		{1, 17 * time.Minute, 0, true},
		{2, 29 * time.Minute, 2 * time.Minute, true},
		{2, 30 * time.Minute, 3 * time.Minute, false},
		{0, 30 * time.Minute, 3 * time.Minute, false},
		{0, 38 * time.Minute, 4 * time.Minute, true},
		{1, 38 * time.Minute, 3 * time.Minute, false},
	} {
		total, down := s.breaks(c.service, opened.Add(c.at))
		require.Equal(t, c.total, total, "%s after %s", services[c.service], c.at)
		require.Equal(t, c.down, down, "%s after %s", services[c.service], c.at)
	}
}

// One service at most is down, and counters never fall.
func TestBreaksLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := shop{opened: opened}
		s.broken = time.Duration(rapid.IntRange(1, 1000).Draw(t, "broken")) * time.Second
		s.every = s.broken + time.Duration(rapid.IntRange(1, 1000).Draw(t, "well"))*time.Second
		at := time.Duration(rapid.IntRange(0, 100_000).Draw(t, "at")) * time.Second
		later := time.Duration(rapid.IntRange(0, 10_000).Draw(t, "later")) * time.Second
		down := 0
		for i := range services {
			before, is := s.breaks(i, opened.Add(at))
			after, _ := s.breaks(i, opened.Add(at+later))
			require.GreaterOrEqual(t, after, before)
			require.LessOrEqual(t, after-before, later)
			if is {
				down++
			}
		}
		require.LessOrEqual(t, down, 1)
	})
}

func TestWrite(t *testing.T) {
	s := shop{every: 10 * time.Minute, broken: 3 * time.Minute, opened: opened}
	var b strings.Builder
	s.write(&b, opened.Add(8*time.Minute))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(b.String()))
	require.NoError(t, err)
	require.Len(t, families["shop_requests_total"].Metric, 2*len(services))
	require.Contains(t, b.String(), `shop_requests_total{service="checkout",code="500"} 1200`)
	require.Contains(t, b.String(), `shop_requests_total{service="payments",code="500"} 0`)
	require.Contains(t, b.String(), `shop_request_duration_seconds{service="checkout"} 2.5`)
	require.Contains(t, b.String(), `shop_request_duration_seconds{service="search"} 0.12`)
}
