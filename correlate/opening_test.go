package correlate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

// openings are organisations in which alerts open incidents by themselves, or do not.
var openings = []organised{
	{
		name: "an incident is none once a person said that its one alert does not belong to it",
		tell: `
			alert mail Errors 1-45
			review reject opened mail/Errors`,
		want: "nothing: mail/Errors", why: "a person's word stands above all",
	},
	{
		name: "what else had joined opens its own once a person took the first alert away",
		tell: `
			alert mail Errors 1-45
			alert mail Queue 2-45
			review reject opened mail/Errors`,
		want: "opened: mail/Queue; nothing: mail/Errors", why: "only the first was said to be nothing",
	},
	{
		name: "incidents of two clusters by another label are two, though the region is the same",
		tell: `
			alert web Errors 0-40 k8s_cluster=a region=eu
			alert web Errors 24-60 k8s_cluster=b region=eu`,
		want: "opened: web/Errors(eu..a); opened: web/Errors(eu..b)", known: "opened: web/Errors(eu..a) web/Errors(eu..b)", why: "all places are compared, not the first alone",
	},
	{
		name: "two records of two clusters by another label have each its own, though the region is the same",
		tell: `
			alert web Errors 0-40 k8s_cluster=a region=eu
			alert web Errors 24-60 k8s_cluster=b region=eu
			record 1 web started=0 mitigated=40 k8s_cluster=a region=eu
			record 2 web started=24 mitigated=60 k8s_cluster=b region=eu`,
		want: "1: web/Errors(eu..a); 2: web/Errors(eu..b)", why: "all places are compared, not the first alone",
	},
	{
		name: "a burst in staging hours before a record of production opens its own",
		tell: `
			alert web Errors -120-10 cluster=staging
			alert web Slow -119-10 cluster=staging severity=warning
			record 1 web started=0 mitigated=45 cluster=production`,
		want: "1 missed; opened: web/Errors(staging) web/Slow(staging)", why: "no clock is two hours off where the place is another",
	},
	{
		name: "an alert of another severity opens nothing",
		tell: `
			alert web Errors 0-40 severity=ticket`,
		want: "nothing: web/Errors", why: "critical opens here",
	},
	{
		name: "an alert of a service in maintenance neither opens nor counts",
		tell: `
			alert batch Errors 1-45
			alert web Errors 1-45
			maintenance service=batch`,
		want: "opened: web/Errors; nothing: batch/Errors", why: "the configuration says so",
	},
	{
		name: "a weekly maintenance is over when its stretch is",
		tell: `
			alert batch Errors 1-45
			alert batch Slow 130-145
			maintenance service=batch sun 11:00-14:00`,
		want: "opened: batch/Slow; nothing: batch/Errors", why: "it begins at 14:10 of that Sunday",
	},
	{
		name: "a weekly maintenance over midnight is one stretch",
		tell: `
			alert batch Slow -650--640
			alert batch Down -590--580
			maintenance service=batch sat 22:00-02:00`,
		want: "opened: batch/Down; nothing: batch/Slow", why: "01:10 of Sunday is in it, 02:10 is not",
	},
	{
		name: "an alert of a record's service in maintenance is none of the record's",
		tell: `
			alert batch Errors 1-45
			record 1 batch started=0 mitigated=45
			maintenance service=batch`,
		want: "1 missed; nothing: batch/Errors", why: "it belongs to no incident",
	},
	{
		name: "a silence that was made in answer to an alert is no maintenance",
		tell: `
			alert web Errors -30-40
			alert web Slow -29-40
			alert web Down -28-40
			alert web Full 2-40
			silence web 0-60 -5
			open weighed`,
		want: "opened: web/Errors web/Slow web/Down web/Full", why: "somebody muted it while he worked on it",
	},
	{
		name: "a silence made an hour ahead is maintenance though an alert of the service fired then",
		tell: `
			alert web Errors 1-40
			alert web Slow 2-40
			alert web Down 3-40
			alert web Noise -70--50 severity=warning
			silence web 0-60 -60
			open weighed`,
		want: "nothing: web/Down web/Errors web/Noise web/Slow", why: "who answers an alert mutes it at once",
	},
	{
		name: "a silence made minutes ahead while nothing went on is maintenance",
		tell: `
			alert web Errors 1-40
			alert web Slow 2-40
			alert web Down 3-40
			silence web 0-60 -5
			open weighed`,
		want: "nothing: web/Down web/Errors web/Slow", why: "nothing was there to answer",
	},
	{
		name: "a silence made minutes ahead while an incident ran is no maintenance",
		tell: `
			alert web Errors 1-40
			alert web Slow 2-40
			alert web Down 3-40
			silence web 0-60 -5
			record 1 web started=-9 mitigated=-2
			open weighed`,
		want: "1: web/Errors web/Slow web/Down", why: "they worked on it",
	},
	{
		name: "a silence made minutes ahead is maintenance after midnight as well, though it explained an alert before",
		tell: `
			alert web Errors 610-730
			alert web Slow 740-800
			alert web Down 741-800
			silence web 600-900 595`,
		want: "nothing: web/Down web/Errors web/Slow", why: "what it explains itself is nothing that it answers",
	},
	{
		name: "a silence made in answer before midnight is no maintenance after it",
		tell: `
			alert web Errors 690-715 severity=warning
			alert web Down 760-800
			silence web 710-900 710`,
		want: "opened: web/Down; nothing: web/Errors", why: "what was going on when it was made does not depend on the day",
	},
	{
		name: "a silence made in answer to an alert of the day before is no maintenance",
		tell: `
			alert web Errors 700-760 severity=warning
			alert web Down 770-800
			silence web 740-900 740`,
		want: "opened: web/Down; nothing: web/Errors", why: "the alert still fired",
	},
	{
		name: "a silence made minutes ahead is maintenance after midnight though an incident began after it was made",
		tell: `
			alert web Errors 660-690
			alert web Down 1000-1080
			record 1 web started=660 mitigated=690
			silence web 600-1100 595`,
		want: "1: web/Errors; nothing: web/Down", why: "nothing was there to answer when it was made",
	},
	{
		name: "clusters by which opened incidents are kept apart have each their own",
		tell: `
			alert web Errors 0-40 k8s_cluster=a region=eu
			alert web Errors 24-60 k8s_cluster=b region=eu
			open by k8s_cluster`,
		want: "opened: web/Errors(eu..a); opened: web/Errors(eu..b)", why: "correlate.open.group_by says so",
	},
}

// Of every alert it is said why it opened an incident, belongs to one or does not.
func TestWhyAnAlertOpensOrNot(t *testing.T) {
	for _, c := range []struct {
		name, tell string
		want       map[string]string // by service and name
	}{
		{"it opens, and others join it", `
			alert web Errors 0-45
			alert web Latency 1-45 severity=warning
			alert web Down 2-45`, map[string]string{
			"web/Errors":  "it opened the incident: correlate.open lets it, and nothing else explains it",
			"web/Latency": "it joined an incident that another alert opened, which explains it",
			"web/Down":    "it joined an incident that another alert opened, which explains it; else it would have opened one",
		}},
		{"a record explains it", `
			alert web Errors 0-45
			alert web Latency 1-45 severity=warning
			record 1 web started=0 mitigated=45`, map[string]string{
			"web/Errors":  "an incident that is recorded explains it, so it opened none",
			"web/Latency": "an incident that is recorded explains it",
		}},
		{"it may belong to one", `
			alert checkout Errors -60--20
			alert checkout Latency -58--20 severity=warning
			record 1 checkout started=0 mitigated=45`, map[string]string{
			"checkout/Errors": "it may belong to the incident, which a person decides",
		}},
		{"it may not open one", `
			alert web Latency 1-45 severity=warning`, map[string]string{
			"web/Latency": "nothing explains it, and it seldom fires on its own; correlate.open does not let it open an incident",
		}},
		{"it is often there", `
			again 13h 60 alert web Latency 1-45 severity=warning`, map[string]string{
			"web/Latency": "nothing explains it, and it fires about 22 times a month on its own; correlate.open does not let it open an incident",
		}},
		{"it is there each day at this time", `
			again 24h 40 alert web Latency 1-45 severity=warning`, map[string]string{
			"web/Latency": "nothing explains it, and it often fires on its own at this time of day; correlate.open does not let it open an incident",
		}},
		{"it was there all day", `
			again 2h 11 alert web Latency 1-45 severity=warning`, map[string]string{
			"web/Latency": "nothing explains it, and it fired on its own again and again within the day before; correlate.open does not let it open an incident",
		}},
		{"it is too little to be one", `
			alert web Errors 1-2
			open weighed`, map[string]string{
			"web/Errors": "nothing explains it, and it seldom fires on its own; it and what fired with it are not enough to be an incident (0 nats of 10)",
		}},
		{"maintenance", `
			alert web Errors 1-45
			alert db Errors 1-45
			silence db 0-60 -120
			maintenance service=web`, map[string]string{
			"web/Errors": "correlate.maintenance says that it is maintenance",
			"db/Errors":  "a silence that was made beforehand explains it: it is maintenance",
		}},
		{"a maintenance that was over days before, of which an alert still fires", `
			alert web Errors 610-2400
			alert web Down 2165-2200
			silence web 600-780 60
			open by k8s_cluster`, map[string]string{
			"web/Errors": "a silence that was made beforehand explains it: it is maintenance",
			"web/Down":   "it opened the incident: correlate.open lets it, and nothing else explains it",
		}},
		{"people and records say so", `
			alert web Errors 1-45
			alert db Errors 1-45
			alert mail Errors 1-45
			record 1 shop started=600 mitigated=645 states=web/Errors
			review confirm 1 db/Errors
			review reject opened mail/Errors`, map[string]string{
			"web/Errors":  "a record states that it belongs to its incident",
			"db/Errors":   "a person put it into its incident",
			"mail/Errors": "nothing explains it, and it seldom fires on its own; a person said that it is no incident",
		}},
		{"alerting itself", `
			alert - Watchdog 1-45`, map[string]string{"Watchdog": "it says something of alerting, not of a service"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parse(t, c.tell)
			got := map[string]string{}
			for _, v := range Correlate(o.facts, &o.rules, present).Verdicts {
				require.NotEmpty(t, v.Why)
				if n := title(v.Episode.Labels); c.want[n] != "" {
					got[n] = v.Why
				}
			}
			require.Equal(t, c.want, got)
		})
	}
}

// Where nothing is weighed, every alert that may open an incident belongs to one, or may: it opens one or joins what
// explains it.
func TestEveryGraveAlertIsOfAnIncident(t *testing.T) {
	check := func(t require.TestingT, text string) {
		o := parse(t, text)
		o.rules.Open = DefaultRules().Open
		for _, v := range Correlate(o.facts, &o.rules, present).Verdicts {
			if v.Severity != "warning" {
				require.NotEqual(t, incident.OutcomeNone, v.Outcome, v.Episode.Labels)
			}
		}
	}
	// The first belongs to a record by itself, and by what follows it rather to another, for which it is not enough.
	check(t, `
		day one
		alert - A -1-5
		alert db A 0-1; alert mail A 0-1; alert cart A 0-1
		`+strings.Repeat("alert web A 0-1;", 11)+`
		record 1 web started=0 mitigated=16
		record 2 web started=1 mitigated=2
		record 3 web started=6 mitigated=7
		record 4 - started=7 mitigated=8
		record 5 web started=0 mitigated=16
		record 6 web started=-1 mitigated=15`)
	rapid.Check(t, func(t *rapid.T) {
		services := rapid.SampledFrom([]string{"web", "cart", "db", "mail", "-"})
		minute := func(name string) int { return rapid.IntRange(-600, 600).Draw(t, name) }
		text := "day one\n"
		if rapid.Bool().Draw(t, "tied") {
			text += "needs web cart,db\n"
		}
		for n := range rapid.IntRange(1, 25).Draw(t, "alerts") {
			from := minute("from")
			text += fmt.Sprintf("alert %s %s %d-%d severity=%s\n", services.Draw(t, "service"), rapid.SampledFrom([]string{"A", "B", fmt.Sprint("C", n)}).Draw(t, "name"),
				from, from+rapid.IntRange(1, 200).Draw(t, "length"), rapid.SampledFrom([]string{"critical", "Page", "SEV-1", "warning"}).Draw(t, "severity"))
		}
		for n := range rapid.IntRange(0, 8).Draw(t, "records") {
			from := minute("started")
			text += fmt.Sprintf("record %d %s started=%d mitigated=%d\n", n, services.Draw(t, "of"), from, from+rapid.IntRange(1, 100).Draw(t, "lasts"))
		}
		check(t, text)
	})
}
