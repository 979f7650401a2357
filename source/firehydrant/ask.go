// Package firehydrant reads incidents from FireHydrant's API, version 1.
package firehydrant

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"meantime/source"
)

const (
	pageSize = 20 // each incident may cost a request for its alerts, at 150 a minute
	// perMinute is the documented limit: 50 requests in 10 seconds with one key.
	perMinute = 300
	// earlier is how long before its incident an alert is looked for that may have opened it.
	earlier = time.Hour
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
}

// Connector reads FireHydrant.
type Connector struct{ client *source.Client }

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c, err := o.Access.NewClient(source.Vendor{
		URL: "https://api.firehydrant.io", Header: "Authorization", Prefix: "Bearer ", PerMinute: perMinute,
	})
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c}, nil
}

// Traits implements source.Connector. The order of the list is not documented.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		NoMade: true, Shifts: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "FireHydrant does not know the token in token_file; it must hold the token of a bot user",
			http.StatusForbidden:    "the FireHydrant token may not read incidents",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	number, _ := strconv.Atoi(a.Next)
	number = max(1, number)
	list, last, err := c.list(ctx, &p, "/v1/incidents", url.Values{
		"updated_after": {a.From.UTC().Format(time.RFC3339)}, "page": {strconv.Itoa(number)}, "per_page": {strconv.Itoa(pageSize)},
	})
	if err != nil {
		return p, err
	}
	if !last {
		p.Next = strconv.Itoa(number + 1)
	}
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var in incidentJSON
		if err := it.Decode(&in); err != nil {
			return p, err
		}
		it.ID, it.Updated, it.Gone = in.ID, in.updated(), !in.DiscardedAt.IsZero()
		if err := c.alerts(ctx, &a, &it, &in); err != nil {
			return p, err
		}
		p.Items = append(p.Items, it)
	}
	return p, nil
}

// list asks for one page of a list, and says whether it is the last.
func (c *Connector) list(ctx context.Context, p *source.Page, path string, query url.Values) ([]json.RawMessage, bool, error) {
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: query})
	if err != nil {
		return nil, false, err
	}
	p.Clock = res.Clock()
	list, err := res.List("data")
	if err != nil {
		return nil, false, err
	}
	var more struct{ Pagination struct{ Next *int } }
	if err := res.Decode(&more); err != nil {
		return nil, false, err
	}
	return list, more.Pagination.Next == nil, nil
}

// alerts asks which alerts an incident was about, where any of its time are known.
func (c *Connector) alerts(ctx context.Context, a *source.Ask, it *source.Item, in *incidentJSON) error {
	heard, err := a.HeardIn(ctx, in.CreatedAt.Add(-earlier), in.updated())
	if err != nil || !heard || it.Gone {
		return err
	}
	it.Parts["alerts"], _, err = c.list(ctx, &source.Page{}, "/v1/incidents/"+url.PathEscape(in.ID)+"/alerts", url.Values{
		"page": {"1"}, "per_page": {strconv.Itoa(pageSize)},
	})
	if source.Gone(err) {
		return nil
	}
	return err
}
