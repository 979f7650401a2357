package postmortem

// What a sentence tells beyond its patterns: that something works again, that a length is meant, that users saw it, that
// it is denied.

// onlyOver says whether an entry says nothing but that it is over: "Closed", "10:00 chiuso".
func (o *outline) onlyOver(sent []token) bool {
	words := 0
	for _, t := range sent {
		if !t.comma {
			words++
		}
	}
	most := 2
	if o.t.Script != "" {
		most = 6
	}
	if words > most {
		return false
	}
	if words == 2 && o.t.Script == "" && !o.t.has("incident", sent) { // "Export fixed" is no end
		return false
	}
	return o.t.has("over_word", sent) && len(spans(&o.t.neg, sent)) == 0
}

// labelledCause finds an entry that begins "Root cause: …", and says more than that it is sought.
func (o *outline) labelledCause(sent []token, base int, nonprod bool) (told, bool) {
	if n := len(sent); n > 4 { // "… has a duplicate address: root cause"
		for from := n - 3; from < n; from++ {
			if sent[from-1].comma && o.t.endAt("root_cause", sent, from) == n {
				return told{from: base, to: base + n, nonprod: nonprod}, true
			}
		}
	}
	e := max(o.t.endAt("cause_word", sent, 0), o.t.endAt("found_head", sent, 0))
	if e == 0 || e+2 >= len(sent) || !sent[e].comma {
		return told{}, false
	}
	near := sent[e:min(len(sent), e+4)]
	if len(spans(&o.t.neg, near)) > 0 || len(spans(&o.t.hedge, near)) > 0 || o.t.has("persists", sent[e:]) {
		return told{}, false // "Confirmed: the fault is still there"
	}
	return told{from: base, to: base + e, nonprod: nonprod}, true
}

// lengths lists the places in a sentence where it says how long something took: "detected within eight minutes".
func (o *outline) lengths(sent []token) (at []int) {
	for _, s := range o.t.spansOf("within", sent) {
		for j := s[1]; j < len(sent) && j <= s[1]+3; j++ {
			if _, n := durationAt(sent, j, o.t); n > 0 {
				at = append(at, s[0])
				break
			}
		}
	}
	return at
}

// tellsLength says whether one of the places follows a match closely, or lies in it.
func tellsLength(at []int, m match) bool {
	for _, i := range at {
		if i > m.from && i <= m.to+3 {
			return true
		}
	}
	return false
}

// headed finds an entry whose first word names an alert: "Page: ProbeDown for text", "Alert ExportFailures". One that is
// over, or that somebody quiets, tells something else.
func (o *outline) headed(sent []token, base int, nonprod bool) (told, bool) {
	e := o.t.endAt("alert_head", sent, 0)
	if e == 0 || o.t.has("quiet", sent[e:min(len(sent), e+6)]) {
		return told{}, false
	}
	return told{from: base, to: base + e, nonprod: nonprod}, true
}

// seenByUsers says whether what is seen is seen by users: "customers in the south began to see errors" is no detection.
func seenByUsers(users [][2]int, m match, sent []token, t tongue) bool {
	for _, u := range users {
		if u[0] > m.from || m.from-u[1] > 10 {
			continue
		}
		if t.has("team", sent[u[1]:max(u[1], m.from)]) {
			return false
		}
		return true
	}
	return false
}

// worksAgain finds "new jobs boot fine again": in one clause users or a service, a word for again, and nothing that is
// wrong, done or said.
func (o *outline) worksAgain(sent []token, base, n int, nonprod bool, all []told, kinds []Kind) (told, bool) {
	for _, lx := range o.t.languages {
		for _, s := range lx.spansOf("again", sent) {
			lo, hi := s[0], s[1]
			for lo > 0 && !sent[lo-1].comma && matchAt(lx.and, sent, lo-1) == 0 {
				lo--
			}
			for hi < len(sent) && !sent[hi].comma && matchAt(lx.and, sent, hi) == 0 {
				hi++
			}
			clause := sent[lo:hi]
			good := lx.has("works", clause) && !lx.has("by_hand", clause) // "run again by hand" is something that people did
			for i, t := range all {
				if t.from-base >= hi || t.to-base <= lo {
					continue
				}
				switch kinds[i] {
				case Recovered, Resolved, Ended, FixLive, SelfHealed, Backlog:
				default:
					good = false
				}
			}
			hedged := false
			for _, h := range spans(&lx.hedge, sent[max(0, lo-3):hi]) { // "kan weer" is no doubt
				word := sent[max(0, lo-3)+h[0]:][:1]
				hedged = hedged || !lx.has("works", word)
			}
			if good && !hedged && len(spans(&lx.neg, clause)) == 0 && len(spans(&lx.negAfter, clause)) == 0 {
				weak := lx.has("state", sent[s[0]:s[1]])
				return told{from: base + lo, to: base + hi, sentence: n, nonprod: nonprod, weak: weak}, true
			}
		}
	}
	return told{}, false
}

// complete says whether what is told to be well is told to be wholly so: "and finished recovery".
func (o *outline) complete(toks []token, t told) bool {
	if t.to == 0 {
		return false
	}
	if o.t.has("whole", toks[t.from:t.to]) {
		return true
	}
	return false
}

// commaBetween says whether two things told stand in clauses of their own.
func commaBetween(toks []token, a, b told) bool {
	if a.from > b.from {
		a, b = b, a
	}
	for i := a.to; i < b.from; i++ {
		if toks[i].comma {
			return true
		}
	}
	return false
}

// within says whether one of the spans begins in [from, to) with no comma between it and not. A comma ends what a
// negation or a hedge reaches, unless comma is negative.
func within(list [][2]int, from, to int, toks []token, comma int) bool {
	for _, s := range list {
		if s[0] < from || s[0] >= to {
			continue
		}
		cut := false
		if comma >= 0 {
			for i := s[1]; i < comma && i < len(toks); i++ {
				cut = cut || toks[i].comma
			}
		}
		if !cut {
			return true
		}
	}
	return false
}

// after says whether a denial follows a match closely, as it does in German or Japanese.
func after(list [][2]int, m match, toks []token, that *matcher) bool {
	reach := 2
	if m.from < len(toks) && isCJK([]rune(toks[m.from].text)[0]) {
		reach = 6
	}
	for _, s := range list {
		if s[0] < m.to || s[0] > m.to+reach {
			continue
		}
		cut := false
		for i := m.to; i < s[0]; i++ {
			cut = cut || toks[i].comma
		}
		if that != nil && s[0] > m.to { // "customers report that they can not book": the report is not denied
			that.find(toks[m.to:s[0]], func(match) { cut = true })
		}
		if !cut {
			return true
		}
	}
	return false
}
