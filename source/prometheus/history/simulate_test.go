package history

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/incident"
)

// This file simulates what makes the series that are read: Prometheus' evaluation of alerting rules with its restarts, failures
// and reloads (rules/alerting.go and rules/group.go of prometheus/prometheus), what Alertmanager makes of what it is sent
// (types.Alert.Merge and its provider), and the HTTP API over it.

// span is a stretch of time, its end not included.
type span struct{ from, to int64 }

func (s span) has(t int64) bool { return s.from <= t && t < s.to }

func within(list []span, t int64) bool {
	return slices.ContainsFunc(list, func(s span) bool { return s.has(t) })
}

// simRule is a rule of which each alert has a condition.
type simRule struct {
	name     string
	labels   map[string]string
	wait     int64 // its `for`
	interval int64
	phase    int64
	offset   int64
	failing  []span
	removed  int64 // since when it is no more; 0 for never
	group    bool  // its group was taken away with it
	alerts   []simAlert
}

type simAlert struct {
	labels map[string]string
	active []span
}

// sim is a Prometheus with its rules, and what came of it.
type sim struct {
	rules    []simRule
	up       []span // its processes
	resend   int64
	grace    int64
	outage   int64 // the tolerated one
	end      int64
	external map[string]string

	series map[string]*simSeries
	am     map[string]*amAlert // by fingerprint
	hooks  []hook
	truth  []simEpisode
}

// simSeries is a series: its samples and markers in order of time.
type simSeries struct {
	metric map[string]string
	points []point
}

type point struct {
	t      int64
	v      float64
	marker bool
}

// amAlert is an alert in Alertmanager.
type amAlert struct {
	labels     map[string]string
	start, end int64
	told       string // what was notified of it last: firing or resolved
	lapse      bool   // its end is a time-out
}

// hook is what one notification tells of one alert.
type hook struct {
	at          int64
	fingerprint string
	labels      map[string]string
	start, end  int64 // end is 0 while it fires
	lapse       bool  // its end is only Alertmanager's time-out
}

// simEpisode is one firing as the process that evaluated it knows it.
type simEpisode struct {
	fingerprint string
	start       int64
	end         int64 // 0 where no evaluation found it over
	silent      bool  // nothing was ever written of it
}

// state is an alert in the memory of a process.
type state struct {
	activeAt, firedAt, resolvedAt, sentAt int64
	firing                                bool
	episode                               int // in truth; -1 while it is pending
}

func (s *sim) run() {
	s.series, s.am = map[string]*simSeries{}, map[string]*amAlert{}
	// All rules of a process side by side, so that Alertmanager hears everything in order of time.
	type due struct {
		t    int64
		rule int
		proc int
		n    int // the evaluations of it before
	}
	var all []due
	for i := range s.rules {
		r := &s.rules[i]
		for p, up := range s.up {
			n := 0
			for t := up.from + mod(r.phase-up.from, r.interval); t < min(up.to, s.end); t += r.interval {
				if r.removed != 0 && t >= r.removed {
					break
				}
				all = append(all, due{t, i, p, n})
				n++
			}
		}
	}
	slices.SortStableFunc(all, func(a, b due) int { return int(a.t - b.t) })
	type proc struct {
		alerts   map[int]*state
		written  map[string]bool
		restored bool
	}
	procs := map[[2]int]*proc{}
	for _, d := range all {
		s.lapse(d.t)
		k := [2]int{d.rule, d.proc}
		if procs[k] == nil {
			procs[k] = &proc{alerts: map[int]*state{}, written: map[string]bool{}}
		}
		p, r := procs[k], &s.rules[d.rule]
		if !within(r.failing, d.t) {
			written := map[string]bool{}
			for i := range r.alerts {
				if st := s.evaluate(r, &r.alerts[i], p.alerts[i], d.t); st != nil {
					p.alerts[i] = st
					if d.n >= 2 && st.resolvedAt == 0 {
						s.write(r, &r.alerts[i], st, d.t, written)
					}
				}
			}
			for name := range p.written {
				if !written[name] {
					s.add(name, nil, point{d.t - r.offset, math.NaN(), true})
				}
			}
			p.written = written
		}
		if d.n == 1 && !p.restored { // after the second evaluation
			p.restored = true
			for i, st := range p.alerts {
				s.restore(r, &r.alerts[i], st, d.t)
			}
		}
	}
	s.lapse(s.end)
	// A group that was taken away ends its series at the reload, a rule out of a group with the group's next evaluation.
	for i := range s.rules {
		r := &s.rules[i]
		if r.removed == 0 {
			continue
		}
		for j := range r.alerts {
			for _, name := range []string{firingName(r, &r.alerts[j]), stateName(r, &r.alerts[j])} {
				x := s.series[name]
				if x == nil || x.points[len(x.points)-1].marker || x.points[len(x.points)-1].t < r.removed-r.interval-r.offset {
					continue
				}
				at := x.points[len(x.points)-1].t + r.interval
				if r.group {
					at = r.removed - r.offset
				}
				s.add(name, nil, point{at, math.NaN(), true})
			}
		}
	}
}

// evaluate is one evaluation of one alert.
func (s *sim) evaluate(r *simRule, a *simAlert, st *state, t int64) *state {
	fp := s.fingerprint(r, a)
	active := within(a.active, t)
	switch {
	case st == nil && !active:
		return nil
	case active && (st == nil || st.resolvedAt != 0):
		st = &state{activeAt: t, episode: -1}
	case !active && !st.firing && st.resolvedAt == 0:
		return &state{activeAt: t, resolvedAt: t, episode: -1} // it was pending and is forgotten
	case !active && st.resolvedAt == 0:
		st.resolvedAt, st.firing = t, false
		s.truth[st.episode].end = t
	}
	if st.resolvedAt == 0 && !st.firing && t-st.activeAt >= r.wait {
		st.firing, st.firedAt, st.episode = true, t, len(s.truth)
		s.truth = append(s.truth, simEpisode{fingerprint: fp, start: t, silent: true})
	}
	s.send(r, a, st, t)
	return st
}

// send sends an alert to Alertmanager where that is due.
func (s *sim) send(r *simRule, a *simAlert, st *state, t int64) {
	switch {
	case st.firedAt == 0: // pending
	case st.resolvedAt != 0 && st.sentAt >= st.resolvedAt, st.resolvedAt == 0 && st.sentAt != 0 && st.sentAt+s.resend >= t:
	case st.resolvedAt != 0:
		st.sentAt = t
		s.hear(r, a, st.firedAt, st.resolvedAt, t)
	default:
		st.sentAt = t
		s.hear(r, a, st.firedAt, t+4*max(s.resend, r.interval), t)
	}
}

// hear is what Alertmanager makes of an alert it is sent.
func (s *sim) hear(r *simRule, a *simAlert, start, end, t int64) {
	fp := s.fingerprint(r, a)
	old := s.am[fp]
	if old == nil || start >= old.end { // another one
		old = &amAlert{labels: s.labels(r, a), start: start}
		s.am[fp] = old
	}
	old.start, old.end, old.lapse = min(old.start, start), end, end > t
	switch {
	case end > t && old.told != "firing":
		old.told = "firing"
		s.hooks = append(s.hooks, hook{at: t, fingerprint: fp, labels: old.labels, start: old.start})
	case end <= t && old.told == "firing":
		old.told = "resolved"
		s.hooks = append(s.hooks, hook{at: t, fingerprint: fp, labels: old.labels, start: old.start, end: end})
	}
}

// lapse is Alertmanager's own time-out of what it hears nothing more of.
func (s *sim) lapse(t int64) {
	for _, fp := range slices.Sorted(maps.Keys(s.am)) {
		if a := s.am[fp]; a.told == "firing" && a.lapse && a.end < t {
			a.told = "resolved"
			s.hooks = append(s.hooks, hook{at: a.end, fingerprint: fp, labels: a.labels, start: a.start, end: a.end, lapse: true})
		}
	}
}

// restore is what Prometheus does after its second evaluation for rules that wait long enough.
func (s *sim) restore(r *simRule, a *simAlert, st *state, t int64) {
	x := s.series[stateName(r, a)]
	if r.wait < s.grace || st == nil || st.resolvedAt != 0 || x == nil {
		return
	}
	var last *point
	for i := range x.points {
		if !x.points[i].marker && x.points[i].t <= t {
			last = &x.points[i]
		}
	}
	if last == nil || t-last.t > s.outage {
		return
	}
	at := int64(last.v) * second
	remaining := r.wait - (last.t - at)
	switch {
	case remaining <= 0: // it fired
	case remaining < s.grace:
		at = t + s.grace - r.wait
	default:
		at += t - last.t
	}
	st.activeAt = at
}

func (s *sim) write(r *simRule, a *simAlert, st *state, t int64, written map[string]bool) {
	if st.firing {
		s.add(firingName(r, a), s.metric(r, a, firingSeries), point{t: t - r.offset, v: 1})
		written[firingName(r, a)] = true
		s.truth[st.episode].silent = false
	}
	s.add(stateName(r, a), s.metric(r, a, stateSeries), point{t: t - r.offset, v: float64(floorDiv(st.activeAt, second))})
	written[stateName(r, a)] = true
}

func (s *sim) add(name string, metric map[string]string, p point) {
	if s.series[name] == nil {
		s.series[name] = &simSeries{metric: metric}
	}
	s.series[name].points = append(s.series[name].points, p)
}

func firingName(r *simRule, a *simAlert) string { return firingSeries + r.name + key(a.labels) }
func stateName(r *simRule, a *simAlert) string  { return stateSeries + r.name + key(a.labels) }

// metric are a series' labels.
func (s *sim) metric(r *simRule, a *simAlert, name string) map[string]string {
	m := map[string]string{"__name__": name, "alertname": r.name}
	maps.Copy(m, a.labels)
	maps.Copy(m, r.labels)
	if name == firingSeries {
		m["alertstate"] = "firing"
	}
	return m
}

// labels are those that Alertmanager gets.
func (s *sim) labels(r *simRule, a *simAlert) map[string]string {
	m := maps.Clone(s.external)
	if m == nil {
		m = map[string]string{}
	}
	for k, v := range s.metric(r, a, stateSeries) {
		if k != "__name__" {
			m[k] = v
		}
	}
	return m
}

func (s *sim) fingerprint(r *simRule, a *simAlert) string {
	return incident.Fingerprint(s.labels(r, a))
}

// sightings are what a Meantime stores that got all notifications.
func (s *sim) sightings() []incident.Sighting {
	var out []incident.Sighting
	for _, h := range s.hooks {
		x := incident.Sighting{Fingerprint: h.fingerprint, StartsAt: moment(h.start), ToldAt: moment(h.at), Labels: h.labels}
		if h.end == 0 {
			x.FiringFirst, x.FiringLast, x.Word = moment(h.at), moment(h.at), incident.Word{At: moment(h.at)}
		} else {
			x.Resolved(moment(h.end), moment(h.at))
		}
		out = append(out, x)
	}
	return out
}

// api answers as the simulated server does.
type api struct {
	*sim
	lookback   int64
	maxSamples int
	exclusive  bool // ranges leave their first moment out, as from Prometheus 3 on
	victoria   bool // it shows markers and tells nothing of itself
	scraped    bool // it scrapes itself
	version    string
	now        int64
	fail       func() error // an interruption, where it gives one
	requests   int
	samples    int
	log        []string
}

func (a *api) Base() string { return "http://prometheus:9090" }

// status is an answer other than 200.
type status int

func (s status) Error() string   { return "answered " + strconv.Itoa(int(s)) }
func (s status) HTTPStatus() int { return int(s) }
func (s status) TooMuch() bool   { return s == 422 }

var errInterrupted = errors.New("interrupted")

func (a *api) Get(_ context.Context, path string, q url.Values, out any) error {
	a.requests++
	if a.fail != nil {
		if err := a.fail(); err != nil {
			return err
		}
	}
	var data any
	switch path {
	case "/api/v1/rules":
		groups := []any{}
		for _, r := range a.rules {
			if !a.victoria && (r.removed == 0 || r.removed > a.now) {
				groups = append(groups, map[string]any{"interval": float64(r.interval) / 1000, "rules": []any{map[string]any{
					"name": r.name, "type": "alerting", "duration": float64(r.wait) / 1000, "labels": r.labels,
				}}})
			}
		}
		data = map[string]any{"groups": groups}
	case "/api/v1/status/buildinfo":
		data = map[string]string{}
		if !a.victoria {
			data = map[string]string{"version": cmp.Or(a.version, "2.42.0")}
		}
	case "/api/v1/status/flags":
		if a.victoria {
			return status(400)
		}
		data = map[string]string{
			"query.max-samples": strconv.Itoa(a.maxSamples), "query.lookback-delta": fmt.Sprintf("%dms", a.lookback), "rules.alert.resend-delay": fmt.Sprintf("%dms", a.resend),
		}
	case "/api/v1/status/config":
		text := ""
		if !a.victoria {
			b, _ := json.Marshal(map[string]any{"global": map[string]any{"external_labels": a.external, "evaluation_interval": "1m"}})
			text = string(b)
		}
		data = map[string]string{"yaml": text}
	case "/api/v1/query", "/api/v1/query_range":
		m, err := a.query(path, q)
		if err != nil {
			return err
		}
		data = map[string]any{"resultType": "matrix", "result": m}
	default:
		return status(404)
	}
	b, err := json.Marshal(map[string]any{"status": "success", "data": data})
	if err != nil {
		return err
	}
	return json.Unmarshal(b, out)
}

var (
	rawQuery  = regexp.MustCompile(`^(\w+)(\{.*\})?\[(\d+)ms\]$`)
	daysQuery = regexp.MustCompile(`^sum\(count_over_time\(ALERTS\{alertstate="firing"\}\[1d\]\)\)$`)
	cutsQuery = regexp.MustCompile(`^ALERTS_FOR_STATE(\{.*\}) unless present_over_time\(ALERTS_FOR_STATE(\{.*\})\[(\d+)ms\]\)$`)
	matcher   = regexp.MustCompile(`(\w+)(=~|!=|=)"((?:[^"\\]|\\.)*)"`)
)

func when(text string) int64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(err)
	}
	return int64(math.Round(f * 1000))
}

func (a *api) query(path string, q url.Values) ([]any, error) {
	expr := q.Get("query")
	a.log = append(a.log, expr+" "+q.Get("time")+q.Get("start")+".."+q.Get("end"))
	out := []any{}
	total := 0
	emit := func(metric map[string]string, points []point) {
		var values []any
		for _, p := range points {
			if p.t <= a.now {
				values = append(values, []any{json.Number(strconv.FormatFloat(float64(p.t)/1000, 'f', 3, 64)), strconv.FormatFloat(p.v, 'f', -1, 64)})
			}
		}
		if len(values) > 0 {
			total += len(values)
			out = append(out, map[string]any{"metric": metric, "values": values})
		}
	}
	switch m := rawQuery.FindStringSubmatch(expr); {
	case m != nil && path == "/api/v1/query":
		to, length := when(q.Get("time")), when(m[3])/1000
		if m[1] == reloads {
			if a.scraped {
				for t := to - length; t <= to; t += second {
					emit(map[string]string{"__name__": reloads}, []point{{t: t, v: float64(a.reloaded(t)) / 1000}})
				}
			}
			break
		}
		a.each(m[1], m[2], func(x *simSeries) {
			var points []point
			for _, p := range x.points {
				if p.t <= to && (p.t > to-length || p.t == to-length && !a.exclusive) && (a.victoria || !p.marker) {
					points = append(points, p)
				}
			}
			emit(x.metric, points)
		})
	case daysQuery.MatchString(expr):
		var points []point
		for t := when(q.Get("start")); t <= when(q.Get("end")); t += day {
			n := 0
			a.each(firingSeries, "", func(x *simSeries) {
				for _, p := range x.points {
					if !p.marker && p.t <= min(t, a.now) && p.t > t-day {
						n++
					}
				}
			})
			if n > 0 {
				points = append(points, point{t: t, v: float64(n)})
			}
		}
		for _, p := range points { // a day may lie ahead in part
			emit(map[string]string{}, []point{{t: min(p.t, a.now), v: p.v}})
		}
		return out, nil
	default:
		cuts := cutsQuery.FindStringSubmatch(expr)
		step := max(1, int64(math.Round(1000*mustFloat(q.Get("step")))))
		from, to := when(q.Get("start")), when(q.Get("end"))
		if (to-from)/step > maxPoints-1 {
			return nil, status(400)
		}
		selector, name := expr[strings.Index(expr, "{"):], expr[:strings.Index(expr, "{")]
		if cuts != nil {
			selector = cuts[1]
		}
		a.each(name, selector, func(x *simSeries) {
			var points []point
			for t := from; t <= to; t += step {
				p, shown := a.at(x, t)
				if shown && (cuts == nil || t-p.t > when(cuts[3])/1000) {
					points = append(points, point{t: t, v: p.v})
				}
			}
			emit(x.metric, points)
		})
	}
	a.samples += total
	if total > a.maxSamples {
		return nil, status(422)
	}
	return out, nil
}

func mustFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

// reloaded is when the configuration was read last before a time.
func (a *api) reloaded(t int64) (at int64) {
	for _, u := range a.up {
		if u.from <= t {
			at = max(at, u.from)
		}
	}
	for _, r := range a.rules {
		if r.removed != 0 && r.removed <= t {
			at = max(at, r.removed)
		}
	}
	return at
}

// at is the sample that a series shows at a time.
func (a *api) at(x *simSeries, t int64) (last point, shown bool) {
	t = min(t, a.now)
	for _, p := range x.points {
		if p.t > t {
			break
		}
		last, shown = p, !p.marker && p.t > t-a.lookback
	}
	return last, shown
}

// each calls f for the series of a name that a selector fits.
func (a *api) each(name, selector string, f func(*simSeries)) {
next:
	for _, k := range slices.Sorted(maps.Keys(a.series)) {
		x := a.series[k]
		if x.metric["__name__"] != name {
			continue
		}
		for _, m := range matcher.FindAllStringSubmatch(selector, -1) {
			v, _ := strconv.Unquote(`"` + m[3] + `"`)
			switch has := x.metric[m[1]]; {
			case m[2] == "=" && has != v, m[2] == "!=" && has == v, m[2] == "=~" && !regexp.MustCompile("^(?:"+v+")$").MatchString(has):
				continue next
			}
		}
		f(x)
	}
}

// memory is a store.
type memory struct {
	sightings map[incident.EpisodeKey]incident.Sighting
	marks     map[string]incident.Mark
	fail      func() error
	puts      int
}

func newMemory() *memory {
	return &memory{sightings: map[incident.EpisodeKey]incident.Sighting{}, marks: map[string]incident.Mark{}}
}

func (m *memory) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	if m.fail != nil {
		if err := m.fail(); err != nil {
			return incident.Receipt{}, err
		}
	}
	m.puts++
	for _, x := range f.Sightings {
		if known, ok := m.sightings[x.Key()]; ok {
			x = incident.Merge(known, x)
		}
		m.sightings[x.Key()] = x
	}
	for _, x := range f.Marks {
		m.marks[x.Name] = x
	}
	return incident.Receipt{}, nil
}

func (m *memory) Marks(_ context.Context, _ string) ([]incident.Mark, error) {
	return slices.Collect(maps.Values(m.marks)), nil
}

func (m *memory) SightingsOf(_ context.Context, fingerprints []string) (out []incident.Sighting, _ error) {
	for _, x := range m.sightings {
		if slices.Contains(fingerprints, x.Fingerprint) {
			out = append(out, x)
		}
	}
	return out, nil
}

// episodes are those of all alerts, by fingerprint, in order.
func (m *memory) episodes(now int64) map[string][]incident.Episode {
	by := map[string][]incident.Sighting{}
	for _, x := range m.sightings {
		by[x.Fingerprint] = append(by[x.Fingerprint], x)
	}
	out := map[string][]incident.Episode{}
	for fp, list := range by {
		out[fp] = incident.Episodes(list, 25*time.Hour, moment(now))
	}
	return out
}
