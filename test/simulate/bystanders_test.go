package simulate

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"meantime/incident"
	"meantime/test/servers"
)

const configText = `
windows: [7d]
sources: []
figures: {settle: 20s}
alertmanagers: [{url: "http://alertmanager.example.org", reconcile_every: 11s}]
prometheuses: [{url: "http://prometheus.example.org"}]
watchdogs: [{matchers: ['alertname="Watchdog"'], every: 1h}]
correlate: {open: {matchers: ['severity="critical"'], group_by: [service], quiet: 10m}}
`

// settleTime is how long nothing happens before everything is looked at: longer than an incident of those below takes to
// settle, and than anything that is retried waits.
const settleTime = 100 * time.Second

// bystander is everybody who talks to the replicas, and what they were told.
type bystander struct {
	world *world

	mu       sync.Mutex
	open     map[string]bool // what is not acknowledged yet
	alerts   []*alert
	records  map[string]incident.Record // the newest version of each that was acknowledged
	reviews  map[string]bool            // that were acknowledged
	closing  atomic.Bool                // nothing new is said
	ended    atomic.Bool                // everybody goes home
	versions [registers]atomic.Int64    // the newest version of each register that was acknowledged
	high     [replicas][registers]int64 // the newest that each replica has shown
}

// registers are records of which only the length of the incident changes, and that only grows: whoever shows a shorter one
// than before has gone back.
const registers = 4

// alert is one alert of one firing.
type alert struct {
	servers.Alert
	ends      time.Time
	told      bool // acknowledged as firing
	toldEnd   bool // and as resolved
	condition time.Time
}

// draws is somebody's own source of chance.
func (b *bystander) draws(who string) *rand.Rand {
	h := uint64(14695981039346656037)
	for _, c := range []byte(who) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(b.world.seed, h))
}

func upTo(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }

// populate sends everybody out.
func (b *bystander) populate() {
	b.open, b.records, b.reviews = map[string]bool{}, map[string]incident.Record{}, map[string]bool{}
	for i := range 24 {
		go b.fire(i)
	}
	for i := range registers {
		go b.write(i)
	}
	go b.review()
	for i := range replicas {
		go b.read(i)
	}
}

// say says something until it is acknowledged, to one replica or the other, now and then again although it was.
func (b *bystander) say(r *rand.Rand, name, method, path, body string, heard func()) {
	b.mu.Lock()
	b.open[name] = true
	b.mu.Unlock()
	again := r.IntN(5) == 0
	for {
		to := r.IntN(replicas)
		lost := r.IntN(25) == 0 && !b.world.calm.Load()
		status, text := b.world.answer(to, method, path, body)
		if b.ended.Load() {
			return
		}
		switch {
		case status/100 == 2 && lost:
		case status/100 == 2:
			heard()
			if again {
				again = false
				time.Sleep(upTo(r, 10*time.Second))
				continue
			}
			b.mu.Lock()
			delete(b.open, name)
			b.mu.Unlock()
			return
		case status/100 == 4 && status != http.StatusNotFound && status != http.StatusRequestTimeout:
			b.world.hub.breaks("%s is refused: %d %s", name, status, text)
			return
		}
		time.Sleep(100*time.Millisecond + upTo(r, 3*time.Second))
	}
}

func (b *bystander) allSaid() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.open) == 0
}

func (b *bystander) unsaid() (names []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for name := range b.open {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// fire is an alert that fires now and then.
func (b *bystander) fire(i int) {
	r := b.draws(fmt.Sprint("alert ", i))
	ctx := b.world.hub // the truth, without the way there
	for n := 0; ; n++ {
		time.Sleep(upTo(r, 60*time.Second) + time.Second)
		if b.closing.Load() {
			return
		}
		start := time.Now().UTC().Truncate(time.Millisecond)
		a := &alert{Alert: servers.Firing([]string{"Errors", "Slow", "Full"}[i%3], fmt.Sprint("service-", i%5), start)}
		a.Labels["instance"] = fmt.Sprint("host-", i)
		if i%3 == 1 {
			a.Labels["severity"] = "warning"
		}
		a.Fingerprint = incident.Fingerprint(a.Labels)
		a.condition = start.Add(-30 * time.Second).Truncate(time.Second)
		a.ends = start.Add(5*time.Second + upTo(r, 50*time.Second)).Truncate(time.Millisecond)
		b.mu.Lock()
		b.alerts = append(b.alerts, a)
		b.mu.Unlock()
		tell := func(after time.Duration, what servers.Alert, heard func()) {
			mine := b.draws(fmt.Sprint("alert ", i, " ", n, " ", what.Status, after))
			go func() {
				time.Sleep(after)
				b.say(mine, fmt.Sprintf("alert %d, firing %d, %s", i, n, what.Status), http.MethodPost, "/webhook/alertmanager", string(servers.Notification(what)), func() {
					heard()
					ctx.mustHold(a)
				})
			}()
		}
		tell(upTo(r, 6*time.Second), a.Alert, func() { a.told = true })
		time.Sleep(time.Until(a.ends))
		// Out of order as well: the end may be under way for less long than the beginning.
		tell(upTo(r, 20*time.Second), a.Resolved(a.ends), func() { a.toldEnd = true })
		time.Sleep(61 * time.Second) // so that the next is another episode
	}
}

// write writes newer and newer versions of a register.
func (b *bystander) write(i int) {
	r := b.draws(fmt.Sprint("register ", i))
	start := epoch.Add(-time.Duration(i+1) * 9 * time.Hour)
	for n := 1; ; n++ {
		time.Sleep(2*time.Second + upTo(r, 8*time.Second))
		if b.closing.Load() {
			return
		}
		rec := map[string]any{
			"title": fmt.Sprint("Register ", i), "services": []string{fmt.Sprint("register-", i)}, "severity": "critical", "state": "resolved", "detected_by": "staff",
			"updated_at": epoch.Add(-time.Hour).Add(time.Duration(n) * time.Second),
			"milestones": map[string]any{"started": start, "detected": start.Add(time.Minute), "resolved": start.Add(time.Duration(5+n) * time.Minute)},
		}
		body, err := json.Marshal(rec)
		if err != nil {
			panic(err) // texts and times
		}
		key := incident.RecordKey{Source: "ours", ID: fmt.Sprint("register-", i)}
		b.say(r, fmt.Sprintf("version %d of register %d", n, i), http.MethodPut, "/api/v1/records/"+key.String(), string(body), func() {
			b.world.hub.mustHoldRecord(key, start.Add(time.Duration(5+n)*time.Minute))
			b.versions[i].Store(max(b.versions[i].Load(), int64(n)))
			acked := time.Now()
			go b.expect(i, int64(n), acked)
		})
	}
}

// shownWithin is how soon every replica shows what any has acknowledged, where nothing goes wrong.
const shownWithin = 2 * time.Second

// grace is how long after the last fault that is promised again: a lease has to end, and what failed is tried again.
const grace = 45 * time.Second

// expect looks whether a version of a register is shown in time, by all.
func (b *bystander) expect(i int, version int64, acked time.Time) {
	time.Sleep(shownWithin)
	w := b.world
	if !w.calm.Load() || acked.Sub(w.calmSince) < grace || b.ended.Load() {
		return
	}
	for k := range replicas {
		if got := b.look(k, i); got >= 0 && got < version {
			w.hub.breaks("replica %d shows version %d of register %d %s after version %d was acknowledged", k, got, i, shownWithin, version)
		}
	}
}

// look is the version of a register that a replica shows; 0 for none, and -1 where it does not answer.
func (b *bystander) look(replica, register int) int64 {
	got, ok := b.scrape(replica)
	if !ok {
		return -1
	}
	return got[register]
}

// scrape are the versions of all registers that a replica shows.
func (b *bystander) scrape(replica int) (got [registers]int64, ok bool) {
	status, text := b.world.answer(replica, http.MethodGet, "/metrics", "")
	if status != http.StatusOK {
		return got, false
	}
	for i := range registers {
		prefix := fmt.Sprintf(`meantime_interval_max_seconds{affected_service="register-%d",interval="resolve",severity="",window="7d"} `, i)
		if _, rest, found := strings.Cut(text, "\n"+prefix); found {
			line, _, _ := strings.Cut(rest, "\n")
			seconds, err := strconv.ParseFloat(line, 64)
			if err != nil {
				b.world.hub.breaks("replica %d shows %q", replica, line)
			}
			got[i] = int64(seconds)/60 - 5
		}
	}
	return got, true
}

// read looks at a replica again and again: nothing that it showed may go back.
func (b *bystander) read(replica int) {
	r := b.draws(fmt.Sprint("reader ", replica))
	for !b.ended.Load() {
		time.Sleep(time.Second + upTo(r, 4*time.Second))
		got, ok := b.scrape(replica)
		if !ok {
			continue
		}
		for i := range registers {
			if got[i] < b.high[replica][i] {
				b.world.hub.breaks("replica %d shows version %d of register %d after version %d", replica, got[i], i, b.high[replica][i])
			}
			b.high[replica][i] = max(b.high[replica][i], got[i])
		}
	}
}

// review is a person who decides things about the incidents of the registers.
func (b *bystander) review() {
	r := b.draws("reviewer")
	for n := 0; ; n++ {
		time.Sleep(5*time.Second + upTo(r, 15*time.Second))
		if b.closing.Load() {
			return
		}
		i := r.IntN(registers)
		start := epoch.Add(-time.Duration(i+1) * 9 * time.Hour)
		id := fmt.Sprint("review-", n)
		body, err := json.Marshal(map[string]any{
			"id": id, "by": "ada", "reason": "The log says so", "action": "set_milestone", "at": epoch.Add(time.Duration(n) * time.Second),
			"incident":  incident.RecordID(incident.RecordKey{Source: "ours", ID: fmt.Sprint("register-", i)}),
			"milestone": "acknowledged", "time": start.Add(time.Minute + time.Duration(n)*time.Second),
		})
		if err != nil {
			panic(err)
		}
		b.say(r, id, http.MethodPost, "/api/v1/reviews", string(body), func() {
			b.world.hub.mustHoldReview(id)
			b.mu.Lock()
			b.reviews[id] = true
			b.mu.Unlock()
		})
	}
}

// RoundTrip is Alertmanager's and Prometheus' answer to who polls them.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(3 * time.Millisecond)
	rec := httptest.NewRecorder()
	rec.Header().Set("Content-Type", "application/json")
	switch n := time.Now().UnixNano() % 3; {
	case w.amBroken.Load() && n == 0:
		return nil, fmt.Errorf("connection refused")
	case w.amBroken.Load() && n == 1:
		rec.Code = http.StatusInternalServerError
	case w.amBroken.Load():
		_, _ = rec.WriteString(`[{"labels":`)
	default:
		if err := json.NewEncoder(rec).Encode(w.polled(r)); err != nil {
			return nil, err
		}
	}
	res := rec.Result()
	res.Request = r
	return res, nil
}

// polled is what the servers say.
func (w *world) polled(r *http.Request) any {
	now := time.Now()
	w.bystander.mu.Lock()
	defer w.bystander.mu.Unlock()
	switch r.URL.Host + r.URL.Path {
	case "alertmanager.example.org/api/v2/alerts":
		list := []any{}
		for _, a := range w.alerts {
			if !now.Before(a.ends) {
				continue
			}
			list = append(list, map[string]any{
				"labels": a.Labels, "annotations": a.Annotations, "startsAt": a.StartsAt, "updatedAt": now.Truncate(time.Second), "endsAt": now.Add(4 * time.Minute),
				"fingerprint": a.Fingerprint, "receivers": []any{map[string]any{"name": "meantime"}},
				"status": map[string]any{"state": "active", "silencedBy": []any{}, "inhibitedBy": []any{}},
			})
		}
		return list
	case "alertmanager.example.org/api/v2/status":
		return map[string]any{"config": map[string]any{"original": "route: {receiver: meantime}\nreceivers: [{name: meantime, webhook_configs: [{url: \"http://meantime/webhook/alertmanager\"}]}]\n"}}
	case "alertmanager.example.org/api/v2/silences":
		return []any{}
	case "prometheus.example.org/api/v1/label/__name__/values": // it counts no calls between services
		return map[string]any{"status": "success", "data": []any{}}
	case "prometheus.example.org/api/v1/query":
		result := []any{}
		for _, a := range w.alerts {
			result = append(result, map[string]any{"metric": a.Labels, "value": []any{now.Unix(), fmt.Sprint(a.condition.Unix())}})
		}
		return map[string]any{"status": "success", "data": map[string]any{"resultType": "vector", "result": result}}
	}
	return map[string]any{"status": "success", "data": map[string]any{"groups": []any{}}}
}
