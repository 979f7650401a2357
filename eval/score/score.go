package score

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// Tolerances are how far a start and an end may be off, in seconds, and still be exact.
type Tolerances struct {
	Start, End float64
}

// DefaultTolerances allow a second for a start and half a minute for an end.
var DefaultTolerances = Tolerances{Start: 1, End: 30}

// Figures are what is said of an answer, by name, rounded to four digits after the point. Which there are depends on the
// data: a figure of something that the data do not have is absent.
//
//   - link_precision, link_recall, link_f1: episodes linked to the right incident; with suggested ones, and of the
//     episodes of recorded and unrecorded incidents, of those that people noticed late, that come back as tickets of their
//     own (chain) or last days (long), and of alerts that fire often for nothing (frequent).
//   - noise_rejected and by kind: noise episodes that are linked to nothing.
//   - grouping_{unrecorded,opened,all}: B-cubed and adjusted Rand index. An episode that is not linked is a group of one,
//     so B-cubed is kind to an answer that opens little.
//   - opened…: incidents that alerts opened against the true incidents without a record; false alarms also per 100 opened,
//     per 100 incidents of the answer and per 30 days.
//   - missed_precision: of the recorded incidents that the answer calls missed (no linked episode), how many no alert
//     caught; missed_claims and missed_wrong are the counts. The precision of no claim is 1. A record that the answer holds
//     in another incident or nowhere is no claim; missed_accuracy, missed_recall and missed_precision_unread_wrong count
//     it wrong.
//   - duplicates: pairs of records of one incident.
//   - {started,…,ttr}: coverage, absolute error (median, 90th percentile), bias, and the share within 60 and 300 seconds.
//   - episodes: missing, extra, a wrong start or end (only where a resolved was delivered), and the F1 of exact ones.
type Figures map[string]float64

// Score scores an answer.
func Score(t *Truth, a *Answer, tol Tolerances) Figures {
	s := newScorer(t, a, tol)
	s.episodes()
	s.match()
	s.links()
	s.grouping()
	s.opened()
	s.missed()
	s.duplicates()
	s.times()
	for k, v := range s.out {
		s.out[k], _ = strconv.ParseFloat(strconv.FormatFloat(v, 'f', 4, 64), 64)
	}
	return s.out
}

// episode is a true episode that counts.
type episode struct {
	*Episode
	from, to float64
	ok       map[string]bool // the incidents it may be linked to; "" is none
}

// scored is an incident of the answer.
type scored struct {
	*AnsweredIncident
	// links and suggested are the episodes linked to it, with the true episode each of them is, or nil.
	links, suggested map[heard]*episode
	// match is the true incident it is; empty where it is none.
	match string
	// counts says that match is answered by it.
	counts bool
}

// heard is an episode as the answer has it.
type heard struct {
	fingerprint string
	start       Time
}

// scorer holds one comparison.
type scorer struct {
	truth  *Truth
	answer *Answer
	tol    Tolerances
	out    Figures

	real []*episode // those that count, in the truth's order
	of   map[string][]*episode
	dogs map[string]bool // fingerprints of watchdogs
	inc  map[string]*Incident
	// known are the true incidents that something could tell of.
	known    map[string]bool
	recordOf map[string]string
	all      []*scored
	// answers are the incidents that count for a true one.
	answers map[string][]*scored
	// is says which true episode an episode of the answer is.
	is map[heard]*episode
}

func newScorer(t *Truth, a *Answer, tol Tolerances) *scorer {
	s := &scorer{
		truth: t, answer: a, tol: tol, out: Figures{}, of: map[string][]*episode{}, dogs: map[string]bool{}, inc: map[string]*Incident{},
		known: map[string]bool{}, recordOf: map[string]string{}, answers: map[string][]*scored{}, is: map[heard]*episode{},
	}
	for i := range t.Incidents {
		x := &t.Incidents[i]
		s.inc[x.ID] = x
		if len(x.Records) > 0 {
			s.known[x.ID] = true
		}
		for _, r := range x.Records {
			s.recordOf[r] = x.ID
		}
	}
	for i := range t.Episodes {
		x := &t.Episodes[i]
		if x.Why == watchdog {
			s.dogs[x.Fingerprint] = true
		}
		if !x.Visible || x.Why == watchdog {
			continue
		}
		e := &episode{
			Episode: x,
			from:    x.ObservedStart.Seconds,
			to:      cmp.Or(x.ObservedEnd, x.End, t.Window.To).Seconds,
			ok:      map[string]bool{x.Incident: true},
		}
		for _, a := range x.Also {
			e.ok[string(a)] = true
		}
		if x.Incident != "" {
			s.known[x.Incident] = true
		}
		s.real = append(s.real, e)
		s.of[x.Fingerprint] = append(s.of[x.Fingerprint], e)
	}
	return s
}

// match finds for each incident of the answer the true one it is, and which of them count.
func (s *scorer) match() {
	for i := range s.answer.Incidents {
		x := &scored{AnsweredIncident: &s.answer.Incidents[i], links: map[heard]*episode{}, suggested: map[heard]*episode{}}
		for k := range x.Episodes {
			e := &x.Episodes[k]
			h := heard{e.Fingerprint, e.StartsAt}
			switch {
			case s.dogs[e.Fingerprint]:
			case e.linked():
				x.links[h] = s.is[h]
			case e.State == "suggested":
				x.suggested[h] = s.is[h]
			}
		}
		votes := map[string]int{}
		for _, r := range x.RecordIDs {
			if t, ok := s.recordOf[r]; ok {
				votes[t]++
			}
		}
		if len(x.RecordIDs) == 0 {
			for _, e := range x.links {
				if e == nil {
					votes[""]++
				} else {
					votes[e.Incident]++
				}
			}
		}
		x.match = majority(votes)
		s.all = append(s.all, x)
	}
	for t, x := range s.inc {
		var mine []*scored
		for _, i := range s.all {
			if i.match == t && (len(x.Records) == 0 || len(i.RecordIDs) > 0) {
				mine = append(mine, i)
			}
		}
		if len(x.Records) == 0 && len(mine) > 1 {
			mine = []*scored{slices.MinFunc(mine, func(a, b *scored) int {
				return cmp.Or(cmp.Compare(b.mayBe(t), a.mayBe(t)), cmp.Compare(a.ID, b.ID))
			})}
		}
		for _, i := range mine {
			i.counts = true
		}
		s.answers[t] = mine
	}
}

// mayBe is how many linked episodes may belong to a true incident.
func (x *scored) mayBe(t string) int {
	n := 0
	for _, e := range x.links {
		if e != nil && e.ok[t] {
			n++
		}
	}
	return n
}

// majority is the key with the most votes; of several the first by name, where none ("") is called "None".
func majority(votes map[string]int) string {
	keys := slices.Collect(maps.Keys(votes))
	if len(keys) == 0 {
		return ""
	}
	return slices.MinFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(votes[b], votes[a]), cmp.Compare(cmp.Or(a, "None"), cmp.Or(b, "None")))
	})
}

// ratio is a/b, and 1 of nothing.
func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// f1 is the harmonic mean of precision and recall.
func f1(p, r float64) float64 {
	if p+r == 0 {
		return 0
	}
	return 2 * p * r / (p + r)
}
