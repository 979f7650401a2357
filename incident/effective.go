package incident

import (
	"cmp"
	"slices"
	"strings"
)

// Effective are the reviews that hold, by At, then ID, withdrawals among them. A review holds unless a withdrawal that
// itself holds names it; a withdrawal is taken back only by a later one, so that two that name each other are no riddle.
// The order of reviews does not matter.
func Effective(reviews []Review) []Review {
	all := slices.Clone(reviews)
	slices.SortFunc(all, func(a, b Review) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	all = slices.CompactFunc(all, func(a, b Review) bool { return a.ID == b.ID })
	withdrawn := map[string]bool{}
	for _, r := range slices.Backward(all) { // the later ones decide which of the earlier ones count
		if r.Action == ReviewWithdraw && !withdrawn[r.ID] {
			withdrawn[r.Other] = true
		}
	}
	return slices.DeleteFunc(all, func(r Review) bool { return withdrawn[r.ID] })
}
