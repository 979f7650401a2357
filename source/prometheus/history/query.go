package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"meantime/incident"
)

// The series that are read.
const (
	firingSeries = "ALERTS"
	firingOnly   = `alertstate="firing"`
	stateSeries  = "ALERTS_FOR_STATE"
)

const (
	maxPoints   = 11_000 // that Prometheus answers of one series
	maxNames    = 3_000  // bytes of names in one query, which is part of an address
	shortest    = minute // no reading is made shorter than that
	longestRest = 5 * time.Second
)

// asker asks a server, one question at a time, and rests for as long after each answer as it took: at most half of what the
// server can do for one client goes to this one.
type asker struct {
	client  Client
	metrics *Metrics
	name    string
	rest    time.Duration // owed before the next question
	pause   func(ctx context.Context, d time.Duration) error
	timeout time.Duration // of one question, as the server is told it; 0 for its own
}

// reply is an answer of the query API.
type reply struct {
	Data struct {
		ResultType string       `json:"resultType"`
		Result     model.Matrix `json:"result"`
	} `json:"data"`
	Warnings []string `json:"warnings"`
}

// query asks for a matrix.
func (a *asker) query(ctx context.Context, path string, q url.Values) (model.Matrix, error) {
	if err := a.pause(ctx, a.rest); err != nil {
		return nil, err
	}
	// What Thanos would else do: leave out a store that is away, answer from downsampled data, and join replicas by leaving
	// out samples. Others do not know these and ignore them.
	q.Set("partial_response", "false")
	q.Set("max_source_resolution", "0s")
	q.Set("dedup", "false")
	if a.timeout > 0 {
		q.Set("timeout", a.timeout.String())
	}
	began := time.Now()
	var r reply
	err := a.client.Get(ctx, path, q, &r)
	a.rest = min(time.Since(began), longestRest)
	samples := 0
	for _, s := range r.Data.Result {
		samples += len(s.Values)
	}
	a.metrics.asked(a.name, samples)
	switch {
	case err != nil:
		return nil, err
	case len(r.Warnings) > 0: // a part is missing, and would look like ends
		return nil, fmt.Errorf("GET %s: answered only in part: %s", path, incident.PlainText(r.Warnings[0], 200))
	case r.Data.ResultType != "matrix":
		return nil, fmt.Errorf("GET %s: answered %q where a matrix belongs", path, incident.PlainText(r.Data.ResultType, 40))
	}
	return r.Data.Result, nil
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// at is a time as the query API reads it.
func at(t int64) string {
	return strconv.FormatInt(floorDiv(t, second), 10) + fmt.Sprintf(".%03d", mod(t, second))
}

func ms(t int64) string { return strconv.FormatInt(t, 10) + "ms" }

// samples are the raw samples of a selector from one time to another.
func (a *asker) samples(ctx context.Context, selector string, from, to int64) (model.Matrix, error) {
	return a.query(ctx, "/api/v1/query", url.Values{"query": {selector + "[" + ms(to-from) + "]"}, "time": {at(to)}})
}

// shown says whether a series is shown at a time.
func (a *asker) shown(ctx context.Context, selector string, t int64) (bool, error) {
	m, err := a.query(ctx, "/api/v1/query_range", url.Values{"query": {selector}, "start": {at(t)}, "end": {at(t)}, "step": {"1"}})
	return len(m) > 0, err
}

// days are how many samples of firing alerts each day has that ends at the last of them, by that end.
func (a *asker) days(ctx context.Context, last int64, n int) (map[int64]int64, error) {
	m, err := a.query(ctx, "/api/v1/query_range", url.Values{
		"query": {"sum(count_over_time(" + firingSeries + "{" + firingOnly + "}[1d]))"},
		"start": {at(last - int64(n-1)*day)}, "end": {at(last)}, "step": {"86400"},
	})
	if err != nil {
		return nil, err
	}
	days := map[int64]int64{}
	for _, s := range m {
		for _, p := range s.Values {
			days[int64(p.Timestamp)] += int64(p.Value)
		}
	}
	return days, nil
}

// cuts are the times from one to another at which alerts of these names were shown though their last sample was older than
// an interval, by the key of their labels. At a true end the series is not shown any more: there is a staleness marker.
func (a *asker) cuts(ctx context.Context, names []string, interval, from, to int64, out map[string][]int64) error {
	x := stateSeries + "{alertname" + oneOf(names) + "}"
	// Each gap that is longer than an interval and a quarter has at least one step in it, if another evaluation is left out.
	q := x + " unless present_over_time(" + x + "[" + ms(interval*5/4) + "])"
	step := max(interval/2, 1)
	for ; from <= to; from += maxPoints * step {
		end := min(to, from+(maxPoints-1)*step)
		m, err := a.query(ctx, "/api/v1/query_range", url.Values{
			"query": {q}, "start": {at(from)}, "end": {at(end)}, "step": {strconv.FormatFloat(float64(step)/1000, 'f', -1, 64)},
		})
		if err != nil {
			return err
		}
		for _, s := range m {
			k := key(plain(s.Metric))
			for _, p := range s.Values {
				out[k] = append(out[k], int64(p.Timestamp))
			}
		}
	}
	return nil
}

// oneOf is a matcher's operator and value for one of the names, or for any where they are too many for an address.
func oneOf(names []string) string {
	if len(names) == 1 {
		return "=" + strconv.Quote(names[0])
	}
	var parts []string
	length := 0
	for _, n := range names {
		parts = append(parts, regexp.QuoteMeta(n))
		length += len(n)
	}
	if len(names) == 0 || length > maxNames {
		return `!=""`
	}
	return "=~" + strconv.Quote(strings.Join(parts, "|"))
}

// plain are the labels of a series without those that tell which series of an alert it is.
func plain(m model.Metric) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		if k != model.MetricNameLabel && k != "alertstate" {
			out[string(k)] = string(v)
		}
	}
	return out
}

// selector is a selector of the one series of an alert that fires.
func selector(labels map[string]string) string {
	var b strings.Builder
	b.WriteString(firingSeries + "{" + firingOnly)
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		name := k
		if !model.LegacyValidation.IsValidLabelName(k) {
			name = strconv.Quote(k)
		}
		b.WriteString("," + name + "=" + strconv.Quote(labels[k]))
	}
	b.WriteString("}")
	return b.String()
}

// tooMuch says whether a server refused because the question was too large, or took too long over it. Less may be answered.
func tooMuch(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var status interface{ TooMuch() bool }
	var slow interface{ Timeout() bool }
	return errors.As(err, &status) && status.TooMuch() || errors.As(err, &slow) && slow.Timeout()
}
