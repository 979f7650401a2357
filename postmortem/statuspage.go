package postmortem

import (
	"slices"
	"strings"
)

// Status pages print an incident as a list of updates: a word for its state, a text, and the time of the post. The page
// of one vendor has the time after the text, others before; exports keep neither's markup.

var statusWords = []string{"investigating", "identified", "monitoring", "resolved", "update"}

// statusWord is the state that a block's words begin with and consist of, or are set off by a dash or a colon.
func (o *outline) statusWord(toks []token) string {
	if len(toks) == 0 || len(toks) > 4 {
		return ""
	}
	for _, w := range statusWords {
		if e := o.t.endAt("status_"+w, toks, 0); e > 0 {
			for ; e < len(toks) && (toks[e].comma || toks[e].stop); e++ {
			}
			if e == len(toks) {
				return w
			}
		}
	}
	return ""
}

// statusLabel reads a block such as "Resolved -", "Monitoring" or "Resolved - This incident has been resolved.". textAt
// is where the words of the update begin.
func (o *outline) statusLabel(b *block) (label string, textAt int) {
	if b.kind == quote || b.kind == code || b.kind == row {
		return "", 0
	}
	toks := b.tokens()
	if len(b.text) < 40 {
		if w := o.statusWord(toks); w != "" {
			return w, len(b.text)
		}
	}
	for _, sep := range []string{" - ", " – ", " — ", ": "} {
		if i := strings.Index(b.text, sep); i > 0 && i < 30 {
			n := 0
			for n < len(toks) && toks[n].end <= i {
				n++
			}
			if w := o.statusWord(toks[:n]); w != "" {
				return w, i + len(sep)
			}
		}
	}
	return "", 0
}

// stampOnly is the stamp of a block that says when an update was posted and nothing else.
func (o *outline) stampOnly(i int) (int, bool) {
	b := &o.doc.blocks[i]
	if len(b.text) > 90 {
		return 0, false
	}
	for k, st := range o.stamps[i] {
		if !st.hasClock || !st.date.ok() {
			continue
		}
		words := 0
		for _, t := range b.tokens() {
			if !t.stop && !t.comma && (t.end <= st.start || t.start >= st.end) {
				words++
			}
		}
		return k, words <= 5
	}
	return 0, false
}

// statusBefore is the state that stands before a stamp in the same line: "Issue resolved — Sep 20, 2015 18:06 UTC".
func (o *outline) statusBefore(i, k int) string {
	b := &o.doc.blocks[i]
	st := o.stamps[i][k]
	toks := b.tokens()
	n := 0
	for n < len(toks) && toks[n].end <= st.start {
		n++
	}
	for n > 0 && toks[n-1].comma {
		n--
	}
	if n == 0 || n > 3 || len(b.text)-st.end > 2 || b.kind == item {
		return ""
	}
	for from := 0; from < n; from++ {
		if w := o.statusWord(toks[from:n]); w != "" {
			return w
		}
	}
	return ""
}

// statusPage makes entries of a status page's updates.
func (o *outline) statusPage() {
	type update struct {
		block, textAt int
		label         string
		stamp         int // block of its stamp, -1
	}
	var ups []update
	stamps := map[int]int{}
	var order []int
	inline := 0 // updates whose time stands in the same line
	for i := range o.doc.blocks {
		if label, at := o.statusLabel(&o.doc.blocks[i]); label != "" && (o.doc.blocks[i].tracked || !(o.isField(i) && slices.ContainsFunc(o.stamps[i], func(st stamp) bool { return st.hasClock }))) {
			ups = append(ups, update{i, at, label, -1})
		} else if k, ok := o.stampOnly(i); ok {
			if label := o.statusBefore(i, k); label != "" {
				ups = append(ups, update{i, len(o.doc.blocks[i].text), label, i})
				stamps[i] = k
				inline++
				continue
			}
			stamps[i] = k
			order = append(order, i)
		}
	}
	for n := range ups { // the stamp at the end of the update's own block
		if ups[n].stamp >= 0 {
			continue
		}
		for k, st := range o.stamps[ups[n].block] {
			if st.hasClock && st.date.ok() && st.start >= ups[n].textAt && len(o.doc.blocks[ups[n].block].text)-st.end < 24 {
				ups[n].stamp, stamps[ups[n].block] = ups[n].block, k
				inline++
			}
		}
	}
	for n := range ups { // or of its last one
		next := len(o.doc.blocks)
		if n+1 < len(ups) {
			next = ups[n+1].block
		}
		for i := ups[n].block + 1; i < next && ups[n].stamp < 0; i++ {
			if k := len(o.stamps[i]) - 1; o.doc.blocks[i].tracked && k >= 0 {
				ups[n].stamp, stamps[i] = i, k
				inline++
			}
		}
	}
	least := 2
	if slices.ContainsFunc(ups, func(u update) bool { return o.doc.blocks[u.block].tracked }) {
		least = 1 // what has such a mark is an update, were it the only one
	}
	if len(ups) < least || len(order) < least && inline < least {
		return
	}
	// Which way round: does the first state come before the first stamp?
	after := len(order) == 0 || ups[0].block < order[0]
	s := 0
	paired := inline
	for n := range ups {
		if ups[n].stamp >= 0 {
			continue
		}
		next := len(o.doc.blocks)
		if n+1 < len(ups) {
			next = ups[n+1].block
		}
		prev := -1
		if n > 0 {
			prev = ups[n-1].block
		}
		for s < len(order) && (after && order[s] < ups[n].block || !after && order[s] <= prev) {
			s++
		}
		for k := s; k < len(order); k++ {
			if after && order[k] > ups[n].block && order[k] < next && order[k]-ups[n].block <= 12 {
				ups[n].stamp = order[k]
				paired++
				break
			}
			if !after && order[k] > prev && order[k] < ups[n].block && (k+1 == len(order) || order[k+1] > ups[n].block) && ups[n].block-order[k] <= 3 {
				ups[n].stamp = order[k]
				paired++
				break
			}
			if order[k] >= next {
				break
			}
		}
	}
	if paired < least {
		return
	}
	o.firstPost(ups[0].block)
	for n, u := range ups {
		if u.stamp < 0 {
			continue
		}
		b := &o.doc.blocks[u.block]
		st := o.stamps[u.stamp][stamps[u.stamp]]
		e := entry{block: u.block, line: b.line, st: st, list: true, status: u.label, section: "timeline", textAt: u.textAt, textTo: len(b.text), zone: st.zone}
		end := u.stamp
		if o.doc.blocks[u.stamp].tracked {
			end++
		}
		if u.stamp == u.block && u.textAt >= len(b.text) { // the words are below
			if end = len(o.doc.blocks); n+1 < len(ups) {
				end = ups[n+1].block
			}
		} else if u.stamp == u.block {
			e.textTo = st.start
			end = u.block
		} else if !after {
			end = len(o.doc.blocks)
			if n+1 < len(ups) {
				end = ups[n+1].block
			}
			for k := u.block + 1; k < end; k++ {
				if _, ok := stamps[k]; ok || o.doc.blocks[k].kind == heading {
					end = k
				}
			}
		}
		for k := u.block + 1; k < end && k-u.block <= 12; k++ {
			e.body = append(e.body, k)
		}
		o.taken[u.block], o.taken[u.stamp] = true, true
		for _, k := range e.body {
			o.taken[k] = true
		}
		o.entries = append(o.entries, e)
	}
}

// firstPost makes an entry of the first post of a status page kept in files: it stands above the updates, and has its time in
// the front matter.
func (o *outline) firstPost(updates int) {
	if !slices.ContainsFunc(o.doc.blocks, func(b block) bool { return b.tracked }) {
		return
	}
	first := -1
	for i := range o.doc.blocks[:updates] {
		if o.doc.blocks[i].kind != para || len(o.stamps[i]) > 0 {
			return
		}
		if first < 0 {
			first = i
		}
	}
	for i := range o.doc.front {
		b := &o.doc.front[i]
		if first < 0 || len(b.cells) != 2 || b.cells[0] != "date" {
			continue
		}
		for _, st := range scan(b.text, b.tokens(), o.t) {
			if !st.hasClock || !st.date.full() {
				continue
			}
			st.start, st.end, st.clock = 0, 0, 0
			e := entry{block: first, line: o.doc.blocks[first].line, st: st, list: true, status: "investigating", section: "timeline", textTo: len(o.doc.blocks[first].text), zone: st.zone}
			for k := first + 1; k < updates && k-first <= 12; k++ {
				e.body = append(e.body, k)
			}
			for k := first; k < updates; k++ {
				o.taken[k] = true
			}
			o.entries = append(o.entries, e)
			return
		}
	}
}
