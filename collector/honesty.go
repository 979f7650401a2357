package collector

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
)

// honesty is what Meantime says about its own knowledge.
type honesty struct {
	milestones, suggested, ended, watchdog, blind, otherServices, otherSeverities, otherNames *prometheus.Desc
}

func newHonesty() honesty {
	return honesty{
		milestones:      desc("milestones", "Known milestones of the incidents of the longest window and of all open ones, by where their time comes from.", "milestone", "origin"),
		suggested:       desc("suggested_links", "Alert episodes of the longest window that may belong to an incident and wait for a person's word."),
		ended:           desc("episodes_ended", "Alert episodes of the longest window that fire no more, by how that is known; of superseded, expired and vanished ones the end is not.", "how"),
		watchdog:        desc("watchdog_last_seen_timestamp_seconds", "When a watchdog was last heard of.", "watchdog"),
		blind:           desc("blind_seconds", "Time of the window in which a watchdog was silent: what happened then may have gone unseen.", "window"),
		otherServices:   desc("other_services", "Services over the limit, shown together as (other)."),
		otherSeverities: desc("other_severities", "Severities over the limit, shown together as (other)."),
		otherNames:      desc("other_alert_names", "Alert names over the limit, shown together as (other)."),
	}
}

func (h *honesty) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{h.milestones, h.suggested, h.ended, h.watchdog, h.blind, h.otherServices, h.otherSeverities, h.otherNames} {
		ch <- d
	}
}

func (h *honesty) metrics(s Snapshot) []prometheus.Metric {
	var out []prometheus.Metric
	for _, m := range incident.MilestoneNames {
		for _, o := range incident.Origins {
			out = append(out, gauge(h.milestones, float64(s.Figures.Milestones[m][o]), label("milestone", string(m)), label("origin", string(o))))
		}
	}
	for _, how := range incident.EndKinds {
		out = append(out, gauge(h.ended, float64(s.Figures.Ended[how]), label("how", string(how))))
	}
	out = append(out, gauge(h.suggested, float64(s.Figures.Suggested)),
		gauge(h.otherServices, float64(s.Figures.OtherServices)), gauge(h.otherSeverities, float64(s.Figures.OtherSeverities)), gauge(h.otherNames, float64(s.Figures.OtherNames)))
	for _, name := range slices.Sorted(maps.Keys(s.Watchdogs)) {
		if at := s.Watchdogs[name]; !at.IsZero() {
			out = append(out, gauge(h.watchdog, unix(at), label("watchdog", name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Blind)) {
		out = append(out, gauge(h.blind, s.Blind[name], label("window", name)))
	}
	return out
}
