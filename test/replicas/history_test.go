package replicas

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/test/servers"
)

var (
	historyFor    = flag.Duration("history.for", 25*time.Second, "how long the history is")
	historySeed   = flag.Uint64("history.seed", 0, "draws what goes wrong; 0: another each time")
	historyWithin = flag.Duration("history.within", 20*time.Second, "how soon every replica must show what any has acknowledged; a machine that does nothing else holds 2s")
)

// registers are records of which only the length of the incident changes, and that only grows. A write adds one to it, and what
// a replica shows tells which write it has seen.
const registers = 6

// A write is a version of a register that was acknowledged.
type written struct {
	register, version int
	at                time.Time // when the answer was there
}

// A read is what one look at a replica showed, of all registers.
type read struct {
	replica    int
	way        string // how it was asked
	begun, end time.Time
	versions   [registers]int
}

// A disturbance is a time in which, and for a while after which, nothing is promised of how soon something is shown.
type disturbance struct {
	name       string
	begun, end time.Time
}

// history is all that was written and read.
type history struct {
	mu           sync.Mutex
	writes       []written
	reads        []read
	disturbances []disturbance
}

// check says what in a history cannot be: a look that shows less than an earlier one at the same replica, in the same way or
// through the store itself; one that shows what nobody wrote; and one that does not show what was acknowledged longer ago than
// within. slowest is the longest for which something acknowledged was not shown, with nothing to excuse it.
func (h *history) check(within, grace time.Duration, begunWrites *[registers]int) (wrong []string, slowest time.Duration) {
	type view struct {
		replica int
		way     string
	}
	high := map[view]*read{}
	reads := slices.SortedFunc(slices.Values(h.reads), func(a, b read) int { return a.begun.Compare(b.begun) })
	for i := range reads {
		r := &reads[i]
		v := view{r.replica, r.way}
		before := high[v]
		for k := range registers {
			if before != nil && !r.begun.Before(before.end) && r.versions[k] < before.versions[k] {
				wrong = append(wrong, fmt.Sprintf("replica %d by %s showed version %d of register %d at %s and %d at %s", r.replica, r.way, before.versions[k], k,
					before.end.Format("15:04:05.000"), r.versions[k], r.begun.Format("15:04:05.000")))
			}
			if r.versions[k] > begunWrites[k] {
				wrong = append(wrong, fmt.Sprintf("replica %d by %s showed version %d of register %d, and nobody wrote more than %d", r.replica, r.way, r.versions[k], k, begunWrites[k]))
			}
		}
		if before == nil || !r.begun.Before(before.end) {
			high[v] = r
		}
	}
	for _, w := range h.writes {
		for i := range reads {
			r := &reads[i]
			late := r.begun.Sub(w.at)
			if r.versions[w.register] >= w.version || late <= 0 || h.excused(w.at, r.begun, grace) {
				continue
			}
			slowest = max(slowest, late)
			if late > within {
				wrong = append(wrong, fmt.Sprintf("replica %d by %s showed version %d of register %d %s after version %d was acknowledged", r.replica, r.way,
					r.versions[w.register], w.register, late.Round(time.Millisecond), w.version))
			}
		}
	}
	return wrong, slowest
}

// excused says whether something was disturbed in a stretch of time, or shortly before it.
func (h *history) excused(from, to time.Time, grace time.Duration) bool {
	return slices.ContainsFunc(h.disturbances, func(d disturbance) bool { return !d.begun.After(to) && d.end.Add(grace).After(from) })
}

// TestHistoryCheck shows that histories that cannot be are found.
func TestHistoryCheck(t *testing.T) {
	begun := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return begun.Add(time.Duration(s * float64(time.Second))) }
	look := func(replica int, s float64, version int) read {
		return read{replica: replica, way: "metrics", begun: at(s), end: at(s + 0.1), versions: [registers]int{version}}
	}
	writes := []written{{0, 1, at(0)}, {0, 2, at(1)}}
	for _, c := range []struct {
		name string
		h    *history
		want string // in what is wrong; empty for nothing
	}{
		{"shown in time", &history{writes: writes, reads: []read{look(0, 0.5, 1), look(0, 1.5, 1), look(0, 2.5, 2), look(1, 2, 2)}}, ""},
		{"shown before it was acknowledged", &history{writes: writes, reads: []read{look(0, 0.5, 2)}}, ""},
		{"one is behind the other", &history{writes: writes, reads: []read{look(0, 1.1, 2), look(1, 1.4, 1)}}, ""},
		{"goes back", &history{writes: writes, reads: []read{look(0, 1.5, 2), look(0, 1.8, 1)}}, "showed version 2 of register 0"},
		{"two looks at once", &history{writes: writes, reads: []read{look(0, 1.5, 2), look(0, 1.55, 1)}}, ""},
		{"late", &history{writes: writes, reads: []read{look(0, 3.2, 1)}}, "2.2s after version 2 was acknowledged"},
		{"late, and excused", &history{writes: writes, reads: []read{look(0, 3.2, 1)}, disturbances: []disturbance{{"killed", at(2), at(2.5)}}}, ""},
		{"late, long after a disturbance", &history{writes: writes, reads: []read{look(0, 3.2, 1)}, disturbances: []disturbance{{"killed", at(-9), at(-8)}}}, "2.2s after"},
		{"nobody wrote it", &history{writes: writes, reads: []read{look(0, 1.5, 3)}}, "nobody wrote more than 2"},
	} {
		wrong, _ := c.h.check(2*time.Second, 3*time.Second, &[registers]int{2})
		if c.want == "" {
			require.Empty(t, wrong, c.name)
		} else {
			require.Contains(t, strings.Join(wrong, "\n"), c.want, c.name)
		}
	}
}

// TestHistory has three replicas on one PostgreSQL written to and looked at all the time, and killed, frozen and cut off from it
// meanwhile. After an answer of 2xx each must show it soon, and none may ever show less than before.
func TestHistory(t *testing.T) {
	c := newCrowd(t, 3, "windows: [90d]\nsources: []\n")
	c.holder()
	seed := *historySeed
	if seed == 0 {
		seed = rand.Uint64() >> 16
	}
	t.Logf("-history.seed=%d", seed)
	h := &history{}
	start := time.Now().UTC().Add(-60 * 24 * time.Hour).Truncate(time.Second)
	done := make(chan struct{})
	over := func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
	var begunWrites [registers]int
	var wg sync.WaitGroup
	for i := range registers {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for v := 1; !over(); v++ {
				begunWrites[i] = v
				body := version(i, v, start)
				for {
					status, answer, err := c.replicas[r.IntN(3)].Do(http.MethodPut, fmt.Sprintf("/api/v1/records/ours/%d", i), body)
					if err == nil && status/100 == 2 {
						break
					}
					if err == nil && status < 500 {
						t.Errorf("version %d of register %d is refused: %d %s", v, i, status, answer)
						return
					}
					if over() {
						return
					}
					time.Sleep(50 * time.Millisecond)
				}
				h.mu.Lock()
				h.writes = append(h.writes, written{i, v, time.Now()})
				h.mu.Unlock()
				time.Sleep(time.Duration(r.IntN(600)) * time.Millisecond)
			}
		})
	}
	for i := range c.replicas {
		for way, look := range map[string]func(*servers.MeantimeServer) ([registers]int, error){"/metrics": byMetrics, "/api/v1/incidents": byAPI} {
			wg.Go(func() {
				for !over() {
					begun := time.Now()
					if got, err := look(c.replicas[i]); err == nil {
						h.mu.Lock()
						h.reads = append(h.reads, read{i, way, begun, time.Now(), got})
						h.mu.Unlock()
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		}
	}
	disturb(c, h, rand.New(rand.NewPCG(seed, 99)), time.Now().Add(*historyFor))
	close(done)
	wg.Wait()
	wrong, slowest := h.check(*historyWithin, 25*time.Second, &begunWrites)
	t.Logf("%d writes, %d looks, %d disturbances; undisturbed, all was shown within %s", len(h.writes), len(h.reads), len(h.disturbances), slowest.Round(time.Millisecond))
	assert.Empty(t, wrong[:min(len(wrong), 10)])
	require.Greater(t, len(h.writes), registers)
	// What comes last is shown as well.
	c.same(soon, func(e servers.Exposition) error {
		for i := range registers {
			if got := shownBy(e, i); got < lastOf(h.writes, i) {
				var all []string
				for k, r := range c.replicas {
					m, err1 := byMetrics(r)
					a, err2 := byAPI(r)
					all = append(all, fmt.Sprintf("replica %d: /metrics %v %v, /api/v1/incidents %v %v", k, m, err1, a, err2))
				}
				return fmt.Errorf("register %d is at version %d, not %d\n%s", i, got, lastOf(h.writes, i), strings.Join(all, "\n"))
			}
		}
		return nil
	})
}

// disturb does something to one replica after the other, or to the database, until a time. Between them lies time enough for
// something to be promised again.
func disturb(c *crowd, h *history, r *rand.Rand, end time.Time) {
	c.t.Helper()
	for n := 0; ; n++ {
		pause := 4 * time.Second // the first: nothing has happened yet
		if n > 0 {
			pause = 30*time.Second + time.Duration(r.IntN(15000))*time.Millisecond
		}
		if time.Now().Add(pause).After(end) && n > 0 {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(pause)
		i := r.IntN(3)
		if r.IntN(2) == 0 {
			i = c.holder()
		}
		d := disturbance{begun: time.Now()}
		switch kind := r.IntN(4); {
		case kind == 0 && n > 0:
			d.name = "the database stops"
			c.postgres.StopAtOnce()
			time.Sleep(time.Duration(r.IntN(20)) * time.Second) // in half of them longer than a lease is
			c.postgres.Restart()
		case kind == 1 && n > 0:
			d.name = fmt.Sprintf("replica %d freezes", i)
			c.replicas[i].Signal(syscall.SIGSTOP)
			time.Sleep(time.Duration(5+r.IntN(15)) * time.Second)
			c.replicas[i].Signal(syscall.SIGCONT)
		case kind == 2 && n > 0:
			d.name = fmt.Sprintf("replica %d stops", i)
			if err := c.replicas[i].Stop(); err != nil {
				c.t.Errorf("replica %d: %v", i, err)
			}
			c.replicas[i].Restart()
		default:
			d.name = fmt.Sprintf("replica %d is killed", i)
			c.replicas[i].Kill()
			c.replicas[i].Restart()
		}
		d.end = time.Now()
		c.t.Logf("%s, for %s", d.name, d.end.Sub(d.begun).Round(time.Millisecond))
		h.mu.Lock()
		h.disturbances = append(h.disturbances, d)
		h.mu.Unlock()
	}
}

// version is a version of a register; the incident of each lasts a minute longer than that before.
func version(register, version int, start time.Time) map[string]any {
	at := start.Add(time.Duration(register) * 48 * time.Hour) // too far apart to be one incident
	return map[string]any{
		"title": fmt.Sprint("Register ", register), "services": []string{fmt.Sprint("register-", register)}, "severity": "critical", "state": "resolved",
		"detected_by": "staff", "updated_at": start.Add(30*24*time.Hour + time.Duration(version)*time.Second),
		"milestones": map[string]any{"started": at, "detected": at.Add(time.Second), "resolved": at.Add(time.Duration(version) * time.Minute)},
	}
}

func lastOf(writes []written, register int) (version int) {
	for _, w := range writes {
		if w.register == register {
			version = max(version, w.version)
		}
	}
	return version
}

// shownBy is the version of a register that figures show.
func shownBy(e servers.Exposition, register int) int {
	seconds, err := strconv.ParseFloat(e[fmt.Sprintf(`meantime_interval_max_seconds{affected_service="register-%d",interval="resolve",severity="",window="90d"}`, register)], 64)
	if err != nil {
		return 0
	}
	return int(seconds) / 60
}

func byMetrics(m *servers.MeantimeServer) (got [registers]int, err error) {
	e, err := servers.Scrape(m.URL)
	if err != nil {
		return got, err
	}
	for i := range got {
		got[i] = shownBy(e, i)
	}
	return got, nil
}

func byAPI(m *servers.MeantimeServer) (got [registers]int, err error) {
	type milestones map[incident.MilestoneName]struct {
		At time.Time `json:"at"`
	}
	status, answer, err := m.Do(http.MethodGet, "/api/v1/incidents?limit=500", nil)
	if err != nil || status != http.StatusOK {
		return got, fmt.Errorf("%d %s: %w", status, answer, err)
	}
	var page struct {
		Incidents []struct {
			Services   []string   `json:"services"`
			Milestones milestones `json:"milestones"`
		} `json:"incidents"`
	}
	if err := json.Unmarshal(answer, &page); err != nil {
		return got, err
	}
	for _, in := range page.Incidents {
		for i := range got {
			if slices.Contains(in.Services, fmt.Sprint("register-", i)) {
				got[i] = int(in.Milestones[incident.Resolved].At.Sub(in.Milestones[incident.Started].At) / time.Minute)
			}
		}
	}
	return got, nil
}
