package assign

import (
	"math"

	"meantime/correlate/catalog"
)

// Graph says how much of an incident's trouble each tie between services carries. It is not safe for concurrent use.
type Graph struct {
	catalog *catalog.Catalog
	cache   map[[2]string]Tie
}

// NewGraph makes a graph of what a catalog knows.
func NewGraph(c *catalog.Catalog) *Graph { return &Graph{c, map[[2]string]Tie{}} }

// Tie is how an alert's service stands to a service that failed, with how many episodes of one alert an incident of the
// one makes on the other.
type Tie struct {
	Kind  TieKind
	Hops  int
	Share float64
}

// TieKind names a tie.
type TieKind int

// The ties of an alert's service to the one that failed.
const (
	Same      TieKind = iota
	Uses              // the alert's service needs the one that failed
	NeededBy          // the one that failed needs the alert's
	Siblings          // both need a third
	Untied            // the dependencies of both are known, and there is no way
	Uncharted         // of one of them no dependency is known
	Nameless          // the alert names no service
	Unsaid            // the record names no service
	Joined            // alerts of the service belong to the incident already
)

const (
	shareSame      = 0.35
	shareUses      = 0.2
	shareNeeded    = 0.12
	shareHop       = 0.3
	shareSiblings  = 0.02
	shareUntied    = 0.003
	shareUncharted = 0.02
	shareNameless  = 0.05
	shareUnsaid    = 0.5 // divided by the number of services
	shareJoined    = 0.12
)

// Tie is how alerts of one service stand to trouble of another.
func (g *Graph) Tie(failed, alert string) Tie {
	if alert == "" {
		return Tie{Kind: Nameless, Share: shareNameless}
	}
	if failed == alert {
		return Tie{Kind: Same, Share: shareSame}
	}
	if !g.catalog.Connected(failed) || !g.catalog.Connected(alert) {
		return Tie{Kind: Uncharted, Share: shareUncharted} // there is no end of pairs of such, so none is kept
	}
	k := [2]string{failed, alert}
	if t, ok := g.cache[k]; ok {
		return t
	}
	t := g.tie(failed, alert)
	g.cache[k] = t
	return t
}

func (g *Graph) tie(failed, alert string) Tie {
	switch r := g.catalog.Relation(alert, failed); r.Kind {
	case catalog.Needs:
		return Tie{Uses, r.Hops, shareUses * math.Pow(shareHop, float64(r.Hops-1))}
	case catalog.NeededBy:
		return Tie{NeededBy, r.Hops, shareNeeded * math.Pow(shareHop, float64(r.Hops-1))}
	case catalog.SharesNeed:
		return Tie{Kind: Siblings, Share: shareSiblings}
	case catalog.Unrelated:
		return Tie{Kind: Untied, Share: shareUntied}
	}
	return Tie{Kind: Uncharted, Share: shareUncharted}
}
