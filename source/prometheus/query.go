package prometheus

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"meantime/incident"
	"meantime/source/prometheus/history"
)

// question is an alert's name at a time. Alerts of one name that fired together share the answer.
type question struct {
	alertname string
	at        time.Time
}

// series is one ALERTS_FOR_STATE series at that time.
type series struct {
	labels map[string]string // without the metric's name
	since  time.Time         // its value
}

// states asks for all ALERTS_FOR_STATE series of an alert's name at a time.
func (s *Source) states(ctx context.Context, q question) ([]series, error) {
	var answer struct {
		Data struct {
			ResultType string `json:"resultType"`
			Result     []struct {
				Metric map[string]string `json:"metric"`
				Value  [2]any            `json:"value"`
			} `json:"result"`
		} `json:"data"`
	}
	query := url.Values{
		"query": {"ALERTS_FOR_STATE{alertname=" + quote(q.alertname) + "}"},
		"time":  {q.at.UTC().Format(time.RFC3339Nano)},
	}
	if err := s.client.Get(ctx, "/api/v1/query", query, &answer); err != nil {
		return nil, err
	}
	if answer.Data.ResultType != "vector" {
		return nil, fmt.Errorf("query ALERTS_FOR_STATE: answered %q where a vector belongs", incident.PlainText(answer.Data.ResultType, 40))
	}
	var out []series
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 315532800 && v <= 7258118400) { // the years 1980 to 2200; NaN is in no year
			continue
		}
		delete(r.Metric, "__name__")
		out = append(out, series{r.Metric, time.Unix(int64(v), 0).UTC()})
	}
	return out, nil
}

// quote writes a string literal of PromQL, which reads Go's.
func quote(s string) string { return strconv.Quote(s) }

// pick chooses the series of an alert: all of the series' labels are the alert's, and of several the one with the most.
// The alert has further ones, the external labels that Prometheus adds when it sends.
//
// Where no series fits like that, relabelling took labels away on the way to Alertmanager. Then those that agree with
// the alert in every label both have may tell, if they say the same to within a replica's skew.
func pick(all []series, labels map[string]string, startsAt time.Time) (time.Time, bool) {
	var exact *series
	var near []time.Time
	for i := range all {
		x := &all[i]
		since, ok := x.before(startsAt)
		if !ok {
			continue
		}
		switch missing, agree := compare(x.labels, labels); {
		case !agree:
		case missing == 0:
			if exact == nil || len(x.labels) > len(exact.labels) {
				exact = x
			}
		default:
			near = append(near, since)
		}
	}
	if exact != nil {
		return exact.before(startsAt)
	}
	if len(near) == 0 {
		return time.Time{}, false
	}
	first, last := near[0], near[0]
	for _, t := range near {
		if t.Before(first) {
			first = t
		}
		if t.After(last) {
			last = t
		}
	}
	return first, last.Sub(first) < incident.ReplicaSkew
}

// before is the time the series tells, which must not lie after the alert's start. The value is cut to the second: a
// start in that very second is the same evaluation, of a rule without `for`.
func (x *series) before(startsAt time.Time) (time.Time, bool) {
	if startsAt.Truncate(time.Second).Equal(x.since) {
		return startsAt, true
	}
	return x.since, x.since.Before(startsAt)
}

// compare counts the series' labels that the alert does not have, and says whether all others agree.
func compare(series, alert map[string]string) (missing int, agree bool) {
	for k, v := range series {
		switch has, ok := alert[k]; {
		case !ok:
			missing++
		case has != v:
			return 0, false
		}
	}
	return missing, true
}

// rules are the alerting rules as Prometheus told them last.
type rules struct {
	asked time.Time
	known history.Rules
}

// waits is the `for` of the rule that fired an episode's alert; false where no rule, or more than one that differ, could have.
func (s *Source) waits(ctx context.Context, e *incident.Episode, now time.Time) (time.Duration, bool, error) {
	if s.rules.known == nil || now.Sub(s.rules.asked) >= rulesFor {
		known, err := history.AskRules(ctx, s.client)
		if err != nil {
			return 0, false, err
		}
		s.rules = rules{now, known}
	}
	var wait time.Duration
	found := false
	for _, r := range s.rules.known.Of(e.Labels) {
		if found && r.For != wait {
			return 0, false, nil
		}
		wait, found = r.For, true
	}
	return wait, found, nil
}
