package score

import (
	"cmp"
	"slices"
)

// opened counts the incidents that alerts opened against the true ones without a record.
func (s *scorer) opened() {
	want := map[string]bool{}
	for t := range s.known {
		if len(s.inc[t].Records) == 0 {
			want[t] = true
		}
	}
	n, wrong, counted := 0, 0, 0
	good := map[string]bool{}
	for _, x := range s.all {
		if len(x.RecordIDs) > 0 {
			continue
		}
		n++
		wrong += count(x.match == "")
		counted += count(x.counts)
		if want[x.match] && x.counts {
			good[x.match] = true
		}
	}
	precision := ratio(len(good), n)
	if n == 0 && len(want) > 0 {
		precision = 0
	}
	recall := ratio(len(good), len(want))
	perOpened := 0.0
	if n > 0 {
		perOpened = 100 * float64(wrong) / float64(n)
	}
	days := (s.truth.Window.To.Seconds - s.truth.Window.From.Seconds) / 86400
	s.out["opened"] = float64(n)
	s.out["opened_false_alarms"] = float64(wrong)
	s.out["opened_splinters"] = float64(n - wrong - counted)
	s.out["opened_precision"], s.out["opened_recall"], s.out["opened_f1"] = precision, recall, f1(precision, recall)
	s.out["opened_false_alarms_per_100"] = perOpened
	s.out["false_alarms_per_100_incidents"] = 100 * float64(wrong) / float64(max(1, len(s.all)))
	s.out["false_alarms_per_30d"] = 30 * float64(wrong) / max(days, 1.0/24)
}

// missed compares which recorded incidents no alert is said to have caught with which none did.
func (s *scorer) missed() {
	tp, fp, fn, tn, claims, wrong, by, byRight := 0, 0, 0, 0, 0, 0, 0, 0
	for t, x := range s.inc {
		if x.Kind != "incident" || len(x.Records) == 0 {
			continue
		}
		mine := slices.Clone(s.answers[t])
		if len(mine) == 0 { // its record was left unread: wrong either way
			fp += count(!x.Missed)
			fn += count(x.Missed)
			continue
		}
		said := !s.caught(mine, t)
		claims += count(said)
		wrong += count(said && !x.Missed)
		tp += count(said && x.Missed)
		fp += count(said && !x.Missed)
		fn += count(!said && x.Missed)
		tn += count(!said && !x.Missed)
		slices.SortStableFunc(mine, func(a, b *scored) int { return cmp.Compare(a.ID, b.ID) })
		if i := slices.IndexFunc(mine, func(a *scored) bool { return a.DetectedBy != "" }); i >= 0 {
			by++
			byRight += count(mine[i].DetectedBy == x.DetectedBy)
		}
	}
	s.out["missed_n"] = float64(tp + tn + fp + fn)
	s.out["missed_claims"], s.out["missed_wrong"] = float64(claims), float64(wrong)
	s.out["missed_accuracy"] = ratio(tp+tn, tp+tn+fp+fn)
	s.out["missed_precision"] = ratio(claims-wrong, claims)
	s.out["missed_precision_unread_wrong"] = ratio(tp, tp+fp)
	s.out["missed_recall"] = ratio(tp, tp+fn)
	if by > 0 {
		s.out["detected_by_accuracy"] = ratio(byRight, by)
	}
}

// caught says whether incidents of the answer hold an episode of t. One that may as well be linked to it does not say so,
// for the truth knows it as another's.
func (s *scorer) caught(xs []*scored, t string) bool {
	for _, x := range xs {
		for _, e := range x.links {
			if e == nil || e.Incident == t || !e.ok[t] {
				return true
			}
		}
	}
	return false
}

// duplicates compares which records are said to be of one incident with which are.
func (s *scorer) duplicates() {
	read := map[string]bool{}
	var said [][]string
	for _, x := range s.all {
		said = append(said, x.RecordIDs)
		for _, r := range x.RecordIDs {
			if _, ok := s.recordOf[r]; ok {
				read[r] = true
			}
		}
	}
	is, have := pairs(s.truth.MergedRecords), pairs(said)
	both := 0
	for p := range is {
		both += count(have[p])
	}
	p, r := ratio(both, len(have)), ratio(both, len(is))
	s.out["duplicates_true_pairs"] = float64(len(is))
	s.out["duplicates_precision"], s.out["duplicates_recall"], s.out["duplicates_f1"] = p, r, f1(p, r)
	s.out["records_answered"] = ratio(len(read), len(s.recordOf))
}

func pairs(groups [][]string) map[[2]string]bool {
	out := map[[2]string]bool{}
	for _, g := range groups {
		for _, a := range g {
			for _, b := range g {
				if a < b {
					out[[2]string{a, b}] = true
				}
			}
		}
	}
	return out
}
