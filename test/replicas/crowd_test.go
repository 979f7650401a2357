package replicas

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"meantime/test/servers"
)

// soon bounds whatever the replicas do by themselves. It takes a second or two, and less than 20 where somebody died;
// machines that run tests are busy.
const soon = 90 * time.Second

// crowd is some replicas on one database.
type crowd struct {
	t        *testing.T
	postgres *servers.PostgresServer
	dsn      string
	replicas []*servers.MeantimeServer
}

func newCrowd(t *testing.T, n int, config string) *crowd {
	c := &crowd{t: t, postgres: servers.Postgres(t)}
	c.dsn = c.postgres.Database("meantime")
	for range n {
		c.replicas = append(c.replicas, servers.Meantime(t, servers.MeantimeOptions{Config: config, DSN: c.dsn}))
	}
	return c
}

// holder waits until one of the replicas that answer says that it holds the lease, and returns which. Those named are not asked.
func (c *crowd) holder(but ...int) (held int) {
	c.t.Helper()
	servers.Eventually(c.t, soon, func() error {
		var holders []int
		for i, m := range c.replicas {
			if slices.Contains(but, i) {
				continue
			}
			e, err := servers.Scrape(m.URL)
			if err != nil {
				return err
			}
			if e["meantime_lease_held"] == "1" {
				holders = append(holders, i)
			}
		}
		if len(holders) != 1 {
			return fmt.Errorf("replicas %v hold the lease", holders)
		}
		held = holders[0]
		return nil
	})
	return held
}

// same waits until all replicas show the same, and until ready says that it is what is waited for.
func (c *crowd) same(within time.Duration, ready func(servers.Exposition) error) {
	c.t.Helper()
	servers.Eventually(c.t, within, func() error {
		var all []servers.Exposition
		for _, m := range c.replicas {
			e, err := servers.Scrape(m.URL)
			if err != nil {
				return err
			}
			all = append(all, e)
		}
		for _, e := range all {
			if err := ready(e); err != nil {
				return err
			}
		}
		for i, e := range all[1:] {
			if d := difference(all[0].Keep(servers.OfAll), e.Keep(servers.OfAll)); d != "" {
				return fmt.Errorf("replica %d does not show what replica 0 does:\n%s", i+1, d)
			}
		}
		return nil
	})
}

// difference says what two expositions do not have in common. Sums may have been added up in another order.
func difference(want, got servers.Exposition) string {
	return servers.Difference(want, got, servers.Alike)
}
