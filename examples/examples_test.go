// Package examples_test holds the examples to what they are said to show.
package examples_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/config"
	"meantime/correlate"
	"meantime/incident"
	"meantime/measure"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func records(t *testing.T) []incident.Record {
	files, err := filepath.Glob("incidents/*")
	require.NoError(t, err)
	var out []incident.Record
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		var doc any
		require.NoError(t, yaml.Unmarshal(b, &doc), f)
		j, err := json.Marshal(doc)
		require.NoError(t, err)
		dec := json.NewDecoder(strings.NewReader(string(j)))
		dec.DisallowUnknownFields() // a slip in a field's name would go unseen
		type plain incident.Record
		fields := struct {
			*plain
			Milestones map[string]any `json:"milestones"`
		}{plain: &plain{}}
		require.NoError(t, dec.Decode(&fields), f)
		r, err := incident.DecodeRecord(j)
		require.NoError(t, err, f)
		r.Source, r.UpdatedAt = "examples", now
		out = append(out, r)
	}
	return out
}

// figure is a measurement in words: its minutes where it is recorded, else its status.
func figure(m incident.Measurement) string {
	if m.Status == incident.StatusRecorded {
		return (time.Duration(*m.Seconds) * time.Second).String()
	}
	return string(m.Status)
}

func TestFiveIncidents(t *testing.T) {
	rules := configured(t, "meantime.yml").Rules
	got := correlate.Correlate(incident.Facts{Records: records(t)}, &rules, now)
	require.Len(t, got.Incidents, 5)

	type row struct{ detect, acknowledge, identify, mitigate, resolve string }
	want := map[string]struct {
		row
		by       incident.DetectedBy
		relapses int
	}{
		"2016-10-11-database-connections": {row{"missing", "missing", "25m0s", "missing", "missing"}, incident.ByStaff, 0},
		"2020-02-20-index":                {row{"11m0s", "5m0s", "missing", "missing", "1h31m0s"}, incident.ByCustomer, 0},
		"2020-05-12-stale-backends":       {row{"missing", "missing", "missing", "missing", "missing"}, incident.ByUnknown, 0},
		"2023-08-08-registry":             {row{"missing", "missing", "missing", "missing", "missing"}, incident.ByCustomer, 2},
		"2024-07-18-sign-in":              {row{"31m0s", "3m0s", "12m0s", "35m0s", "35m0s"}, incident.ByCustomer, 0},
	}
	for i := range got.Incidents {
		in := &got.Incidents[i]
		id := in.Records[0].ID
		m := measure.All(in, incident.DefaultIntervals(), now)
		w := want[id]
		require.Equal(t, w.row, row{figure(m["detect"]), figure(m["acknowledge"]), figure(m["identify"]), figure(m["mitigate"]), figure(m["resolve"])}, id)
		require.Equal(t, w.by, in.DetectedBy, id)
		require.Equal(t, w.relapses, in.Relapses(), id)
		require.Equal(t, incident.StateResolved, in.State, id)
		require.NotEmpty(t, in.Services, id)
		for name, ms := range in.Milestones {
			require.NotEmpty(t, ms.Evidence, "%s %s", id, name)
		}
	}
	at := func(id string, name incident.MilestoneName) string {
		i := slices.IndexFunc(got.Incidents, func(in incident.Incident) bool { return in.Records[0].ID == id })
		return got.Incidents[i].Milestones[name].At.Format(time.RFC3339)
	}
	require.Equal(t, "2016-10-11T12:50:00Z", at("2016-10-11-database-connections", incident.Detected))
	require.Greater(t, at("2024-07-18-sign-in", incident.Identified), at("2024-07-18-sign-in", incident.Resolved))
}

func configured(t *testing.T, file string) *config.Validated {
	c, err := config.Load(file, nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	return v
}

func TestConfigHoldsTheIncidents(t *testing.T) {
	v := configured(t, "meantime.yml")
	require.Equal(t, []config.Source{{Name: "examples", Type: "file", Dir: "incidents", Interval: time.Minute, Timeout: 30 * time.Second}}, v.Sources)
	last := v.Windows[len(v.Windows)-1]
	require.Equal(t, "15y", last.Name)
	for _, r := range records(t) {
		from, _ := r.Span()
		require.True(t, from.After(now.Add(-last.Duration)), r.ID)
	}
}

// The record in docs/records.md has every field, and is one.
func TestDocumentedRecord(t *testing.T) {
	text, err := os.ReadFile("../docs/records.md")
	require.NoError(t, err)
	_, rest, ok := strings.Cut(string(text), "```yaml\n")
	require.True(t, ok)
	body, _, _ := strings.Cut(rest, "```")
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(body), &doc))
	j, err := json.Marshal(doc)
	require.NoError(t, err)
	r, err := incident.DecodeRecord(j)
	require.NoError(t, err)
	require.Empty(t, incident.UnreadKeys(j))
	require.Len(t, r.Milestones, len(incident.MilestoneNames))
	for i, fields := 0, reflect.TypeFor[incident.Record](); i < fields.NumField(); i++ {
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if slices.Contains([]string{"source", "withdrawn", "origin", "questions"}, name) {
			continue // the address of the record, and what only reading a postmortem gives
		}
		require.Contains(t, doc, name, "docs/records.md does not show it")
	}
}

var commentedKey = regexp.MustCompile(`^( *)# ((?: *- \{|rules:|watchdogs:|web: |alertmanagers: |prometheuses: ).*)$`)

// What is commented out is right as well, so that whoever takes the marks away has a configuration that loads.
func TestCommentedOutPartsLoad(t *testing.T) {
	b, err := os.ReadFile("meantime.yml")
	require.NoError(t, err)
	lines := strings.Split(string(b), "\n")
	n := 0
	for i, l := range lines {
		if m := commentedKey.FindStringSubmatch(l); m != nil {
			lines[i] = m[1] + m[2]
			n++
		}
	}
	require.Equal(t, 7, n)
	dir := t.TempDir()
	for _, f := range []string{"webhook-token", "write-token"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, f), []byte("x"), 0o600))
	}
	file := filepath.Join(dir, "meantime.yml")
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	v := configured(t, file)
	require.NotNil(t, v.Alertmanagers)
	require.NotNil(t, v.Prometheuses)
	require.Len(t, v.Rules.Watchdogs, 1)
	require.Len(t, v.Rules.Services.Rules, 1)
	require.False(t, v.Web.WriteToken.IsZero())
}
