// Package statuspage reads the incidents of a status page made with Atlassian Statuspage: what anybody can read of it or, with its
// id and a token, by the management API, which knows the past and maintenance as well.
package statuspage

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"meantime/source"
)

const (
	pageSize = 100
	// perMinute is the documented limit: a request a second with one token. Nothing is said of a page itself.
	perMinute = 60
	// young is how long after an incident was made its changes are looked for at each poll. Later ones are found once a day.
	young = 30 * 24 * time.Hour
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// PageID is the page's id, for the management API. Without it what anybody can read at the page's address is read.
	PageID string
}

// Connector reads Statuspage.
type Connector struct {
	client *source.Client
	page   string
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	v := source.Vendor{Header: "Authorization", Prefix: "OAuth ", PerMinute: perMinute}
	switch {
	case o.PageID != "" && o.Access.Secret == nil:
		return nil, &source.OptionError{Key: "token_file", Err: errors.New("missing; page_id is given, and the management API wants a token")}
	case o.PageID != "":
		v.URL = "https://api.statuspage.io"
	case o.Access.Secret != nil:
		return nil, &source.OptionError{Key: "page_id", Err: errors.New("missing; token_file is given, which only the management API takes")}
	case o.Access.Client.URL == "":
		return nil, &source.OptionError{Key: "url", Err: errors.New("missing; write the page's address, or page_id and token_file")}
	}
	c, err := o.Access.NewClient(v)
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c, page: o.PageID}, nil
}

// Traits implements source.Connector. The list knows no times. Of a page itself only the last 50 are there to be read, so what is
// listed no more is not deleted.
func (c *Connector) Traits() source.Traits {
	t := source.Traits{
		NoMade: true, Shifts: true, Lookback: 10 * time.Minute, // what anybody can read is some minutes late
		Hints: map[int]string{http.StatusNotFound: "there is no page of Statuspage at url"},
	}
	if c.page != "" {
		t.NoChanged, t.Vanishes = true, true
		t.Hints = map[int]string{
			http.StatusUnauthorized: "Statuspage does not know the API key in token_file",
			http.StatusForbidden:    "the Statuspage API key may not read this page",
			http.StatusNotFound:     "Statuspage shows this API key no page with that page_id; is url given although the API is at its usual place?",
		}
	}
	return t
}

// Page implements source.Connector. The newest come first, as far as was seen. It goes on to the end of the list where they do not.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	number, _ := strconv.Atoi(a.Next)
	number = max(1, number)
	q, list := source.Request{Path: "/api/v2/incidents.json"}, "incidents"
	if c.page != "" {
		q, list = source.Request{Path: "/v1/pages/" + url.PathEscape(c.page) + "/incidents", Query: url.Values{
			"limit": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(number)},
		}}, ""
	}
	res, err := c.client.Do(ctx, q)
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	raws, err := res.List(list)
	if err != nil {
		return p, err
	}
	oldest, ordered := time.Time{}, true
	for _, raw := range raws {
		it := source.Item{Raw: raw}
		var in incidentJSON
		if err := it.Decode(&in); err != nil {
			return p, err
		}
		ordered = ordered && (oldest.IsZero() || !in.CreatedAt.After(oldest))
		oldest = in.CreatedAt.Time
		it.ID, it.Updated = in.ID, in.updated()
		if a.What != source.Changed && !in.CreatedAt.Before(a.From) || a.What == source.Changed && !it.Updated.Before(a.From) {
			p.Items = append(p.Items, it)
		}
	}
	until := a.From
	if a.What == source.Changed {
		until = until.Add(-young)
	}
	if c.page != "" && len(raws) == pageSize && (!ordered || oldest.After(until)) {
		p.Next = strconv.Itoa(number + 1)
	}
	return p, nil
}
