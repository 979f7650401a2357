// Package pagerduty reads incidents from PagerDuty's REST API, version 2.
package pagerduty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"meantime/source"
)

const (
	pageSize = 100
	// maxOffset is the largest offset + limit that the API takes.
	maxOffset = 10_000
	// longest is the longest stretch of time in one question: six months.
	longest = 180 * 24 * time.Hour
	// logTail is how long after an incident began entries of its log are looked for among those of all incidents. Those of
	// one that changed later are asked for by themselves.
	logTail = time.Hour
	// perMinute is the documented limit of requests with one key.
	perMinute = 960
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Services are the ids of the services whose incidents are read; empty means all.
	Services []string
}

// Connector reads PagerDuty.
type Connector struct {
	client   *source.Client
	services []string
	tail     tail
}

// tail is what was read of all logs from a time on, up to another, so that the next page of the past need not ask for it again:
// that page is older, and the logs of its newest incidents reach into this one.
type tail struct {
	from, to time.Time
	entries  []json.RawMessage
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c, err := o.Access.NewClient(source.Vendor{
		URL: "https://api.pagerduty.com", Header: "Authorization", Prefix: "Token token=", PerMinute: perMinute,
		Headers: []source.Header{{Name: "Accept", Value: func() string { return "application/vnd.pagerduty+json;version=2" }}},
	})
	if err != nil {
		return nil, &source.OptionError{Key: "url", Err: err}
	}
	return &Connector{client: c, services: o.Services}, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		ChangedSpan: 24 * time.Hour, // the order of log entries is not documented
		MadeSpan:    longest,
		Hints: map[int]string{
			http.StatusUnauthorized:    "PagerDuty does not know the API key; token_file must hold a REST API key (read-only is enough)",
			http.StatusPaymentRequired: "the PagerDuty account's plan does not allow it",
			http.StatusForbidden:       "the PagerDuty API key may not read incidents",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (source.Page, error) {
	if a.What == source.Changed {
		return c.changed(ctx, a)
	}
	return c.made(ctx, a)
}

// list asks for one page of a list, and says where the next begins; empty where there is none.
func (c *Connector) list(
	ctx context.Context, path, name, next string, query url.Values,
) (list []json.RawMessage, p source.Page, err error) {
	offset, _ := strconv.Atoi(next)
	if offset+pageSize > maxOffset {
		return nil, source.Page{TooMany: true}, nil
	}
	query.Set("limit", strconv.Itoa(pageSize))
	query.Set("offset", strconv.Itoa(offset))
	query.Set("time_zone", "UTC")
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: query})
	if err != nil {
		return nil, p, err
	}
	p.Clock = res.Clock()
	if list, err = res.List(name); err != nil {
		return nil, p, err
	}
	var more struct{ More bool }
	if err := res.Decode(&more); err != nil {
		return nil, p, err
	}
	if more.More {
		p.Next = strconv.Itoa(offset + len(list))
	}
	return list, p, nil
}

// all are all pages of a list.
func (c *Connector) all(ctx context.Context, path, name string, query url.Values) ([]json.RawMessage, error) {
	var out []json.RawMessage
	for next := ""; ; {
		list, p, err := c.list(ctx, path, name, next, query)
		if err != nil {
			return nil, err
		}
		if len(list) > 0 && len(out) > 0 && bytes.Equal(list[0], out[len(out)-min(len(list), len(out))]) {
			return nil, fmt.Errorf("GET %s: %w", path, source.ErrCircles)
		}
		if out = append(out, list...); p.Next == "" || p.TooMany || p.Next == next {
			return out, nil
		}
		next = p.Next
	}
}

func (c *Connector) window(from, to time.Time) url.Values {
	return url.Values{"since": {from.UTC().Format(time.RFC3339)}, "until": {to.UTC().Format(time.RFC3339)}}
}

// made are the incidents created in a stretch of time, with the entries of their logs.
func (c *Connector) made(ctx context.Context, a source.Ask) (source.Page, error) {
	query := c.window(a.From, a.To)
	query.Set("sort_by", "created_at:desc")
	query["include[]"] = []string{"priorities"}
	if len(c.services) > 0 {
		query["service_ids[]"] = c.services
	}
	list, p, err := c.list(ctx, "/incidents", "incidents", a.Next, query)
	if err != nil {
		return p, err
	}
	var all []incidentJSON
	for _, raw := range list {
		it, in, err := item(raw)
		if err != nil {
			return p, err
		}
		p.Items, all = append(p.Items, it), append(all, in)
	}
	if a.What == source.Listed || len(p.Items) == 0 {
		return p, nil
	}
	from, to := all[0].CreatedAt.Time, all[0].CreatedAt.Time
	for _, in := range all {
		if in.CreatedAt.Before(from) {
			from = in.CreatedAt.Time
		}
		to = source.Latest(to, in.CreatedAt.Time)
	}
	to = to.Add(logTail)
	entries, err := c.entries(ctx, from.Add(-time.Minute), to, p.Clock)
	if err != nil {
		return p, err
	}
	for i := range p.Items {
		it := &p.Items[i]
		it.Parts["log_entries"] = entries[it.ID]
		if all[i].UpdatedAt.After(to) || all[i].ResolvedAt.After(to) {
			if it.Parts["log_entries"], err = c.log(ctx, it.ID); err != nil {
				return p, err
			}
		}
		if err := c.alerts(ctx, &a, it, &all[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// entries are the log entries of all incidents in a stretch of time, by incident. now is the vendor's time: what comes later than
// that is not told yet.
func (c *Connector) entries(ctx context.Context, from, to, now time.Time) (map[string][]json.RawMessage, error) {
	until, known := to, []json.RawMessage(nil)
	if t := &c.tail; from.Before(t.from) && !to.Before(t.from) && !to.After(t.to) {
		until, known = t.from, t.entries
	}
	query := c.window(from, until)
	query.Set("is_overview", "true")
	query.Set("include[]", "channels")
	list, err := c.all(ctx, "/log_entries", "log_entries", query)
	if err != nil {
		return nil, err
	}
	out, seen := map[string][]json.RawMessage{}, map[string]bool{}
	next := tail{from: from, to: from.Add(logTail + time.Minute)}
	if next.to.After(now) {
		next.to = now
	}
	for _, raw := range append(list, known...) {
		var e entryJSON
		if json.Unmarshal(raw, &e) != nil || seen[e.ID] {
			continue
		}
		if e.ID != "" {
			seen[e.ID] = true
		}
		out[e.Incident.ID] = append(out[e.Incident.ID], raw)
		if !e.CreatedAt.After(next.to) {
			next.entries = append(next.entries, raw)
		}
	}
	if until != to && next.to.After(to) {
		next.to = to // no more than this is known
	}
	c.tail = next
	return out, nil
}

// log is the log of one incident.
func (c *Connector) log(ctx context.Context, id string) ([]json.RawMessage, error) {
	list, err := c.all(ctx, "/incidents/"+url.PathEscape(id)+"/log_entries", "log_entries",
		url.Values{"is_overview": {"true"}, "include[]": {"channels"}})
	if source.Gone(err) {
		return nil, nil
	}
	return list, err
}

// alerts asks which alerts an incident was about, where its log does not tell and somebody would be helped by it.
func (c *Connector) alerts(ctx context.Context, a *source.Ask, it *source.Item, in *incidentJSON) error {
	if in.AlertCounts.All == 0 || told(it, in) {
		return nil
	}
	end := in.ResolvedAt.Time
	if end.IsZero() {
		end = in.CreatedAt.Add(time.Hour)
	}
	heard, err := a.HeardIn(ctx, in.CreatedAt.Add(-time.Hour), end)
	if err != nil || !heard {
		return err
	}
	list, err := c.all(ctx, "/incidents/"+url.PathEscape(it.ID)+"/alerts", "alerts", url.Values{})
	if source.Gone(err) {
		return nil
	}
	it.Parts["alerts"] = list
	return err
}

// changed are the incidents that have an entry in the log in a stretch of time.
func (c *Connector) changed(ctx context.Context, a source.Ask) (source.Page, error) {
	query := c.window(a.From, a.To)
	query.Set("is_overview", "true")
	list, p, err := c.list(ctx, "/log_entries", "log_entries", a.Next, query)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, raw := range list {
		var e entryJSON
		if err := json.Unmarshal(raw, &e); err != nil {
			return p, fmt.Errorf("a log entry cannot be read: %w", err)
		}
		id := e.Incident.ID
		if id != "" && !slices.Contains(ids, id) && (len(c.services) == 0 || slices.Contains(c.services, e.Service.ID)) {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		it, err := c.one(ctx, &a, id)
		if err != nil {
			return p, err
		}
		p.Items = append(p.Items, it)
	}
	return p, nil
}

// one is one incident with its log.
func (c *Connector) one(ctx context.Context, a *source.Ask, id string) (source.Item, error) {
	res, err := c.client.Do(ctx, source.Request{Path: "/incidents/" + url.PathEscape(id), Query: url.Values{"time_zone": {"UTC"}}})
	if source.Gone(err) {
		return source.Item{ID: id, Gone: true}, nil
	}
	if err != nil {
		return source.Item{}, err
	}
	var body struct{ Incident json.RawMessage }
	if err := res.Decode(&body); err != nil {
		return source.Item{}, err
	}
	it, in, err := item(body.Incident)
	if err != nil {
		return it, err
	}
	if it.Parts["log_entries"], err = c.log(ctx, id); err != nil {
		return it, err
	}
	return it, c.alerts(ctx, a, &it, &in)
}

// item reads what the connector itself needs of an incident.
func item(raw json.RawMessage) (source.Item, incidentJSON, error) {
	it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
	var in incidentJSON
	if err := it.Decode(&in); err != nil {
		return it, in, fmt.Errorf("an incident cannot be read: %w", err)
	}
	if in.ID == "" {
		return it, in, fmt.Errorf("an incident without an id; is the address that of PagerDuty's API?")
	}
	it.ID, it.Made, it.Updated = in.ID, in.CreatedAt.Time, in.UpdatedAt.Time
	return it, in, nil
}
