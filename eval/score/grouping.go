package score

import (
	"cmp"
	"slices"
)

// grouping compares which episodes are together with which belong together.
func (s *scorer) grouping() {
	in := map[*episode]*scored{}
	order := slices.Clone(s.all)
	slices.SortStableFunc(order, func(a, b *scored) int {
		return cmp.Or(cmp.Compare(count(len(a.RecordIDs) == 0), count(len(b.RecordIDs) == 0)), cmp.Compare(a.ID, b.ID))
	})
	for _, x := range order {
		for _, e := range x.links {
			if e != nil && in[e] == nil {
				in[e] = x
			}
		}
	}
	unrecorded := func(e *episode) bool { return e.Incident != "" && len(s.inc[e.Incident].Records) == 0 }
	for _, k := range []struct {
		name string
		of   func(*episode) bool
	}{
		{"unrecorded", unrecorded},
		{"opened", func(e *episode) bool { return unrecorded(e) || (in[e] != nil && len(in[e].RecordIDs) == 0) }},
		{"all", func(*episode) bool { return true }},
	} {
		var items []grouped
		for _, e := range s.real {
			// One that may go either way has no true group.
			if len(e.Also) == 0 && k.of(e) {
				g := grouped{said: e, is: e}
				if x := in[e]; x != nil {
					g.said = x
				}
				if e.Incident != "" {
					g.is = e.Incident
				}
				items = append(items, g)
			}
		}
		name := "grouping_" + k.name
		p, r := bcubed(items)
		s.out[name+"_items"] = float64(len(items))
		s.out[name+"_bcubed_precision"], s.out[name+"_bcubed_recall"], s.out[name+"_bcubed_f1"] = p, r, f1(p, r)
		s.out[name+"_ari"] = adjustedRand(items)
	}
}

// grouped is one item with the group it is said to be in and the one it is in. A group is anything comparable; one that
// is in none is a group by itself.
type grouped struct{ said, is any }

// sizes counts the members of the groups said, of the true ones, and of what they have in common.
func sizes(items []grouped) (said, is map[any]int, both map[grouped]int) {
	said, is, both = map[any]int{}, map[any]int{}, map[grouped]int{}
	for _, g := range items {
		said[g.said]++
		is[g.is]++
		both[g]++
	}
	return said, is, both
}

// bcubed is the B-cubed precision and recall: of the group an item is in, the share that belongs with it, and of what
// belongs with it the share that is there, as means over items (Bagga and Baldwin, 1998).
func bcubed(items []grouped) (precision, recall float64) {
	if len(items) == 0 {
		return 1, 1
	}
	said, is, both := sizes(items)
	for _, g := range items {
		precision += ratio(both[g], said[g.said])
		recall += ratio(both[g], is[g.is])
	}
	return precision / float64(len(items)), recall / float64(len(items))
}

// adjustedRand is the Rand index of two groupings, corrected for what chance gives (Hubert and Arabie, 1985).
func adjustedRand(items []grouped) float64 {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
	said, is, both := sizes(items)
	var a, b, ab float64
	for _, n := range said {
		a += pairs(n)
	}
	for _, n := range is {
		b += pairs(n)
	}
	for _, n := range both {
		ab += pairs(n)
	}
	n := pairs(len(items))
	if n == 0 {
		return 1
	}
	expected, top := a*b/n, (a+b)/2
	if top == expected {
		return 1
	}
	return (ab - expected) / (top - expected)
}
