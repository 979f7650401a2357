// Package e2e tests Meantime as its users have it: the real binary, spoken to over HTTP, with the real Prometheus and
// Alertmanager around it. It knows Meantime by its documented interface alone, so the forms of its answers are written
// here once more.
package e2e

import (
	"fmt"
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
	return slices.DeleteFunc(slices.Clone(i.Links), func(l link) bool { return l.State != "linked" && l.State != "stated" })
}

// incidents lists all incidents.
func incidents(m *servers.MeantimeServer) ([]incident, error) {
	return servers.List[incident](m, "incidents")
}

// episodes lists all episodes.
func episodes(m *servers.MeantimeServer) ([]episode, error) {
	return servers.List[episode](m, "episodes")
}

// scrape reads /metrics, of which only the families that keep accepts.
func scrape(t testing.TB, m *servers.MeantimeServer, keep func(family string) bool) servers.Exposition {
	t.Helper()
	e, err := servers.Scrape(m.URL)
	require.NoError(t, err)
	return e.Keep(func(series string) bool {
		family, _, _ := strings.Cut(series, "{")
		return keep(family)
	})
}

// difference says what two expositions do not have in common to the letter.
func difference(want, got servers.Exposition) string {
	return servers.Difference(want, got, func(want, got string) bool { return want == got })
}

// figures are the families over rolling windows, which are functions of the facts and the clock alone.
func figures(family string) bool {
	for _, p := range []string{
		"meantime_incidents", "meantime_measurements", "meantime_impact_seconds", "meantime_milestones",
		"meantime_open_incidents", "meantime_incident_info", "meantime_incident_milestone_",
	} {
		if strings.HasPrefix(family, p) {
			return true
		}
	}
	for _, p := range []string{"meantime_interval_", "meantime_alert_", "meantime_objective_"} {
		if strings.HasPrefix(family, p) {
			// The all-time histogram remembers what was shown, on purpose.
			return !strings.HasPrefix(family, "meantime_interval_duration_seconds") && family != "meantime_interval_restatements_total"
		}
	}
	return false
}
