package invent

import (
	"fmt"
	"slices"
	"time"
)

// settle gives everything its id, joins firings of one alert that overlap, and says which episodes may also be taken for
// another incident's.
func (w *World) settle() {
	slices.SortStableFunc(w.troubles, func(a, b *trouble) int { return a.started.Compare(b.started) })
	for i, t := range w.troubles {
		t.id = fmt.Sprintf("I%03d", i+1)
	}
	open := map[string]*episode{}
	var kept []*episode
	for _, e := range w.episodes {
		if e.start.Before(w.from) || !e.start.Before(w.to) {
			continue
		}
		o := open[e.fingerprint]
		if o != nil && e.start.Before(o.end.Add(2*time.Minute)) { // it fires already
			o.end = latestOf(o.end, e.end)
			if o.trouble != e.trouble {
				if o.trouble == nil {
					o.also = append(o.also, e.trouble.id)
				} else if e.trouble != nil {
					o.also = append(o.also, e.trouble.id)
				} else {
					o.also = append(o.also, "")
				}
			}
			continue
		}
		open[e.fingerprint] = e
		kept = append(kept, e)
	}
	w.episodes = kept
	for _, e := range kept {
		for _, t := range w.troubles {
			delay, hit := t.hit[e.service]
			if t == e.trouble || !hit || t.unseen || (t.kind == "maintenance" && !t.recorded) ||
				!slices.Contains(t.regions, e.labels[w.placeLabel()]) {
				continue
			}
			for _, win := range t.windows {
				if e.start.After(win.from.Add(delay)) && e.start.Before(win.to.Add(e.rule.wait)) {
					e.also = append(e.also, t.id) // nobody could tell which it belongs to
				}
			}
		}
		slices.Sort(e.also)
		e.also = slices.Compact(e.also)
	}
	for i, e := range w.episodes {
		e.id = fmt.Sprintf("E%05d", i)
	}
}

// truth is what the scorer reads.
func (w *World) truth() map[string]any {
	zero := func(t time.Time) any {
		if t.IsZero() {
			return nil
		}
		return stamp(t)
	}
	episodes := []any{}
	for _, e := range w.episodes {
		var inc any
		if e.trouble != nil {
			inc = e.trouble.id
		}
		also := []any{}
		for _, a := range e.also {
			if a == "" {
				also = append(also, nil)
			} else {
				also = append(also, a)
			}
		}
		episodes = append(episodes, map[string]any{
			"id": e.id, "fingerprint": e.fingerprint, "labels": e.labels, "service": e.service.name, "condition_start": stamp(e.condition), "start": stamp(e.start), "end": zero(e.end),
			"incident": inc, "also": also, "why": e.why, "visible": e.visible, "observed_start": zero(e.seenStart), "observed_end": zero(e.seenEnd), "first_notified": zero(e.notified),
		})
	}
	episodes = append(episodes, map[string]any{
		"id": "E-heartbeat", "fingerprint": heartbeat, "labels": map[string]string{"alertname": "Heartbeat", "severity": "none"}, "service": nil, "condition_start": stamp(w.from.AddDate(0, 0, -3)),
		"start": stamp(w.from.AddDate(0, 0, -3)), "end": nil, "incident": nil, "also": []any{}, "why": "watchdog", "visible": true, "observed_start": stamp(w.from.AddDate(0, 0, -3)), "observed_end": nil, "first_notified": stamp(w.from),
	})
	incidents, merged := []any{}, [][]string{}
	for _, t := range w.troubles {
		if t.kind == "maintenance" && !t.recorded {
			continue
		}
		var services []string
		for _, s := range t.order {
			services = append(services, s.name)
		}
		impacts := []any{}
		for _, win := range t.windows {
			impacts = append(impacts, map[string]any{"from": stamp(win.from), "to": stamp(win.to)})
		}
		visible := slices.ContainsFunc(w.episodes, func(e *episode) bool { return e.trouble == t && e.visible })
		records := t.records
		if records == nil {
			records = []string{}
		}
		incidents = append(incidents, map[string]any{
			"id": t.id, "kind": t.kind, "root": t.root.name, "services": services, "regions": t.regions, "impacts": impacts, "detected_by": t.by, "missed": !visible, "late_alert": t.late, "records": records,
			"noticed_late": t.noticedLate, "chain": t.chain, "long": t.long,
			"milestones": map[string]any{"started": stamp(t.started), "detected": stamp(t.detected), "acknowledged": stamp(t.acknowledged), "identified": stamp(t.identified), "mitigated": stamp(t.mitigated), "resolved": stamp(t.resolved)},
		})
		if len(t.records) > 1 {
			merged = append(merged, t.records)
		}
	}
	return map[string]any{"generator": w.Parameters, "window": map[string]any{"from": stamp(w.from), "to": stamp(w.to)}, "episodes": episodes, "incidents": incidents, "merged_records": merged}
}
