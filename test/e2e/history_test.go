package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"meantime/test/servers"
)

// TestHistories tells one Meantime random histories: records that arrive late, in any order, twice, edited and
// withdrawn, and alerts from a pair of Alertmanagers in any order. Another is told at once what turned out to be true.
// Both must end with the same figures.
func TestHistories(t *testing.T) {
	const config = "windows: [28d, 90d]\nsources: []\ncorrelate: {open: {matchers: []}}\n" // incidents are those of records
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed %#x", seed), func(t *testing.T) {
			t.Parallel()
			now := time.Now().UTC().Truncate(time.Second)
			h := newHistory(rand.New(rand.NewPCG(seed, seed)), now, 40)

			truth := servers.Meantime(t, servers.MeantimeOptions{Config: config})
			for _, o := range h.truth {
				truth.Must(o.method, o.path, o.body)
			}
			told := servers.Meantime(t, servers.MeantimeOptions{Config: config})
			h.tell(t, told)

			servers.Eventually(t, soon, func() error {
				want, got := facts(t, truth), facts(t, told)
				// The truth is all there when its incidents and episodes are.
				incidents, err := incidents(truth)
				if err != nil {
					return err
				}
				episodes, err := episodes(truth)
				if err != nil {
					return err
				}
				if len(incidents) != h.incidents || len(episodes) != h.episodes {
					return fmt.Errorf("%d of %d incidents and %d of %d episodes are there yet", len(incidents), h.incidents, len(episodes), h.episodes)
				}
				if d := difference(want, got); d != "" {
					return fmt.Errorf("the figures differ (want what was told at once):\n%s", d)
				}
				return nil
			})
		})
	}
}

// op is one request.
type op struct {
	method, path string
	body         any
}

// history is what happened, told in two ways.
type history struct {
	random *rand.Rand
	// truth is what turned out to be true, each record and alert once.
	truth []op
	// strands are everything that was said on the way. Each must be told in order; among each other they mix.
	strands             [][]op
	incidents, episodes int
}

// newHistory makes a history of n incidents, each of its own service, with its alerts.
func newHistory(r *rand.Rand, now time.Time, n int) *history {
	h := &history{random: r}
	for i := range n {
		service := fmt.Sprintf("service-%d", i)
		start := now.Add(-time.Hour * time.Duration(24+r.IntN(24*60)))
		h.record(fmt.Sprint(i), service, start)
		h.alerts(service, start)
	}
	return h
}

// record adds the versions of a record.
func (h *history) record(id, service string, start time.Time) {
	path := "/api/v1/records/ours/" + id
	version := func() map[string]any {
		// What people type: the milestones they know, roughly, not always in order.
		milestones := map[string]any{}
		for _, m := range []string{"started", "detected", "acknowledged", "identified", "mitigated", "resolved"} {
			if h.random.IntN(4) > 0 {
				milestones[m] = start.Add(time.Duration(h.random.IntN(180)-10) * time.Minute)
			}
		}
		// So that no figure depends on when an alert was received.
		milestones["detected"] = start.Add(time.Duration(h.random.IntN(30)) * time.Minute)
		return map[string]any{
			"id": id, "title": "Incident " + id, "services": []string{service}, "milestones": milestones,
			"severity":    []string{"critical", "warning", "info"}[h.random.IntN(3)],
			"state":       []string{"resolved", "resolved", "open", "cancelled"}[h.random.IntN(4)],
			"kind":        []string{"incident", "incident", "incident", "drill"}[h.random.IntN(4)],
			"detected_by": []string{"alert", "customer", "staff", "third_party"}[h.random.IntN(4)],
		}
	}
	versions := make([]map[string]any, 1+h.random.IntN(4))
	for i := range versions {
		versions[i] = version()
		versions[i]["updated_at"] = start.Add(time.Duration(i+3) * time.Hour)
	}
	last := versions[len(versions)-1]
	puts := make([]op, 0, len(versions)+1)
	for _, v := range versions {
		puts = append(puts, op{http.MethodPut, path, v})
	}
	switch h.random.IntN(4) {
	case 0: // written by a source that does not say when: the order of arrival counts
		for _, v := range versions {
			delete(v, "updated_at")
		}
	case 1: // taken back in the end; versions from before that arrive later do not bring it back
		h.random.Shuffle(len(puts), func(i, j int) { puts[i], puts[j] = puts[j], puts[i] })
		at := 1 + h.random.IntN(len(puts))
		h.strands = append(h.strands, slices.Insert(puts, at, op{http.MethodDelete, path, nil}))
		return
	default: // in any order, some twice
		puts = append(puts, puts[h.random.IntN(len(puts))])
		h.random.Shuffle(len(puts), func(i, j int) { puts[i], puts[j] = puts[j], puts[i] })
	}
	h.strands = append(h.strands, puts)
	h.truth = append(h.truth, op{http.MethodPut, path, last})
	h.incidents++
}

// alerts adds alerts of a service around a time, each firing and resolved, from two Alertmanagers.
func (h *history) alerts(service string, start time.Time) {
	for i := range h.random.IntN(4) {
		from := start.Add(time.Duration(h.random.IntN(90)-30) * time.Minute)
		a := servers.Firing(fmt.Sprintf("Alert%d", i), service, from)
		end := a.Resolved(from.Add(time.Duration(1+h.random.IntN(60)) * time.Minute))
		const webhook = "/webhook/alertmanager"
		h.truth = append(h.truth, op{http.MethodPost, webhook, servers.Notification(a)}, op{http.MethodPost, webhook, servers.Notification(end)})
		for range 2 { // each Alertmanager
			h.strands = append(h.strands, []op{{http.MethodPost, webhook, servers.Notification(a)}}, []op{{http.MethodPost, webhook, servers.Notification(end)}})
		}
		h.episodes++
	}
}

// tell tells everything that was said, from several senders at once.
func (h *history) tell(t *testing.T, m *servers.MeantimeServer) {
	h.random.Shuffle(len(h.strands), func(i, j int) { h.strands[i], h.strands[j] = h.strands[j], h.strands[i] })
	queue := make(chan []op, len(h.strands))
	for _, s := range h.strands {
		queue <- s
	}
	close(queue)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for strand := range queue {
				for _, o := range strand {
					if status, answer, err := m.Do(o.method, o.path, o.body); err != nil || status/100 != 2 {
						t.Errorf("%s %s: status %d: %v %s", o.method, o.path, status, err, answer)
					}
				}
			}
		})
	}
	wg.Wait()
}
