package invent

import (
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

type window struct{ from, to time.Time }

// trouble is one incident, drill or recorded maintenance.
type trouble struct {
	id, kind                     string
	root                         *service
	hit                          map[*service]time.Duration // services with the delay at which it reached them
	order                        []*service
	regions                      []string
	windows                      []window
	started, detected            time.Time
	acknowledged, identified     time.Time
	mitigated, resolved          time.Time
	by                           string
	unseen, slow, recorded, late bool
	records                      []string

	noticedLate, long bool
	came              time.Time // when people did, where that was late
	chain, title      string
	like              *trouble      // it comes back as this one was
	length            time.Duration // where it is decided
	flares            []window      // after the first
}

// episode is one firing of one alert.
type episode struct {
	id          string
	labels      map[string]string
	fingerprint string
	service     *service
	rule        rule
	condition   time.Time
	start, end  time.Time
	trouble     *trouble
	also        []string
	why         string
	visible     bool
	seenStart   time.Time
	seenEnd     time.Time
	notified    time.Time
	replica     time.Duration // how much later the other Prometheus fires
}

// rule is an alerting rule.
type rule struct {
	name, severity, by string
	wait               time.Duration // its `for`
	smooth             time.Duration // how long its expression looks back
	every              time.Duration
	slow               bool
	levels             string
}

var ruleBook = []rule{
	{"ErrorRatioHigh", "critical", "own", 2 * time.Minute, 2 * time.Minute, 30 * time.Second, false, "edge middle"},
	{"BurnRateFast", "critical", "own", 2 * time.Minute, 4 * time.Minute, 30 * time.Second, false, "edge middle"},
	{"BurnRateSlow", "warning", "own", 15 * time.Minute, 15 * time.Minute, time.Minute, true, "edge middle"},
	{"LatencyHigh", "warning", "own", 5 * time.Minute, 3 * time.Minute, time.Minute, false, "edge middle store"},
	{"RequestsVanished", "warning", "own", 10 * time.Minute, 5 * time.Minute, time.Minute, true, "edge middle"},
	{"ProbeDown", "critical", "probe", time.Minute, 0, 15 * time.Second, false, "edge"},
	{"PodRestarting", "warning", "pod", 10 * time.Minute, 3 * time.Minute, time.Minute, true, "middle edge"},
	{"PodNotReady", "warning", "pod", 5 * time.Minute, 0, time.Minute, false, "middle edge infra"},
	{"MemoryKilled", "warning", "pod", 0, time.Minute, 30 * time.Second, false, "middle edge"},
	{"InstanceGone", "warning", "target", 5 * time.Minute, 0, 30 * time.Second, false, "middle infra store"},
	{"QueueGrows", "warning", "own", 10 * time.Minute, 0, time.Minute, true, "middle infra"},
	{"StoreDown", "critical", "store", time.Minute, 0, 15 * time.Second, false, "store"},
	{"ReplicaLag", "warning", "store", 5 * time.Minute, time.Minute, time.Minute, false, "store"},
	{"QueriesSlow", "warning", "store", 5 * time.Minute, 2 * time.Minute, time.Minute, false, "store"},
	{"NodeUnreachable", "critical", "node", 3 * time.Minute, 0, 30 * time.Second, false, "infra store"},
	{"NodeMemoryLow", "warning", "node", 5 * time.Minute, time.Minute, time.Minute, false, "infra middle"},
	{"BusPartitionsOffline", "critical", "own", time.Minute, 0, 30 * time.Second, false, "infra"},
}

// symptoms are the rules that fire where trouble arrives from elsewhere.
var symptoms = []string{"ErrorRatioHigh", "BurnRateFast", "BurnRateSlow", "LatencyHigh", "RequestsVanished", "ProbeDown", "QueueGrows", "PodNotReady", "QueriesSlow"}

func rulesFor(level string) []rule {
	var out []rule
	for _, r := range ruleBook {
		if slices.Contains(splitWords(r.levels), level) {
			out = append(out, r)
		}
	}
	return out
}

func splitWords(s string) []string {
	var out []string
	for len(s) > 0 {
		i := 0
		for i < len(s) && s[i] != ' ' {
			i++
		}
		out = append(out, s[:i])
		s = s[min(len(s), i+1):]
	}
	return out
}

// incidents makes up what went wrong and which alerts that fired.
func (w *World) incidents() {
	span := w.to.Sub(w.from)
	for n := range w.Incidents {
		t := &trouble{kind: "incident", root: pick(w, w.services), recorded: !w.chance(w.Unrecord)}
		for t.root.level == "edge" && w.chance(0.5) {
			t.root = pick(w, w.services)
		}
		begin := w.from.Add(12*time.Hour + time.Duration(w.rng.Int64N(int64(span-18*time.Hour))))
		if n > 0 && w.chance(w.Overlap) {
			other := w.troubles[n-1]
			begin = other.started.Add(time.Duration(w.rng.Int64N(int64(max(time.Minute, other.mitigated.Sub(other.started))))))
		}
		begin = w.begins(t, begin)
		if w.chance(w.Drill) {
			t.kind, t.recorded = "drill", true
		}
		w.unfold(t, begin)
	}
	for range w.poisson(w.Maintenance * float64(w.Days) / 30) {
		t := &trouble{kind: "maintenance", root: pick(w, w.services), recorded: w.chance(w.MaintenanceRecorded), by: "staff"}
		begin := w.from.Add(time.Duration(w.rng.Int64N(int64(span - 3*time.Hour))))
		w.unfold(t, begin)
	}
}

func (w *World) unfold(t *trouble, begin time.Time) {
	t.regions = []string{pick(w, t.root.regions)}
	if w.chance(w.AllRegions) {
		t.regions = t.root.regions
	}
	length := max(3*time.Minute, min(8*time.Hour, w.logNormal(w.Median, w.Sigma)))
	if t.length > 0 {
		length = t.length
	}
	lag, length := w.lag(t, length)
	if t.like != nil {
		t.regions = t.like.regions
	}
	t.windows = []window{{begin, begin.Add(length)}}
	t.windows = append(t.windows, t.flares...)
	if t.kind == "incident" && t.length == 0 && w.chance(w.Relapse) {
		again := begin.Add(length + w.between(15*time.Minute, 45*time.Minute))
		t.windows = append(t.windows, window{again, again.Add(max(3*time.Minute, length/2))})
	}
	t.started, t.mitigated = begin, t.windows[len(t.windows)-1].to
	t.hit = map[*service]time.Duration{t.root: 0}
	t.order = []*service{t.root}
	w.spread(t, t.root, w.Spread)
	if t.kind != "maintenance" && t.length == 0 {
		t.unseen, t.slow = w.chance(w.Unseen), w.chance(w.Slow)
	}
	var fired []*episode
	if !t.unseen {
		for _, s := range t.order {
			fired = append(fired, w.fire(t, s)...)
		}
	}
	// A person notices after a while; an alert may be first.
	person := begin.Add(max(2*time.Minute, w.logNormal(25*time.Minute, 0.6)))
	t.detected, t.by = person, pick(w, []string{"customer", "customer", "staff", "third_party"})
	for _, e := range fired {
		if told := e.start.Add(40 * time.Second); told.Before(t.detected) {
			t.detected, t.by = told, "alert"
		}
	}
	t.late = len(fired) > 0 && t.by != "alert"
	if t.kind != "incident" {
		t.detected, t.by = begin.Add(time.Minute), "staff"
	}
	t.acknowledged = t.detected.Add(max(30*time.Second, w.logNormal(6*time.Minute, 0.7)))
	t.identified = t.acknowledged.Add(w.logNormal(20*time.Minute, 0.7))
	w.noticed(t, lag, fired)
	t.resolved = latestOf(t.mitigated, t.detected).Add(w.logNormal(12*time.Minute, 0.7))
	w.episodes = append(w.episodes, fired...)
	w.troubles = append(w.troubles, t)
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// spread carries trouble to the services that need this one.
func (w *World) spread(t *trouble, s *service, p float64) {
	for _, c := range s.callers {
		if _, seen := t.hit[c]; seen || !w.chance(p) {
			continue
		}
		t.hit[c] = t.hit[s] + w.expo(w.SpreadDelay)
		t.order = append(t.order, c)
		w.spread(t, c, p*w.SpreadDecay)
	}
}

// fire is what the rules of one service do in one incident.
func (w *World) fire(t *trouble, s *service) []*episode {
	var out []*episode
	for _, r := range rulesFor(s.level) {
		p := w.Fires
		if s != t.root {
			if !slices.Contains(symptoms, r.name) {
				continue
			}
			p *= 0.7
		}
		if t.slow && !r.slow {
			continue
		}
		if !w.chance(p) {
			continue
		}
		units := 1
		if r.by == "pod" || r.by == "target" {
			units = s.pods
		}
		for _, region := range t.regions {
			if !slices.Contains(s.regions, region) {
				continue
			}
			for unit := range units {
				for _, win := range t.windows {
					out = append(out, w.firings(t, s, r, region, unit, win)...)
				}
			}
		}
	}
	return out
}

// firings is one alert in one window: perhaps nothing, where the rule's `for` is longer than the trouble.
func (w *World) firings(t *trouble, s *service, r rule, region string, unit int, win window) []*episode {
	wobble := w.expo(time.Minute)
	condition := win.from.Add(t.hit[s] + r.smooth/2 + wobble)
	over := win.to.Add(r.smooth + w.expo(45*time.Second))
	var out []*episode
	why := "symptom"
	if s == t.root {
		why = "cause"
	}
	if t.kind == "maintenance" && !t.recorded {
		why = "maintenance"
	}
	for condition.Before(over) {
		start := w.evaluated(condition.Add(r.wait), r)
		end := over
		if w.chance(w.Flap) {
			end = start.Add(w.between(time.Minute, 10*time.Minute))
		}
		if end.After(over) {
			end = over
		}
		if !start.Before(end) {
			break
		}
		e := w.newEpisode(s, r, region, unit, condition, start, w.evaluated(end, r), why)
		if why != "maintenance" {
			e.trouble = t
		}
		out = append(out, e)
		condition = end.Add(w.between(time.Minute, 8*time.Minute))
	}
	return out
}

// evaluated is the moment a rule is next looked at.
func (w *World) evaluated(t time.Time, r rule) time.Time {
	return t.Add(time.Duration(w.rng.Int64N(int64(r.every)))).Truncate(time.Millisecond)
}

func (w *World) newEpisode(s *service, r rule, region string, unit int, condition, start, end time.Time, why string) *episode {
	l := w.labels(s, r, region, unit)
	set := model.LabelSet{}
	for k, v := range l {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	e := &episode{labels: l, fingerprint: set.Fingerprint().String(), service: s, rule: r, condition: condition, start: start, end: end, why: why}
	if w.chance(w.Skew) {
		e.replica = w.between(time.Second, 29*time.Second)
	}
	return e
}

// noise is everything that fires without an incident.
func (w *World) noise() {
	span := w.to.Sub(w.from)
	moment := func() time.Time { return w.from.Add(time.Duration(w.rng.Int64N(int64(span)))) }
	one := func(s *service, r rule, start time.Time, length time.Duration, unit int, region, why string) {
		start = start.Truncate(time.Millisecond)
		if end := start.Add(max(time.Minute, length)); start.After(w.from) && end.Before(w.to) {
			w.episodes = append(w.episodes, w.newEpisode(s, r, region, unit, start.Add(-r.wait), start, end, why))
		}
	}
	for _, s := range w.services {
		for range w.poisson(w.LonePerServiceDay * float64(w.Days)) {
			r := pick(w, rulesFor(s.level))
			one(s, r, moment(), w.logNormal(6*time.Minute, 0.8), w.rng.IntN(s.pods), pick(w, s.regions), "transient")
		}
	}
	for range w.poisson(w.BurstsPerDay * float64(w.Days)) {
		s, begin := pick(w, w.services), moment()
		region := pick(w, s.regions)
		for range 2 + w.rng.IntN(3) {
			one(s, pick(w, rulesFor(s.level)), begin.Add(w.between(0, 8*time.Minute)), w.logNormal(4*time.Minute, 0.5), w.rng.IntN(s.pods), region, "burst")
		}
	}
	for range w.Repeaters {
		s := pick(w, w.services)
		r, region, unit := pick(w, rulesFor(s.level)), pick(w, s.regions), w.rng.IntN(s.pods)
		until := moment()
		for at := moment(); at.Before(w.to) && (at.Before(until) || until.Sub(w.from) < span/3); at = at.Add(w.expo(w.RepeaterGap) + 5*time.Minute) {
			one(s, r, at, w.logNormal(8*time.Minute, 0.6), unit, region, "flapper")
		}
	}
	for range w.Endless {
		s := pick(w, w.services)
		one(s, pick(w, rulesFor(s.level)), moment(), w.between(20*time.Hour, 80*time.Hour), 0, pick(w, s.regions), "chronic")
	}
	w.habitual(one)
	for range w.poisson(w.Blips * float64(w.Days) / 30) {
		begin := moment()
		for _, s := range w.services {
			if w.chance(0.5) {
				one(s, rule{name: "InstanceGone", severity: "warning", by: "target", every: 30 * time.Second}, begin.Add(w.between(0, 40*time.Second)), w.between(90*time.Second, 5*time.Minute), 0, pick(w, s.regions), "monitoring")
			}
		}
	}
}
