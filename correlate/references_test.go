package correlate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// references are organisations whose records say exactly which alerts were theirs, or which other records are the same
// incident.
var references = []organised{
	{
		name: "a stated alert is of the record that states it, though another record of its service begins with it",
		tell: `
			alert mail Bounces 0-40
			record 1 checkout started=-300 mitigated=-280 states=mail/Bounces
			record 2 mail started=0 mitigated=40`,
		want: "1: mail/Bounces!; 2 missed", why: "the pager's own word, whatever times and services say",
	},
	{
		name: "a person's no to a stated alert stands",
		tell: `
			alert mail Bounces -300--290
			record 1 checkout started=0 mitigated=45 states=mail/Bounces
			review reject 1 mail/Bounces
			open nothing`,
		want: "1 missed: mail/Bounces-", why: "below only a review",
	},
	{
		name: "a stated alert that a person put elsewhere is there",
		tell: `
			alert mail Bounces -300--290
			record 1 checkout started=0 mitigated=45 states=mail/Bounces
			record 2 web started=600 mitigated=645
			review confirm 2 mail/Bounces`,
		want: "1 missed; 2: mail/Bounces+", why: "below only a review",
	},
	{
		name: "a stated alert that a person took from one of two records is of the other",
		tell: `
			alert mail Bounces 0-10
			record 1 checkout started=300 mitigated=345 states=mail/Bounces
			record 2 mail started=0 mitigated=10 states=mail/Bounces
			review reject 2 mail/Bounces`,
		want: "1: mail/Bounces!; 2 missed: mail/Bounces-", why: "the rest of what is stated holds",
	},
	{
		name: "a stated alert is of its record though its service is in maintenance",
		tell: `
			alert mail Bounces 0-40
			alert mail Queue 1-40
			record 1 checkout started=0 mitigated=45 states=mail/Bounces
			maintenance service=mail`,
		want: "1: mail/Bounces!; nothing: mail/Queue", why: "somebody was paged for it",
	},
	{
		name: "the other alerts of a stated alert's burst are weighed as ever",
		tell: `
			alert mail Bounces -300--290
			alert mail Queue -299--290
			record 1 checkout started=0 mitigated=45 states=mail/Bounces`,
		want: "1: mail/Bounces! mail/Queue", why: "it is company, and its service has joined",
	},
	{
		name: "a group's hash names the alerts of its page and not those of the next day",
		tell: `
			alert mail Bounces 0-30 group={}:{a="b"}
			alert mail Bounces 1440-1470 group={}:{a="b"}
			record 1 checkout started=600 mitigated=645 hash={}:{a="b"}@1-29
			open nothing`,
		want: "1: mail/Bounces@0!; nothing: mail/Bounces@1440", why: "a key lives for ever, a page does not",
	},
	{
		name: "a group's page may begin two minutes after its alert ended, not three",
		tell: `
			alert mail Bounces 0-10 group={}:{a="b"}
			alert mail Queue 0-9 group={}:{a="b"}
			record 1 checkout started=600 mitigated=645 hash={}:{a="b"}@12-29
			open nothing`,
		want: "1: mail/Bounces!; nothing: mail/Queue", why: "a pager's clock is another one",
	},
	{
		name: "a group named by its key itself is stated too",
		tell: `
			alert mail Bounces 0-30 group={}:{a="b"}
			record 1 checkout started=600 mitigated=645 group={}:{a="b"}@1-29`,
		want: "1: mail/Bounces!", why: "the key says what its hash says",
	},
	{
		name: "the hash of another route's key names nothing",
		tell: `
			alert mail Bounces 0-30 group={}/{team="ops"}:{a="b"}
			record 1 checkout started=600 mitigated=645 hash={}:{a="b"}@1-29
			open nothing`,
		want: "1 missed; nothing: mail/Bounces", why: "the route is part of the key",
	},
	{
		name: "the event recorder's group id, which is the hash alone, is met by the pager's",
		tell: `
			alert mail Bounces 0-30 groupid={}/{severity="page"}:{a="b"}
			record 1 checkout started=600 mitigated=645 hash={}/{severity="page"}:{a="b"}@1-29`,
		want: "1: mail/Bounces!", why: "it tells of every receiver's groups",
	},
	{
		name: "two records of two trackers that state one group are one",
		tell: `
			alert mail Bounces 0-30 group={}:{a="b"}
			record 1 checkout started=300 mitigated=345 hash={}:{a="b"}@1-29
			record theirs/2 mail started=600 mitigated=645 hash={}:{a="b"}@2-30`,
		want: "1+theirs/2: mail/Bounces!", why: "one page, one incident",
	},
	{
		name: "two records of two trackers that state one group on two days are two",
		tell: `
			alert mail Bounces 0-30 group={}:{a="b"}
			record 1 checkout started=0 mitigated=30 hash={}:{a="b"}@1-29
			record theirs/2 mail started=1440 mitigated=1470 hash={}:{a="b"}@1441-1469`,
		want: "1: mail/Bounces!; theirs/2 missed", why: "another page of the same group",
	},
	{
		name: "a record that names an address of eight days ago is another incident",
		tell: `
			record 1 checkout started=0 mitigated=45 names=https://t/8
			record theirs/8 checkout started=-11565 mitigated=-11520 url=https://t/8`,
		want: "1 missed; theirs/8 missed", why: "within seven days",
	},
	{
		name: "a ticket's title as Alertmanager writes it makes no two records alike",
		tell: `
			record 1 - title=[FIRING:1]_Errors created=5 resolved=40 acknowledged=6
			record 2 - title=[FIRING:1]_Errors created=6 resolved=41 acknowledged=7
			record 3 - title=[RESOLVED]_Errors created=7 resolved=42 acknowledged=8`,
		want: "1 missed; 2 missed; 3 missed", why: "the vendor merges its own",
	},
	{
		name: "what Alertmanager writes before a title names no service",
		tell: `
			alert resolved Errors 1-45
			alert mail Bounces 1-45
			record 1 - title=[RESOLVED]_Bounces_on_mail started=0 mitigated=45`,
		want: "1: mail/Bounces; opened: resolved/Errors", why: "resolved is a service here",
	},
}

// Of 200 pages of 200 services within an hour each is an incident, and has its alert, with the title that Alertmanager gives
// by default and with no service at all.
func TestPagesOfOneSourceStayApart(t *testing.T) {
	var text string
	for n := range 200 {
		at := float64(n) * 0.3
		text += fmt.Sprintf("alert svc%d Down %g-%g group={}:{s=\"%d\"}\n", n, at, at+40, n)
		text += fmt.Sprintf("record %d - title=[FIRING:1]_Down created=%g detected=%g acknowledged=%g resolved=%g hash={}:{s=\"%d\"}@%g-%g\n",
			n, at+0.5, at+0.5, at+1, at+41, n, at+0.5, at+41)
	}
	o := parse(t, text+"day one")
	res := Correlate(o.facts, &o.rules, present)
	require.Len(t, res.Incidents, 200)
	for i := range res.Incidents {
		in := &res.Incidents[i]
		require.Len(t, in.Records, 1, in.ID)
		for _, l := range in.Links {
			if l.State.Counts() {
				require.Equal(t, incident.LinkStated, l.State, in.Records)
				require.Equal(t, "svc"+in.Records[0].ID, l.Episode.Labels["service"])
			}
		}
		require.Len(t, in.Linked(), 1, in.Records)
	}
}
