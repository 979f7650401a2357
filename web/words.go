package web

import (
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"meantime/incident"
)

// meaning says what a milestone means.
func meaning(n incident.MilestoneName) string {
	switch n {
	case incident.Started:
		return "users began to be affected"
	case incident.Detected:
		return "the organisation first knew"
	case incident.Acknowledged:
		return "somebody began to work on it"
	case incident.Identified:
		return "the cause was known"
	case incident.Mitigated:
		return "users stopped being affected"
	case incident.Resolved:
		return "it was over for good"
	}
	return ""
}

// originWords says where a time comes from.
func originWords(o incident.Origin) string {
	switch o {
	case incident.OriginReview:
		return "a person's decision"
	case incident.OriginRecord:
		return "a record"
	case incident.OriginPostmortem:
		return "a written postmortem"
	case incident.OriginPrometheus:
		return "Prometheus"
	case incident.OriginAlert:
		return "an alert"
	}
	return string(o)
}

// pointWords names an end of an interval.
func pointWords(p incident.Point) string {
	switch p {
	case incident.PointCondition:
		return "condition true"
	case incident.PointFired:
		return "alert fired"
	case incident.PointNotified:
		return "notification received"
	case incident.PointEnded:
		return "last alert ended"
	case incident.PointOpened:
		return "opened"
	}
	return string(p)
}

// detectedWords says who knew first.
func detectedWords(d incident.DetectedBy) string {
	switch d {
	case incident.ByAlert:
		return "detected by an alert"
	case incident.ByCustomer:
		return "detected by a customer"
	case incident.ByStaff:
		return "detected by staff"
	case incident.ByThirdParty:
		return "detected by a third party"
	}
	return "not known who detected it"
}

// endWords says how the end of an episode is known, where that is not the usual resolved notification, or why it is not.
func endWords(e incident.Episode) string {
	switch e.End {
	case incident.EndGone:
		return "Alertmanager listed it no more; this is when it was last listed"
	case incident.EndHistory:
		return "read from Prometheus' past"
	case incident.EndSuperseded:
		return "its end is not known: it fired anew without having resolved; this is when it was last heard of"
	case incident.EndExpired:
		return "its end is not known: nothing more was heard of it; this is when it was last heard of"
	case incident.EndVanished:
		if e.EndReason == "" {
			return "its end is not known: its sender stopped for another reason; this is when it was last heard of"
		}
		return "its end is not known (" + e.EndReason + "); this is when it was last heard of"
	}
	return ""
}

// duration is a duration as a person would say it, in its two largest units.
func duration(d time.Duration) string {
	if d < 0 {
		if d == math.MinInt64 {
			d++
		}
		return "−" + duration(-d)
	}
	if d < time.Minute {
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	units := []struct {
		name string
		size int64
	}{{"d", 86400}, {"h", 3600}, {"min", 60}, {"s", 1}}
	for i, u := range units {
		if n := s / u.size; n > 0 {
			out := fmt.Sprintf("%d %s", n, u.name)
			if i+1 < len(units) {
				if m := s % u.size / units[i+1].size; m > 0 {
					out += fmt.Sprintf(" %d %s", m, units[i+1].name)
				}
			}
			return out
		}
	}
	return "0 s"
}

// ago is how long before now a time was, in its largest unit.
func ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d <= -time.Minute:
		return "in " + largest(-d)
	case d < time.Minute:
		return "just now"
	}
	return largest(d) + " ago"
}

// largest is a duration of a minute or more in its largest unit, rounded down.
func largest(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// clock is a time in UTC to the second.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// when is a time in UTC, no more exact than it is known.
func when(t time.Time, p incident.Precision) string {
	switch p {
	case incident.PrecisionMinute:
		return t.UTC().Format("2006-01-02 15:04")
	case incident.PrecisionApproximate:
		return "about " + t.UTC().Format("2006-01-02 15:04")
	}
	return clock(t)
}

// percent is a ratio as a percentage.
func percent(r float64) string { return fmt.Sprintf("%.0f %%", 100*r) }

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return ""
	}
	c, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(c)) + s[n:]
}

// isLink says whether s as a whole is an address that may stand in a link: http or https with a host, and nothing else
// that a browser could take for one.
func isLink(s string) bool {
	if len(s) > 2048 || strings.ContainsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// joinWords is a list in words: "a", "a and b", "a, b and c".
func joinWords(l []string) string {
	if len(l) < 2 {
		return strings.Join(l, "")
	}
	return strings.Join(l[:len(l)-1], ", ") + " and " + l[len(l)-1]
}

// alertTimes says in words when an alert fired and ended.
func alertTimes(e incident.Episode, now time.Time) string {
	if e.Firing() {
		return "fires for " + duration(now.Sub(e.StartsAt))
	}
	if !e.Ended() {
		return "fired for at least " + duration(e.EndsAt.Sub(e.StartsAt))
	}
	return "fired for " + duration(e.EndsAt.Sub(e.StartsAt))
}

// severityClass is the colour of a severity: only the names that the defaults know have one.
func severityClass(severity string) string {
	switch severity {
	case "critical":
		return "bad"
	case "warning":
		return "warn"
	}
	return ""
}

// stateClass is the colour of an incident's state.
func stateClass(s incident.State) string {
	switch s {
	case incident.StateOpen:
		return "bad"
	case incident.StateResolved:
		return "good"
	}
	return ""
}

// outcomeWords says what became of an episode.
func outcomeWords(o incident.Outcome) string {
	switch o {
	case incident.OutcomeLinked:
		return "belongs to an incident"
	case incident.OutcomeSuggested:
		return "may belong to one"
	case incident.OutcomeNone:
		return "belongs to none"
	}
	return string(o)
}
