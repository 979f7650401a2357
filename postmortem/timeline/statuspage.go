package timeline

import (
	"slices"
	"strings"

	"meantime/postmortem/document"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/timex"
)

// Status pages print an incident as a list of updates: a word for its state, a text, and the time of the post. The page
// of one vendor has the time after the text, others before; exports keep neither's markup.

var statusWords = []string{"investigating", "identified", "monitoring", "resolved", "update"}

// statusWord is the state that a block's words begin with and consist of, or are set off by a dash or a colon.
func (o *Outline) statusWord(toks []lexicon.Token) string {
	if len(toks) == 0 || len(toks) > 4 {
		return ""
	}
	for _, w := range statusWords {
		if e := o.Tongue.EndAt("status_"+w, toks, 0); e > 0 {
			for ; e < len(toks) && (toks[e].Comma || toks[e].Stop); e++ {
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
func (o *Outline) statusLabel(b *document.Block) (label string, textAt int) {
	if b.Kind == document.Quote || b.Kind == document.Code || b.Kind == document.Row {
		return "", 0
	}
	toks := b.Tokens()
	if len(b.Text) < 40 {
		if w := o.statusWord(toks); w != "" {
			return w, len(b.Text)
		}
	}
	for _, sep := range []string{" - ", " – ", " — ", ": "} {
		if i := strings.Index(b.Text, sep); i > 0 && i < 30 {
			n := 0
			for n < len(toks) && toks[n].End <= i {
				n++
			}
			if w := o.statusWord(toks[:n]); w != "" {
				return w, i + len(sep)
			}
		}
	}
	return "", 0
}

// StampOnly is the stamp of a block that says when an update was posted and nothing else.
func (o *Outline) StampOnly(i int) (int, bool) {
	b := &o.Document.Blocks[i]
	if len(b.Text) > 90 {
		return 0, false
	}
	for k, st := range o.Stamps[i] {
		if !st.HasClock || !st.Date.OK() {
			continue
		}
		words := 0
		for _, t := range b.Tokens() {
			if !t.Stop && !t.Comma && (t.End <= st.Start || t.Start >= st.End) {
				words++
			}
		}
		return k, words <= 5
	}
	return 0, false
}

// statusBefore is the state that stands before a stamp in the same line: "Issue resolved — Sep 20, 2015 18:06 UTC".
func (o *Outline) statusBefore(i, k int) string {
	b := &o.Document.Blocks[i]
	st := o.Stamps[i][k]
	toks := b.Tokens()
	n := 0
	for n < len(toks) && toks[n].End <= st.Start {
		n++
	}
	for n > 0 && toks[n-1].Comma {
		n--
	}
	if n == 0 || n > 3 || len(b.Text)-st.End > 2 || b.Kind == document.Item {
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
func (o *Outline) statusPage() {
	type update struct {
		block, textAt int
		label         string
		stamp         int // block of its stamp, -1
	}
	var ups []update
	stamps := map[int]int{}
	var order []int
	inline := 0 // updates whose time stands in the same line
	for i := range o.Document.Blocks {
		if label, at := o.statusLabel(&o.Document.Blocks[i]); label != "" &&
			(o.Document.Blocks[i].Tracked || !(o.IsField(i) && slices.ContainsFunc(o.Stamps[i], func(st timex.Stamp) bool { return st.HasClock }))) {
			ups = append(ups, update{i, at, label, -1})
		} else if k, ok := o.StampOnly(i); ok {
			if label := o.statusBefore(i, k); label != "" {
				ups = append(ups, update{i, len(o.Document.Blocks[i].Text), label, i})
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
		for k, st := range o.Stamps[ups[n].block] {
			if st.HasClock && st.Date.OK() && st.Start >= ups[n].textAt && len(o.Document.Blocks[ups[n].block].Text)-st.End < 24 {
				ups[n].stamp, stamps[ups[n].block] = ups[n].block, k
				inline++
			}
		}
	}
	for n := range ups { // or of its last one
		next := len(o.Document.Blocks)
		if n+1 < len(ups) {
			next = ups[n+1].block
		}
		for i := ups[n].block + 1; i < next && ups[n].stamp < 0; i++ {
			if k := len(o.Stamps[i]) - 1; o.Document.Blocks[i].Tracked && k >= 0 {
				ups[n].stamp, stamps[i] = i, k
				inline++
			}
		}
	}
	least := 2
	if slices.ContainsFunc(ups, func(u update) bool { return o.Document.Blocks[u.block].Tracked }) {
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
		next := len(o.Document.Blocks)
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
			if !after && order[k] > prev && order[k] < ups[n].block && (k+1 == len(order) || order[k+1] > ups[n].block) &&
				ups[n].block-order[k] <= 3 {
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
		b := &o.Document.Blocks[u.block]
		st := o.Stamps[u.stamp][stamps[u.stamp]]
		e := Entry{Block: u.block, Line: b.Line, Stamp: st, List: true, Status: u.label, Section: "timeline", textAt: u.textAt,
			TextTo: len(b.Text), Zone: st.Zone}
		end := u.stamp
		if o.Document.Blocks[u.stamp].Tracked {
			end++
		}
		if u.stamp == u.block && u.textAt >= len(b.Text) { // the words are below
			if end = len(o.Document.Blocks); n+1 < len(ups) {
				end = ups[n+1].block
			}
		} else if u.stamp == u.block {
			e.TextTo = st.Start
			end = u.block
		} else if !after {
			end = len(o.Document.Blocks)
			if n+1 < len(ups) {
				end = ups[n+1].block
			}
			for k := u.block + 1; k < end; k++ {
				if _, ok := stamps[k]; ok || o.Document.Blocks[k].Kind == document.Heading {
					end = k
				}
			}
		}
		for k := u.block + 1; k < end && k-u.block <= 12; k++ {
			e.Body = append(e.Body, k)
		}
		o.Taken[u.block], o.Taken[u.stamp] = true, true
		for _, k := range e.Body {
			o.Taken[k] = true
		}
		o.Entries = append(o.Entries, e)
	}
}

// firstPost makes an entry of the first post of a status page kept in files: it stands above the updates, and has its time in
// the front matter.
func (o *Outline) firstPost(updates int) {
	if !slices.ContainsFunc(o.Document.Blocks, func(b document.Block) bool { return b.Tracked }) {
		return
	}
	first := -1
	for i := range o.Document.Blocks[:updates] {
		if o.Document.Blocks[i].Kind != document.Para || len(o.Stamps[i]) > 0 {
			return
		}
		if first < 0 {
			first = i
		}
	}
	for i := range o.Document.Front {
		b := &o.Document.Front[i]
		if first < 0 || len(b.Cells) != 2 || b.Cells[0] != "date" {
			continue
		}
		for _, st := range timex.Scan(b.Text, b.Tokens(), o.Tongue) {
			if !st.HasClock || !st.Date.Full() {
				continue
			}
			st.Start, st.End, st.Clock = 0, 0, 0
			e := Entry{Block: first, Line: o.Document.Blocks[first].Line, Stamp: st, List: true, Status: "investigating", Section: "timeline",
				TextTo: len(o.Document.Blocks[first].Text), Zone: st.Zone}
			for k := first + 1; k < updates && k-first <= 12; k++ {
				e.Body = append(e.Body, k)
			}
			for k := first; k < updates; k++ {
				o.Taken[k] = true
			}
			o.Entries = append(o.Entries, e)
			return
		}
	}
}
