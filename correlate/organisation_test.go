package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/correlate/catalog"
	"meantime/incident"
)

// organisation is a small one in words: a line, or what lies between semicolons, for each thing that is told. Numbers are
// minutes after noon.
//
//	alert <service> <name> <from>-<to> [<label>=<value> ...]   no service is -, one that still fires has no <to>
//	record <id> <service,service> <milestone>=<minute> ...     others than ours are source/id; record says what else it may say
//	silence <service> <from>-<to> <made>
//	review confirm|reject <record> <service>/<name>            what a person said of an alert told before; opened: what it opened
//	reviews confirm|reject <record> <service>/<name>           the same of each that "again" told of both before
//	maintenance <label>=<value> [<day> <from>-<to>]            always, or in a stretch of each week (UTC; noon is a Sunday's)
//	needs <service> <service,service>
//	learned <service> <service,service>
//	open weighed | open nothing | open by <label>                      otherwise each critical alert opens an incident
//	day one                                                    otherwise a month of one incident a day, elsewhere, lies behind
//	again <duration> <times> alert|record ...                  what follows, and as often before it, so far apart
type organisation struct {
	t     require.TestingT
	facts incident.Facts
	rules Rules
	past  bool
	again map[incident.EpisodeKey]int // which of those before an alert of the past is
}

// present is when the organisations are looked at.
var present = noon.AddDate(0, 0, 14)

func parse(t require.TestingT, text string) *organisation {
	o := &organisation{t: t, rules: DefaultRules(), past: true, again: map[incident.EpisodeKey]int{}}
	o.rules.Open.Matchers = []labels.Matchers{must(`severity="critical"`)}
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		if w := strings.Fields(line); len(w) > 0 {
			o.tell(w, 0)
		}
	}
	if o.past {
		for day := 1; day <= 30; day++ {
			at := -1440*day + 300
			o.tell([]string{"alert", fmt.Sprint("other", day%10), "Odd", fmt.Sprintf("%d-%d", at, at+30)}, 0)
			o.tell([]string{"record", fmt.Sprint("past/", day), fmt.Sprint("other", day%10), fmt.Sprint("impact=", at, "-", at+40)}, 0)
		}
	}
	return o
}

func (o *organisation) minute(s string) time.Time {
	n, err := strconv.ParseFloat(s, 64)
	require.NoError(o.t, err)
	return noon.Add(time.Duration(n * float64(time.Minute)))
}

// between are the ends of "-10-20" or "5-", the second zero where there is none, with all moved into the past.
func (o *organisation) between(s string, back time.Duration) (from, to time.Time) {
	i := strings.Index(s[1:], "-") + 1
	from = o.minute(s[:i]).Add(-back)
	if s = s[i+1:]; s != "" {
		to = o.minute(s).Add(-back)
	}
	return from, to
}

func (o *organisation) tell(w []string, back time.Duration) {
	switch w[0] {
	case "alert":
		o.facts.Sightings = append(o.facts.Sightings, o.alert(w[1:], back))
	case "record":
		o.facts.Records = append(o.facts.Records, o.record(w[1:], back))
	case "silence":
		from, to := o.between(w[2], 0)
		o.facts.Silences = append(o.facts.Silences, incident.Silence{
			ID: "s", CreatedAt: o.minute(w[3]), UpdatedAt: o.minute(w[3]), StartsAt: from, EndsAt: to, CreatedBy: "ann",
			Matchers: []incident.SilenceMatcher{{Name: "service", Value: w[1], IsEqual: true}},
		})
	case "reviews":
		for i := range o.facts.Sightings {
			x := &o.facts.Sightings[i]
			if n := o.again[x.Key()]; n > 0 && x.Labels["service"]+"/"+x.Labels["alertname"] == w[3] {
				key := x.Key()
				o.facts.Reviews = append(o.facts.Reviews, incident.Review{
					ID: fmt.Sprint(len(o.facts.Reviews)), At: noon, By: "ann", Action: incident.ReviewAction(w[1]), Episode: &key,
					Incident: incident.RecordID(incident.RecordKey{Source: "past", ID: fmt.Sprintf("%s-%d", w[2], n)}),
				})
			}
		}
	case "review":
		key := o.find(w[3]).Key()
		id := incident.RecordID(incident.RecordKey{Source: "ours", ID: w[2]})
		if w[2] == "opened" {
			id = incident.EpisodeID(key)
		}
		o.facts.Reviews = append(o.facts.Reviews, incident.Review{
			ID: fmt.Sprint(len(o.facts.Reviews)), At: noon, By: "ann", Action: incident.ReviewAction(w[1]),
			Incident: id, Episode: &key,
		})
	case "maintenance":
		o.rules.Maintenance = append(o.rules.Maintenance, o.maintenance(w[1:]))
	case "needs":
		o.rules.Dependencies = append(o.rules.Dependencies, catalog.Dependency{Service: w[1], Needs: strings.Split(w[2], ",")})
	case "learned":
		o.rules.Learned = append(o.rules.Learned, catalog.Dependency{Service: w[1], Needs: strings.Split(w[2], ",")})
	case "open":
		o.rules.Open.Weigh = w[1] == "weighed"
		if w[1] == "by" {
			o.rules.Open.GroupBy = w[2:]
		}
		if w[1] == "nothing" {
			o.rules.Open.Matchers = nil
		}
	case "day":
		o.past = false
	case "again":
		apart, err := time.ParseDuration(w[1])
		require.NoError(o.t, err)
		times, err := strconv.Atoi(w[2])
		require.NoError(o.t, err)
		for n := range times + 1 {
			again := slices.Clone(w[3:])
			if n > 0 && again[0] == "record" {
				again[1] = fmt.Sprintf("past/%s-%d", again[1], n)
			}
			o.tell(again, time.Duration(n)*apart)
			if n > 0 && again[0] == "alert" {
				o.again[o.facts.Sightings[len(o.facts.Sightings)-1].Key()] = n
			}
		}
	default:
		require.Fail(o.t, "no such line: "+w[0])
	}
}

func (o *organisation) maintenance(w []string) Maintenance {
	m := Maintenance{Matchers: must(w[0])}
	if len(w) > 1 {
		from, to, _ := strings.Cut(w[2], "-")
		clock := func(s string) time.Duration {
			t, err := time.Parse("15:04", s)
			require.NoError(o.t, err)
			return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
		}
		day := slices.Index([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, w[1])
		m.Weekly = &Weekly{Day: time.Weekday(day), From: clock(from), To: clock(to), Zone: time.UTC}
	}
	return m
}

func (o *organisation) alert(w []string, back time.Duration) incident.Sighting {
	l := map[string]string{"alertname": w[1], "severity": "critical"}
	if w[0] != "-" {
		l["service"] = w[0]
	}
	var key, url string
	for _, more := range w[3:] {
		switch k, v, _ := strings.Cut(more, "="); k {
		case "group":
			key = v
		case "groupid": // as the event recorder tells a group
			key = incident.GroupHash(v)
		case "url":
			url = v
		default:
			l[k] = v
		}
	}
	s := labelled(0, 0, l)
	s.StartsAt, s.EndsAt = o.between(w[2], back)
	s.FiringFirst = s.StartsAt.Add(time.Minute)
	s.FiringLast, s.ToldAt, s.GeneratorURL = s.FiringFirst, s.FiringFirst, url
	if s.EndsAt.IsZero() {
		s.FiringLast = present
	}
	if key != "" {
		s.GroupKeys = []string{key}
	}
	return s
}

func (o *organisation) record(w []string, back time.Duration) incident.Record {
	source, id, ok := strings.Cut(w[0], "/")
	if !ok {
		source, id = "ours", w[0]
	}
	r := incident.Record{
		Source: source, ID: id, State: incident.StateResolved, UpdatedAt: noon.Add(12*time.Hour - back),
		Milestones: map[incident.MilestoneName]incident.Stated{},
	}
	if w[1] != "-" {
		r.Services = strings.Split(w[1], ",")
	}
	for _, more := range w[2:] {
		k, v, _ := strings.Cut(more, "=")
		switch {
		case slices.Contains(incident.MilestoneNames[:], incident.MilestoneName(k)):
			r.Milestones[incident.MilestoneName(k)] = incident.Stated{At: o.minute(v).Add(-back)}
		case k == "created":
			r.CreatedAt = o.minute(v).Add(-back)
		case k == "impact":
			from, to := o.between(v, back)
			r.Impacts = append(r.Impacts, incident.Impact{From: from, To: to})
		case k == "title":
			r.Title = strings.ReplaceAll(v, "_", " ")
		case k == "kind":
			r.Kind = incident.Kind(v)
		case k == "state":
			r.State = incident.State(v)
		case k == "url":
			r.URL = v
		case k == "names": // the address of another record or of an alert
			r.References.URLs = append(r.References.URLs, v)
		case k == "refers": // to the id of another record
			r.References.Keys = append(r.References.Keys, v)
		case k == "merged":
			r.Related = append(r.Related, incident.Related{ID: v, How: "merged_into"})
		case k == "print": // the fingerprint of an alert that was told before
			r.References.Fingerprints = append(r.References.Fingerprints, o.find(v).Fingerprint)
		case k == "states": // that alert itself
			r.References.Alerts = append(r.References.Alerts, o.find(v).Key())
		case k == "key": // of a group of alerts
			r.References.GroupKeys = append(r.References.GroupKeys, v)
		case k == "group" || k == "hash": // of alerts, <key>@<from>-<to>
			key, span, _ := strings.Cut(v, "@")
			from, to := o.between(span, back)
			if k == "hash" {
				key = incident.GroupHash(key)
			}
			r.References.AddKey(source, key, from, to)
		default:
			if r.Labels == nil {
				r.Labels = map[string]string{}
			}
			r.Labels[k] = v
		}
	}
	r.Normalize()
	return r
}

// find is the first alert of a service and name.
func (o *organisation) find(name string) *incident.Sighting {
	i := slices.IndexFunc(o.facts.Sightings, func(s incident.Sighting) bool { return s.Labels["service"]+"/"+s.Labels["alertname"] == name })
	require.GreaterOrEqual(o.t, i, 0, "no alert "+name)
	return &o.facts.Sightings[i]
}

// outcome is what comes of it, one part for each incident: its records, or "opened", then the alerts that are linked, those
// with a question mark that are suggested, with ! that are stated, with + and - those that a person confirmed or rejected, or "missed"; then the alerts that are of none, and how many incidents the alerts
// of the past opened. Alerts of one name that begin at other times are told apart by their minute.
func (o *organisation) outcome() string {
	res := Correlate(o.facts, &o.rules, present)
	day := noon.Add(-11 * time.Hour)
	starts := map[string]map[time.Time]bool{}
	for _, s := range o.facts.Sightings {
		if n := title(s.Labels); !s.StartsAt.Before(day) {
			if starts[n] == nil {
				starts[n] = map[time.Time]bool{}
			}
			starts[n][s.StartsAt] = true
		}
	}
	name := func(e *incident.Episode) string {
		n := title(e.Labels)
		if len(starts[n]) > 1 {
			n += fmt.Sprintf("@%g", e.StartsAt.Sub(noon).Minutes())
		}
		return n
	}
	var parts, nothing []string
	before := 0
	placed := map[incident.EpisodeKey]bool{}
	for i := range res.Incidents {
		in := &res.Incidents[i]
		head, alerts := "opened", []string(nil)
		if len(in.Records) > 0 {
			var ids []string
			for _, k := range in.Records {
				ids = append(ids, strings.TrimPrefix(k.String(), "ours/"))
			}
			head = strings.Join(ids, "+")
		}
		slices.SortFunc(in.Links, func(a, b incident.Link) int {
			return cmp.Or(a.Episode.StartsAt.Compare(b.Episode.StartsAt), strings.Compare(name(&a.Episode), name(&b.Episode)))
		})
		for _, l := range in.Links {
			mark := map[incident.LinkState]string{incident.LinkSuggested: "?", incident.LinkStated: "!", incident.LinkConfirmed: "+", incident.LinkRejected: "-"}[l.State]
			alerts = append(alerts, name(&l.Episode)+mark)
			placed[l.Episode.Key()] = true
		}
		switch {
		case strings.HasPrefix(head, "past/"):
			continue
		case in.OpenedByAlerts && in.Links[0].Episode.StartsAt.Before(day):
			before++
			continue
		case in.MissedDetection:
			head += " missed"
		}
		parts = append(parts, strings.TrimSuffix(head+": "+strings.Join(alerts, " "), ": "))
	}
	slices.Sort(parts)
	for i := range res.Verdicts {
		if e := &res.Verdicts[i].Episode; !placed[e.Key()] && !e.StartsAt.Before(day) {
			nothing = append(nothing, name(e))
		}
	}
	if slices.Sort(nothing); len(nothing) > 0 {
		parts = append(parts, "nothing: "+strings.Join(nothing, " "))
	}
	if before > 0 {
		parts = append(parts, fmt.Sprintf("%d opened before", before))
	}
	return strings.Join(parts, "; ")
}

func title(l map[string]string) string {
	where := strings.Trim(l["region"]+"."+l["cluster"]+"."+l["k8s_cluster"], ".")
	return strings.TrimSuffix(strings.TrimPrefix(l["service"]+"/"+l["alertname"], "/")+"("+where+")", "()")
}
