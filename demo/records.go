package main

import (
	"fmt"
	"strings"
	"time"
)

// word is what the shop calls a severity.
var word = map[string]string{"critical": "SEV-1", "warning": "SEV-2", "info": "SEV-3"}

// record is what people write of an incident while it goes on and after: not always everything, and rounded to the minute.
func (y *year) record(t *trouble) {
	if t.unseen {
		return
	}
	m := map[string]any{}
	forgotten := func(p float64) bool { return t.kind == "incident" && y.chance(p) }
	set := func(name string, at time.Time, evidence string) {
		if !at.IsZero() && !at.After(y.end) {
			m[name] = map[string]any{"at": at.Truncate(time.Minute), "evidence": evidence}
		}
	}
	switch {
	case forgotten(0.1):
	case forgotten(0.07):
		set("started", t.detected, "") // a form that wanted something
	default:
		set("started", t.started, fill(t.cause.trigger, t.service))
	}
	set("detected", t.detected, map[string]string{
		"alert": "paged by an alert", "customer": "the first ticket at the help desk", "staff": "a colleague saw it", "third_party": "a partner called",
	}[t.by])
	if !forgotten(0.1) {
		set("acknowledged", t.acknowledged, "")
	}
	if !forgotten(0.25) {
		set("identified", t.identified, t.cause.found)
	}
	if !forgotten(0.2) {
		set("mitigated", t.mitigated, t.cause.mended)
	}
	first := map[string]any{}
	for _, name := range []string{"started", "detected"} {
		if x, ok := m[name]; ok {
			first[name] = x
		}
	}
	state, done := "resolved", t.resolved
	switch {
	case t.kind == "cancelled":
		state, done = "cancelled", t.acknowledged.Add(time.Hour)
	case t.resolved.IsZero():
		state, done = "", t.acknowledged.Add(time.Minute)
		if len(t.alerts) > 0 {
			state = "open"
		}
	case !forgotten(0.05):
		set("resolved", t.resolved, "")
	}
	kind := t.kind
	if kind == "cancelled" {
		kind = "incident"
	}
	var fingerprints []string
	if len(t.alerts) > 0 && y.chance(0.3) {
		fingerprints = append(fingerprints, fingerprint(t.alerts[0].labels()))
	}
	var documents []string
	if t.document != "" {
		documents = append(documents, "postmortems/"+t.document)
	}
	version := func(at time.Time, state string, milestones map[string]any, impacts []any) {
		r := map[string]any{
			"id": t.id, "title": t.title, "url": "https://incidents.example.org/" + t.id, "services": append([]string{t.service}, t.also...),
			"severity": word[t.severity], "kind": kind, "detected_by": t.by, "milestones": milestones, "impacts": impacts,
			"references": map[string]any{"fingerprints": fingerprints, "keys": documents},
		}
		if state != "" {
			r["state"] = state
		}
		if t.region != "" {
			r["labels"] = map[string]string{"region": t.region}
		}
		y.lines = append(y.lines, line{At: at, Source: "incidents", Record: r})
	}
	if at := t.detected.Add(6 * time.Minute); !t.detected.IsZero() && at.Before(done) {
		version(at, "open", first, nil)
	}
	// It is written when all that it tells of has come, the cause too, which is found after the end now and then.
	version(latest(done, t.started, t.identified).Add(y.within(20*time.Minute)+time.Minute), state, m, y.impacts(t, m))
}

// impacts are the stretches of time in which users suffered, where the record says from when to when.
func (y *year) impacts(t *trouble, m map[string]any) []any {
	if m["started"] == nil || m["mitigated"] == nil || t.kind != "incident" {
		return nil
	}
	out := []any{map[string]any{"from": t.started.Truncate(time.Minute), "to": t.mitigated.Truncate(time.Minute).Add(time.Minute)}}
	if !t.back[0].IsZero() {
		out = append(out, map[string]any{"from": t.back[0].Truncate(time.Minute), "to": t.back[1].Truncate(time.Minute).Add(time.Minute), "evidence": "it came back"})
	}
	return out
}

// document names the postmortems that were written of some of the grave incidents.
func (y *year) document() {
	n := 0
	for _, t := range y.troubles {
		sameDay := t.started.Truncate(24 * time.Hour).Equal(t.resolved.Truncate(24 * time.Hour))
		if t.kind != "incident" || t.severity != "critical" || t.unseen || !sameDay || t.resolved.After(y.end) || !t.back[0].IsZero() {
			continue
		}
		if n++; n%3 == 0 {
			t.document = t.started.Format("2006-01-02") + "-" + t.service
		}
	}
}

// postmortems are the documents, by name.
func (y *year) postmortems() map[string]string {
	out := map[string]string{}
	for _, t := range y.troubles {
		if t.document != "" {
			out[t.document] = postmortem(t)
		}
	}
	return out
}

// postmortem is the document of one incident.
func postmortem(t *trouble) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n", t.title)
	fmt.Fprintf(&b, "- Date: %s\n- Severity: %s\n- Affected services: %s\n- Ticket: %s\n\n", t.started.Format("2 January 2006"), word[t.severity], strings.Join(append([]string{t.service}, t.also...), ", "), t.id)
	fmt.Fprintf(&b, "## Root cause\n\n%s.\n\n", strings.ToUpper(t.cause.found[:1])+t.cause.found[1:])
	fmt.Fprintf(&b, "## Timeline (UTC)\n\n")
	entry := func(at time.Time, text string) { fmt.Fprintf(&b, "- %s %s\n", at.Format("15:04"), text) }
	entry(t.started, fill(t.cause.trigger, t.service)+", requests begin to fail")
	switch t.by {
	case "alert":
		entry(t.detected, "the alert "+t.alerts[0].rule.name+" fires and pages the engineer on call")
	case "customer":
		entry(t.detected, "the first customer reports it to support")
	case "staff":
		entry(t.detected, "a colleague notices it and asks in the channel")
	default:
		entry(t.detected, "a partner calls and reports it")
	}
	entry(t.acknowledged, "the engineer on call starts to investigate")
	if t.identified.Before(t.mitigated) {
		entry(t.identified, "the cause is found: "+t.cause.found)
	}
	entry(t.mitigated, "mitigated: "+t.cause.mended)
	if !t.identified.Before(t.mitigated) && t.identified.Before(t.resolved) {
		entry(t.identified, "the cause is found: "+t.cause.found)
	}
	entry(t.resolved, "the incident is resolved and closed")
	fmt.Fprintf(&b, "\n## Actions\n\n- [ ] An alert that would have told sooner\n- [x] A runbook for %s\n", t.service)
	return b.String()
}

// fill puts the service into a text that has a place for it.
func fill(text, service string) string {
	if strings.Contains(text, "%s") {
		return fmt.Sprintf(text, service)
	}
	return text
}
