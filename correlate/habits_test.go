package correlate

// habits are organisations in which it matters how often an alert began before, and what began with it.
var habits = []organised{
	{
		name: "an alert that people took out of twelve incidents is taken for none of the next",
		tell: `
			again 25h 12 alert mail Slow 20-60 severity=warning
			again 25h 12 record 1 cart started=0 mitigated=600
			reviews reject 1 mail/Slow`,
		want: "1 missed; nothing: mail/Slow",
	},
	{
		name: "without a word of theirs it may be of it",
		tell: `
			again 25h 12 alert mail Slow 20-60 severity=warning
			again 25h 12 record 1 cart started=0 mitigated=600`,
		want: "1: mail/Slow",
	},
	{
		name: "an alert that people put into twenty incidents may be of the next",
		tell: `
			again 25h 20 alert mail Slow 75-90 severity=warning
			again 25h 20 record 1 cart started=0 mitigated=60
			reviews confirm 1 mail/Slow
			alert mail Slow 360-390 severity=warning
			record 2 cart started=300 mitigated=900
			needs mail cart`,
		want: "1 missed; 2 missed: mail/Slow@360?; nothing: mail/Slow@75",
	},
	{
		name: "without a word of theirs it is nothing",
		tell: `
			again 25h 20 alert mail Slow 75-90 severity=warning
			again 25h 20 record 1 cart started=0 mitigated=60
			alert mail Slow 360-390 severity=warning
			record 2 cart started=300 mitigated=900
			needs mail cart`,
		want: "1 missed; 2 missed; nothing: mail/Slow@360 mail/Slow@75",
	},
	{
		name: "an hour into an incident, an alert that began for nothing twenty times is not taken for its own",
		tell: `
			again 25h 20 alert mail Slow 60-90 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1 missed; nothing: mail/Slow",
	},
	{
		name: "an hour into an incident, an alert that was right twenty times is taken for its own",
		tell: `
			again 25h 20 alert mail Slow 60-90 severity=warning
			again 25h 20 record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1: mail/Slow",
	},
	{
		name: "an alert that began five times today for nothing is not taken for an incident half an hour on",
		tell: `
			alert mail Slow -600--598 severity=warning
			alert mail Slow -490--488 severity=warning
			alert mail Slow -380--378 severity=warning
			alert mail Slow -270--268 severity=warning
			alert mail Slow -160--158 severity=warning
			alert mail Slow 50-90 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1 missed; nothing: mail/Slow@-160 mail/Slow@-270 mail/Slow@-380 mail/Slow@-490 mail/Slow@-600 mail/Slow@50",
	},
	{
		name: "five beginnings within the hour before are one trouble",
		tell: `
			alert mail Slow -30--29 severity=warning
			alert mail Slow -15--14 severity=warning
			alert mail Slow 0-1 severity=warning
			alert mail Slow 15-16 severity=warning
			alert mail Slow 30-31 severity=warning
			alert mail Slow 50-90 severity=warning
			record 1 cart started=45 mitigated=600
			needs mail cart
			open nothing`,
		want: "1: mail/Slow@-15? mail/Slow@0 mail/Slow@15 mail/Slow@30 mail/Slow@50; nothing: mail/Slow@-30",
	},
	{
		name: "an alert that began six times yesterday for nothing is not taken for an incident an hour on",
		tell: `
			alert mail Slow -1300--1298 severity=warning
			alert mail Slow -1200--1198 severity=warning
			alert mail Slow -1100--1098 severity=warning
			alert mail Slow -1000--998 severity=warning
			alert mail Slow -900--898 severity=warning
			alert mail Slow -800--798 severity=warning
			alert mail Slow 50-90 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1 missed; nothing: mail/Slow",
	},
	{
		name: "an alert that begins each night at this minute is of no incident that began just before",
		tell: `
			again 24h 14 alert mail Late 6-70 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1 missed; nothing: mail/Late",
	},
	{
		name: "an alert that begins each night at another hour is of an incident that began just before",
		tell: `
			alert mail Late -1134--1070 severity=warning
			alert mail Late -2574--2510 severity=warning
			alert mail Late -4014--3950 severity=warning
			alert mail Late -5454--5390 severity=warning
			alert mail Late -6894--6830 severity=warning
			alert mail Late -8334--8270 severity=warning
			alert mail Late -9774--9710 severity=warning
			alert mail Late -11214--11150 severity=warning
			alert mail Late -12654--12590 severity=warning
			alert mail Late -14094--14030 severity=warning
			alert mail Late -15534--15470 severity=warning
			alert mail Late -16974--16910 severity=warning
			alert mail Late -18414--18350 severity=warning
			alert mail Late -19854--19790 severity=warning
			alert mail Late 6-70 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1: mail/Late",
	},
	{
		name: "twelve services of one alert at one second are of no incident that began then",
		tell: `
			alert s0 Down 2-45 severity=warning
			alert s1 Down 2-45 severity=warning
			alert s2 Down 2-45 severity=warning
			alert s3 Down 2-45 severity=warning
			alert s4 Down 2-45 severity=warning
			alert s5 Down 2-45 severity=warning
			alert s6 Down 2-45 severity=warning
			alert s7 Down 2-45 severity=warning
			alert s8 Down 2-45 severity=warning
			alert s9 Down 2-45 severity=warning
			alert s10 Down 2-45 severity=warning
			alert s11 Down 2-45 severity=warning
			record 1 web started=0 mitigated=100`,
		want: "1 missed; nothing: s0/Down s1/Down s10/Down s11/Down s2/Down s3/Down s4/Down s5/Down s6/Down s7/Down s8/Down s9/Down",
	},
	{
		name: "three services of one alert at one second are of an incident that began then",
		tell: `
			alert s0 Down 2-45 severity=warning
			alert s1 Down 2-45 severity=warning
			alert s2 Down 2-45 severity=warning
			record 1 web started=0 mitigated=100`,
		want: "1: s0/Down s1/Down s2/Down",
	},
	{
		name: "a burst of one service in the middle of a long incident of another is an incident of its own",
		tell: `
			alert web Errors 1-1000
			alert mail Errors 300-340
			alert mail Slow 301-340
			alert mail Queue 302-340
			alert mail Bounces 303-340
			record 1 web started=0 mitigated=1000
			needs mail web
			open weighed`,
		want: "1: web/Errors mail/Errors?; opened: mail/Errors mail/Slow mail/Queue mail/Bounces",
		why:  "the first of a burst is of it, too",
	},
	{
		name: "what fires often was the first of an incident where two of its alerts follow",
		tell: `
			again 31h 20 alert db Early -60--59 severity=warning
			alert cart Errors -56-45
			alert cart Slow -56-45
			record 1 cart detected=0 mitigated=45
			needs cart db`,
		want: "1: db/Early cart/Errors cart/Slow",
	},
	{
		name: "what fires often was not the first of an incident of which one alert follows",
		tell: `
			again 31h 20 alert db Early -60--59 severity=warning
			alert cart Errors -56-45
			record 1 cart detected=0 mitigated=45
			needs cart db`,
		want: "1: cart/Errors; nothing: db/Early",
	},
	{
		name: "what fires often was not the first of an incident that begins a quarter of an hour later",
		tell: `
			again 31h 20 alert db Early -60--59 severity=warning
			alert cart Errors -45-45
			alert cart Slow -45-45
			record 1 cart detected=0 mitigated=45
			needs cart db`,
		want: "1: cart/Errors cart/Slow; nothing: db/Early",
	},
	{
		name: "a record two hours late by a wrong zone has its alerts that are long over",
		tell: `
			alert web Errors -120--90
			alert web Slow -118--90
			alert web Down -116--90
			record 1 web started=0 detected=2 mitigated=30`,
		want: "1: web/Errors web/Slow web/Down",
		why:  "a clock two hours off is considered, in both directions",
	},
	{
		name: "an alert that was right five times today is taken for an incident an hour on",
		tell: `
			alert mail Slow -600--560 severity=warning
			record p0 mail started=-600 mitigated=-560
			alert mail Slow -490--450 severity=warning
			record p1 mail started=-490 mitigated=-450
			alert mail Slow -380--340 severity=warning
			record p2 mail started=-380 mitigated=-340
			alert mail Slow -270--230 severity=warning
			record p3 mail started=-270 mitigated=-230
			alert mail Slow -160--120 severity=warning
			record p4 mail started=-160 mitigated=-120
			alert mail Slow 50-90 severity=warning
			record 1 cart started=0 mitigated=600
			needs mail cart`,
		want: "1: mail/Slow@50; p0: mail/Slow@-600; p1: mail/Slow@-490; p2: mail/Slow@-380; p3: mail/Slow@-270; p4: mail/Slow@-160",
	},
	{
		name: "two alerts of another service in the middle of a long incident are no incident of their own",
		tell: `
			alert web Errors 1-1000
			alert mail Slow 300-340
			alert mail Queue 301-340
			record 1 web started=0 mitigated=1000
			needs mail web
			open weighed`,
		want: "1: web/Errors mail/Slow? mail/Queue",
	},
	{
		name: "a burst of the own service in the middle of a long incident is of it",
		tell: `
			alert web Errors 1-1000
			alert web Slow 300-340
			alert web Queue 301-340
			alert web Bounces 302-340
			alert web Down 303-340
			record 1 web started=0 mitigated=1000
			open weighed`,
		want: "1: web/Errors web/Slow web/Queue web/Bounces web/Down",
	},
	{
		name: "alerts at one moment of services that nothing ties are no burst",
		tell: `
			alert web Errors 1-1000
			alert s0 Down0 300-340
			alert s1 Down1 301-340
			alert s2 Down2 302-340
			alert s3 Down3 303-340
			record 1 web started=0 mitigated=1000
			needs s0 web
			needs s1 web
			needs s2 web
			needs s3 web
			open weighed`,
		want: "1: web/Errors s0/Down0? s1/Down1? s2/Down2? s3/Down3?",
	},
	{
		name: "what fires every seven hours is no part of an incident that opened half an hour ago",
		tell: `
			alert cart Errors 0-5
			again 7h 90 alert cart Slow 40-45 severity=warning`,
		want: "opened: cart/Errors; nothing: cart/Slow@-380 cart/Slow@40",
	},
}
