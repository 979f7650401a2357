// Package httpjson reads incidents from any JSON API. What is asked and how an answer is read is configuration: jq programs
// find the incidents of an answer and make records of them.
package httpjson

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/source"
	"meantime/source/jq"
)

// Ways in which an API cuts its list into pages.
var Ways = []string{"none", "number", "offset", "cursor", "link", "next"}

// Formats of a time in a query.
var Formats = []string{"rfc3339", "unix", "unix_ms", "date"}

// Options are what the connector depends on. Items and Map are required.
type Options struct {
	// Access has the whole address of the list.
	Access source.Access
	// Query are parameters of every request, each as name=value.
	Query []string
	// PerMinute is the limit that the vendor documents; 0 means DefaultPerMinute.
	PerMinute int
	// By is one of Ways; empty means none. Param is the parameter that carries a page's number, offset or cursor, Size how many
	// incidents a whole page has (0: unknown).
	By, Param string
	Size      int
	// Next is the program that finds the next cursor or address in an answer.
	Next string
	// Body is the program that makes what is sent of {next, since}; where it is given, requests are POST. Pages by cursor then need
	// no Param: a cursor may be any value.
	Body string
	// TokenScheme stands before the token; empty means Bearer.
	TokenScheme string
	// SinceParam is the parameter that asks for what changed since a time, SinceFormat one of Formats. Without it the whole list
	// is read each time.
	SinceParam, SinceFormat string
	Lookback                time.Duration
	// Items finds the incidents in an answer, Map makes a record of one.
	Items, Map string
}

// DefaultPerMinute is a limit that every API takes.
const DefaultPerMinute = 60

// Connector reads a JSON API.
type Connector struct {
	o                Options
	client           *source.Client
	query            url.Values
	items, mapp, nxt *jq.Program
	body             *jq.Program // nil: there is none
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector. Its errors are *source.OptionErrors.
func New(o Options) (*Connector, error) {
	c := &Connector{o: o, query: url.Values{}}
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, &source.OptionError{Key: key, Err: fmt.Errorf(format, args...)})
	}
	program := func(key, text string) *jq.Program {
		p, err := jq.New(text)
		if err != nil {
			bad(key, "%w", err)
		}
		return p
	}
	c.items, c.mapp = program("items", o.Items), program("map", o.Map)
	for i, q := range o.Query {
		name, value, ok := strings.Cut(q, "=")
		if !ok || name == "" {
			bad(fmt.Sprintf("query[%d]", i), "%q; write name=value", q)
		}
		c.query.Add(name, value)
	}
	if o.Body != "" {
		c.body = program("body", o.Body)
	}
	c.checkPages(bad)
	if o.By == "cursor" || o.By == "next" {
		c.nxt = program("next", o.Next)
	}
	if (o.SinceParam != "" || o.SinceFormat != "") && !slices.Contains(Formats, o.SinceFormat) {
		bad("since.format", "%q; it is one of %s", o.SinceFormat, strings.Join(Formats, ", "))
	}
	perMinute := o.PerMinute
	if perMinute <= 0 {
		perMinute = DefaultPerMinute
	}
	var err error
	v := source.Vendor{PerMinute: float64(perMinute)}
	switch {
	case o.TokenScheme != "" && (o.Access.Secret == nil || o.Access.User != ""):
		bad("token_scheme", "without token_file it has no effect")
	case o.TokenScheme != "":
		v.Header, v.Prefix = "Authorization", o.TokenScheme+" "
	}
	if c.client, err = o.Access.NewClient(v); err != nil {
		bad("url", "%w", err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// checkPages says what is wrong with the way pages are asked for.
func (c *Connector) checkPages(bad func(key, format string, args ...any)) {
	o := &c.o
	if o.By == "" {
		o.By = "none"
	}
	needsParam := o.By == "number" || o.By == "offset" || o.By == "cursor" && o.Body == ""
	needsNext := o.By == "cursor" || o.By == "next"
	switch {
	case !slices.Contains(Ways, o.By):
		bad("page.by", "%q; it is one of %s", o.By, strings.Join(Ways, ", "))
	case needsParam && o.Param == "":
		bad("page.param", "missing; it is the parameter that carries the %s", o.By)
	case !needsParam && o.Param != "":
		bad("page.param", "pages by %s carry none", o.By)
	case needsNext && o.Next == "":
		bad("next", "missing; it is a jq program that finds the next %s in an answer, such as .meta.next",
			map[bool]string{true: "cursor", false: "address"}[o.By == "cursor"])
	case !needsNext && o.Next != "":
		bad("next", "pages by %s do not need it", o.By)
	}
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Lookback: c.o.Lookback, NoMade: true, Shifts: c.o.By != "none", Vanishes: c.o.SinceParam == "" && c.o.SinceFormat == "",
		Hints: map[int]string{
			http.StatusUnauthorized: "the server does not accept who asks; see headers, token_file, user and password_file",
			http.StatusForbidden:    "the server does not let who asks read this",
			http.StatusNotFound:     "there is nothing at this address",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	req := source.Request{Query: url.Values{}}
	if byAddress := c.o.By == "link" || c.o.By == "next"; byAddress && a.Next != "" {
		req.Path = a.Next // it has all parameters
	} else {
		if strings.HasSuffix(c.o.Access.Client.URL, "/") {
			req.Path = "/" // some servers know the address only so
		}
		for name, values := range c.query {
			req.Query[name] = values
		}
		if c.o.SinceParam != "" {
			req.Query.Set(c.o.SinceParam, c.since(a.From))
		}
		switch {
		case a.Next != "" && c.o.Param != "":
			req.Query.Set(c.o.Param, a.Next)
		case c.o.By == "number":
			req.Query.Set(c.o.Param, "1")
		case c.o.By == "offset":
			req.Query.Set(c.o.Param, "0")
		}
	}
	if err := c.sent(ctx, &req, &a); err != nil {
		return p, err
	}
	res, err := c.client.Do(ctx, req)
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	answer, err := jq.DecodeAny(res.Body)
	if err != nil {
		return p, fmt.Errorf("the answer is not JSON: %w", err)
	}
	found, err := c.items.Run(ctx, answer, answer)
	if err != nil {
		return p, fmt.Errorf("items: %w; the answer is of another form than the program expects", err)
	}
	for _, v := range found {
		raw, err := json.Marshal(v)
		if err != nil {
			return p, err
		}
		p.Items = append(p.Items, c.item(ctx, raw))
	}
	p.Next, err = c.next(ctx, a.Next, len(found), res, answer)
	return p, err
}

// sent makes the body of a request, where the configuration has a program for it.
func (c *Connector) sent(ctx context.Context, req *source.Request, a *source.Ask) error {
	if c.body == nil {
		return nil
	}
	input := map[string]any{"next": nil, "since": nil}
	if c.o.SinceFormat != "" {
		input["since"] = c.since(a.From)
	}
	if a.Next != "" {
		next, err := jq.DecodeAny(json.RawMessage(a.Next))
		if err != nil {
			return fmt.Errorf("what led to the next page cannot be read: %w", err)
		}
		input["next"] = next
	}
	out, err := c.body.Run(ctx, input, input)
	switch {
	case err != nil:
		return fmt.Errorf("body: %w", err)
	case len(out) != 1:
		return fmt.Errorf("body: the program makes %d values, not one", len(out))
	}
	req.Method, req.Body = http.MethodPost, out[0]
	return nil
}

// item is an incident with its id and the time of its last change, where the mapping tells one.
func (c *Connector) item(ctx context.Context, raw json.RawMessage) source.Item {
	it := source.Item{Raw: raw}
	if records, err := c.mapp.Records(ctx, raw); err == nil && len(records) == 1 {
		it.ID, it.Updated = records[0].ID, records[0].UpdatedAt
	}
	return it
}

// since is a time in the form that the API takes.
func (c *Connector) since(t time.Time) string {
	switch t = t.UTC(); c.o.SinceFormat {
	case "unix":
		return strconv.FormatInt(t.Unix(), 10)
	case "unix_ms":
		return strconv.FormatInt(t.UnixMilli(), 10)
	case "date":
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// next is what leads to the page after one of n incidents; empty where that was the last.
func (c *Connector) next(ctx context.Context, now string, n int, res *source.Response, answer any) (string, error) {
	switch c.o.By {
	case "none":
		return "", nil
	case "link":
		return res.NextLink(), nil
	case "cursor", "next":
		out, err := c.nxt.Run(ctx, answer, answer)
		if err != nil || len(out) == 0 {
			return "", err
		}
		if v, ended := out[0].(bool); c.body != nil && !(ended && !v) {
			b, err := json.Marshal(out[0])
			return string(b), err
		}
		switch v := out[0].(type) {
		case string:
			return v, nil
		case bool:
			return "", nil
		default:
			return fmt.Sprint(v), nil
		}
	}
	if n == 0 || n < c.o.Size {
		return "", nil
	}
	at, _ := strconv.Atoi(now)
	if c.o.By == "number" {
		return strconv.Itoa(max(at, 1) + 1), nil
	}
	return strconv.Itoa(at + n), nil
}
