package incident

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Fit cuts what is over the limits of a record, so that Validate need not refuse it for its size: texts end in `…`, lists
// lose their end, and references to alerts and groups keep the earliest. It says how many things were cut. Whoever writes a
// record by hand is told instead; a program cannot make a vendor's text shorter.
func (r *Record) Fit() int {
	n := 0
	text := func(s *string, limit int) {
		if !utf8.ValidString(*s) || strings.ContainsRune(*s, 0) {
			*s = strings.ReplaceAll(strings.ToValidUTF8(*s, "�"), "\x00", "")
			n++
		}
		if len(*s) > limit {
			*s = shorten(*s, limit)
			n++
		}
	}
	text(&r.Title, maxText)
	text(&r.Severity, maxID)
	if len(r.URL) > maxText {
		r.URL, n = "", n+1
	}
	r.Services = upTo(slices.Clone(r.Services), maxServices, &n)
	for i := range r.Services {
		text(&r.Services[i], maxID)
	}
	if r.Labels != nil {
		labels := map[string]string{}
		for k, v := range sorted(r.Labels) {
			if len(labels) == maxLabels || len(k) > maxID {
				n++
				continue
			}
			text(&v, maxText)
			labels[k] = v
		}
		r.Labels = labels
	}
	for name, s := range sorted(r.Milestones) {
		text(&s.Evidence, maxText)
		r.Milestones[name] = s
	}
	r.Impacts = upTo(slices.Clone(r.Impacts), maxList, &n)
	for i := range r.Impacts {
		text(&r.Impacts[i].Evidence, maxText)
	}
	refs := &r.References
	for _, l := range []*[]string{&refs.Fingerprints, &refs.GroupKeys, &refs.URLs, &refs.Keys} {
		fitting := slices.DeleteFunc(slices.Clone(*l), func(s string) bool { return len(s) > maxText })
		n += len(*l) - len(fitting)
		*l = upTo(fitting, maxList, &n)
	}
	if len(refs.Alerts) > maxList {
		refs.Alerts = slices.Clone(refs.Alerts)
		slices.SortStableFunc(refs.Alerts, func(a, b EpisodeKey) int { return a.StartsAt.Compare(b.StartsAt) })
		refs.Alerts = upTo(refs.Alerts, maxList, &n)
	}
	if len(refs.Groups) > maxList {
		refs.Groups = slices.Clone(refs.Groups)
		slices.SortStableFunc(refs.Groups, func(a, b GroupRef) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.SHA256, b.SHA256)) })
		refs.Groups = upTo(refs.Groups, maxList, &n)
	}
	r.Related = upTo(r.Related, maxList-len(upTo(r.Actions, maxList/2, new(int))), &n)
	r.Actions = upTo(r.Actions, maxList/2, &n)
	return n
}

func upTo[T any](list []T, limit int, cut *int) []T {
	if len(list) > limit {
		*cut += len(list) - limit
		return list[:limit:limit]
	}
	return list
}

// shorten cuts a text to at most limit bytes, with the sign for it at its end.
func shorten(s string, limit int) string {
	i := limit - len("…")
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return s[:i] + "…"
}
