package sourcetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Shelf keeps the incidents of a fake vendor as its JSON objects. With ServeHTTP it makes a Vendor.
type Shelf struct {
	// New makes an object as the vendor would tell it; end is zero while the incident is open. Times are to be written by Stamp.
	New func(id string, i int, at, end time.Time) map[string]any
	// Inside is the key under which the vendor keeps what it says of an incident; empty: in the object itself.
	Inside string
	// Key is the key of the id that New is given; empty: id.
	Key string
	// Title and Updated are the keys of what Change changes.
	Title, Updated string

	Objects []map[string]any
}

// Stamp writes a time as most vendors do, to the second.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// ID implements Vendor.
func (s *Shelf) ID(i int) string { return fmt.Sprintf("inc-%05d", i) }

// Make implements Vendor: an incident lasts 40 minutes.
func (s *Shelf) Make(i int, at time.Time) {
	end := at.Add(40 * time.Minute)
	if !end.Before(time.Now()) {
		end = time.Time{}
	}
	s.Objects = append(s.Objects, s.New(s.ID(i), i, at, end))
}

// Find is an object by its id; nil for none.
func (s *Shelf) Find(id string) map[string]any {
	for _, o := range s.Objects {
		if o[s.key()] == id {
			return o
		}
	}
	return nil
}

// Said is what an object says of its incident.
func (s *Shelf) Said(o map[string]any) map[string]any {
	if s.Inside == "" {
		return o
	}
	return o[s.Inside].(map[string]any)
}

// Change implements Vendor.
func (s *Shelf) Change(i int, at time.Time, title string) {
	said := s.Said(s.Find(s.ID(i)))
	said[s.Title] = title
	if s.Updated != "" {
		said[s.Updated] = Stamp(at)
	}
}

// Delete implements Vendor.
func (s *Shelf) Delete(i int) {
	s.Objects = slices.DeleteFunc(s.Objects, func(o map[string]any) bool { return o[s.key()] == s.ID(i) })
}

func (s *Shelf) key() string { return cmp.Or(s.Key, "id") }

// Between are the objects of which the time under key lies from one time to before another, oldest first; empty is no bound.
func (s *Shelf) Between(key, from, to string) []map[string]any {
	out := []map[string]any{}
	at := func(o map[string]any) string { return s.Said(o)[key].(string) }
	for _, o := range s.Objects {
		if at(o) >= from && (to == "" || at(o) < to) {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b map[string]any) int { return strings.Compare(at(a), at(b)) })
	return out
}

// Cut is a page of a list, with whether there are more after it; numbers begin at 1.
func Cut(list []map[string]any, number, size int) (page []map[string]any, more bool) {
	from, to := min((number-1)*size, len(list)), min(number*size, len(list))
	return list[from:to], to < len(list)
}
