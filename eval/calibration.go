package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"meantime/correlate"
	"meantime/incident"
)

// truth is the part of truth.json that says which episode belongs to which incident.
type truth struct {
	Episodes []struct {
		Fingerprint string     `json:"fingerprint"`
		Seen        *time.Time `json:"observed_start"`
		Incident    *string    `json:"incident"`
		Also        []*string  `json:"also"`
		Visible     bool       `json:"visible"`
	} `json:"episodes"`
	Incidents []struct {
		ID      string   `json:"id"`
		Records []string `json:"records"`
	} `json:"incidents"`
}

// judged is one link with its score and whether the truth says so.
type judged struct {
	score    float64
	right    bool
	recorded bool
}

// judge compares every link of an answer that nobody reviewed with the truth. An incident is the true one by its first
// record, else by most of its linked episodes.
func judge(path string, res correlate.Result) ([]judged, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t truth
	if err := json.Unmarshal(b, &t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	of := map[string]string{}
	for _, i := range t.Incidents {
		for _, r := range i.Records {
			of[r] = i.ID
		}
	}
	// answers are the incidents an episode may be said to belong to; "" is none.
	answers := func(e *incident.Episode) map[string]bool {
		best, off := -1, time.Duration(math.MaxInt64)
		for i := range t.Episodes {
			x := &t.Episodes[i]
			if x.Visible && x.Seen != nil && x.Fingerprint == e.Fingerprint && x.Seen.Sub(e.StartsAt).Abs() < off {
				best, off = i, x.Seen.Sub(e.StartsAt).Abs()
			}
		}
		out := map[string]bool{}
		if best < 0 {
			return out
		}
		for _, id := range append(t.Episodes[best].Also, t.Episodes[best].Incident) {
			if id == nil {
				out[""] = true
			} else {
				out[*id] = true
			}
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
			out = append(out, judged{l.Score, answers(&l.Episode)[is], len(in.Records) > 0})
		}
	}
	return out, nil
}

// printCalibration prints score against truth: of links with about this score, the share that is right.
func printCalibration(all []judged) {
	fmt.Printf("\n%-22s %9s %9s %9s\n", "links by score", "links", "score", "right")
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
				fmt.Printf("%-22s %9.0f %9.2f %9.2f\n", what, n, score/n, right/n)
			}
		}
	}
}
