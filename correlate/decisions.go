package correlate

import (
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/correlate/assign"
	"meantime/correlate/linkage"
	"meantime/incident"
)

// decisions are the reviews that hold, in order.
type decisions struct {
	reviews []incident.Review
	all     []incident.Review            // as they are stored, those that do not hold too
	of      map[string][]incident.Review // by the id of the incident that they name: all but merge and split
	links   map[string][]incident.Review // confirmed and rejected links, by fingerprint
	joins   map[[2]string]incident.Review
	apart   map[[2]string]bool
	// named are the ids of incidents that alerts opened, as reviews name them, with the episode each is of; affirmed those
	// of which a review speaks as of an incident.
	named    map[string]*entry
	affirmed map[string]bool
}

func decide(reviews []incident.Review) *decisions {
	d := &decisions{
		all: reviews, of: map[string][]incident.Review{}, links: map[string][]incident.Review{},
		joins: map[[2]string]incident.Review{}, apart: map[[2]string]bool{},
		named: map[string]*entry{}, affirmed: map[string]bool{},
	}
	for _, r := range incident.Effective(reviews) {
		if r.Action == incident.ReviewWithdraw {
			continue
		}
		d.reviews = append(d.reviews, r)
		for _, id := range []string{r.Incident, r.Other} {
			if strings.HasPrefix(id, "a") {
				d.named[id] = nil
				d.affirmed[id] = d.affirmed[id] ||
					r.Action != incident.ReviewReject && r.Action != incident.ReviewSplit && r.Mark != string(incident.StateCancelled)
			}
		}
		switch r.Action {
		case incident.ReviewMerge, incident.ReviewSplit:
			d.joins[pair(r.Incident, r.Other)] = r
		case incident.ReviewConfirm, incident.ReviewReject:
			d.links[r.Episode.Fingerprint] = append(d.links[r.Episode.Fingerprint], r)
			d.of[r.Incident] = append(d.of[r.Incident], r)
		default:
			d.of[r.Incident] = append(d.of[r.Incident], r)
		}
	}
	for p, r := range d.joins {
		if r.Action == incident.ReviewSplit {
			d.apart[p] = true
		}
	}
	return d
}

// options are what the decisions say of records.
func (d *decisions) options() linkage.Options {
	o := linkage.Options{Joined: map[[2]string]string{}, Apart: map[[2]string]string{}}
	for p, r := range d.joins {
		if !strings.HasPrefix(p[0], "r") || !strings.HasPrefix(p[1], "r") {
			continue
		}
		if r.Action == incident.ReviewMerge {
			o.Joined[p] = sentence(r.By+" said they are one", r.Reason)
		} else {
			o.Apart[p] = r.Reason
		}
	}
	return o
}

// ids are those that an episode lends the incident it opens, one for each start it was told with.
func (e *entry) ids() []string {
	out := []string{incident.EpisodeID(e.key())}
	for _, n := range e.starts {
		out = append(out, incident.EpisodeID(incident.EpisodeKey{Fingerprint: e.series.fingerprint, StartsAt: time.Unix(0, n).UTC()}))
	}
	return out
}

// meet notes an episode by whose id a review may name an incident; part forgets it.
func (d *decisions) meet(e *entry) {
	if len(d.named) == 0 {
		return
	}
	for _, id := range e.ids() {
		if old, ok := d.named[id]; ok && (old == nil || byStart(e, old) < 0) {
			d.named[id] = e
		}
	}
}

func (d *decisions) part(e *entry) {
	for id, x := range d.named {
		if x == e {
			d.named[id] = nil
		}
	}
}

// of fills in what people decided about an alert. resolve gives the incident that an id means.
func (d *decisions) fill(x *assign.Alert, e *entry, resolve func(string) string) {
	for _, r := range d.links[x.Key.Fingerprint] {
		at := r.Episode.StartsAt.UnixNano()
		if at != e.start && !slices.Contains(e.starts, at) {
			continue
		}
		id := resolve(r.Incident)
		if id == "" {
			continue
		}
		if r.Action == incident.ReviewConfirm {
			x.Confirmed, x.Own = id, d.named[id] == e
			x.Rejected = slices.DeleteFunc(x.Rejected, func(o string) bool { return o == id })
			continue
		}
		if x.Confirmed == id {
			x.Confirmed, x.Own = "", false
		}
		if !slices.Contains(x.Rejected, id) {
			x.Rejected = append(x.Rejected, id)
		}
	}
	slices.Sort(x.Rejected)
	for id, o := range d.named {
		if o != e {
			continue
		}
		x.Seed = x.Seed || d.affirmed[id]
		for p := range d.apart {
			other := p[0]
			if other == id {
				other = p[1]
			} else if p[1] != id {
				continue
			}
			if other = resolve(other); other != "" {
				x.Seed = true
				x.Excluded = append(x.Excluded, other)
			}
		}
	}
	slices.Sort(x.Excluded)
}

// resolve is the ref of the incident that an id means as far as records and episodes go; empty where there is none.
func (b *book) resolve(id string) string {
	if r := b.index.ByID(id); r != nil {
		if g := b.index.Of(r.Key); g != nil {
			return g.ID()
		}
	}
	if e := b.reviews.named[id]; e != nil {
		return id
	}
	return ""
}

// tellReviews takes in all reviews. What is worked out again is what a decision names that was not made before, or holds no more:
// what one review costs does not grow with how many there are.
func (b *book) tellReviews(list []incident.Review) {
	old, now := b.reviews, decide(list)
	turned := otherReviews(old.reviews, now.reviews)
	if len(turned) == 0 {
		old.all = list
		return
	}
	b.reviews = now
	for id := range now.named {
		now.named[id] = old.named[id]
	}
	if slices.Contains(slices.Collect(maps.Values(now.named)), nil) {
		for _, s := range b.series {
			for _, e := range s.entries {
				now.meet(e)
			}
		}
	}
	b.index.SetOptions(now.options())
	b.regrouped = true
	for i := range turned {
		b.doubtReview(&turned[i], old, now)
	}
}

// doubtReview marks what a review decides about.
func (b *book) doubtReview(r *incident.Review, old, now *decisions) {
	if r.Episode != nil {
		if s := b.series[r.Episode.Fingerprint]; s != nil {
			for _, e := range s.entries {
				if e.cell != nil {
					b.dirty[e.cell] = true
				}
			}
		}
	}
	for _, id := range []string{r.Incident, r.Other} {
		for _, e := range []*entry{old.named[id], now.named[id]} {
			if e != nil && e.cell != nil {
				b.dirty[e.cell] = true
			}
		}
		p := b.meant(id)
		if p == nil {
			continue
		}
		b.touched[p] = true
		if r.Action == incident.ReviewSplit || r.Action == incident.ReviewMerge {
			for c := range p.cells {
				b.dirty[c] = true
			}
		}
	}
}

// otherReviews are those that only one of two lists has, each with different ids.
func otherReviews(old, now []incident.Review) (out []incident.Review) {
	of := make(map[string]*incident.Review, len(old))
	for i := range old {
		of[old[i].ID] = &old[i]
	}
	for i := range now {
		r := &now[i]
		before := of[r.ID]
		if delete(of, r.ID); before != nil && incident.SameDecision(before, r) {
			continue
		}
		out = append(out, *r)
		if before != nil {
			out = append(out, *before)
		}
	}
	for _, r := range of {
		out = append(out, *r)
	}
	return out
}

// meant is the incident that an id means now; nil for none.
func (b *book) meant(id string) *part {
	if r := b.index.ByID(id); r != nil {
		return b.partOf(r.Key)
	}
	if e := b.reviews.named[id]; e != nil && !e.moved {
		if e.part != nil {
			return e.part
		}
	}
	if p := b.parts[id]; p != nil && (p.group != nil || p.opened > 0 || len(p.cells) > 0) {
		return p
	}
	return nil
}

func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

// sentence joins what was done with the reason given for it.
func sentence(what, why string) string {
	if why = strings.TrimSpace(why); why == "" {
		return what
	}
	return what + ": " + why
}
