package correlate

import (
	"slices"
	"strings"
	"unicode"
)

// split cuts a text into words of letters and digits, in lower case.
func split(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// generic are words that say what sort of thing a name names, and not which.
var generic = map[string]bool{"service": true, "svc": true, "services": true, "api": true, "app": true, "server": true, "the": true, "prod": true, "production": true}

// stores are the words for a database; in a service's name they all mean the same.
var stores = map[string]bool{"db": true, "database": true, "postgres": true, "postgresql": true, "mysql": true, "mariadb": true, "pg": true}

// core is what tells a service's name from others, in whatever order it was said: "the checkout service", "checkout-svc"
// and "Checkout" have one core, as have "Postgres orders" and "orders_db". Empty where all of it is generic.
func core(words []string) string {
	var out []string
	for _, w := range words {
		if stores[w] {
			w = "db"
		}
		if !generic[w] {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// empty are words that say nothing about what happened.
var empty = map[string]bool{
	"the": true, "of": true, "on": true, "to": true, "for": true, "and": true, "is": true, "are": true, "a": true, "an": true, "in": true, "with": true, "from": true, "not": true, "by": true, "at": true, "be": true,
	"incident": true, "problem": true, "issue": true, "issues": true, "alert": true, "investigating": true, "users": true, "customers": true,
}

// wordsOf are the words of a text that say something; a plural is the same word.
func wordsOf(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range split(unjoin(text)) {
		if len(w) > 2 && !empty[w] {
			out[singular(w)] = true
		}
	}
	return out
}

// words are what a text says besides the names of services.
func (d *directory) words(text string) map[string]bool {
	out := wordsOf(text)
	for _, s := range d.mentioned(text) {
		for _, w := range split(s) {
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
