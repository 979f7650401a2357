package prometheus

import (
	"net/url"
	"strings"

	"meantime/incident"
)

// Label is a label with its value.
type Label struct{ Name, Value string }

// Origin is what tells a Prometheus' alerts from others'.
type Origin struct {
	// Address is how the generatorURL of its alerts begins.
	Address string
	// Labels are the external labels that it adds to its alerts.
	Labels []Label
}

// Origins are several Prometheuses.
type Origins []Origin

// fit is how well an alert fits a Prometheus.
type fit int

const (
	contradicted fit = iota // an external label of it has another value
	possible                // nothing tells
	likely                  // all its external labels are there
	certain                 // the alert's generatorURL is its own
)

// Asked says whether Prometheus i is to be asked about an episode: nobody fits it better, and where nothing tells whose
// it is, there is no other that it could be. Series lack external labels, so that another cluster's Prometheus has the
// same ones and would answer for an alert that is not its own.
func (all Origins) Asked(i int, e *incident.Episode) bool {
	mine := all[i].fit(e)
	if mine == contradicted {
		return false
	}
	for j := range all {
		if other := all[j].fit(e); j != i && (other > mine || (other == mine && mine == possible)) {
			return false
		}
	}
	return true
}

func (o *Origin) fit(e *incident.Episode) fit {
	has := 0
	for _, l := range o.Labels {
		switch v, ok := e.Labels[l.Name]; {
		case ok && v == l.Value:
			has++
		case ok:
			return contradicted
		}
	}
	switch {
	case generatedBy(e.GeneratorURL, o.Address):
		return certain
	case has > 0 && has == len(o.Labels):
		return likely
	}
	return possible
}

// generatedBy says whether a generatorURL lies below an address: Prometheus makes it of its external URL.
func generatedBy(generator, address string) bool {
	g, err := url.Parse(generator)
	if err != nil || g.Host == "" {
		return false
	}
	a, err := url.Parse(address)
	if err != nil || a.Host == "" || !strings.EqualFold(g.Host, a.Host) {
		return false
	}
	path := strings.TrimRight(a.Path, "/")
	return path == "" || g.Path == path || strings.HasPrefix(g.Path, path+"/")
}
