package correlate

import (
	"math"
	"slices"
	"time"
)

// past counts in which hours alerts fired, so that what fires all the time can be told from what is unusual. It looks
// back only: what an alert meant when it fired does not change by what fires later.
type past map[kind][]hour

// kind is what an alert can be a repetition of: the same alert, any of its name for the same service, or any that may open
// an incident.
type kind struct {
	fingerprint, name, service string
	opens                      bool
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
	news       = 0             // hours
	hourLength = int64(time.Hour / time.Second)
)

func hourOf(t time.Time) int64 { return int64(math.Floor(float64(t.Unix()) / float64(hourLength))) }

func kindsOf(x *alert) []kind {
	list := []kind{{fingerprint: x.Fingerprint}, {name: x.Name(), service: x.service}}
	if x.opens {
		list = append(list, kind{opens: true})
	}
	return list
}

// count adds n alerts of a kind that began in an hour; n may be negative.
func (p past) count(k kind, at, n int64) {
	list := p[k]
	i, ok := slices.BinarySearchFunc(list, at, func(h hour, at int64) int { return int(h.at - at) })
	switch {
	case !ok:
		list = slices.Insert(list, i, hour{at, n})
	default:
		list[i].n += n
	}
	if list[i].n <= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		delete(p, k)
	} else {
		p[k] = list
	}
}

// add counts an alert, or takes it back.
func (p past) add(x *alert, n int64) {
	for _, k := range kindsOf(x) {
		p.count(k, hourOf(x.StartsAt), n)
	}
}

// hours is the number of hours in [from, to) in which any of a kind began.
func (p past) hours(k kind, from, to int64) float64 {
	list := p[k]
	find := func(at int64) int {
		i, _ := slices.BinarySearchFunc(list, at, func(h hour, at int64) int { return int(h.at - at) })
		return i
	}
	return float64(find(to) - find(from))
}

// rate is how often an hour an alert fires as a habit.
func (p past) rate(x *alert) float64 {
	rate, end := 0.0, hourOf(x.StartsAt)-sameBout
	for i, k := range kindsOf(x)[:2] {
		weight := 1.0
		if i > 0 {
			weight = ofName
		}
		for _, span := range []int64{24, 7 * 24, lookback} {
			rate = max(rate, weight*(p.hours(k, end-span, end)-usual)/float64(span))
		}
	}
	if rate <= rareRate {
		return rareRate
	}
	return rareRate * math.Pow(rateSteps, math.Round(math.Log(rate/rareRate)/math.Log(rateSteps)))
}

// newsworthy says whether alerts that may open an incident have been so seldom in the past weeks that one alone is news.
func (p past) newsworthy(x *alert) bool {
	end := hourOf(x.StartsAt) - 1
	return x.opens && p.hours(kind{opens: true}, end-lookback, end) <= news
}

// rare says whether an alert is unusual enough to say something by itself.
func (x *alert) rare() bool { return !x.watchdog && x.rate <= tooOften }
