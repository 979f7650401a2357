// Package web is what a person looks at in a browser: what needs attention, the incidents with every time and where it
// comes from, the episodes, and the forms by which people decide. The pages are rendered here, carry no script and need
// none, and trust nothing that came from outside as HTML or as the scheme of a link.
package web

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

// Store is what the pages need of the store. Errors carry an incident.Code. Every method is safe for concurrent use, and
// what it returns belongs to the caller.
type Store interface {
	// Put stores facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// Record is the version that counts, which may be a withdrawn one. CodeNotFound where there is none.
	Record(ctx context.Context, k incident.RecordKey) (incident.Record, error)
	// Records are those not withdrawn that speak of a time in [from, to]; a zero time is no bound.
	Records(ctx context.Context, from, to time.Time) ([]incident.Record, error)
	// Reviews are all reviews, by At, then ID.
	Reviews(ctx context.Context) ([]incident.Review, error)
	// Incident is the incident with that ID or alias. CodeNotFound where there is none.
	Incident(ctx context.Context, id string) (incident.Incident, error)
	// Incidents lists incidents, the newest first. CodeInvalid for a cursor it never gave.
	Incidents(ctx context.Context, q incident.IncidentQuery) (page []incident.Incident, next string, err error)
	incident.ReviewStore
	// Verdicts lists episodes with what became of them, the newest start first. CodeInvalid for a cursor it never gave.
	Verdicts(ctx context.Context, q incident.VerdictQuery) (page []incident.Verdict, next string, err error)
}

// Options are the pages' dependencies. Store, Figures, Windows, Intervals and Now are needed; the rest may be left out. The
// functions are called for each request, so what they answer can change while the pages are served.
type Options struct {
	Store   Store
	Figures Figures
	// Windows are the names of the configured windows.
	Windows func() []string
	// By are the labels that there are figures by; nil for none.
	By func() []string
	// Intervals are the intervals to show, of the configuration in force.
	Intervals func() []incident.Interval
	Now       func() time.Time
	// Changed is called after a decision was stored, before the answer.
	Changed func()
	// Token is what a person signs in with to decide; where it is empty a name is enough.
	Token func() string
	// Gate checks it; nil means one of its own.
	Gate *access.Gate
	// Sources say how the configured sources are doing.
	Sources func() []Source
	// Notes are what should be changed in the configuration, in sentences without the last full stop; nil for none.
	Notes func() []string
	// Prefix is what links begin with, such as /meantime; requests come without it.
	Prefix string
	// Going is what takes long and goes on; nil for nothing.
	Going func() []setup.Progress
	// Setup says what is connected and what is missing. TestAlert says what becomes of an alert with these labels, or of a made-up one
	// where there are none, and stores nothing of it.
	Setup     func(ctx context.Context) (setup.Checklist, error)
	TestAlert func(ctx context.Context, labels map[string]string) (setup.Trial, error)
	// Preview says what a configuration would make of the facts of a period; nothing is stored. ErrBusy where it works one out already.
	Preview func(ctx context.Context, text []byte, q measure.Question) (*preview.Change, error)
	// Dependencies are those that are configured or were learned, by service; nil for none.
	Dependencies func(ctx context.Context) ([]incident.Dependency, error)
	Logger       *slog.Logger
	// Metrics may be shared by handlers that replace each other. They are not exposed where it is nil.
	Metrics *Metrics
}

// Source is how one source of records is doing.
type Source struct {
	Name string
	Kind string // such as file or alertmanager
	// Up says whether its last poll succeeded; a source that was not polled yet is up.
	Up bool
	// LastSuccess is zero where no poll ever succeeded.
	LastSuccess time.Time
	// Err is why the last poll did not succeed, without secrets.
	Err string
	// Progress is what it is busy with, such as how far back it has read; empty where it is up to date.
	Progress string
	// Notes are what should be changed in the source's own settings, in sentences without the last full stop.
	Notes []string
}

// web holds what the handlers share.
type web struct {
	Options
	pages       *pages
	crossOrigin *http.CrossOriginProtection
}

// handler answers a request, or returns an error that becomes a page. It returns an error only before it has written.
type handler func(w http.ResponseWriter, r *http.Request) error

type route struct {
	name    string // in the metrics
	path    string
	methods map[string]handler
}

func (s *web) routes() []route {
	return []route{
		{"home", "/{$}", map[string]handler{"GET": s.home}},
		{"incidents", "/incidents", map[string]handler{"GET": s.listIncidents}},
		{"incident", "/incidents/{id}", map[string]handler{"GET": s.showIncident}},
		{"review", "/incidents/{id}/reviews", map[string]handler{"POST": s.review}},
		{"figures", "/figures", map[string]handler{"GET": s.showFigures}},
		{"letter", "/reports/{period}", map[string]handler{"GET": s.showLetter}},
		{"episodes", "/episodes", map[string]handler{"GET": s.listEpisodes}},
		{"setup", "/setup", map[string]handler{"GET": s.showSetup}},
		{"services", "/services", map[string]handler{"GET": s.showServices}},
		{"test-alert", "/setup/test-alert", map[string]handler{"POST": s.testAlert}},
		{"preview", "/preview", map[string]handler{"GET": s.askPreview, "POST": s.showPreview}},
		{"zone", "/zone", map[string]handler{"POST": s.chooseZone}},
		{"sign-in", "/sign-in", map[string]handler{"GET": s.askWho, "POST": s.signIn}},
		{"sign-out", "/sign-out", map[string]handler{"POST": s.signOut}},
		{"static", "/static/{name}", map[string]handler{"GET": s.static}},
	}
}

// New returns the handler of the pages, which answers every path that nobody else does.
func New(o Options) http.Handler {
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Notes == nil {
		o.Notes = func() []string { return nil }
	}
	if o.Setup == nil {
		o.Setup = func(context.Context) (setup.Checklist, error) { return setup.Checklist{Ready: true}, nil }
	}
	if o.TestAlert == nil {
		o.TestAlert = func(_ context.Context, l map[string]string) (setup.Trial, error) { return setup.Trial{Labels: l}, nil }
	}
	if o.Preview == nil {
		o.Preview = func(context.Context, []byte, measure.Question) (*preview.Change, error) {
			return &preview.Change{}, nil
		}
	}
	if o.Dependencies == nil {
		o.Dependencies = func(context.Context) ([]incident.Dependency, error) { return nil, nil }
	}
	if o.Token == nil {
		o.Token = func() string { return "" }
	}
	if o.Gate == nil {
		o.Gate = access.NewGate(access.Options{})
	}
	if o.Sources == nil {
		o.Sources = func() []Source { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics(nil)
	}
	s := &web{Options: o, pages: newPages(o.Prefix), crossOrigin: http.NewCrossOriginProtection()}
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.Handle(rt.path, s.Metrics.instrument(rt.name, s.serve(rt.dispatch)))
	}
	mux.Handle("/", s.Metrics.instrument("unknown", s.serve(func(http.ResponseWriter, *http.Request) error {
		return incident.Errorf(incident.CodeNotFound, "There is no such page.")
	})))
	return mux
}

// dispatch picks the handler of the request's method; ServeMux would answer a wrong one with the page for unknown paths.
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
	}
	slices.Sort(allow)
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return &refusal{http.StatusMethodNotAllowed, "This page takes " + strings.Join(allow, " and ") + " only."}
}

// policy lets a page load its own style and icon and send its forms home, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve makes an http.Handler of h: the headers that every page carries, no writing from other sites, errors as pages.
func (s *web) serve(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: a browser would then send the forms with the origin "null".
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		err := s.crossOrigin.Check(r)
		if err != nil {
			err = &refusal{http.StatusForbidden, "A page of another site sent this. Nothing was changed."}
		} else {
			err = h(w, r)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}
