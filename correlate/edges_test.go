package correlate

// edges are organisations in which each figure of the model just decides. Times are those at which a likelihood is about one
// half, or which lie on both sides of a bound: twice or half of a figure gives another answer.
var edges = []organised{
	{
		name: "9 minutes after the told end, an alert of a service that needs it may be of it while another still fires",
		tell: `
			alert cart Errors 1-100
			alert mail Latency 39-100 severity=warning
			record 1 cart started=0 mitigated=30
			needs mail cart`,
		want: "1: cart/Errors mail/Latency?",
	},
	{
		name: "15 minutes after the told end, an alert of a service that needs it is none of it though another still fires",
		tell: `
			alert cart Errors 1-100
			alert mail Latency 45-100 severity=warning
			record 1 cart started=0 mitigated=30
			needs mail cart`,
		want: "1: cart/Errors; nothing: mail/Latency",
	},
	{
		name: "4 minutes before it started, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors -4-45 severity=warning
			record 1 cart started=0 mitigated=90
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "27 minutes before it started, an alert of a service of which no dependency is known may be of it",
		tell: `alert mail Errors -27-45 severity=warning; record 1 cart started=0 mitigated=90`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "175 minutes before it started, an alert of its service that fires on may be of it",
		tell: `alert cart Errors -175-45 severity=warning; record 1 cart started=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "70 minutes before it started, an alert of its service that soon ended may be of it",
		tell: `alert cart Errors -70--69.5 severity=warning; record 1 cart started=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "5.5 minutes before somebody detected it, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors -5.5-45 severity=warning
			record 1 cart detected=0 mitigated=90
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "37 minutes before somebody detected it, an alert of a service of which no dependency is known may be of it",
		tell: `alert mail Errors -37-45 severity=warning; record 1 cart detected=0 mitigated=90`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "187 minutes before somebody detected it, an alert of its service that fires on may be of it",
		tell: `alert cart Errors -187-45 severity=warning; record 1 cart detected=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "78 minutes before somebody detected it, an alert of its service that soon ended may be of it",
		tell: `alert cart Errors -78--77.5 severity=warning; record 1 cart detected=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "10 minutes before somebody took it on, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors -10-45 severity=warning
			record 1 cart acknowledged=0 mitigated=90
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "53 minutes before somebody took it on, an alert of a service of which no dependency is known may be of it",
		tell: `alert mail Errors -53-45 severity=warning; record 1 cart acknowledged=0 mitigated=90`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "200 minutes before somebody took it on, an alert of its service that fires on may be of it",
		tell: `alert cart Errors -200-45 severity=warning; record 1 cart acknowledged=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "95 minutes before somebody took it on, an alert of its service that soon ended may be of it",
		tell: `alert cart Errors -95--94.5 severity=warning; record 1 cart acknowledged=0 mitigated=90`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "91 minutes before the record was made, an alert of a service of which no dependency is known may be of it",
		tell: `alert mail Errors -91-45 severity=warning; record 1 cart created=0`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "250 minutes before the record was made, an alert of its service that fires on may be of it",
		tell: `alert cart Errors -250-45 severity=warning; record 1 cart created=0`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "132 minutes before the record was made, an alert of its service that soon ended may be of it",
		tell: `alert cart Errors -132--131.5 severity=warning; record 1 cart created=0`,
		want: "1 missed: cart/Errors?",
	},
	{
		name: "18 minutes after it started, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors 18-200 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "16 minutes after somebody detected it, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors 16-200 severity=warning
			record 1 cart detected=0 mitigated=600
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "9 minutes after somebody took it on, an alert with no way to its service may be of it",
		tell: `
			alert mail Errors 9-200 severity=warning
			record 1 cart acknowledged=0 mitigated=600
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "4 minutes after half an hour before the record was made, an alert with no way to its service may be of it",
		tell: `alert mail Errors -26-200 severity=warning; record 1 cart created=0; needs mail smtp; needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "95 minutes into a long incident, an alert of a service that needs it may be of it",
		tell: `alert mail Errors 95-1300 severity=warning; record 1 cart started=0 mitigated=1200; needs mail cart`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "74 minutes into a long incident, an alert of a service that it needs may be of it",
		tell: `alert mail Errors 74-1300 severity=warning; record 1 cart started=0 mitigated=1200; needs cart mail`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "55 minutes into a long incident, an alert of a service two steps away may be of it",
		tell: `
			alert mail Errors 55-1300 severity=warning
			record 1 cart started=0 mitigated=1200
			needs mail x
			needs x cart`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "38 minutes into a long incident, an alert of a service three steps away may be of it",
		tell: `
			alert mail Errors 38-1300 severity=warning
			record 1 cart started=0 mitigated=1200
			needs mail x
			needs x y
			needs y cart`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "40 minutes into a long incident, an alert of a service that needs the same may be of it",
		tell: `
			alert mail Errors 40-1300 severity=warning
			record 1 cart started=0 mitigated=1200
			needs mail db
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "52 minutes into a long incident, an alert that names no service may be of it",
		tell: `alert - Errors 52-300 severity=warning; record 1 cart started=0 mitigated=600`,
		want: "1 missed: Errors?",
	},
	{
		name: "49 minutes into a long incident whose record names no service, an alert may be of it",
		tell: `alert mail Errors 49-300 severity=warning; record 1 - started=0 mitigated=600`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "two and a half minutes after the told end, an alert of the service may be of it",
		tell: `alert mail Errors 2.5-300 severity=warning; record 1 mail started=-60 mitigated=0`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "35 minutes after an alert opened an incident, one of a service that needs it may be of it",
		tell: `alert cart Errors 0-5; alert mail Slow 35-200 severity=warning; needs mail cart`,
		want: "opened: cart/Errors mail/Slow?",
	},
	{
		name: "16 minutes after an alert opened an incident, one of a service of which no dependency is known may be of it",
		tell: `alert cart Errors 0-5; alert mail Slow 16-200 severity=warning`,
		want: "opened: cart/Errors mail/Slow?",
	},
	{
		name: "63 minutes after an alert that fires on opened an incident, one of a service that needs it may be of it",
		tell: `alert cart Errors 0-400; alert mail Slow 63-500 severity=warning; needs mail cart`,
		want: "opened: cart/Errors mail/Slow?",
	},
	{
		name: "141 minutes after an alert that fires on opened an incident, one of its service may be of it",
		tell: `alert cart Errors 0-1000; alert cart Slow 141-1000 severity=warning`,
		want: "opened: cart/Errors cart/Slow?",
	},
	{
		name: "23 minutes after an alert opened an incident, one of its service that fires once a day may be of it",
		tell: `alert cart Errors 0-5; again 31h 20 alert cart Slow 23-200 severity=warning`,
		want: "opened: cart/Errors cart/Slow?",
	},
	{
		name: "47 minutes after one of its service joined an incident, another may be of it",
		tell: `
			alert cart Errors 0-6
			alert mail Slow 1-6 severity=warning
			alert mail Late 48-200 severity=warning
			needs mail cart`,
		want: "opened: cart/Errors mail/Slow mail/Late?",
	},
	{
		name: "alerts two hours and -4 minutes after a record are of its clock",
		tell: `alert web Errors 116-161; alert web Slow 117-161; record 1 web started=0 mitigated=45`,
		want: "1: web/Errors web/Slow",
	},
	{
		name: "alerts two hours and -7 minutes after a record are of no clock that is whole hours off",
		tell: `alert web Errors 113-158; alert web Slow 114-158; record 1 web started=0 mitigated=45`,
		want: "1 missed; opened: web/Errors web/Slow",
	},
	{
		name: "alerts two hours and 13 minutes after a record are of its clock",
		tell: `alert web Errors 133-178; alert web Slow 134-178; record 1 web started=0 mitigated=45`,
		want: "1: web/Errors web/Slow",
	},
	{
		name: "alerts two hours and 17 minutes after a record are of no clock that is whole hours off",
		tell: `alert web Errors 137-182; alert web Slow 138-182; record 1 web started=0 mitigated=45`,
		want: "1 missed; opened: web/Errors web/Slow",
	},
	{
		name: "two records of a service made 70 minutes apart are one",
		tell: `record 1 web created=0; record theirs/2 web created=70`,
		want: "1+theirs/2 missed",
	},
	{
		name: "two records of a service made 85 minutes apart are two",
		tell: `record 1 web created=0; record theirs/2 web created=85`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "strangers that started and were mitigated at one moment are two",
		tell: `
			record 1 web started=0 mitigated=45
			record theirs/2 mail started=0 mitigated=45
			needs web db
			needs mail smtp`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "strangers that agree in three times are one",
		tell: `
			record 1 web started=0 mitigated=45 resolved=50
			record theirs/2 mail started=0 mitigated=45 resolved=50
			needs web db
			needs mail smtp`,
		want: "1+theirs/2 missed",
	},
	{
		name: "strangers of which only the mitigation agrees are two",
		tell: `record 1 web mitigated=45; record theirs/2 mail mitigated=45; needs web db; needs mail smtp`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "services a step apart whose trouble started 5 minutes apart are one",
		tell: `record 1 web started=0; record theirs/2 db started=5; needs web db`,
		want: "1+theirs/2 missed",
	},
	{
		name: "services a step apart whose trouble started 7 minutes apart are two",
		tell: `record 1 web started=0; record theirs/2 db started=7; needs web db`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "services a step apart that were detected ten minutes apart are two",
		tell: `record 1 web started=0 detected=5; record theirs/2 db started=0 detected=15; needs web db`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records without a service that say mitigated 2.5 minutes apart are one",
		tell: `record 1 - mitigated=45; record theirs/2 - mitigated=47.5`,
		want: "1+theirs/2 missed",
	},
	{
		name: "records without a service that say mitigated 4 minutes apart are two",
		tell: `record 1 - mitigated=45; record theirs/2 - mitigated=49`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records without a service that say resolved 2.5 minutes apart are one",
		tell: `record 1 - resolved=45; record theirs/2 - resolved=47.5`,
		want: "1+theirs/2 missed",
	},
	{
		name: "records without a service that say resolved 4 minutes apart are two",
		tell: `record 1 - resolved=45; record theirs/2 - resolved=49`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records without a service that say detected 2 minutes apart are one",
		tell: `record 1 - detected=45; record theirs/2 - detected=47`,
		want: "1+theirs/2 missed",
	},
	{
		name: "records without a service that say detected 4 minutes apart are two",
		tell: `record 1 - detected=45; record theirs/2 - detected=49`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records without a service that say acknowledged 1 minutes apart are one",
		tell: `record 1 - acknowledged=45; record theirs/2 - acknowledged=46`,
		want: "1+theirs/2 missed",
	},
	{
		name: "records without a service that say acknowledged 2.5 minutes apart are two",
		tell: `record 1 - acknowledged=45; record theirs/2 - acknowledged=47.5`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records without a service that say identified 1 minutes apart are one",
		tell: `record 1 - identified=45; record theirs/2 - identified=46`,
		want: "1+theirs/2 missed",
	},
	{
		name: "records without a service that say identified 2.5 minutes apart are two",
		tell: `record 1 - identified=45; record theirs/2 - identified=47.5`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "one service, one start, and detected far apart are one",
		tell: `record 1 web started=0 detected=1; record theirs/2 web started=0 detected=36`,
		want: "1+theirs/2 missed",
	},
	{
		name: "one service, one start, detected and acknowledged far apart are two",
		tell: `
			record 1 web started=0 detected=1 acknowledged=2
			record theirs/2 web started=0 detected=36 acknowledged=37`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "one service, one start, detected and acknowledged twenty minutes apart are one",
		tell: `
			record 1 web started=0 detected=1 acknowledged=2
			record theirs/2 web started=0 detected=21 acknowledged=22`,
		want: "1+theirs/2 missed",
	},
	{
		name: "one service in two clusters at one moment are two",
		tell: `record 1 web started=0 cluster=a; record theirs/2 web started=0 cluster=b`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "one service, one start and one end are one though the places differ",
		tell: `record 1 web started=0 mitigated=45 cluster=a; record theirs/2 web started=0 mitigated=45 cluster=b`,
		want: "1+theirs/2 missed",
	},
	{
		name: "three equal times join no records that begin three and a half hours apart",
		tell: `
			record 1 web acknowledged=-210 identified=0 mitigated=30 resolved=40
			record theirs/2 web identified=0 mitigated=30 resolved=40`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "three equal times join records that begin two hours apart",
		tell: `
			record 1 web acknowledged=-120 identified=0 mitigated=30 resolved=40
			record theirs/2 web identified=0 mitigated=30 resolved=40`,
		want: "1+theirs/2 missed",
	},
	{
		name: "a reference joins records six days apart",
		tell: `
			record 1 web started=0 mitigated=45 refers=theirs/2
			record theirs/2 mail started=8640 mitigated=8700`,
		want: "1+theirs/2 missed",
	},
	{
		name: "a reference joins no records eight days apart",
		tell: `
			record 1 web started=0 mitigated=45 refers=theirs/2
			record theirs/2 mail started=11520 mitigated=11600`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "a maintenance is no incident though all else agrees",
		tell: `record 1 web started=0 mitigated=45; record theirs/2 web started=0 mitigated=45 kind=maintenance`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "a record without a time is like no other",
		tell: `record 1 web started=0 mitigated=45; record theirs/2 web title=Web`,
		want: "1 missed; theirs/2 missed",
	},
	{
		name: "records in a chain of which the ends are unlike are not all one",
		tell: `record 1 web created=0; record b/2 web created=70; record c/3 web created=140`,
		want: "1 missed; b/2+c/3 missed",
	},
	{
		name: "a record that was merged into another of its tracker is one with it",
		tell: `record 1 web started=0 mitigated=45 merged=2; record 2 mail started=300 mitigated=345`,
		want: "2+1 missed",
	},
	{
		name: "a fingerprint that a record names makes an alert of a strange service its own",
		tell: `
			alert mail Errors 60-90 severity=warning
			record 1 cart started=0 mitigated=100 print=mail/Errors
			needs mail smtp
			needs cart db`,
		want: "1: mail/Errors",
	},
	{
		name: "weighed, one critical alert is no incident",
		tell: `alert web Errors 0-45; open weighed`,
		want: "nothing: web/Errors",
	},
	{
		name: "weighed, three alerts of a service within two minutes are an incident",
		tell: `alert web Errors 0-45; alert web Slow 1-45; alert web Down 2-45; open weighed`,
		want: "opened: web/Errors web/Slow web/Down",
	},
	{
		name: "weighed, two alerts of a service within a minute are no incident",
		tell: `alert web Errors 0-45; alert web Slow 1-45; open weighed`,
		want: "nothing: web/Errors web/Slow",
	},
	{
		name: "weighed, one name on many services at once is the watcher that is down",
		tell: `
			alert s0 Down 0-45
			alert s1 Down 0-45
			alert s2 Down 0-45
			alert s3 Down 0-45
			alert s4 Down 0-45
			alert s5 Down 0-45
			alert s6 Down 0-45
			alert s7 Down 0-45
			alert s8 Down 0-45
			alert s9 Down 0-45
			alert s10 Down 0-45
			alert s11 Down 0-45
			open weighed`,
		want: "nothing: s0/Down s1/Down s10/Down s11/Down s2/Down s3/Down s4/Down s5/Down s6/Down s7/Down s8/Down s9/Down",
	},
	{
		name: "30 minutes after two of cluster a opened an incident, one of cluster b may be of it",
		tell: `
			alert web Errors 0-5 cluster=a
			alert web Slow 1-5 cluster=a
			alert web Down 30-400 cluster=b severity=warning
			alert x Odd -3000--2990 cluster=c severity=warning
			alert x Odd -3100--3090 cluster=d severity=warning
			alert x Odd -3200--3190 cluster=e severity=warning
			alert x Odd -3300--3290 cluster=f severity=warning
			alert x Odd -3400--3390 cluster=g severity=warning
			alert x Odd -3500--3490 cluster=h severity=warning`,
		want: "opened: web/Errors(a) web/Slow(a) web/Down(b)?",
	},
	{
		name: "65 minutes after two of cluster a opened an incident, one of cluster a may be of it",
		tell: `
			alert web Errors 0-5 cluster=a
			alert web Slow 1-5 cluster=a
			alert web Down 65-400 cluster=a severity=warning
			alert x Odd -3000--2990 cluster=c severity=warning
			alert x Odd -3100--3090 cluster=d severity=warning
			alert x Odd -3200--3190 cluster=e severity=warning
			alert x Odd -3300--3290 cluster=f severity=warning
			alert x Odd -3400--3390 cluster=g severity=warning
			alert x Odd -3500--3490 cluster=h severity=warning`,
		want: "opened: web/Errors(a) web/Slow(a) web/Down(a)?",
	},
	{
		name: "32 minutes after two of cluster a opened an incident, a service of which no dependency is known may be of it there",
		tell: `
			alert web Errors 0-5 cluster=a
			alert web Slow 1-5 cluster=a
			alert mail Down 32-400 cluster=a severity=warning
			alert x Odd -3000--2990 cluster=c severity=warning
			alert x Odd -3100--3090 cluster=d severity=warning
			alert x Odd -3200--3190 cluster=e severity=warning
			alert x Odd -3300--3290 cluster=f severity=warning
			alert x Odd -3400--3390 cluster=g severity=warning
			alert x Odd -3500--3490 cluster=h severity=warning`,
		want: "opened: web/Errors(a) web/Slow(a) mail/Down(a)?",
	},
	{
		name: "22 minutes into an incident of cluster a, an alert of another service in b may be of it",
		tell: `
			alert mail Errors 22-700 cluster=b severity=warning
			record 1 web started=0 mitigated=600 cluster=a
			alert x Odd -3000--2990 cluster=c severity=warning
			alert x Odd -3100--3090 cluster=d severity=warning
			alert x Odd -3200--3190 cluster=e severity=warning
			alert x Odd -3300--3290 cluster=f severity=warning
			alert x Odd -3400--3390 cluster=g severity=warning
			alert x Odd -3500--3490 cluster=h severity=warning`,
		want: "1 missed: mail/Errors(b)?",
	},
	{
		name: "70 minutes into an incident of cluster a, an alert of another service there may be of it",
		tell: `
			alert mail Errors 70-700 cluster=a severity=warning
			record 1 web started=0 mitigated=600 cluster=a
			alert x Odd -3000--2990 cluster=c severity=warning
			alert x Odd -3100--3090 cluster=d severity=warning
			alert x Odd -3200--3190 cluster=e severity=warning
			alert x Odd -3300--3290 cluster=f severity=warning
			alert x Odd -3400--3390 cluster=g severity=warning
			alert x Odd -3500--3490 cluster=h severity=warning`,
		want: "1 missed: mail/Errors(a)?",
	},
	{
		name: "an alert that ends five minutes before the impact is of it",
		tell: `alert mail Errors 39-95 severity=warning; record 1 cart started=0 mitigated=100`,
		want: "1: mail/Errors",
	},
	{
		name: "an alert that ends ten minutes before the impact may be of it",
		tell: `alert mail Errors 39-90 severity=warning; record 1 cart started=0 mitigated=100`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "an alert that ends with the impact may be of it though it began an hour late",
		tell: `alert mail Errors 64-100 severity=warning; record 1 cart started=0 mitigated=100`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "110 minutes on, an alert with no way to its service may be of a record that names its fingerprint",
		tell: `
			alert mail Errors 110-700 severity=warning
			record 1 cart started=0 mitigated=600 print=mail/Errors
			needs mail smtp
			needs cart db`,
		want: "1 missed: mail/Errors?",
	},
	{
		name: "fifteen minutes after an incident opened, an alert of a strange service that is over may be of it",
		tell: `alert cart Errors 0-5; alert web Slow 15-16 severity=warning`,
		want: "opened: cart/Errors web/Slow?",
	},
	{
		name: "weighed, a third alert 13 minutes after two makes an incident of them",
		tell: `alert web Errors 0-45; alert web Slow 1-45; alert web Down 13-90; open weighed`,
		want: "opened: web/Errors web/Slow web/Down",
	},
	{
		name: "weighed, a third alert 16 minutes after two makes none",
		tell: `alert web Errors 0-45; alert web Slow 1-45; alert web Down 16-90; open weighed`,
		want: "nothing: web/Down web/Errors web/Slow",
	},
	{
		name: "145 minutes after an incident opened, an alert of its service may still be of it",
		tell: `
			alert cart Errors 0-1300
			alert cart Slow 20-1300 severity=warning
			alert cart Late 145-1300 severity=warning`,
		want: "opened: cart/Errors cart/Slow cart/Late?",
	},
	{
		name: "of two records an alert goes to the likelier, and may be of the other",
		tell: `
			alert web Errors 20-200
			record 1 web started=0 mitigated=200
			record 2 web started=30 mitigated=200`,
		want: "1: web/Errors; 2 missed: web/Errors?",
	},
	{
		name: "between two records an alert may be of both",
		tell: `
			alert web Errors 25-200
			record 1 web started=0 mitigated=200
			record 2 web started=30 mitigated=200`,
		want: "1 missed: web/Errors?; 2 missed: web/Errors?",
	},
	{
		name: "an hour into the impact of one record, an alert as another began is of that, and not of the first",
		tell: `
			alert web Errors 45-200
			record 1 web started=0 mitigated=200
			record 2 web started=30 mitigated=200`,
		want: "1 missed; 2: web/Errors",
	},
	{
		name: "an alert 9 minutes before two of an incident was its first",
		tell: `alert db Early 0-45 severity=warning; alert cart Errors 9-45; alert cart Slow 9-45; needs cart db`,
		want: "opened: db/Early cart/Errors cart/Slow",
	},
	{
		name: "of an alert that began nine times within the day, one 25 minutes after the onset may be of it",
		tell: `again 2h 9 alert checkout Errors 25-30; record 1 checkout started=0 mitigated=90; open nothing`,
		want: "1 missed: checkout/Errors@25?; nothing: checkout/Errors@-215 checkout/Errors@-335 checkout/Errors@-455 " +
			"checkout/Errors@-575 checkout/Errors@-95",
	},
	{
		name: "a burst that takes nine minutes, of a service with no way to the incident's, is one of its own",
		tell: `
			alert cart Errors 0-60
			alert cart Slow 2-60
			alert mail A 20-60
			alert mail B 24-60
			alert mail C 28-60
			alert mail D 29-60
			record 1 cart started=0 mitigated=240
			open weighed
			needs mail smtp
			needs cart db`,
		want: "1: cart/Errors cart/Slow mail/A?; opened: mail/A mail/B mail/C mail/D",
	},
}
