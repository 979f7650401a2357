// Package api is the JSON API under /api/: records in and out, incidents with their milestones, measurements and links,
// episodes, reviews, and the OpenAPI document that describes all of it. Every error is an RFC 9457 problem.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"meantime/access"
	"meantime/incident"
	"meantime/measure"
	"meantime/preview"
	"meantime/setup"
)

// Store is what the API needs of the store. Errors carry an incident.Code. Every method is safe for concurrent use, and
// what it returns belongs to the caller.
type Store interface {
	// Put stores facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// Record is the version that counts, which may be a withdrawn one. CodeNotFound where there is none.
	Record(ctx context.Context, k incident.RecordKey) (incident.Record, error)
	// RecordPage lists the versions that count and are not withdrawn, in order of key, after the given key.
	RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error)
	// History are all versions of a record, the newest first. Empty where there is none.
	History(ctx context.Context, k incident.RecordKey) ([]incident.Record, error)
	// Reviews are all reviews, by At, then ID.
	Reviews(ctx context.Context) ([]incident.Review, error)
	// Review is the review with that ID. CodeNotFound where there is none.
	Review(ctx context.Context, id string) (incident.Review, error)
	// Incident is the incident with that ID or alias. CodeNotFound where there is none.
	Incident(ctx context.Context, id string) (incident.Incident, error)
	// Incidents lists incidents, the newest first. CodeInvalid for a cursor it never gave.
	Incidents(ctx context.Context, q incident.IncidentQuery) (page []incident.Incident, next string, err error)
	incident.ReviewStore
	// Verdicts lists episodes with what became of them, the newest start first. CodeInvalid for a cursor it never gave.
	Verdicts(ctx context.Context, q incident.VerdictQuery) (page []incident.Verdict, next string, err error)
}

// Options are the API's dependencies. Store, Figures, Intervals, Now, ReadPostmortem, Setup, TestAlert, Preview and Dependencies are needed; the
// rest may be left out. The functions are called once or more for each request, so what they answer can change while the API serves.
type Options struct {
	Store   Store
	Figures Figures
	// Intervals are the intervals to measure, of the configuration in force.
	Intervals func() []incident.Interval
	Now       func() time.Time
	// ReadPostmortem reads a written postmortem, with a person's answers to what it leaves open, as records.
	ReadPostmortem func(name string, document, answers []byte) ([]incident.Record, error)
	// Setup says what is connected and what is missing. TestAlert says what becomes of an alert with these labels, or of a made-up one
	// where there are none, and stores nothing of it.
	Setup     func(ctx context.Context) (setup.Checklist, error)
	TestAlert func(ctx context.Context, labels map[string]string) (setup.Trial, error)
	// Preview says what a configuration would make of the facts of a period; nothing is stored. ErrBusy where it works one out already.
	Preview func(ctx context.Context, text []byte, q measure.Question) (*preview.Change, error)
	// Dependencies are those that are configured or were learned, by service.
	Dependencies func(ctx context.Context) ([]incident.Dependency, error)
	// Changed is called after facts were stored, before the answer.
	Changed func()
	// Token is the token that writing needs; none is needed where it is empty. Gate checks it; nil means one of its own.
	Token func() string
	Gate  *access.Gate
	// Reserved are the names of the configured sources. Their records come from there and cannot be written here.
	Reserved func() []string
	// Prefix is what the paths that lead here from outside begin with, such as /meantime; requests come without it.
	Prefix string
	// MaxBody is the largest request body in bytes. 0 means DefaultMaxBody.
	MaxBody int64
	Logger  *slog.Logger
	// Metrics may be shared by handlers that replace each other. They are not exposed where it is nil.
	Metrics *Metrics
}

// DefaultMaxBody is the largest request body where Options says nothing: 4 MiB.
const DefaultMaxBody = 4 << 20

// api holds what the handlers share.
type api struct {
	Options
	crossOrigin *http.CrossOriginProtection
}

// handler answers a request, or returns an error that becomes a problem. It returns an error only before it has written.
type handler func(w http.ResponseWriter, r *http.Request) error

// route is one path of the API with a handler for each of its methods. HEAD is answered by GET.
type route struct {
	name    string // in the metrics
	path    string // a pattern of net/http.ServeMux without its method, which is also the path in the OpenAPI document
	methods map[string]handler
}

func (a *api) routes() []route {
	return []route{
		{"records", "/api/v1/records", map[string]handler{"GET": a.listRecords}},
		{"record", "/api/v1/records/{source}/{id}", map[string]handler{"GET": a.getRecord, "PUT": a.write(a.putRecord), "DELETE": a.write(a.deleteRecord)}},
		{"incidents", "/api/v1/incidents", map[string]handler{"GET": a.listIncidents}},
		{"incident", "/api/v1/incidents/{id}", map[string]handler{"GET": a.getIncident}},
		{"episodes", "/api/v1/episodes", map[string]handler{"GET": a.listEpisodes}},
		{"reviews", "/api/v1/reviews", map[string]handler{"GET": a.listReviews, "POST": a.write(a.postReview)}},
		{"figures", "/api/v1/figures", map[string]handler{"GET": a.getFigures}},
		{"report", "/api/v1/report", map[string]handler{"GET": a.getReport}},
		{"explain", "/api/v1/explain", map[string]handler{"GET": a.getExplain}},
		{"preview", "/api/v1/preview", map[string]handler{"POST": a.write(a.postPreview)}},
		{"postmortems", "/api/v1/postmortems", map[string]handler{"POST": a.write(a.postPostmortem)}},
		{"setup", "/api/v1/setup", map[string]handler{"GET": a.getSetup}},
		{"dependencies", "/api/v1/dependencies", map[string]handler{"GET": a.getDependencies}},
		{"test-alert", "/api/v1/test-alert", map[string]handler{"POST": a.write(a.postTestAlert)}},
		{"openapi", "/api/openapi.json", map[string]handler{"GET": a.openAPI}},
		{"openapi", "/api/v1/openapi.json", map[string]handler{"GET": a.openAPIMoved}},
	}
}

// New returns the handler of everything under /api/.
func New(o Options) http.Handler {
	a := newAPI(o)
	mux := http.NewServeMux()
	for _, rt := range a.routes() {
		mux.Handle(rt.path, a.Metrics.instrument(rt.name, a.serve(rt.dispatch)))
	}
	mux.Handle("/", a.Metrics.instrument("unknown", a.serve(func(_ http.ResponseWriter, r *http.Request) error {
		return incident.Errorf(incident.CodeNotFound, "no such address: %s; the addresses are in /api/openapi.json", cut(r.URL.Path))
	})))
	return mux
}

func newAPI(o Options) *api {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Token == nil {
		o.Token = func() string { return "" }
	}
	if o.Gate == nil {
		o.Gate = access.NewGate(access.Options{})
	}
	if o.Reserved == nil {
		o.Reserved = func() []string { return nil }
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	return &api{Options: o, crossOrigin: http.NewCrossOriginProtection()}
}

// dispatch picks the handler of the request's method. It is done here rather than by ServeMux because ServeMux answers
// a wrong method in plain text, and not at all where a catch-all pattern matches.
func (rt route) dispatch(w http.ResponseWriter, r *http.Request) error {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if h, ok := rt.methods[method]; ok {
		return h(w, r)
	}
	var allow []string
	for m := range rt.methods {
		allow = append(allow, m)
		if m == http.MethodGet {
			allow = append(allow, http.MethodHead)
		}
	}
	slices.Sort(allow)
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return &problem{Status: http.StatusMethodNotAllowed, Detail: "this address takes " + strings.Join(allow, ", ")}
}

// serve makes an http.Handler of h: the headers that every answer carries, and errors as problems.
func (a *api) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		if err := h(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}
