package config

import (
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	allPoints    = "started, detected, acknowledged, identified, mitigated, resolved, condition_true, alert_fired, alert_notified, alerts_ended, opened"
	allIntervals = "detect, acknowledge, identify, mitigate, resolve, pending, notify, paperwork, handle"
	allSections  = "store, windows, intervals, calendars, objectives, availability, figures, services, severities, correlate, alertmanagers, prometheuses, alerts, watchdogs, sources, postmortems, letters, limits, web"
)

func allTypes() string {
	var out []string
	for _, t := range sourceTypes {
		out = append(out, t.name)
	}
	return strings.Join(out, ", ")
}

// Each file of testdata/bad has one kind of mistake. The messages are without the folder's name.
var badFiles = map[string][]string{
	"alias-incomplete": {
		`alias-incomplete.yml:3: services.aliases[0].service: missing; it is the service that the names mean`,
		`alias-incomplete.yml:3: services.aliases[0].names: missing; list the other names`,
	},
	"alias-twice": {
		`alias-twice.yml:4: services.aliases[1].names[0]: "Shop" is given twice, first for checkout`,
	},
	"alerts": {
		`alerts.yml:2: alerts.ignore[1].matchers: missing; write it like ['alertname="Watchdog"']`,
		`alerts.yml:3: alerts.drop_labels[2]: "replica" is given twice`,
		`alerts.yml:3: alerts.drop_labels[1]: alertname tells one alert from another; name labels that only tell replicas apart, such as prometheus_replica`,
	},
	"client-ca": {
		`client-ca.yml:1: prometheuses[0].tls_config.ca_file: testdata/token has no certificate in PEM form`,
		`client-ca.yml:2: alertmanagers[0].tls_config.ca_file: open testdata/absent.pem: no such file or directory`,
	},
	"client-half-credentials": {
		`client-half-credentials.yml:1: prometheuses[0].basic_auth.password_file: missing; username is given`,
		`client-half-credentials.yml:2: alertmanagers[0].basic_auth.username: missing; password_file is given`,
	},
	"client-two-credentials": {
		`client-two-credentials.yml:2: prometheuses[0]: basic_auth and bearer_token_file are given; write one of them`,
		`client-two-credentials.yml:6: alertmanagers[0]: bearer_token_file and oauth2 are given; write one of them`,
	},
	"client-url-with-password": {
		`client-url-with-password.yml:1: prometheuses[0].url: has a user name in it; write basic_auth, with the password in a file`,
	},
	"client-url-with-query": {
		`client-url-with-query.yml:1: prometheuses[0].url: has a ? or # in it; write the address alone`,
	},
	"client-url": {
		`client-url.yml:1: alertmanagers[0].url: not an http or https address; write it like http://127.0.0.1:9093`,
	},
	"client-without-url": {
		`client-without-url.yml:2: prometheuses[0].url: missing; it is the address to ask`,
	},
	"client-ca-moved": {
		`client-ca-moved.yml:1: alertmanagers[0].ca_file: is now tls_config.ca_file: write tls_config: {ca_file: …}`,
	},
	"client-certificate": {
		`client-certificate.yml:1: prometheuses[0].tls_config.key_file: missing; cert_file is given`,
		`client-certificate.yml:3: alertmanagers[0].tls_config.cert_file: missing; key_file is given`,
		`client-certificate.yml:4: alertmanagers[1].tls_config.cert_file: private key does not match public key`,
	},
	"client-headers-list": {
		`client-headers-list.yml:1: alertmanagers[0].headers: a list where a mapping belongs; write {NAME: VALUE}`,
	},
	"client-headers": {
		`client-headers.yml:4: alertmanagers[0].headers.Authorization: write bearer_token_file, basic_auth or oauth2`,
		`client-headers.yml:5: alertmanagers[0].headers.Host: not a header to set`,
		`client-headers.yml:6: alertmanagers[0].headers.X Org: no header's name`,
		`client-headers.yml:7: alertmanagers[0].headers.X-A: empty`,
		`client-headers.yml:8: alertmanagers[0].headers.X-B: open testdata/bad/absent: no such file or directory`,
		`client-headers.yml:9: alertmanagers[0].headers.X-C: a list where a single value belongs`,
		`client-headers.yml:10: alertmanagers[0].headers.X-D: no header's value`,
		`client-headers.yml:12: alertmanagers[0].headers.X-E: given twice`,
	},
	"client-is-a-mapping": {
		`client-is-a-mapping.yml:1: alertmanager: is now alertmanagers, a list: write alertmanagers: [{url: …}]`,
		`client-is-a-mapping.yml:2: prometheus: is now prometheuses, a list: write prometheuses: [{url: …}]`,
		`client-is-a-mapping.yml:3: prometheuses: a mapping where a list belongs`,
	},
	"client-names": {
		`client-names.yml:2: alertmanagers[0].name: missing; of several each needs a name, which metrics, logs and pages show`,
		`client-names.yml:4: alertmanagers[2].name: "US" is given twice`,
		`client-names.yml:5: alertmanagers[3].name: "a/b"; write letters, digits, _, . and -, at most 64`,
	},
	"client-oauth2": {
		`client-oauth2.yml:1: prometheuses[0].oauth2.token_url: missing; oauth2 needs token_url, client_id and client_secret_file`,
		`client-oauth2.yml:1: prometheuses[0].oauth2.client_secret_file: missing; oauth2 needs token_url, client_id and client_secret_file`,
		`client-oauth2.yml:2: alertmanagers[0].oauth2.token_url: not an http or https address; write it like http://127.0.0.1:9093`,
		`client-oauth2.yml:2: alertmanagers[0].oauth2.scopes[1]: "a" is given twice`,
	},
	"client-proxy": {
		`client-proxy.yml:1: alertmanagers[0].proxy_url: not an http or https address; write it like http://127.0.0.1:9093`,
		`client-proxy.yml:3: prometheuses[0].no_proxy: without proxy_url it has no effect`,
		`client-proxy.yml:4: prometheuses[1].proxy_url: has a user name in it; a proxy that asks for a password is named by the environment's variable HTTPS_PROXY`,
	},
	"postmortems": {
		`postmortems.yml:2: postmortems.zone: unknown zone "Berlin"; write it like Europe/Berlin`,
		`postmortems.yml:4: postmortems.words.resolved[1]: "All  Clear" is given twice`,
		`postmortems.yml:5: postmortems.words.mitigated[0]: "..." has no word in it; write a phrase as documents have it, such as all clear`,
		`postmortems.yml:6: postmortems.words.started[0]: "fire|smoke" is more than words; write each phrase alone, such as [all clear, back to normal]`,
		`postmortems.yml:7: postmortems.words.identifed: unknown key; did you mean identified?`,
		`postmortems.yml:9: postmortems.headings.cause: a single value where a list belongs; write [Why]`,
		`postmortems.yml:10: postmortems.headings.lessons[0]: "Homework" is given twice, first for actions`,
	},
	"expire-after-polling": {
		`expire-after-polling.yml:1: correlate.expire_after: 5m is less than 6m, in which alertmanagers[1] is asked 3 times (reconcile_every: 2m): alerts that it still lists would be given up`,
	},
	"external-labels": {
		`external-labels.yml:3: prometheuses[0].external_url: not an http or https address; write it like http://127.0.0.1:9093`,
		`external-labels.yml:4: prometheuses[0].external_labels: "" is no name`,
		`external-labels.yml:7: alertmanagers[0].external_url: not an http or https address; write it like http://127.0.0.1:9093`,
	},
	"dependency": {
		`dependency.yml:3: correlate.dependencies[0].needs[1]: a needs itself`,
		`dependency.yml:4: correlate.dependencies[1].service: missing; it is the service that needs the others`,
		`dependency.yml:4: correlate.dependencies[1].needs: missing; list the services it needs`,
	},
	"dsn-twice": {
		`dsn-twice.yml:1: store.dsn_file: store.dsn is given as well; write one of them`,
	},
	"dsn-without-file": {
		`dsn-without-file.yml:1: store.dsn: no file after sqlite:; write sqlite:FILE`,
	},
	"dsn-without-server": {
		`dsn-without-server.yml:1: store.dsn: no server after postgres://; write postgres://USER@HOST/DATABASE`,
	},
	"dsn": {
		`dsn.yml:1: store.dsn: unknown kind of database; write sqlite:FILE or postgres://USER@HOST/DATABASE`,
	},
	"duration-fraction-unit": {
		`duration-fraction-unit.yml:1: correlate.open.quiet: not a duration: "1.5h"; write it like 30s, 5m, 1h30m, 28d or 15y`,
	},
	"duration-fraction": {
		`duration-fraction.yml:1: correlate.open_for: a duration needs a unit and a whole number: "1.5"; write it like 90s, 30m or 28d`,
	},
	"duration-negative": {
		`duration-negative.yml:1: correlate.open.quiet: not a duration: "-5m"; write it like 30s, 5m, 1h30m, 28d or 15y`,
	},
	"duration-quoted-without-unit": {
		`duration-quoted-without-unit.yml:1: correlate.open_for: a duration needs a unit: "168"; write 168m or 168s`,
	},
	"duration-too-long": {
		`duration-too-long.yml:1: windows[0]: a duration longer than 292 years: "400y"`,
	},
	"duration-true": {
		`duration-true.yml:1: correlate.open_for: not a duration: "true"; write it like 30s, 5m, 1h30m, 28d or 15y`,
	},
	"duration-unknown-unit": {
		`duration-unknown-unit.yml:1: windows[1]: not a duration: "1mo"; write it like 30s, 5m, 1h30m, 28d or 15y`,
	},
	"duration-without-unit": {
		`duration-without-unit.yml:5: correlate.open.quiet: a duration needs a unit: "5"; write 5m or 5s`,
	},
	"duration-zero": {
		`duration-zero.yml:1: correlate.expire_after: must be longer than 0`,
	},
	"element-wanted": {
		`element-wanted.yml:1: windows[1]: a list where a single value belongs`,
		`element-wanted.yml:1: windows[2]: empty`,
	},
	"interval-incomplete": {
		`interval-incomplete.yml:2: intervals[0].name: missing`,
		`interval-incomplete.yml:2: intervals[0].to: missing; it is one of ` + allPoints,
	},
	"interval-name": {
		`interval-name.yml:1: intervals[0].name: "Time to fix"; write letters a to z, digits and _, a letter first`,
	},
	"interval-point-far": {
		`interval-point-far.yml:1: intervals[0].from: unknown point "commit"; it is one of ` + allPoints,
		`interval-point-far.yml:1: intervals[0].to: unknown point "deploy"; it is one of ` + allPoints,
	},
	"interval-point": {
		`interval-point.yml:1: intervals[0].from: unknown point "identifed"; did you mean identified?`,
	},
	"interval-same-points": {
		`interval-same-points.yml:1: intervals[0].to: the same as from: "resolved"`,
	},
	"interval-twice": {
		`interval-twice.yml:3: intervals[1].name: "fix" is given twice`,
	},
	"key-elsewhere": {
		`key-elsewhere.yml:1: open: unknown key; did you mean correlate.open?`,
	},
	"key-in-a-list": {
		`key-in-a-list.yml:4: sources[0].directory: unknown key; the keys here are ` + strings.Join(names(reflect.TypeFor[SourceConfig]()), ", "),
		`key-in-a-list.yml:5: sources[0].dirr: unknown key; did you mean dir?`,
	},
	"key-in-capitals": {
		`key-in-capitals.yml:1: Windows: unknown key; did you mean windows?`,
	},
	"key-is-a-list": {
		`key-is-a-list.yml:2: store: a list where the name of a key belongs`,
	},
	"key-twice": {
		`key-twice.yml:3: windows: given twice; the first is in line 1`,
	},
	"key-with-a-dot": {
		`key-with-a-dot.yml:1: store.dsn: unknown key; write the keys one within the other, such as store: {dsn: …}; the keys here are ` + allSections,
	},
	"label-twice": {
		`label-twice.yml:1: services.labels[2]: "service" is given twice`,
	},
	"limits": {
		`limits.yml:2: limits.services: 0 is less than 1`,
		`limits.yml:3: limits.alert_names: -1 is less than 0`,
		`limits.yml:4: limits.recent_incidents: -1 is less than 0`,
		`limits.yml:5: limits.body_bytes: 16 is less than 1024`,
		`limits.yml:6: limits.alerts_per_webhook: 0 is less than 1`,
	},
	"link-at-nan": {
		`link-at-nan.yml:1: correlate.link_at: not a number: ".nan"`,
	},
	"link-at": {
		`link-at.yml:1: correlate.link_at: 1.5 is not above 0 and at most 1`,
	},
	"list-of-mappings-wanted": {
		`list-of-mappings-wanted.yml:1: sources: a mapping where a list belongs`,
	},
	"list-wanted": {
		`list-wanted.yml:1: windows: a single value where a list belongs; write [28d]`,
	},
	"mapping-wanted": {
		`mapping-wanted.yml:1: store: a single value where a mapping of keys belongs; the keys are dsn, dsn_file, retention`,
	},
	"matcher-empty": {
		`matcher-empty.yml:1: correlate.open.any[0].matchers: missing; write it like ['alertname="Watchdog"']`,
		`matcher-empty.yml:1: correlate.open.any[1].matchers[0]: not a matcher: "{}"; write it like 'severity="critical"'`,
	},
	"matcher": {
		"matcher.yml:1: services.rules[1].matchers[0]: not a matcher: \"a=~\\\"(\\\"\": error parsing regexp: missing closing ): `^(?:()$`",
	},
	"maintenance": {
		`maintenance.yml:3: correlate.maintenance[0].weekly: "sunday 2-4" is not a day and two times; write it like "sun 02:00-04:00"`,
		`maintenance.yml:4: correlate.maintenance[1].zone: unknown zone "Berlin"; write one such as Europe/Berlin`,
		`maintenance.yml:5: correlate.maintenance[2].to: 2026-03-01T00:00:00Z is not after from, which is 2026-03-02T00:00:00Z`,
		`maintenance.yml:6: correlate.maintenance[3].zone: it is the zone of weekly, which is missing; from and to carry their own`,
		`maintenance.yml:7: correlate.maintenance[4].matchers: missing; write it like ['alertname="Watchdog"']`,
		`maintenance.yml:8: correlate.maintenance[5].from: not a time: "yesterday"; write it like 2006-01-02T15:04:05Z`,
	},
	"matchers-as-mapping": {
		`matchers-as-mapping.yml:1: watchdogs[0].matchers: a mapping where a list belongs`,
	},
	"matchers-as-text": {
		`matchers-as-text.yml:1: watchdogs[0].matchers: a single value where a list belongs; write [alertname="Watchdog"]`,
	},
	"merge-key": {
		`merge-key.yml:2: store.<<: unknown key; merge keys are not read; write the keys out`,
	},
	"not-a-bool": {
		`not-a-bool.yml:1: correlate.open.weigh: not true or false: "yes"`,
	},
	"letters": {
		`letters.yml:2: letters[0].name: "a b"; write letters, digits, _, . and -, at most 64`,
		`letters.yml:2: letters[0].url: not an http or https address; write that of a webhook, such as https://hooks.slack.com/services/…`,
		`letters.yml:2: letters[0].form: unknown form "slak"; did you mean slack?`,
		`letters.yml:2: letters[0].every: unknown period "day"; it is one of month, week`,
		`letters.yml:2: letters[0].after: 30d is more than 6d, after which the next week's letter is near`,
		`letters.yml:2: letters[0].zone: unknown zone "Berlin"; write it like Europe/Berlin`,
		`letters.yml:3: letters[1].url: not an http or https address; write that of a webhook, such as https://hooks.slack.com/services/…`,
		`letters.yml:4: letters[2].name: "ours" is given twice`,
		`letters.yml:4: letters[2].url_file: url is given as well; write one of them`,
		`letters.yml:5: letters[3].url_file: not an http or https address; write that of a webhook, such as https://hooks.slack.com/services/…`,
	},
	"figures-by": {
		`figures-by.yml:2: figures.by: 4 labels are more than the 3 that figures can be by`,
		`figures-by.yml:2: figures.by[0]: "Team" cannot be a part of a metric's name: letters a to z, digits and _, a letter first`,
		`figures-by.yml:2: figures.by[1]: there are figures by severity already`,
		`figures-by.yml:2: figures.by[3]: team is there twice`,
	},
	"availability": {
		`availability.yml:2: availability[0].severities[1]: unknown severity "critcal"; did you mean critical?`,
		`availability.yml:3: availability[1].objective: 99.9 is not a share of time above 0 and below 1, such as 0.999`,
		`availability.yml:4: availability[2]: says nothing; write severities, objective or both`,
		`availability.yml:5: availability[3]: a second entry for Checkout`,
	},
	"calendar": {
		`calendar.yml:2: calendars[0]: hours "mon-fry 10:00-17:00"; write them like mon-fri 10:00-17:00, or mon 00:00-24:00`,
		`calendar.yml:3: calendars[1]: unknown zone "London"; write it like Europe/London`,
		`calendar.yml:4: calendars[2].name: "support" is given twice`,
		`calendar.yml:6: intervals[0].calendar: unknown calendar "suport"; did you mean support?`,
	},
	"not-a-number": {
		`not-a-number.yml:1: correlate.link_at: not a number: "high"`,
	},
	"not-a-whole-number": {
		`not-a-whole-number.yml:1: limits.services: not a whole number: "10.5"`,
	},
	"not-yaml": {
		`not-yaml.yml:2: not YAML: did not find expected node content`,
	},
	"objective-incomplete": {
		`objective-incomplete.yml:2: objectives[0].interval: missing; it is one of ` + allIntervals,
		`objective-incomplete.yml:2: objectives[0].within: missing; write a duration such as 5m`,
	},
	"objective-interval": {
		`objective-interval.yml:1: objectives[0].interval: unknown interval "repair"; it is one of ` + allIntervals,
	},
	"objective-severity": {
		`objective-severity.yml:1: objectives[0].severity: unknown severity "critcal"; did you mean critical?`,
	},
	"objective-twice": {
		`objective-twice.yml:3: objectives[1]: a second objective for resolve of critical`,
	},
	"secret-empty": {
		`secret-empty.yml:1: web.write_token_file: testdata/empty is empty`,
	},
	"secret-in-the-file": {
		`secret-in-the-file.yml:1: prometheuses[0].bearer_token: unknown key; did you mean bearer_token_file?`,
	},
	"secret-missing": {
		`secret-missing.yml:2: web.webhook_token_file: open testdata/absent: no such file or directory`,
	},
	"secret-several-lines": {
		`secret-several-lines.yml:1: web.write_token_file: testdata/bad/secret-missing.yml has more than one line; a secret's file holds nothing else`,
	},
	"service-rule-incomplete": {
		`service-rule-incomplete.yml:3: services.rules[0].service: missing; it names the service of the alerts that match`,
		`service-rule-incomplete.yml:3: services.rules[0].matchers: missing; write it like ['alertname="Watchdog"']`,
	},
	"hosts": {
		`hosts.yml:4: web.allowed_hosts[1]: "http://meantime.example.org" is no host name; write it without http://, port and path, such as meantime.example.org`,
		`hosts.yml:5: web.allowed_hosts[2]: "meantime:10049" is no host name; write it without http://, port and path, such as meantime.example.org`,
		`hosts.yml:6: web.allowed_hosts[3]: "" is no host name; write it without http://, port and path, such as meantime.example.org`,
		`hosts.yml:7: web.allowed_hosts[4]: "*.example.org" is no host name; write it without http://, port and path, such as meantime.example.org`,
	},
	"token-no-header": {
		`token-no-header.yml:1: web.webhook_token_file: the token in testdata/token-of-two-words holds a space or a letter that no HTTP header carries; write letters, digits and signs of ASCII`,
	},
	"several": {
		`several.yml:2: store.dns: unknown key; did you mean dsn?`,
		`several.yml:3: windows[1]: a duration needs a unit: "28"; write 28m or 28s`,
		`several.yml:5: correlate.link_at: 2 is not above 0 and at most 1`,
		`several.yml:6: correlate.open.quiet: a duration needs a unit: "5"; write 5m or 5s`,
		`several.yml:8: sources[0].dir: missing; a source of type file needs it`,
	},
	"severity-alias": {
		`severity-alias.yml:3: severities.aliases[0].severity: unknown severity "crit"; it is one of critical, warning, info`,
	},
	"severity-order": {
		`severity-order.yml:1: severities.order: empty; name the severities, the gravest first`,
	},
	"source-incomplete": {
		`source-incomplete.yml:2: sources[0].name: missing; it names the source in metrics and in the keys of its records`,
		`source-incomplete.yml:2: sources[0].type: missing; it is one of ` + allTypes(),
		`source-incomplete.yml:3: sources[1].dir: missing; a source of type file needs it`,
	},
	"source-interval": {
		`source-interval.yml:2: sources[0].timeout: a duration needs a unit: "10"; write 10m or 10s`,
		`source-interval.yml:2: sources[0].interval: must be longer than 0`,
	},
	"source-key-of-another-type": {
		`source-key-of-another-type.yml:2: sources[0].url: a source of type file does not take it; it takes dir, interval, timeout, map`,
	},
	"source-name": {
		`source-name.yml:2: sources[0].name: "our records"; write letters, digits, _, . and -, at most 64`,
		`source-name.yml:3: sources[1].name: "alertmanager" is the name that an alertmanager that is asked has in metrics; choose another`,
	},
	"source-polled": {
		`source-polled.yml:2: sources[0].token_file: missing; a source of type pagerduty needs it`,
		`source-polled.yml:3: sources[0].backfil: unknown key; did you mean backfill?`,
		`source-polled.yml:4: sources[0].dir: a source of type pagerduty does not take it; it takes token_file, services, url, interval, timeout, ` +
			`backfill, webhook_secret_files, only, map, private, tls_config, proxy_url, no_proxy`,
		`source-polled.yml:5: sources[1].url: missing; a source of type http needs it`,
		`source-polled.yml:5: sources[1].user: missing; password_file is given`,
		`source-polled.yml:6: sources[1].token: unknown key; did you mean token_file?`,
		`source-polled.yml:8: sources[1].headers.Authorization: write token_file, or user and password_file`,
		`source-polled.yml:9: sources[1].webhook_secret_files[0]: open testdata/bad/absent: no such file or directory`,
		`source-polled.yml:13: sources[2].password_file: token_file is given as well; write one of them`,
	},
	"source-twice": {
		`source-twice.yml:3: sources[1].name: "ours" is given twice`,
	},
	"source-type": {
		`source-type.yml:1: sources[0].type: unknown type of source "fiel"; did you mean file?`,
	},
	"suggest-at-zero": {
		`suggest-at-zero.yml:1: correlate.suggest_at: 0 is not above 0 and at most 1`,
	},
	"suggest-at": {
		`suggest-at.yml:1: correlate.suggest_at: 0.6 is above link_at, which is 0.5`,
	},
	"tab": {
		`tab.yml:2: not YAML: found character that cannot start any token`,
	},
	"top-is-a-list": {
		`top-is-a-list.yml:1: a list where a mapping of keys belongs; the keys are ` + allSections,
	},
	"two-documents": {
		`two-documents.yml:2: not YAML: a second document; the configuration is one`,
	},
	"unknown-key-far": {
		`unknown-key-far.yml:2: store.colour: unknown key; the keys here are dsn, dsn_file, retention`,
	},
	"unknown-key": {
		`unknown-key.yml:3: correlate.open.quit: unknown key; did you mean quiet?`,
	},
	"unknown-section": {
		`unknown-section.yml:1: stroe: unknown key; did you mean store?`,
	},
	"value-wanted": {
		`value-wanted.yml:1: correlate.link_at: a list where a single value belongs`,
	},
	"watchdog-incomplete": {
		`watchdog-incomplete.yml:2: watchdogs[0].matchers: missing; write it like ['alertname="Watchdog"']`,
		`watchdog-incomplete.yml:2: watchdogs[0].every: missing; write a duration such as 5m`,
	},
	"watchdog-twice": {
		`watchdog-twice.yml:3: watchdogs[1].name: "Watchdog" is given twice`,
	},
	"watchdog-without-name": {
		`watchdog-without-name.yml:2: watchdogs[0].name: missing, and no matcher asks for one alertname to take it from`,
	},
	"window-twice": {
		`window-twice.yml:1: windows[2]: 1w is the same window as 7d`,
	},
	"windows-none": {
		`windows-none.yml:1: windows: empty; write at least one, such as [28d]`,
	},
}

func TestBadFiles(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(badFiles)) {
		t.Run(name, func(t *testing.T) {
			_, err := validated("testdata/bad/" + name + ".yml")
			require.Error(t, err)
			var got []string
			for line := range strings.SplitSeq(err.Error(), "\n") {
				got = append(got, strings.TrimPrefix(line, "testdata/bad/"))
			}
			require.Equal(t, badFiles[name], got)
			var p Problems
			require.ErrorAs(t, err, &p)
			require.NotContains(t, err.Error(), "hunter2", "a secret's value is in the message")
		})
	}
}

func TestEveryBadFileHasItsMessage(t *testing.T) {
	files, err := os.ReadDir("testdata/bad")
	require.NoError(t, err)
	for _, f := range files {
		require.Contains(t, badFiles, strings.TrimSuffix(f.Name(), ".yml"))
	}
}

func TestNoFile(t *testing.T) {
	_, err := Load("testdata/absent.yml", nil)
	require.EqualError(t, err, "read config: open testdata/absent.yml: no such file or directory")
}
