package correlate

import (
	"slices"
	"strings"
	"unicode"

	"meantime/correlate/catalog"
)

// empty are words that say nothing about what happened.
var empty = map[string]bool{
	"the": true, "of": true, "on": true, "to": true, "for": true, "and": true, "is": true, "are": true, "a": true, "an": true, "in": true, "with": true, "from": true, "not": true, "by": true, "at": true, "be": true,
	"incident": true, "problem": true, "issue": true, "issues": true, "alert": true, "investigating": true, "users": true, "customers": true,
}

// wordsOf are the words of a text that say something; a plural is the same word.
func wordsOf(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range catalog.Words(unjoin(text)) {
		if len(w) > 2 && !empty[w] {
			out[singular(w)] = true
		}
	}
	return out
}

// words are what a text says besides the names of services.
func (d *directory) words(text string) map[string]bool {
	out := wordsOf(text)
	for _, s := range d.Mentioned(text) {
		for _, w := range catalog.Words(s) {
			delete(out, singular(w))
		}
	}
	return out
}

// unjoin puts spaces between the words of a name in camel case.
func unjoin(s string) string {
	var b strings.Builder
	lower := false
	for _, c := range s {
		if unicode.IsUpper(c) && lower {
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(c)
		b.WriteRune(c)
	}
	return b.String()
}

func singular(w string) string {
	if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
		return w[:len(w)-1]
	}
	return w
}

// common are the words in both, in order.
func common(a, b map[string]bool) []string {
	var out []string
	for w := range a {
		if b[w] {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}
