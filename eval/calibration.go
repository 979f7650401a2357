package main

import (
	"fmt"
	"io"
	"math"

	"meantime/correlate"
	"meantime/eval/score"
	"meantime/incident"
)

// judged is one link with its score and whether the truth says so.
type judged struct {
	score    float64
	right    bool
	recorded bool
}

// judge compares every link of an answer that nobody reviewed with the truth. An incident is the true one by its first
// record, else by most of its linked episodes.
func judge(t *score.Truth, res correlate.Result) []judged {
	of := map[string]string{}
	for _, i := range t.Incidents {
		for _, r := range i.Records {
			of[r] = i.ID
		}
	}
	// answers are the incidents an episode may be said to belong to; "" is none.
	answers := func(e *incident.Episode) map[string]bool {
		best, off := -1, math.Inf(1)
		starts := score.At(e.StartsAt).Seconds
		for i := range t.Episodes {
			x := &t.Episodes[i]
			if x.Visible && x.ObservedStart.Known && x.Fingerprint == e.Fingerprint && math.Abs(x.ObservedStart.Seconds-starts) < off {
				best, off = i, math.Abs(x.ObservedStart.Seconds-starts)
			}
		}
		out := map[string]bool{}
		if best < 0 {
			return out
		}
		out[t.Episodes[best].Incident] = true
		for _, id := range t.Episodes[best].Also {
			out[string(id)] = true
		}
		return out
	}
	var out []judged
	for i := range res.Incidents {
		in := &res.Incidents[i]
		is := ""
		if len(in.Records) > 0 {
			is = of[in.Records[0].ID]
		} else {
			votes, most := map[string]int{}, 0
			for _, e := range in.Linked() {
				for id := range answers(e) {
					if votes[id]++; id != "" && votes[id] > most {
						is, most = id, votes[id]
					}
				}
			}
			if votes[""] > most {
				is = "a false alarm"
			}
		}
		for k := range in.Links {
			l := &in.Links[k]
			if l.State == incident.LinkStated { // which nothing weighed
				continue
			}
			out = append(out, judged{l.Score, answers(&l.Episode)[is], len(in.Records) > 0})
		}
	}
	return out
}

// printCalibration prints score against truth: of links with about this score, the share that is right.
func printCalibration(w io.Writer, all []judged) {
	fmt.Fprintf(w, "\n%-22s %9s %9s %9s\n", "links by score", "links", "score", "right")
	for _, recorded := range []bool{true, false} {
		what := "of records"
		if !recorded {
			what = "of opened incidents"
		}
		edges := []float64{0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.01}
		for i, from := range edges[:len(edges)-1] {
			n, score, right := 0.0, 0.0, 0.0
			for _, j := range all {
				if j.recorded == recorded && j.score >= from && j.score < edges[i+1] {
					n++
					score += j.score
					if j.right {
						right++
					}
				}
			}
			if n > 0 {
				fmt.Fprintf(w, "%-22s %9.0f %9.2f %9.2f\n", what, n, score/n, right/n)
			}
		}
	}
}
