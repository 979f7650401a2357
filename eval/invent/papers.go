package invent

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// paper is one line of records.jsonl: one version of one record.
type paper struct {
	At     string         `json:"at"`
	Source string         `json:"source"`
	Record map[string]any `json:"record"`

	at time.Time
}

var severityWords = [][]string{{"SEV1", "SEV2", "SEV3"}, {"P1", "P2", "P3"}, {"critical", "major", "minor"}, {"high", "medium", "low"}, {"critical", "warning", "info"}}

// papers is what people write.
func (w *World) papers() []paper {
	var out []paper
	number := 100
	for _, t := range w.troubles {
		if !t.recorded {
			continue
		}
		n := 1
		if w.chance(w.TwoRecords) {
			n = 2
		}
		first := map[string]any(nil)
		for i := range n {
			number++
			source := []string{"desk", "oncall", "reviews"}[(number+i)%3]
			if t.chain != "" {
				source = []string{"desk", "oncall"}[i]
			}
			id := map[string]string{"desk": fmt.Sprintf("D-%d", number), "oncall": fmt.Sprintf("%08X", hash(fmt.Sprint(w.Seed), fmt.Sprint(number))), "reviews": fmt.Sprintf("%s-%d", t.started.Format("2006-01-02"), number)}[source]
			t.records = append(t.records, id)
			r, versions := w.write(t, source, id)
			if first != nil && w.chance(w.CrossRef) {
				ref := r["references"].(map[string]any)
				if w.chance(0.5) {
					ref["urls"] = append(ref["urls"].([]string), first["url"].(string))
				} else {
					ref["keys"] = append(ref["keys"].([]string), first["id"].(string))
				}
			}
			first = r
			out = append(out, versions...)
		}
	}
	slices.SortStableFunc(out, func(a, b paper) int { return a.at.Compare(b.at) })
	return out
}

// write is one record in all its versions.
func (w *World) write(t *trouble, source, id string) (map[string]any, []paper) {
	minute := func(at time.Time) time.Time { return at.Add(30 * time.Second).Truncate(time.Minute) }
	m := map[string]time.Time{}
	if !w.chance(w.StartedMissing) {
		at := t.started.Add(w.between(0, 2*time.Minute))
		if w.chance(w.Round5) {
			at = at.Truncate(5 * time.Minute)
		}
		m["started"] = minute(at)
	}
	if !w.chance(w.DetectedMissing) {
		m["detected"] = minute(t.detected.Add(w.between(0, time.Minute)))
	}
	if w.chance(w.StartedIsDetected) {
		m["started"] = minute(t.detected)
		m["detected"] = m["started"]
	}
	if t.noticedLate {
		delete(m, "started")
		if m["detected"] = minute(t.came); w.chance(0.3) {
			m["started"] = m["detected"]
		}
	}
	if !w.chance(0.3) {
		m["acknowledged"] = minute(t.acknowledged)
	}
	if !w.chance(0.4) {
		m["identified"] = minute(t.identified)
	}
	if !w.chance(w.MitigatedMissing) {
		m["mitigated"] = minute(t.mitigated)
	}
	if !w.chance(w.ResolvedMissing) {
		at := t.resolved
		if w.chance(w.ResolvedHoursLate) {
			at = at.Add(w.between(time.Hour, 9*time.Hour))
		}
		m["resolved"] = minute(at)
	}
	if w.CreatedOnly > 0 && w.chance(w.CreatedOnly) {
		clear(m)
	}
	if w.chance(w.ZoneMistake) {
		off := time.Duration(1+w.rng.IntN(2)) * time.Hour
		for k := range m {
			m[k] = m[k].Add(off)
		}
	}
	named := t.root
	if len(t.order) > 1 && w.chance(w.WrongService) {
		named = pick(w, t.order[1:])
	}
	say := func(s *service) string {
		if w.chance(w.Alias) {
			return pick(w, s.aliases)
		}
		return s.name
	}
	services := []string{say(named)}
	for _, s := range t.order {
		if s != named && w.chance(0.3) {
			services = append(services, say(s))
		}
	}
	if w.chance(w.NoName) {
		services = []string{}
	}
	title := fmt.Sprintf(pick(w, []string{"%s fails", "Slow answers from %s", "%s: errors", "Users report trouble with %s", "%s not available", "Investigating %s"}), say(named))
	if t.like != nil {
		title = t.like.title
	}
	t.title = title
	if t.kind == "maintenance" {
		title = "Planned work on " + say(named)
	}
	words := pick(w, severityWords)
	refs := map[string]any{"fingerprints": []string{}, "group_keys": []string{}, "urls": []string{}, "keys": []string{}}
	if w.chance(w.References) {
		var mine []*episode
		for _, e := range w.episodes {
			if e.trouble == t && e.visible {
				mine = append(mine, e)
			}
		}
		if len(mine) > 0 {
			e := pick(w, mine)
			if w.chance(0.5) {
				refs["fingerprints"] = []string{e.fingerprint}
			} else {
				refs["urls"] = []string{"https://alerts.example.net/#/alerts/" + e.fingerprint}
			}
		}
	}
	knew := t.detected
	if t.noticedLate {
		knew = t.came
	}
	created := knew.Add(w.expo(12 * time.Minute))
	if w.chance(0.12) {
		created = created.Add(w.between(20*time.Hour, 70*time.Hour))
	}
	if w.Exact > 0 && w.chance(w.Exact) {
		for _, e := range w.episodes {
			if e.trouble == t && e.visible {
				refs["alerts"] = []map[string]string{{"fingerprint": e.fingerprint, "starts_at": stamp(e.seenStart)}}
				break
			}
		}
	}
	labels := map[string]string{}
	if len(t.regions) == 1 && w.chance(0.4) {
		labels[w.placeLabel()] = t.regions[0]
	}
	r := map[string]any{
		"id": id, "title": title, "url": "https://" + source + ".example.net/" + id, "services": services, "severity": words[w.rng.IntN(len(words))], "kind": t.kind,
		"detected_by": t.by, "labels": labels, "impacts": []any{}, "references": refs,
	}
	if w.chance(0.3) {
		r["detected_by"] = "unknown"
	}
	if w.CreatedOnly > 0 {
		r["created_at"] = stamp(created)
	}
	var out []paper
	version := func(at time.Time, upTo time.Time) {
		v := maps.Clone(r)
		ms := map[string]string{}
		for k, x := range m {
			if !x.After(upTo) {
				ms[k] = x.Format(time.RFC3339)
			}
		}
		v["milestones"] = ms
		out = append(out, paper{At: stamp(at), Source: source, Record: v, at: at})
	}
	version(created, created)
	if done := latestOf(created, t.resolved).Add(w.expo(20 * time.Minute)); done.Before(w.to) {
		version(done, done.Add(24*time.Hour))
	}
	return r, out
}
