package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Request is one request of a Client.
type Request struct {
	Method string // empty means GET
	// Path is below the client's address, or a whole address of the same server, as that of a next page is.
	Path   string
	Query  url.Values
	Header http.Header
	Body   any // sent as JSON; nil for none
}

// Response is the answer to a Request: 2xx, or 304.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	what   string // for errors
}

var errElsewhere = errors.New("names another server")

// Do makes a request, at the pace that the server's documented limit allows. Errors name the server and the path, never
// the query; an answer that is no success is a *StatusError.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	what := method + " " + c.base + shownPath(r.Path)
	if strings.Contains(r.Path, "://") {
		if serverOf(r.Path) != serverOf(c.base) {
			return nil, fmt.Errorf("%s: the address of the next page %w, %s", method+" "+c.base, errElsewhere, serverOf(r.Path))
		}
		what = method + " " + shownPath(r.Path)
	}
	if err := c.wait(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	req := c.rest.R().SetContext(ctx).SetQueryParamsFromValues(r.Query)
	for name, values := range r.Header {
		req.Header[name] = values
	}
	if r.Body != nil {
		req.SetHeader("Content-Type", "application/json").SetBody(r.Body)
	}
	res, err := req.Execute(method, r.Path)
	if err != nil && !errors.Is(err, errLater) {
		return nil, fmt.Errorf("%s: %w", what, c.plain(err))
	}
	saidInBody(res.StatusCode(), res.Header(), res.Body())
	c.took(req.Attempt, res.StatusCode(), res.Header())
	if res.StatusCode() != http.StatusNotModified {
		if err := c.answered(res); err != nil {
			var s *StatusError
			if errors.As(err, &s) && s.Limited && s.After == 0 {
				s.After = pauseUnsaid
			}
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	return &Response{Status: res.StatusCode(), Header: res.Header(), Body: res.Body(), what: what}, nil
}

// shownPath is a path or address without its query, which may hold secrets.
func shownPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// Clock is the server's time, zero where it does not tell.
func (r *Response) Clock() time.Time {
	t, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Decode decodes the body. Numbers in what has no type of its own stay as they are written.
func (r *Response) Decode(out any) error {
	d := json.NewDecoder(bytes.NewReader(r.Body))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %w", r.what, err)
	}
	return nil
}

// List is the list of that name in the body, or the body itself where the name is empty. That there is none is an error: an
// answer of another form must not count as an empty list.
func (r *Response) List(name string) ([]json.RawMessage, error) {
	body := json.RawMessage(r.Body)
	if name != "" {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(body, &all); err != nil {
			return nil, fmt.Errorf("%s: the answer is not the JSON object expected; is the address right?", r.what)
		}
		body = all[name]
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil || list == nil {
		if name == "" {
			name = "of incidents"
		}
		return nil, fmt.Errorf("%s: the answer has no list %s; is the address right?", r.what, name)
	}
	return list, nil
}

// NextLink is the address of the next page as the header Link tells (RFC 8288), empty where there is none.
func (r *Response) NextLink() string {
	for _, header := range r.Header.Values("Link") {
		for {
			_, rest, found := strings.Cut(header, "<")
			address, rest, ok := strings.Cut(rest, ">")
			if !found || !ok {
				break
			}
			params, _, _ := strings.Cut(rest, "<") // an address may hold commas
			for p := range strings.SplitSeq(strings.TrimRight(params, ", "), ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
				if strings.EqualFold(name, "rel") && strings.Trim(value, `"`) == "next" {
					return address
				}
			}
			header = rest
		}
	}
	return ""
}
