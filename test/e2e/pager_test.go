package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestPager has a real Alertmanager page a pager and notify Meantime from the same receiver. The pager gives back what it was
// told, by its own API; a person acknowledges there. One incident comes of it: the link is what the pager states, the
// acknowledgement is the person's, the end the alert's; and the ticket that names the page is a second record of it.
func TestPager(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, receiver, source string
		record                 string // of the page
		hook                   string // beside Meantime's
	}{
		{
			name: "pagerduty", receiver: `pagerduty_configs: [{routing_key: k, url: "VENDOR/v2/enqueue", send_resolved: true}]`,
			source: `{name: pager, type: pagerduty, url: "VENDOR", token_file: TOKEN, interval: 2s, webhook_secret_files: [TOKEN]}`,
			record: "pager/Q1",
		},
		{
			name: "opsgenie", receiver: `opsgenie_configs: [{api_key: k, api_url: "VENDOR/", send_resolved: true}]`,
			source: `{name: pager, type: opsgenie, url: "VENDOR", token_file: TOKEN, interval: 2s}`, record: "pager/og-1",
		},
		{
			name: "grafana-oncall", hook: `, {url: "VENDOR/integrations/v1/alertmanager/k/", send_resolved: true}`,
			source: `{name: pager, type: grafana-oncall, url: "VENDOR", token_file: TOKEN, interval: 2s}`, record: "pager/IG1",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &pages{}
			vendor := httptest.NewServer(v)
			defer vendor.Close()
			v.url, v.labelled = vendor.URL, c.name == "opsgenie"
			token := filepath.Join(t.TempDir(), "token")
			require.NoError(t, os.WriteFile(token, []byte("s3cret-of-the-pager"), 0o600))
			address := servers.Address(t)
			alertmanager := servers.Alertmanager(t, servers.AlertmanagerOptions{Version: servers.NewAlertmanager, Config: strings.ReplaceAll(fmt.Sprintf(`
route: {receiver: pager, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: pager
    webhook_configs: [{url: "http://%s/webhook/alertmanager", send_resolved: true}%s]
    %s
`, address, c.hook, c.receiver), "VENDOR", vendor.URL)})
			m := servers.Meantime(t, servers.MeantimeOptions{
				Address: address, Config: strings.NewReplacer("VENDOR", vendor.URL, "TOKEN", token).Replace(`
windows: [1d]
sources:
  - ` + c.source + `
  - {name: tickets, type: jira, url: "VENDOR", user: bot, token_file: TOKEN, interval: 2s}
correlate: {open: {matchers: ['severity="critical"'], quiet: 1s}}
`)})

			begin := now()
			alert := func(end time.Time) {
				body, err := json.Marshal([]any{map[string]any{
					"labels": map[string]string{"alertname": "CheckoutErrors", "service": "checkout", "severity": "critical"}, "startsAt": begin, "endsAt": end,
				}})
				require.NoError(t, err)
				resp, err := http.Post(alertmanager.URL+"/api/v2/alerts", "application/json", bytes.NewReader(body))
				require.NoError(t, err)
				defer resp.Body.Close()
				require.Equal(t, http.StatusOK, resp.StatusCode)
			}
			alert(begin.Add(time.Hour))
			servers.Eventually(t, soon, func() error { return v.state("open") })
			time.Sleep(2 * time.Second) // the person takes a while
			v.acknowledge()
			alert(now())
			servers.Eventually(t, soon, func() error { return v.state("resolved") })

			servers.Eventually(t, soon, func() error {
				all, err := incidents(m)
				switch {
				case err != nil:
					return err
				case len(all) != 1:
					return fmt.Errorf("%d incidents", len(all))
				}
				var in incident
				if err := m.Get("/api/v1/incidents/"+all[0].ID, &in); err != nil {
					return err
				}
				var records []string
				for _, r := range in.Records {
					records = append(records, r.Source+"/"+r.ID)
				}
				slices.Sort(records)
				v.mu.Lock()
				defer v.mu.Unlock()
				switch {
				case !slices.Equal(records, []string{c.record, "tickets/501"}):
					return fmt.Errorf("its records are %v", records)
				case len(in.Links) != 1 || in.Links[0].State != "stated":
					return fmt.Errorf("links: %+v", in.Links)
				case !in.Milestones["acknowledged"].At.Equal(v.acked):
					return fmt.Errorf("acknowledged at %v, in the pager at %s", in.Milestones["acknowledged"], v.acked)
				case in.Measurements["acknowledge"].Status != "recorded" || in.Milestones["mitigated"].At.IsZero():
					return fmt.Errorf("acknowledge: %v, mitigated: %v", in.Measurements["acknowledge"], in.Milestones["mitigated"])
				}
				return nil
			})
			exposed := scrape(t, m, func(family string) bool { return family == "meantime_source_up" })
			require.Len(t, exposed, 2)
			require.NotContains(t, m.Log(), "s3cret-of-the-pager")
		})
	}
}

// pages is PagerDuty, Opsgenie, Grafana OnCall and Jira as far as TestPager needs them: what Alertmanager tells it, it gives back.
type pages struct {
	url      string
	labelled bool // the ticket was opened by Alertmanager itself

	mu                    sync.Mutex
	key                   string
	details               json.RawMessage // of an event, or the whole notification
	opened, acked, closed time.Time
	description           string
}

func (v *pages) state(want string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	got := "none"
	switch {
	case !v.closed.IsZero():
		got = "resolved"
	case !v.opened.IsZero():
		got = "open"
	}
	if got != want {
		return fmt.Errorf("the page is %s", got)
	}
	return nil
}

func (v *pages) acknowledge() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.acked = now()
}

func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func (v *pages) open(key string) {
	if v.opened.IsZero() {
		v.key, v.opened = key, now()
	}
}

func (v *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var body struct {
		Action  string `json:"event_action"`
		Key     string `json:"dedup_key"`
		Payload struct {
			Details json.RawMessage `json:"custom_details"`
		} `json:"payload"`
		Alias, Description string
		Status, GroupKey   string
	}
	var raw json.RawMessage
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&raw)
		_ = json.Unmarshal(raw, &body)
	}
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	switch path := r.URL.Path; {
	case path == "/v2/enqueue":
		if body.Action == "resolve" {
			v.closed = now()
		} else {
			v.open(body.Key)
			v.details = body.Payload.Details
		}
		answer(http.StatusAccepted, map[string]any{"status": "success"})
	case path == "/v2/alerts" && r.Method == http.MethodPost:
		v.open(body.Alias)
		v.description = body.Description
		answer(http.StatusAccepted, map[string]any{"result": "Request will be processed"})
	case strings.HasSuffix(path, "/close"):
		v.closed = now()
		answer(http.StatusAccepted, map[string]any{"result": "Request will be processed"})
	case path == "/v2/alerts":
		answer(http.StatusOK, map[string]any{"data": v.opsgenie()})
	case strings.HasPrefix(path, "/integrations/v1/alertmanager/"):
		v.open(body.GroupKey)
		if v.details = raw; body.Status == "resolved" {
			v.closed = now()
		}
		answer(http.StatusOK, map[string]any{})
	case path == "/api/v1/alert_groups/":
		answer(http.StatusOK, map[string]any{"results": v.oncall(), "next": nil})
	case path == "/rest/api/3/search/jql":
		answer(http.StatusOK, map[string]any{"issues": v.jira(), "isLast": true})
	case path == "/rest/api/3/changelog/bulkfetch":
		answer(http.StatusOK, map[string]any{"issueChangeLogs": []any{}})
	default:
		v.pagerduty(answer, path)
	}
}

func (v *pages) pagerduty(answer func(int, any), path string) {
	incidents, entries := []any{}, []any{}
	enter := func(id, kind string, at time.Time, agent string, channel any) {
		if !at.IsZero() {
			entries = append(entries, map[string]any{
				"id": id, "type": kind, "created_at": at, "agent": map[string]any{"type": agent}, "incident": map[string]any{"id": "Q1"}, "channel": channel,
			})
		}
	}
	in := map[string]any{
		"id": "Q1", "title": "[FIRING:1] CheckoutErrors", "status": "triggered", "created_at": v.opened, "updated_at": v.opened,
		"html_url": v.url + "/incidents/Q1", "service": map[string]any{"summary": "checkout"}, "urgency": "high",
	}
	if !v.opened.IsZero() {
		incidents = append(incidents, in)
	}
	if !v.closed.IsZero() {
		in["status"], in["resolved_at"], in["updated_at"] = "resolved", v.closed, v.closed
	}
	const integration = "events_api_v2_inbound_integration_reference"
	enter("R1", "trigger_log_entry", v.opened, integration, map[string]any{"cef_details": map[string]any{"dedup_key": v.key, "details": v.details}})
	enter("R2", "acknowledge_log_entry", v.acked, "user_reference", nil)
	enter("R3", "resolve_log_entry", v.closed, integration, nil)
	switch {
	case path == "/incidents":
		answer(http.StatusOK, map[string]any{"incidents": incidents, "more": false})
	case strings.HasSuffix(path, "/log_entries"):
		answer(http.StatusOK, map[string]any{"log_entries": entries, "more": false})
	case path == "/incidents/Q1":
		answer(http.StatusOK, map[string]any{"incident": in})
	default:
		answer(http.StatusNotFound, map[string]any{})
	}
}

func (v *pages) opsgenie() []any {
	if v.opened.IsZero() {
		return []any{}
	}
	report := map[string]any{}
	alert := map[string]any{
		"id": "og-1", "alias": v.key, "message": "[FIRING:1] CheckoutErrors", "status": "open", "createdAt": v.opened, "updatedAt": now(),
		"description": v.description, "report": report, "entity": "checkout",
	}
	if !v.acked.IsZero() {
		report["ackTime"], report["acknowledgedBy"] = v.acked.Sub(v.opened).Milliseconds(), "ada@example.org"
	}
	if !v.closed.IsZero() {
		alert["status"], report["closeTime"], report["closedBy"] = "closed", v.closed.Sub(v.opened).Milliseconds(), "Alertmanager"
	}
	return []any{alert}
}

func (v *pages) oncall() []any {
	if v.opened.IsZero() {
		return []any{}
	}
	group := map[string]any{
		"id": "IG1", "title": "CheckoutErrors", "state": "firing", "alerts_count": 1, "created_at": v.opened, "labels": []any{},
		"permalinks": map[string]any{"web": v.url + "/incidents/Q1"}, "last_alert": map[string]any{"created_at": now(), "payload": v.details},
	}
	if !v.acked.IsZero() {
		group["state"], group["acknowledged_at"], group["acknowledged_by"] = "acknowledged", v.acked, "U1"
	}
	if !v.closed.IsZero() {
		group["state"], group["resolved_at"] = "resolved", v.closed
	}
	return []any{group}
}

// jira has the ticket that somebody opened for the page, which names it.
func (v *pages) jira() []any {
	if v.opened.IsZero() {
		return []any{}
	}
	fields := map[string]any{
		"summary": "Shop down?", "status": map[string]any{"name": "Open"}, "created": v.opened.Add(time.Second), "updated": v.opened.Add(time.Second),
	}
	if v.labelled {
		fields["labels"] = []string{"ALERT{" + v.key + "}"}
	} else {
		fields["description"] = "Paged: " + v.url + "/incidents/Q1."
	}
	return []any{map[string]any{"id": "501", "key": "OPS-1", "fields": fields}}
}
