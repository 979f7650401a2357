package correlate

import (
	"container/heap"
	"context"
	"iter"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"meantime/correlate/assign"
	"meantime/correlate/catalog"
	"meantime/incident"
)

// lengths are those of cells: a day, then shorter ones where more fires.
var lengths = []int64{dayLength, 6 * int64(time.Hour), int64(time.Hour), 10 * int64(time.Minute), int64(time.Minute)}

// cut divides episodes, in order of start, into stretches of the clock.
func cut(list []*entry, most, level int, from int64, out []*cell) []*cell {
	if len(list) == 0 {
		return out
	}
	if len(list) <= most || level == len(lengths)-1 {
		return append(out, &cell{from: from, to: from + lengths[level], entries: list})
	}
	next := lengths[level+1]
	for begin := 0; begin < len(list); {
		at := floor(list[begin].start, next) * next
		end := begin
		for end < len(list) && list[end].start < at+next {
			end++
		}
		out = cut(list[begin:end], most, level+1, at, out)
		begin = end
	}
	return out
}

// recut finds the cells of the days in which episodes came or went.
func (b *book) recut() {
	for _, n := range sortedKeys(b.reordered) {
		d := b.days[n]
		if d == nil {
			continue
		}
		// Cells hold stretches of the list as it was, and are compared with the new one.
		d.entries = slices.DeleteFunc(slices.Clone(d.entries), func(e *entry) bool { return e.taken })
		if d.unordered {
			slices.SortFunc(d.entries, byStart)
			d.unordered = false
		}
		fresh := cut(d.entries, b.sizes.cell, 0, n*dayLength, nil)
		old := map[[2]int64]*cell{}
		for _, c := range d.cells {
			old[[2]int64{c.from, c.to}] = c
		}
		for i, c := range fresh {
			k := [2]int64{c.from, c.to}
			was := old[k]
			if was == nil {
				b.dirty[c] = true
				for _, e := range c.entries {
					e.cell = c
				}
				continue
			}
			delete(old, k)
			if !slices.Equal(was.entries, c.entries) {
				b.dirty[was] = true
				was.answer = nil
			}
			was.entries = c.entries
			for _, e := range c.entries {
				e.cell = was
			}
			fresh[i] = was
		}
		for _, c := range old {
			delete(b.dirty, c)
			b.forget(c)
			b.doubt(c)
		}
		d.cells = fresh
		if len(d.entries) == 0 {
			delete(b.days, n)
			b.recount = true
		}
		if after := b.after(n*dayLength + dayLength - 1); after != nil {
			b.checkCarried(after) // what comes before it may be another now
		}
	}
	clear(b.reordered)
}

// forget takes out what a cell said.
func (b *book) forget(c *cell) {
	for ref := range c.refs {
		if p := b.parts[ref]; p != nil {
			delete(p.cells, c)
			b.touched[p] = true
		}
	}
	for _, id := range c.opened {
		b.parts[id].opened--
	}
	c.opened = nil
}

// after is the first cell that begins after a time, nil for none; before is the last one that begins before it.
func (b *book) after(t int64) *cell {
	n := floor(t, dayLength)
	if d := b.days[n]; d != nil {
		for _, c := range d.cells {
			if c.from > t {
				return c
			}
		}
	}
	for k := n + 1; k <= n+carryDays; k++ {
		if d := b.days[k]; d != nil && len(d.cells) > 0 {
			return d.cells[0]
		}
	}
	return nil
}

func (b *book) before(t int64) *cell {
	n := floor(t, dayLength)
	if d := b.days[n]; d != nil {
		for _, c := range slices.Backward(d.cells) {
			if c.from < t {
				return c
			}
		}
	}
	for k := n - 1; k >= n-carryDays; k-- {
		if d := b.days[k]; d != nil && len(d.cells) > 0 {
			return d.cells[len(d.cells)-1]
		}
	}
	return nil
}

// carryDays is for how many days without any alert an incident is carried on.
const carryDays = 30

func (b *book) checkCarried(c *cell) {
	var in []*assign.Carried
	if p := b.before(c.from); p != nil {
		in = p.out
	}
	if !sameCarried(in, c.in) {
		b.dirty[c] = true
	}
}

func sameCarried(a, b []*assign.Carried) bool {
	return slices.EqualFunc(a, b, func(x, y *assign.Carried) bool { return x == y || reflect.DeepEqual(x, y) })
}

// queue are cells that have to be worked out, in order of time.
type queue []*cell

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].from < q[j].from }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*cell)) }
func (q *queue) Pop() any {
	old := *q
	c := old[len(old)-1]
	*q = old[:len(old)-1]
	return c
}

// loader brings what is not at hand.
type loader interface {
	// load brings the episodes of a cell that are not at hand.
	load(ctx context.Context, c *cell) error
	// worked says that a cell was worked out, so that others may be put away.
	worked(ctx context.Context, c *cell) error
	record(ctx context.Context, k incident.RecordKey) (*incident.Record, error)
}

// settle works out what is marked. flush, where there is one, is told of each cell, and whether there are more.
func (b *book) settle(ctx context.Context, l loader, flush func(context.Context, *cell, bool) error) error {
	if b.relearn {
		b.relearn, b.renamed, b.names = false, true, catalog.Names{}
		for _, s := range b.series {
			b.names.Learn(&b.rules.Services, s.described.labels)
		}
	}
	if b.renamed {
		b.redescribe()
	}
	b.recut()
	b.guess()
	b.regroup()
	b.mutings.judge(b)
	b.renumber()
	var q queue
	for c := range b.dirty {
		q = append(q, c)
	}
	heap.Init(&q)
	inQueue := map[*cell]bool{}
	for _, c := range q {
		inQueue[c] = true
	}
	push := func() {
		for c := range b.dirty {
			if !inQueue[c] {
				inQueue[c] = true
				heap.Push(&q, c)
			}
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		before := int64(math.MaxInt64)
		if len(q) > 0 {
			before = q[0].from
		}
		if b.relate(before) {
			push()
		}
		if len(q) == 0 {
			return nil
		}
		c := heap.Pop(&q).(*cell)
		delete(inQueue, c)
		if err := b.work(ctx, l, c); err != nil {
			b.dirty[c] = true
			return err
		}
		delete(b.dirty, c)
		push()
		if err := l.worked(ctx, c); err != nil {
			return err
		}
		if flush != nil {
			if err := flush(ctx, c, len(q) > 0); err != nil {
				return err
			}
		}
	}
}

// redescribe learns what alerts and records speak of by the names that are known now.
func (b *book) redescribe() {
	b.renamed = false
	b.rename()
	b.recount = true
	for _, s := range b.series {
		if s.described == nil {
			continue
		}
		was := s.described
		s.described = b.describe(was.labels)
		if was.service != s.described.service || s.mixed {
			for _, e := range s.entries {
				if e.cell != nil {
					b.dirty[e.cell] = true
				}
				b.judged[e] = true
			}
		}
	}
	b.index.SetCatalog(b.catalog)
	for _, k := range sortedRecords(b.records) {
		x := b.records[k]
		services := b.catalog.Named(&incident.Record{Services: x.said, Title: x.title})
		if !slices.Equal(services, x.Services) {
			y := *x
			y.Services = services
			b.replace(x, &y)
			if p := b.partOf(k); p != nil {
				b.touched[p] = true
			}
		}
	}
	for id, s := range b.silence {
		delete(b.silence, id)
		b.tellSilence(s)
	}
}

func sortedRecords(m map[incident.RecordKey]*recordInfo) []incident.RecordKey {
	var out []incident.RecordKey
	for k := range m {
		out = append(out, k)
	}
	slices.SortFunc(out, compareRecords)
	return out
}

// regroup groups records anew, and marks where their incidents reach.
func (b *book) regroup() {
	if !b.regrouped {
		return
	}
	b.regrouped = false
	gone, fresh := b.index.Settle()
	for _, g := range gone {
		id := g.ID()
		if p := b.parts[id]; p != nil && p.group == g {
			b.touched[p] = true
			p.group = nil
		}
		b.setKnown(id, nil)
	}
	for _, g := range fresh {
		p := b.part(g.ID())
		p.group = g
		b.touched[p] = true
		b.setKnown(g.ID(), b.knownOf(g))
	}
}

func (b *book) part(ref string) *part {
	p := b.parts[ref]
	if p == nil {
		p = &part{ref: ref, cells: map[*cell]bool{}}
		b.parts[ref] = p
	}
	return p
}

// setKnown puts an incident of records, or a maintenance, in place of what was known by its ID; nil for none.
func (b *book) setKnown(id string, k *assign.Known) {
	old := b.known[id]
	if old != nil && k != nil && reflect.DeepEqual(old, k) {
		return
	}
	for _, x := range []*assign.Known{old, k} {
		if x == nil {
			continue
		}
		for n := int64(math.Floor(x.From() / 24)); n <= int64(math.Floor(x.To()/24)); n++ {
			mark(b.reaches, n, id, x == k)
			b.markDay(n)
			if !x.Maintenance {
				b.mutings.doubtDay(n)
			}
		}
	}
	if k == nil {
		delete(b.known, id)
	} else {
		b.known[id] = k
	}
}

// renumber works out the numbers of the organisation anew.
func (b *book) renumber() {
	if b.recount {
		b.recount = false
		seen, values := map[assign.Place]bool{}, map[string]float64{}
		for _, s := range b.series {
			for _, p := range s.described.places {
				if !seen[p] {
					seen[p] = true
					values[p.Label]++
				}
			}
		}
		for l, n := range values {
			values[l] = math.Round(roundNats(n, 0.25))
		}
		services := roundNats(math.Max(1, float64(b.catalog.Size())), 0.5)
		if services != b.scale.services || !reflect.DeepEqual(values, b.scale.values) {
			b.scale.services, b.scale.values = services, values
			b.markAll()
		} else {
			for _, d := range b.days { // on how many days alerts began before
				for _, c := range d.cells {
					if c.listened != b.listened(c) {
						b.dirty[c] = true
					}
				}
			}
		}
		for n := range b.weeks {
			b.reweek[n] = true
		}
	}
	again := changed(b.reweek, b.weeks)
	clear(b.reweek)
	for _, w := range again {
		was := b.weeks[w]
		delete(b.weeks, w)
		if b.weekOf(w) != was {
			for n := w * 7; n < w*7+7; n++ {
				b.markDay(n)
			}
		}
	}
}

func (b *book) markAll() {
	for n := range b.days {
		b.markDay(n)
	}
}

// listened is what habit is measured against, rounded: for how many hours, and on how many days.
func (b *book) listened(c *cell) [2]float64 {
	days := b.daysBefore(c)
	return [2]float64{roundNats(days*24+480, 0.25) - 480, math.Round(roundNats(math.Max(1, days), 0.25))}
}

// changed are the weeks of a map whose numbers are made of some weeks.
func changed[T any](of map[int64]bool, m map[int64]T) (out []int64) {
	for _, w := range sortedKeys(m) {
		for n := range of {
			if w >= n && w <= n+lookback/7+1 {
				out = append(out, w)
				break
			}
		}
	}
	return out
}

// guess places records that tell only their end anew, where incidents last otherwise now.
func (b *book) guess() {
	for _, w := range changed(b.reweek, b.medians) {
		delete(b.medians, w)
	}
	for _, w := range changed(b.reweek, b.late) {
		b.unsure[w] = true
	}
	for _, w := range changed(b.reweek, b.guessed) {
		usual := b.medianOf(w)
		for k := range b.guessed[w] {
			x := b.records[k]
			y := *x
			if y.place(usual); !y.Onset.Equal(x.Onset) {
				b.replace(x, &y)
			}
		}
	}
}

// ofWeek are the incidents that records tell of in the ninety days before the end of a week.
func (b *book) ofWeek(n int64) iter.Seq[*recordInfo] {
	return func(yield func(*recordInfo) bool) {
		for r := range b.index.Between(time.Unix(0, (n+1)*weekLength-lookback*dayLength), time.Unix(0, (n+1)*weekLength)) {
			if x := b.records[r.Key]; x.Kind != incident.KindMaintenance && !x.Untimed && !yield(x) {
				return
			}
		}
	}
}

// medianOf is how long incidents lasted up to one week, of those that tell both ends.
func (b *book) medianOf(n int64) time.Duration {
	if m, ok := b.medians[n]; ok {
		return m
	}
	var lasted []time.Duration
	for x := range b.ofWeek(n) {
		if x.lasted > 0 {
			lasted = append(lasted, x.lasted)
		}
	}
	median := usualLength
	if len(lasted) > 0 {
		slices.Sort(lasted)
		median = min(longestUsual, max(shortestUsual, lasted[len(lasted)/2]))
	}
	median = time.Duration(roundNats(median.Hours(), 0.25) * float64(time.Hour)).Round(time.Second)
	b.medians[n] = median
	return median
}

// lateOf is how late people come in one week, by what became of incidents in the ninety days before it.
func (b *book) lateOf(n int64) [4][4]float64 {
	if l, ok := b.late[n]; ok {
		return l
	}
	var learn assign.Learn
	seen := map[string]bool{}
	for x := range b.ofWeek(n - 1) {
		p := b.partOf(x.Key)
		if p == nil || seen[p.ref] || b.known[p.ref] == nil {
			continue
		}
		seen[p.ref] = true
		var all assign.Early
		for c := range p.cells {
			if c.from < n*weekLength {
				for i, m := range c.early[p.ref] {
					all[i] += m
				}
			}
		}
		learn.Add(b.known[p.ref].Milestone, all)
	}
	b.late[n] = learn.Shares()
	return b.late[n]
}

// doubt marks the weeks that may be learned otherwise after a cell is another.
func (b *book) doubt(c *cell) {
	n := floor(c.from, weekLength)
	for w := range b.late {
		if w > n && w <= n+lookback/7+1 {
			b.unsure[w] = true
		}
	}
}

// relate learns those weeks anew that begin by a time up to which all is worked out, and marks what is of them where that is
// otherwise. It says whether any is.
func (b *book) relate(before int64) (otherwise bool) {
	for _, w := range sortedKeys(b.unsure) {
		if w*weekLength > before {
			break
		}
		delete(b.unsure, w)
		was := b.late[w]
		delete(b.late, w)
		if b.lateOf(w) != was {
			for n := w * 7; n < w*7+7; n++ {
				b.markDay(n)
			}
			return true
		}
	}
	return false
}

// weekOf are the numbers of one week.
func (b *book) weekOf(n int64) week {
	if w, ok := b.weeks[n]; ok {
		return w
	}
	count, active := 0.0, 0.0
	for range b.ofWeek(n) {
		count++
	}
	for k := (n+1)*7 - lookback; k <= (n+1)*7; k++ {
		if d := b.days[k]; d != nil && len(d.entries) > 0 {
			active++
		}
	}
	w := week{b.medianOf(n).Hours(), roundNats(math.Max(1, count)/math.Max(24, 24*active), 0.5)}
	b.weeks[n] = w
	return w
}

// work works out a cell.
func (b *book) work(ctx context.Context, l loader, c *cell) error {
	in, err := b.input(ctx, l, c)
	if err != nil {
		return err
	}
	out, err := assign.Solve(ctx, in)
	if err != nil {
		return err
	}
	b.weighed += out.Weighed
	b.accept(c, in, out)
	return nil
}

// again brings the answer of a cell that is not at hand.
func (b *book) again(ctx context.Context, l loader, c *cell) error {
	if c.answer != nil {
		return l.load(ctx, c)
	}
	in, err := b.input(ctx, l, c)
	if err != nil {
		return err
	}
	if c.answer, err = assign.Solve(ctx, in); err != nil {
		return err
	}
	b.weighed += c.answer.Weighed
	return l.worked(ctx, c)
}

// accept takes in what became of a cell, and marks what is made of it where that is another than it was.
func (b *book) accept(c *cell, in *assign.Input, out *assign.Output) {
	b.forget(c)
	c.answer, c.in, c.refs = out, in.Carried, map[string]bool{}
	c.listened = b.listened(c)
	var turned []*entry
	early, tempo := map[string]assign.Early{}, in.Org.Tempo()
	for i, e := range c.entries {
		e.past = in.Alerts[i].Past
		v := &out.Verdicts[i]
		for _, link := range v.Links {
			c.refs[link.Incident] = true
			if k := b.known[link.Incident]; k != nil && link.State.Counts() {
				n := early[k.ID]
				n.Count(e.at()-k.Onset, tempo)
				early[k.ID] = n
			}
		}
		noise := uint8(2 * v.Noise)
		if v.Unwritten {
			noise |= unwritten
		}
		if noise != e.noise { // of one that is new it is another in any case
			e.noise = noise
			turned = append(turned, e)
		}
		b.judged[e] = true
	}
	for _, o := range out.Opened {
		c.refs[o.ID] = true
		c.opened = append(c.opened, o.ID)
		b.part(o.ID).opened++
	}
	for ref := range c.refs {
		p := b.part(ref)
		p.cells[c] = true
		b.touched[p] = true
	}
	if !maps.Equal(early, c.early) {
		c.early = early
		b.doubt(c)
	}
	b.counted(c)
	for _, e := range turned {
		b.propagate(e, false)
	}
	c.out = out.Carried
	if next := b.after(c.from); next != nil {
		b.checkCarried(next)
	}
}

// input is what a cell is worked out from.
func (b *book) input(ctx context.Context, l loader, c *cell) (*assign.Input, error) {
	if err := l.load(ctx, c); err != nil {
		return nil, err
	}
	w, listened := b.weekOf(floor(c.from, weekLength)), b.listened(c)
	in := &assign.Input{
		Org: assign.Org{
			Median: w.median, RecordRate: w.rate, Services: b.scale.services, Values: b.scale.values, Hours: listened[0], Days: listened[1],
			Lateness: b.lateOf(floor(c.from, weekLength)),
		},
		Graph: b.graph, Until: float64(c.to/1e6) / 3.6e6,
		Options: &assign.Options{
			LinkAt: b.rules.LinkAt, SuggestAt: b.rules.SuggestAt, Weigh: b.rules.Open.Weigh,
			ByService: !b.rules.Open.Weigh && slices.Contains(b.rules.Open.GroupBy, "service"),
			Quiet:     b.rules.Open.Quiet.Hours(), Reopen: b.rules.Open.ReopenWithin.Hours(), Apart: b.reviews.apart,
		},
	}
	if p := b.before(c.from); p != nil {
		in.Carried = p.out
	}
	n := floor(c.from, dayLength)
	ids := map[string]bool{}
	for id := range b.reaches[n] {
		if k := b.known[id]; k.From() <= in.Until && k.To() >= float64(c.from/1e6)/3.6e6 {
			ids[id] = true
		}
	}
	names := b.naming(n, ids)
	for _, id := range sortedKeys(ids) {
		in.Known = append(in.Known, b.known[id])
	}
	for id, e := range b.reviews.named {
		if e != nil && e.cell == c {
			if in.Aliases == nil {
				in.Aliases = map[string]int{}
			}
			in.Aliases[id], _ = slices.BinarySearchFunc(c.entries, e, byStart)
		}
	}
	for _, e := range c.entries {
		in.Alerts = append(in.Alerts, b.alert(e, c, listened[1], names))
	}
	return in, nil
}

// alert is an episode as it is weighed.
func (b *book) alert(e *entry, c *cell, days float64, names *naming) assign.Alert {
	ep, d := e.episode, e.series.described
	if maps.Equal(d.labels, ep.Labels) {
		ep.Labels = d.labels // of many episodes one is kept
	} else {
		d = b.describe(ep.Labels)
	}
	x := assign.Alert{
		Key: incident.EpisodeKey{Fingerprint: ep.Fingerprint, StartsAt: ep.StartsAt.UTC()}, Start: e.at(), End: math.Inf(1),
		Name: d.name, Service: d.service, Places: d.places, Opens: d.opens, Group: d.group,
		Past: b.past(e, c, days),
	}
	if !ep.Firing() {
		x.End, x.Ended = hours(ep.EndsAt), ep.Ended()
	}
	names.of(&x, ep)
	b.reviews.fill(&x, e, b.resolve)
	x.Quiet = d.watchdog != "" || !x.Said() && b.maintained(ep)
	return x
}
