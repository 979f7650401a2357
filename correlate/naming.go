package correlate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"meantime/correlate/assign"
	"meantime/correlate/catalog"
	"meantime/incident"
)

// naming is what records say of the alerts of a day by name.
type naming struct {
	stating []stating
	prints  map[string][]assign.Statement
	keys    map[string][]assign.Statement // by group key
	urls    map[string][]assign.Statement
	ids     map[string][]assign.Statement // by the id or key of a record
}

// stating is what one record says exactly.
type stating struct {
	refs     *incident.References
	key      incident.RecordKey
	incident string
}

// naming collects what the records that name alerts of a day exactly say, whose incidents it adds to ids, and those of ids.
func (b *book) naming(day int64, ids map[string]bool) *naming {
	n := &naming{
		prints: map[string][]assign.Statement{}, keys: map[string][]assign.Statement{},
		urls: map[string][]assign.Statement{}, ids: map[string][]assign.Statement{},
	}
	for k := range b.states[day] {
		g := b.index.Of(k)
		if g == nil {
			continue
		}
		ids[g.ID()] = true
		n.stating = append(n.stating, stating{&b.records[k].refs, k, g.ID()})
	}
	for id := range ids {
		k := b.known[id]
		if k == nil {
			delete(ids, id)
			continue
		}
		p := b.parts[id]
		if k.Maintenance || p == nil || p.group == nil {
			continue
		}
		for _, m := range p.group.Members {
			x := b.records[m.Key]
			say := func(to map[string][]assign.Statement, what, how string) {
				to[what] = append(to[what], assign.Statement{Incident: id, How: how})
			}
			for _, f := range x.prints {
				say(n.prints, f, fmt.Sprintf("%s names the fingerprint %s", m.Key, f))
			}
			for _, f := range x.keys {
				say(n.keys, f, fmt.Sprintf("%s names the alert group %s", m.Key, f))
			}
			for _, u := range x.URLs {
				say(n.urls, u, fmt.Sprintf("%s names the alert's address %s", m.Key, u))
			}
			say(n.ids, m.Key.String(), fmt.Sprintf("the alert names %s", m.Key))
			say(n.ids, m.Key.ID, fmt.Sprintf("the alert names %s", m.Key))
		}
	}
	return n
}

// of fills in which incidents name an alert.
func (n *naming) of(x *assign.Alert, ep *incident.Episode) {
	for i := range n.stating {
		if how, ok := n.stating[i].refs.States(ep); ok {
			x.Stated = append(
				x.Stated,
				assign.Statement{Incident: n.stating[i].incident, How: fmt.Sprintf("%s states it %s", n.stating[i].key, how)},
			)
		}
	}
	named := slices.Clone(n.prints[ep.Fingerprint])
	for _, k := range ep.GroupKeys {
		named = append(named, n.keys[k]...)
	}
	if len(n.urls) > 0 {
		for _, u := range []string{
			ep.GeneratorURL, ep.Annotations["runbook_url"], ep.Annotations["dashboard_url"], ep.Annotations["dashboard"], ep.Annotations["runbook"],
		} {
			if u != "" {
				named = append(named, n.urls[u]...)
			}
		}
	}
	for _, l := range []string{"incident", "incident_id", "incident_key"} {
		for _, m := range []map[string]string{ep.Labels, ep.Annotations} {
			if v := m[l]; v != "" {
				named = append(named, n.ids[v]...)
			}
		}
	}
	x.Named = once(named)
	x.Stated = once(x.Stated)
}

// once sorts statements and keeps one for each incident.
func once(list []assign.Statement) []assign.Statement {
	slices.SortFunc(list, func(a, b assign.Statement) int {
		return strings.Compare(a.Incident+"\x00"+a.How, b.Incident+"\x00"+b.How)
	})
	return slices.CompactFunc(list, func(a, b assign.Statement) bool { return a.Incident == b.Incident })
}

const mostServices = 4 // that a silence may be of to count as a maintenance

// tellSilence takes in a silence; of two with one id the one updated later.
func (b *book) tellSilence(s incident.Silence) {
	if old, ok := b.silence[s.ID]; ok {
		b.touchAt(madeAt(&old))
	}
	b.silence[s.ID] = s
	made := madeAt(&s)
	b.touchAt(made)
	b.mutings.take(s.ID)
	k := &assign.Known{
		ID: "m" + s.ID, Maintenance: true, Onset: hours(s.StartsAt), End: hours(s.EndsAt), Ended: true, Last: hours(s.EndsAt),
		Windows: [][2]float64{{hours(s.StartsAt), hours(s.EndsAt)}},
	}
	for _, l := range covered(s.Matchers) {
		if v := b.catalog.ServiceOf(l); v != "" && !slices.Contains(k.Services, v) {
			k.Services = append(k.Services, v)
		}
		places := b.catalog.Places(l)
		for _, n := range sortedKeys(places) {
			if p := (assign.Place{Label: n, Value: places[n]}); !slices.Contains(k.Places, p) {
				k.Places = append(k.Places, p)
			}
		}
	}
	switch {
	case len(k.Services) == 0 || len(k.Services) > mostServices || k.To()-k.From() > 24*60:
		b.setKnown(k.ID, nil)
	case s.StartsAt.Sub(made) >= announced:
		b.setKnown(k.ID, k)
	default:
		b.mutings.put(s.ID, &muting{known: k, made: made.UnixNano()})
	}
}

// madeAt is when a silence was made.
func madeAt(s *incident.Silence) time.Time {
	if s.CreatedAt.IsZero() {
		return s.StartsAt
	}
	return s.CreatedAt
}

// touchAt marks the incidents that were going on at a time: a silence may tell that somebody knew.
func (b *book) touchAt(t time.Time) {
	for _, p := range b.parts {
		if p.id != "" && !p.from.After(t) && !p.to.Before(t) {
			b.touched[p] = true
		}
	}
}

// covered are the labels that matchers ask for, one set for each alternative of a simple regular expression.
func covered(ms []incident.SilenceMatcher) []map[string]string {
	out := []map[string]string{{}}
	for _, m := range ms {
		if !m.IsEqual {
			continue
		}
		values := []string{m.Value}
		if m.IsRegex {
			values = strings.Split(strings.Trim(m.Value, "()"), "|")
		}
		var next []map[string]string
		for _, l := range out {
			for _, v := range values {
				if m.IsRegex {
					v = strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(v, "$"), "^"), ".*"), "-")
				}
				if strings.ContainsAny(v, `*+?[](){}\`) && m.IsRegex {
					continue
				}
				c := map[string]string{m.Name: v}
				for k, o := range l {
					c[k] = o
				}
				next = append(next, c)
			}
		}
		if out = next; len(out) > 16 {
			return nil
		}
	}
	return out
}

// maintained says whether the configuration calls an alert maintenance.
func (b *book) maintained(ep *incident.Episode) bool {
	for i := range b.rules.Maintenance {
		m := &b.rules.Maintenance[i]
		if catalog.Matches(m.Matchers, ep.Labels) && m.Covers(ep.StartsAt) {
			return true
		}
	}
	return false
}
