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
