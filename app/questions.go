package app

import (
	"context"
	"sync"

	"meantime/incident"
)

// questions counts what records leave open, by kind. It reads all records once, while the daemon already works, and then
// follows what is put.
type questions struct {
	show func(kind string, n int)

	mu    sync.Mutex
	of    map[incident.RecordKey][]string // kinds; empty for a record that leaves nothing open and was put since the start
	count map[string]int
}

func newQuestions(show func(string, int)) *questions {
	return &questions{show: show, of: map[incident.RecordKey][]string{}, count: map[string]int{}}
}

// put takes in the version of a record that counts now.
func (q *questions) put(r *incident.Record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.set(r)
}

func (q *questions) set(r *incident.Record) {
	add := func(kinds []string, by int) {
		for _, k := range kinds {
			q.count[k] += by
			q.show(k, q.count[k])
		}
	}
	add(q.of[r.Key()], -1)
	kinds := []string{}
	if !r.Withdrawn {
		for _, x := range r.Questions {
			kinds = append(kinds, x.Kind)
		}
	}
	q.of[r.Key()] = kinds
	add(kinds, 1)
}

// forget counts nothing, as before anything was read.
func (q *questions) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	clear(q.of)
	for k := range q.count {
		q.count[k] = 0
		q.show(k, 0)
	}
}

// recordPages is the part of a store that lists records.
type recordPages interface {
	RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error)
}

// load reads what is stored. A record put meanwhile is known better than by what was read.
func (q *questions) load(ctx context.Context, s recordPages) error {
	var after incident.RecordKey
	for {
		page, err := s.RecordPage(ctx, "", after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		q.mu.Lock()
		for i := range page {
			if _, put := q.of[page[i].Key()]; !put && len(page[i].Questions) > 0 {
				q.set(&page[i])
			}
		}
		q.mu.Unlock()
		after = page[len(page)-1].Key()
	}
}
