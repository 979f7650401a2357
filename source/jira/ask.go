// Package jira reads issues from Jira Cloud and Jira Data Center, and the alerts of Jira Service Management that belong to them.
package jira

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
	"meantime/source/tracker"
)

const (
	pageSize = 100
	// perMinute is a third of the burst that Jira Cloud allows; Data Center allows more.
	perMinute = 300
	// lookback: the search lags behind writes, and its times are whole minutes.
	lookback = 10 * time.Minute
	// opsURL is where the alerts of Jira Service Management are asked for.
	opsURL = "https://api.atlassian.com"
)

// Options are what the connector depends on.
type Options struct {
	// Access has a user for Jira Cloud (basic authentication); without one it is Data Center, with a bearer token.
	Access source.Access
	// JQL selects the issues; it is without ORDER BY.
	JQL string
	// Statuses say which statuses mean a milestone, Fields which fields hold one, or the severity or service.
	Statuses, Fields []string
	// CloudID is that of the site in Jira Service Management; empty: no alerts are asked for.
	CloudID string
	// TimeZone is that of the user's profile, in which the search takes times; empty means UTC.
	TimeZone string
}

// Connector reads Jira.
type Connector struct {
	client   *source.Client
	ops      *source.Client // nil: no alerts
	o        Options
	cloud    bool
	zone     *time.Location
	statuses tracker.Names
	fields   tracker.Names // by the field's id
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c := &Connector{o: o, cloud: o.Access.User != "", zone: time.UTC}
	var errs, more []error
	c.statuses, errs = tracker.NewNames("statuses", o.Statuses)
	c.fields, more = tracker.NewNames("fields", o.Fields, "severity", "service")
	errs = append(errs, more...)
	if o.TimeZone != "" {
		zone, err := time.LoadLocation(o.TimeZone)
		if err != nil {
			err = fmt.Errorf("%q is no time zone; write it like Europe/Berlin", o.TimeZone)
			errs = append(errs, &source.OptionError{Key: "time_zone", Err: err})
		} else {
			c.zone = zone
		}
	}
	if strings.Contains(strings.ToLower(o.JQL), "order by") {
		errs = append(errs, &source.OptionError{Key: "jql", Err: errors.New("has an ORDER BY; leave it out")})
	}
	var err error
	if c.client, err = o.Access.NewClient(source.Vendor{PerMinute: perMinute}); err != nil {
		errs = append(errs, &source.OptionError{Key: "url", Err: err})
	}
	if o.CloudID != "" {
		ops := o.Access
		ops.Client.URL = opsURL
		if c.ops, err = ops.NewClient(source.Vendor{PerMinute: perMinute}); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Lookback: lookback, Shifts: true, Ascending: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "Jira does not know who asks; " +
				"Cloud wants user (an e-mail address) with an API token, Data Center a personal access token without user",
			http.StatusForbidden:  "Jira lets this user read nothing here; it needs to browse the project",
			http.StatusBadRequest: "Jira does not understand jql, or knows no such project or field",
			http.StatusGone:       "this Jira has another version of the search: give user for Cloud, none for Data Center",
		},
	}
}

// Page implements source.Connector.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	list, p, err := c.search(ctx, a)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var is issueJSON
		if err := it.Decode(&is); err != nil {
			return p, fmt.Errorf("an issue cannot be read: %w", err)
		}
		it.ID, it.Updated, it.Private = is.ID, is.Fields.Updated.Time, is.Fields.Security != nil
		it.Parts["changelog"] = is.Changelog.Histories
		p.Items, ids = append(p.Items, it), append(ids, is.ID)
	}
	if a.What == source.Listed || len(ids) == 0 {
		return p, nil
	}
	if c.cloud {
		logs, err := c.changelogs(ctx, ids)
		if err != nil {
			return p, err
		}
		for i := range p.Items {
			p.Items[i].Parts["changelog"] = logs[p.Items[i].ID]
		}
	}
	for i := range p.Items {
		if err := c.alerts(ctx, &a, &p.Items[i]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// search asks for one page of issues.
func (c *Connector) search(ctx context.Context, a source.Ask) ([]json.RawMessage, source.Page, error) {
	var p source.Page
	jql, order := c.when(a)
	if c.o.JQL != "" {
		jql = "(" + c.o.JQL + ") AND " + jql
	}
	fields := []string{
		"summary", "status", "created", "updated", "resolution", "resolutiondate", "labels", "components", "priority", "security", "description",
	}
	for id := range c.fields {
		fields = append(fields, id)
	}
	slices.Sort(fields[11:])
	query := url.Values{"jql": {jql + " ORDER BY " + order}, "fields": {strings.Join(fields, ",")}, "maxResults": {strconv.Itoa(pageSize)}}
	path := "/rest/api/3/search/jql"
	at, _ := strconv.Atoi(a.Next)
	if !c.cloud {
		path = "/rest/api/2/search"
		query.Set("startAt", strconv.Itoa(at))
		query.Set("expand", "changelog")
	} else if a.Next != "" {
		query.Set("nextPageToken", a.Next)
	}
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: query})
	if err != nil {
		return nil, p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("issues")
	if err != nil {
		return nil, p, err
	}
	var more struct {
		NextPageToken string
		IsLast        bool
		Total         int
	}
	if err := res.Decode(&more); err != nil {
		return nil, p, err
	}
	switch {
	case c.cloud && !more.IsLast:
		p.Next = more.NextPageToken
	case !c.cloud && len(list) > 0 && at+len(list) < more.Total:
		p.Next = strconv.Itoa(at + len(list))
	}
	return list, p, nil
}

// when is the condition on time, and the order. The search knows whole minutes in the user's own zone.
func (c *Connector) when(a source.Ask) (condition, order string) {
	minute := func(t time.Time) string { return t.In(c.zone).Format(`"2006-01-02 15:04"`) }
	if a.What == source.Changed {
		return "updated >= " + minute(a.From), "updated ASC"
	}
	return fmt.Sprintf("created >= %s AND created < %s", minute(a.From), minute(a.To.Add(time.Minute))), "created DESC"
}

// changelogs are the changes of status of several issues, by issue.
func (c *Connector) changelogs(ctx context.Context, ids []string) (map[string][]json.RawMessage, error) {
	out := map[string][]json.RawMessage{}
	body := map[string]any{"issueIdsOrKeys": ids, "fieldIds": []string{"status"}, "maxResults": 1000}
	for range pageSize {
		res, err := c.client.Do(ctx, source.Request{Method: http.MethodPost, Path: "/rest/api/3/changelog/bulkfetch", Body: body})
		if err != nil {
			return nil, err
		}
		var got struct {
			IssueChangeLogs []struct {
				IssueID         string
				ChangeHistories []json.RawMessage
			}
			NextPageToken string
		}
		if err := res.Decode(&got); err != nil {
			return nil, err
		}
		for _, l := range got.IssueChangeLogs {
			out[l.IssueID] = append(out[l.IssueID], l.ChangeHistories...)
		}
		if got.NextPageToken == "" {
			break
		}
		body["nextPageToken"] = got.NextPageToken
	}
	return out, nil
}

// alerts asks for the alerts that Jira Service Management has for an issue.
func (c *Connector) alerts(ctx context.Context, a *source.Ask, it *source.Item) error {
	if c.ops == nil {
		return nil
	}
	path := fmt.Sprintf("/jsm/incidents/cloudId/%s/v1/incident/%s/alert", c.o.CloudID, url.PathEscape(it.ID))
	res, err := c.ops.Do(ctx, source.Request{Path: path})
	if source.Gone(err) {
		return nil // no incident to Jira Service Management
	}
	if err != nil {
		return err
	}
	var ids struct{ Values struct{ AlertIDs []string } }
	if err := res.Decode(&ids); err != nil {
		return err
	}
	for _, id := range ids.Values.AlertIDs {
		res, err := c.ops.Do(ctx, source.Request{Path: fmt.Sprintf("/jsm/ops/api/%s/v1/alerts/%s", c.o.CloudID, url.PathEscape(id))})
		if source.Gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		it.Parts["alerts"] = append(it.Parts["alerts"], res.Body)
	}
	return nil
}
