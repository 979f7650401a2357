package alertmanager

import (
	"context"
	"errors"
	"slices"
	"strings"

	"meantime/incident"
)

// routing is what a source knows of the way from its Alertmanager to here.
type routing struct {
	text    string   // the configuration that tree was read from
	tree    *Routing // nil where none could be read yet
	ours    map[string]bool
	unread  string // why it could not be read, as logged
	claimed []string
}

// leads says whether none of the receivers sends here, where that can be known.
func (r *routing) leads(receivers []string) bool {
	return r.tree != nil && r.tree.Elsewhere(receivers, r.ours)
}

// route asks for Alertmanager's configuration and says what in it keeps times from being known. Where it cannot be read
// (a proxy may hide it) the last one read stands, and a poll goes on without one.
func (s *Source) route(ctx context.Context) error {
	err := s.readRoutes(ctx)
	s.metrics.read(s.name, err)
	switch {
	case err == nil:
		s.unread = ""
	case s.unread != err.Error():
		s.unread = err.Error()
		s.log.Warn("Alertmanager's configuration could not be read, so which of its alerts come here is as it was last known", "err", err)
	}
	if s.tree == nil {
		return nil
	}
	_, senders, err := s.store.Reach(ctx)
	if err != nil {
		return err
	}
	s.ours = s.tree.Ours(s.mine(senders))
	problems := s.tree.Problems(s.ours, s.expire)
	s.metrics.routed(s.name, problems)
	likely := s.ours
	if len(likely) == 0 {
		likely = s.tree.Likely()
	}
	notes := s.tree.Faults(likely)
	for _, f := range notes {
		if !slices.Contains(s.claimed, f) {
			s.log.Warn("Alertmanager's configuration leads no notification here: " + f) //nolint:sloglint // the fault is the message
		}
	}
	for _, p := range problems {
		notes = append(notes, p.Text)
		if !slices.Contains(s.claimed, p.Text) {
			s.log.Warn("Alertmanager's configuration keeps times from being known: "+p.Text, "setting", string(p.Reason)) //nolint:sloglint // the problem is the message
		}
	}
	s.claimed = notes
	s.notes.Store(&notes)
	return nil
}

// readRoutes makes tree what the configuration says now.
func (s *Source) readRoutes(ctx context.Context) error {
	var status struct {
		Config struct {
			Original string `json:"original"`
		} `json:"config"`
	}
	if err := s.client.Get(ctx, "/api/v2/status", nil, &status); err != nil {
		return err
	}
	text := status.Config.Original
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("/api/v2/status: config.original: empty")
	case text == s.text && s.tree != nil:
		return nil
	}
	tree, err := ReadRouting(text)
	if err != nil {
		return err
	}
	s.text, s.tree, s.keyed = text, tree, nil // other routes are other groups
	return nil
}

// mine are the senders that are this Alertmanager: those of its address or, where it is the only one that is asked and all
// that was heard came from one address, those. Else it is not known which are.
func (s *Source) mine(senders []incident.Sender) []incident.Sender {
	var named, others []incident.Sender
	addresses := map[string]bool{}
	for _, x := range senders {
		if s.address != "" && strings.TrimRight(x.URL, "/") == s.address {
			named = append(named, x)
			continue
		}
		others = append(others, x)
		if x.Route != "" {
			addresses[x.URL] = true
		}
	}
	switch {
	case len(named) > 0:
		return named
	case s.alone && len(addresses) <= 1:
		return others
	}
	return nil
}

// Notes are what in Alertmanager's configuration keeps times from being known, as the last poll found it.
func (s *Source) Notes() []string {
	if p := s.notes.Load(); p != nil {
		return *p
	}
	return nil
}

// Close forgets what the metrics say of an Alertmanager that is asked no more.
func (s *Source) Close() error {
	s.metrics.forget(s.name)
	s.ways.forget(s.name)
	return nil
}
