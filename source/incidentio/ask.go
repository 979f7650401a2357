// Package incidentio reads incidents from incident.io's API, version 2.
package incidentio

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

const (
	pageSize = 100
	// listSize is the most that one page can have.
	listSize = 250
	// ofAlerts is how many of an incident's alerts are read.
	ofAlerts = 50
	// perMinute is the documented limit for one API key.
	perMinute = 1200
	// lookback is longer than usual: whether an incident counts as changed when an alert is attached to it is not documented.
	lookback = time.Hour
	// longestAlert is how long before its incident an alert is looked for that may have opened it.
	longestAlert = time.Hour
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Timestamps say which of the account's timestamps mean a milestone, as `milestone=timestamp|other`, beside incident.io's own.
	Timestamps []string
	// Fields say which custom fields hold the services or the severity.
	Fields []string
}

// Connector reads incident.io.
type Connector struct {
	client             *source.Client
	timestamps, fields tracker.Names
}

var _ source.Connector = (*Connector)(nil)

// own are the timestamps that an account has at first.
var own = map[incident.MilestoneName]string{
	incident.Started: "impact started at", incident.Detected: "reported at", incident.Acknowledged: "accepted at",
	incident.Identified: "identified at", incident.Mitigated: "fixed at", incident.Resolved: "resolved at",
}

// New makes the connector.
func New(o Options) (*Connector, error) {
	c := &Connector{}
	var errs, more []error
	c.timestamps, errs = tracker.NewNames("timestamps", o.Timestamps)
	named := map[string]bool{}
	for _, milestone := range c.timestamps {
		named[milestone] = true
	}
	for milestone, name := range own {
		// Where a milestone is given a timestamp, its usual one means it no more.
		if c.timestamps.Of(name) == "" && !named[string(milestone)] {
			c.timestamps[name] = string(milestone)
		}
	}
	c.fields, more = tracker.NewFields("fields", o.Fields, "service", "severity")
	errs = append(errs, more...)
	var err error
	if c.client, err = o.Access.NewClient(source.Vendor{
		URL: "https://api.incident.io", Header: "Authorization", Prefix: "Bearer ", PerMinute: perMinute,
	}); err != nil {
		errs = append(errs, &source.OptionError{Key: "url", Err: err})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Traits implements source.Connector. Pages follow each other by the last incident's id, whatever changes meanwhile.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Lookback: lookback, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "incident.io does not know the API key in token_file",
			http.StatusForbidden:    "the incident.io API key may not view incidents; it needs the permission to view data",
		},
	}
}

// Page implements source.Connector. The filters know whole days, so more comes than was asked for.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	day := func(t time.Time) string { return t.UTC().Format(time.DateOnly) }
	q := url.Values{"mode[one_of]": {"standard", "retrospective"}, "page_size": {strconv.Itoa(pageSize)}}
	if a.What == source.Changed {
		q.Set("updated_at[gte]", day(a.From))
	} else {
		q.Set("created_at[date_range]", day(a.From)+"~"+day(a.To.AddDate(0, 0, 1)))
	}
	if a.What == source.Listed {
		q.Set("page_size", strconv.Itoa(listSize))
	}
	if a.Next != "" {
		q.Set("after", a.Next)
	}
	res, err := c.client.Do(ctx, source.Request{Path: "/v2/incidents", Query: q})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("incidents")
	if err != nil {
		return p, err
	}
	var more struct {
		Meta struct{ After string } `json:"pagination_meta"`
	}
	if err := res.Decode(&more); err != nil {
		return p, err
	}
	p.Next = more.Meta.After
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var in incidentJSON
		if err := it.Decode(&in); err != nil {
			return p, err
		}
		it.ID, it.Updated, it.Private = in.ID, in.UpdatedAt.Time, in.Visibility == "private"
		if out(&a, &in) {
			continue
		}
		if err := c.alerts(ctx, &a, &it, &in); err != nil {
			return p, err
		}
		p.Items = append(p.Items, it)
	}
	return p, nil
}

// out says whether an incident was not asked for, but for the day.
func out(a *source.Ask, in *incidentJSON) bool {
	if a.What == source.Changed {
		return in.UpdatedAt.Before(a.From)
	}
	return in.CreatedAt.Before(a.From) || in.CreatedAt.After(a.To)
}

// alerts asks which alerts an incident was about, where any of its time are known.
func (c *Connector) alerts(ctx context.Context, a *source.Ask, it *source.Item, in *incidentJSON) error {
	if !a.Detail(it) {
		return nil
	}
	times := []time.Time{in.CreatedAt.Time}
	for _, x := range in.Timestamps {
		if x.Value != nil && !x.Value.Value.IsZero() {
			times = append(times, x.Value.Value.Time)
		}
	}
	from, to := slices.MinFunc(times, time.Time.Compare).Add(-longestAlert), source.Latest(append(times, in.UpdatedAt.Time)...)
	heard, err := a.HeardIn(ctx, from, to)
	if err != nil || !heard {
		return err
	}
	res, err := c.client.Do(ctx, source.Request{Path: "/v2/incident_alerts", Query: url.Values{
		"incident_id": {in.ID}, "page_size": {strconv.Itoa(ofAlerts)},
	}})
	if source.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	it.Parts["alerts"], err = res.List("incident_alerts")
	return err
}
