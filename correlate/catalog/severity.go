package catalog

import (
	"slices"
	"strings"
)

// Severities say which labels carry an alert's severity, and the order, the gravest first.
type Severities struct {
	Labels []string
	Order  []string
	// Aliases map what records call a severity to a name in Order.
	Aliases []SeverityAlias
}

// SeverityAlias lists other names of a severity.
type SeverityAlias struct {
	Severity string
	Names    []string
}

// SeverityOf is the canonical severity of an alert, empty where it carries none.
func (c *Catalog) SeverityOf(l map[string]string) string {
	for _, name := range c.rules.Severities.Labels {
		if v := l[name]; v != "" {
			return c.Severity(v)
		}
	}
	return ""
}

// Severity is the name in Order for what a record or a label calls a severity, else that in lower case.
func (c *Catalog) Severity(name string) string {
	folded := fold(name)
	for _, s := range c.rules.Severities.Order {
		if fold(s) == folded {
			return s
		}
	}
	for _, a := range c.rules.Severities.Aliases {
		for _, n := range a.Names {
			if fold(n) == folded {
				return a.Severity
			}
		}
	}
	return strings.ToLower(strings.TrimSpace(name))
}

// Graver says whether severity a is graver than b; what Order does not list comes last, and none after that.
func (c *Catalog) Graver(a, b string) bool { return c.rank(a) < c.rank(b) }

func (c *Catalog) rank(s string) int {
	order := c.rules.Severities.Order
	if s == "" {
		return len(order) + 1
	}
	if i := slices.Index(order, s); i >= 0 {
		return i
	}
	return len(order)
}
