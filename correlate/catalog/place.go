package catalog

// Places are what labels say about where something is, by label, of the configured labels for places.
func (c *Catalog) Places(l map[string]string) map[string]string {
	var out map[string]string
	for _, name := range c.rules.Places {
		if v := l[name]; v != "" {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = v
		}
	}
	return out
}

// Elsewhere says whether two places are known to be different ones: of the labels that both carry, one differs. Places
// named by different labels cannot be told apart.
func Elsewhere(a, b map[string]string) bool {
	for name, v := range a {
		if w, ok := b[name]; ok && v != w {
			return true
		}
	}
	return false
}

// DefaultPlaces are the labels for places where the configuration names none, the widest first.
var DefaultPlaces = []string{"region", "cluster", "k8s_cluster", "datacenter", "zone"}
