// Package progress says how far long work is and about how long it will take: as a bar on a terminal, as lines in a log, and to
// who asks, such as the pages. Whoever works calls one function with what is done of how much.
package progress

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Report says that so much of a total is done. Work begins with the first call and ends with one where everything is done; where
// it is given up, 0 of 0 is. Any goroutine may call it.
type Report func(done, total int64)

// Kind is what is worked at.
type Kind struct {
	// What is what is done, such as "Reading documents", and Unit what is counted, such as "documents".
	What, Unit string
	// Means is what readers of figures have to know until it is done, such as "Figures are still of the old rules"; empty where
	// it is nothing to them.
	Means string
}

// Work is how far something is that goes on.
type Work struct {
	Kind
	Done, Total int64
	// Left is about how long it will still take, by how fast it went so far; 0 where that is not known yet.
	Left time.Duration
}

// Percent is how much is done, rounded down: 100 is said of nothing that goes on.
func (w Work) Percent() int {
	if w.Total <= 0 {
		return 0
	}
	return int(min(100*w.Done/w.Total, 99))
}

// Options are what a Board depends on.
type Options struct {
	Logger *slog.Logger // nil means silent
	// Screen takes bars in place of lines in the log; nil where there is no terminal.
	Screen *Screen
	Now    func() time.Time // nil means time.Now
}

const (
	// untold is how long work may take before the log tells of it, and apart the time between two lines where a tenth more is
	// done; without that there is a line each minute.
	untold = 5 * time.Second
	apart  = 5 * time.Second
	stuck  = time.Minute
	// soonest is how long work is watched before it is said how long it takes.
	soonest = 2 * time.Second
)

// Board knows what goes on. A nil one knows nothing, and takes every report.
type Board struct {
	o  Options
	mu sync.Mutex
	on []*work // in the order in which they began
}

// work is one that goes on.
type work struct {
	Work
	begun time.Time
	at    time.Time // of the last report
	first int64     // done when it began: where it was interrupted, not nothing
	told  time.Time
	tenth int64 // of what the log told
}

// New makes a board.
func New(o Options) *Board {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Board{o: o}
}

// Report is how one that works says how far it is.
func (b *Board) Report(k Kind) Report {
	if b == nil {
		return func(int64, int64) {}
	}
	var w *work
	return func(done, total int64) {
		b.mu.Lock()
		defer b.mu.Unlock()
		now := b.o.Now()
		over := done >= total
		switch {
		case w == nil && over:
			return // there was nothing to do
		case w == nil:
			w = &work{Work: Work{Kind: k}, begun: now, first: done, tenth: 10 * done / total}
			b.on = append(b.on, w)
		}
		w.Done, w.Total = done, total
		w.left(now)
		b.tell(w, now, over)
		if over {
			b.on = slices.DeleteFunc(b.on, func(x *work) bool { return x == w })
			w = nil
		}
	}
}

// left works out how long it will still take.
func (w *work) left(now time.Time) {
	took, did := now.Sub(w.begun), w.Done-w.first
	w.Left, w.at = 0, now
	if took >= soonest && did > 0 {
		w.Left = max(time.Second, time.Duration(float64(took)/float64(did)*float64(w.Total-w.Done)).Round(time.Second))
	}
}

// tell has the bar or the log say how far it is. mu is held.
func (b *Board) tell(w *work, now time.Time, over bool) {
	if b.o.Screen != nil && b.o.Screen.terminal {
		b.o.Screen.show(w, over)
		return
	}
	logged := !w.told.IsZero()
	if over {
		if logged && w.Total > 0 {
			b.o.Logger.Info(w.What, "percent", 100, "done", w.Done, "of", w.Total, "unit", w.Unit, "took", now.Sub(w.begun).Round(time.Second))
		}
		return
	}
	tenth := 10 * w.Done / w.Total
	switch {
	case !logged && now.Sub(w.begun) < untold:
		return
	case logged && now.Sub(w.told) < stuck && (tenth == w.tenth || now.Sub(w.told) < apart):
		return
	}
	w.told, w.tenth = now, tenth
	args := []any{"percent", w.Percent(), "done", w.Done, "of", w.Total, "unit", w.Unit}
	if w.Left > 0 {
		args = append(args, "left", w.Left)
	}
	b.o.Logger.Info(w.What, args...)
}

// Going are what goes on now, in the order in which they began.
func (b *Board) Going() []Work {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]Work, 0, len(b.on))
	for _, w := range b.on {
		x := w.Work
		if x.Left > 0 {
			x.Left = max(time.Second, x.Left-b.o.Now().Sub(w.at)).Round(time.Second)
		}
		out = append(out, x)
	}
	return out
}
