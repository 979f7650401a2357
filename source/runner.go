package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// firstBackoff is the wait after the first failure, doubled with each further one up to maxBackoff or the interval,
	// whichever is longer. It is never longer than the interval at first: failing must not make a source slower to come
	// back than it is when all is well.
	firstBackoff = 5 * time.Second
	maxBackoff   = time.Minute
	// maxRetryAfter bounds what the other side can ask for.
	maxRetryAfter   = time.Hour
	defaultDebounce = 200 * time.Millisecond
	// leastRest is the rest between two polls of which the second goes on where the first stopped.
	leastRest = 10 * time.Millisecond
	maxShown  = 500 // bytes of an error shown in a Status
)

// Options are what a Runner depends on.
type Options struct {
	Logger  *slog.Logger // nil means silent
	Metrics *Metrics     // nil means not exposed
}

// Runner polls every source at its interval, each in a goroutine of its own, so that a slow or broken one holds up no
// other. A poll that fails or panics is counted, logged and tried again with exponential backoff.
type Runner struct {
	log     *slog.Logger
	metrics *Metrics

	mu      sync.Mutex
	jobs    []Job // the set asked for
	ctx     context.Context
	workers map[string]*worker // by name; only while Run runs
	ending  map[string]*worker // those stopped that may still be in a poll, the last of each name
	wg      sync.WaitGroup
}

// NewRunner makes a Runner. Nothing is polled before Run.
func NewRunner(o Options) *Runner {
	r := &Runner{log: o.Logger, metrics: o.Metrics, workers: map[string]*worker{}, ending: map[string]*worker{}}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.log = r.log.With("component", "source")
	if r.metrics == nil {
		r.metrics = NewMetrics(nil)
	}
	return r
}

// Run polls until ctx ends and every poll under way has returned.
func (r *Runner) Run(ctx context.Context) {
	r.mu.Lock()
	r.ctx = ctx
	r.apply()
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock() // no Reload may start a worker any more
	r.ctx = nil
	r.mu.Unlock()
	r.wg.Wait()
}

// Reload replaces the set of jobs, before or during Run. Jobs that are the same go on undisturbed; those that are no
// more, or not the same, are stopped, and their successors start once they have. Where two jobs have one name, or one
// cannot run, nothing changes.
func (r *Runner) Reload(jobs []Job) error {
	seen := map[string]bool{}
	for _, j := range jobs {
		name := j.Source.Name()
		switch {
		case name == "":
			return errors.New("a source without a name")
		case seen[name]:
			return fmt.Errorf("source %q: the name is there twice", name)
		case j.Interval <= 0 || j.Timeout <= 0:
			return fmt.Errorf("source %q: interval and timeout must be longer than 0", name)
		}
		seen[name] = true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs = jobs
	r.apply()
	return nil
}

// Trigger has a source polled at once, or soon where several triggers come together. It says whether there is such a
// source. It never blocks. A wait that the other side asked for is kept.
func (r *Runner) Trigger(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, ok := r.workers[name]
	if ok {
		w.wake()
	}
	return ok
}

// Status is how every source is doing that is to be polled, by name. One that replaced another of its name begins anew.
func (r *Runner) Status() []Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]Status, 0, len(r.jobs))
	for _, j := range r.jobs {
		name := j.Source.Name()
		s := Status{Up: true}
		if w, ok := r.workers[name]; ok {
			s = w.read()
		}
		s.Name = name
		if n, ok := j.Source.(Noter); ok {
			s.Notes = n.Notes()
		}
		if p, ok := j.Source.(Progresser); ok {
			s.Progress = p.Progress()
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b Status) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// apply makes the workers what the jobs ask for. mu is held.
func (r *Runner) apply() {
	if r.ctx == nil {
		return
	}
	want := map[string]Job{}
	for _, j := range r.jobs {
		want[j.Source.Name()] = j
	}
	for name, w := range r.workers {
		if j, ok := want[name]; ok && w.job.same(j) {
			continue
		}
		w.stop()
		r.ending[name] = w
		delete(r.workers, name)
	}
	for name, j := range want {
		if _, ok := r.workers[name]; ok {
			continue
		}
		ctx, cancel := context.WithCancel(r.ctx)
		w := &worker{
			job: j, log: r.log.With("name", name), metrics: r.metrics.of(name, isPoller(j.Source)), triggered: make(chan struct{}, 1),
			stop: cancel, done: make(chan struct{}), status: Status{Up: true},
		}
		r.workers[name] = w
		before := r.ending[name]
		r.wg.Go(func() {
			if before != nil {
				<-before.done // never two of one name at once
			}
			w.run(ctx)
			if c, ok := j.Source.(io.Closer); ok {
				if err := c.Close(); err != nil {
					w.log.Warn("Source could not be closed", "err", err)
				}
			}
			r.ended(name, w)
		})
	}
}

// isPoller says whether a source is read by a connector.
func isPoller(s Source) bool {
	_, ok := s.(*Poller)
	return ok
}

// ended tidies up after a worker. The series of a source go only where no other has taken its name.
func (r *Runner) ended(name string, w *worker) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(w.done)
	if r.ending[name] != w {
		return
	}
	delete(r.ending, name)
	if r.workers[name] == nil {
		r.metrics.forget(name)
	}
}

// worker runs one job.
type worker struct {
	job       Job
	log       *slog.Logger
	metrics   *sourceMetrics
	triggered chan struct{}
	stop      context.CancelFunc
	done      chan struct{} // closed when nothing of it runs any more

	mu     sync.Mutex
	status Status // without the name
}

func (w *worker) read() Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// polled notes how a poll that has just ended went.
func (w *worker) polled(err error, took time.Duration) {
	now := time.Now()
	w.metrics.polled(err, took, now)
	w.mu.Lock()
	defer w.mu.Unlock()
	var again *Again
	switch {
	case err == nil:
		w.status = Status{Up: true, LastSuccess: now.UTC()}
		return
	case errors.As(err, &again):
		w.status.Up, w.status.Err = true, ""
		return
	}
	w.status.Up, w.status.Err = false, shown(err)
}

// shown is an error for people: on one line, and not endless.
func shown(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}

func (w *worker) wake() {
	select {
	case w.triggered <- struct{}{}:
	default: // one is waiting already
	}
}

func (w *worker) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer w.stop()
	if s, ok := w.job.Source.(Watcher); ok {
		wg.Go(func() {
			if err := s.Watch(ctx, w.wake); err != nil && ctx.Err() == nil {
				w.log.Warn("Changes are not seen at once, only at the interval", "interval", w.job.Interval, "err", err)
			}
		})
	}
	failures := 0
	for ctx.Err() == nil {
		err := w.poll(ctx)
		if ctx.Err() != nil {
			return
		}
		wait, patient := w.job.Interval, time.Duration(0)
		var left *LeftOut
		if errors.As(err, &left) {
			err = nil // it answered
		}
		var again *Again
		if errors.As(err, &again) {
			err = nil
			patient = min(RetryAfter(again), maxRetryAfter)
			wait = max(min(again.After, maxRetryAfter), leastRest)
			if again.Asked {
				w.log.Info("Source asks to be left alone", "for", wait)
			}
		}
		switch {
		case err == nil && failures > 0:
			w.log.Info("Source answers again", "failures", failures)
			failures = 0
		case err != nil:
			failures++
			patient = min(RetryAfter(err), maxRetryAfter)
			wait = max(backoff(w.job.Interval, failures), patient)
			level := slog.LevelWarn
			if failures > 1 {
				level = slog.LevelDebug // once is enough; the metrics tell the rest
			}
			w.log.Log(ctx, level, "Source could not be read", "failures", failures, "next", wait, "err", err)
		}
		w.sleep(ctx, wait, patient)
	}
}

// sleep waits until the next poll is due: the wait is over, or a trigger came. A trigger is heeded only after patient.
func (w *worker) sleep(ctx context.Context, wait, patient time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	debounce := w.job.Debounce
	if debounce <= 0 {
		debounce = defaultDebounce
	}
	ended := time.Now()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.triggered:
		quiet := time.NewTimer(max(debounce, patient-time.Since(ended)))
		defer quiet.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-quiet.C:
		}
	}
	// What was triggered until now is answered by the poll that follows.
	select {
	case <-w.triggered:
	default:
	}
}

// backoff is the wait after the given number of failures in a row, from 1.
func backoff(interval time.Duration, failures int) time.Duration {
	wait, most := min(firstBackoff, interval), max(maxBackoff, interval)
	for i := 1; i < failures && wait < most; i++ {
		wait *= 2
	}
	return min(wait, most)
}

// poll polls once. A panic is an error like any other, with its stack in the log.
func (w *worker) poll(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.job.Timeout, fmt.Errorf("not done within %s", w.job.Timeout))
	defer cancel()
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			w.log.Error("Source panicked", "err", p, "stack", string(debug.Stack()))
			err = errors.New("panicked; the log says where") // a panic can say anything, and this is shown
		}
		if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) != nil {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		w.polled(err, time.Since(start))
	}()
	return w.job.Source.Poll(ctx)
}
