package alertmanager

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// notifiers is a folder with what an Alertmanager told its receivers, and its configuration.
var notifiers = flag.String("notifiers", "", "folder with keys.json, routes-*.yml and capture-*.jsonl of Alertmanager's notifications, to compute their keys")

// several is a configuration with every way of writing a matcher and of grouping.
const several = `
route:
  receiver: fallback
  group_by: [alertname, cluster]
  routes:
    - {receiver: blackhole, match: {team: sandbox}, continue: true}
    - {receiver: meantime, continue: true, group_by: ['...']}
    - receiver: pager
      match: {team: pay}
      match_re: {severity: critical|page}
      matchers: ['env!="dev"', 'region=~"eu.*"']
      routes:
        - {matchers: ['service="check\"out"'], group_by: [service, alertname, absent]}
        - {receiver: tickets, match: {tier: "1"}, continue: true}
        - {receiver: chat, match_re: {tier: 1|2}, group_by: ['...']}
        - {receiver: pager, matchers: ['tier!~"1|2"', 'tier!=""'], group_by: []}
    - {receiver: mail, match: {team: sandbox}}
receivers:
  - {name: fallback, slack_configs: [{channel: c}]}
  - {name: blackhole}
  - {name: meantime, webhook_configs: [{url: 'http://m.example.org/webhook/alertmanager'}]}
  - {name: pager, pagerduty_configs: [{routing_key: r}]}
  - {name: tickets, webhook_configs: [{url: 'http://t.example.org/'}]}
  - {name: chat, slack_configs: [{channel: c}]}
  - {name: mail, webhook_configs: [{url: 'http://x.example.org/'}]}
`

const pay = `{}/{env!="dev",region=~"eu.*",severity=~"^(?:critical|page)$",team="pay"}`

// TestGroupKeys has a case for each way of leading and grouping; TestGroupHashes has what Alertmanager itself makes of them.
func TestGroupKeys(t *testing.T) {
	rt, err := ReadRouting(several)
	require.NoError(t, err)
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   []string
	}{
		{"a child that takes all", map[string]string{"alertname": "A"}, []string{`{}/{}:{alertname="A"}`}},
		{
			"continue, and a receiver that tells nobody", map[string]string{"alertname": "A", "team": "sandbox", "cluster": "eu-1"},
			[]string{`{}/{team="sandbox"}:{alertname="A", cluster="eu-1"}`, `{}/{}:{alertname="A", cluster="eu-1", team="sandbox"}`},
		},
		{
			"all kinds of matchers, a quote, a label that the alert has not",
			map[string]string{"alertname": "A", "team": "pay", "severity": "page", "region": "eu-1", "service": `check"out`, "cluster": "c"},
			[]string{
				pay + `/{service="check\"out"}:{alertname="A", service="check\"out"}`,
				`{}/{}:{alertname="A", cluster="c", region="eu-1", service="check\"out", severity="page", team="pay"}`,
			},
		},
		{
			"continue below, and all labels", map[string]string{"alertname": "A", "team": "pay", "severity": "page", "region": "eu-1", "tier": "1", "cluster": "c"},
			[]string{
				pay + `/{tier="1"}:{alertname="A", cluster="c"}`,
				pay + `/{tier=~"^(?:1|2)$"}:{alertname="A", cluster="c", region="eu-1", severity="page", team="pay", tier="1"}`,
				`{}/{}:{alertname="A", cluster="c", region="eu-1", severity="page", team="pay", tier="1"}`,
			},
		},
		{
			"no labels", map[string]string{"alertname": "A", "team": "pay", "severity": "page", "region": "eu-1", "tier": "3", "cluster": "c"},
			[]string{
				pay + `/{tier!="",tier!~"1|2"}:{}`,
				`{}/{}:{alertname="A", cluster="c", region="eu-1", severity="page", team="pay", tier="3"}`,
			},
		},
		{
			"none of the children", map[string]string{"alertname": "A", "team": "pay", "severity": "page", "region": "eu-1"},
			[]string{
				pay + `:{alertname="A"}`, `{}/{}:{alertname="A", region="eu-1", severity="page", team="pay"}`,
			},
		},
		{
			"a regular expression is of the whole value", map[string]string{"alertname": "A", "team": "pay", "severity": "pages", "region": "eu-1"},
			[]string{`{}/{}:{alertname="A", region="eu-1", severity="pages", team="pay"}`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			slices.Sort(c.want)
			receivers := rt.ReceiversOf(c.labels)
			require.Equal(t, c.want, rt.GroupKeys(c.labels, receivers))
			require.Equal(t, c.want, rt.GroupKeys(c.labels, append(receivers, receivers[0])), "Alertmanager names a receiver once for each route")
			require.Empty(t, rt.GroupKeys(c.labels, append(receivers, "new")), "it was routed by another configuration")
			require.Empty(t, rt.GroupKeys(c.labels, nil))
		})
	}
	rt.Root.Routes[0].unread = true
	require.Empty(t, rt.GroupKeys(map[string]string{"alertname": "A"}, []string{"meantime"}), "a matcher that is not known may fit")
}

// TestGroupHashes has hashes that Alertmanager's own packages made (0.34.2). They are no dependency: they need the whole of it.
func TestGroupHashes(t *testing.T) {
	rt, err := ReadRouting(several)
	require.NoError(t, err)
	for _, c := range hashes {
		var got []string
		for _, k := range rt.GroupKeys(c.labels, rt.ReceiversOf(c.labels)) {
			got = append(got, incident.GroupHash(k))
		}
		require.ElementsMatch(t, c.want, got, c.labels)
	}
}

// TestNotifiers computes the keys of what a real Alertmanager told its receivers.
func TestNotifiers(t *testing.T) {
	if *notifiers == "" {
		t.Log("no folder is given; TestGroupHashes has the library's own hashes")
		return
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join(*notifiers, name))
		require.NoError(t, err)
		return text
	}
	var want struct {
		Alert     struct{ Labels map[string]string }
		Receivers []struct {
			Receiver string
			GroupKey string `json:"group_key"`
			SHA256   string
		}
	}
	require.NoError(t, json.Unmarshal(read("keys.json"), &want))
	for _, version := range []string{"0.25.0", "0.34.2"} {
		rt, err := ReadRouting(string(read("routes-" + version + ".yml")))
		require.NoError(t, err)
		keys := rt.GroupKeys(want.Alert.Labels, []string{"meantime", "pager"})
		require.Len(t, keys, len(want.Receivers))
		known := map[string]bool{}
		for _, r := range want.Receivers {
			require.Contains(t, keys, r.GroupKey)
			require.Equal(t, r.SHA256, incident.GroupHash(r.GroupKey))
		}
		for _, k := range keys {
			known[k], known[incident.GroupHash(k)] = true, true
		}
		f, err := os.Open(filepath.Join(*notifiers, "capture-"+version+".jsonl"))
		require.NoError(t, err)
		defer f.Close()
		lines, n := bufio.NewScanner(f), 0
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var sent struct{ Body json.RawMessage }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &sent))
			var body struct {
				GroupKey string `json:"groupKey"`
				Dedup    string `json:"dedup_key"`
				Alias    string `json:"alias"`
				Entity   string `json:"entity_id"`
			}
			if json.Unmarshal(sent.Body, &body) != nil {
				continue // a list: the event recorder's
			}
			for _, k := range []string{body.GroupKey, body.Dedup, body.Alias, body.Entity} {
				if k != "" {
					n++
					require.True(t, known[k], k)
				}
			}
		}
		require.NoError(t, lines.Err())
		require.Greater(t, n, 5)
		t.Logf("%s: %d keys and hashes of the capture are known", version, n)
	}
}

// The keys of all routes are stored with what is listed: once, of what is not muted, beside what a notification told.
func TestGroupKeysOfWhatIsListed(t *testing.T) {
	const config = `
route: {receiver: pager, group_by: [alertname], routes: [{receiver: meantime, matchers: ['alertname=~".+"'], continue: true}, {receiver: pager, matchers: ['alertname!=""']}]}
receivers: [{name: meantime, webhook_configs: [{url: 'http://m/webhook/alertmanager'}]}, {name: pager, pagerduty_configs: [{routing_key: r}]}]
`
	own, pagers := `{}/{alertname=~".+"}:{alertname="Down"}`, `{}/{alertname!=""}:{alertname="Down"}`
	begin := func(state string, mutes ...string) *bench {
		b := newBench(t)
		b.api.config = config
		b.receive("Down", startNano, "10:00:40", "")
		a := listed("Down", startMilli, state, mutes...)
		for _, name := range []string{"meantime", "pager"} {
			a.Receivers = append(a.Receivers, &models.ReceiverReference{Name: &name})
		}
		b.api.alerts = models.GettableAlerts{a}
		return b
	}
	b := begin("active")
	require.Equal(t, 1, b.poll("10:01:00"))
	require.Equal(t, []string{pagers, own}, b.episode("Down").GroupKeys)
	page := incident.References{Groups: []incident.GroupRef{{SHA256: incident.GroupHash(pagers), From: at("2026-03-01T10:00:31Z")}}}
	how, ok := page.States(b.episode("Down"))
	require.True(t, ok)
	require.Equal(t, "by the key of its group", how)
	require.Zero(t, b.pollEach("10:02:00", "10:20:00"), "what is stored is not written again")
	b.restart()
	require.Zero(t, b.pollEach("10:21:00", "10:30:00"), "nor after a restart")
	b.api.config += "inhibit_rules: []\n"
	require.Zero(t, b.poll("10:30:30"), "nor where other things were configured")

	b.api.config = `
route: {receiver: pager, group_by: [cluster], routes: [{receiver: meantime, continue: true}, {receiver: pager}]}
receivers: [{name: meantime, webhook_configs: [{url: 'http://m/webhook/alertmanager'}]}, {name: pager, pagerduty_configs: [{routing_key: r}]}]
`
	require.Equal(t, 1, b.poll("10:30:45"))
	require.Equal(t, []string{`{}/{alertname!=""}:{alertname="Down"}`, own, `{}/{}:{}`}, b.episode("Down").GroupKeys, "its groups of now, and those of before")

	b = begin("suppressed", "silence:1")
	b.poll("10:01:00")
	require.Empty(t, b.episode("Down").GroupKeys, "nobody was told of it")
	b.api.alerts[0].Status.SilencedBy = []string{}
	active := "active"
	b.api.alerts[0].Status.State = &active
	b.poll("10:02:00")
	require.Len(t, b.episode("Down").GroupKeys, 2)

	b = begin("active")
	s := *b.stored("Down")
	for _, k := range []string{"b", "c", "d", "e", "f", "g", "|"} {
		s.GroupKeys = append(s.GroupKeys, "{}/{a=\""+k+"\"}:{}")
	}
	b.store.sightings[s.Key()] = s
	b.poll("10:01:00")
	require.Equal(t, s.GroupKeys, b.episode("Down").GroupKeys, "what a notification told is not put out of it")
}

func (b *bench) stored(name string) *incident.Sighting {
	for _, s := range b.store.sightings {
		if s.Labels["alertname"] == name {
			return &s
		}
	}
	return nil
}

// hashes are what config.LoadFile, dispatch and SHA-256 made of the configuration and these labels, without those to blackhole.
var hashes = []struct {
	labels map[string]string
	want   []string
}{
	{map[string]string{"alertname": "A"}, []string{
		"82c03321559270eca5dba88731f53f9b0d6a2f1292b6dffbbf3059acb230476f",
	}},
	{map[string]string{"alertname": "A", "cluster": "eu-1", "team": "sandbox"}, []string{
		"fad1d0ddf1f4c3cddf729ddeed6151c0704030ec52a3e74843f18759fc6d8dd7",
		"3dba4bc493443c56fbb0153fb386099ba8704f03cbf7ca34e098c164dbd7629b",
	}},
	{map[string]string{"alertname": "A", "cluster": "c", "region": "eu-1", "service": "check\"out", "severity": "page", "team": "pay"}, []string{
		"7e751e9212ec49f271fb3827242cb79945c21ccd5dee9bed8e655922de46cc83",
		"f11f990902f85c664c6681cf570c2043ea2bda2cf96d270b9e60e92584b771b2",
	}},
	{map[string]string{"alertname": "A", "cluster": "c", "region": "eu-1", "severity": "page", "team": "pay", "tier": "1"}, []string{
		"a5f273fb38fc317beaa6957ad601793d9a1a213ac804211c4454d37ace706347",
		"4f2595f931d16d531b32c294217e73d421f7af32c4c093c0a9243fa7ba0c0f16",
		"732612dcd3a0de48b2f3eab49572d141e557bbab850b5876fbbc872424987ac4",
	}},
	{map[string]string{"alertname": "A", "cluster": "c", "region": "eu-1", "severity": "page", "team": "pay", "tier": "3"}, []string{
		"33009d6aac3740a6df906530816b0f9e108e2c99bad96c152642909373941f59",
		"e6d7247bd8b8304f8e67fc957b3793e913349dfd7501c823a794975b723744a5",
	}},
	{map[string]string{"alertname": "A", "cluster": "c", "region": "eu-1", "severity": "pages", "team": "pay", "tier": "3"}, []string{
		"f795409e7af6876b5b52940272dbb7452625a939504e2d231271c10ca536baa4",
	}},
	{map[string]string{"alertname": "A", "env": "dev", "region": "eu-1", "severity": "page", "team": "pay", "tier": "2"}, []string{
		"6626aab4935370e2cbc78e09727506b891bdf492e86d6fb2be30eccd858767f6",
	}},
}
