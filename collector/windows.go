package collector

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"meantime/incident"
	"meantime/measure"
)

// windows are the figures over rolling windows.
type windows struct {
	incidents, measurements                             *prometheus.Desc
	median, medianLower, medianUpper                    *prometheus.Desc
	geometric, geometricLower, geometricUpper           *prometheus.Desc
	mean, p90, p95, max, survival                       *prometheus.Desc
	impact, recall, recallLower, recallUpper, lead      *prometheus.Desc
	recallN, objectiveN                                 *prometheus.Desc
	missed, late                                        *prometheus.Desc
	precision, precisionLower, precisionUpper, episodes *prometheus.Desc
	objectiveRatio, objectiveSeconds                    *prometheus.Desc
	between, betweenLower, betweenUpper                 *prometheus.Desc
	rate, rateLower, rateUpper                          *prometheus.Desc
	available, availableLower, availableUpper, budget   *prometheus.Desc
	objectives                                          []prometheus.Metric // they change with the config only
	affected                                            string              // the label that says what a group is of

	// Labels that all groups share.
	intervals map[string]*dto.LabelPair
	detectors map[incident.DetectedBy]*dto.LabelPair
	statuses  map[incident.Status]*dto.LabelPair
	outcomes  map[incident.Outcome]*dto.LabelPair
}

// newWindows are the metrics of figures by service, or by a label of incidents, whose metrics have names of their own: a
// query for the figures over everything must not find those of a team beside it.
func newWindows(o Options, byLabel string) windows {
	intervals, objectives := o.Intervals, o.Objectives
	affected, prefix := "affected_service", ""
	if byLabel != "" {
		affected, prefix, objectives = "affected_"+byLabel, "by_"+byLabel+"_", nil
	}
	by := func(more ...string) []string {
		return append([]string{"window", affected, "severity"}, more...)
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc { return desc(prefix+name, help, labels...) }
	w := windows{
		incidents:    desc("incidents", "Incidents that began in the window, by who detected them; drills, maintenance and cancelled ones included.", by("detected_by")...),
		measurements: desc("measurements", "Measurements of the incidents of the window by status; only recorded ones are in the statistics.", by("interval", "status")...),

		median:      desc("interval_median_seconds", "Median of the recorded measurements.", by("interval")...),
		medianLower: desc("interval_median_lower_seconds", "Lower end of the median's distribution-free 90 % interval, from 5 measurements.", by("interval")...),
		medianUpper: desc("interval_median_upper_seconds", "Upper end of the median's distribution-free 90 % interval, from 5 measurements.", by("interval")...),

		geometric:      desc("interval_geometric_mean_seconds", "Geometric mean of the recorded measurements, from 5 of them.", by("interval")...),
		geometricLower: desc("interval_geometric_mean_lower_seconds", "Lower end of the geometric mean's 90 % t-interval on the logarithms.", by("interval")...),
		geometricUpper: desc("interval_geometric_mean_upper_seconds", "Upper end of the geometric mean's 90 % t-interval on the logarithms.", by("interval")...),

		mean:     desc("interval_mean_seconds", "Mean of the recorded measurements: MTTD for detect, MTTA for acknowledge, MTTM for mitigate, MTTR for resolve.", by("interval")...),
		p90:      desc("interval_p90_seconds", "90th percentile of the recorded measurements, from 29 of them.", by("interval")...),
		p95:      desc("interval_p95_seconds", "95th percentile of the recorded measurements, from 59 of them.", by("interval")...),
		max:      desc("interval_max_seconds", "Longest of the recorded measurements.", by("interval")...),
		survival: desc("interval_survival_median_seconds", "Kaplan-Meier median, in which incidents still open count for as long as they have lasted.", by("interval")...),

		impact:      desc("impact_seconds", "Summed impact windows of the incidents.", by()...),
		recall:      desc("alert_recall_ratio", "Share of incidents that an alert caught first; those in a watchdog's blind window are not asked about.", by()...),
		recallLower: desc("alert_recall_ratio_lower", "Lower end of the 90 % Wilson interval of meantime_alert_recall_ratio.", by()...),
		recallUpper: desc("alert_recall_ratio_upper", "Upper end of the 90 % Wilson interval of meantime_alert_recall_ratio.", by()...),
		recallN:     desc("alert_recall_incidents", "Incidents that meantime_alert_recall_ratio is of.", by()...),
		missed:      desc("missed_detections", "Incidents of the window to which no alert belongs; those in a watchdog's blind window are not asked about.", by()...),
		late:        desc("late_alerts", "Incidents of the window of which an alert told only after a person knew; those in a watchdog's blind window are not asked about.", by()...),
		lead:        desc("alert_lead_median_seconds", "Median of first person aware minus first alert; negative where people were first.", by()...),

		precision:      desc("alert_precision_ratio", "Share of alert episodes that belonged to an incident.", by()...),
		precisionLower: desc("alert_precision_ratio_lower", "Lower end of the 90 % Wilson interval of meantime_alert_precision_ratio.", by()...),
		precisionUpper: desc("alert_precision_ratio_upper", "Upper end of the 90 % Wilson interval of meantime_alert_precision_ratio.", by()...),
		episodes:       desc("alert_episodes", "Alert episodes that began in the window by alert name and what became of them; rare names are under (other).", by("alertname", "outcome")...),

		between: desc("time_between_incidents_mean_seconds",
			"Mean time between incidents that count as down (MTBF): watched time without known impact over their number.", by()...),
		betweenLower: desc("time_between_incidents_lower_seconds",
			"Lower end of the exact 90 % interval of the mean time between incidents; alone where there was none.", by()...),
		betweenUpper: desc("time_between_incidents_upper_seconds",
			"Upper end of the exact 90 % interval of the mean time between incidents.", by()...),

		rate:      desc("incident_rate_per_day", "Incidents that count as down for each watched day without known impact.", by()...),
		rateLower: desc("incident_rate_per_day_lower", "Lower end of the exact 90 % interval of meantime_incident_rate_per_day.", by()...),
		rateUpper: desc("incident_rate_per_day_upper", "Upper end of the exact 90 % interval of meantime_incident_rate_per_day.", by()...),

		available: desc("availability_ratio", "Share of what was watched of the window without known impact of an incident that counts as down.", by()...),
		availableLower: desc("availability_ratio_lower",
			"The least that meantime_availability_ratio can be, whenever impact of which nobody told an end or a start was.", by()...),
		availableUpper: desc("availability_ratio_upper", "The most that meantime_availability_ratio can be.", by()...),
		budget:         desc("error_budget_used_ratio", "Known impact, the least that there was, over what the configured availability objective allows.", by()...),

		objectiveRatio:   desc("objective_ratio", "Share of recorded measurements inside the objective for their incident's severity.", by("interval")...),
		objectiveN:       desc("objective_measurements", "Recorded measurements that meantime_objective_ratio is of.", by("interval")...),
		objectiveSeconds: desc("objective_seconds", "The objective: how soon the interval should be over; an empty severity is every one without its own.", "interval", "severity"),
	}
	w.affected = affected
	w.intervals = map[string]*dto.LabelPair{}
	for _, iv := range intervals {
		w.intervals[iv.Name] = label("interval", iv.Name)
	}
	w.detectors = shared("detected_by", incident.Detectors)
	w.statuses = shared("status", incident.Statuses)
	w.outcomes = shared("outcome", incident.Outcomes)
	for _, o := range objectives {
		w.objectives = append(w.objectives, gauge(w.objectiveSeconds, o.Within.Seconds(), label("interval", o.Interval), label("severity", o.Severity)))
	}
	return w
}

// of are the labels of a group in a window.
func (w *windows) of(window string, g measure.Grouping) []*dto.LabelPair {
	value := g.Service
	if g.Label != "" {
		value = g.Value
	}
	return []*dto.LabelPair{label("window", window), label(w.affected, value), label("severity", g.Severity)}
}

// interval is the label of an interval, a shared one for those of the options.
func (w *windows) interval(name string) *dto.LabelPair {
	if l := w.intervals[name]; l != nil {
		return l
	}
	return label("interval", name)
}

func shared[T ~string](name string, values []T) map[T]*dto.LabelPair {
	m := make(map[T]*dto.LabelPair, len(values))
	for _, v := range values {
		m[v] = label(name, string(v))
	}
	return m
}

func (w *windows) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		w.incidents, w.measurements, w.median, w.medianLower, w.medianUpper, w.geometric, w.geometricLower, w.geometricUpper,
		w.mean, w.p90, w.p95, w.max, w.survival, w.impact, w.recall, w.recallLower, w.recallUpper, w.recallN, w.missed, w.late, w.lead,
		w.precision, w.precisionLower, w.precisionUpper, w.episodes, w.objectiveRatio, w.objectiveN, w.objectiveSeconds,
		w.between, w.betweenLower, w.betweenUpper, w.rate, w.rateLower, w.rateUpper, w.available, w.availableLower, w.availableUpper, w.budget,
	} {
		ch <- d
	}
}

// group are the metrics of a group's incidents. Counts that are 0 are shown for the figures over everything; of the
// others only the numbers of incidents and of recorded measurements are, which say why a statistic is not there.
func (w *windows) group(window string, g *measure.Group) []prometheus.Metric {
	var out []prometheus.Metric
	of := w.of(window, g.Grouping)
	add := func(d *prometheus.Desc, v float64, more ...*dto.LabelPair) {
		out = append(out, gauge(d, v, slices.Concat(of, more)...))
	}
	maybe := func(d *prometheus.Desc, v *float64, more ...*dto.LabelPair) {
		if v != nil {
			add(d, *v, more...)
		}
	}
	everything := g.Everything()
	for _, by := range incident.Detectors {
		add(w.incidents, float64(g.DetectedBy[by]), w.detectors[by])
	}
	if g.Incidents == 0 && !everything {
		return out
	}
	for i := range g.Intervals {
		iv := &g.Intervals[i]
		name := w.interval(iv.Interval)
		for _, s := range incident.Statuses {
			if n := iv.Status[s]; n > 0 || everything || s == incident.StatusRecorded {
				add(w.measurements, float64(n), name, w.statuses[s])
			}
		}
		for _, e := range []struct {
			*measure.Estimate
			value, lower, upper *prometheus.Desc
		}{{iv.Median, w.median, w.medianLower, w.medianUpper}, {iv.GeometricMean, w.geometric, w.geometricLower, w.geometricUpper}} {
			if e.Estimate == nil {
				continue
			}
			add(e.value, e.Value, name)
			if e.Bounds != nil {
				add(e.lower, e.Bounds.Lower, name)
				add(e.upper, e.Bounds.Upper, name)
			}
		}
		maybe(w.mean, iv.Mean, name)
		maybe(w.p90, iv.P90, name)
		maybe(w.p95, iv.P95, name)
		maybe(w.max, iv.Max, name)
		maybe(w.survival, iv.Survival, name)
	}
	maybe(w.impact, g.Impact)
	if r := g.Recall; r != nil {
		add(w.recall, r.Value)
		add(w.recallLower, r.Bounds.Lower)
		add(w.recallUpper, r.Bounds.Upper)
		add(w.recallN, float64(r.N))
		add(w.missed, float64(g.Missed))
		add(w.late, float64(g.Late))
	}
	maybe(w.lead, g.Lead)
	for _, o := range g.Objectives {
		add(w.objectiveRatio, o.Value, w.interval(o.Interval))
		add(w.objectiveN, float64(o.N), w.interval(o.Interval))
	}
	return out
}

// reliability are the metrics of how often and how long a group was down.
func (w *windows) reliability(window string, r *measure.Reliability) []prometheus.Metric {
	var out []prometheus.Metric
	of := w.of(window, r.Grouping)
	maybe := func(d *prometheus.Desc, v *float64) {
		if v != nil {
			out = append(out, gauge(d, *v, of...))
		}
	}
	if b := r.Between; b != nil {
		maybe(w.between, b.Mean)
		maybe(w.betweenLower, b.Lower)
		maybe(w.betweenUpper, b.Upper)
	}
	if x := r.Rate; x != nil {
		maybe(w.rate, &x.PerDay)
		maybe(w.rateLower, &x.Lower)
		maybe(w.rateUpper, &x.Upper)
	}
	maybe(w.available, &r.Availability.Value)
	maybe(w.availableLower, &r.Availability.Bounds.Lower)
	maybe(w.availableUpper, &r.Availability.Bounds.Upper)
	maybe(w.budget, r.BudgetUsed)
	return out
}

// alerts are the metrics of a group's episodes.
func (w *windows) alerts(window string, g *measure.AlertGroup) []prometheus.Metric {
	of := w.of(window, g.Grouping)
	out := []prometheus.Metric{
		gauge(w.precision, g.Precision.Value, of...),
		gauge(w.precisionLower, g.Precision.Bounds.Lower, of...),
		gauge(w.precisionUpper, g.Precision.Bounds.Upper, of...),
	}
	for _, e := range g.Episodes {
		out = append(out, gauge(w.episodes, float64(e.N), append(of, label("alertname", e.Name), w.outcomes[e.Outcome])...))
	}
	return out
}
