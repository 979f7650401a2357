package config

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// PostmortemsConfig is how an organisation writes its postmortems.
type PostmortemsConfig struct {
	Zone     string           `mapstructure:"zone"` // of times in documents that say none
	Words    PostmortemWords  `mapstructure:"words"`
	Headings PostmortemTitles `mapstructure:"headings"`
}

// PostmortemWords are phrases that tell of a milestone, and of an alert.
type PostmortemWords struct {
	Started      []string `mapstructure:"started"`
	Detected     []string `mapstructure:"detected"`
	Alert        []string `mapstructure:"alert"`
	Acknowledged []string `mapstructure:"acknowledged"`
	Identified   []string `mapstructure:"identified"`
	Mitigated    []string `mapstructure:"mitigated"`
	Resolved     []string `mapstructure:"resolved"`
}

// PostmortemTitles are headings, by the section below them.
type PostmortemTitles struct {
	Timeline   []string `mapstructure:"timeline"`
	Impact     []string `mapstructure:"impact"`
	Summary    []string `mapstructure:"summary"`
	Cause      []string `mapstructure:"cause"`
	Detection  []string `mapstructure:"detection"`
	Resolution []string `mapstructure:"resolution"`
	Actions    []string `mapstructure:"actions"`
	Lessons    []string `mapstructure:"lessons"`
}

// Postmortems is how an organisation writes its postmortems; see PostmortemsConfig. Zone is nil where none is given, and of
// words and headings there are only those that have phrases.
type Postmortems struct {
	Zone     *time.Location
	Words    map[string][]string
	Headings map[string][]string
}

// mostPhrase is the longest phrase, in bytes. What is longer is a sentence, which nobody writes twice.
const mostPhrase = 100

func (v *validator) postmortems() Postmortems {
	c := v.Postmortems
	out := Postmortems{}
	if c.Zone != "" {
		zone, err := time.LoadLocation(c.Zone)
		if err != nil || c.Zone == "Local" {
			v.bad("postmortems.zone", "unknown zone %q; write it like Europe/Berlin", quotable(c.Zone))
		}
		out.Zone = zone
	}
	w, h := c.Words, c.Headings
	out.Words = v.phrases("postmortems.words.", []phrases{
		{"started", w.Started}, {"detected", w.Detected}, {"alert", w.Alert}, {"acknowledged", w.Acknowledged},
		{"identified", w.Identified}, {"mitigated", w.Mitigated}, {"resolved", w.Resolved},
	})
	out.Headings = v.phrases("postmortems.headings.", []phrases{
		{"timeline", h.Timeline}, {"impact", h.Impact}, {"summary", h.Summary}, {"cause", h.Cause}, {"detection", h.Detection},
		{"resolution", h.Resolution}, {"actions", h.Actions}, {"lessons", h.Lessons},
	})
	return out
}

type phrases struct {
	name string
	list []string
}

// phrases checks lists of phrases: each is words, and means one thing.
func (v *validator) phrases(key string, lists []phrases) map[string][]string {
	var out map[string][]string
	first := map[string]string{}
	for _, l := range lists {
		for i, s := range l.list {
			k := fmt.Sprintf("%s%s[%d]", key, l.name, i)
			folded := strings.Join(strings.Fields(strings.ToLower(s)), " ")
			switch {
			case !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
				v.bad(k, "%q has no word in it; write a phrase as documents have it, such as all clear", quotable(s))
			case strings.ContainsAny(s, "|{}\n") || strings.Contains(s, ".."):
				v.bad(k, "%q is more than words; write each phrase alone, such as [all clear, back to normal]", quotable(s))
			case len(s) > mostPhrase:
				v.bad(k, "%q is longer than %d bytes; write the few words that tell it", quotable(s), mostPhrase)
			case first[folded] == l.name:
				v.bad(k, "%q is given twice", quotable(s))
			case first[folded] != "":
				v.bad(k, "%q is given twice, first for %s", quotable(s), first[folded])
			default:
				first[folded] = l.name
			}
		}
		if len(l.list) > 0 {
			if out == nil {
				out = map[string][]string{}
			}
			out[l.name] = l.list
		}
	}
	return out
}
