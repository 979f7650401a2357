package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestCrash kills Meantime with SIGKILL in the middle of thousands of notifications, over each database. What it had
// acknowledged must be there after the restart, and once the senders have sent the rest again, as Alertmanager does,
// everything must be as if nothing had happened.
func TestCrash(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { crash(t, 10_000, "", "") })
	t.Run("PostgreSQL", func(t *testing.T) {
		postgres := servers.Postgres(t)
		crash(t, 2000, postgres.Database("calm"), postgres.Database("crash"))
	})
}

// crash sends n notifications to a Meantime that is left alone and to one that is killed, each with its own database.
func crash(t *testing.T, n int, calmDSN, crashDSN string) {
	const config = "windows: [90d]\nsources: []\n"
	now := time.Now().UTC().Truncate(time.Second)
	bodies, records := work(now, n)

	calm := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: calmDSN})
	for _, r := range records {
		calm.Must("PUT", "/api/v1/records/ours/"+r["id"].(string), r)
	}
	lost := send(calm, bodies, 0)
	require.Empty(t, lost)

	m := servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: crashDSN})
	for _, r := range records {
		m.Must("PUT", "/api/v1/records/ours/"+r["id"].(string), r)
	}
	lost = send(m, bodies, len(bodies)/3)
	require.Greater(t, len(lost), len(bodies)/10, "it was killed in the middle")
	require.Less(t, len(lost), len(bodies)*9/10, "it was killed in the middle")
	m.Restart()

	// Every acknowledged alert is there, and none twice.
	acknowledged := map[string]bool{}
	for i, b := range bodies {
		if !lost[i] {
			acknowledged[b.alert] = true
		}
	}
	servers.Eventually(t, soon, func() error {
		all, err := episodes(m)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, e := range all {
			n := e.Labels["alertname"]
			if seen[n] {
				t.Fatalf("alert %s is there twice", n)
			}
			seen[n] = true
		}
		missing := 0
		for n := range acknowledged {
			if !seen[n] {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d acknowledged alerts are not there", missing, len(acknowledged))
		}
		return nil
	})

	var rest []body
	for i := range lost {
		rest = append(rest, bodies[i])
	}
	require.Empty(t, send(m, rest, 0))
	servers.Eventually(t, soon, func() error {
		for _, m := range []*servers.MeantimeServer{calm, m} {
			all, err := episodes(m)
			if err != nil {
				return err
			}
			if len(all) != len(bodies)/2 {
				return fmt.Errorf("%d episodes, not %d", len(all), len(bodies)/2)
			}
		}
		if d := difference(facts(t, calm), facts(t, m)); d != "" {
			return fmt.Errorf("the metrics differ:\n%s", d)
		}
		return nil
	})
}

// unreceived are the families of figures that do not depend on when something was received: two runs receive at different times.
func unreceived(family string) bool {
	return figures(family) && family != "meantime_alert_lead_median_seconds"
}

// facts are the figures that do not depend on when something was received.
func facts(t testing.TB, m *servers.MeantimeServer) servers.Exposition {
	t.Helper()
	return scrape(t, m, unreceived).Keep(func(series string) bool { return !strings.Contains(series, `interval="notify"`) })
}

// body is one notification and the name of the alert in it.
type body struct {
	alert string
	text  []byte
}

// work is n notifications of n/2 alerts, a firing and a resolved one each, in random order, and a hundred records of
// incidents that some of the alerts belong to.
func work(now time.Time, n int) (bodies []body, records []map[string]any) {
	const incidents = 100
	for i := range incidents {
		start := now.Add(-time.Duration(i+1) * 12 * time.Hour)
		records = append(records, map[string]any{
			"id": fmt.Sprint(i), "title": fmt.Sprintf("Incident %d", i), "services": []string{fmt.Sprintf("service-%d", i%20)},
			"severity": "critical", "state": "resolved", "detected_by": "staff",
			"milestones": map[string]any{"started": start, "detected": start.Add(5 * time.Minute), "resolved": start.Add(time.Hour)},
		})
	}
	for i := range n / 2 {
		// Every other alert comes in the time of an incident of its service, the others half a day from any.
		k := i % incidents
		start := now.Add(-time.Duration(k+1)*12*time.Hour + time.Duration(i/incidents)*time.Second)
		if i%2 == 1 {
			start = start.Add(6 * time.Hour)
		}
		a := servers.Firing(fmt.Sprintf("Alert%d", i), fmt.Sprintf("service-%d", k%20), start)
		name := a.Labels["alertname"]
		bodies = append(bodies, body{name, servers.Notification(a)}, body{name, servers.Notification(a.Resolved(start.Add(20 * time.Minute)))})
	}
	rand.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	return bodies, records
}

// send sends notifications over 64 connections and returns which were not acknowledged. Once killAfter of them are, it
// kills the server; 0 means never.
func send(m *servers.MeantimeServer, bodies []body, killAfter int) (lost map[int]bool) {
	var next, acknowledged atomic.Int64
	var mu sync.Mutex
	lost = map[int]bool{}
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(bodies); i = int(next.Add(1)) - 1 {
				status, _, err := m.Do(http.MethodPost, "/webhook/alertmanager", bodies[i].text)
				if err != nil || status != http.StatusOK {
					mu.Lock()
					lost[i] = true
					mu.Unlock()
				} else if acknowledged.Add(1) == int64(killAfter) {
					go m.Kill()
				}
			}
		})
	}
	wg.Wait()
	return lost
}
