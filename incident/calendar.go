package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Calendar says which time counts: the hours of a week in a time zone, but for holidays. It is not changed once it was made.
type Calendar struct {
	Name     string
	zone     *time.Location
	week     [7][]hours // by time.Weekday, in order, none touching the next
	holidays map[string]bool
}

// MarshalText is its name, which is all that answers tell of it.
func (c *Calendar) MarshalText() ([]byte, error) { return []byte(c.Name), nil }

// UnmarshalText takes the name that MarshalText gave; the hours stay unknown, so it must not be asked for time.
func (c *Calendar) UnmarshalText(name []byte) error {
	c.Name = string(name)
	return nil
}

// hours are a stretch of a day in minutes after midnight, by the clock on the wall.
type hours struct{ from, to int }

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// NewCalendar makes one of hours such as "mon-fri 10:00-17:00" and holidays such as 2026-12-25, in a zone such as Europe/London.
func NewCalendar(name, zone string, week, holidays []string) (*Calendar, error) {
	c := &Calendar{Name: name, holidays: map[string]bool{}}
	var err error
	if c.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return nil, fmt.Errorf("unknown zone %q; write it like Europe/London", zone)
	}
	if len(week) == 0 {
		return nil, fmt.Errorf("no hours; write them like mon-fri 10:00-17:00")
	}
	for _, w := range week {
		days, h, err := parseHours(w)
		if err != nil {
			return nil, err
		}
		for _, d := range days {
			c.week[d] = append(c.week[d], h)
		}
	}
	for d := range c.week {
		c.week[d] = joinHours(c.week[d])
	}
	for _, h := range holidays {
		if _, err := time.Parse(time.DateOnly, h); err != nil {
			return nil, fmt.Errorf("holiday %q is not a day; write it like 2026-12-25", h)
		}
		c.holidays[h] = true
	}
	return c, nil
}

// parseHours reads "mon-fri 10:00-17:00", "sat 09:00-12:00" or "sun 00:00-24:00".
func parseHours(s string) (days []int, h hours, err error) {
	bad := fmt.Errorf("hours %q; write them like mon-fri 10:00-17:00, or mon 00:00-24:00", s)
	fields := strings.Fields(strings.ToLower(s))
	if len(fields) != 2 {
		return nil, h, bad
	}
	first, last, several := strings.Cut(fields[0], "-")
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if !several {
		to = from
	}
	begin, end, ok := strings.Cut(fields[1], "-")
	if h.from, h.to = minutes(begin), minutes(end); !ok || from < 0 || to < 0 || h.from < 0 || h.to <= h.from {
		return nil, h, bad
	}
	for d := from; ; d = (d + 1) % 7 {
		if days = append(days, d); d == to {
			return days, h, nil
		}
	}
}

// minutes are those of "10:00" after midnight, up to 24:00; -1 where it is no such time.
func minutes(s string) int {
	if s == "24:00" {
		return 24 * 60
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return -1
	}
	return t.Hour()*60 + t.Minute()
}

func joinHours(l []hours) (out []hours) {
	slices.SortFunc(l, func(a, b hours) int { return a.from - b.from })
	for _, h := range l {
		if n := len(out); n > 0 && h.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, h.to)
			continue
		}
		out = append(out, h)
	}
	return out
}

// Between is how much of [from, to] lies inside. Where the clock is put back, an hour that comes twice counts twice.
func (c *Calendar) Between(from, to time.Time) (sum time.Duration) {
	day := from.In(c.zone)
	for y, m, d := day.Date(); ; d++ {
		midnight := time.Date(y, m, d, 0, 0, 0, 0, c.zone)
		if !midnight.Before(to) && d > day.Day() {
			return sum
		}
		if c.holidays[time.Date(y, m, d, 12, 0, 0, 0, c.zone).Format(time.DateOnly)] {
			continue
		}
		for _, h := range c.week[time.Date(y, m, d, 12, 0, 0, 0, c.zone).Weekday()] {
			begin, end := time.Date(y, m, d, 0, h.from, 0, 0, c.zone), time.Date(y, m, d, 0, h.to, 0, 0, c.zone)
			if begin.Before(from) {
				begin = from
			}
			if end.After(to) {
				end = to
			}
			if begin.Before(end) {
				sum += end.Sub(begin)
			}
		}
	}
}
