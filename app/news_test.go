package app

import (
	"bytes"
	"log/slog"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store/sqlstore"
)

// TestNewsOfIncidents has what the log says of incidents as they come, grow and end.
func TestNewsOfIncidents(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/news.db", sqlstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	p, _ := pair(t, db)
	var log bytes.Buffer
	p.logger = slog.New(slog.NewTextHandler(&log, nil))
	lease, err := db.Acquire(t.Context(), "test", time.Hour)
	require.NoError(t, err)

	link := func(name string) incident.Link {
		return incident.Link{State: incident.LinkLinked, Episode: incident.Episode{
			Fingerprint: name, StartsAt: time.Now().Add(-time.Hour).UTC().Truncate(time.Second), Labels: map[string]string{"alertname": name},
		}}
	}
	open := over("a", time.Hour)
	open.Title, open.State, open.Links = "Checkout is slow", incident.StateOpen, []incident.Link{link("x")}
	grown := open
	grown.Links = []incident.Link{link("x"), link("y")}
	ended := grown
	ended.State = incident.StateResolved
	twin := over("c", time.Hour) // nobody ended it: it was another
	twin.State = incident.StateOpen
	merged := twin
	merged.State = incident.StateCancelled
	old := over("b", time.Hour) // over before anybody knew of it
	for i, pass := range [][]incident.Incident{{open}, {open}, {grown}, {ended}, {ended, old}, {twin}, {merged}} {
		require.NoError(t, p.deliver(t.Context(), lease.Token, incident.Pass{Cursor: int64(i + 1), Rules: "r", Incidents: pass}))
	}
	said := regexp.MustCompile(`msg="([^"]*)" id=(\w+)|alerts=(\d+)`).FindAllString(log.String(), -1)
	require.Equal(t,
		[]string{`msg="Incident opened" id=a`, `msg="Alerts joined an incident" id=a`, "alerts=1", `msg="Incident resolved" id=a`,
			`msg="Incident opened" id=c`, `msg="Incident cancelled" id=c`}, said)
}
