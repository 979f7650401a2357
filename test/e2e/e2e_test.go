// Package e2e tests Meantime as its users have it: the real binary, spoken to over HTTP, with the real Prometheus and
// Alertmanager around it. It knows Meantime by its documented interface alone, so the forms of its answers are written
// here once more.
package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// soon bounds what Meantime does by itself after a fact came in. It takes about a second, and up to a
// minute where only time passes; machines that run tests are busy.
const soon = 90 * time.Second

// measurement is one interval of an incident.
type measurement struct {
	Status  string   `json:"status"`
	Seconds *float64 `json:"seconds"`
}

func (m measurement) String() string {
	if m.Seconds == nil {
		return m.Status
	}
	return fmt.Sprintf("%s %g s", m.Status, *m.Seconds)
}

// recorded is a measurement of a known duration.
func recorded(d time.Duration) measurement {
	s := d.Seconds()
	return measurement{"recorded", &s}
}

type milestone struct {
	At         time.Time `json:"at"`
	Precision  string    `json:"precision"`
	Origin     string    `json:"origin"`
	Candidates []struct {
		At     time.Time `json:"at"`
		Origin string    `json:"origin"`
	} `json:"candidates"`
}

type episode struct {
	Fingerprint string            `json:"fingerprint"`
	StartsAt    time.Time         `json:"starts_at"`
	EndsAt      time.Time         `json:"ends_at"`
	NotifiedAt  time.Time         `json:"notified_at"`
	SilencedAt  time.Time         `json:"silenced_at"`
	InhibitedAt time.Time         `json:"inhibited_at"`
	Labels      map[string]string `json:"labels"`
	Outcome     string            `json:"outcome"`
	Incident    string            `json:"incident"`
}

type incident struct {
	ID              string   `json:"id"`
	Title           string   `json:"title"`
	Services        []string `json:"services"`
	State           string   `json:"state"`
	DetectedBy      string   `json:"detected_by"`
	OpenedByAlerts  bool     `json:"opened_by_alerts"`
	MissedDetection bool     `json:"missed_detection"`
	Records         []struct{ Source, ID string }
	Milestones      map[string]milestone `json:"milestones"`
	Impacts         []struct{ From, To time.Time }
	Measurements    map[string]measurement `json:"measurements"`
	Links           []link                 `json:"links"`
}

type link struct {
	Episode  episode  `json:"episode"`
	State    string   `json:"state"`
	Score    float64  `json:"score"`
	Evidence []string `json:"evidence"`
}

// linked are the links that count; the others are suggestions.
func (i *incident) linked() []link {
	return slices.DeleteFunc(slices.Clone(i.Links), func(l link) bool { return l.State != "linked" })
}

// incidents lists all incidents.
func incidents(m *servers.MeantimeServer) ([]incident, error) {
	return pages(m, "/api/v1/incidents", func(p *struct {
		Incidents []incident `json:"incidents"`
		Next      string     `json:"next"`
	}) ([]incident, string) {
		return p.Incidents, p.Next
	})
}

// episodes lists all episodes.
func episodes(m *servers.MeantimeServer) ([]episode, error) {
	return pages(m, "/api/v1/episodes", func(p *struct {
		Episodes []episode `json:"episodes"`
		Next     string    `json:"next"`
	}) ([]episode, string) {
		return p.Episodes, p.Next
	})
}

// pages reads a list to its end.
func pages[P, T any](m *servers.MeantimeServer, path string, split func(*P) ([]T, string)) ([]T, error) {
	var all []T
	for cursor := ""; ; {
		var p P
		if err := m.Get(path+"?limit=500&cursor="+url.QueryEscape(cursor), &p); err != nil {
			return nil, err
		}
		items, next := split(&p)
		all = append(all, items...)
		if cursor = next; cursor == "" {
			return all, nil
		}
	}
}

// exposition is a scrape: value by series, both as text.
type exposition map[string]string

// scrape reads /metrics, of which only the families that keep accepts.
func scrape(t testing.TB, m *servers.MeantimeServer, keep func(family string) bool) exposition {
	t.Helper()
	e := exposition{}
	for line := range bytes.Lines(m.Must("GET", "/metrics", nil)) {
		line := strings.TrimSpace(string(line))
		if line == "" || line[0] == '#' {
			continue
		}
		cut := strings.LastIndexByte(line, ' ')
		require.Positive(t, cut, line)
		family, _, _ := strings.Cut(line[:cut], "{")
		if keep(family) {
			e[line[:cut]] = line[cut+1:]
		}
	}
	return e
}

// figures are the families over rolling windows, which are functions of the facts and the clock alone.
func figures(family string) bool {
	for _, p := range []string{
		"meantime_incidents", "meantime_measurements", "meantime_impact_seconds", "meantime_milestones",
		"meantime_open_incidents", "meantime_incident_",
	} {
		if strings.HasPrefix(family, p) {
			return true
		}
	}
	for _, p := range []string{"meantime_interval_", "meantime_alert_", "meantime_objective_"} {
		if strings.HasPrefix(family, p) {
			// The histogram since ever remembers what was shown, on purpose.
			return !strings.HasPrefix(family, "meantime_interval_duration_seconds") && family != "meantime_interval_restatements_total"
		}
	}
	return false
}

// difference says in a few lines what two expositions do not have in common; empty where they are the same.
func difference(want, got exposition) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if v, ok := got[k]; !ok {
			out = append(out, fmt.Sprintf("missing %s %s", k, want[k]))
		} else if v != want[k] {
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

// alert is one alert of a notification.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Fingerprint string            `json:"fingerprint,omitempty"`
}

// notification is Alertmanager's webhook body, version 4.
func notification(alerts ...alert) []byte {
	status := "resolved"
	for _, a := range alerts {
		if a.Status == "firing" {
			status = "firing"
		}
	}
	b, err := json.Marshal(map[string]any{
		"version": "4", "groupKey": `{}:{alertname="x"}`, "truncatedAlerts": 0, "status": status, "receiver": "meantime",
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
		"externalURL": "http://alertmanager.example.org", "alerts": alerts,
	})
	if err != nil {
		panic(err) // strings and times always marshal
	}
	return b
}

// firing is an alert that fires since a time.
func firing(name, service string, since time.Time) alert {
	return alert{
		Status:      "firing",
		Labels:      map[string]string{"alertname": name, "service": service, "severity": "critical"},
		Annotations: map[string]string{}, StartsAt: since,
	}
}

// resolved is the end of an alert.
func (a alert) resolved(at time.Time) alert {
	a.Status, a.EndsAt = "resolved", at
	return a
}
