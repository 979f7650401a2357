// Package opsgenie reads alerts or incidents from Opsgenie's REST API.
package opsgenie

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"meantime/source"
	"meantime/source/tracker"
)

const (
	pageSize = 100
	// maxOffset is the largest offset + limit that the API takes.
	maxOffset = 20_000
	perMinute = 300
)

// Reads are what can be read.
var Reads = []string{"alerts", "incidents"}

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Read is one of Reads; empty means alerts.
	Read string
}

// Connector reads Opsgenie.
type Connector struct {
	client    *source.Client
	incidents bool
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	if o.Read != "" && !slices.Contains(Reads, o.Read) {
		return nil, &source.OptionError{Key: "read", Err: fmt.Errorf("%q; it is one of %s", o.Read, strings.Join(Reads, ", "))}
	}
	c, err := o.Access.NewClient(source.Vendor{
		URL: "https://api.opsgenie.com", Header: "Authorization", Prefix: "GenieKey ", PerMinute: perMinute,
	})
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c, incidents: o.Read == "incidents"}, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Shifts: true, Ascending: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "Opsgenie does not know the API key, or the account is in another region: see url",
			http.StatusForbidden:    "the Opsgenie API key may not read; it needs Read access and, for incidents, configuration access",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	offset, _ := strconv.Atoi(a.Next)
	if offset+pageSize > maxOffset {
		return source.Page{TooMany: true}, nil
	}
	query := url.Values{"limit": {strconv.Itoa(pageSize)}, "offset": {strconv.Itoa(offset)}}
	if a.What == source.Changed {
		query.Set("query", fmt.Sprintf("updatedAt > %d", a.From.Add(-time.Millisecond).UnixMilli()))
		query.Set("sort", "updatedAt")
		query.Set("order", "asc")
	} else {
		query.Set("query", fmt.Sprintf("createdAt > %d AND createdAt < %d", a.From.Add(-time.Millisecond).UnixMilli(), a.To.UnixMilli()))
		query.Set("sort", "createdAt")
		query.Set("order", "desc")
	}
	path := "/v2/alerts"
	if c.incidents {
		path = "/v1/incidents"
	}
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: query})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("data")
	if err != nil {
		return p, err
	}
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var alert tracker.OpsAlert
		if err := it.Decode(&alert); err != nil {
			return p, fmt.Errorf("an alert cannot be read: %w", err)
		}
		it.ID, it.Updated = alert.ID, alert.UpdatedAt.Time
		if c.incidents && a.What != source.Listed {
			if it.Parts["timeline"], err = c.timeline(ctx, alert.ID); err != nil {
				return p, err
			}
		}
		p.Items = append(p.Items, it)
	}
	if len(list) == pageSize {
		p.Next = strconv.Itoa(offset + len(list))
	}
	return p, nil
}

// timeline is what happened in an incident.
func (c *Connector) timeline(ctx context.Context, id string) ([]json.RawMessage, error) {
	res, err := c.client.Do(ctx, source.Request{Path: "/v2/incident-timelines/" + url.PathEscape(id) + "/entries"})
	if source.Gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var body struct {
		Data struct{ Entries []json.RawMessage }
	}
	err = res.Decode(&body)
	return body.Data.Entries, err
}
