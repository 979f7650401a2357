package measure

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unique"
)

// limit says which names are shown by name, and how many are not.
type limit struct {
	shown map[name]bool // nil where all are
	over  int
}

// shows says whether a name is shown as itself. Nobody's own name may be Other while others are shown under it.
func (l limit) shows(n name) bool {
	return l.shown == nil || n == noName || l.shown[n] && n.Value() != Other
}

// of is the name that is shown for n.
func (l limit) of(n name) name {
	if l.shows(n) {
		return n
	}
	return unique.Make(Other)
}

func (l limit) equal(o limit) bool { return l.over == o.over && maps.Equal(l.shown, o.shown) }

// maxSeverities is how many severities are shown by name: more than anybody has, and few enough that made-up ones cannot
// flood the metrics.
const maxSeverities = 20

// limits are which names are shown.
type limits struct {
	services, severities, alerts limit
	tags                         map[string]limit // by label
}

func (l *limits) equal(o *limits) bool {
	return l.services.equal(o.services) && l.severities.equal(o.severities) && l.alerts.equal(o.alerts) &&
		maps.EqualFunc(l.tags, o.tags, limit.equal)
}

// over says whether anything is shown under Other.
func (l *limits) over() bool {
	n := l.services.over + l.severities.over
	for _, t := range l.tags {
		n += t.over
	}
	return n > 0
}

// tag is what is shown for one, and whether that is itself.
func (l *limits) tag(n name) (name, bool) {
	label, value, _ := strings.Cut(n.Value(), "=")
	if t := l.tags[label]; t.shown == nil || n == noName || t.shown[n] && value != Other {
		return n, true
	}
	return unique.Make(label + "=" + Other), false
}

func (l *limits) shows(k groupKey) bool {
	_, itself := l.tag(k.tag)
	return itself && l.services.shows(k.service) && l.severities.shows(k.severity)
}

func (l *limits) of(k groupKey) groupKey {
	tag, _ := l.tag(k.tag)
	return groupKey{l.services.of(k.service), l.severities.of(k.severity), tag}
}

// rank is how often a name occurs, by incidents and then by episodes.
type rank struct{ incidents, episodes int }

// atMost shows the most frequent names, and of equally frequent ones the first in the alphabet. 0 shows all.
func atMost(most int, names map[name]rank) limit {
	if most <= 0 || len(names) <= most {
		return limit{}
	}
	order := slices.SortedFunc(maps.Keys(names), func(a, b name) int {
		x, y := names[a], names[b]
		return cmp.Or(cmp.Compare(y.incidents, x.incidents), cmp.Compare(y.episodes, x.episodes), strings.Compare(a.Value(), b.Value()))
	})
	l := limit{shown: make(map[name]bool, most), over: len(names) - most}
	for _, n := range order[:most] {
		l.shown[n] = true
	}
	return l
}

// limits are which services, severities and alert names are shown, by the incidents and episodes of the longest window.
func (b *Book) limits() limits {
	w := b.longest()
	if w < 0 {
		return limits{}
	}
	services, severities, alerts := map[name]rank{}, map[name]rank{}, map[name]rank{}
	tags := map[string]map[name]rank{}
	for k, g := range b.groups {
		n := len(b.in(g.rows, w))
		switch {
		case n == 0 || k.tag != noName && k.severity != noName:
		case k.tag != noName:
			label, _, _ := strings.Cut(k.tag.Value(), "=")
			if tags[label] == nil {
				tags[label] = map[name]rank{}
			}
			tags[label][k.tag] = rank{incidents: n}
		case k.severity == noName && k.service != noName:
			services[k.service] = rank{incidents: n}
		case k.service == noName && k.severity != noName:
			severities[k.severity] = rank{incidents: n}
		}
	}
	count := func(names map[name]rank, n name, episodes int) {
		if n != noName {
			r := names[n]
			r.episodes += episodes
			names[n] = r
		}
	}
	for i, t := range b.episodes.counts[w] {
		if n := int(t[0] + t[1] + t[2]); n > 0 {
			c := b.episodes.classes[i]
			count(services, c.service, n)
			count(severities, c.severity, n)
			count(alerts, c.alert, n)
		}
	}
	l := limits{atMost(b.o.MaxServices, services), atMost(maxSeverities, severities), atMost(b.o.MaxNames, alerts), map[string]limit{}}
	for label, names := range tags {
		l.tags[label] = atMost(b.o.MaxServices, names)
	}
	return l
}

// otherGroup are the figures of one group over a limit, of one window.
type otherGroup struct {
	window int
	key    groupKey
	rows   []*row
	before []*row // those that only reach into the window
	cached
}

// otherFigures are the figures of the groups over a limit: of the incidents that count in any group shown under the same
// names, each counted once.
func (b *Book) otherFigures(w int, l *limits) []*otherGroup {
	if !l.over() {
		b.others = nil
		return nil
	}
	byKey, before := map[groupKey][]*row{}, map[groupKey][]*row{}
	collect := func(byKey map[groupKey][]*row, rows []*row, note bool) {
		for _, r := range rows {
			for k := range r.keys {
				if l.shows(k) {
					continue
				}
				k = l.of(k)
				in := byKey[k]
				if note && (len(in) == 0 || in[len(in)-1] != r) {
					in = append(in, r)
				}
				byKey[k] = in
			}
		}
	}
	all := b.groups[everything].rows
	collect(byKey, b.in(all, b.longest()), false) // what is shown for the longest window is shown for all
	collect(byKey, b.in(all, w), true)
	collect(before, b.reaching(all, everything, w), true)
	b.others = slices.DeleteFunc(b.others, func(o *otherGroup) bool {
		_, ok := byKey[o.key]
		return o.window == w && !ok
	})
	var out []*otherGroup
	for _, k := range slices.SortedFunc(maps.Keys(byKey), groupKey.compare) {
		i := slices.IndexFunc(b.others, func(o *otherGroup) bool { return o.window == w && o.key == k })
		if i < 0 {
			i = len(b.others)
			b.others = append(b.others, &otherGroup{window: w, key: k})
		}
		o := b.others[i]
		// Rows are never written to, so the same rows have the same figures.
		same := slices.Equal(o.rows, byKey[k])
		if !o.at(b.tick) || !same {
			o.rows, o.tick = byKey[k], b.tick
			o.g, o.live = b.plan.figures(k.grouping(), o.rows, b.tick.UnixNano())
		}
		if !same || !slices.Equal(o.before, before[k]) {
			o.before, o.counted = before[k], false
		}
		b.relied(&o.cached, k, w, o.rows, func() []*row { return o.before })
		out = append(out, o)
	}
	return out
}
