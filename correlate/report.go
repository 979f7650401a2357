package correlate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"meantime/incident"
)

// report is one incident as its records tell it.
type report struct {
	// records are the most trusted first: the source listed first, then the newest.
	records []*incident.Record
	// merged says for each record after the first why it is of the same incident.
	merged   []string
	key      string   // by which reports are ordered: that of its first record in order of key
	services []string // named, the one named first most likely the one that failed
	place    string
	words    map[string]bool

	started, detected, acknowledged, identified, mitigated, resolved time.Time
	by                                                               incident.DetectedBy

	// onset is when it began, as near as the records tell; over is when it was over. Alerts that began in [from, to] can
	// belong to it.
	onset, over time.Time
	from, to    time.Time
	clues       []clue
}

// ids are those of the incident that any of its records alone would make.
func (r *report) ids() []string {
	out := make([]string, len(r.records))
	for i, rec := range r.records {
		out[i] = incident.RecordID(rec.Key())
	}
	return out
}

// Alerts can begin so long before and after what the records tell: people write times from memory, and in the wrong zone.
const (
	tellsBefore = 4 * time.Hour
	tellsAfter  = 3 * time.Hour
	longest     = 3 * time.Hour // that an incident is taken to last where only a late resolved tells its end
)

func newReport(records []*incident.Record, merged []string, dir *directory) *report {
	r := &report{records: records, merged: merged, by: incident.ByUnknown, words: map[string]bool{}}
	for _, rec := range records {
		if k := rec.Source + "\x00" + rec.ID; r.key == "" || k < r.key {
			r.key = k
		}
		known := func(n incident.MilestoneName, t *time.Time) {
			if c, ok := stated(rec, n); ok && !c.Placeholder && t.IsZero() {
				*t = c.At
			}
		}
		known(incident.Started, &r.started)
		known(incident.Detected, &r.detected)
		known(incident.Acknowledged, &r.acknowledged)
		known(incident.Identified, &r.identified)
		known(incident.Mitigated, &r.mitigated)
		known(incident.Resolved, &r.resolved)
		if n := len(rec.Impacts); n > 0 {
			if r.started.IsZero() {
				r.started = rec.Impacts[0].From
			}
			if r.mitigated.IsZero() {
				r.mitigated = rec.Impacts[n-1].To
			}
		}
		if r.by == incident.ByUnknown {
			r.by = cmp.Or(rec.DetectedBy, incident.ByUnknown)
		}
		for _, s := range dir.Named(rec) {
			if !slices.Contains(r.services, s) {
				r.services = append(r.services, s)
			}
		}
		r.place = cmp.Or(r.place, placeOf(rec.Labels))
		for w := range dir.words(rec.Title) {
			r.words[w] = true
		}
	}
	r.clues = r.read()
	r.onset = r.clues[0].at
	switch {
	case !r.mitigated.IsZero():
		r.over = r.mitigated
	case !r.resolved.IsZero():
		r.over = earliest(r.resolved, r.onset.Add(longest))
	}
	if r.over.Before(r.onset) {
		r.over = r.onset.Add(time.Hour)
	}
	for _, rec := range records {
		if rec.State == incident.StateOpen && r.resolved.IsZero() {
			r.over = latest(r.over, lastKnown(rec).Add(dir.rules.OpenFor))
		}
	}
	r.from, r.to = r.onset.Add(-tellsBefore-dir.rules.Before), r.over.Add(tellsAfter+dir.rules.After)
	return r
}

// clue is what one milestone tells of when the first alert fired: around a moment, with scales before and after it, or, with
// the share wide, anywhere within hours of it.
type clue struct {
	told          string    // of what, as in "before the incident began"
	said          time.Time // as told
	at            time.Time // when the first alert is likeliest
	before, after time.Duration
	wide          float64
}

// read lists the clues, the most precise first. The scales are how far apart the times were in labelled incidents: people
// round a start to five minutes and remember it a little early, a person notices trouble after a quarter of an hour, and
// somebody acknowledges some minutes after an alert.
func (r *report) read() []clue {
	var out []clue
	add := func(told string, t time.Time, shift, before, after time.Duration, wide float64) {
		if !t.IsZero() {
			out = append(out, clue{told, t, t.Add(shift), before, after, wide})
		}
	}
	const m, s = time.Minute, time.Second
	person := r.by != incident.ByAlert && r.by != incident.ByUnknown
	if r.by == incident.ByAlert {
		add("the incident was detected", r.detected, -90*s, 150*s, 3*m, 0.3)
	}
	add("the incident began", r.started, 2*m, 4*m, 8*m, 0.25)
	if r.by == incident.ByUnknown {
		add("the incident was detected", r.detected, -90*s, 6*m, 6*m, 0.45)
	}
	add("the incident was acknowledged", r.acknowledged, -7*m, 15*m, 7*m, 0.4)
	if person {
		add("the incident was detected", r.detected, -15*m, 20*m, 20*m, 0.3)
	}
	add("the incident was mitigated", r.mitigated, -25*m, 40*m, 15*m, 0.3)
	add("its cause was identified", r.identified, -25*m, 40*m, 20*m, 0.3)
	add("the incident was resolved", r.resolved, -50*m, 90*m, 35*m, 0.5)
	if len(out) == 0 {
		var made time.Time
		for _, rec := range r.records {
			made = earliest(made, cmp.Or(rec.CreatedAt, rec.UpdatedAt))
		}
		out = append(out, clue{"its record was made", made, made.Add(-60 * m), 120 * m, 60 * m, 0.5})
	}
	return out
}

// density is how likely the first alert fires around a time, per hour.
func (c *clue) density(t time.Time) float64 {
	d, before, after := t.Sub(c.at).Hours(), c.before.Hours(), c.after.Hours()
	scale := after
	if d < 0 {
		d, scale = -d, before
	}
	const hours = 1.5 // the scale of the wide share
	return (1-c.wide)*math.Exp(-d/scale)/(before+after) + c.wide*math.Exp(-d/hours)/(2*hours)
}

// timing is how well an outbreak goes with the times of a report, in parts.
type timing struct {
	first, others, end float64
	// shift is by how much the report's clock seems wrong.
	shift time.Duration
}

const (
	outbreakRate = 0.1              // outbreaks that have nothing to do with each other, per hour
	duringRate   = 0.03             // alerts of an incident that begin at any time in it, per hour
	worstClue    = -2.0             // a milestone that contradicts the others counts no more than this
	clockOdds    = -3.5             // a record whose clock is an hour or two off
	endScale     = 8 * time.Minute  // of the end of most alerts around mitigated
	endLag       = 3 * time.Minute  // alerts end a little after users are well
	endWide      = 90 * time.Minute //
	resolveLag   = 30 * time.Minute // of resolved after the end of most alerts
	resolveEarly = 6 * time.Minute  //
	closeToEnd   = 0.6              // share of ends that are told well
	resolveClose = 0.5              //
	dayFraction  = float64(24*time.Hour) / float64(time.Hour)
)

// clocks are by how much the clock of who wrote a record may be wrong: in another zone, or before daylight saving.
var clocks = []time.Duration{time.Hour, -time.Hour, 2 * time.Hour, -2 * time.Hour}

// bestEnd is the most that an end can say.
var bestEnd = max(math.Log(endWide.Hours()*closeToEnd/(2*endScale.Hours())+1-closeToEnd), math.Log(endWide.Hours()*(resolveClose/(resolveLag+resolveEarly).Hours()+(1-resolveClose)/endWide.Hours())))

// times compares an outbreak's begin and end with what the report tells, if need be with its clock an hour or two off. What
// comes to no more than least need not be exact.
func (r *report) times(o *outbreak, w *Weights, least float64) timing {
	best := r.timesBy(o, 0)
	top := w.Time*best.first + w.OtherTimes*best.others + w.End*best.end
	for _, shift := range clocks {
		// Most are hopeless by the first clue alone, and the others are many.
		if w.Time*math.Log(r.clues[0].density(o.first.Add(-shift))/outbreakRate)+w.End*bestEnd+clockOdds <= max(top, least) {
			continue
		}
		t := r.timesBy(o, shift)
		if sum := w.Time*t.first + w.OtherTimes*t.others + w.End*t.end + clockOdds; sum > top {
			best, top = t, sum
		}
	}
	return best
}

func (r *report) timesBy(o *outbreak, shift time.Duration) timing {
	t := timing{shift: shift}
	begin := o.first.Add(-shift)
	for i := range r.clues {
		c := &r.clues[i]
		d := c.density(begin)
		if i > 0 {
			t.others += max(math.Log(d/c.density(c.at)), worstClue)
			continue
		}
		if shift == 0 && r.during(begin) {
			d = max(d, duringRate)
		}
		t.first = math.Log(d / outbreakRate)
	}
	settled := o.look().settled
	if settled.IsZero() {
		return t
	}
	end, wide := settled.Add(-shift), endWide.Hours()
	switch {
	case !r.mitigated.IsZero():
		off := math.Abs(end.Sub(r.mitigated.Add(endLag)).Hours())
		t.end = math.Log(wide * (closeToEnd*math.Exp(-off/endScale.Hours())/(2*endScale.Hours()) + (1-closeToEnd)/wide))
	case !r.resolved.IsZero():
		off, scale := r.resolved.Sub(end).Hours(), resolveLag.Hours()
		if off < 0 {
			off, scale = -off, resolveEarly.Hours()
		}
		t.end = math.Log(wide * (resolveClose*math.Exp(-off/scale)/(resolveLag+resolveEarly).Hours() + (1-resolveClose)/wide))
	}
	return t
}

// during says whether a time is while users were affected, with the configured tolerance.
func (r *report) during(t time.Time) bool { return !t.Before(r.onset) && !t.After(r.over) }
