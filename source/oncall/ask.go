// Package oncall reads alert groups from the API of Grafana OnCall, which is also that of Grafana Cloud IRM.
package oncall

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"meantime/source"
)

const (
	// pageSize is the most that a page can have, pageOfPast what one has where each group may cost a request for its alerts.
	pageSize, pageOfPast = 100, 20
	// usual is how many notifications one group has that nothing joined or left: that it fires, and that it is resolved.
	usual = 2
	// perMinute is the documented limit: 300 requests in 5 minutes with one key.
	perMinute = 60
	// young is how long after it began a group is looked at again each time: the API cannot tell what changed. Older ones are
	// looked at once a day.
	young = 7 * 24 * time.Hour
	// earlier is how long before its group an alert may have begun.
	earlier = time.Hour
	// maxKept bounds what is kept of the alerts of groups, in bytes.
	maxKept = 16 << 20
)

// Options are what the connector depends on.
type Options struct {
	// Access has the address of the API, which every installation has for itself.
	Access source.Access
	// GrafanaURL is the address of the stack, which a service account's token needs beside it.
	GrafanaURL string
}

// Connector reads Grafana OnCall.
type Connector struct {
	client *source.Client
	kept   map[string]kept // by group, so that alerts are asked for once
	size   int             // of what is kept, in bytes
}

// kept are the alerts of a group when it had so many.
type kept struct {
	count  int
	alerts []json.RawMessage
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	v := source.Vendor{Header: "Authorization", PerMinute: perMinute}
	if o.GrafanaURL != "" {
		v.Headers = []source.Header{{Name: "X-Grafana-URL", Value: func() string { return strings.TrimRight(o.GrafanaURL, "/") }}}
	}
	c, err := o.Access.NewClient(v)
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c, kept: map[string]kept{}}, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		NoChanged: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "Grafana OnCall does not know the token in token_file; one of a service account needs grafana_url",
			http.StatusForbidden:    "the Grafana OnCall token may not read alert groups: it needs the permission alert-groups:read",
			http.StatusNotFound:     "there is no OnCall API at url; the settings of OnCall or IRM show its address",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	from, to, size := a.From, a.To.Add(time.Second), pageSize
	switch a.What {
	case source.Changed:
		from = from.Add(-young)
	case source.Made:
		size = pageOfPast
	}
	const layout = "2006-01-02T15:04:05"
	list, more, err := c.list(ctx, &p, "/api/v1/alert_groups/", a.Next, url.Values{
		"started_at": {from.UTC().Format(layout) + "_" + to.UTC().Format(layout)}, "perpage": {strconv.Itoa(size)},
	})
	if err != nil {
		return p, err
	}
	p.Next = more
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var g groupJSON
		if err := it.Decode(&g); err != nil {
			return p, err
		}
		it.ID, it.Made, it.Updated = g.ID, g.CreatedAt.Time, g.updated()
		if a.What == source.Changed {
			it.Made = time.Time{} // those that began before are among them
		}
		if it.Parts["alerts"], err = c.alerts(ctx, &a, &g); err != nil {
			return p, err
		}
		p.Items = append(p.Items, it)
	}
	return p, nil
}

// list asks for one page of a list, and says what the number of the next one is; empty where there is none. The address of the
// next page in the answer is not followed: it is the one that OnCall believes to have, which may not be ours.
func (c *Connector) list(
	ctx context.Context, p *source.Page, path, number string, query url.Values,
) (list []json.RawMessage, next string, err error) {
	n, _ := strconv.Atoi(number)
	n = max(1, n)
	query.Set("page", strconv.Itoa(n))
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: query})
	if err != nil {
		return nil, "", err
	}
	p.Clock = res.Clock()
	if list, err = res.List("results"); err != nil {
		return nil, "", err
	}
	var more struct{ Next *string }
	if err := res.Decode(&more); err != nil {
		return nil, "", err
	}
	if more.Next != nil && *more.Next != "" {
		next = strconv.Itoa(n + 1)
	}
	return list, next, nil
}

// alerts are what integrations sent to a group of the past, where any of its time are known and it had more notifications than
// usual. The newest stands in the group itself, and those of a group that is looked at again and again are kept (Keep).
func (c *Connector) alerts(ctx context.Context, a *source.Ask, g *groupJSON) ([]json.RawMessage, error) {
	if a.What != source.Made || g.Count <= usual {
		return nil, nil
	}
	if old := c.kept[g.ID]; old.count == g.Count {
		return old.alerts, nil
	}
	heard, err := a.HeardIn(ctx, g.CreatedAt.Add(-earlier), g.updated())
	if err != nil || !heard {
		return nil, err
	}
	list, _, err := c.list(ctx, &source.Page{}, "/api/v1/alerts/", "",
		url.Values{"alert_group_id": {g.ID}, "perpage": {strconv.Itoa(pageSize)}})
	switch {
	case source.Gone(err):
		list = nil
	case err != nil:
		return nil, err
	}
	for _, raw := range list {
		c.size += len(raw)
	}
	if c.size > maxKept {
		c.kept, c.size = map[string]kept{}, 0
	}
	c.kept[g.ID] = kept{g.Count, list}
	return list, nil
}
