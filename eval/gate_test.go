package main

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what correlation gives now as the baseline")

// gate are the figures that are held, as means over the organisations of a profile, each with how far it may be from its
// baseline. One incident that flips moves one organisation's figure by much and a mean by little.
var gate = map[string]float64{
	"link_f1": 0.02, "link_precision": 0.03, "link_recall": 0.03, "episodes_exact_f1": 0.001, "duplicates_f1": 0.05,
	"opened_false_alarms": 0.5, "missed_wrong": 0.34,
}

// What correlation makes of invented organisations is what it made of them when the baseline was written. Where a change is
// meant to move a figure, the baseline moves in the same commit: go test ./eval -run TestGate -update.
func TestGate(t *testing.T) {
	const baseline = "testdata/baseline.json"
	name := filepath.Join(t.TempDir(), "figures.json")
	require.NoError(t, run(options{json: name, profiles: "busy,storm,calm,plain,field", seeds: 3, first: 1}, nil))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	var results []result
	require.NoError(t, json.Unmarshal(b, &results))
	got, n := map[string]map[string]float64{}, map[string]float64{}
	for _, r := range results {
		profile, _, _ := strings.Cut(r.Set, "-")
		key := profile + ", " + r.Configured
		if got[key] == nil {
			got[key] = map[string]float64{}
		}
		n[key]++
		for figure := range gate {
			v, ok := r.Figures[figure]
			require.True(t, ok, "%s of %s", figure, r.Set)
			got[key][figure] += v
		}
	}
	for key := range got {
		for figure := range gate {
			got[key][figure] = math.Round(got[key][figure]/n[key]*1e4) / 1e4
		}
	}
	if *update {
		b, err := json.MarshalIndent(got, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(baseline), 0o755))
		require.NoError(t, os.WriteFile(baseline, append(b, '\n'), 0o644))
	}
	b, err = os.ReadFile(baseline)
	require.NoError(t, err)
	var want map[string]map[string]float64
	require.NoError(t, json.Unmarshal(b, &want))
	require.Len(t, got, len(want))
	for key, figures := range want {
		for figure, tolerance := range gate {
			require.InDelta(t, figures[figure], got[key][figure], tolerance, "%s of %s", figure, key)
		}
	}
}
