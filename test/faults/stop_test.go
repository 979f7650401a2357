package faults

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestStopInPass asks Meantime to end at random moments of correlation passes of every size, on either database: in the pass
// over a whole day of many alerts after the start, and in one that a late alert begins. It ends with exit status 0 and gives
// the lease up.
func TestStopInPass(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { stopInPass(t, "", 6) })
	t.Run("PostgreSQL", func(t *testing.T) {
		stopInPass(t, servers.Postgres(t).Database("meantime"), 4)
	})
}

func stopInPass(t *testing.T, dsn string, stops int) {
	rng := rand.New(rand.NewPCG(7, 11))
	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: dsn})
	// Thousands of services in trouble that does not end: what takes correlation the longest.
	midnight := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -2)
	batch := func(from, n int) []byte {
		var alerts []servers.Alert
		for i := from; i < from+n; i++ {
			start := midnight.Add(time.Duration(rng.Int64N(int64(20 * time.Hour)))).Truncate(time.Second)
			a := servers.Firing(fmt.Sprint("Name", i), fmt.Sprint("service-", i), start)
			alerts = append(alerts, a)
		}
		return servers.Notification(alerts...)
	}
	for i := range 6 {
		m.Must("POST", "/webhook/alertmanager", batch(i*2500, 2500))
	}
	slowest := time.Duration(0)
	for i := range stops {
		// The first pass after a start, or one that a late alert begins.
		if i%2 == 1 {
			m.Must("POST", "/webhook/alertmanager", batch(100_000+i*100, 1+rng.IntN(100)))
		}
		time.Sleep(time.Duration(rng.Int64N(int64(3 * time.Second))))
		begun := time.Now()
		require.NoError(t, m.Stop(), "exit status 0, and in time") // Stop has a bound of its own
		slowest = max(slowest, time.Since(begun))
		require.NotContains(t, m.Log(), "Lease not given up")
		if dsn != "" {
			require.Empty(t, holder(t, dsn))
		}
		m.Restart()
	}
	t.Logf("the slowest stop took %s", slowest)
	require.Less(t, slowest, 10*time.Second)
	require.NoError(t, m.Stop())
}

// holder is who has the lease of a PostgreSQL store; empty for nobody.
func holder(t *testing.T, dsn string) string {
	t.Helper()
	psql, err := exec.LookPath("psql")
	if err != nil {
		servers.LeftOut(t, err.Error())
	}
	out, err := exec.Command(psql, "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", dsn, "-c", "SELECT holder FROM lease").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSpace(string(out))
}
