package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/common/version"

	"meantime/incident"
	"meantime/setup"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed static/style.css
var style []byte

//go:embed static/icon.svg
var icon []byte

// pages are the parsed templates and the static files. The style's name carries a digest of its content, so that a
// browser can keep it for as long as it likes.
type pages struct {
	prefix    string
	styleName string

	mu     sync.Mutex
	byZone map[string]map[string]*template.Template // by a zone's name, then a page's
}

// maxZones bounds for how many zones pages are kept parsed. There are about 600, and people of few of them in one organisation.
const maxZones = 64

// newPages parses every page with the layout around it. Links begin with prefix. The templates are part of the program, so one
// that does not parse is a mistake of the program.
func newPages(prefix string) *pages {
	sum := sha256.Sum256(style)
	p := &pages{
		prefix: prefix, styleName: "style-" + hex.EncodeToString(sum[:6]) + ".css", byZone: map[string]map[string]*template.Template{},
	}
	p.of(zone{})
	return p
}

// of are the pages with times as a reader of a zone wants them.
func (p *pages) of(z zone) map[string]*template.Template {
	p.mu.Lock()
	defer p.mu.Unlock()
	if byName := p.byZone[z.name()]; byName != nil {
		return byName
	}
	if len(p.byZone) >= maxZones {
		clear(p.byZone)
	}
	byName := map[string]*template.Template{}
	p.byZone[z.name()] = byName
	root := template.FuncMap{
		"root": func() string { return p.prefix }, "clock": z.clock, "when": z.when,
		"minute": func(t time.Time) string { return z.when(t, incident.PrecisionMinute) },
		"zones":  func() []string { return usualZones },
	}
	layout := template.Must(template.New("layout.html").Funcs(functions).Funcs(root).ParseFS(
		templateFiles, "templates/layout.html", "templates/parts.html",
	))
	for _, name := range []string{
		"home", "figures", "letter", "incidents", "incident", "episodes", "services", "setup", "preview", "sign-in", "error",
	} {
		byName[name] = template.Must(template.Must(layout.Clone()).ParseFS(templateFiles, "templates/"+name+".html"))
	}
	return byName
}

// functions are what the templates can call.
var functions = template.FuncMap{
	"ago": ago, "alertTimes": alertTimes, "capital": capital, "checkClass": checkClass, "duration": duration,
	"viaWords": viaWords, "endWords": endWords, "isLink": isLink,
	"iso":  func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"join": strings.Join, "meaning": meaning, "originWords": originWords, "outcomeWords": outcomeWords, "path": url.PathEscape,
	"percent": percent, "more": func(a, b int) int { return a + b },
	"severityClass": severityClass, "stateClass": stateClass,
	// The version is that of the program; it is not known where pages are made without one, as in tests.
	"version": func() string { return version.Version },
}

// checkClass is the colour of a part of the set-up.
func checkClass(s setup.State) string {
	switch s {
	case setup.OK:
		return "good"
	case setup.Missing, setup.Wrong:
		return "bad"
	}
	return "quiet"
}

// page is what the layout needs around every page.
type page struct {
	Title string
	Style string
	// At is the address to come back to from signing in or out; empty on the page for that.
	At string
	// Section is the entry of the navigation that is lit.
	Section string
	User    string
	Now     time.Time
	Zone    string // the reader's own; empty for UTC alone
	// Going is what goes on that readers of figures have to know of.
	Going []setup.Progress
	Body  any
}

// show renders a page whole before the first byte goes out, so that an error can still be told.
func (s *web) show(w http.ResponseWriter, r *http.Request, status int, name, title, section string, body any) error {
	var b bytes.Buffer
	z := s.zone(r)
	p := page{Zone: z.name(), Title: title, Style: s.pages.styleName, At: comeBack(r), Section: section, User: s.user(r), Now: s.Now().UTC(), Body: body}
	if s.Going != nil {
		for _, g := range s.Going() {
			if g.Means != "" {
				p.Going = append(p.Going, g)
			}
		}
	}
	if err := s.pages.of(z)[name].Execute(&b, p); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a client that has gone needs no answer
	return nil
}

// comeBack is the address of the page that a request is for. What was only sent there, such as a form, cannot be asked
// for again; the page that it belongs to can.
func comeBack(r *http.Request) string {
	switch {
	case r.URL.Path == "/sign-in" || r.URL.Path == "/zone":
		return ""
	case r.Method == http.MethodGet:
		return r.URL.RequestURI()
	}
	return strings.TrimSuffix(r.URL.EscapedPath(), "/reviews")
}

// refusal is trouble of HTTP alone, which has no incident.Code.
type refusal struct {
	status int
	words  string
}

func (e *refusal) Error() string { return e.words }

// fail shows an error as a page: what a person can do something about in its own words, and nothing of what went wrong
// inside.
func (s *web) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, words := http.StatusInternalServerError, "This is a fault of Meantime. Its log says more."
	var refused *refusal
	if errors.As(err, &refused) {
		status, words = refused.status, refused.words
	} else {
		switch incident.CodeOf(err) {
		case incident.CodeInvalid:
			status, words = http.StatusBadRequest, capital(err.Error())
		case incident.CodeNotFound:
			status, words = http.StatusNotFound, capital(err.Error())
		case incident.CodePending:
			status, words = http.StatusServiceUnavailable, capital(err.Error())
			w.Header().Set("Retry-After", "5")
		case incident.CodeUnavailable:
			status, words = http.StatusServiceUnavailable, "The store does not answer now. Try again in a few seconds."
			w.Header().Set("Retry-After", "5")
		}
	}
	log := s.Logger.Debug
	if status >= http.StatusInternalServerError && r.Context().Err() == nil {
		log = s.Logger.Error
	}
	log("Page not shown", "method", r.Method, "path", r.URL.Path, "status", status, "err", err)
	title := http.StatusText(status)
	if err := s.show(w, r, status, "error", title, "", words); err != nil {
		s.Logger.Error("Page of an error not shown", "err", err)
		http.Error(w, title, http.StatusInternalServerError)
	}
}

// static serves the style and the icon.
func (s *web) static(w http.ResponseWriter, r *http.Request) error {
	var body []byte
	switch r.PathValue("name") {
	case s.pages.styleName:
		body = style
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	case "icon.svg":
		body = icon
		w.Header().Set("Content-Type", "image/svg+xml")
		w.Header().Set("Cache-Control", "public, max-age=86400")
	default:
		return incident.Errorf(incident.CodeNotFound, "There is no such file.")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
	return nil
}
