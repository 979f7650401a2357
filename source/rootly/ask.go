// Package rootly reads incidents from Rootly's API, version 1, which is JSON:API.
package rootly

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
	pageSize = 100
	// perMinute is the documented limit: 3,000 requests a minute with one key.
	perMinute = 3000
	// longestAlert is how long before its incident an alert is looked for that may have opened it.
	longestAlert = time.Hour
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
}

// Connector reads Rootly.
type Connector struct{ client *source.Client }

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c, err := o.Access.NewClient(source.Vendor{
		URL: "https://api.rootly.com", Header: "Authorization", Prefix: "Bearer ", PerMinute: perMinute,
		Headers: []source.Header{{Name: "Accept", Value: func() string { return "application/vnd.api+json" }}},
	})
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c}, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Shifts: true, Ascending: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "Rootly does not know the API key in token_file",
			http.StatusForbidden:    "the Rootly API key may not read incidents",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	by := "created_at"
	if a.What == source.Changed {
		by = "updated_at"
	}
	number := max(1, atoi(a.Next))
	res, err := c.client.Do(ctx, source.Request{Path: "/v1/incidents", Query: url.Values{
		"filter[" + by + "][gte]": {a.From.UTC().Format(time.RFC3339)}, "filter[" + by + "][lt]": {a.To.UTC().Format(time.RFC3339)},
		"sort": {by}, "include": {"services"}, "page[size]": {strconv.Itoa(pageSize)}, "page[number]": {strconv.Itoa(number)},
	}})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("data")
	if err != nil {
		return p, err
	}
	var more struct {
		Included []json.RawMessage
		Meta     struct {
			NextPage *int `json:"next_page"`
		}
		Links struct{ Next *string }
	}
	if err := res.Decode(&more); err != nil {
		return p, err
	}
	if more.Meta.NextPage != nil || more.Links.Next != nil && *more.Links.Next != "" {
		p.Next = strconv.Itoa(number + 1)
	}
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{"services": more.Included}}
		var in incidentJSON
		if err := it.Decode(&in); err != nil {
			return p, err
		}
		it.ID, it.Private = in.ID, in.Attributes.Private
		it.Made, it.Updated = in.Attributes.CreatedAt.Time, in.Attributes.UpdatedAt.Time
		if err := c.alerts(ctx, &a, &it, &in); err != nil {
			return p, err
		}
		p.Items = append(p.Items, it)
	}
	return p, nil
}

// alerts asks which alerts an incident was about, where any of its time are known.
func (c *Connector) alerts(ctx context.Context, a *source.Ask, it *source.Item, in *incidentJSON) error {
	x := &in.Attributes
	from, to := earliest(x.CreatedAt.Time, x.StartedAt.Time), source.Latest(x.ResolvedAt.Time, x.UpdatedAt.Time)
	heard, err := a.HeardIn(ctx, from.Add(-longestAlert), to)
	if err != nil || !heard {
		return err
	}
	res, err := c.client.Do(ctx, source.Request{
		Path: "/v1/incidents/" + url.PathEscape(in.ID) + "/alerts", Query: url.Values{"page[size]": {strconv.Itoa(pageSize)}},
	})
	if source.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	it.Parts["alerts"], err = res.List("data")
	return err
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
