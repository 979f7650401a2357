package collector

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"meantime/incident"
	"meantime/measure"
)

// Options say what there is to show.
type Options struct {
	Intervals  []incident.Interval
	Objectives []measure.Objective
	By         []string // the labels that there are figures by
}

// Snapshot is everything that is shown besides what was counted in the all-time histogram.
type Snapshot struct {
	Figures *measure.Figures
	// Watchdogs are the configured watchdogs with when each was last heard of, zero for never.
	Watchdogs map[string]time.Time
	// Blind is the time in which a watchdog was silent by window, in seconds; nil where no watchdog is configured.
	Blind map[string]float64
}

// Collector is a prometheus.Collector over the newest snapshot and the values counted in the all-time histogram. Its methods are safe
// for concurrent use. Before the first Publish it shows only the latter.
type Collector struct {
	windows map[string]*windows // by label; the empty one is of services
	now     now
	honesty honesty
	ever    *ever

	publish sync.Mutex
	cache   map[any][]prometheus.Metric // by the part of the figures it was built of
	ready   atomic.Pointer[[]prometheus.Metric]
}

var _ prometheus.Collector = (*Collector)(nil)

// New makes a Collector. Register it with one registry; the since-ever metrics belong to it.
func New(o Options) *Collector {
	return &Collector{
		windows: byLabel(o), now: newNow(), honesty: newHonesty(), ever: newEver(o.Intervals),
		cache: map[any][]prometheus.Metric{},
	}
}

// byLabel are the metrics over windows, by the label that they are by.
func byLabel(o Options) map[string]*windows {
	out := map[string]*windows{}
	for _, label := range append([]string{""}, o.By...) {
		w := newWindows(o, label)
		out[label] = &w
	}
	return out
}

func (c *Collector) describeWindows(ch chan<- *prometheus.Desc) {
	for _, w := range c.windows {
		w.describe(ch)
	}
}

// Publish makes a snapshot the one that scrapes see, whole.
func (c *Collector) Publish(s Snapshot) {
	c.publish.Lock()
	defer c.publish.Unlock()
	fresh := make(map[any][]prometheus.Metric, len(c.cache))
	var all []prometheus.Metric
	// part is what build makes of a part of the figures in a window, the same again while the part is the same.
	part := func(of any, build func() []prometheus.Metric) {
		m, ok := c.cache[of]
		if !ok {
			m = build()
		}
		fresh[of] = m
		all = append(all, m...)
	}
	for _, w := range s.Figures.Windows {
		for _, g := range w.Groups {
			part(shownIn[*measure.Group]{w.Window.Name, g}, func() []prometheus.Metric { return c.windows[g.Label].group(w.Window.Name, g) })
		}
		for _, r := range w.Reliability {
			part(shownIn[*measure.Reliability]{w.Window.Name, r}, func() []prometheus.Metric { return c.windows[r.Label].reliability(w.Window.Name, r) })
		}
		for _, g := range w.Alerts {
			part(shownIn[*measure.AlertGroup]{w.Window.Name, g}, func() []prometheus.Metric { return c.windows[""].alerts(w.Window.Name, g) })
		}
	}
	for _, h := range s.Figures.Newest {
		part(h, func() []prometheus.Metric { return c.now.head(h) })
	}
	all = append(all, c.windows[""].objectives...)
	all = append(all, c.now.open(s.Figures)...)
	all = append(all, c.honesty.metrics(s)...)
	c.cache = fresh
	c.ready.Store(&all)
}

// shownIn is a part of the figures in a window.
type shownIn[T any] struct {
	window string
	part   T
}

// Replay counts again, after a start, what the ledger says was counted before, without exemplars: it is nothing new.
func (c *Collector) Replay(values iter.Seq[measure.Observation]) { c.ever.observe(values, false) }

// Observe counts new values in the all-time histogram, after they were stored.
func (c *Collector) Observe(values []measure.Observation) {
	c.ever.observe(slices.Values(values), true)
}

// Restate counts corrections by interval.
func (c *Collector) Restate(n map[string]int) { c.ever.restate(n) }

// Know makes the all-time histograms at 0 those of the given labels, so that a first value is seen as an increase. Those that
// have counted something stay.
func (c *Collector) Know(labels []measure.Labels) { c.ever.know(labels) }

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	c.describeWindows(ch)
	c.now.describe(ch)
	c.honesty.describe(ch)
	c.ever.describe(ch)
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	if ready := c.ready.Load(); ready != nil {
		for _, m := range *ready {
			ch <- m
		}
	}
	c.ever.collect(ch)
}
