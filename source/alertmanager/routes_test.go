package alertmanager

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// usual is the configuration of the usual chart, with this program and a pager beside it.
const usual = `
route:
  receiver: "null"
  group_by: [namespace]
  continue: false
  routes:
  - receiver: "null"
    matchers: [alertname="Watchdog"]
  - receiver: meantime
    match: {team: shop}
    matchers:
    - severity=~"critical|page"
    continue: true
    group_wait: 2m
    repeat_interval: 12h
    routes:
    - match_re: {region: eu|us}
      repeat_interval: 1d
  - receiver: pager
    group_wait: 0s
    group_interval: 1m
receivers:
- name: "null"
- name: meantime
  webhook_configs:
  - {send_resolved: false, url: <secret>, max_alerts: 0}
- name: pager
  pagerduty_configs: [{send_resolved: true, routing_key: <secret>}]
`

func TestReadRouting(t *testing.T) {
	rt, err := ReadRouting(usual)
	require.NoError(t, err)
	ns := []string{"namespace"}
	rt.Root.each(func(r *Route) { r.matchers = nil }) // Key has them as text
	require.Equal(t, &Route{
		Key: `{}`, Receiver: "null", GroupBy: ns, GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour,
		Routes: []*Route{
			{Key: `{}/{alertname="Watchdog"}`, Receiver: "null", GroupBy: ns, GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour},
			{
				Key: `{}/{severity=~"critical|page",team="shop"}`, Receiver: "meantime", GroupBy: ns, GroupWait: 2 * time.Minute, GroupInterval: 5 * time.Minute, RepeatInterval: 12 * time.Hour, Continue: true,
				Routes: []*Route{{
					Key: `{}/{severity=~"critical|page",team="shop"}/{region=~"^(?:eu|us)$"}`, Receiver: "meantime", GroupBy: ns,
					GroupWait: 2 * time.Minute, GroupInterval: 5 * time.Minute, RepeatInterval: 24 * time.Hour,
				}},
			},
			{Key: `{}/{}`, Receiver: "pager", GroupBy: ns, GroupInterval: time.Minute, RepeatInterval: 4 * time.Hour},
		},
	}, rt.Root)
	require.Equal(t, map[string]Receiver{
		"null": {Name: "null", Null: true}, "pager": {Name: "pager"}, "meantime": {Name: "meantime", Webhooks: []Webhook{{}}},
	}, rt.Receivers)
	require.False(t, rt.Recorded)
}

func TestRouteKeys(t *testing.T) {
	for matchers, key := range map[string]string{
		`['{a="1", b!="2"}']`: `{}/{a="1",b!="2"}`,
		`[b=2, 'a=~x.*']`:     `{}/{a=~"x.*",b="2"}`,
		`['a="q\"uote"']`:     `{}/{a="q\"uote"}`,
		`['"a b"="1"']`:       `{}/{"a b"="1"}`,
		`['???']`:             ``, // not known, and neither are those below it
	} {
		rt, err := ReadRouting("route: {receiver: r, routes: [{matchers: " + matchers + ", routes: [{matchers: ['z=\"1\"']}]}]}\nreceivers: [{name: r}]\n")
		require.NoError(t, err, matchers)
		require.Equal(t, key, rt.Root.Routes[0].Key)
		if key != "" {
			key += `/{z="1"}`
		}
		require.Equal(t, key, rt.Root.Routes[0].Routes[0].Key)
	}
}

func TestReadRoutingBad(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "route: missing",
		"route: {receiver: r, group_wait: soon}": `not a valid duration string: "soon"`,
		"route: [":                               "yaml:",
		"route: {receiver: r}\nreceivers: [{webhook_configs: []}]":                "receivers[0]: name: missing",
		"route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [soon]}]":   "receivers[0]: webhook_configs: ",
		"route: " + strings.Repeat("{routes: [", 200) + strings.Repeat("]}", 200): "more than",
	} {
		_, err := ReadRouting(text)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzReadRouting(f *testing.F) {
	f.Add(usual)
	f.Add("route: {receiver: r, matchers: ['{']}\nreceivers: [{name: r, webhook_configs: [{url: 'http://m/webhook/alertmanager'}]}]\nevent_recorder: {a: b}\n")
	f.Fuzz(func(t *testing.T, text string) {
		rt, err := ReadRouting(text)
		if err != nil {
			return
		}
		ours := rt.Ours([]incident.Sender{{Route: "{}"}})
		for name := range ours {
			if len(rt.Receivers[name].Webhooks) == 0 {
				t.Fatalf("%q has no webhook", name)
			}
			if rt.Elsewhere([]string{name}, ours) {
				t.Fatalf("%q is ours and elsewhere", name)
			}
		}
		rt.Problems(ours, time.Hour)
	})
}

func heard(url string, groupKeys ...string) []incident.Sender {
	var out []incident.Sender
	for _, k := range groupKeys {
		if name, ok := strings.CutPrefix(k, "by "); ok {
			out = append(out, incident.NewReceiver(url, name, at("2026-03-01T09:00:00Z")))
			continue
		}
		out = append(out, incident.NewSender(url, k, at("2026-03-01T09:00:00Z")))
	}
	return out
}

const shopGroup = `{}/{severity=~"critical|page",team="shop"}:{namespace="x:y"}`

func TestOurs(t *testing.T) {
	const shown = "route: {receiver: a}\nreceivers:\n- {name: a, webhook_configs: [{url: 'http://chat/hook'}]}\n- {name: m, webhook_configs: [{url: 'http://meantime:10049/p/webhook/alertmanager'}]}\n- {name: 'null'}\n"
	const recorded = shown + "event_recorder: {webhook_outputs: []}\n"
	for _, c := range []struct {
		name, config string
		senders      []incident.Sender
		ours         []string
		elsewhere    []string // of the receivers each alone
	}{
		{"nobody heard", usual, nil, nil, []string{"null"}},
		{"heard", usual, heard("", shopGroup), []string{"meantime"}, []string{"null", "pager"}},
		{"a route that is no more", usual, heard("", `{}/{team="gone"}:{}`), nil, []string{"null"}},
		{"a route that is no more, of a receiver that is", usual, heard("", `{}/{team="gone"}:{}`, "by meantime"), []string{"meantime"}, []string{"null", "pager"}},
		{"a receiver that is no more", usual, heard("", `{}/{team="gone"}:{}`, "by hook"), nil, []string{"null"}},
		{"a receiver without a webhook now", usual, heard("", "by null"), nil, []string{"null"}},
		{"a receiver with a colon in its name", strings.ReplaceAll(usual, "meantime", "'me:an'"), heard("", "by me:an"), []string{"me:an"}, []string{"null", "pager"}},
		{"a receiver of some other name", usual, heard("", "by mean"), nil, []string{"null"}},
		{"a route that leads to others now", usual, heard("", `{}/{}:{}`), nil, []string{"null"}},
		{"shown by the address", shown, nil, []string{"m"}, []string{"a", "null"}},
		{"shown, and one that a proxy leads here", shown, heard("", `{}:{}`), []string{"a", "m"}, []string{"null"}},
		{"the event recorder tells of all", recorded, nil, []string{"m"}, []string{"null"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rt, err := ReadRouting(c.config)
			require.NoError(t, err)
			ours := rt.Ours(c.senders)
			var got, elsewhere []string
			for name := range rt.Receivers {
				if ours[name] {
					got = append(got, name)
				}
				if rt.Elsewhere([]string{name}, ours) {
					elsewhere = append(elsewhere, name)
				}
			}
			slices.Sort(got)
			slices.Sort(elsewhere)
			require.Equal(t, c.ours, got)
			require.Equal(t, c.elsewhere, elsewhere)
			require.False(t, rt.Elsewhere(nil, ours), "old versions tell no receivers")
			require.False(t, rt.Elsewhere([]string{"new"}, ours), "a receiver that the configuration does not have yet")
			for name := range ours {
				require.False(t, rt.Elsewhere([]string{"null", name}, ours))
			}
		})
	}
}

func TestProblems(t *testing.T) {
	route := func(settings, hooks string) string {
		return "route: {receiver: m" + settings + "}\nreceivers: [{name: m, webhook_configs: [" + hooks + "]}]\n"
	}
	const on, off = "{url: 'http://m/webhook/alertmanager', send_resolved: true}", "{url: 'http://m/webhook/alertmanager', send_resolved: false}"
	for _, c := range []struct {
		name, config string
		expire       time.Duration
		want         []Reason
	}{
		{"nothing said", route("", on), 25 * time.Hour, nil},
		{"send_resolved left out is true", route("", "{url: 'http://m/webhook/alertmanager'}"), 25 * time.Hour, nil},
		{"repeats once a day", route(", repeat_interval: 1d", on), 25 * time.Hour, nil},
		{"repeats as alerts expire", route(", repeat_interval: 25h", on), 25 * time.Hour, []Reason{ReasonRepeat}},
		{"repeats a group_interval too late", route(", repeat_interval: 24h, group_interval: 1h", on), 25 * time.Hour, []Reason{ReasonRepeat}},
		{"repeats just in time", route(", repeat_interval: 24h, group_interval: 59m", on), 25 * time.Hour, nil},
		{"nothing expires", route(", repeat_interval: 1y", on), 0, nil},
		{"ends are not sent", route("", off), 25 * time.Hour, []Reason{ReasonResolved}},
		{"another webhook of the receiver sends ends", route("", off+", {url: 'http://chat/'}"), 25 * time.Hour, []Reason{ReasonResolved}},
		{"another webhook sends none", route("", on+", {url: 'http://chat/', send_resolved: false}"), 25 * time.Hour, nil},
		{"waits a minute", route(", group_wait: 1m", on), 25 * time.Hour, nil},
		{"waits longer", route(", group_wait: 61s", on), 25 * time.Hour, []Reason{ReasonWait}},
		{"a child has it of its parent", route(", group_wait: 5m, routes: [{matchers: ['a=\"1\"']}]", on), 25 * time.Hour, []Reason{ReasonWait, ReasonWait}},
		{"a receiver is said once", route(", routes: [{matchers: ['a=\"1\"']}]", off), 25 * time.Hour, []Reason{ReasonResolved}},
		{"other receivers are not", "route: {receiver: m, routes: [{receiver: chat, group_wait: 1h}]}\nreceivers: [{name: m, webhook_configs: [" + on + "]}, {name: chat, webhook_configs: [{send_resolved: false, url: 'http://chat/'}]}]\n", 25 * time.Hour, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rt, err := ReadRouting(c.config)
			require.NoError(t, err)
			var got []Reason
			for _, p := range rt.Problems(rt.Ours(nil), c.expire) {
				got = append(got, p.Reason)
			}
			require.Equal(t, c.want, got)
		})
	}
}

// routedTo makes an alert that goes to receivers.
func routedTo(name string, receivers ...string) *models.GettableAlert {
	a := listed(name, startMilli, "active")
	for _, r := range receivers {
		a.Receivers = append(a.Receivers, &models.ReceiverReference{Name: &r})
	}
	return a
}

func (b *bench) names() []string {
	var out []string
	for _, s := range b.store.sightings {
		out = append(out, s.Labels["alertname"])
	}
	slices.Sort(out)
	return out
}

// What everybody routes to null is no alert here, whether a notification came before or not.
func TestAlertsForOthers(t *testing.T) {
	all := models.GettableAlerts{
		routedTo("Watchdog", "null"), routedTo("InfoInhibitor", "null"), routedTo("CPUThrottlingHigh", "pager"), routedTo("Down", "null", "meantime"), routedTo("Slow", "meantime", "pager"),
	}
	t.Run("before any notification", func(t *testing.T) {
		b := newBench(t)
		b.api.config, b.api.alerts = usual, all
		b.poll("10:01:00")
		require.Equal(t, []string{"CPUThrottlingHigh", "Down", "Slow"}, b.names())
		require.InDelta(t, 2, testutil.ToFloat64(b.metrics.elsewhere.WithLabelValues("alertmanager")), 0)
		require.Empty(t, b.Notes(), "which route is ours is not known")
	})
	t.Run("after one of its address", func(t *testing.T) {
		b := newBench(t)
		b.api.config, b.api.alerts, b.store.senders = usual, all, heard("http://am:9093/", shopGroup)
		b.poll("10:01:00")
		require.Equal(t, []string{"Down", "Slow"}, b.names())
	})
	t.Run("after one of another address", func(t *testing.T) {
		b := newBench(t)
		b.api.config, b.api.alerts, b.store.senders = usual, all, heard("http://other", shopGroup)
		b.poll("10:01:00")
		require.Equal(t, []string{"CPUThrottlingHigh", "Down", "Slow"}, b.names(), "whose that was is not known")
	})
	t.Run("after one of another address, where it is the only one", func(t *testing.T) {
		b := newBench(t)
		b.alone = true
		b.restart()
		b.api.config, b.api.alerts, b.store.senders = usual, all, heard("http://outside", shopGroup)
		b.poll("10:01:00")
		require.Equal(t, []string{"Down", "Slow"}, b.names())
		b.store.senders = append(b.store.senders, heard("http://third", shopGroup)...)
		b.poll("10:02:00")
		require.Equal(t, []string{"CPUThrottlingHigh", "Down", "Slow"}, b.names(), "two have spoken")
	})
	t.Run("the configuration is hidden", func(t *testing.T) {
		b := newBench(t)
		b.api.alerts, b.api.hidden, b.store.senders = all, errors.New("403 Forbidden"), heard("http://am:9093", shopGroup)
		b.poll("10:01:00")
		b.poll("10:02:00")
		require.Len(t, b.names(), 5)
		require.Equal(t, 1, strings.Count(b.log.String(), "403 Forbidden"), b.log.String())
		require.InDelta(t, 1, testutil.ToFloat64(b.metrics.unread.WithLabelValues("alertmanager")), 0)
		b.api.hidden, b.api.config = nil, usual
		b.poll("10:03:00")
		require.InDelta(t, 0, testutil.ToFloat64(b.metrics.unread.WithLabelValues("alertmanager")), 0)
	})
	t.Run("what a notification told of is followed to its end", func(t *testing.T) {
		b := newBench(t)
		b.api.config, b.store.senders = usual, heard("http://am:9093", shopGroup)
		b.receive("Moved", startNano, "10:00:40", "")
		b.api.alerts = models.GettableAlerts{routedTo("Moved", "pager")} // its route was changed
		b.pollEach("10:01:00", "10:20:00")
		require.True(t, b.episode("Moved").Firing(), "it is listed, so it is not gone")
		b.api.alerts = nil
		b.pollEach("10:21:00", "10:30:00")
		require.Equal(t, incident.EndGone, b.episode("Moved").End)
	})
}

// What keeps times from being known is said once, and again when it changes.
func TestNotes(t *testing.T) {
	b := newBench(t)
	b.expire = 6 * time.Hour
	b.restart()
	b.api.config, b.store.senders = usual, heard("http://am:9093", shopGroup)
	b.pollEach("10:01:00", "10:05:00")
	require.Equal(t, []string{
		`the route {}/{severity=~"critical|page",team="shop"} to receiver "meantime" repeats what still fires only every 12h5m (repeat_interval 12h, group_interval 5m), and alerts expire after 6h: ` +
			`while this Alertmanager cannot be asked, an alert that fires on counts as over, its end unknown; set correlate.expire_after above 12h5m, or repeat_interval lower`,
		`receiver "meantime" has send_resolved: false: ends are known only from asking this Alertmanager, to its polls, and not at all while it cannot be asked; set send_resolved: true`,
		`the route {}/{severity=~"critical|page",team="shop"} to receiver "meantime" waits 2m before it first tells of an alert (group_wait): every detection by an alert is that much later; set group_wait to 1m or less`,
		`the route {}/{severity=~"critical|page",team="shop"}/{region=~"^(?:eu|us)$"} to receiver "meantime" repeats what still fires only every 1d5m (repeat_interval 1d, group_interval 5m), and alerts expire after 6h: ` +
			`while this Alertmanager cannot be asked, an alert that fires on counts as over, its end unknown; set correlate.expire_after above 1d5m, or repeat_interval lower`,
		`the route {}/{severity=~"critical|page",team="shop"}/{region=~"^(?:eu|us)$"} to receiver "meantime" waits 2m before it first tells of an alert (group_wait): every detection by an alert is that much later; set group_wait to 1m or less`,
	}, b.Notes())
	require.Equal(t, 5, strings.Count(b.log.String(), "level=WARN"), b.log.String())
	require.NoError(t, testutil.GatherAndCompare(b.reg, strings.NewReader(`
# HELP meantime_source_route_problems Settings of Alertmanager's routes and receivers that send here and that keep times from being known, by the setting.
# TYPE meantime_source_route_problems gauge
meantime_source_route_problems{reason="group_wait",source="alertmanager"} 2
meantime_source_route_problems{reason="repeat_interval",source="alertmanager"} 2
meantime_source_route_problems{reason="send_resolved",source="alertmanager"} 1
`), "meantime_source_route_problems"))
	lint, err := testutil.GatherAndLint(b.reg)
	require.NoError(t, err)
	require.Empty(t, lint)

	b.api.config = strings.ReplaceAll(usual, "send_resolved: false", "send_resolved: true")
	b.poll("10:06:00")
	require.Len(t, b.Notes(), 4)
	b.api.config = usual
	b.poll("10:07:00")
	require.Equal(t, 6, strings.Count(b.log.String(), "level=WARN"), "the one that came back is said again")
	require.NoError(t, b.Close())
	n, err := testutil.GatherAndCount(b.reg, "meantime_source_route_problems", "meantime_source_unrouted_alerts")
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestReceiversOf walks as Alertmanager does: the first child that fits, further ones after one that continues, else the route
// itself.
func TestReceiversOf(t *testing.T) {
	rt, err := ReadRouting(`
route:
  receiver: default
  routes:
    - {receiver: nobody, matchers: ['team="sandbox"']}
    - {receiver: meantime, matchers: ['severity="critical"'], continue: true}
    - receiver: shop
      match: {team: shop}
      routes: [{receiver: night, match_re: {shift: n.*}}]
receivers: [{name: default}, {name: nobody}, {name: meantime}, {name: shop}, {name: night}]
`)
	require.NoError(t, err)
	for _, c := range []struct {
		labels map[string]string
		want   []string
	}{
		{map[string]string{}, []string{"default"}},
		{map[string]string{"team": "sandbox", "severity": "critical"}, []string{"nobody"}},
		{map[string]string{"severity": "critical"}, []string{"meantime"}},
		{map[string]string{"severity": "critical", "team": "shop"}, []string{"meantime", "shop"}},
		{map[string]string{"team": "shop", "shift": "night"}, []string{"night"}},
	} {
		require.Equal(t, c.want, rt.ReceiversOf(c.labels), c.labels)
	}
	rt.Root.Routes[0].unread = true
	require.Empty(t, rt.ReceiversOf(map[string]string{}), "a matcher that is not known may fit")
}

func TestWays(t *testing.T) {
	rt, err := ReadRouting("route: {receiver: here, routes: [{receiver: nobody, matchers: ['team=\"sandbox\"']}]}\nreceivers: [{name: here, webhook_configs: [{url: 'http://m:10049/webhook/alertmanager'}]}, {name: nobody}]\n")
	require.NoError(t, err)
	w := NewWays()
	sandbox := map[string]string{"team": "sandbox"}
	require.False(t, w.Elsewhere(nil, sandbox), "no Alertmanager is asked")
	require.False(t, w.Elsewhere([]string{"a"}, sandbox), "it was not asked yet")
	w.set("a", rt, map[string]bool{"here": true})
	require.True(t, w.Elsewhere([]string{"a"}, sandbox))
	require.False(t, w.Elsewhere([]string{"a"}, map[string]string{}))
	require.False(t, w.Elsewhere([]string{"a", "b"}, sandbox), "the other may send it here")
	w.set("b", nil, nil)
	require.False(t, w.Elsewhere([]string{"a", "b"}, sandbox), "the other's routes could not be read")
	w.Wait(t.Context(), []string{"a", "b"}) // both were asked
	w.forget("a")
	require.False(t, w.Elsewhere([]string{"a"}, sandbox))
}
