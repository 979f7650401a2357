package invent

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"
)

// note is one line of notifications.jsonl.
type note struct {
	At   string         `json:"at"`
	Body map[string]any `json:"body"`

	at time.Time
}

const (
	groupWait      = 20 * time.Second
	groupInterval  = 3 * time.Minute
	repeatInterval = 3 * time.Hour
	heartbeat      = "00000000c0ffee00" // the fingerprint of the alert that always fires
)

// notifications plays every group of alerts through its timers: the first flush group_wait after its first alert, then
// every group_interval while anything is in it. A flush is sent where an alert is new or newly resolved, or where
// repeat_interval has passed. An alert that ends and comes back between two flushes is never sent as resolved.
func (w *World) notifications() []note {
	groups := map[string][]*episode{}
	by := map[string][]string{}
	for _, s := range w.services {
		if by[s.team] == nil {
			by[s.team] = pick(w, [][]string{{"alertname"}, {"region"}, {"alertname", "region"}, {"region", "severity"}, {"alertname", "service"}})
		}
	}
	for _, e := range w.episodes {
		groups[groupKey(e, by[e.service.team])] = append(groups[groupKey(e, by[e.service.team])], e)
	}
	var out []note
	keys := make([]string, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		out = append(out, w.group(k, groups[k])...)
	}
	for at := w.from.Add(time.Minute); at.Before(w.to); at = at.Add(15 * time.Minute) {
		out = append(out, w.note(`{}/{alertname="Heartbeat"}:{}`, 0, at, []any{map[string]any{
			"status": "firing", "labels": map[string]string{"alertname": "Heartbeat", "severity": "none"}, "annotations": map[string]string{},
			"startsAt": stamp(w.from.AddDate(0, 0, -3)), "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": heartbeat,
		}}))
	}
	slices.SortStableFunc(out, func(a, b note) int { return a.at.Compare(b.at) })
	return out
}

func groupKey(e *episode, by []string) string {
	var parts []string
	for _, n := range by {
		if v := e.labels[n]; v != "" {
			parts = append(parts, fmt.Sprintf("%s=%q", n, v))
		}
	}
	return fmt.Sprintf("{}/{team=%q}:{%s}", e.service.team, strings.Join(parts, ", "))
}

// group plays one group.
func (w *World) group(key string, episodes []*episode) []note {
	var out []note
	type state struct {
		e        *episode
		resolved bool
	}
	told := map[string]state{}
	var sent time.Time
	i := 0
	for i < len(episodes) {
		flush := episodes[i].start.Add(groupWait)
		clear(told)
		sent = time.Time{}
		for {
			mute := false // something fires on that is silenced
			// what Alertmanager holds now: for each alert its newest firing that has begun
			held := map[string]*episode{}
			for j := range episodes {
				if e := episodes[j]; !e.start.After(flush) && (e.end.After(flush) || flush.Sub(e.end) < 5*time.Minute) {
					if w.muted(e, flush) {
						mute = mute || e.end.After(flush)
						continue
					}
					held[e.fingerprint] = e
				}
			}
			for i < len(episodes) && !episodes[i].start.After(flush) {
				i++
			}
			var prints []string
			for f := range held {
				prints = append(prints, f)
			}
			sort.Strings(prints)
			news, firing := false, false
			var send []*episode
			for _, f := range prints {
				e := held[f]
				over := !e.end.After(flush)
				t, known := told[f]
				switch {
				case !known && over, known && over && t.resolved: // came and went unseen, or is told already
					continue
				case !known, t.e != e && !over, over && !t.resolved:
					news = news || !known || over || (t.resolved && t.e != e) // a refire while told as firing is no news
				}
				firing = firing || !over
				send = append(send, e)
			}
			if len(send) > 0 && (news || (firing && flush.Sub(sent) >= repeatInterval)) && flush.Before(w.to) {
				sent = flush
				for _, e := range send {
					told[e.fingerprint] = state{e, !e.end.After(flush)}
				}
				out = append(out, w.deliver(key, flush, send)...)
			}
			if !firing && !mute && len(send) == 0 {
				break
			}
			flush = flush.Add(groupInterval)
			if flush.After(w.to.Add(groupInterval)) {
				return out
			}
		}
	}
	return out
}

// deliver sends one flush through one or both Alertmanagers, late or in pieces, and remembers what could be seen.
func (w *World) deliver(key string, flush time.Time, send []*episode) []note {
	var alerts []any
	at := flush.Add(w.between(10*time.Millisecond, 2*time.Second))
	if w.chance(w.Late) {
		at = at.Add(w.expo(90 * time.Second))
	}
	second := w.chance(0.5)
	for _, e := range send {
		over := !e.end.After(flush)
		if over && w.chance(w.LostResolve) {
			continue
		}
		start := e.start
		if e.replica > 0 && second && !over {
			start = start.Add(e.replica)
		}
		a := map[string]any{
			"status": "firing", "labels": e.labels, "annotations": map[string]string{"summary": e.rule.name + " on " + e.service.said}, "startsAt": stamp(start), "endsAt": "0001-01-01T00:00:00Z",
			"generatorURL": "https://prometheus.example.net/graph?g0.expr=" + e.rule.name, "fingerprint": e.fingerprint,
		}
		if over {
			a["status"], a["endsAt"], a["startsAt"] = "resolved", stamp(e.end), stamp(e.start)
			start = e.start
			if e.seenEnd.IsZero() {
				e.seenEnd = e.end
			}
		}
		if !e.visible || start.Before(e.seenStart) {
			e.seenStart = start
		}
		if !e.visible || at.Before(e.notified) {
			e.notified = at
		}
		e.visible = true
		alerts = append(alerts, a)
	}
	if len(alerts) == 0 {
		return nil
	}
	out := []note{w.note(key, 0, at, alerts)}
	if w.chance(w.Pair) {
		out = append(out, w.note(key, 1, at.Add(w.between(5*time.Second, 20*time.Second)), alerts))
	}
	for i, e := range send {
		if i < len(alerts) && !e.seenEnd.IsZero() && w.chance(w.Stale/4) {
			a := map[string]any{
				"status": "firing", "labels": e.labels, "annotations": map[string]string{}, "startsAt": stamp(e.start), "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": e.fingerprint,
			}
			out = append(out, w.note(key, 1, at.Add(w.between(10*time.Second, time.Minute)), []any{a}))
			e.seenStart = e.start
		}
	}
	return out
}

func (w *World) note(key string, am int, at time.Time, alerts []any) note {
	return note{At: stamp(at), at: at, Body: map[string]any{
		"version": "4", "groupKey": key, "truncatedAlerts": 0, "status": "firing", "receiver": "meantime", "groupLabels": map[string]string{}, "commonLabels": map[string]string{},
		"commonAnnotations": map[string]string{}, "externalURL": fmt.Sprintf("https://alertmanager-%d.example.net", am), "alerts": alerts,
	}}
}
