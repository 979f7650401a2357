package replicas

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
			e, err := scrape(m)
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
func (c *crowd) same(within time.Duration, ready func(exposition) error) {
	c.t.Helper()
	servers.Eventually(c.t, within, func() error {
		var all []exposition
		for _, m := range c.replicas {
			e, err := scrape(m)
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
			if d := difference(all[0].keep(ofAll), e.keep(ofAll)); d != "" {
				return fmt.Errorf("replica %d does not show what replica 0 does:\n%s", i+1, d)
			}
		}
		return nil
	})
}

// exposition is a scrape: value by series, both as text.
type exposition map[string]string

// scrape reads /metrics.
func scrape(m *servers.MeantimeServer) (exposition, error) {
	status, text, err := m.Do(http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("a scrape is answered with status %d", status)
	}
	e := exposition{}
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" || line[0] == '#' {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		if cut < 0 {
			return nil, errors.New("a line without a value: " + line)
		}
		e[line[:cut]] = line[cut+1:]
	}
	return e, nil
}

// ofAll says of a series that every replica must show the same: all but what each process counts of itself.
func ofAll(series string) bool {
	if !strings.HasPrefix(series, "meantime_") {
		return false
	}
	for _, own := range []string{
		"meantime_webhook_", "meantime_api_", "meantime_web_", "meantime_source_", "meantime_config_", "meantime_build_info", "meantime_lease_held",
		"meantime_correlation_pass_", "meantime_correlation_incidents_", "meantime_correlation_episodes_", "meantime_correlation_failures_",
		"meantime_store_operation", "meantime_store_transaction_", "meantime_store_waiting_", "meantime_store_size_",
	} {
		if strings.HasPrefix(series, own) {
			return false
		}
	}
	return true
}

func (e exposition) keep(which func(series string) bool) exposition {
	out := exposition{}
	for k, v := range e {
		if which(k) {
			out[k] = v
		}
	}
	return out
}

// difference says in a few lines what two expositions do not have in common; empty where they are the same. Sums may have
// been added up in another order.
func difference(want, got exposition) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !ok {
			out = append(out, fmt.Sprintf("missing %s %s", k, want[k]))
		} else if !alike(v, want[k]) {
			out = append(out, fmt.Sprintf("%s is %s, not %s", k, v, want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			out = append(out, fmt.Sprintf("extra %s %s", k, got[k]))
		}
	}
	if len(out) > 10 {
		out = append(out[:10], fmt.Sprintf("and %d more", len(out)-10))
	}
	return strings.Join(out, "\n")
}

func alike(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return errors.Join(err1, err2) == nil && math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}
