package main

import (
	"fmt"
	"slices"
	"time"
)

// Alertmanager's timers.
const (
	groupWait      = 30 * time.Second
	repeatInterval = 4 * time.Hour
)

// firing is one firing of one alert.
type firing struct {
	rule            rule
	service, region string
	pod             string
	condition, end  time.Time     // it fires the rule's wait later; end is zero while it fires
	wait            time.Duration // from firing to its first notification
}

func (f *firing) fired() time.Time    { return f.condition.Add(f.rule.wait) }
func (f *firing) notified() time.Time { return f.fired().Add(f.wait) }

func (f *firing) labels() map[string]string {
	l := map[string]string{"alertname": f.rule.name, "service": f.service, "severity": f.rule.severity, "region": f.region}
	if f.pod != "" {
		l["pod"] = f.pod
	}
	return l
}

// fire makes up a firing.
func (y *year) fire(r rule, service, region string, condition time.Time) *firing {
	return &firing{rule: r, service: service, region: region, condition: condition, wait: groupWait + y.within(4*time.Second)}
}

// alertsOf makes up the alerts that see an incident, which ends about when it is given.
func (y *year) alertsOf(t *trouble, end time.Time) {
	better := y.month(t.started, 5) // alerts on symptoms, and probes
	unseen := t.cause.unseen
	if !better {
		unseen = min(0.9, unseen*2+0.15)
	}
	if y.chance(unseen) || t.severity == "info" && y.chance(0.3) {
		return
	}
	main := errorsRule
	switch {
	case t.cause.asSlow && slices.Contains([]string{"notifications", "shipping", "inventory"}, t.service):
		main = backlogRule
	case t.cause.asSlow:
		main = latencyRule
	case better && slices.Contains([]string{"storefront", "checkout"}, t.service) && y.chance(0.6):
		main = probeRule
	}
	lag := time.Minute
	if !better {
		lag = 9 * time.Minute // thresholds too high
	}
	add := func(r rule, service string, after time.Duration) {
		if f := y.fire(r, service, t.region, t.started.Add(after)); f.fired().Before(end) {
			t.alerts = append(t.alerts, f)
		}
	}
	add(main, t.service, y.within(lag))
	if y.chance(0.35) {
		add(databases, t.service, y.within(5*time.Minute))
	}
	for _, s := range t.also {
		if y.chance(0.7) {
			add(latencyRule, s, y.within(6*time.Minute))
		}
	}
}

// noise makes up the alerts that belong to no incident.
func (y *year) noise() {
	y.each(func(day time.Time) {
		disk := 1.6
		if y.month(day, 9) {
			disk = 0.1 // it was mended
		}
		for _, x := range []struct {
			rule  rule
			often float64 // a day
			lasts time.Duration
		}{{diskRule, disk, 3 * time.Hour}, {crashes, 1.1, 25 * time.Minute}, {latencyRule, 0.5, 8 * time.Minute}, {databases, 0.35, 12 * time.Minute}, {backupRule, 0.06, 9 * time.Hour}, {certificate, 0.03, 30 * time.Hour}} {
			for range y.events(x.often) {
				f := y.fire(x.rule, choose(y, services).name, choose(y, []string{"eu", "us"}), y.moment(day, false))
				if f.rule.name == crashes.name {
					f.pod = fmt.Sprintf("%s-%05x-%d", f.service, y.rng.IntN(1<<20), y.rng.IntN(3))
				}
				f.end = f.fired().Add(y.about(x.lasts, 0.6))
				if f.fired().After(y.from) && f.fired().Before(y.end) && !y.fires(f) {
					y.notify(f)
				}
			}
		}
	})
}

// fires says whether an incident has the same alert about that time, which would make both one.
func (y *year) fires(f *firing) bool {
	const apart = 15 * time.Minute
	return slices.ContainsFunc(y.troubles, func(t *trouble) bool {
		return slices.ContainsFunc(t.alerts, func(o *firing) bool {
			return o.rule == f.rule && o.service == f.service && o.region == f.region && o.fired().Before(f.end.Add(apart)) && (o.end.IsZero() || o.end.Add(apart).After(f.fired()))
		})
	})
}

// notify sends the notifications of a firing: the first, a repetition every few hours, and that it is over.
func (y *year) notify(f *firing) {
	y.send(f, f.notified(), false)
	end := f.end
	if end.IsZero() {
		end = y.end
	}
	for at := f.notified().Add(repeatInterval); at.Before(end); at = at.Add(repeatInterval) {
		y.send(f, at, false)
	}
	if !f.end.IsZero() {
		y.send(f, latest(f.end, f.notified()).Add(y.within(time.Minute)), true)
	}
}

func (y *year) send(f *firing, at time.Time, over bool) {
	status, end := "firing", time.Time{}
	if over {
		status, end = "resolved", latest(f.end, f.fired())
	}
	y.lines = append(y.lines, line{At: at, Body: message(f.labels(), f.rule.summary, status, f.fired(), end)})
}

// message is a notification of one alert, as Alertmanager sends it.
func message(labels map[string]string, summary, status string, start, end time.Time) map[string]any {
	group := map[string]string{"alertname": labels["alertname"], "service": labels["service"]}
	return map[string]any{
		"version": "4", "groupKey": fmt.Sprintf("{}:{alertname=%q, service=%q}", group["alertname"], group["service"]), "truncatedAlerts": 0,
		"status": status, "receiver": "meantime", "groupLabels": group, "commonLabels": labels, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager.example.org:9093",
		"alerts": []any{map[string]any{
			"status": status, "labels": labels, "annotations": map[string]string{"summary": summary}, "startsAt": start, "endsAt": end,
			"generatorURL": "http://prometheus.example.org:9090/graph", "fingerprint": fingerprint(labels),
		}},
	}
}

// watchdog makes up the alert that always fires. Twice it was not heard of for hours.
func (y *year) watchdog() {
	labels := map[string]string{"alertname": "Watchdog", "severity": "none"}
	silences := []struct{ from, to time.Time }{
		{y.end.AddDate(0, 0, -271).Add(5 * time.Hour), y.end.AddDate(0, 0, -271).Add(19 * time.Hour)},
		{y.end.AddDate(0, 0, -47).Add(2 * time.Hour), y.end.AddDate(0, 0, -47).Add(11 * time.Hour)},
	}
	for at := y.from; !at.After(y.end); at = at.Add(2 * time.Hour) {
		if at.After(silences[0].from) && at.Before(silences[0].to) || at.After(silences[1].from) && at.Before(silences[1].to) {
			continue
		}
		y.lines = append(y.lines, line{At: at, Body: message(labels, "alerting works", "firing", y.from, time.Time{})})
	}
}
