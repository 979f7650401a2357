package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

const (
	// tick is how often Prometheus scrapes and evaluates.
	tick = time.Second
	// pendingFor is the rules' `for`.
	pendingFor = 2 * time.Second
)

// rules are two alerts with a `for`: on errors of the service checkout, which a record speaks of, and on errors of the
// service search, of which nobody writes a record.
const rules = `
groups:
  - name: test
    rules:
      - {alert: CheckoutErrors, expr: 'errors{service="checkout"} > 0', for: 2s, labels: {severity: critical}}
      - {alert: SearchErrors, expr: 'errors{service="search"} > 0', for: 2s, labels: {severity: critical}}
`

// TestPipeline runs an outage of two services through the real servers: Prometheus sees the errors and evaluates the
// rules, Alertmanager notifies, Meantime measures, Prometheus scrapes the result.
func TestPipeline(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(t testing.TB, o servers.AlertmanagerOptions) []*servers.AlertmanagerServer
		// every says that each notification comes from each Alertmanager.
		every bool
	}{
		{name: "0.25", run: func(t testing.TB, o servers.AlertmanagerOptions) []*servers.AlertmanagerServer {
			o.Events = ""
			return []*servers.AlertmanagerServer{servers.Alertmanager(t, o)}
		}},
		{name: "0.34 with event recorder", run: func(t testing.TB, o servers.AlertmanagerOptions) []*servers.AlertmanagerServer {
			o.Version = servers.NewAlertmanager
			return []*servers.AlertmanagerServer{servers.Alertmanager(t, o)}
		}},
		{name: "0.25 and 0.34 as a cluster", run: func(t testing.TB, o servers.AlertmanagerOptions) []*servers.AlertmanagerServer {
			before, after := o, o
			before.Events, after.Events, after.Version = "", "", servers.NewAlertmanager
			return servers.AlertmanagerPair(t, before, after)
		}},
		{name: "0.25 and 0.34 that do not know each other", every: true, run: func(t testing.TB, o servers.AlertmanagerOptions) []*servers.AlertmanagerServer {
			before, after := o, o
			before.Events, after.Events, after.Version = "", "", servers.NewAlertmanager
			return []*servers.AlertmanagerServer{servers.Alertmanager(t, before), servers.Alertmanager(t, after)}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newOutage(t, c.run)
			p.breaks(t)
			p.isDetected(t)
			if c.every {
				servers.Eventually(t, time.Minute, func() error {
					if n := len(p.tee.alerts(t, "CheckoutErrors", "firing")); n < 2 {
						return fmt.Errorf("%d of 2 Alertmanagers have notified", n)
					}
					return nil
				})
			}
			p.heals(t)
			p.isMeasured(t)
			require.Empty(t, p.tee.refused(), "nothing that Alertmanager sent was refused")
		})
	}
}

// outage is an organisation with two services, and the servers that watch them.
type outage struct {
	errors     atomic.Int64 // what both services report
	tee        *tee
	meantime   *servers.MeantimeServer
	prometheus *servers.PrometheusServer

	broken    time.Time            // when the services broke
	condition map[string]time.Time // when the alerts' conditions became true, by alert name, as Prometheus says
}

func newOutage(t *testing.T, alertmanagers func(testing.TB, servers.AlertmanagerOptions) []*servers.AlertmanagerServer) *outage {
	o := &outage{condition: map[string]time.Time{}}
	services := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := o.errors.Load()
		fmt.Fprintf(w, "errors{service=\"checkout\"} %d\nerrors{service=\"search\"} %d\n", n, n)
	}))
	t.Cleanup(services.Close)

	address := servers.Address(t)
	o.tee = newTee(t, address)
	am := alertmanagers(t, servers.AlertmanagerOptions{
		Webhook: o.tee.URL + "/webhook/alertmanager", Events: o.tee.URL + "/webhook/alertmanager/events",
	})
	var addresses []string
	for _, a := range am {
		addresses = append(addresses, a.Address())
	}
	o.prometheus = servers.Prometheus(t, servers.PrometheusOptions{
		Rules: rules, Alertmanagers: addresses,
		Targets: map[string][]string{"services": {strings.TrimPrefix(services.URL, "http://")}, "meantime": {address}},
	})
	o.meantime = servers.Meantime(t, servers.MeantimeOptions{Address: address, Config: fmt.Sprintf(`
windows: [1d]
sources: []
correlate:
  open: {matchers: ['severity="critical"'], group_by: [service], quiet: 1s, reopen_within: 1m}
alertmanagers: [{url: %q, reconcile_every: 1s}]
prometheuses: [{url: %q}]
`, am[0].URL, o.prometheus.URL)})
	return o
}

// breaks starts the outage and waits until the first notifications of both alerts came through.
func (o *outage) breaks(t *testing.T) {
	// Prometheus must have seen the services well before they break.
	servers.Eventually(t, soon, func() error {
		v, err := o.prometheus.Query(`count(errors == 0)`, time.Time{})
		if err == nil && (len(v) != 1 || v[0].Value != 2) {
			err = fmt.Errorf("Prometheus sees %v", v)
		}
		return err
	})
	o.broken = time.Now()
	o.errors.Store(1)
	servers.Eventually(t, soon, func() error {
		for _, name := range []string{"CheckoutErrors", "SearchErrors"} {
			if len(o.tee.alerts(t, name, "firing")) == 0 {
				return fmt.Errorf("no notification of %s", name)
			}
			v, err := o.prometheus.Query(fmt.Sprintf(`ALERTS_FOR_STATE{alertname=%q}`, name), time.Time{})
			if err != nil {
				return err
			}
			if len(v) != 1 {
				return fmt.Errorf("ALERTS_FOR_STATE of %s is %v", name, v)
			}
			o.condition[name] = time.Unix(int64(v[0].Value), 0).UTC()
		}
		return nil
	})
	for name, at := range o.condition {
		// It became true at the evaluation after the scrape after the break. ALERTS_FOR_STATE holds whole seconds.
		require.WithinRange(t, at, o.broken.Add(-tick), o.broken.Add(2*tick+time.Second), name)
	}
}

// isDetected has a person write a record of the one outage, and waits until both are incidents with their alert.
func (o *outage) isDetected(t *testing.T) {
	o.meantime.Must("PUT", "/api/v1/records/ours/42", map[string]any{
		"id": "42", "title": "Checkout answers with errors", "services": []string{"checkout"}, "severity": "critical", "state": "open",
		"milestones": map[string]any{
			"detected":     time.Now().UTC().Format(time.RFC3339Nano), // the person came after the alert
			"acknowledged": time.Now().UTC().Format(time.RFC3339Nano),
		},
	})
	servers.Eventually(t, soon, func() error {
		all, err := incidents(o.meantime)
		if err != nil {
			return err
		}
		if len(all) != 2 {
			return fmt.Errorf("there are %d incidents: %+v", len(all), all)
		}
		for _, i := range all {
			linked := i.linked()
			if len(linked) != 1 {
				return fmt.Errorf("%s has the links %+v", i.Title, i.Links)
			}
			if want := linked[0].Episode.Labels["alertname"] == "SearchErrors"; i.OpenedByAlerts != want {
				return fmt.Errorf("%s: opened by alerts is %t", i.Title, i.OpenedByAlerts)
			}
			if i.Milestones["started"].Origin != "prometheus" {
				return fmt.Errorf("%s: started is %+v", i.Title, i.Milestones["started"])
			}
		}
		return nil
	})
	for name, i := range o.byAlert(t) {
		require.NotEmpty(t, i.linked()[0].Evidence, name)
		require.Equal(t, "alert", i.DetectedBy, name)
		require.Equal(t, "open", i.State, name)
		require.Equal(t, "pending", i.Measurements["resolve"].Status, name)

		// Detect is from when the condition became true until the notification was there.
		require.Equal(t, o.condition[name], i.Milestones["started"].At.Truncate(time.Second), name)
		first := o.tee.alerts(t, name, "firing")[0]
		detect := i.Measurements["detect"]
		require.Equal(t, "recorded", detect.Status, name)
		require.InDelta(t, first.at.Sub(o.condition[name]).Seconds(), *detect.Seconds, tick.Seconds(), name)
		require.InDelta(t, pendingFor.Seconds(), *i.Measurements["pending"].Seconds, tick.Seconds(), name)
	}
}

// heals ends the outage and waits until Alertmanager said so.
func (o *outage) heals(t *testing.T) {
	o.errors.Store(0)
	servers.Eventually(t, soon, func() error {
		for _, name := range []string{"CheckoutErrors", "SearchErrors"} {
			if len(o.tee.alerts(t, name, "resolved")) == 0 {
				return fmt.Errorf("no notification of the end of %s", name)
			}
		}
		return nil
	})
}

// isMeasured waits until both incidents are measured to the alerts' own ends, and Prometheus has scraped it.
func (o *outage) isMeasured(t *testing.T) {
	servers.Eventually(t, soon, func() error {
		i := o.byAlert(t)
		if m := i["SearchErrors"].Measurements["resolve"]; m.Status != "recorded" {
			return fmt.Errorf("the incident that an alert opened: resolve is %v: %+v", m, i["SearchErrors"])
		}
		if m := i["CheckoutErrors"].Measurements["mitigate"]; m.Status != "recorded" {
			return fmt.Errorf("the incident with a record: mitigate is %v: %+v", m, i["CheckoutErrors"])
		}
		return nil
	})
	all := o.byAlert(t)
	for name, interval := range map[string]string{"SearchErrors": "resolve", "CheckoutErrors": "mitigate"} {
		started := all[name].Milestones["started"].At
		// Alertmanagers that do not know each other tell the same end, to the moment.
		want := o.tee.alerts(t, name, "resolved")[0].EndsAt.Sub(started).Seconds()
		require.InDelta(t, want, *all[name].Measurements[interval].Seconds, 0.001, name)
	}
	require.Equal(t, "pending", all["CheckoutErrors"].Measurements["resolve"].Status,
		"the end of an alert is not the end of an incident that people keep open")

	eps, err := episodes(o.meantime)
	require.NoError(t, err)
	require.Len(t, eps, 2, "each episode appears once, however many told of it")
	for _, e := range eps {
		told := o.tee.alerts(t, e.Labels["alertname"], "firing")[0]
		require.Equal(t, told.StartsAt.UTC(), e.StartsAt)
		require.Equal(t, told.Fingerprint, e.Fingerprint)
		require.Equal(t, "linked", e.Outcome)
	}

	// The person closes the record. Now the whole incident is over.
	closed := time.Now().UTC()
	o.meantime.Must("PUT", "/api/v1/records/ours/42", map[string]any{
		"id": "42", "title": "Checkout answers with errors", "services": []string{"checkout"}, "severity": "critical", "state": "resolved",
		"milestones": map[string]any{"resolved": closed.Format(time.RFC3339Nano)},
	})
	servers.Eventually(t, soon, func() error {
		i := o.byAlert(t)["CheckoutErrors"]
		want := closed.Sub(i.Milestones["started"].At)
		if m := i.Measurements["resolve"]; m.Status != "recorded" || *m.Seconds != want.Seconds() {
			return fmt.Errorf("resolve is %v, not %g s", m, want.Seconds())
		}
		v, err := o.prometheus.Query(`meantime_measurements{interval="resolve",status="recorded",affected_service="",severity="",window="1d"}`, time.Time{})
		if err == nil && (len(v) != 1 || v[0].Value != 2) {
			err = fmt.Errorf("Prometheus has %v", v)
		}
		return err
	})
}

// byAlert is every incident by the name of the alert that belongs to it.
func (o *outage) byAlert(t *testing.T) map[string]incident {
	t.Helper()
	all, err := incidents(o.meantime)
	require.NoError(t, err)
	out := map[string]incident{}
	for _, i := range all {
		for _, l := range i.linked() {
			out[l.Episode.Labels["alertname"]] = i
		}
	}
	require.Len(t, out, 2)
	return out
}
