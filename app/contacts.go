package app

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"meantime/incident"
	"meantime/setup"
)

// mostContacts is how many of each kind are kept; the oldest goes.
const mostContacts = 20

// contacts are who reached this process: who notified, who was refused, who scraped. It is safe for concurrent use.
type contacts struct {
	logger *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	started time.Time       // when learn was called
	last    time.Time       // when a notification was taken in last
	known   map[string]bool // keys of senders that were heard before
	misses  []setup.Miss
	scrapes []setup.Scrape
}

// learn notes who was heard before this process started.
func (c *contacts) learn(senders []incident.Sender) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started, c.known = c.now().UTC(), map[string]bool{}
	for _, s := range senders {
		c.known[s.Key] = true
	}
}

// heard notes a notification, and logs the first of each sender.
func (c *contacts) heard(senders []incident.Sender, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = incident.Latest(c.last, at)
	for _, s := range senders {
		if c.known[s.Key] || len(c.known) > incident.MaxSenders {
			continue
		}
		c.known[s.Key] = true
		if name := s.Receiver(); name != "" {
			c.logger.Info("First notification of a receiver", "alertmanager", s.URL, "receiver", name)
		} else {
			c.logger.Info("First notification of a route", "alertmanager", s.URL, "route", s.Route)
		}
	}
}

// from is the address that a request comes from, without the port.
func from(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// scraped notes who reads the metrics.
func (c *contacts) scraped(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := setup.Scrape{From: from(r), Agent: incident.PlainText(r.UserAgent(), 100), At: c.now().UTC()}
		c.mu.Lock()
		c.scrapes = slices.DeleteFunc(c.scrapes, func(x setup.Scrape) bool { return x.From == s.From && x.Agent == s.Agent })
		c.scrapes = append(c.scrapes, s)
		c.scrapes = c.scrapes[max(0, len(c.scrapes)-mostContacts):]
		c.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = cmp.Or(w.status, status)
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController at what is below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// missed notes what an Alertmanager sent and was not taken, until one of its notifications is: Alertmanager itself says so only
// in its log.
func (c *contacts) missed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.UserAgent(), "Alertmanager/") {
			next.ServeHTTP(w, r)
			return
		}
		x := &statusWriter{ResponseWriter: w}
		next.ServeHTTP(x, r)
		if x.status < 300 { // also where nothing was written, which is 200
			c.mu.Lock()
			c.misses = slices.DeleteFunc(c.misses, func(m setup.Miss) bool { return m.From == from(r) })
			c.mu.Unlock()
		}
		if x.status < 400 || x.status >= 500 {
			return
		}
		m := setup.Miss{From: from(r), Path: incident.PlainText(r.URL.Path, 200), Status: x.status, At: c.now().UTC()}
		c.mu.Lock()
		first := !slices.ContainsFunc(c.misses, func(x setup.Miss) bool { return x.From == m.From && x.Path == m.Path && x.Status == m.Status })
		c.misses = slices.DeleteFunc(c.misses, func(x setup.Miss) bool { return x.From == m.From && x.Path == m.Path })
		c.misses = append(c.misses, m)
		c.misses = c.misses[max(0, len(c.misses)-mostContacts):]
		c.mu.Unlock()
		if first {
			c.logger.Warn("A notification was not taken", "from", m.From, "path", m.Path, "status", m.Status)
		}
	})
}

// tell adds what is known to facts.
func (c *contacts) tell(f *setup.Facts) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.Started, f.LastNotification, f.Misses, f.Scrapes = c.started, c.last, slices.Clone(c.misses), slices.Clone(c.scrapes)
}

// senders are those by whom notifications came, for the checklist.
func senders(ctx context.Context, from interface {
	Reach(ctx context.Context) ([]incident.Life, []incident.Sender, error)
}) ([]setup.Sender, []incident.Sender, error) {
	_, all, err := from.Reach(ctx)
	var out []setup.Sender
	for i := range all {
		s := setup.Sender{URL: all[i].URL, First: all[i].First}
		if s.Receiver = all[i].Receiver(); s.Receiver == "" {
			s.Route = all[i].Route
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b setup.Sender) int {
		return cmp.Or(b.First.Compare(a.First), strings.Compare(a.Route, b.Route))
	})
	return out, all, err
}
