package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// page is what Alertmanager sends to PagerDuty's Events API v2.
type page struct {
	DedupKey string `json:"dedup_key"`
	Action   string `json:"event_action"`
	Payload  struct {
		Summary string `json:"summary"`
	} `json:"payload"`
}

// pagerDuty keeps the pages that it gets.
type pagerDuty struct {
	*httptest.Server

	mu    sync.Mutex
	pages []page
}

func newPagerDuty(t *testing.T) *pagerDuty {
	p := &pagerDuty{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var x page
		if err := json.NewDecoder(r.Body).Decode(&x); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		p.pages = append(p.pages, x)
		p.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(p.Close)
	return p
}

// first is the first page, once there is one.
func (p *pagerDuty) first(t *testing.T) (first page) {
	t.Helper()
	servers.Eventually(t, soon, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.pages) == 0 {
			return fmt.Errorf("nobody was paged")
		}
		first = p.pages[0]
		return nil
	})
	return first
}

// TestStated pages a pager by a real Alertmanager, and tells Meantime of the pager's incident as the pager knows it: by the key
// that Alertmanager gave it, which is the hash of the group's. The incident's service and times are another's, and still
// the alert is of it, stated.
func TestStated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, pager, beside, events string
		ask                         bool // the Alertmanager
	}{
		{"Meantime beside the pager in one receiver", `, webhook_configs: [{url: "http://%s/webhook/alertmanager"}]`, "", "", false},
		// Meantime's own route has another group key, so the hash is only known from the event log.
		{
			"the event log, and a route of another key", "", `    - {receiver: meantime, matchers: ['severity="critical"'], continue: true, group_wait: 0s}
`, `
event_recorder: {webhook_outputs: [{url: "http://%s/webhook/alertmanager/events"}]}`, false,
		},
		// The pager's key is worked out from the configuration of the Alertmanager.
		{
			"an Alertmanager that is asked, and a route of another key", "", `    - {receiver: meantime, matchers: ['severity="critical"'], continue: true, group_wait: 0s}
`, "", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := servers.Address(t)
			with := func(text string) string {
				if text == "" {
					return ""
				}
				return fmt.Sprintf(text, address)
			}
			pager := newPagerDuty(t)
			o := servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Config: fmt.Sprintf(`
route:
  receiver: nobody
  group_wait: 0s
  routes:
%s    - {receiver: pager, matchers: ['severity=~"critical|page"'], group_by: [alertname], group_wait: 0s}
receivers:
  - {name: nobody}
  - {name: meantime, webhook_configs: [{url: "http://%s/webhook/alertmanager"}]}
  - {name: pager, pagerduty_configs: [{routing_key: 0123456789abcdef0123456789abcdef, url: "%s/v2/enqueue"}]%s}
%s
`, c.beside, address, pager.URL, with(c.pager), with(c.events))}
			if c.events != "" {
				o.Events = "x"
			}
			am := servers.Alertmanager(t, o)
			config := "sources: []\n"
			if c.ask {
				config = fmt.Sprintf("alertmanagers: [{url: %q, reconcile_every: 1s}]\n", am.URL)
			}
			m := servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: config})
			began := time.Now().UTC()
			say(t, am, "CheckoutErrors", began, time.Time{})
			paged := pager.first(t)
			require.Equal(t, "trigger", paged.Action)
			require.Len(t, paged.DedupKey, 64)

			// Until somebody tells of the pager's incident, the alert opened one by itself.
			servers.Eventually(t, soon, func() error {
				all, err := incidents(m)
				if err == nil && (len(all) != 1 || !all[0].OpenedByAlerts) {
					err = fmt.Errorf("%+v", all)
				}
				return err
			})
			m.Must("PUT", "/api/v1/records/pagerduty/Q1", map[string]any{
				"title": paged.Payload.Summary, "services": []string{"search"}, "state": "resolved",
				"milestones": map[string]any{"started": began.Add(-9 * time.Hour), "resolved": began.Add(-8 * time.Hour)},
				"references": map[string]any{"groups": []any{map[string]any{"sha256": paged.DedupKey, "from": began}}},
			})
			servers.Eventually(t, soon, func() error {
				all, err := incidents(m)
				if err != nil {
					return err
				}
				if len(all) != 1 || len(all[0].Records) != 1 || len(all[0].Links) != 1 || all[0].Links[0].State != "stated" {
					return fmt.Errorf("the alert is not stated: %+v", all)
				}
				require.Equal(t, []string{"pagerduty/Q1 states it by the key of its group"}, all[0].Links[0].Evidence)
				require.Equal(t, "CheckoutErrors", all[0].Links[0].Episode.Labels["alertname"])
				require.False(t, all[0].MissedDetection)
				return nil
			})
		})
	}
}
