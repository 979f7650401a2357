package correlate

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"meantime/incident"
)

// decisions are the reviews that hold, in order. Reviews name incidents by the ids of facts (incident.RecordID,
// incident.EpisodeID), and so does everything here: which incident a fact came to be in is decided elsewhere.
type decisions struct {
	reviews []incident.Review
	// joins says for a pair of ids, the smaller first, whether a person said they are one incident or two.
	joins map[[2]string]incident.Review
	// of are the reviews of one incident by the id they name it with: milestones, marks and links.
	of map[string][]incident.Review
	// episodes are the confirmed and rejected links by fingerprint.
	episodes map[string][]incident.Review
	// episodeIDs are the ids of incidents that alerts opened, as far as reviews name any; affirms are those that a
	// review speaks of as of an incident.
	episodeIDs, affirms map[string]bool
	// past are the confirmed and rejected links by alert name and service, in order, once learn was told those.
	past map[[2]string][]incident.Review
}

// decide sorts the reviews that hold.
func decide(reviews []incident.Review) *decisions {
	d := &decisions{joins: map[[2]string]incident.Review{}, of: map[string][]incident.Review{}, episodes: map[string][]incident.Review{}, episodeIDs: map[string]bool{}, affirms: map[string]bool{}}
	for _, r := range incident.Effective(reviews) {
		if r.Action == incident.ReviewWithdraw {
			continue
		}
		d.reviews = append(d.reviews, r)
		for _, id := range []string{r.Incident, r.Other} {
			if strings.HasPrefix(id, "a") {
				d.episodeIDs[id] = true
				d.affirms[id] = d.affirms[id] || r.Action != incident.ReviewReject && r.Action != incident.ReviewSplit && r.Mark != string(incident.StateCancelled)
			}
		}
		switch r.Action {
		case incident.ReviewMerge, incident.ReviewSplit:
			d.joins[pair(r.Incident, r.Other)] = r
		case incident.ReviewConfirm, incident.ReviewReject:
			d.episodes[r.Episode.Fingerprint] = append(d.episodes[r.Episode.Fingerprint], r)
			d.of[r.Incident] = append(d.of[r.Incident], r)
		default:
			d.of[r.Incident] = append(d.of[r.Incident], r)
		}
	}
	return d
}

// learn sorts the decisions on links by the name and service of the alert.
func (d *decisions) learn(of func(fingerprint string) (name, service string)) {
	d.past = map[[2]string][]incident.Review{}
	for _, r := range d.reviews {
		if r.Action == incident.ReviewConfirm || r.Action == incident.ReviewReject {
			name, service := of(r.Episode.Fingerprint)
			d.past[[2]string{name, service}] = append(d.past[[2]string{name, service}], r)
		}
	}
}

// habits is how many links of alerts of one name and service people had confirmed and rejected when an alert began. What
// they decided later says nothing about it, so that a review does not change what was long settled.
func (d *decisions) habits(x *alert) (confirmed, rejected int) {
	for _, r := range d.past[[2]string{x.Name(), x.service}] {
		switch {
		case r.At.After(x.StartsAt):
		case r.Action == incident.ReviewConfirm:
			confirmed++
		default:
			rejected++
		}
	}
	return confirmed, rejected
}

// habit is what earlier decisions say about an alert, as the logarithm of odds.
func (d *decisions) habit(x *alert) float64 {
	confirmed, rejected := d.habits(x)
	return clamp(math.Log(float64(confirmed+1)/float64(rejected+1)), -mostHabit, mostHabit)
}

const mostHabit = 1.5

func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

// about are the reviews that name an incident by any of the given ids, in order.
func (d *decisions) about(ids []string) []incident.Review {
	var out []incident.Review
	for _, id := range ids {
		out = append(out, d.of[id]...)
	}
	slices.SortFunc(out, func(a, b incident.Review) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return out
}
