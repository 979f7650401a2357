package incident

// Dependency is that one service needs another: where the other fails, it may fail as well.
type Dependency struct {
	Service string `json:"service"`
	Needs   string `json:"needs"`
	// Source is the Prometheus that told it, as in the metrics; empty for the configuration, which says nothing of what follows.
	Source string `json:"source,omitempty"`
	// Via is what that Prometheus has: traces, istio, linkerd or hubble.
	Via            string  `json:"via,omitempty"`
	RequestsPerDay float64 `json:"requests_per_day,omitempty"`
	// Days is on how many of the last seven days it was seen, LastDay the last of them, such as 2026-11-29.
	Days    int    `json:"days,omitempty"`
	LastDay string `json:"last_day,omitempty"`
	// Outranked says that the configuration says otherwise. Counts says whether correlation uses it.
	Outranked bool `json:"outranked,omitempty"`
	Counts    bool `json:"counts"`
}
