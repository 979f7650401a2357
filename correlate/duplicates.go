package correlate

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// Two records are of one incident where one names the other, or where what they say is alike enough. Each figure is the
// logarithm of odds that the likeness is worth; they were fitted to labelled organisations and rounded.
const (
	alikeBase       = -2.2
	alikeFirst      = 2.2  // both name the same service first
	alikeAny        = 0.8  // they have a service in common
	alikeNone       = 0.5  // one of them names none
	alikeNear       = -0.5 // one's needs the other's
	alikeStrangers  = -1.5
	alikeTime       = 1.5 // a milestone at the same time, within two minutes; at most three count
	alikeClose      = 0.3 // within ten
	alikeFar        = -1.3
	alikeSource     = -1.2 // one source seldom has two records of an incident
	alikeKind       = -1.3
	alikePlace      = -0.7
	alikeHour       = -0.4 // for each hour between their beginnings
	alikeWord       = 0.8  // for each of up to two words in common
	alikeWithin     = 3 * time.Hour
	alikeRefersOdds = 4.0
	// referWithin is how far apart in time records can be that name each other: what names an incident of last month
	// tells of another one.
	referWithin = 7 * 24 * time.Hour
)

// mergeRecords joins the records, in order of key, that tell of one incident: because a person said so, because one names the
// other, or because they are alike. A person's word that two are two keeps them apart, whatever else joins them.
func (c *correlator) mergeRecords(records []*incident.Record) {
	reviews := c.reviews
	alone := make([]*report, len(records))
	ids := make([]string, len(records)) // there are many pairs, and making an ID takes long
	for i, r := range records {
		alone[i] = c.alone[r]
		ids[i] = alone[i].ids()[0]
	}
	type join struct {
		i, j int
		odds float64
		why  string
	}
	var joins []join
	place := map[string]int{}
	for i := range records {
		place[ids[i]] = i
	}
	for p, d := range reviews.joins {
		i, ok1 := place[p[0]]
		j, ok2 := place[p[1]]
		if ok1 && ok2 && d.Action == incident.ReviewMerge {
			joins = append(joins, join{min(i, j), max(i, j), 2 * certain, sentence(d.By+" said they are one", d.Reason)})
		}
	}
	at := map[*report]int{}
	for i, r := range alone {
		at[r] = i
	}
	maps.DeleteFunc(c.likes, func(p [2]*report, _ likeness) bool {
		_, ok1 := at[p[0]]
		_, ok2 := at[p[1]]
		return !ok1 || !ok2
	})
	for i, j := range candidates(records, alone, c.compared) {
		c.dir.ask()
		if l := alike(alone[i], alone[j], c.dir); l.odds > 0 {
			c.likes[[2]*report{alone[i], alone[j]}] = l
		}
	}
	c.compared = map[*report]bool{}
	for _, r := range alone {
		c.compared[r] = true
	}
	for p, l := range c.likes {
		c.dir.ask()
		i, j := at[p[0]], at[p[1]]
		if _, said := reviews.joins[pair(ids[i], ids[j])]; !said {
			joins = append(joins, join{i, j, l.odds, l.why})
		}
	}
	// The surest first, so that of three the two that belong together are joined where a person keeps the third apart.
	slices.SortFunc(joins, func(a, b join) int { return cmp.Or(cmp.Compare(b.odds, a.odds), a.i-b.i, a.j-b.j) })
	group := make([][]int, len(records))
	of := make([]int, len(records))
	why := make([][]join, len(records))
	for i := range records {
		group[i], of[i] = []int{i}, i
	}
	divided := func(a, b []int) bool {
		for _, i := range a {
			for _, j := range b {
				if d, ok := reviews.joins[pair(ids[i], ids[j])]; ok && d.Action == incident.ReviewSplit {
					return true
				}
			}
		}
		return false
	}
	for _, x := range joins {
		c.dir.ask()
		a, b := of[x.i], of[x.j]
		if a == b || divided(group[a], group[b]) {
			continue
		}
		a, b = min(a, b), max(a, b)
		for _, k := range group[b] {
			of[k] = a
		}
		group[a], group[b] = append(group[a], group[b]...), nil
		why[a] = append(append(why[a], why[b]...), x)
	}
	before := map[*incident.Record]*report{} // of several records, by the first
	for _, r := range c.reports {
		if len(r.records) > 1 {
			before[r.records[0]] = r
		}
	}
	c.reports = nil
	for i := range records {
		switch len(group[i]) {
		case 0:
		case 1:
			c.reports = append(c.reports, alone[i])
		default:
			var list []*incident.Record
			slices.Sort(group[i])
			for _, k := range group[i] {
				list = append(list, records[k])
			}
			slices.SortStableFunc(list, func(x, y *incident.Record) int {
				return cmp.Or(c.dir.sourceRank(x.Key())-c.dir.sourceRank(y.Key()), y.UpdatedAt.Compare(x.UpdatedAt))
			})
			var merged []string
			for _, x := range why[i] {
				merged = append(merged, x.why)
			}
			slices.Sort(merged)
			r := before[list[0]]
			if r == nil || !slices.Equal(r.records, list) || !slices.Equal(r.merged, merged) {
				r = newReport(list, merged, c.dir)
			}
			c.reports = append(c.reports, r)
		}
	}
}

// likeness is the logarithm of the odds that two records are of one incident, and why where that is likely.
type likeness struct {
	odds float64
	why  string
}

// candidates are the pairs of records, by place, that can be of one incident: they begin within hours of each other, or one names
// the other. Every other pair is not looked at, because there are as many as the square of the records; nor are those of which
// both are known. A pair may come twice.
func candidates(records []*incident.Record, alone []*report, known map[*report]bool) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		found := func(i, j int) bool {
			return known[alone[i]] && known[alone[j]] || yield(min(i, j), max(i, j))
		}
		order := make([]int, len(records))
		named := map[string][]int{} // by what names a record
		for i, r := range records {
			order[i] = i
			if r.URL != "" {
				named["url "+r.URL] = append(named["url "+r.URL], i)
			}
			for _, k := range []string{r.ID, r.Key().String()} {
				named["key "+k] = append(named["key "+k], i)
			}
		}
		slices.SortFunc(order, func(i, j int) int { return cmp.Or(alone[i].onset.Compare(alone[j].onset), i-j) })
		for n, i := range order {
			for _, j := range order[n+1:] {
				if alone[j].onset.Sub(alone[i].onset) > alikeWithin {
					break
				}
				if !found(i, j) {
					return
				}
			}
		}
		for i, r := range records {
			from, to := r.Span()
			var names []string
			for _, u := range r.References.URLs {
				names = append(names, "url "+u)
			}
			for _, k := range r.References.Keys {
				names = append(names, "key "+k)
			}
			if into := mergedInto(r); into != "" {
				names = append(names, "key "+into)
			}
			for _, what := range names {
				for _, j := range named[what] {
					begin, end := records[j].Span()
					if i != j && begin.Sub(to) <= referWithin && from.Sub(end) <= referWithin && !found(i, j) {
						return
					}
				}
			}
		}
	}
}

// alike says how alike two records are.
func alike(a, b *report, dir *directory) likeness {
	x, y := a.records[0], b.records[0]
	var reasons []string
	odds := alikeBase
	if s := cmp.Or(refersTo(x, y), refersTo(y, x)); s != "" {
		odds += alikeRefersOdds
		reasons = append(reasons, s)
	}
	if mergedTo(x, y) || mergedTo(y, x) {
		odds += certain
	}
	gap := math.Abs(a.onset.Sub(b.onset).Hours())
	if gap > alikeWithin.Hours() && len(reasons) == 0 {
		return likeness{odds: -certain}
	}
	odds += alikeHour * min(gap, alikeWithin.Hours())
	switch {
	case len(a.services) == 0 || len(b.services) == 0:
		odds += alikeNone
	case a.services[0] == b.services[0]:
		odds += alikeFirst
		reasons = append(reasons, "both name "+a.services[0])
	default:
		best, name := strangers, ""
		for _, s := range a.services {
			for _, t := range b.services {
				if k := dir.kin(s, t); k < best {
					best, name = k, s
				}
			}
		}
		switch {
		case best == itself:
			odds += alikeAny
			reasons = append(reasons, "both name "+name)
		case best <= needed:
			odds += alikeNear
		default:
			odds += alikeStrangers
		}
	}
	equal, close, far := 0.0, 0.0, 0.0
	var when []string
	for _, n := range incident.MilestoneNames {
		s, ok1 := x.Milestones[n]
		t, ok2 := y.Milestones[n]
		if !ok1 || !ok2 {
			continue
		}
		// Resolved is when somebody closed the ticket, and a start is often a guess.
		loose := n == incident.Resolved || n == incident.Started
		switch d := s.At.Sub(t.At).Abs(); {
		case d <= 2*time.Minute:
			equal++
			when = append(when, string(n))
		case d <= 10*time.Minute:
			close++
		case d > 30*time.Minute && n != incident.Resolved:
			far++
		case !loose:
			far += 0.5
		}
	}
	odds += alikeTime*min(3, equal) + alikeClose*min(2, close) + alikeFar*min(2, far)
	if len(when) > 0 {
		reasons = append(reasons, "the same time for "+strings.Join(when, ", "))
	}
	if x.Source == y.Source {
		odds += alikeSource
	}
	if x.Kind != y.Kind {
		odds += alikeKind
	}
	if elsewhere(a.place, b.place) {
		odds += alikePlace
	}
	if words := common(a.words, b.words); len(words) > 0 {
		odds += alikeWord * min(2, float64(len(words)))
		reasons = append(reasons, "words in common: "+strings.Join(words, ", "))
	}
	if odds <= 0 { // nobody asks why, and there are many
		return likeness{odds: odds}
	}
	if gap < 1 {
		reasons = append(reasons, fmt.Sprintf("they begin %s apart", short(a.onset.Sub(b.onset))))
	}
	return likeness{odds, fmt.Sprintf("%s and %s: %s", x.Key(), y.Key(), strings.Join(reasons, "; "))}
}

// mergedTo says whether its source merged a into b.
func mergedTo(a, b *incident.Record) bool {
	into := mergedInto(a)
	return into != "" && a.Key() != b.Key() && (into == b.Key().String() || into == b.ID && a.Source == b.Source)
}

// refersTo says how a names b, empty where it does not.
func refersTo(a, b *incident.Record) string {
	switch {
	case b.URL != "" && slices.Contains(a.References.URLs, b.URL):
		return fmt.Sprintf("%s refers to %s by its address %s", a.Key(), b.Key(), b.URL)
	case slices.Contains(a.References.Keys, b.ID), slices.Contains(a.References.Keys, b.Key().String()):
		return fmt.Sprintf("%s refers to %s by its id", a.Key(), b.Key())
	case mergedTo(a, b):
		return fmt.Sprintf("%s was merged into %s", a.Key(), b.Key())
	}
	return ""
}
