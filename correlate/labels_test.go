package correlate

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// A label that there are figures by is the record's, else the one that most of the alerts have that the incident is of.
func TestLabelsOfAlerts(t *testing.T) {
	m, err := labels.ParseMatchers(`severity="critical"`)
	require.NoError(t, err)
	alert := func(at float64, name, severity, team string) incident.Sighting {
		l := map[string]string{"alertname": name, "severity": severity, "service": "ledger", "pod": name}
		if team != "" {
			l["team"] = team
		}
		return labelled(at, 90, l)
	}
	created := noon.Add(-time.Minute)
	rec := tells("1", []string{"ledger"}, -1, 93)
	rec.CreatedAt = created
	said := rec
	said.Labels = map[string]string{"team": "said"}
	for _, c := range []struct {
		name   string
		labels []string
		alerts []incident.Sighting
		record *incident.Record
		want   string
	}{
		{"nobody asks", nil, []incident.Sighting{alert(0, "A", "critical", "pay")}, nil, ""},
		{"one alert", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", "pay")}, nil, "pay"},
		{"most of them", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", "pay"), alert(1, "B", "critical", "ship"),
			alert(2, "C", "critical", "ship")}, nil, "ship"},
		{"the first of as many", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", ""), alert(1, "B", "critical", "ship"),
			alert(2, "C", "critical", "pay")}, nil, "ship"},
		{"a warning that joined it says nothing", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", "pay"),
			alert(1, "B", "warning", "ship"), alert(2, "C", "warning", "ship")}, nil, "pay"},
		{"a record without it", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", "pay")}, &rec, "pay"},
		{"a record with it", []string{"team"}, []incident.Sighting{alert(0, "A", "critical", "pay")}, &said, "said"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := DefaultRules()
			rules.Open.Matchers, rules.Labels = []labels.Matchers{m}, c.labels
			f := incident.Facts{Sightings: c.alerts}
			if c.record != nil {
				f.Records = []incident.Record{*c.record}
			}
			res := Correlate(f, &rules, noon.Add(48*time.Hour))
			require.Len(t, res.Incidents, 1)
			require.Equal(t, c.want, res.Incidents[0].Labels["team"])
			if c.record != nil {
				require.Equal(t, created, res.Incidents[0].Opened)
			} else {
				require.Zero(t, res.Incidents[0].Opened)
			}
		})
	}
}
