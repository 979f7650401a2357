package correlate

import (
	"cmp"
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
}

// decide orders reviews and leaves out those withdrawn. A withdrawal can itself be withdrawn.
func decide(reviews []incident.Review) *decisions {
	all := slices.Clone(reviews)
	slices.SortFunc(all, func(a, b incident.Review) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	all = slices.CompactFunc(all, func(a, b incident.Review) bool { return a.ID == b.ID })
	withdrawn := map[string]bool{}
	for _, r := range slices.Backward(all) {
		if r.Action == incident.ReviewWithdraw && !withdrawn[r.ID] {
			withdrawn[r.Other] = true
		}
	}
	d := &decisions{joins: map[[2]string]incident.Review{}, of: map[string][]incident.Review{}, episodes: map[string][]incident.Review{}}
	for _, r := range all {
		if r.Action == incident.ReviewWithdraw || withdrawn[r.ID] {
			continue
		}
		d.reviews = append(d.reviews, r)
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
