package correlate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// correlator holds facts with all that was worked out of them, so that a further fact costs what it changes and not what there
// is. Each step keeps what its input left as it was: a pointer to an alert, an outbreak, a report or a match stands for
// its content, and is compared in place of it. Whatever it was told before, it comes to what a new one comes to that is
// told everything at once.
//
// The steps, in order: alerts and how usual each is; outbreaks, by working day; reports of records; matches between the two;
// which outbreak belongs to what (cheap, and done again as a whole); claims, which link each alert; incidents; verdicts.
type correlator struct {
	dir     *directory
	weights *Weights
	now     time.Time
	before  past // of all alerts that count, those at hand and earlier ones

	alerts map[string][]*alert // by fingerprint, in order
	named  map[kind][]*alert   // by name and service
	order  []*alert            // all, in order of key
	rare   []*alert            // those of them that are unusual enough
	loose  []*alert            // those that are not, but for watchdogs
	begins mornings
	days   map[int64]*folding
	breaks []*outbreak // in order

	records  map[incident.RecordKey]*incident.Record
	alone    map[*incident.Record]*report
	likes    map[[2]*report]likeness // of pairs that are likely one
	compared map[*report]bool        // with all others
	reports  []*report               // in order

	matched    map[*report]bool       // with the outbreaks at hand
	matchesOf  map[*outbreak][]*match // the likeliest first
	allMatches []*match               // the likeliest first

	reviews  *decisions
	silences []incident.Silence
	blind    map[string][]incident.Impact
	reach    *incident.Reach // as of the newest pass: of earlier words it says what it said

	claimed   map[*outbreak]*claims
	made      map[subject]*made
	special   map[*alert]bool // placed in every pass: people spoke of them, or they open an incident each
	incidents map[string]*made

	// told is what was told since the last pass.
	told struct {
		sightings map[string][]incident.Sighting // all of a fingerprint
		records   bool
		reviews   bool
		other     bool // silences or blindness
	}
}

// newCorrelator makes one. before counts alerts that it is never told of.
func newCorrelator(rules *Rules, dir *directory, before past) *correlator {
	c := &correlator{
		dir: dir, weights: &rules.Weights, before: before, alerts: map[string][]*alert{}, named: map[kind][]*alert{}, days: map[int64]*folding{}, begins: mornings{},
		records: map[incident.RecordKey]*incident.Record{}, alone: map[*incident.Record]*report{}, likes: map[[2]*report]likeness{}, matchesOf: map[*outbreak][]*match{},
		reviews: decide(nil), reach: &incident.Reach{}, claimed: map[*outbreak]*claims{}, made: map[subject]*made{}, incidents: map[string]*made{},
	}
	c.told.sightings = map[string][]incident.Sighting{}
	return c
}

// sightings tells all sightings of some fingerprints.
func (c *correlator) sightings(list []incident.Sighting) {
	for _, s := range merged(list) {
		c.told.sightings[s.Fingerprint] = append(c.told.sightings[s.Fingerprint], s)
	}
}

// record tells of a record. Of its versions the newest counts.
func (c *correlator) record(r *incident.Record) {
	if old, ok := c.records[r.Key()]; !ok || incident.Newer(r, old) {
		c.records[r.Key()], c.told.records = r, true
	}
}

// review tells all reviews.
func (c *correlator) review(list []incident.Review) {
	c.reviews, c.told.reviews = decide(list), true
}

// silence tells all silences.
func (c *correlator) silence(list []incident.Silence) {
	if list = silencesOf(list); !reflect.DeepEqual(c.silences, list) {
		c.silences, c.told.other = list, true
	}
}

// blindTimes tells all stretches in which a watchdog was silent.
func (c *correlator) blindTimes(blind map[string][]incident.Impact) {
	if !reflect.DeepEqual(c.blind, blind) {
		c.blind, c.told.other = blind, true
	}
}

// tell tells of facts: of the fingerprints, the reviews and the silences all there are.
func (c *correlator) tell(f incident.Facts, blind map[string][]incident.Impact) {
	c.sightings(f.Sightings)
	for i := range f.Records {
		c.record(&f.Records[i])
	}
	c.review(f.Reviews)
	c.silence(f.Silences)
	c.blindTimes(blind)
}

// result is all there is.
func (c *correlator) result() Result {
	res := Result{Blind: c.blind, Incidents: []incident.Incident{}, Verdicts: []incident.Verdict{}}
	for _, id := range slices.Sorted(maps.Keys(c.incidents)) {
		res.Incidents = append(res.Incidents, c.incidents[id].incident)
	}
	for _, x := range c.order {
		res.Verdicts = append(res.Verdicts, x.judged())
	}
	return res
}

// changes are what a pass found otherwise than the one before.
type changes struct {
	incidents []*incident.Incident // new or changed, by ID
	removed   []*incident.Incident // that are no more, by ID
	alerts    []*alert             // whose episode or verdict is new or changed, by key
	gone      []*alert             // that are no more, by key
}

// pass works out what was told.
func (c *correlator) pass(now time.Time) changes {
	c.now = now
	gone, fresh := c.update()
	c.fold(gone, fresh)
	c.join()
	c.match()
	anew := c.told.reviews
	if len(c.reviews.episodes) > 0 {
		old := c.reviews.past
		c.reviews.learn(func(fingerprint string) (name, service string) {
			if list := c.alerts[fingerprint]; len(list) > 0 {
				return list[len(list)-1].Name(), list[len(list)-1].service
			}
			return "", ""
		})
		anew = anew || !reflect.DeepEqual(old, c.reviews.past)
	}
	s := c.settle()
	ch := s.conclude(anew, gone, fresh)
	clear(c.told.sightings)
	c.told.records, c.told.reviews, c.told.other = false, false, false

	again := map[incident.EpisodeKey]*alert{}
	for _, x := range fresh {
		again[utc(x.Key())] = x
	}
	for _, x := range gone {
		y := again[utc(x.Key())]
		switch {
		case y == nil:
			ch.gone = append(ch.gone, x)
		case sameToTell(x, y):
			delete(again, utc(x.Key()))
			ch.alerts = slices.DeleteFunc(ch.alerts, func(z *alert) bool { return z == y })
		}
	}
	slices.SortFunc(ch.alerts, byKey)
	slices.SortFunc(ch.gone, byKey)
	return ch
}

// update derives the alerts of the fingerprints told of, and finds what their coming or going makes more or less usual.
func (c *correlator) update() (gone, fresh []*alert) {
	for fingerprint, list := range c.told.sightings {
		c.dir.ask()
		old := c.alerts[fingerprint]
		var now []*alert
		for _, e := range incident.Episodes(list, c.dir.rules.Silence, c.now) {
			c.reach.Judge(&e)
			i := slices.IndexFunc(old, func(x *alert) bool { return x.StartsAt.Equal(e.StartsAt) })
			if i >= 0 && reflect.DeepEqual(old[i].Episode, e) {
				now = append(now, old[i])
				continue
			}
			x := newAlert(e, c.dir)
			now, fresh = append(now, x), append(fresh, x)
		}
		for _, x := range old {
			if !slices.Contains(now, x) {
				gone = append(gone, x)
			}
		}
		if c.alerts[fingerprint] = now; len(now) == 0 {
			delete(c.alerts, fingerprint)
		}
	}
	turned := map[kind][]int64{} // hours in which any fired before, or do now
	count := func(list []*alert, n int64) {
		for _, x := range list {
			if x.watchdog {
				continue
			}
			m := x.mark()
			for _, k := range m.kinds() {
				if h := hourOf(m.start); c.before.count(k, h, n) {
					if i := slices.Index(turned[k], h); i >= 0 {
						turned[k] = slices.Delete(turned[k], i, i+1) // and back
					} else {
						turned[k] = append(turned[k], h)
					}
				}
			}
		}
	}
	first := len(c.order) == 0
	count(gone, -1)
	count(fresh, 1)
	for _, x := range fresh {
		x.habit = c.before.habit(x.mark())
	}
	if !first {
		more, less := c.rerate(turned, gone)
		gone, fresh = append(gone, less...), append(fresh, more...)
	}
	slices.SortFunc(gone, byKey)
	slices.SortFunc(fresh, byKey)
	return gone, fresh
}

// rerate finds the alerts at hand that are more or less usual than they were, by the hours that turned.
func (c *correlator) rerate(turned map[kind][]int64, gone []*alert) (fresh, old []*alert) {
	leaving := map[*alert]bool{}
	for _, x := range gone {
		leaving[x] = true
	}
	look := func(list []*alert, from int64) {
		i, _ := slices.BinarySearchFunc(list, from, func(x *alert, h int64) int { return cmp.Compare(hourOf(x.StartsAt), h) })
		for _, x := range list[i:] {
			c.dir.ask()
			if hourOf(x.StartsAt) > from+lookback+sameBout {
				break
			}
			if x.watchdog || leaving[x] {
				continue
			}
			if h := c.before.habit(x.mark()); h != x.habit {
				y := newAlert(x.Episode, c.dir)
				y.habit = h
				leaving[x] = true
				fresh, old = append(fresh, y), append(old, x)
				of := c.alerts[x.Fingerprint]
				of[slices.Index(of, x)] = y
			}
		}
	}
	for k, hours := range turned {
		for _, h := range hours {
			switch {
			case k.fingerprint != "":
				look(slices.Clone(c.alerts[k.fingerprint]), h)
			case k.severity == "":
				look(c.named[k], h)
			default:
				look(c.order, h)
			}
		}
	}
	return fresh, old
}

// fold groups the alerts that are unusual enough into outbreaks.
func (c *correlator) fold(gone, fresh []*alert) {
	if len(gone)+len(fresh) == 0 {
		return
	}
	type both struct{ gone, fresh []*alert }
	changed := map[kind]both{}
	for _, x := range gone {
		b := changed[x.kind()]
		b.gone = append(b.gone, x)
		changed[x.kind()] = b
	}
	for _, x := range fresh {
		b := changed[x.kind()]
		b.fresh = append(b.fresh, x)
		changed[x.kind()] = b
	}
	for k, b := range changed {
		if c.named[k] = exchange(c.named[k], b.gone, b.fresh); len(c.named[k]) == 0 {
			delete(c.named, k)
		}
	}
	only := func(list []*alert, which func(*alert) bool) []*alert {
		return slices.DeleteFunc(slices.Clone(list), func(x *alert) bool { return !which(x) })
	}
	loose := func(x *alert) bool { return !x.rare() && !x.watchdog }
	c.order = exchange(c.order, gone, fresh)
	c.rare = exchange(c.rare, only(gone, (*alert).rare), only(fresh, (*alert).rare))
	c.loose = exchange(c.loose, only(gone, loose), only(fresh, loose))
	c.breaks = nil
	seen := map[int64]bool{}
	for n, list := range c.begins.days(c.rare) {
		if c.days[n] == nil {
			c.days[n] = &folding{}
		}
		c.days[n].fold(list, c.dir)
		c.breaks = append(c.breaks, c.days[n].outbreaks...)
		seen[n] = true
	}
	maps.DeleteFunc(c.days, func(n int64, _ *folding) bool { return !seen[n] })
	maps.DeleteFunc(c.begins, func(n int64, _ beginning) bool { return !seen[n] && !seen[n-1] })
}

// exchange takes some alerts out of a list in order of key and puts others in, which are in order too.
func exchange(list, gone, fresh []*alert) []*alert {
	if few := len(gone) + len(fresh); few == 0 {
		return list
	} else if few < fewChanges {
		list = slices.Clone(list)
		for _, x := range gone {
			i, _ := slices.BinarySearchFunc(list, x, byKey)
			list = slices.Delete(list, i, i+1)
		}
		for _, x := range fresh {
			i, _ := slices.BinarySearchFunc(list, x, byKey)
			list = slices.Insert(list, i, x)
		}
		return list
	}
	out := make([]*alert, 0, len(list)+len(fresh))
	for _, x := range list {
		for len(fresh) > 0 && byKey(fresh[0], x) < 0 {
			out, fresh = append(out, fresh[0]), fresh[1:]
		}
		if len(gone) > 0 && gone[0] == x {
			gone = gone[1:]
			continue
		}
		out = append(out, x)
	}
	return append(out, fresh...)
}

// fewChanges are changed in place rather than by going through a list.
const fewChanges = 64

// join makes reports of records.
func (c *correlator) join() {
	if !c.told.records && !c.told.reviews {
		return
	}
	records := standing(c.records)
	known := map[*incident.Record]bool{}
	for _, r := range records {
		known[r] = true
		if c.alone[r] == nil {
			c.alone[r] = newReport([]*incident.Record{r}, nil, c.dir)
		}
	}
	maps.DeleteFunc(c.alone, func(r *incident.Record, _ *report) bool { return !known[r] })
	c.mergeRecords(records)
}

// match compares reports with outbreaks.
func (c *correlator) match() {
	reports, breaks := map[*report]bool{}, map[*outbreak]bool{} // those that are new
	for _, r := range c.reports {
		reports[r] = !c.matched[r]
	}
	c.matched = map[*report]bool{}
	for r := range reports {
		c.matched[r] = true
	}
	for _, o := range c.breaks {
		_, known := c.matchesOf[o]
		breaks[o] = !known
	}
	var fresh []*match
	try := func(r *report, o *outbreak) {
		c.dir.ask()
		if m := r.compare(o, c.dir, c.weights); m != nil {
			fresh = append(fresh, m)
		}
	}
	from := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(c.breaks, t, func(o *outbreak, t time.Time) int { return o.first.Compare(t) })
		return i
	}
	var others []*report
	for _, r := range c.reports {
		if !reports[r] {
			others = append(others, r)
			continue
		}
		for i := from(r.from); i < len(c.breaks) && !c.breaks[i].first.After(r.to); i++ {
			try(r, c.breaks[i])
		}
	}
	for _, o := range c.breaks {
		if !breaks[o] {
			continue
		}
		for _, r := range others {
			if !o.first.Before(r.from) && !o.first.After(r.to) {
				try(r, o)
			}
		}
	}
	touched := map[*outbreak]bool{}
	stays := func(m *match) bool {
		_, ok1 := reports[m.report]
		_, ok2 := breaks[m.outbreak]
		return ok1 && ok2
	}
	for o, list := range c.matchesOf {
		if _, ok := breaks[o]; !ok {
			delete(c.matchesOf, o)
		} else if slices.ContainsFunc(list, func(m *match) bool { return !stays(m) }) {
			c.matchesOf[o] = slices.DeleteFunc(slices.Clone(list), func(m *match) bool { return !stays(m) })
		}
	}
	for _, o := range c.breaks {
		if breaks[o] {
			c.matchesOf[o] = nil
		}
	}
	slices.SortFunc(fresh, likelier)
	for _, m := range fresh {
		if !touched[m.outbreak] {
			touched[m.outbreak] = true
			c.matchesOf[m.outbreak] = slices.Clone(c.matchesOf[m.outbreak])
		}
		c.matchesOf[m.outbreak] = append(c.matchesOf[m.outbreak], m)
	}
	for o := range touched {
		slices.SortFunc(c.matchesOf[o], likelier)
	}
	all := make([]*match, 0, len(c.allMatches)+len(fresh))
	for _, m := range c.allMatches {
		for len(fresh) > 0 && likelier(fresh[0], m) < 0 {
			all, fresh = append(all, fresh[0]), fresh[1:]
		}
		if stays(m) {
			all = append(all, m)
		}
	}
	c.allMatches = append(all, fresh...)
}

// likelier orders matches; of equals that of the report named first and the outbreak that began first comes first.
func likelier(a, b *match) int {
	return cmp.Or(cmp.Compare(b.odds, a.odds), strings.Compare(a.report.key, b.report.key), byFirst(a.outbreak, b.outbreak))
}
