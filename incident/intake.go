package incident

// Intake says which alerts are taken in, and by which labels one is told from another. The zero value takes all as they
// are told. Every way in (notifications, events, what Alertmanager lists, Prometheus' past) has to go by the same one, so that
// what they say of one alert merges.
type Intake struct {
	// Ignored says whether an alert with these labels, as it was told, is stored nowhere; nil for none.
	Ignored func(labels map[string]string) bool
	// DropLabels are labels that tell only the replicas of a sender apart.
	DropLabels []string
}

// Take gives an alert the fingerprint and labels under which it is stored, or says that it is ignored. Where a label is
// left out the fingerprint is Alertmanager's own of those that stay, so that what replicas say is of one alert; else it stays
// as it was told. The labels told are not changed.
func (i *Intake) Take(fingerprint string, labels map[string]string) (string, map[string]string, bool) {
	if i.Ignored != nil && i.Ignored(labels) {
		return "", nil, false
	}
	var kept map[string]string
	for _, drop := range i.DropLabels {
		if _, ok := labels[drop]; !ok {
			continue
		}
		if kept == nil {
			kept = make(map[string]string, len(labels))
			for k, v := range labels {
				kept[k] = v
			}
		}
		delete(kept, drop)
	}
	if len(kept) == 0 { // nothing was left out, or nothing would be left
		return fingerprint, labels, true
	}
	return Fingerprint(kept), kept, true
}
