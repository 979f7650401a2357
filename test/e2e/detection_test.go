package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestDetection runs Meantime beside a real Alertmanager in which an alert fires already: of that one it is not known when
// somebody was told, of the next it is. Then an alert fires while Meantime is away for longer than a restart, and one after.
func TestDetection(t *testing.T) {
	for _, version := range []servers.AlertmanagerVersion{servers.OldAlertmanager, servers.NewAlertmanager} {
		t.Run(version.String(), func(t *testing.T) {
			t.Parallel()
			address := servers.Address(t)
			am := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: version, Webhook: "http://" + address + "/webhook/alertmanager"})
			fire(t, am.URL, "Before", time.Now())
			time.Sleep(2 * time.Second)
			m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: `
sources: []
correlate: {open: {matchers: ['severity="critical"'], group_by: [service]}}
`})
			detect := func(name, status, why string) {
				t.Helper()
				servers.Eventually(t, soon, func() error {
					var page struct {
						Incidents []struct {
							Title        string
							Measurements map[string]struct{ Status, Why string }
						}
					}
					if err := m.Get("/api/v1/incidents", &page); err != nil {
						return err
					}
					for _, in := range page.Incidents {
						if d := in.Measurements["detect"]; strings.HasPrefix(in.Title, name) && d.Status == status && strings.Contains(d.Why, why) && in.Measurements["notify"].Status == status {
							return nil
						}
					}
					return fmt.Errorf("%s is not %s: %+v", name, status, page.Incidents)
				})
			}
			detect("Before", "missing", "before Meantime began to listen")
			fire(t, am.URL, "After", time.Now())
			detect("After", "recorded", "")

			m.Kill()
			m.Restart() // which is quick, and loses nothing
			fire(t, am.URL, "Restarted", time.Now())
			detect("Restarted", "recorded", "")

			require.NoError(t, m.Stop())
			fire(t, am.URL, "Away", time.Now())
			time.Sleep(31 * time.Second)
			m.Restart()
			detect("Away", "missing", "Meantime was not running from")
			fire(t, am.URL, "Back", time.Now())
			detect("Back", "recorded", "")
		})
	}
}

// fire tells an Alertmanager of a critical alert of a service of its own.
func fire(t *testing.T, url, name string, since time.Time) {
	t.Helper()
	body, err := json.Marshal([]any{map[string]any{
		"labels": map[string]string{"alertname": name, "severity": "critical", "service": strings.ToLower(name)}, "startsAt": since.UTC(), "endsAt": since.UTC().Add(time.Hour),
	}})
	require.NoError(t, err)
	resp, err := http.Post(url+"/api/v2/alerts", "application/json", bytes.NewReader(body))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
}
