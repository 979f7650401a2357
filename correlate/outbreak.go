package correlate

import (
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// trouble is one service in trouble in one place: alerts that follow each other. An alert that names no service is in
// trouble by itself, with others of its instance.
type trouble struct {
	service, place string
	members        []*alert
	first          time.Time // start
	outbreak       *outbreak
	top            float64 // the odds by which it joined its outbreak
}

// outbreak is a group of troubles that began for one reason, as far as times, places and dependencies tell: trouble at a
// root that spreads to the services that need it, directly or through others.
//
// Whether a trouble joins an outbreak is decided in the order of time, by what is known when it begins, and never again:
// what fires later changes nothing, and one more alert costs what it takes to decide about it. The model is one of
// likelihood. For each possible root an outbreak has the summed logarithms of how likely trouble there reaches each of
// the services hit; a trouble joins where that, the time since the last alert and the place make it likelier that the
// outbreak made it fire than that it fired by habit.
type outbreak struct {
	troubles    []*trouble
	members     []*alert
	first, last time.Time // starts of the first and the last alert
	until       time.Time // the latest end so far
	group       string    // values of the labels that incidents are grouped by, without the service

	// root is the likeliest root, best its summed logarithm. base is the sum where no way from a root is known, roots what
	// each root adds to it.
	root  string
	best  float64
	base  float64
	roots map[string]float64

	places map[string]int             // troubles by place
	where  map[string]map[string]bool // service -> places in which it is in trouble

	seen  *facts // what is asked of it once it is complete; see look
	open  bool   // it is being put together
	asked int    // the newest question that it was compared for
}

// The model of spreading. Figures are probabilities unless said otherwise; they were chosen to separate the incidents
// of labelled organisations (make eval), and neighbouring values do about as well.
const (
	atRoot       = 0.9   // the root itself is in trouble
	oneStepOff   = 0.35  // what needs it
	twoStepsOff  = 0.2   // what needs that
	threeOff     = 0.1   //
	unknownWay   = 0.08  // a service of which no dependencies are known
	noWay        = 0.002 // a service that is known not to need it
	otherPlace   = 0.01  // trouble in another place than the rest
	mirrored     = 0.3   // the same service in another place, at about the same time
	everywhere   = 0.8   // in other places, where all of the services are in trouble in several
	mirrorWithin = 15 * time.Minute
	quickShare   = 0.65 // of troubles that follow the one before within minutes rather than within the hour
	quick        = 5 * time.Minute
	slow         = time.Hour
	kindsPer     = 8.0 // alerts that a service has, any of which could be the first
	joinOdds     = 1.5 // logarithm of odds above which a trouble joins

	troublePause       = 40 * time.Minute // without a new alert of the service, after which it is another trouble
	troubleActivePause = 90 * time.Minute // while one of its alerts fires
	lingers            = 10 * time.Minute // an alert counts as firing for so long after it ended
	outbreakPause      = 3 * time.Hour
	outbreakActive     = 6 * time.Hour
)

func newOutbreak(x *alert) *outbreak {
	return &outbreak{group: x.group, first: x.StartsAt, roots: map[string]float64{}, places: map[string]int{}, where: map[string]map[string]bool{}}
}

// group are the values of the labels that incidents are grouped by. The service is left out: what depends on each other
// is grouped whatever its name.
func (d *directory) group(x *alert) string {
	var b strings.Builder
	for _, name := range d.rules.Open.GroupBy {
		if name != "service" {
			b.WriteString(x.Labels[name])
			b.WriteByte(0)
		}
	}
	return b.String()
}

// alive says whether a trouble that begins now can still join.
func (o *outbreak) alive(now time.Time) bool {
	pause := now.Sub(o.last)
	return pause <= outbreakPause || pause <= outbreakActive && o.until.After(now)
}

// odds is the logarithm of how much likelier the outbreak made a trouble begin than habit did. What comes to no more than
// least need not be exact.
func (o *outbreak) odds(t *trouble, least float64, dir *directory) float64 {
	x := t.members[0]
	odds := timeOdds(x, o.first, o.last, o.until.After(x.StartsAt))
	if odds+bestWay <= least {
		return math.Inf(-1)
	}
	root := o.best + dir.none(t.service)
	for _, r := range dir.upward(t.service) {
		if way, ok := o.roots[r.from]; ok { // that some of it came from there
			root = max(root, o.base+way+r.odds)
		}
	}
	return root - o.best + o.placeFit(t) + odds
}

// timeOdds is what the times say of that: how long before the first and the last alert of the outbreak began, and whether any
// fires still.
func timeOdds(x *alert, first, last time.Time, firing bool) float64 {
	pause, since, long := x.StartsAt.Sub(last).Hours(), x.StartsAt.Sub(first).Hours(), slow.Hours()
	if firing {
		long *= 2
	}
	density := quickShare*math.Exp(-pause/quick.Hours())/quick.Hours() + (1-quickShare)*math.Exp(-since/long)/long
	return math.Log(density / (x.rate * kindsPer))
}

// placeFit is the logarithm of how well a trouble's place goes with the outbreak's: 0 in the place of most of it, a
// little less where the same service is in trouble elsewhere, much less in another place.
func (o *outbreak) placeFit(t *trouble) float64 {
	main, most := "", 0
	for p, n := range o.places {
		if !elsewhere(p, t.place) && p != t.place {
			continue // cannot be told apart
		}
		if n > most || n == most && p < main {
			main, most = p, n
		}
	}
	if t.place == "" || main == "" || main == t.place {
		return 0
	}
	if w := o.where[t.service]; t.service != "" && len(w) > 0 && !w[t.place] {
		for _, other := range o.troubles {
			if other.service == t.service && t.first.Sub(other.first) < mirrorWithin {
				return math.Log(mirrored)
			}
		}
	}
	several := 0.0
	for _, w := range o.where {
		if len(w) > 1 {
			several++
		}
	}
	return math.Log(otherPlace + everywhere*several/float64(len(o.where)+1))
}

// join adds a trouble, without its alerts.
func (o *outbreak) join(t *trouble, dir *directory) {
	o.add(t, dir)
	o.lead()
}

// lead finds the likeliest root.
func (o *outbreak) lead() {
	o.root, o.best = "", o.base
	for r, q := range o.roots {
		if s := o.base + q; s > o.best || s == o.best && r < o.root {
			o.root, o.best = r, s
		}
	}
}

// add is join without the likeliest root.
func (o *outbreak) add(t *trouble, dir *directory) {
	o.troubles = append(o.troubles, t)
	none := dir.none(t.service)
	o.base += none
	for _, r := range dir.upward(t.service) {
		o.roots[r.from] += r.odds - none
	}
	if t.place != "" {
		o.places[t.place]++
		if w := o.where[t.service]; t.service != "" && !w[t.place] {
			o.where[t.service] = maps.Clone(w) // which another may share
			if w == nil {
				o.where[t.service] = map[string]bool{}
			}
			o.where[t.service][t.place] = true
		}
	}
}

// facts are what is asked of an outbreak again and again.
type facts struct {
	services map[string]int // alerts by service
	names    int            // different alert names
	kinds    float64        // different alerts: names of services
	alerts   int            // different fingerprints
	openers  []*alert       // that may open an incident, by key
	settled  time.Time      // when three in four of its alerts whose end is known had ended; zero where none is
	words    map[string]bool
	naming   bool      // an alert names an incident
	quiet    time.Time // the latest end, where no alert counts for longer than chronic
	total    float64   // for the shares of roots
	odds     float64   // the logarithm of the odds that it is an incident
	ids      map[*alert][]string
	// unconnected: of some service hit no dependency is known; looked: whether it was looked for.
	unconnected, looked bool
}

// look works out what is asked of an outbreak that is complete.
func (o *outbreak) look() *facts {
	if o.seen != nil {
		return o.seen
	}
	f := &facts{services: map[string]int{}, words: map[string]bool{}}
	names, kinds, prints := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var ends []time.Time
	for _, x := range o.members {
		if !names[x.Name()] {
			for w := range wordsOf(x.Name() + " " + x.Annotations["summary"]) {
				f.words[w] = true
			}
		}
		f.naming = f.naming || x.Labels["incident"]+x.Labels["incident_id"]+x.Labels["incident_key"]+x.Annotations["incident"]+x.Annotations["incident_id"]+x.Annotations["incident_key"] != ""
		names[x.Name()], kinds[x.Name()+"\x00"+x.service], prints[x.Fingerprint] = true, true, true
		if x.service != "" {
			f.services[x.service]++
		}
		f.quiet = latest(f.quiet, x.quiet())
		if x.opens {
			f.openers = append(f.openers, x)
		}
		if x.End == incident.EndResolved || x.End == incident.EndHistory {
			ends = append(ends, x.EndsAt)
		}
	}
	f.names, f.kinds, f.alerts = len(names), float64(len(kinds)), len(prints)
	if len(ends) > 0 {
		slices.SortFunc(ends, time.Time.Compare)
		f.settled = ends[len(ends)*3/4]
	}
	for _, r := range slices.Sorted(maps.Keys(o.roots)) { // in order, because sums of floats depend on it
		f.total += math.Exp(o.base + o.roots[r] - o.best)
	}
	f.odds = f.opens(o)
	o.seen = f
	return f
}

// share is how likely a service is the root.
func (o *outbreak) share(service string) float64 {
	q, ok := o.roots[service]
	if !ok {
		return 0
	}
	return math.Exp(o.base+q-o.best) / o.look().total
}

// A day begins in the longest pause between rare alerts in the first six hours of a UTC day, so that few outbreaks are cut
// in two, and no outbreak depends on what happened days before.
const (
	day     = 24 * time.Hour
	morning = 6 * time.Hour
)

// dayNumber counts UTC days since 1970.
func dayNumber(t time.Time) int64 {
	return int64(math.Floor(float64(t.Unix()) / float64(day/time.Second)))
}

func midnight(number int64) time.Time { return time.Unix(number*int64(day/time.Second), 0).UTC() }

// mornings remember when days begin.
type mornings map[int64]beginning

type beginning struct {
	alerts []*alert // of the morning
	at     time.Time
}

// days cuts rare alerts, in order of key, into days, by the number of each.
func (m mornings) days(alerts []*alert) iter.Seq2[int64, []*alert] {
	return func(yield func(int64, []*alert) bool) {
		before := func(t time.Time) int {
			i, _ := slices.BinarySearchFunc(alerts, t, func(x *alert, t time.Time) int { return x.StartsAt.Compare(t) })
			return i
		}
		begin := func(n int64) int {
			list := alerts[before(midnight(n)):before(midnight(n).Add(morning))]
			known, ok := m[n]
			if !ok || !slices.Equal(known.alerts, list) {
				known = beginning{list, dayBegins(midnight(n), list)}
				m[n] = known
			}
			return before(known.at)
		}
		for i := 0; i < len(alerts); {
			n := dayNumber(alerts[i].StartsAt)
			if i < begin(n) {
				n--
			}
			end := begin(n + 1)
			if !yield(n, alerts[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// dayBegins is the end of the longest pause of a morning.
func dayBegins(midnight time.Time, alerts []*alert) time.Time {
	last, cut := midnight, midnight
	var longest time.Duration
	look := func(t time.Time) {
		if pause := t.Sub(last); pause > longest {
			longest, cut = pause, t
		}
		last = t
	}
	for _, x := range alerts {
		look(x.StartsAt)
	}
	look(midnight.Add(6 * time.Hour))
	return cut
}
