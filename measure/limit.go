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

func (l limit) shows(n name) bool { return l.shown == nil || n == noName || l.shown[n] }

func (l limit) equal(o limit) bool { return l.over == o.over && maps.Equal(l.shown, o.shown) }

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

// limits are which services and alert names are shown, by the incidents and episodes of the longest window.
func (b *Book) limits() (services, names limit) {
	w := b.longest()
	if w < 0 {
		return limit{}, limit{}
	}
	s, a := map[name]rank{}, map[name]rank{}
	for k, g := range b.groups {
		if k.service != noName && k.severity == noName {
			if n := len(b.in(g.rows, w)); n > 0 {
				s[k.service] = rank{incidents: n}
			}
		}
	}
	for i, t := range b.episodes.counts[w] {
		n := int(t[0] + t[1] + t[2])
		if n == 0 {
			continue
		}
		c := b.episodes.classes[i]
		if c.service != noName {
			r := s[c.service]
			r.episodes += n
			s[c.service] = r
		}
		if c.alert != noName {
			r := a[c.alert]
			r.episodes += n
			a[c.alert] = r
		}
	}
	return atMost(b.o.MaxServices, s), atMost(b.o.MaxNames, a)
}

// otherGroup are the figures of all services over the limit, of one window and severity.
type otherGroup struct {
	window int
	key    groupKey
	rows   []*row
	cached
}

// otherFigures are the figures of the incidents that affect at least one service over the limit, each counted once: of all
// of them and by severity.
func (b *Book) otherFigures(w int, services limit, ticked bool) []*Group {
	b.others = slices.DeleteFunc(b.others, func(o *otherGroup) bool { return services.over == 0 })
	if services.over == 0 {
		return nil
	}
	other := unique.Make(Other)
	byKey := map[groupKey][]*row{}
	collect := func(rows []*row, note bool) {
		for _, r := range rows {
			if !slices.ContainsFunc(r.services, func(s name) bool { return !services.shows(s) }) {
				continue
			}
			for _, k := range []groupKey{{other, noName}, {other, r.severity}} {
				if note {
					byKey[k] = append(byKey[k], r)
				} else if _, ok := byKey[k]; !ok {
					byKey[k] = nil
				}
				if r.severity == noName {
					break
				}
			}
		}
	}
	all := b.groups[everything].rows
	collect(b.in(all, b.longest()), false)
	collect(b.in(all, w), true)
	var out []*Group
	for _, k := range slices.SortedFunc(maps.Keys(byKey), groupKey.compare) {
		i := slices.IndexFunc(b.others, func(o *otherGroup) bool { return o.window == w && o.key == k })
		if i < 0 {
			i = len(b.others)
			b.others = append(b.others, &otherGroup{window: w, key: k})
		}
		o := b.others[i]
		// Rows are never written to, so the same rows have the same figures.
		if o.g == nil || o.live && ticked || !slices.Equal(o.rows, byKey[k]) {
			o.rows = slices.Clone(byKey[k])
			o.g, o.live = b.plan.figures(k.grouping(), o.rows, b.tick.UnixNano())
		}
		out = append(out, o.g)
	}
	return out
}
