package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestExamples runs the configuration that `make run` runs, and holds the five example incidents to their true figures.
func TestExamples(t *testing.T) {
	m := servers.Meantime(t, servers.MeantimeOptions{
		Args: []string{"--config.file=" + filepath.Join(servers.Root(t), "examples", "meantime.yml")},
		DSN:  "sqlite:" + filepath.Join(t.TempDir(), "examples.db"),
	})
	var all []incident
	servers.Eventually(t, soon, func() error {
		var err error
		if all, err = incidents(m); err == nil && len(all) != 5 {
			err = fmt.Errorf("there are %d incidents", len(all))
		}
		return err
	})
	byID := func(id string) incident {
		t.Helper()
		for _, i := range all {
			if len(i.Records) == 1 && i.Records[0].ID == id {
				return i
			}
		}
		t.Fatalf("no incident of the example record %s", id)
		return incident{}
	}
	missing := measurement{Status: "missing"}

	logto := byID("2024-07-18-sign-in")
	require.Equal(t, recorded(31*time.Minute), logto.Measurements["detect"])
	require.Equal(t, recorded(3*time.Minute), logto.Measurements["acknowledge"])
	require.Equal(t, recorded(35*time.Minute), logto.Measurements["resolve"])
	require.Equal(t, recorded(12*time.Minute), logto.Measurements["identify"])
	require.True(t, logto.Milestones["identified"].At.After(logto.Milestones["resolved"].At), "it healed itself before the cause was known")

	crates := byID("2020-02-20-index")
	require.Equal(t, recorded(11*time.Minute), crates.Measurements["detect"])
	require.Equal(t, recorded(91*time.Minute), crates.Measurements["resolve"])

	slack := byID("2020-05-12-stale-backends")
	require.Equal(t, missing, slack.Measurements["detect"])
	require.Equal(t, missing, slack.Measurements["resolve"])

	habitissimo := byID("2016-10-11-database-connections")
	require.Equal(t, time.Date(2016, 10, 11, 12, 50, 0, 0, time.UTC), habitissimo.Milestones["detected"].At)

	fly := byID("2023-08-08-registry")
	require.Len(t, fly.Impacts, 3, "two relapses")
	require.Equal(t, missing, fly.Measurements["detect"])
	require.Equal(t, missing, fly.Measurements["resolve"])
	require.NotContains(t, fly.Milestones, "started")
	require.NotContains(t, fly.Milestones, "resolved")

	for _, i := range all {
		require.NotEqual(t, "alert", i.DetectedBy, i.Title)
		require.Empty(t, i.Links, i.Title)
		require.True(t, i.MissedDetection, i.Title)
	}

	// The same in the metrics: MTTD over Logto and crates.io, n beside it, and the unknown ones counted as such.
	servers.Eventually(t, soon, func() error {
		got := scrape(t, m, figures)
		for series, want := range map[string]string{
			`meantime_interval_mean_seconds{affected_service="",interval="detect",severity="",window="15y"}`:                 "1260",
			`meantime_measurements{affected_service="",interval="detect",severity="",status="recorded",window="15y"}`:        "2",
			`meantime_alert_recall_ratio{affected_service="",severity="",window="15y"}`:                                      "0",
			`meantime_incidents{affected_service="",detected_by="alert",severity="",window="15y"}`:                           "0",
			`meantime_measurements{affected_service="",interval="detect",severity="",status="missing",window="15y"}`:         "3",
			`meantime_interval_median_seconds{affected_service="",interval="detect",severity="",window="15y"}`:               "1260",
			`meantime_measurements{affected_service="",interval="resolve",severity="",status="not_applicable",window="15y"}`: "0",
		} {
			if got[series] != want {
				return fmt.Errorf("%s is %q, not %s", series, got[series], want)
			}
		}
		return nil
	})
}
