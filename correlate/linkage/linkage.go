// Package linkage finds the records that tell of one incident. Some say so themselves: one names another, or two sources
// state the same alert. Others are likely enough to be one by what they say; but never two of one source, whose
// tracker merges its own.
package linkage

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// Record is what of a record tells whether it is of one incident with others, in little memory: there are many.
type Record struct {
	Key      incident.RecordKey
	ID       string // of the incident that it alone would be
	URL      string
	Kind     incident.Kind
	From, To time.Time // what it speaks of
	Times    [6]time.Time
	Services []string
	Places   map[string]string
	Onset    time.Time
	// Untimed: it speaks of no time, so it is like no other.
	Untimed bool
	// Late is how much later than the beginning an onset like this one usually is.
	Late time.Duration
	// States are the alerts that it names exactly.
	States []incident.EpisodeKey
	Groups []AlertGroup
	URLs   []string // other records and alerts that it names, by address
	Keys   []string // and by id
	Merged []string // ids of records that it says it was merged into
}

// AlertGroup is a notification group that a record names, by the hash of its key, and when.
type AlertGroup struct {
	Hash     string
	From, To time.Time
}

// Group is the records of one incident, in order of key. It never changes once it was given.
type Group struct {
	Members []*Record
	Why     []string // for each record after the first
}

// ID is that of the incident.
func (g *Group) ID() string { return g.Members[0].ID }

// Options are what people and the configuration decide.
type Options struct {
	// Joined and Apart are pairs of IDs, the smaller first, that a person said are one incident or two, and why.
	Joined, Apart map[[2]string]string
}

// The figures are nats, fitted to labelled organisations and rounded.
const (
	alikeBase      = -1.0
	alikeService   = 3.0
	alikeTied      = 0.5
	alikeStrangers = -2.0
	alikeSame      = 2.0 // a milestone that agrees
	alikeStart     = 1.0 // people write starts from memory
	alikeBetween   = -0.5
	alikeFar       = -2.0
	alikeElsewhere = -3.0
	alikeNothing   = -1.0
	alikeWithin    = 3 * time.Hour
	farApart       = 30 * time.Minute
	gapScale       = 15 * time.Minute
	referWithin    = 7 * 24 * time.Hour
	certain        = 1000.0
)

// closeTo is how far apart two sources' times of one milestone are at most.
var closeTo = map[incident.MilestoneName]time.Duration{
	incident.Started: 6 * time.Minute, incident.Detected: 150 * time.Second, incident.Acknowledged: 90 * time.Second,
	incident.Identified: 90 * time.Second, incident.Mitigated: 3 * time.Minute, incident.Resolved: 3 * time.Minute,
}

// Index knows all records and which of them may be one. It gives the same groups whatever order they came in.
type Index struct {
	catalog *catalog.Catalog
	opt     Options
	records map[incident.RecordKey]*Record
	byOnset []*Record
	byName  map[string][]*Record // by what can name a record or an alert that two name
	joins   map[*Record]map[*Record]join
	groups  map[*Record]*Group
	dirty   map[*Record]bool
	gone    []*Group
}

// NewIndex makes an empty index.
func NewIndex(cat *catalog.Catalog, opt Options) *Index {
	return &Index{
		catalog: cat, opt: opt, records: map[incident.RecordKey]*Record{}, byName: map[string][]*Record{},
		joins: map[*Record]map[*Record]join{}, groups: map[*Record]*Group{}, dirty: map[*Record]bool{},
	}
}

// Of is the group of a record.
func (x *Index) Of(k incident.RecordKey) *Group { return x.groups[x.records[k]] }

// Put adds a record, in place of the one of its key.
func (x *Index) Put(r *Record) {
	x.Remove(r.Key)
	x.records[r.Key] = r
	i, _ := slices.BinarySearchFunc(x.byOnset, r, byOnset)
	x.byOnset = slices.Insert(x.byOnset, i, r)
	for _, n := range slices.Concat(r.names(), r.refers()) {
		x.byName[n] = append(x.byName[n], r)
	}
	x.dirty[r] = true
}

// Remove takes a record out.
func (x *Index) Remove(k incident.RecordKey) {
	r := x.records[k]
	if r == nil {
		return
	}
	delete(x.records, k)
	delete(x.dirty, r)
	if i, ok := slices.BinarySearchFunc(x.byOnset, r, byOnset); ok {
		x.byOnset = slices.Delete(x.byOnset, i, i+1)
	}
	for _, n := range slices.Concat(r.names(), r.refers()) {
		if x.byName[n] = slices.DeleteFunc(x.byName[n], func(o *Record) bool { return o == r }); len(x.byName[n]) == 0 {
			delete(x.byName, n)
		}
	}
	for o := range x.joins[r] {
		delete(x.joins[o], r)
		x.dirty[o] = true
	}
	delete(x.joins, r)
	if g := x.groups[r]; g != nil {
		x.dissolve(g)
		delete(x.groups, r)
		delete(x.dirty, r)
	}
}

func (x *Index) dissolve(g *Group) {
	x.gone = append(x.gone, g)
	for _, m := range g.Members {
		if x.groups[m] == g && x.records[m.Key] == m {
			x.dirty[m] = true
		}
	}
}

func byOnset(a, b *Record) int {
	return cmp.Or(a.Onset.Compare(b.Onset), strings.Compare(a.Key.Source, b.Key.Source), strings.Compare(a.Key.ID, b.Key.ID))
}

func byKey(a, b *Record) int {
	return cmp.Or(strings.Compare(a.Key.Source, b.Key.Source), strings.Compare(a.Key.ID, b.Key.ID))
}

// SetCatalog has services compared by another catalog.
func (x *Index) SetCatalog(c *catalog.Catalog) { x.catalog = c }

// Between ranges over the records whose incidents began in [from, to), in order.
func (x *Index) Between(from, to time.Time) iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		i, _ := slices.BinarySearchFunc(x.byOnset, from, func(o *Record, t time.Time) int { return o.Onset.Compare(t) })
		for ; i < len(x.byOnset) && x.byOnset[i].Onset.Before(to) && yield(x.byOnset[i]); i++ {
		}
	}
}

// SetOptions takes other decisions; the records that they name are grouped anew.
func (x *Index) SetOptions(opt Options) {
	ids := map[string]bool{}
	for _, m := range [][2]map[[2]string]string{
		{x.opt.Joined, opt.Joined}, {opt.Joined, x.opt.Joined}, {x.opt.Apart, opt.Apart}, {opt.Apart, x.opt.Apart},
	} {
		for p, why := range m[0] {
			if other, ok := m[1][p]; !ok || other != why {
				ids[p[0]], ids[p[1]] = true, true
			}
		}
	}
	x.opt = opt
	if len(ids) == 0 {
		return
	}
	for _, r := range x.records {
		if ids[r.ID] {
			x.dirty[r] = true
		}
	}
}

// Settle groups what changed anew, and gives the groups that are no more and those that are new, by first member.
func (x *Index) Settle() (gone, fresh []*Group) {
	for r := range x.dirty {
		x.relate(r)
	}
	seen := map[*Record]bool{}
	for _, r := range slices.SortedFunc(maps.Keys(x.dirty), byKey) {
		if seen[r] {
			continue
		}
		members := x.connected(r, seen)
		for _, m := range members {
			if g := x.groups[m]; g != nil && !slices.Contains(x.gone, g) {
				x.gone = append(x.gone, g)
			}
		}
		for _, g := range x.unite(members) {
			for _, m := range g.Members {
				x.groups[m] = g
			}
			fresh = append(fresh, g)
		}
	}
	gone, x.gone = x.gone, nil
	clear(x.dirty)
	return gone, fresh
}

// connected are all records that joins lead to from one, whatever was said of their groups.
func (x *Index) connected(r *Record, seen map[*Record]bool) []*Record {
	list := []*Record{r}
	seen[r] = true
	for i := 0; i < len(list); i++ {
		next := slices.Collect(maps.Keys(x.joins[list[i]]))
		if g := x.groups[list[i]]; g != nil {
			next = append(next, g.Members...)
		}
		for _, o := range next {
			if !seen[o] && x.records[o.Key] == o {
				seen[o] = true
				list = append(list, o)
			}
		}
	}
	slices.SortFunc(list, byKey)
	return list
}

// relate finds the records that one may be one with.
func (x *Index) relate(r *Record) {
	for o := range x.joins[r] {
		delete(x.joins[o], r)
	}
	found := map[*Record]join{}
	add := func(o *Record, odds float64, why string) {
		if old, ok := found[o]; o != r && (!ok || odds > old.odds || odds == old.odds && why < old.why) {
			found[o] = join{odds, why}
		}
	}
	for p, why := range x.opt.Joined {
		if p[0] != r.ID && p[1] != r.ID {
			continue
		}
		for _, o := range x.byName["id "+p[0]] {
			add(o, 2*certain, why)
		}
		for _, o := range x.byName["id "+p[1]] {
			add(o, 2*certain, why)
		}
	}
	for _, n := range slices.Concat(r.names(), r.refers()) {
		for _, o := range x.byName[n] {
			if o == r || !near(r, o, referWithin) {
				continue
			}
			if why := named(r, o); why != "" {
				add(o, certain, why)
			}
		}
	}
	i, _ := slices.BinarySearchFunc(x.byOnset, r.Onset.Add(-alikeWithin), func(o *Record, t time.Time) int { return o.Onset.Compare(t) })
	for ; i < len(x.byOnset) && x.byOnset[i].Onset.Sub(r.Onset) <= alikeWithin; i++ {
		o := x.byOnset[i]
		if o.Key.Source == r.Key.Source {
			continue
		}
		if odds := x.likeness(r, o); odds > 0 {
			add(o, odds, "")
		}
	}
	x.joins[r] = found
	for o, j := range found {
		if x.joins[o] == nil {
			x.joins[o] = map[*Record]join{}
		}
		x.joins[o][r] = j
	}
}

// join is how likely two records are one, and why; alikeness is put into words where it counts.
type join struct {
	odds float64
	why  string
}

// unite joins records, in order of key, the surest pairs first, if all members of both groups agree.
func (x *Index) unite(records []*Record) (out []*Group) {
	type pairing struct {
		a, b *Record
		join
	}
	var list []pairing
	of := map[*Record]*Group{}
	for _, r := range records {
		of[r] = &Group{Members: []*Record{r}}
		for o, j := range x.joins[r] {
			if byKey(r, o) < 0 {
				list = append(list, pairing{r, o, j})
			}
		}
	}
	slices.SortFunc(list, func(p, q pairing) int { return cmp.Or(cmp.Compare(q.odds, p.odds), byKey(p.a, q.a), byKey(p.b, q.b)) })
	for _, p := range list {
		a, b := of[p.a], of[p.b]
		if a == b || !x.agree(a, b, p.odds) {
			continue
		}
		why := p.why
		if why == "" {
			why = tell(p.a, p.b)
		}
		a.Members, a.Why = append(a.Members, b.Members...), append(append(a.Why, b.Why...), why)
		for _, m := range b.Members {
			of[m] = a
		}
	}
	for _, r := range records {
		if g := of[r]; g.Members[0] == r || slices.MinFunc(g.Members, byKey) == r {
			slices.SortFunc(g.Members, byKey)
			slices.Sort(g.Why)
			out = append(out, g)
		}
	}
	return out
}

// agree says whether two groups may be one: nobody said otherwise and, but for a certain join, each pair is alike.
func (x *Index) agree(a, b *Group, odds float64) bool {
	for _, r := range a.Members {
		for _, o := range b.Members {
			if _, apart := x.opt.Apart[pair(r.ID, o.ID)]; apart {
				return false
			}
			if odds < certain && x.likeness(r, o) <= 0 {
				return false
			}
		}
	}
	return true
}

// names are what a record can be named by, refers what it names.
func (r *Record) names() []string {
	out := []string{"key " + r.Key.String(), "id " + r.ID}
	if !bareNumber.MatchString(r.Key.ID) { // issue 7 of two trackers is two issues
		out = append(out, "key "+r.Key.ID)
	}
	if r.URL != "" {
		out = append(out, "url "+r.URL)
	}
	return out
}

func (r *Record) refers() (out []string) {
	for _, u := range r.URLs {
		out = append(out, "url "+u)
	}
	for _, k := range slices.Concat(r.Keys, r.Merged) {
		out = append(out, "key "+k)
	}
	for _, k := range r.States {
		out = append(out, "alert "+k.String())
	}
	for _, g := range r.Groups {
		out = append(out, "group "+g.Hash)
	}
	return out
}

var bareNumber = regexp.MustCompile(`^[0-9]+$`)

func near(a, b *Record, most time.Duration) bool {
	return b.From.Sub(a.To) <= most && a.From.Sub(b.To) <= most
}

// named says how one of two records names the other, empty where neither does. It is the same whichever is asked first: where
// both name the other, the words are those of the first by key.
func named(a, b *Record) string {
	if byKey(b, a) < 0 {
		a, b = b, a
	}
	return cmp.Or(refers(a, b), refers(b, a), sameAlert(a, b))
}

// refers says how one record names another, empty where it does not.
func refers(a, b *Record) string {
	lists := func(list []string) bool {
		return slices.Contains(list, b.Key.String()) || !bareNumber.MatchString(b.Key.ID) && slices.Contains(list, b.Key.ID)
	}
	switch {
	case b.URL != "" && slices.Contains(a.URLs, b.URL):
		return fmt.Sprintf("%s refers to %s by its address %s", a.Key, b.Key, b.URL)
	case lists(a.Keys):
		return fmt.Sprintf("%s refers to %s by its id", a.Key, b.Key)
	case slices.Contains(a.Merged, b.Key.String()):
		return fmt.Sprintf("%s says that it was merged into %s", a.Key, b.Key)
	}
	return ""
}

// sameAlert says that two sources name the same alert. Two of one source may: a merge leaves that behind.
func sameAlert(a, b *Record) string {
	if a.Key.Source == b.Key.Source {
		return ""
	}
	for _, k := range a.States {
		if slices.Contains(b.States, k) {
			return fmt.Sprintf("%s and %s name the same alert %s", a.Key, b.Key, k.Fingerprint)
		}
	}
	for _, g := range a.Groups {
		for _, h := range b.Groups {
			if g.Hash == h.Hash && !g.From.After(h.To) && !h.From.After(g.To) {
				return fmt.Sprintf("%s and %s name the same alert group", a.Key, b.Key)
			}
		}
	}
	return ""
}

// likeness is the logarithm of the odds that two records are of one incident.
func (x *Index) likeness(a, b *Record) float64 {
	if a.Untimed || b.Untimed || a.Key.Source == b.Key.Source ||
		(a.Kind == incident.KindMaintenance) != (b.Kind == incident.KindMaintenance) {
		return -certain
	}
	gap := a.Onset.Sub(b.Onset).Abs()
	if gap > alikeWithin {
		return -certain
	}
	odds := alikeBase + x.services(a, b) - float64(gap)/float64(gapScale+a.Late+b.Late)
	if catalog.Elsewhere(a.Places, b.Places) {
		odds += alikeElsewhere
	}
	agree := 0
	for n, m := range incident.MilestoneNames {
		s, t := a.Times[n], b.Times[n]
		if s.IsZero() || t.IsZero() {
			continue
		}
		switch d := s.Sub(t).Abs(); {
		case d <= closeTo[m] && m == incident.Started:
			agree++
			odds += alikeStart
		case d <= closeTo[m]:
			agree++
			odds += alikeSame
		case d > farApart && m != incident.Resolved:
			odds += alikeFar
		default:
			odds += alikeBetween
		}
	}
	if agree == 0 && gap > farApart {
		odds += alikeNothing
	}
	return odds
}

// services is what the services say.
func (x *Index) services(a, b *Record) float64 {
	if len(a.Services) == 0 || len(b.Services) == 0 {
		return 0
	}
	known, tied := true, false
	for _, s := range a.Services {
		for _, t := range b.Services {
			switch r := x.catalog.Relation(s, t); {
			case r.Kind == catalog.Same || s == t:
				return alikeService
			case r.Hops == 1:
				tied = true
			case r.Kind == catalog.Unknown:
				known = false
			}
		}
	}
	switch {
	case tied:
		return alikeTied
	case known:
		return alikeStrangers
	}
	return 0
}

// tell says why two records are taken to be one.
func tell(a, b *Record) string {
	var reasons []string
	for _, s := range a.Services {
		if slices.Contains(b.Services, s) {
			reasons = append(reasons, "both name "+s)
			break
		}
	}
	var when []string
	for n, m := range incident.MilestoneNames {
		if s, t := a.Times[n], b.Times[n]; !s.IsZero() && !t.IsZero() && s.Sub(t).Abs() <= closeTo[m] {
			when = append(when, string(m))
		}
	}
	if len(when) > 0 {
		reasons = append(reasons, "the same time for "+strings.Join(when, ", "))
	}
	reasons = append(reasons, fmt.Sprintf("they begin %s apart", time.Duration(math.Abs(float64(a.Onset.Sub(b.Onset)))).Round(time.Second)))
	return fmt.Sprintf("%s and %s: %s", a.Key, b.Key, strings.Join(reasons, "; "))
}

func pair(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

// ByID is the record that alone would make the incident of an ID; nil for none.
func (x *Index) ByID(id string) *Record {
	for _, r := range x.byName["id "+id] {
		if r.ID == id {
			return r
		}
	}
	return nil
}
