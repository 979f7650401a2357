package api

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"meantime/access"
	"meantime/incident"
)

// write guards a handler that changes something: not from another site's page, only with the token, and from a browser
// only as JSON, which no form of another site can send.
func (a *api) write(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := a.crossOrigin.Check(r); err != nil {
			return &problem{Status: http.StatusForbidden, Detail: err.Error()}
		}
		var refused *access.Refused
		if err := a.Gate.Request(r, a.Token()); errors.As(err, &refused) {
			if refused.RetryAfter > 0 {
				w.Header().Set("Retry-After", strconv.Itoa(int(refused.RetryAfter.Seconds())))
			} else {
				w.Header().Set("WWW-Authenticate", `Bearer realm="meantime"`)
			}
			return &problem{Status: refused.Status(), Detail: refused.Detail}
		}
		if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
			return &problem{Status: http.StatusUnsupportedMediaType, Detail: "content encoding " + cut(e) + "; send the body as it is"}
		}
		if r.Method != http.MethodDelete && fromBrowser(r) && !isJSON(r.Header.Get("Content-Type")) {
			return &problem{Status: http.StatusUnsupportedMediaType, Detail: "a browser must send the content type application/json"}
		}
		return h(w, r)
	}
}

// fromBrowser says whether a page in a browser sent the request; these headers cannot be left out by one.
func fromBrowser(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("Origin") != ""
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && (t == "application/json" || strings.HasSuffix(t, "+json"))
}

// body reads the whole body, of MaxBody bytes at most.
func (a *api) body(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return read(w, r, a.MaxBody, "JSON")
}

// read reads the whole body, which is of a kind and of so many bytes at most.
func read(w http.ResponseWriter, r *http.Request, most int64, kind string) ([]byte, error) {
	tooLarge := incident.Errorf(incident.CodeTooLarge, "the body is larger than the %d bytes allowed", most)
	if r.ContentLength > most {
		return nil, tooLarge
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, tooLarge
	case err != nil:
		return nil, incident.Errorf(incident.CodeInvalid, "the body ended early: %w", err)
	case len(b) == 0:
		return nil, incident.Errorf(incident.CodeInvalid, "the body is empty; it must be %s", kind)
	}
	return b, nil
}
