package correlate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// organised is a case.
type organised struct{ name, tell, want, known, why string }

// cases are small organisations, told as parse reads them, and what must come of them, as outcome says it. known is a wrong
// answer that is given today: want says what is right, and whoever mends it takes known out.
var cases = []organised{
	{
		name: "an alert of the record's service at its onset is linked",
		tell: `
			alert checkout Errors 1-45
			record 1 checkout started=0 mitigated=45`,
		want: "1: checkout/Errors", why: "nothing else explains it as well",
	},
	// When an incident's alerts begin: the milestones.
	{
		name: "alerts that still fire when people detect it forty minutes later are its first signs",
		tell: `
			alert checkout Errors -40-45
			alert checkout Latency -38-45 severity=warning
			alert checkout Probe -36-45 severity=warning
			alert checkout Queue -34-45 severity=warning
			record 1 checkout detected=0 mitigated=45`,
		want: "1: checkout/Errors checkout/Latency checkout/Probe checkout/Queue", why: "people notice late; that time is the very thing to show",
	},
	{
		name: "alerts that still fire when people detect it two and a half hours later are its first signs",
		tell: `
			alert checkout Errors -150-45
			alert checkout Latency -148-45 severity=warning
			alert checkout Probe -146-45 severity=warning
			alert checkout Queue -144-45 severity=warning
			record 1 checkout detected=0 mitigated=45`,
		want: "1: checkout/Errors checkout/Latency checkout/Probe checkout/Queue", why: "people notice late",
	},
	{
		name: "an alert seven hours before the onset is none of it",
		tell: `
			alert checkout Errors -420-45
			record 1 checkout detected=0 mitigated=45`,
		want: "1 missed; opened: checkout/Errors", why: "out of reach",
	},
	{
		name: "a lone alert that fires on two hours after people detect something is of it",
		tell: `
			alert checkout Errors -120-45
			record 1 checkout detected=0 mitigated=45`,
		want: "1: checkout/Errors", why: "no other trouble is there",
	},
	{
		name: "an alert long over before the onset opens an incident of its own",
		tell: `
			alert checkout Errors -120--100
			record 1 checkout started=0 mitigated=45`,
		want: "1 missed; opened: checkout/Errors", why: "it had ended, and people know when it started",
	},
	{
		name: "an alert that ended twenty minutes before somebody made the record is of it",
		tell: `
			alert checkout Errors -60--20
			record 1 checkout created=0`,
		want: "1: checkout/Errors", why: "records are made late",
	},
	{
		name: "a second alert an hour after the onset, while the first fires, is linked",
		tell: `
			alert checkout Errors 1-120
			alert checkout Latency 60-120 severity=warning
			record 1 checkout started=0 mitigated=120`,
		want: "1: checkout/Errors checkout/Latency", why: "inside the impact, same service",
	},
	{
		name: "an alert of a strange service in the middle of a long impact is not linked",
		tell: `
			alert checkout Errors 1-240
			alert mail Bounces 120-130 severity=warning
			record 1 checkout started=0 mitigated=240`,
		want: "1: checkout/Errors; nothing: mail/Bounces", why: "nothing ties it",
	},
	{
		name: "an alert of the same service half an hour after the told end is not linked",
		tell: `
			alert checkout Errors 1-30
			alert checkout Latency 75-90
			record 1 checkout started=0 mitigated=45`,
		want: "1: checkout/Errors; opened: checkout/Latency", why: "it was over",
	},
	{
		name: "an alert three minutes after the told end still is of it",
		tell: `
			alert checkout Errors 1-30
			alert checkout Latency 48-60 severity=warning
			record 1 checkout started=0 mitigated=45`,
		want: "1: checkout/Errors checkout/Latency", why: "people round ends",
	},
	{
		name: "of a record that goes on an alert of the same service a day later is linked",
		tell: `
			alert checkout Errors 1-30
			alert checkout Latency 700-730 severity=warning
			record 1 checkout started=0 state=open`,
		want: "1: checkout/Errors checkout/Latency", why: "one open incident on its service",
	},
	{
		name: "an alert that ends with the impact is likelier of it",
		tell: `
			alert - Errors 20-45 severity=warning
			record 1 checkout started=0 mitigated=45`,
		want: "1: Errors", why: "the end agrees",
	},
	{
		name: "a record that tells only its end began as long before it as incidents of this organisation last",
		tell: `
			again 24h 20 record 2 other started=-300 mitigated=-290
			alert checkout Errors -9--1 severity=warning
			alert checkout Latency -8--1 severity=warning
			alert mail Bounces -39-5 severity=warning
			record 1 checkout resolved=0
			day one`,
		want: "1: checkout/Errors checkout/Latency; 2 missed; nothing: mail/Bounces", why: "ten minutes, where 40 is the guess without others",
	},
	{
		name: "where people come long after the first alert again and again, an alert an hour before they do may be of it",
		tell: `
			again 24h 28 alert shop Errors -365--270
			again 24h 28 record 2 shop detected=-310 mitigated=-270
			alert mail Errors -60-45 severity=warning
			record 1 cart detected=0 mitigated=90
			day one`,
		want: "1 missed: mail/Errors?; 2: shop/Errors", why: "what people did in the ninety days before is how late they are",
	},
	{
		name: "where people come at once again and again, an alert forty minutes before they do is none of it",
		tell: `
			again 24h 28 alert shop Errors -312--270
			again 24h 28 record 2 shop detected=-310 mitigated=-270
			alert mail Errors -40-45 severity=warning
			record 1 cart detected=0 mitigated=90
			day one`,
		want: "1 missed; 2: shop/Errors; nothing: mail/Errors", why: "what people did in the ninety days before is how late they are",
	},
	// Services.
	{
		name: "an alert of a service that needs the failed one is linked",
		tell: `
			alert cart Errors 2-45
			record 1 db started=0 mitigated=45
			needs cart db`,
		want: "1: cart/Errors", why: "what it needs is down",
	},
	{
		name: "an alert of what the failed service needs is linked",
		tell: `
			alert db Errors 2-45
			record 1 cart started=0 mitigated=45
			needs cart db`,
		want: "1: db/Errors", why: "the cause is further down",
	},
	{
		name: "an alert three dependencies away is of it where it fires at once",
		tell: `
			alert web Errors 2-45 severity=warning
			record 1 db started=0 mitigated=45
			needs web shop
			needs shop cart
			needs cart db`,
		want: "1: web/Errors", why: "each hop weakens",
	},
	{
		name: "an alert of a sibling that needs the same service is linked at the onset",
		tell: `
			alert mail Errors 2-45 severity=warning
			record 1 cart started=0 mitigated=45
			needs mail db
			needs cart db`,
		want: "1: mail/Errors", why: "a shared cause",
	},
	{
		name: "an alert of a service with no way to the failed one is not linked",
		tell: `
			alert mail Errors 30-35 severity=warning
			record 1 cart started=0 mitigated=45
			needs mail smtp
			needs cart db`,
		want: "1 missed; nothing: mail/Errors", why: "both charts are known, and there is no way",
	},
	{
		name: "an alert of a service that was seen to call the failed one is linked",
		tell: `
			alert cart Errors 2-45
			record 1 db started=0 mitigated=45
			learned shop/cart data/db`,
		want: "1: cart/Errors", why: "what it needs is down; nobody wrote so",
	},
	{
		name: "an alert of a service that calls the failed one, an hour into its impact, is linked",
		tell: `
			alert db Errors 1-240
			alert cart Errors 60-70 severity=warning
			record 1 db started=0 mitigated=240
			learned cart db`,
		want: "1: db/Errors cart/Errors", why: "without it nothing ties them, see the next",
	},
	{
		name: "an alert of a service of which no call was seen, an hour into an impact, is not linked",
		tell: `
			alert db Errors 1-240
			alert cart Errors 60-70 severity=warning
			record 1 db started=0 mitigated=240
			learned mail db`,
		want: "1: db/Errors; nothing: cart/Errors", why: "nothing ties it",
	},
	{
		name: "what is written of a service outranks what was seen of it",
		tell: `
			alert cart Errors 30-35 severity=warning
			record 1 db started=0 mitigated=45
			needs cart ledger
			needs mail db
			learned cart db`,
		want: "1 missed; nothing: cart/Errors", why: "people say what it needs, and the other's chart is known",
	},
	{
		name: "what is written the other way round outranks what was seen",
		tell: `
			alert cart Errors 30-35 severity=warning
			record 1 db started=0 mitigated=45
			needs db cart
			learned cart db`,
		want: "1: cart/Errors", why: "it is one that the failed service needs",
	},
	{
		name: "an alert that names no service is linked at the onset",
		tell: `
			alert - Errors 2-45 severity=warning
			record 1 cart started=0 mitigated=45`,
		want: "1: Errors", why: "time alone",
	},
	{
		name: "a record that names no service takes an alert at its onset",
		tell: `
			alert cart Errors 1-45
			alert cart Latency 2-45
			record 1 - started=0 mitigated=45`,
		want: "1: cart/Errors cart/Latency", why: "time and end agree",
	},
	{
		name: "of two records at one moment an alert goes to the one of its service",
		tell: `
			alert cart Errors 2-45
			alert mail Bounces 3-45
			record 1 cart started=0 mitigated=45
			record 2 mail started=0 mitigated=45`,
		want: "1: cart/Errors; 2: mail/Bounces", why: "services tell them apart",
	},
	{
		name: "what a record calls a service is read as its labels' name",
		tell: `
			alert checkout-api Errors 2-45
			alert mail Bounces 5-45
			alert mail Queue 6-45
			record 1 Checkout_API started=0 mitigated=45
			day one`,
		want: "1: checkout-api/Errors; opened: mail/Bounces mail/Queue", why: "spelling is no difference",
	},
	{
		name: "checkout is what a record calls checkout_api",
		tell: `
			alert checkout Errors 2-45
			alert mail Bounces 5-45
			alert mail Queue 6-45
			record 1 checkout_api started=0 mitigated=45
			day one`,
		want: "1: checkout/Errors; opened: mail/Bounces mail/Queue", why: "spelling is no difference",
	},
	{
		name: "checkout-prod is what a record calls checkout",
		tell: `
			alert checkout-prod Errors 2-45
			alert mail Bounces 5-45
			alert mail Queue 6-45
			record 1 checkout started=0 mitigated=45
			day one`,
		want: "1: checkout-prod/Errors; opened: mail/Bounces mail/Queue", why: "spelling is no difference",
	},
	{
		name: "checkoutservice is what a record calls checkout-service",
		tell: `
			alert checkoutservice Errors 2-45
			alert mail Bounces 5-45
			alert mail Queue 6-45
			record 1 checkout-service started=0 mitigated=45
			day one`,
		want: "1: checkoutservice/Errors; opened: mail/Bounces mail/Queue", why: "spelling is no difference",
	},
	// Company.
	{
		name: "a warning of another service soon after two of an opened incident joins it",
		tell: `
			alert cart Errors 0-45
			alert db Slow 1-45 severity=warning
			needs cart db`,
		want: "opened: cart/Errors db/Slow", why: "what it needs fires a minute later",
	},
	{
		name: "a service whose alerts are of it already brings its next one",
		tell: `
			alert cart Errors 1-60
			alert web Errors 3-60 severity=warning
			alert web Latency 25-60 severity=warning
			record 1 cart started=0 mitigated=60
			needs web cart`,
		want: "1: cart/Errors web/Errors web/Latency", why: "joined before",
	},
	{
		name: "what fires just before two alerts of an incident was the first of them",
		tell: `
			alert - Early 0-45 severity=warning
			alert db Slow 1-45 severity=warning
			alert cart Errors 3-45
			alert cart Latency 4-45
			needs cart db`,
		want: "opened: Early db/Slow cart/Errors cart/Latency", why: "two sure ones follow it within ten minutes",
	},
	{
		name: "what fires again within the hour of an opened incident is a relapse of it",
		tell: `
			alert cart Errors 0-10
			alert cart Latency 60-70`,
		want: "opened: cart/Errors cart/Latency", why: "reopen_within is an hour",
	},
	{
		name: "what fires again two hours after an opened incident is another",
		tell: `
			alert cart Errors 0-10
			alert cart Latency 130-140`,
		want: "opened: cart/Errors; opened: cart/Latency", why: "it was over",
	},
	// Findings.
	{
		name: "alerts an hour before a record that had ended are linked, suggested or open, never lost",
		tell: `
			alert checkout Errors -60--20
			alert checkout Latency -58--20 severity=warning
			alert checkout Probe -56--20 severity=warning
			record 1 checkout started=0 mitigated=45`,
		want: "1: checkout/Errors checkout/Latency checkout/Probe", why: "no hole between record and opening",
	},
	{
		name: "a record one hour late by a wrong zone has its alerts",
		tell: `
			alert checkout Errors -60--15
			alert checkout Latency -58--15 severity=warning
			alert checkout Probe -56--15 severity=warning
			record 1 checkout started=0 mitigated=45 detected=2`,
		want: "1: checkout/Errors checkout/Latency checkout/Probe",
		why:  "a clock an hour off is considered",
	},
	{
		name: "a record two hours early by a wrong zone has its alerts",
		tell: `
			alert checkout Errors 120-165
			alert checkout Latency 122-165 severity=warning
			alert checkout Probe 124-165 severity=warning
			record 1 checkout started=0 mitigated=45 detected=2`,
		want: "1: checkout/Errors checkout/Latency checkout/Probe", why: "a clock two hours off is considered",
	},
	{
		name: "a record five hours late by a wrong zone is another incident",
		tell: `
			alert checkout Errors -300--255
			alert checkout Latency -298--255 severity=warning
			alert checkout Probe -296--255 severity=warning
			record 1 checkout started=0 mitigated=45 detected=2`,
		want: "1 missed; opened: checkout/Errors checkout/Latency checkout/Probe", why: "too far",
	},
	{
		name: "four relapses three quarters of an hour apart are four incidents",
		tell: `
			alert checkout Errors 0-15
			alert checkout Errors 45-60
			alert checkout Errors 90-105
			alert checkout Errors 135-150
			record 1 checkout started=0 mitigated=15
			record 2 checkout started=45 mitigated=60
			record 3 checkout started=90 mitigated=105
			record 4 checkout started=135 mitigated=150`,
		want: "1: checkout/Errors@0; 2: checkout/Errors@45; 3: checkout/Errors@90; 4: checkout/Errors@135", why: "each record has its own",
	},
	{
		name: "four tickets of one tracker with one title an hour apart are four incidents",
		tell: `
			record 1 checkout title=Latency created=5 resolved=20
			record 2 checkout title=Latency created=65 resolved=80
			record 3 checkout title=Latency created=125 resolved=140
			record 4 checkout title=Latency created=185 resolved=200`,
		want: "1 missed; 2 missed; 3 missed; 4 missed", why: "a tracker merges its own",
	},
	{
		name: "a flapper of another service hours before spoils nothing",
		tell: `
			alert mail Flap -152--151 severity=warning
			alert mail Flap -22--21 severity=warning
			alert checkout Errors 0-45
			alert checkout Latency 1-45 severity=warning
			record 1 checkout started=0 detected=1 mitigated=45`,
		want: "1: checkout/Errors checkout/Latency; nothing: mail/Flap@-152 mail/Flap@-22", why: "matched by its best moment",
	},
	{
		name: "an alert that fires twice a day is linked when its record says so",
		tell: `
			again 12h 40 alert checkout Errors 1-9
			record 1 checkout started=0 mitigated=9
			open nothing`,
		want: "1: checkout/Errors", why: "weak evidence, not none",
	},
	{
		name: "an alert that was right each time is no habit",
		tell: `
			again 12h 40 alert checkout Errors 1-40
			again 12h 40 record 1 checkout started=0 mitigated=40
			open nothing`,
		want: "1: checkout/Errors", why: "hours inside incidents are no habit",
	},
	{
		name: "a nightly alert opens nothing on the fifteenth night",
		tell: `
			again 24h 14 alert backup Late 0-70
			again 24h 14 alert backup Slow 1-70
			again 24h 14 alert backup Full 2-70
			open weighed`,
		want: "nothing: backup/Full backup/Late backup/Slow; 2 opened before", why: "a time of day is a habit from the third night on",
	},
	{
		name: "a nightly alert that records tell of each time is no habit",
		tell: `
			again 24h 14 alert backup Late 0-70
			again 24h 14 alert backup Slow 1-70
			again 24h 14 alert backup Full 2-70
			again 24h 14 record 1 backup started=0 mitigated=70
			open weighed`,
		want: "1: backup/Late backup/Slow backup/Full", why: "somebody worked on it every night",
	},
	{
		name: "an alert that opened an incident at another time of day each day opens one today",
		tell: `
			again 27h 10 alert backup Late 0-70
			again 27h 10 alert backup Slow 1-70
			again 27h 10 alert backup Full 2-70
			open weighed`,
		want: "opened: backup/Late backup/Slow backup/Full; 10 opened before", why: "it is no time of day",
	},
	{
		name: "a certificate that nobody renews for a month opens nothing where alerts are weighed",
		tell: `
			alert web Certificate -40000-3200
			alert web Slow -8000--7960 severity=warning
			alert web Slow -4000--3960 severity=warning
			open weighed`,
		want: "", why: "one alert is no outbreak, and what fires on is no company for ever",
	},
	{
		name: "a certificate that nobody renews for a month takes nothing of an incident in the middle",
		tell: `
			alert web Certificate -40000-3200
			alert web Errors 0-40
			alert web Slow 1-40 severity=warning
			record 1 web started=0 mitigated=40`,
		want: "1: web/Errors web/Slow; 1 opened before", why: "it fired weeks before, and opened its own since nothing explains it",
	},
	{
		name: "a record that names web has the alerts of three services that fire at once",
		tell: `
			alert web Errors 1-40
			alert cart Errors 2-40
			alert db Errors 3-40
			record 1 web started=0 mitigated=40
			open nothing`,
		want: "1: web/Errors cart/Errors db/Errors", why: "all at once",
	},
	{
		name: "without a rule of opening nothing opens",
		tell: `
			alert web Errors 1-40
			open nothing`,
		want: "nothing: web/Errors", why: "nobody asked for it",
	},
	{
		name: "alerts of a service silenced beforehand are maintenance",
		tell: `
			alert web Errors 1-40
			alert web Slow 2-40
			alert web Down 3-40
			silence web 0-60 -120
			open weighed`,
		want: "nothing: web/Down web/Errors web/Slow", why: "somebody planned it",
	},
	{
		name: "an incident of ten days has what fires on its service on each day",
		tell: `
			alert web Errors 1-40
			alert web Errors 4320-4360
			alert web Errors 7200-7240
			alert web Errors 12960-13000
			record 1 web started=0 mitigated=14400`,
		want: "1: web/Errors@1 web/Errors@4320 web/Errors@7200 web/Errors@12960", why: "inside the impact",
	},
	{
		name: "what an incident of days has drawn in flares up with it",
		tell: `
			alert web Errors 1-40
			alert cart Slow 3-40 severity=warning
			alert cart Slow 1440-1480 severity=warning
			record 1 web started=0 mitigated=2880`,
		want: "1: web/Errors cart/Slow@3 cart/Slow@1440", why: "inside the impact, on a service of which alerts belong already",
	},
	{
		name: "what an incident of days has not drawn in does not flare up with it",
		tell: `
			alert web Errors 1-40
			alert cart Slow 1440-1480 severity=warning
			record 1 web started=0 mitigated=2880`,
		want: "1: web/Errors; nothing: cart/Slow", why: "nothing ties it",
	},
	{
		name: "a burst of another service among the alerts of a recorded incident is of it",
		tell: `
			alert disc Bus 0-45
			alert disc Node 1-45
			alert ware Errors 16-22
			alert ware Probe 17-22
			alert ware Pods 18-23 severity=warning
			alert ware Queue 19-23 severity=warning
			record 1 disc started=0 mitigated=45
			open weighed`,
		want: "1: disc/Bus disc/Node ware/Errors ware/Probe ware/Pods ware/Queue", why: "what else of the incident fires is their company",
	},
	{
		name: "two clusters at one time are two incidents",
		tell: `
			alert web Errors 0-40 cluster=a region=eu
			alert web Errors 24-60 cluster=b region=eu
			record 1 web started=0 mitigated=40 cluster=a region=eu
			record 2 web started=24 mitigated=60 cluster=b region=eu`,
		want: "1: web/Errors(eu.a); 2: web/Errors(eu.b)", why: "places tell them apart",
	},
	{
		name: "an outbreak long before people came belongs to their record though its service flares up again later",
		tell: `
			alert ledger Memory -140-10 severity=warning
			alert ledger Pods -135-10 severity=warning
			alert ledger Latency -134-10 severity=warning
			alert shop Probe -133-10
			alert shop Errors -131-10
			alert shop Probe 55-95
			record 1 shop started=0 mitigated=95
			needs shop ledger`,
		want: "1: ledger/Memory ledger/Pods ledger/Latency shop/Probe@-133 shop/Errors shop/Probe@55",
		why:  "nothing fired when they came: what still fires then is what they saw",
	},
	// Exact references.
	{
		name: "that a record names an alert says nothing of when it fires after the incident was over",
		tell: `
			alert cart Errors 1-20
			alert cart Slow 2-100 severity=warning
			alert cart Errors 55-75
			record 1 cart started=0 mitigated=20 print=cart/Errors`,
		want: "1: cart/Errors@1 cart/Slow; opened: cart/Errors@55", why: "the name is of the alert that fired then",
	},
	{
		name: "an alert that a record states is linked whatever time and service say",
		tell: `
			alert mail Bounces -300--290
			record 1 checkout started=0 mitigated=45 states=mail/Bounces`,
		want: "1: mail/Bounces!", why: "stated membership",
	},
	{
		name: "an alert of a group that a record names by its hash is linked",
		tell: `
			alert mail Bounces -300--290 group={}:{a="b"}
			record 1 checkout started=0 mitigated=45 hash={}:{a="b"}@-302--289`,
		want: "1: mail/Bounces!", why: "the pager's key",
	},
	{
		name: "two records of two trackers that state one alert are one",
		tell: `
			alert mail Bounces 0-10
			record 1 checkout started=300 mitigated=345 states=mail/Bounces
			record theirs/2 mail started=0 mitigated=10 states=mail/Bounces`,
		want: "1+theirs/2: mail/Bounces!", why: "one alert, one incident",
	},
	{
		name: "two records of one tracker that state one alert both keep it",
		tell: `
			alert mail Bounces 0-10
			record 1 checkout started=300 mitigated=345 states=mail/Bounces
			record 2 mail started=0 mitigated=10 states=mail/Bounces`,
		want: "1: mail/Bounces!; 2: mail/Bounces!", why: "a merge leaves that behind",
	},
	{
		name: "issue 7 of two trackers is two issues",
		tell: `
			record 1 checkout started=300 mitigated=345 refers=7
			record theirs/7 mail started=0 mitigated=10`,
		want: "1 missed; theirs/7 missed", why: "bare numbers collide",
	},
	{
		name: "a record that names another's address is one with it",
		tell: `
			record 1 checkout started=300 mitigated=345 names=https://t/7
			record theirs/7 mail started=0 mitigated=10 url=https://t/7`,
		want: "1+theirs/7 missed", why: "it says so",
	},
}

// organisations are all cases.
func organisations() []organised { return slices.Concat(cases, edges, habits, references, openings) }

func TestSmallOrganisations(t *testing.T) {
	names := map[string]bool{}
	for _, c := range organisations() {
		t.Run(c.name, func(t *testing.T) {
			require.False(t, names[c.name], "two cases of one name")
			names[c.name] = true
			if got := parse(t, c.tell).outcome(); c.known != "" {
				require.NotEqual(t, c.want, got, "mended: take known out")
				require.Equal(t, c.known, got, c.why)
			} else {
				require.Equal(t, c.want, got, c.why)
			}
		})
	}
}

// Thirty queues that come and go for minutes all day long, on the first day, are no incident; an outbreak among them is.
func TestQueuesOfTheFirstDay(t *testing.T) {
	var text strings.Builder
	for n := range 30 {
		fmt.Fprintf(&text, "again 40m 30 alert queue%d Depth %d-%d\n", n, n-120, n-115)
	}
	got := parse(t, text.String()+`
		alert shop Errors 0-40
		alert shop Slow 1-40
		alert shop Down 2-40
		alert shop Full 3-40
		alert shop Late 4-40
		open weighed
		day one`).outcome()
	opened, nothing, _ := strings.Cut(got, "; nothing: ")
	require.Equal(t, "opened: shop/Errors shop/Slow shop/Down shop/Full shop/Late", opened)
	require.NotContains(t, nothing, "shop")
}
