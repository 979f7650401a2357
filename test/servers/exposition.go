package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Exposition is a scrape: value by series, both as text.
type Exposition map[string]string

// Scrape reads the metrics of the server at a URL.
func Scrape(url string) (Exposition, error) {
	resp, err := client.Get(url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("a scrape is answered with status %d: %s", resp.StatusCode, text)
	}
	return ReadExposition(text)
}

// ReadExposition reads a scrape.
func ReadExposition(text []byte) (Exposition, error) {
	e := Exposition{}
	for line := range bytes.Lines(text) {
		line := strings.TrimSpace(string(line))
		if line == "" || line[0] == '#' {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		if cut <= 0 {
			return nil, fmt.Errorf("no series with a value: %q", line)
		}
		e[line[:cut]] = line[cut+1:]
	}
	return e, nil
}

// Keep are the series that a function accepts.
func (e Exposition) Keep(which func(series string) bool) Exposition {
	out := maps.Clone(e)
	maps.DeleteFunc(out, func(series, _ string) bool { return !which(series) })
	return out
}

// Difference says in a few lines what two expositions do not have in common; empty where they have the same series with
// the same values, of which same decides.
func Difference(want, got Exposition, same func(want, got string) bool) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !ok {
			out = append(out, fmt.Sprintf("missing %s %s", k, want[k]))
		} else if !same(want[k], v) {
			out = append(out, fmt.Sprintf("%s is %s, not %s", k, v, want[k]))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			out = append(out, fmt.Sprintf("extra %s %s", k, got[k]))
		}
	}
	if len(out) > 10 {
		out = append(out[:10], fmt.Sprintf("and %d more", len(out)-10))
	}
	return strings.Join(out, "\n")
}

// OfAll says of a series that every replica of one store must show the same: all but what each process counts of itself,
// and what changes with the time at which it is shown.
func OfAll(series string) bool {
	if !strings.HasPrefix(series, "meantime_") || UntilNow(series) {
		return false
	}
	for _, own := range []string{
		"meantime_webhook_", "meantime_api_", "meantime_web_", "meantime_source_", "meantime_history_", "meantime_config_",
		"meantime_build_info", "meantime_external_url_", "meantime_lease_held",
		"meantime_correlation_pass_", "meantime_correlation_incidents_", "meantime_correlation_episodes_", "meantime_correlation_failures_",
		"meantime_store_operation", "meantime_store_transaction_", "meantime_store_waiting_", "meantime_store_size_",
	} {
		if strings.HasPrefix(series, own) {
			return false
		}
	}
	return true
}

// UntilNow says of a series that its value is of the time watched until the scrape, so that no two scrapes show the same.
func UntilNow(series string) bool {
	for _, of := range []string{"meantime_availability_", "meantime_error_budget_", "meantime_incident_rate_", "meantime_time_between_"} {
		if strings.HasPrefix(series, of) {
			return true
		}
	}
	return false
}

// Alike says of two values that they are the same, but for sums that were added up in another order.
func Alike(a, b string) bool {
	if a == b {
		return true
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return errors.Join(err1, err2) == nil && math.Abs(x-y) <= 1e-9*math.Max(math.Abs(x), math.Abs(y))
}
