package collector

import "github.com/prometheus/client_golang/prometheus"

// Past collects those of the metrics that can be told of a moment that has passed: the figures over windows, and what was
// counted in the all-time histogram. A metric it sends is never written to: the same one sent again has the same value.
func (c *Collector) Past() prometheus.Collector {
	p := &past{c, map[*prometheus.Desc]bool{}}
	descs := make(chan *prometheus.Desc)
	go func() {
		c.describeWindows(descs)
		close(descs)
	}()
	for d := range descs {
		p.shown[d] = true
	}
	return p
}

type past struct {
	of    *Collector
	shown map[*prometheus.Desc]bool
}

// Describe implements prometheus.Collector.
func (p *past) Describe(ch chan<- *prometheus.Desc) {
	p.of.describeWindows(ch)
	p.of.ever.durations.Describe(ch)
}

// Collect implements prometheus.Collector.
func (p *past) Collect(ch chan<- prometheus.Metric) {
	if all := p.of.ready.Load(); all != nil {
		for _, m := range *all {
			if p.shown[m.Desc()] {
				ch <- m
			}
		}
	}
	if all := p.of.ever.snapshot.Load(); all != nil {
		for _, m := range *all {
			ch <- m
		}
	}
}
