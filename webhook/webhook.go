// Package webhook takes in what Alertmanager sends: notifications (its webhook receiver) and events (the event recorder
// of Alertmanager 0.33 and later). What is received is checked, turned into facts and stored, and only then answered
// with 2xx.
//
// Alertmanager tries again on 5xx and on network errors and never on 4xx. So a 4xx is given only to what would be wrong
// again the next time; whatever is wrong here, with the store, or passing is a 503.
//
// One bad alert does not lose the others. In a notification (or a batch of events) that can be read, whatever is usable
// is stored and answered 200; what is not is refused by name in the answer, counted by reason and logged at debug
// level. Only where nothing is usable is the answer 400.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"meantime/access"
	"meantime/incident"
)

// Store is what the webhooks need of the store.
type Store interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
}

// Defaults of Options.
const (
	DefaultMaxBody   = 16 << 20
	DefaultMaxAlerts = 50_000
	DefaultMemory    = 32 << 20
)

const (
	// readTimeout is how long a sender may take over its body, with the wait for its turn.
	readTimeout = 30 * time.Second
	// putTimeout bounds the wait for the store. It runs on after the sender hung up, so that a sender with a short
	// timeout does not send the same body for ever without its ever being stored.
	putTimeout = 30 * time.Second
	// retryAfter is what a 503 tells the sender, in seconds.
	retryAfter = "5"
)

// Options are what the webhooks depend on. Store is required.
type Options struct {
	Store   Store
	Metrics *Metrics         // nil means not exposed
	Logger  *slog.Logger     // nil means silent
	Now     func() time.Time // nil means time.Now

	// Token, where it is set and gives a text, is the token every request must carry. It is asked at every request, so that a
	// reload can change it. Gate checks it; nil means one of its own.
	Token func() string
	Gate  *access.Gate
	// Watchdogs says whether an alert with these labels is a watchdog and what it is called. Each firing one received is
	// a sign of life of the whole way from Prometheus to here. nil means there are none.
	Watchdogs func(labels map[string]string) (name string, ok bool)
	// Intake says which alerts are taken in, and as what. It is asked at every request, so that a reload can change it. nil takes
	// all as they are told.
	Intake func() incident.Intake
	// Truncated is called after a notification that told of alerts it left out, or that was too large to take: what it
	// would have said has to be asked for. It must not block. nil means nobody asks.
	Truncated func()

	// Heard is called after a notification, or a batch of events, was taken in, with those by whom it came. It must not block. nil
	// means nobody wants to know.
	Heard func(senders []incident.Sender, at time.Time)

	// MaxBody is the largest body taken, in bytes; MaxAlerts the largest number of alerts or events in one. 0 means the default.
	MaxBody   int64
	MaxAlerts int
	// Memory bounds the bodies that are in work at the same time, in bytes. What has arrived of a body counts, not what it
	// announced; where there is none left, bodies wait, and one that stalls is cut. It is at least what one body of MaxBody
	// and some small ones need. 0 means the default.
	Memory int64
}

// Receiver is both webhooks. They share the bound on memory.
type Receiver struct {
	store     Store
	metrics   *Metrics
	log       *slog.Logger
	now       func() time.Time
	token     func() string
	gate      *access.Gate
	crossSite *http.CrossOriginProtection
	watchdogs func(map[string]string) (string, bool)
	intake    func() incident.Intake
	truncated func()
	heard     func([]incident.Sender, time.Time)
	maxBody   int64
	maxAlerts int
	memory    *budget

	deliveries deliveries
}

// New makes the webhooks.
func New(o Options) *Receiver {
	r := &Receiver{
		store: o.Store, metrics: o.Metrics, log: o.Logger, now: o.Now, token: o.Token, gate: o.Gate,
		crossSite: http.NewCrossOriginProtection(),
		watchdogs: o.Watchdogs, intake: o.Intake, truncated: o.Truncated, heard: o.Heard, maxBody: o.MaxBody, maxAlerts: o.MaxAlerts,
	}
	if r.metrics == nil {
		r.metrics = NewMetrics(nil)
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.log = r.log.With("component", "webhook")
	if r.now == nil {
		r.now = time.Now
	}
	if r.heard == nil {
		r.heard = func([]incident.Sender, time.Time) {}
	}
	if r.gate == nil {
		r.gate = access.NewGate(access.Options{})
	}
	if r.token == nil {
		r.token = func() string { return "" }
	}
	if r.watchdogs == nil {
		r.watchdogs = func(map[string]string) (string, bool) { return "", false }
	}
	if r.intake == nil {
		r.intake = func() incident.Intake { return incident.Intake{} }
	}
	if r.truncated == nil {
		r.truncated = func() {}
	}
	if r.maxBody <= 0 {
		r.maxBody = DefaultMaxBody
	}
	if r.maxAlerts <= 0 {
		r.maxAlerts = DefaultMaxAlerts
	}
	memory := o.Memory
	if memory <= 0 {
		memory = DefaultMemory
	}
	r.memory = newBudget(memory, r.maxBody)
	return r
}

// Alertmanager takes notifications: POST /webhook/alertmanager.
func (r *Receiver) Alertmanager() http.Handler { return r.endpoint("alertmanager", r.notification) }

// Events takes the event recorder's events: POST /webhook/alertmanager/events.
func (r *Receiver) Events() http.Handler { return r.endpoint("events", r.events) }

// Drain has no more bodies read than those that come fast, so that a stop need not wait for a sender that sends nothing. It
// returns when what was on its way is here or refused with 503; what is here is still stored and answered.
func (r *Receiver) Drain(ctx context.Context) { r.memory.drain(ctx) }

// endpoint is what both have in common: who may, how much, one at a time within the memory, and the answer's metrics.
func (r *Receiver) endpoint(name string, take func(ctx context.Context, body []byte, received time.Time) answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		a := r.receive(w, req, name, take)
		a.write(w)
		r.metrics.request(name, a.status, time.Since(start))
		if a.status < 300 {
			return
		}
		level := slog.LevelDebug
		if a.err != nil {
			level = slog.LevelError // what is wrong is here
		}
		r.log.Log(req.Context(), level, "Webhook refused", "receiver", name, "status", a.status, "remote", req.RemoteAddr, "detail", a.detail, "err", a.err)
	})
}

func (r *Receiver) receive(w http.ResponseWriter, req *http.Request, name string, take func(context.Context, []byte, time.Time) answer) answer {
	if req.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return problem(http.StatusMethodNotAllowed, fmt.Sprintf("%s is not taken here; POST is", req.Method))
	}
	// Alertmanager is no browser: what a page of another site has a visitor's browser send is not meant.
	if err := r.crossSite.Check(req); err != nil {
		return problem(http.StatusForbidden, err.Error())
	}
	var refused *access.Refused
	if err := r.gate.Request(req, r.token()); errors.As(err, &refused) {
		if refused.RetryAfter > 0 { // its token may be right, and a 4xx would lose what it brings
			return unavailable(refused.Detail, nil)
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="meantime"`)
		return problem(http.StatusUnauthorized, refused.Detail)
	}
	if e := req.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return problem(http.StatusUnsupportedMediaType, "a compressed body is not taken")
	}
	if req.ContentLength > r.maxBody {
		return r.tooLarge()
	}

	ctx, cancel := context.WithTimeout(req.Context(), readTimeout)
	defer cancel()
	c := http.NewResponseController(w)
	h, body, err := r.memory.read(ctx, http.MaxBytesReader(w, req.Body, r.maxBody), req.ContentLength, r.maxBody, c.SetReadDeadline)
	defer h.release() // after the store has the facts, so that any number of requests at once holds a bounded number of bodies
	if err != nil {
		w.Header().Set("Connection", "close") // what else it says is not waited for
		return r.unread(err)
	}
	_ = c.SetReadDeadline(time.Time{}) // one that knows none is of a test or a proxy, which has its own
	r.metrics.body(name, len(body))
	return take(req.Context(), body, r.now().UTC())
}

// unread is the answer to a request of which the body could not be read. What is lost on the way is sent again, so it is
// no mistake of the sender's.
func (r *Receiver) unread(err error) answer {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return r.tooLarge()
	case errors.Is(err, errSlow):
		r.metrics.slow.Inc()
		return unavailable("the body was cut "+err.Error(), nil)
	case errors.Is(err, errStopping):
		return unavailable("Meantime is stopping", nil)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, errCrowded):
		return unavailable("too many requests at once", err)
	}
	return unavailable("the body did not arrive: "+err.Error(), nil)
}

func (r *Receiver) tooLarge() answer {
	r.truncated()
	return problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("more than the %d bytes allowed", r.maxBody))
}

// put stores facts, and says what to answer where it cannot.
func (r *Receiver) put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, *answer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putTimeout)
	defer cancel()
	receipt, err := r.store.Put(ctx, f, received)
	if err != nil {
		// Whatever the store says, the notification was good: only 5xx makes Alertmanager keep it.
		a := unavailable("the store cannot take it now", err)
		return receipt, &a
	}
	return receipt, nil
}
