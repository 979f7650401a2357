package correlate

import (
	"cmp"
	"context"
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"meantime/correlate/assemble"
	"meantime/correlate/linkage"
	"meantime/incident"
)

// delta is what is new, changed and gone.
type delta struct {
	incidents []incident.Incident
	removed   []string
	verdicts  []incident.Verdict
	gone      []incident.EpisodeKey
}

// counted says for each alert of a cell in which incident it counts.
func (b *book) counted(c *cell) {
	for i, e := range c.entries {
		e.part, e.moved = nil, false
		for k := range c.answer.Verdicts[i].Links {
			l := &c.answer.Verdicts[i].Links[k]
			if l.State.Counts() || e.part == nil && l.State == incident.LinkSuggested {
				e.part, e.moved = b.parts[l.Incident], c.answer.Verdicts[i].Moved
				if l.State.Counts() {
					break
				}
			}
		}
	}
}

// real is the incident that a part stands for: what a person named by an alert is the incident that the alert is of.
func (b *book) real(p *part) *part {
	if p == nil || p.group != nil || p.opened > 0 {
		return p
	}
	if e := b.reviews.named[p.ref]; e != nil && !e.moved && e.part != nil && e.part != p && (e.part.group != nil || e.part.opened > 0) {
		return e.part
	}
	return p
}

// unions are the incidents that people said are one, each with its root: the one of records first.
func (b *book) unions() map[*part]*part {
	roots := map[*part]*part{}
	find := func(p *part) *part {
		for roots[p] != nil && roots[p] != p {
			p = roots[p]
		}
		return p
	}
	byPair := func(x, y [2]string) int { return cmp.Or(strings.Compare(x[0], y[0]), strings.Compare(x[1], y[1])) }
	for _, k := range slices.SortedFunc(maps.Keys(b.reviews.joins), byPair) {
		if b.reviews.joins[k].Action != incident.ReviewMerge {
			continue
		}
		p, q := b.real(b.meant(k[0])), b.real(b.meant(k[1]))
		if p == nil || q == nil {
			continue
		}
		if p, q = find(p), find(q); p != q {
			if (p.group == nil) != (q.group == nil) && p.group == nil || (p.group == nil) == (q.group == nil) && q.ref < p.ref {
				p, q = q, p
			}
			roots[q] = p
		}
	}
	out := map[*part]*part{}
	for p := range roots {
		out[p] = find(p)
		out[find(p)] = find(p)
	}
	return out
}

// show works out the incidents and verdicts that what was worked out since the last call can have changed. What ends
// after a time, in unix nanoseconds, may wait for the next call.
func (b *book) show(ctx context.Context, l loader, held func(*part) bool) (*delta, error) {
	d := &delta{gone: b.gone}
	b.told = false
	roots := b.unions()
	root := func(p *part) *part {
		p = b.real(p)
		if r := roots[p]; r != nil {
			return r
		}
		return p
	}
	b.moved(roots, root)
	members := b.members(root)
	removed, shown := b.unshow(root), map[string]bool{}
	for _, p := range slices.SortedFunc(maps.Keys(members), byRef) {
		if held != nil && held(p) {
			continue
		}
		if err := b.showPart(ctx, l, p, members[p], d, removed, shown); err != nil {
			return nil, err
		}
	}
	for p := range b.touched {
		if root(p) != p {
			delete(b.touched, p)
		}
	}
	for id := range removed {
		if !shown[id] {
			d.removed = append(d.removed, id)
		}
	}
	slices.Sort(d.removed)
	b.gone = nil
	if err := b.verdicts(ctx, l, d, root); err != nil {
		return nil, err
	}
	return d, nil
}

func byRef(p, q *part) int { return strings.Compare(p.ref, q.ref) }

// moved marks what is part of another incident than it was: that incident, the one it is part of now, and the verdicts that
// told the name of the first, if only as the one that it would have.
func (b *book) moved(roots map[*part]*part, root func(*part) *part) {
	now := map[*part]*part{}
	for p, r := range roots {
		if p != r {
			now[p] = r
		}
	}
	for id := range b.reviews.named {
		if p := b.parts[id]; p != nil && root(p) != p {
			now[p] = root(p)
		}
	}
	for _, m := range []map[*part]*part{b.within, now} {
		for p := range m {
			if b.within[p] == now[p] {
				continue
			}
			for _, x := range []*part{p, b.within[p], now[p]} {
				if x != nil {
					b.touched[x] = true
				}
			}
			b.rejudge(p)
		}
	}
	b.within = now
}

// members are the incidents to work out, each with those that are part of it.
func (b *book) members(root func(*part) *part) map[*part][]*part {
	for p, r := range b.within {
		if b.touched[p] {
			b.touched[r] = true
		}
	}
	out := map[*part][]*part{}
	for p := range b.touched {
		out[root(p)] = nil
	}
	for p, r := range b.within {
		if list, ok := out[r]; ok {
			out[r] = append(list, p)
		}
	}
	return out
}

// unshow takes the names from incidents that are part of others now, and gives those names.
func (b *book) unshow(root func(*part) *part) map[string]bool {
	removed := map[string]bool{}
	for _, p := range slices.SortedFunc(maps.Keys(b.touched), byRef) {
		if root(p) != p && p.id != "" {
			removed[p.id] = true
			p.id, p.digest, p.next = "", 0, time.Time{}
			b.rejudge(p)
		}
	}
	return removed
}

// showPart works out one incident with its members, and notes in d what is otherwise than it was told. Names that are no
// longer its own go to removed, its own to shown.
func (b *book) showPart(
	ctx context.Context, l loader, p *part, members []*part, d *delta, removed, shown map[string]bool,
) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	in, next, ok, err := b.incident(ctx, l, p, members)
	if err != nil {
		return err
	}
	was := p.id
	p.next = next
	if !ok {
		p.id, p.digest = "", 0
	} else {
		if digest := contentOf(in); digest != p.digest || in.ID != was {
			p.digest = digest
			d.incidents = append(d.incidents, *in)
		}
		p.id = in.ID
		p.from, p.to = in.Span()
		if slices.ContainsFunc(in.Links, func(l incident.Link) bool { return l.Episode.Firing() }) {
			p.to = forever
		}
		shown[in.ID] = true
	}
	if was != p.id {
		if was != "" {
			removed[was] = true
		}
		b.rejudge(p)
		for _, m := range members {
			b.rejudge(m)
		}
	}
	delete(b.touched, p)
	for _, m := range members {
		delete(b.touched, m)
	}
	if b.parts[p.ref] == p && p.group == nil && p.opened == 0 && len(p.cells) == 0 {
		delete(b.parts, p.ref)
	}
	return l.worked(ctx, nil)
}

// rejudge marks the verdicts of what has to do with an incident that is called otherwise now.
func (b *book) rejudge(p *part) {
	for c := range p.cells {
		for _, e := range c.entries {
			if e.part == p {
				b.judged[e] = true
			}
		}
	}
}

// verdicts tells those that are otherwise than they were told.
func (b *book) verdicts(ctx context.Context, l loader, d *delta, root func(*part) *part) error {
	var list []*entry
	for e := range b.judged {
		list = append(list, e)
	}
	slices.SortFunc(list, byStart)
	for _, e := range list {
		if e.cell == nil || e.cell.answer == nil && b.dirty[e.cell] {
			continue
		}
		if err := b.again(ctx, l, e.cell); err != nil {
			return err
		}
		v := b.verdict(e, root)
		if digest := verdictDigest(&v); digest != e.told {
			e.told = digest
			d.verdicts = append(d.verdicts, v)
		}
	}
	clear(b.judged)
	return nil
}

func (b *book) verdict(e *entry, root func(*part) *part) incident.Verdict {
	ds := e.series.described
	if !maps.Equal(ds.labels, e.episode.Labels) {
		ds = b.describe(e.episode.Labels)
	}
	v := incident.Verdict{Episode: *e.episode, Service: ds.service, Severity: ds.severity, Outcome: incident.OutcomeNone, Opens: ds.opens}
	if ds.watchdog != "" {
		v.Outcome, v.Why = incident.OutcomeWatchdog, "it says something of alerting, not of a service"
		if ds.watchdog == metaDog && !b.catalog.SpeaksOfAlerting(e.episode.Labels) {
			v.Why = "alerts.ignore leaves it out"
		}
		return v
	}
	i, _ := slices.BinarySearchFunc(e.cell.entries, e, byStart)
	v.Why = e.cell.answer.Verdicts[i].Why
	gone := false // it was of an incident
	for _, l := range e.cell.answer.Verdicts[i].Links {
		p := root(b.parts[l.Incident])
		if p == nil {
			continue
		}
		id := p.id
		if id == "" && b.touched[p] && (p.group != nil || p.opened > 0) {
			id = p.ref // it waits to be worked out whole, and will be called so
		}
		switch {
		case id == "":
		case l.State.Counts():
			v.Outcome, v.Incident = incident.OutcomeLinked, id
			return v
		case l.State == incident.LinkSuggested && v.Outcome == incident.OutcomeNone:
			v.Outcome, v.Incident = incident.OutcomeSuggested, id
		}
		gone = gone || l.State != incident.LinkRejected
	}
	if gone && v.Outcome == incident.OutcomeNone {
		v.Why = "a person took all alerts from the incident that it was of"
	}
	return v
}

func verdictDigest(v *incident.Verdict) uint64 {
	ends := int64(0)
	if !v.Episode.EndsAt.IsZero() {
		ends = v.Episode.EndsAt.UnixNano()
	}
	x := maphash.Comparable(seed, struct {
		ends                                            int64
		end, name, service, severity, outcome, incident string
		opens                                           bool
		why                                             string
	}{ends, string(v.Episode.End), v.Episode.Name(), v.Service, v.Severity, string(v.Outcome), v.Incident, v.Opens, v.Why})
	return max(x, 1)
}

// contentOf names an incident by its content.
func contentOf(in *incident.Incident) uint64 {
	b, err := json.Marshal(in)
	if err != nil {
		return 0 // no incident holds what JSON cannot: it would be told again
	}
	return max(maphash.Bytes(seed, b), 1)
}

// incident makes one of all its parts; false where it is none: what alerts opened is nothing once a person took all of
// its alerts away.
func (b *book) incident(ctx context.Context, l loader, p *part, more []*part) (*incident.Incident, time.Time, bool, error) {
	draft := &assemble.Draft{}
	parts := append([]*part{p}, more...)
	slices.SortFunc(parts, func(p, q *part) int { return strings.Compare(p.ref, q.ref) })
	parts = slices.Compact(parts)
	var members []*linkage.Record
	for _, q := range parts {
		if q.group != nil {
			members = append(members, q.group.Members...)
			draft.Merged = append(draft.Merged, q.group.Why...)
		}
	}
	slices.SortFunc(members, func(x, y *linkage.Record) int { return compareRecords(x.Key, y.Key) })
	for _, m := range members {
		r, err := l.record(ctx, m.Key)
		if err != nil {
			return nil, time.Time{}, false, err
		}
		draft.Records = append(draft.Records, r)
	}
	slices.SortStableFunc(draft.Records, func(x, y *incident.Record) int {
		return cmp.Or(b.rank(x.Source)-b.rank(y.Source), y.UpdatedAt.Compare(x.UpdatedAt))
	})
	for _, j := range sortedPairs(b.reviews.joins) {
		if r := b.reviews.joins[j]; r.Action == incident.ReviewMerge && len(parts) > 1 {
			if x, y := b.real(b.meant(j[0])), b.real(b.meant(j[1])); x != y && slices.Contains(parts, x) && slices.Contains(parts, y) {
				draft.Merged = append(draft.Merged, sentence(r.By+" said they are one", r.Reason))
			}
		}
	}
	if err := b.links(ctx, l, parts, draft); err != nil {
		return nil, time.Time{}, false, err
	}
	if len(draft.Records) == 0 && !slices.ContainsFunc(draft.Links, func(l incident.Link) bool { return l.State.Counts() }) {
		return nil, time.Time{}, false, nil
	}
	for id := range b.reviews.named {
		if q := b.real(b.meant(id)); q != nil && slices.Contains(parts, q) {
			draft.Also = append(draft.Also, id)
		}
	}
	slices.Sort(draft.Also)
	draft.Ref = p.ref
	in, next := b.assembler(draft).Assemble(draft)
	return &in, next, true, nil
}

func (b *book) rank(source string) int {
	if i := slices.Index(b.rules.Sources, source); i >= 0 {
		return i
	}
	return len(b.rules.Sources)
}

// links adds the links of all parts, each alert once, and the alerts that may open an incident.
func (b *book) links(ctx context.Context, l loader, parts []*part, draft *assemble.Draft) error {
	at := map[incident.EpisodeKey]int{}
	for _, q := range parts {
		for _, c := range slices.SortedFunc(maps.Keys(q.cells), func(x, y *cell) int { return cmp.Compare(x.from, y.from) }) {
			if err := b.again(ctx, l, c); err != nil {
				return err
			}
			for i, e := range c.entries {
				for _, link := range c.answer.Verdicts[i].Links {
					if link.Incident != q.ref {
						continue
					}
					k := e.key()
					x := incident.Link{Episode: *e.episode, State: link.State, Score: link.Score, Evidence: slices.Clone(link.Evidence)}
					n, twice := at[k]
					switch {
					case !twice:
						at[k] = len(draft.Links)
						draft.Links = append(draft.Links, x)
					case x.State.Counts() && !draft.Links[n].State.Counts():
						draft.Links[n] = x
					}
					if link.State.Counts() && e.part == q && (q.group != nil || b.mayOpen(e)) {
						if !e.moved && b.mayOpen(e) {
							draft.Openers = append(draft.Openers, k)
						}
					}
				}
			}
		}
	}
	slices.SortFunc(draft.Openers, incident.EpisodeKey.Compare)
	return nil
}

// mayOpen says whether an episode may open an incident, or a person said that it did.
func (b *book) mayOpen(e *entry) bool {
	ds := e.series.described
	if !maps.Equal(ds.labels, e.episode.Labels) {
		ds = b.describe(e.episode.Labels)
	}
	if ds.opens {
		return true
	}
	for id, o := range b.reviews.named {
		if o == e && b.reviews.affirmed[id] {
			return true
		}
	}
	return false
}

// assembler knows the silences that can tell of a draft.
func (b *book) assembler(draft *assemble.Draft) *assemble.Assembler {
	a := &assemble.Assembler{
		Catalog: b.catalog, Labels: b.rules.Labels, Rank: func(k incident.RecordKey) int { return b.rank(k.Source) },
		Opens: func(l map[string]string) bool { return b.describe(l).opens },
		About: b.reviews.about, Blind: b.blind, Quiet: b.rules.Open.Quiet, OpenFor: b.rules.OpenFor, Now: b.now,
	}
	var from, to time.Time
	for i := range draft.Links {
		e := &draft.Links[i].Episode
		from, to = incident.Earliest(from, e.StartsAt), incident.Latest(to, e.EndsAt)
		if e.Firing() {
			to = b.now
		}
	}
	for _, id := range sortedKeys(b.silence) {
		s := b.silence[id]
		made := madeAt(&s)
		if !from.IsZero() && !made.Before(from) && !made.After(incident.Latest(to, b.now)) {
			a.Silences = append(a.Silences, s)
		}
	}
	return a
}

// about are the reviews that name an incident by any of the given ids, in order.
func (d *decisions) about(ids []string) []incident.Review {
	var out []incident.Review
	for _, id := range ids {
		out = append(out, d.of[id]...)
	}
	slices.SortFunc(out, func(a, b incident.Review) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(out, func(a, b incident.Review) bool { return a.ID == b.ID })
}

func sortedPairs(m map[[2]string]incident.Review) [][2]string {
	return slices.SortedFunc(
		maps.Keys(m),
		func(x, y [2]string) int { return cmp.Or(strings.Compare(x[0], y[0]), strings.Compare(x[1], y[1])) },
	)
}

func compareRecords(a, b incident.RecordKey) int {
	return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.ID, b.ID))
}
