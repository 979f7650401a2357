package web

import (
	"slices"

	"meantime/incident"
)

// why says for each candidate of a milestone, the first of which counts, why it does or does not. Of the only one there
// is nothing to say.
func why(n incident.MilestoneName, c []incident.Candidate) []string {
	out := make([]string, len(c))
	for i := range c {
		if i == 0 {
			out[i] = whyCounts(n, c)
		} else {
			out[i] = whyNot(n, c[0], c[i])
		}
	}
	return out
}

func whyCounts(n incident.MilestoneName, c []incident.Candidate) string {
	first, others := c[0], c[1:]
	switch {
	case first.Placeholder:
		return "counts for want of a better one, but it only repeats when the record was made or the incident detected, so nothing is measured from it"
	case len(others) == 0:
		return ""
	case first.Origin == incident.OriginReview:
		return "counts: a person's decision outranks everything"
	case n == incident.Detected && slices.ContainsFunc(others, func(c incident.Candidate) bool { return byAlert(c) != byAlert(first) }):
		return "counts: the earlier of an alert's first notification and what the records tell"
	}
	var weaker []string
	for _, o := range others {
		switch words := originWords(o.Origin); {
		case o.Placeholder || slices.Contains(weaker, words):
		case o.Origin.Rank() > first.Origin.Rank():
			weaker = append(weaker, words)
		default:
			return "counts: its source is listed first in the configuration, or it is the newest"
		}
	}
	if len(weaker) == 0 {
		return "counts: the others only repeat when the record was made or the incident detected"
	}
	return "counts: " + originWords(first.Origin) + " outranks " + joinWords(weaker)
}

func whyNot(n incident.MilestoneName, first, c incident.Candidate) string {
	switch {
	case c.Placeholder:
		return "only repeats when the record was made or the incident detected"
	case first.Origin == incident.OriginReview:
		return "overruled by a person"
	case n == incident.Detected && byAlert(c) != byAlert(first) && !c.At.Before(first.At):
		return "not earlier than the one that counts"
	case c.Origin.Rank() > first.Origin.Rank():
		return originWords(first.Origin) + " outranks " + originWords(c.Origin)
	}
	return "another source is listed first, or a newer record says otherwise"
}

func byAlert(c incident.Candidate) bool { return c.Origin == incident.OriginAlert }
