package catalog

// Kind is how two services stand to each other, the closest first.
type Kind int

const (
	Same       Kind = iota
	Needs           // the first needs the second, through Hops dependencies
	NeededBy        // the second needs the first, through Hops dependencies
	SharesNeed      // both need a third
	Unknown         // of one of them no dependency is written, or one of them has no name
	Unrelated       // dependencies of both are written, and none leads from one to the other
)

// Relation is how one service stands to another.
type Relation struct {
	Kind Kind
	Hops int // of Needs and NeededBy, at least 1
}

// mostHops is how far along dependencies a relation reaches.
const mostHops = 3

// Connected says whether any dependency of a service is known.
func (c *Catalog) Connected(service string) bool {
	return len(c.needs[service])+len(c.neededBy[service]) > 0
}

// Relation is how service a stands to service b; both canonical. Where several ways lead from one to the other the
// shortest counts, and of two as short that by which a needs b.
func (c *Catalog) Relation(a, b string) Relation {
	if r, ok := c.Relatives(b)[a]; ok {
		return r
	}
	if a == "" || b == "" || !c.charted[a] || !c.charted[b] { // what was not seen may be there
		return Relation{Kind: Unknown}
	}
	return Relation{Kind: Unrelated}
}

// Relatives are the services that Relation with one is neither Unknown nor Unrelated of, itself among them, with how they
// stand to it. Empty for no service. The caller must not change the map.
func (c *Catalog) Relatives(of string) map[string]Relation {
	if of == "" {
		return nil
	}
	if m, ok := c.relatives.Load(of); ok {
		return m.(map[string]Relation)
	}
	m := map[string]Relation{of: {Kind: Same}}
	dependants, dependencies := []string{of}, []string{of}
	for hop := 1; hop <= mostHops; hop++ {
		// Dependants first: of two ways as short that by which the other needs this one counts.
		dependants = step(m, dependants, c.neededBy, Relation{Needs, hop})
		dependencies = step(m, dependencies, c.needs, Relation{NeededBy, hop})
	}
	for _, s := range c.needs[of] {
		for _, t := range c.neededBy[s] {
			if _, ok := m[t]; !ok {
				m[t] = Relation{Kind: SharesNeed}
			}
		}
	}
	if c.known[of] { // there is no end of names that nothing is known of
		c.relatives.Store(of, m)
	}
	return m
}

// step goes one dependency further from the services of an edge, and gives the new edge.
func step(m map[string]Relation, edge []string, ways map[string][]string, r Relation) []string {
	var next []string
	for _, s := range edge {
		for _, t := range ways[s] {
			if _, ok := m[t]; !ok {
				m[t], next = r, append(next, t)
			}
		}
	}
	return next
}
