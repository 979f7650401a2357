// Package topology is the source that asks Prometheus which service calls which, by what is there already: service graphs made of
// traces, and the metrics of Istio, Linkerd and Hubble. It asks once for each day and stores what was said with that day, so that
// what is made of it is a function of the store.
package topology

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

const (
	// days is how many of the last days count.
	days = 7
	// often is on how many of them a service must have called another to depend on it.
	often = 2
	// settled is how long after its end a day is asked for: samples may come late.
	settled = 15 * time.Minute
)

// Store is what the source needs of the store.
type Store interface {
	Reader
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
}

// Reader reads what was stored.
type Reader interface {
	// Marks are those of one source.
	Marks(ctx context.Context, source string) ([]incident.Mark, error)
}

// Options are what the source depends on. Name, Client and Store are required.
type Options struct {
	Name   string
	Client Client
	Store  Store
	// Changed is called after a day was stored; nil for nobody.
	Changed func(ctx context.Context) error
	Logger  *slog.Logger     // nil means silent
	Now     func() time.Time // nil means time.Now
}

// Source asks one Prometheus. It implements source.Source.
type Source struct {
	Options
	log *slog.Logger
}

// New makes the source. Nothing is asked before the first Poll.
func New(o Options) *Source {
	s := &Source{Options: o, log: o.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "source", "name", o.Name)
	if s.Now == nil {
		s.Now = time.Now
	}
	return s
}

// Name is the source's name.
func (s *Source) Name() string { return s.Options.Name }

// Poll asks for each of the last whole days that was not asked for yet. A day without any such metric is empty.
func (s *Source) Poll(ctx context.Context) error {
	known, err := s.Store.Marks(ctx, s.Name())
	if err != nil {
		return fmt.Errorf("read what was learned: %w", err)
	}
	asked := map[string]bool{}
	for _, m := range known {
		asked[m.Name] = true
	}
	last := s.Now().UTC().Add(-settled).Truncate(day)
	for i := days - 1; i >= 0; i-- {
		end := last.Add(-time.Duration(i) * day)
		name := end.Add(-day).Format(time.DateOnly)
		if asked[name] {
			continue
		}
		found, err := calls(ctx, s.Client, end)
		if err != nil {
			return err
		}
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		marks := []incident.Mark{{Source: s.Name(), Name: name, Value: string(text)}}
		for old := range asked {
			if old <= end.AddDate(0, 0, -days-1).Format(time.DateOnly) {
				marks = append(marks, incident.Mark{Source: s.Name(), Name: old})
				delete(asked, old)
			}
		}
		if _, err := s.Store.Put(ctx, incident.Facts{Marks: marks}, s.Now().UTC()); err != nil {
			return fmt.Errorf("store what was learned: %w", err)
		}
		asked[name] = true
		if len(found) > 0 {
			s.log.Info("Calls between services are read", "day", name, "calls", len(found))
		}
	}
	if s.Changed == nil {
		return nil
	}
	return s.Changed(ctx)
}

// Learned is that one service calls another, as the last days tell it.
type Learned struct {
	Call           // with the requests of a day, as a mean over the days on which there were any
	Days int       // on how many of the last seven
	Last time.Time // the last of them
}

// Counts says whether it was seen often enough to be a dependency.
func (l *Learned) Counts() bool { return l.Days >= often }

// Read is what a Prometheus told, by the name of its source, in order of names: of the last seven days before the newest that it told
// of. It depends on the store alone.
func Read(ctx context.Context, store Reader, name string) ([]Learned, error) {
	marks, err := store.Marks(ctx, name)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(marks, func(a, b incident.Mark) int { return strings.Compare(a.Name, b.Name) })
	found := map[[2]string]*Learned{}
	var newest time.Time
	for _, m := range slices.Backward(marks) {
		at, err := time.Parse(time.DateOnly, m.Name)
		if err != nil {
			continue // of a later version
		}
		if newest.IsZero() {
			newest = at
		}
		var list []Call
		if at.Before(newest.AddDate(0, 0, 1-days)) || json.Unmarshal([]byte(m.Value), &list) != nil {
			continue
		}
		for _, c := range list {
			k := [2]string{c.From, c.To}
			l := found[k]
			if l == nil {
				l = &Learned{Call: Call{From: c.From, To: c.To, Via: c.Via}, Last: at}
				found[k] = l
			}
			l.Days++
			l.Requests += c.Requests
		}
	}
	out := make([]Learned, 0, len(found))
	for _, l := range found {
		l.Requests /= float64(l.Days)
		out = append(out, *l)
	}
	slices.SortFunc(out, func(a, b Learned) int { return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To)) })
	return out, nil
}

// patterns are the compiled names of metrics.
var patterns = func() map[string]*regexp.Regexp {
	out := map[string]*regexp.Regexp{}
	for _, m := range metrics {
		out[m.name] = regexp.MustCompile("^(?:" + m.name + ")$")
	}
	return out
}()

func matches(pattern, name string) bool { return patterns[pattern].MatchString(name) }
