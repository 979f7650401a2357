// Package source polls the places that facts come from. Each source is a package of its own below this one; all of them
// run through one Runner, which owns the when: interval, timeout, backoff, metrics. A source owns the what.
package source

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Source is a place that facts come from. One that is an io.Closer as well is closed after its last poll, when it was
// removed or replaced or the Runner ends.
type Source interface {
	// Name is the source's name in metrics, logs and the keys of its records. It does not change.
	Name() string
	// Poll asks once and stores what is new before it returns. It is called by one goroutine at a time, with a
	// deadline. An error means that not everything could be read; what could be is stored all the same. It is shown to
	// people (see Status) and holds no secret.
	Poll(ctx context.Context) error
}

// Watcher is a Source that can tell by itself when there is something new, so that nobody waits for the next interval.
type Watcher interface {
	Source
	// Watch calls changed whenever a Poll could find something new, until ctx ends. It may return early where watching
	// does not work; the interval goes on.
	Watch(ctx context.Context, changed func()) error
}

// Job is a source with the way it is to be run.
type Job struct {
	Source Source
	// Interval is the time from the end of one poll to the start of the next.
	Interval time.Duration
	// Timeout bounds one poll.
	Timeout time.Duration
	// Debounce is how long a Trigger waits for further ones, and the least time between two polls that triggers caused.
	// 0 means 200 ms.
	Debounce time.Duration
	// Config is everything that shaped the source, as text. At a Reload, a job of the same name, the same timing and the
	// same Config goes on as it is. Empty means that the job is always replaced.
	Config string
}

// same says whether o would run the same.
func (j Job) same(o Job) bool {
	return j.Config != "" && j.Config == o.Config && j.Interval == o.Interval && j.Timeout == o.Timeout && j.Debounce == o.Debounce
}

// Status is how a source is doing.
type Status struct {
	Name string
	// Up says whether the last poll could read everything. It is true before the first poll is done.
	Up bool
	// LastSuccess is when a poll last could, in UTC; zero where none has.
	LastSuccess time.Time
	// Progress is what it is busy with, in words, such as how far back it has read; empty where it is up to date.
	Progress string
	// Notes are what the source says of the other side's settings, in sentences; see Noter.
	Notes []string
	// Err is why the last poll could not, on one line and without secrets; empty where it could.
	Err string
}

// Noter is a source that has something to say of the other side's settings, which a person should change there. Notes may be
// called at any time.
type Noter interface {
	Notes() []string
}

// Progresser is a source that can be busy for more than a poll. Progress may be called at any time.
type Progresser interface {
	Progress() string
}

// LeftOut is the error of a poll that took everything but some of what is there. The source has logged what; it is not
// polled again any sooner for it.
type LeftOut struct {
	What  string // the first thing left out: where it is and what is wrong with it
	Files int    // how many files there are like it
}

func (l *LeftOut) Error() string {
	if l.Files > 1 {
		return fmt.Sprintf("%d files are left out, the first: %s", l.Files, l.What)
	}
	return "a file is left out: " + l.What
}

// RetryAfter is how long the other side asked to be left alone, 0 where it did not.
func RetryAfter(err error) time.Duration {
	var r interface{ RetryAfter() time.Duration }
	if errors.As(err, &r) {
		return r.RetryAfter()
	}
	return 0
}
