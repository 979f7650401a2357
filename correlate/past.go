package correlate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// past counts in which hours alerts fired, so that what fires all the time can be told from what is unusual. It looks
// back only: what an alert meant when it fired does not change by what fires later.
type past map[kind][]hour

// kind is what an alert can be a repetition of: the same alert, any of its name for the same service, or any of its severity.
type kind struct{ fingerprint, name, service, severity string }

// mark is what of an alert tells how usual it is.
type mark struct {
	fingerprint, name, service, severity string
	start                                time.Time
}

func (m *mark) kinds() [3]kind {
	return [3]kind{{fingerprint: m.fingerprint}, {name: m.name, service: m.service}, {severity: cmp.Or(m.severity, "none")}}
}

// kind is its name for the same service.
func (x *alert) kind() kind { return kind{name: x.Name(), service: x.service} }

func (x *alert) mark() mark { return mark{x.Fingerprint, x.Name(), x.service, x.severity, x.StartsAt} }

func markOf(v *incident.Verdict) mark {
	return mark{v.Episode.Fingerprint, v.Episode.Name(), v.Service, v.Severity, v.Episode.StartsAt}
}

// hour is an hour since 1970 with the number of alerts that began in it.
type hour struct{ at, n int64 }

// A rate is looked for over a day, a week and four weeks. The hours just before an alert do not count: they are of the
// same trouble. An alert that fired in no more than usual hours of a span says nothing by that: one bad morning is not a habit.
const (
	lookback   = 28 * 24
	sameBout   = 3 // hours
	usual      = 4 // hours
	rareRate   = 0.001
	ofName     = 0.1           // how far the habits of its name speak against an alert that itself is new
	tooOften   = 19 * trueRate // above it an alert alone says nothing
	trueRate   = 0.002         // how often an hour incidents make a given alert fire
	rateSteps  = 2             // rates are rounded to powers of it, so that one more alert seldom changes another's
	hourLength = int64(time.Hour / time.Second)
)

func hourOf(t time.Time) int64 { return int64(math.Floor(float64(t.Unix()) / float64(hourLength))) }

// count adds n alerts of a kind that began in an hour, or with a negative n takes them back. It says whether there were none
// before, or are none any more.
func (p past) count(k kind, at, n int64) (turned bool) {
	list := p[k]
	i, ok := slices.BinarySearchFunc(list, at, func(h hour, at int64) int { return cmp.Compare(h.at, at) })
	if !ok {
		p[k] = slices.Insert(list, i, hour{at, n})
		return true
	}
	if list[i].n += n; list[i].n > 0 {
		return false
	}
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(p, k)
	} else {
		p[k] = list
	}
	return true
}

// add counts an alert, or with -1 takes it back.
func (p past) add(m mark, n int64) {
	for _, k := range m.kinds() {
		p.count(k, hourOf(m.start), n)
	}
}

// hours is the number of hours in [from, to) in which any of a kind began.
func (p past) hours(k kind, from, to int64) float64 {
	list := p[k]
	find := func(at int64) int {
		i, _ := slices.BinarySearchFunc(list, at, func(h hour, at int64) int { return cmp.Compare(h.at, at) })
		return i
	}
	return float64(find(to) - find(from))
}

// habit is how usual an alert is.
type habit struct {
	rate float64 // how often an hour it fires as a habit
	news bool    // hardly any of its severity fired in the weeks before
}

func (p past) habit(m mark) habit {
	h, end, kinds := habit{rate: rareRate}, hourOf(m.start)-sameBout, m.kinds()
	most := 0.0
	for i, k := range kinds[:2] {
		weight := 1.0
		if i > 0 {
			weight = ofName
		}
		for _, span := range []int64{24, 7 * 24, lookback} {
			most = max(most, weight*(p.hours(k, end-span, end)-usual)/float64(span))
		}
	}
	if most > rareRate {
		h.rate = rareRate * math.Pow(rateSteps, math.Round(math.Log(most/rareRate)/math.Log(rateSteps)))
	}
	end = hourOf(m.start) - 1
	h.news = p.hours(kinds[2], end-lookback, end) == 0
	return h
}

// rare says whether an alert is unusual enough to say something by itself.
func (x *alert) rare() bool { return !x.watchdog && x.rate <= tooOften }
