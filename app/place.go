package app

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// place is where a process is reached. Paths begin with a slash and do not end with one; the root's is empty.
type place struct {
	url    string // from outside; empty where nobody said
	path   string // that links begin with
	routes string // that requests begin with
}

// newPlace reads the flags, as Prometheus does: requests begin with the path of the external URL unless somebody says otherwise.
func newPlace(external, prefix string) (place, error) {
	var p place
	if external != "" {
		u, err := url.Parse(external)
		switch {
		case err != nil:
			return p, fmt.Errorf("web.external-url: %w", err)
		case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
			return p, fmt.Errorf("web.external-url: %q: not an address such as https://ops.example.org/meantime", external)
		case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
			return p, fmt.Errorf("web.external-url: %q: it must have no user, no ? and no #", u.Redacted())
		}
		p.path = trimmed(u.Path)
		u.Path, u.RawPath = p.path, ""
		p.url = u.String()
	}
	p.routes = p.path
	if prefix != "" {
		p.routes = trimmed(prefix)
	}
	if external == "" {
		p.path = p.routes
	}
	for _, x := range []string{p.path, p.routes} {
		if strings.ContainsAny(x, "?#%{}\\ \t\n") || strings.Contains(x, "//") || strings.Contains(x, "/..") {
			return p, fmt.Errorf("web.route-prefix: %q: not a path such as /meantime", x)
		}
	}
	return p, nil
}

// trimmed is a path with a slash at its beginning and none at its end; empty for the root.
func trimmed(path string) string {
	if path = strings.Trim(path, "/"); path == "" {
		return ""
	}
	return "/" + path
}

// under serves what is asked for below the prefix, and leads there from the root.
func (p place) under(next http.Handler) http.Handler {
	if p.routes == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle(p.routes+"/", http.StripPrefix(p.routes, next))
	lead := http.RedirectHandler(p.path+"/", http.StatusFound)
	mux.Handle("GET /{$}", lead)
	return mux
}
