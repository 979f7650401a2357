package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/config"
	"meantime/incident"
	"meantime/store"
)

// shows is a store whose incidents have these services.
type shows struct {
	store.Store
	services []string
	asked    int
	err      error
}

func (s *shows) IncidentNames(context.Context) (services, severities []string, err error) {
	s.asked++
	return s.services, nil, s.err
}

// configured is the configuration of a text.
func configured(t *testing.T, text string) *config.Validated {
	file := filepath.Join(t.TempDir(), "meantime.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	c, err := config.Load(file, nil)
	require.NoError(t, err)
	v, err := c.Validate()
	require.NoError(t, err)
	return v
}

// The daemon reads documents in the style of the configuration in force, and knows services that incidents have.
func TestReadAsTheHouseWrites(t *testing.T) {
	const text = "# Outage of checkout-api and of pay-api, 2026-03-01\n\n## Timeline\n\n- 10:00 UTC Outage begins, customers get no flour\n" +
		"- 10:04 UTC First alert fires\n- 10:40 UTC Blue lamp is on\n"
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	a := newApp(Options{Now: func() time.Time { return now }})
	s := &shows{services: []string{"checkout-api"}}
	a.store = newIntake(s, nil, nil)
	read := func() incident.Record {
		records, err := a.readPostmortem("mill.md", []byte(text), nil)
		require.NoError(t, err)
		require.Len(t, records, 1)
		return records[0]
	}
	a.config.Store(configured(t, "{}"))
	r := read()
	require.Equal(t, []string{"checkout-api"}, r.Services)
	require.NotContains(t, r.Milestones, incident.Resolved)

	a.config.Store(configured(t, "{postmortems: {words: {resolved: [blue lamp]}}, correlate: {dependencies: [{service: web, needs: [pay-api]}]}}"))
	r = read()
	require.Equal(t, []string{"checkout-api", "pay-api"}, r.Services)
	require.Contains(t, r.Milestones, incident.Resolved)
	require.Equal(t, 1, s.asked, "a folder of many documents asks once")

	// A store that cannot tell holds up no document; it is asked again.
	s.err = errors.New("away")
	now = now.Add(time.Hour)
	require.Equal(t, []string{"checkout-api", "pay-api"}, read().Services)
	s.err, s.services = nil, nil
	require.Equal(t, []string{"pay-api"}, read().Services)
	require.Equal(t, 3, s.asked)
}

// A folder is read anew when the style changes, and only then.
func TestFolderOfAnotherStyle(t *testing.T) {
	dir := t.TempDir()
	shape := func(more string) string {
		a := newApp(Options{})
		jobs, err := a.recordJobs(configured(t, "sources: [{name: docs, type: file, dir: "+dir+"}]\n"+more))
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		return jobs[0].Config
	}
	plain := shape("")
	require.Equal(t, plain, shape("windows: [7d]"))
	for _, style := range []string{
		"{zone: Europe/Berlin}", "{words: {resolved: [over]}}", "{words: {mitigated: [over]}}", "{headings: {actions: [over]}}",
	} {
		require.NotEqual(t, plain, shape("postmortems: "+style), style)
	}
	require.NotEqual(t, shape("postmortems: {zone: Europe/Berlin}"), shape("postmortems: {zone: Europe/Paris}"))
}
