package web

import (
	"net/http"
	"strings"
	"time"

	"meantime/incident"
)

// zoneCookie remembers in whose clock a reader wants times besides UTC.
const zoneCookie = "meantime_zone"

// zoneFor is how long it is remembered.
const zoneFor = 400 * 24 * time.Hour // the longest that browsers keep a cookie

// usualZones are offered; any of the time zone database can be typed.
var usualZones = []string{
	"Africa/Johannesburg", "Africa/Lagos", "America/Chicago", "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Asia/Dubai", "Asia/Hong_Kong",
	"Asia/Kolkata", "Asia/Seoul", "Asia/Shanghai", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin", "Europe/Istanbul",
	"Europe/London", "Europe/Madrid", "Europe/Paris", "Europe/Prague", "Europe/Stockholm", "Europe/Warsaw", "Europe/Zurich", "Pacific/Auckland",
}

// zone writes times: in UTC, and in a reader's own zone beside it where there is one.
type zone struct{ own *time.Location }

// zoneNamed is the zone of a name of the time zone database; nobody's own is UTC.
func zoneNamed(name string) (zone, error) {
	if name == "" || name == "UTC" {
		return zone{}, nil
	}
	in, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return zone{}, incident.Errorf(incident.CodeInvalid, "unknown zone %q; write it like Europe/Berlin", cut(name))
	}
	return zone{in}, nil
}

// zone is that of the reader who asks.
func (s *web) zone(r *http.Request) zone {
	c, err := r.Cookie(zoneCookie)
	if err != nil {
		return zone{}
	}
	z, err := zoneNamed(c.Value)
	if err != nil {
		return zone{}
	}
	return z
}

// name is what the reader chose; empty for UTC alone.
func (z zone) name() string {
	if z.own == nil {
		return ""
	}
	return z.own.String()
}

// beside is a time in the reader's zone, in a form that ends in the time of day, with the day where it is another there.
func (z zone) beside(t time.Time, timeOfDay string) string {
	if z.own == nil || t.IsZero() {
		return ""
	}
	own, form := t.In(z.own), timeOfDay+" MST"
	if own.Format(time.DateOnly) != t.UTC().Format(time.DateOnly) {
		form = time.DateOnly + " " + form
	}
	return " (" + own.Format(form) + ")"
}

// clock is a time to the second.
func (z zone) clock(t time.Time) string { return clock(t) + z.beside(t, time.TimeOnly) }

// when is a time no more exact than it is known.
func (z zone) when(t time.Time, p incident.Precision) string {
	form := time.TimeOnly
	if p == incident.PrecisionMinute || p == incident.PrecisionApproximate {
		form = "15:04"
	}
	return when(t, p) + z.beside(t, form)
}

// chooseZone remembers a reader's zone.
func (s *web) chooseZone(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	z, err := zoneNamed(strings.TrimSpace(r.PostForm.Get("zone")))
	if err != nil {
		return err
	}
	c := s.cookie(r, z.name(), int(zoneFor/time.Second))
	if c.Name = zoneCookie; c.Value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
	http.Redirect(w, r, s.Prefix+local(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}
