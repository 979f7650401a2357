// Package servicenow reads incidents from ServiceNow's Table API.
package servicenow

import (
	"cmp"
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
	// perMinute is a limit that instances stand: ServiceNow has none but what an administrator sets, and says that in its answers.
	perMinute = 120
	// timeLayout is how ServiceNow writes times, in UTC.
	timeLayout = "2006-01-02 15:04:05"
)

// usual are the columns that are read of every incident.
var usual = []string{
	"sys_id", "number", "short_description", "description", "state", "severity", "priority", "urgency", "opened_at", "sys_created_on",
	"sys_updated_on", "resolved_at", "closed_at", "business_service", "cmdb_ci", "correlation_id", "parent_incident",
}

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Query says which incidents are read, as an encoded query; empty means all that the user may see.
	Query string
	// Fields are the columns that hold a milestone, the severity or a service, each as `milestone=column`. Those of `other` are
	// read for `only` and `map`.
	Fields []string
}

// Connector reads ServiceNow.
type Connector struct {
	client  *source.Client
	query   string
	fields  tracker.Names
	columns string
}

var _ source.Connector = (*Connector)(nil)

// New makes the connector. Its errors are *source.OptionErrors.
func New(o Options) (*Connector, error) {
	c := &Connector{query: strings.Trim(o.Query, "^")}
	var errs []error
	c.fields, errs = tracker.NewNames("fields", o.Fields, "severity", "service", "other")
	for _, word := range []string{"^NQ", "ORDERBY", "javascript:"} {
		if strings.Contains(o.Query, word) {
			errs = append(errs,
				&source.OptionError{Key: "encoded_query", Err: fmt.Errorf("has %s; write conditions alone, such as active=true^priority<=2", word)})
		}
	}
	columns := slices.Clone(usual)
	for column := range c.fields {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	c.columns = strings.Join(slices.Compact(columns), ",")
	var err error
	if c.client, err = o.Access.NewClient(source.Vendor{PerMinute: perMinute}); err != nil {
		errs = append(errs, &source.OptionError{Key: "url", Err: err})
	}
	return c, errors.Join(errs...)
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Shifts: true, Ascending: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "ServiceNow does not accept user and password; is the user active, and allowed to use web services?",
			http.StatusForbidden:    "the ServiceNow user may not read incidents: it needs a role such as sn_incident_read",
		},
	}
}

// Page implements source.Connector. Times are written as text, which ServiceNow takes as UTC; in gs.dateGenerate it would take them
// in the time zone of the user who asks.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	var query []string
	if c.query != "" {
		query = []string{c.query}
	}
	by := "sys_created_on"
	if a.What == source.Changed {
		by = "sys_updated_on"
	}
	query = append(query, by+">="+a.From.UTC().Format(timeLayout))
	if a.What != source.Changed {
		query = append(query, by+"<"+a.To.UTC().Format(timeLayout))
	}
	query = append(query, "ORDERBY"+by, "ORDERBYsys_id")
	offset, _ := strconv.Atoi(a.Next)
	res, err := c.client.Do(ctx, source.Request{Path: "/api/now/table/incident", Query: url.Values{
		"sysparm_query": {strings.Join(query, "^")}, "sysparm_fields": {c.columns}, "sysparm_display_value": {"all"},
		"sysparm_exclude_reference_link": {"true"}, "sysparm_limit": {strconv.Itoa(pageSize)}, "sysparm_offset": {strconv.Itoa(offset)},
	}})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("result")
	if err != nil {
		return p, err
	}
	for _, raw := range list {
		it := source.Item{Raw: raw}
		var in rowJSON
		if err := it.Decode(&in); err != nil {
			return p, err
		}
		it.ID = in["sys_id"].Value
		if it.Made, err = in.at("sys_created_on"); err == nil {
			it.Updated, err = in.at("sys_updated_on")
		}
		if err != nil {
			return p, fmt.Errorf("incident %s: %w", it.ID, err)
		}
		p.Items = append(p.Items, it)
	}
	p.Next = nextOffset(res, offset)
	return p, nil
}

// nextOffset is where the next page begins; empty where there is none. A page may be short or empty and not the last, because
// rows are taken out of it that the user may not see: only the header tells. Its address is not followed, since an instance
// behind a proxy believes to have another one.
func nextOffset(res *source.Response, offset int) string {
	next := res.NextLink()
	if next == "" {
		return ""
	}
	if u, err := url.Parse(next); err == nil {
		if n, err := strconv.Atoi(u.Query().Get("sysparm_offset")); err == nil && n > offset {
			return strconv.Itoa(n)
		}
	}
	return strconv.Itoa(offset + pageSize)
}

// rowJSON is a row by columns.
type rowJSON map[string]cellJSON

// cellJSON is what a column holds. By ServiceNow's settings it is a text, or an object with the value and what people see of it.
type cellJSON struct{ Value, Shown string }

// seen is what people see of it.
func (c cellJSON) seen() string { return cmp.Or(c.Shown, c.Value) }

// UnmarshalJSON reads it.
func (c *cellJSON) UnmarshalJSON(b []byte) error {
	*c = cellJSON{}
	if json.Unmarshal(b, &c.Value) == nil {
		return nil
	}
	var o struct {
		Value string
		Shown string `json:"display_value"`
	}
	if err := json.Unmarshal(b, &o); err != nil {
		return fmt.Errorf("not what ServiceNow documents: %.40s", b)
	}
	*c = cellJSON(o)
	return nil
}

// at is the time in a column; zero where there is none.
func (r rowJSON) at(column string) (time.Time, error) {
	text := strings.TrimSpace(r[column].Value)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(timeLayout, text)
	if err != nil {
		return time.Time{}, &source.OptionError{Key: column, Err: fmt.Errorf("not a time: %.40q", text)}
	}
	return t, nil
}
