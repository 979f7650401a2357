package score

// links counts which episodes are linked to the right incident.
func (s *scorer) links() {
	p, r := s.linkScores(false)
	s.out["link_precision"], s.out["link_recall"], s.out["link_f1"] = p, r, f1(p, r)
	_, s.out["link_recall_with_suggested"] = s.linkScores(true)

	used, got := map[*episode]bool{}, map[*episode]bool{}
	for _, x := range s.all {
		for _, e := range x.links {
			used[e] = true
			if e != nil && x.counts && e.ok[x.match] {
				got[e] = true
			}
		}
	}
	s.noise(used)
	often := map[string]bool{}
	for _, e := range s.real {
		if e.Why == "frequent" {
			often[e.Fingerprint] = true
		}
	}
	for _, k := range []struct {
		name   string
		of     func(e *episode, i *Incident) bool
		always bool
	}{
		{"recorded", func(_ *episode, i *Incident) bool { return len(i.Records) > 0 }, true},
		{"unrecorded", func(_ *episode, i *Incident) bool { return len(i.Records) == 0 }, true},
		{"noticed_late", func(_ *episode, i *Incident) bool { return i.NoticedLate }, false},
		{"chain", func(_ *episode, i *Incident) bool { return i.Chain != "" }, false},
		{"long", func(_ *episode, i *Incident) bool { return i.Long }, false},
		{"frequent", func(e *episode, _ *Incident) bool { return often[e.Fingerprint] }, false},
	} {
		need, have := 0, 0
		for _, e := range s.real {
			if e.Incident != "" && !e.ok[""] && k.of(e, s.inc[e.Incident]) {
				need++
				have += count(got[e])
			}
		}
		if need > 0 || k.always {
			s.out["link_recall_"+k.name] = ratio(have, need)
		}
	}
}

// linkScores are precision and recall of links. Several episodes of the answer that are one true episode count once for
// each incident they are linked to.
func (s *scorer) linkScores(suggested bool) (precision, recall float64) {
	total, right := 0, 0
	got := map[*episode]bool{}
	for _, x := range s.all {
		seen := map[*episode]bool{}
		one := func(e *episode) {
			if e != nil && seen[e] {
				return
			}
			seen[e] = true
			total++
			if e != nil && x.counts && e.ok[x.match] {
				right++
				got[e] = true
			}
		}
		for _, e := range x.links {
			one(e)
		}
		if suggested {
			for h, e := range x.suggested {
				if _, both := x.links[h]; !both {
					one(e)
				}
			}
		}
	}
	need, have := 0, 0
	for _, e := range s.real {
		if !e.ok[""] {
			need++
			have += count(got[e])
		}
	}
	if total == 0 && need > 0 {
		return 0, ratio(have, need)
	}
	return ratio(right, total), ratio(have, need)
}

// noise counts the noise episodes that are linked to nothing.
func (s *scorer) noise(used map[*episode]bool) {
	type tally struct{ rejected, all int }
	all, kinds := tally{}, map[string]tally{}
	for _, e := range s.real {
		if len(e.ok) == 1 && e.ok[""] {
			k := kinds[e.Why]
			k.all++
			k.rejected += count(!used[e])
			kinds[e.Why] = k
			all.all++
			all.rejected += count(!used[e])
		}
	}
	s.out["noise_rejected"] = ratio(all.rejected, all.all)
	for why, k := range kinds {
		s.out["noise_rejected_"+why] = ratio(k.rejected, k.all)
	}
}
