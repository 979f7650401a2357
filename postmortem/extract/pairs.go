package extract

import (
	"strconv"
	"time"
)

// Pair are the features of two milestones' moments together, a being the earlier milestone in their order; a moment of -1 is
// none.
func (p *Problem) Pair(ms []Moment, a, x, b, y int) []string {
	key := strconv.Itoa(a) + strconv.Itoa(b)
	if x < 0 && y < 0 {
		return []string{key + "both missing"}
	}
	if x < 0 || y < 0 {
		return nil
	}
	from, to := ms[x].At, ms[y].At
	gap := to.Sub(from)
	fs := []string{key + gapName(gap)}
	for _, s := range p.Spans {
		f, t := near(from, s.From), near(to, s.To)
		switch {
		case f && t:
			fs = append(fs, key+"a span")
		case f && near(to, s.From) && a != b:
			fs = append(fs, key+"both begin a span")
		}
	}
	for _, l := range p.Lengths {
		if l.Part == Whole && l.holds(gap) {
			fs = append(fs, key+"printed length")
			break
		}
	}
	return append(fs, p.printed(key, gap, a, b)...)
}

func (l Length) holds(d time.Duration) bool { return d >= l.Least && d <= l.Most }

// lengthOf are the milestones that the length of a part can lie between: from the start, or from the detection.
var lengthOf = map[Part][][2]int{
	ToDetect:      {{0, 1}},
	ToAcknowledge: {{0, 2}, {1, 2}},
	ToRecover:     {{0, 4}, {0, 5}, {1, 4}, {1, 5}},
}

// printed are the features of the lengths of parts that the text prints: two moments bear one out, or they do not.
func (p *Problem) printed(key string, gap time.Duration, a, b int) (fs []string) {
	for _, l := range p.Lengths {
		for _, ab := range lengthOf[l.Part] {
			if ab != [2]int{a, b} {
				continue
			}
			if l.holds(gap) {
				return []string{key + "as printed"}
			}
			fs = []string{key + "not as printed"}
		}
	}
	return fs
}

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= time.Minute }

// gapName is the order of two moments and how far they are apart, roughly.
func gapName(d time.Duration) string {
	switch {
	case d < -2*time.Hour:
		return "long before"
	case d < -5*time.Minute:
		return "before"
	case d < 0:
		return "just before"
	case d == 0:
		return "same"
	case d <= 5*time.Minute:
		return "just after"
	case d <= 30*time.Minute:
		return "soon after"
	case d <= 4*time.Hour:
		return "after"
	case d <= 24*time.Hour:
		return "long after"
	case d <= 72*time.Hour:
		return "days after"
	}
	return "very long after"
}
