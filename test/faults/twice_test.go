package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestEverythingTwice has two Alertmanagers that do not know each other send everything to two replicas, so that each
// notification comes four times, while one replica is killed and comes back. Each alert is there once, with its end, and
// the replicas agree.
func TestEverythingTwice(t *testing.T) {
	t.Parallel()
	dsn := servers.Postgres(t).Database("meantime")
	replicas := []*servers.MeantimeServer{
		servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: dsn}),
		servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: dsn}),
	}
	route := fmt.Sprintf(`
route: {receiver: meantime, group_by: ['...'], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: meantime, webhook_configs: [{url: %q, send_resolved: true}, {url: %q, send_resolved: true}]}]
`, replicas[0].URL+"/webhook/alertmanager", replicas[1].URL+"/webhook/alertmanager")
	pair := []*servers.AlertmanagerServer{
		servers.Alertmanager(t, servers.AlertmanagerOptions{Config: route}),
		servers.Alertmanager(t, servers.AlertmanagerOptions{Config: route}),
	}
	const part = 100
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	names := map[string]bool{}
	alerts := func(from int, ended bool) {
		var list []map[string]any
		for i := from; i < from+part; i++ {
			name := fmt.Sprint("A", i)
			names[name] = true
			a := map[string]any{"startsAt": start, "labels": map[string]string{"alertname": name, "service": "checkout", "severity": "warning"}}
			if ended {
				a["endsAt"] = time.Now().UTC().Add(-time.Second)
			}
			list = append(list, a)
		}
		for _, am := range pair {
			tell(t, am, list)
		}
	}
	// ended waits until all of the first part have their end.
	ended := func(m *servers.MeantimeServer) {
		servers.Eventually(t, soon, func() error {
			all, err := ends(m)
			if err != nil {
				return err
			}
			for i := range part {
				if end := all[fmt.Sprint("A", i)]; end.IsZero() {
					return fmt.Errorf("A%d has not ended", i)
				}
			}
			return nil
		})
	}

	alerts(0, false)
	requireEpisodes(t, replicas[0], names)
	replicas[1].Kill()
	alerts(part, false)
	alerts(0, true)
	requireEpisodes(t, replicas[0], names)
	ended(replicas[0])
	replicas[1].Restart()
	alerts(2*part, false)
	for _, m := range replicas {
		requireEpisodes(t, m, names)
		ended(m)
	}
	all, err := ends(replicas[1])
	require.NoError(t, err)
	require.Len(t, all, 3*part)
	for _, m := range replicas {
		require.NoError(t, m.Stop())
	}
}
