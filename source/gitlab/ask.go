// Package gitlab reads incidents of GitLab: issues of that type by its REST API, and their timelines by GraphQL, which alone knows
// them.
package gitlab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

const (
	// pageSize is small, because each incident costs a request for its timeline, and one for its labels where they mean something.
	pageSize = 10
	listSize = 100 // of a page of which only the ids count, and of labels
	// perMinute is the documented limit of gitlab.com, ownPerMinute that of an installation of one's own where it has one turned on.
	perMinute    = 2000
	ownPerMinute = 7200.0 / 60
	home         = "https://gitlab.com"
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Projects are the ones read, each as group/name or by its number.
	Projects []string
	// Labels are those that an incident must have, all of them.
	Labels []string
	// MilestoneLabels say which labels mean a milestone, SeverityLabels which mean a severity, as `field=label|other`.
	MilestoneLabels, SeverityLabels []string
}

// Connector reads incidents of GitLab.
type Connector struct {
	o                      Options
	client                 *source.Client
	milestones, severities tracker.Names
	note                   atomic.Pointer[string] // what GitLab refuses
}

var _ source.Connector = (*Connector)(nil)

var project = regexp.MustCompile(`^([0-9]+|[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+)$`)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c := &Connector{o: o}
	var errs, more []error
	c.milestones, errs = tracker.NewNames("milestone_labels", o.MilestoneLabels)
	c.severities, more = tracker.NewSeverities("severity_labels", o.SeverityLabels)
	errs = append(errs, more...)
	for i, p := range o.Projects {
		if !project.MatchString(p) {
			err := fmt.Errorf("%q is no project; write it like operations/incidents, or its number", p)
			errs = append(errs, &source.OptionError{Key: fmt.Sprintf("projects[%d]", i), Err: err})
		}
	}
	limit := ownPerMinute
	if cmp.Or(o.Access.Client.URL, home) == home {
		limit = perMinute
	}
	var err error
	if c.client, err = o.Access.NewClient(source.Vendor{URL: home, Header: "PRIVATE-TOKEN", PerMinute: limit}); err != nil {
		errs = append(errs, &source.OptionError{Key: "url", Err: err})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Traits implements source.Connector.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "GitLab does not know the token in token_file, or it has expired",
			http.StatusForbidden:    "the GitLab token may not read; it needs the scope read_api",
			http.StatusNotFound:     "GitLab shows this token no project of such a name; is it spelled right, and is the token's user a member?",
		},
	}
}

// Page implements source.Connector. Projects are read one after the other. The vendor's word for a further page is its number.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	at := source.ParsePlace(a.Next)
	if at.List < 0 || at.List >= len(c.o.Projects) {
		return p, nil // the list was another one
	}
	path := "/api/v4/projects/" + url.PathEscape(c.o.Projects[at.List]) + "/issues"
	a.From = incident.Latest(at.Since, a.From.UTC().Truncate(time.Second))
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: c.query(&a, cmp.Or(at.Page, "1"))})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("")
	if err != nil {
		return p, err
	}
	var last time.Time
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var is issueJSON
		if err := it.Decode(&is); err != nil {
			return p, err
		}
		it.ID, it.Private = fmt.Sprintf("%d/%d", is.Project, is.IID), is.Confidential
		it.Made, it.Updated = is.CreatedAt.Time, is.UpdatedAt.Time
		if last = it.Made; a.What == source.Changed {
			last = it.Updated
		}
		if a.Detail(&it) {
			if err := c.timeline(ctx, &it, &is); err != nil {
				return p, err
			}
			if err := c.changes(ctx, &it, path, &is); err != nil {
				return p, err
			}
		}
		p.Items = append(p.Items, it)
	}
	p.Next = at.After(a.From, last, res.Header.Get("X-Next-Page"), len(c.o.Projects))
	return p, nil
}

// query asks for incidents by when they changed, or were made.
func (c *Connector) query(a *source.Ask, page string) url.Values {
	size, by := pageSize, "created"
	if a.What == source.Listed {
		size = listSize
	}
	if a.What == source.Changed {
		by = "updated"
	}
	q := url.Values{
		"issue_type": {"incident"}, "scope": {"all"}, "order_by": {by + "_at"}, "sort": {"asc"},
		by + "_after": {a.From.UTC().Format(time.RFC3339)}, "page": {page}, "per_page": {strconv.Itoa(size)},
	}
	if a.What != source.Changed {
		q.Set("created_before", a.To.UTC().Add(time.Second).Format(time.RFC3339))
	}
	if len(c.o.Labels) > 0 {
		q.Set("labels", strings.Join(c.o.Labels, ","))
	}
	return q
}

// asked is the question for an incident's timeline. It asks for the incident as well, to know that the answer is about it.
const asked = `query($path: ID!, $iid: String!, $id: IssueID!) { project(fullPath: $path) {
 issues(iid: $iid) { nodes { iid movedTo { iid projectId } } }
 incidentManagementTimelineEvents(incidentId: $id) { nodes { occurredAt timelineEventTags { nodes { name } } } } } }`

type answered struct {
	Errors []struct{ Message string }
	Data   *struct {
		Project *struct {
			Issues struct{ Nodes []json.RawMessage }
			Events struct{ Nodes []json.RawMessage } `json:"incidentManagementTimelineEvents"`
		}
	}
}

// timeline asks for the timeline of an incident.
func (c *Connector) timeline(ctx context.Context, it *source.Item, is *issueJSON) error {
	path := c.path(is.WebURL)
	if path == "" {
		return nil // GitLab before 12.0, which has no timelines
	}
	res, err := c.client.Do(ctx, source.Request{Method: http.MethodPost, Path: "/api/graphql", Body: map[string]any{
		"query": asked, "variables": map[string]any{"path": path, "iid": strconv.Itoa(is.IID), "id": fmt.Sprintf("gid://gitlab/Issue/%d", is.ID)},
	}})
	if source.Refused(err) {
		c.refuse(fmt.Sprintf("it answered %d", source.StatusOf(err)))
		return nil
	}
	if err != nil {
		return err
	}
	var got answered
	if err := res.Decode(&got); err != nil {
		return err
	}
	if len(got.Errors) > 0 {
		e := got.Errors[0]
		if strings.Contains(e.Message, "doesn't exist on type") {
			return nil // GitLab before 15.8 has no tags in timelines
		}
		if strings.Contains(e.Message, "don't have permission") {
			c.refuse(e.Message)
			return nil
		}
		return fmt.Errorf("GitLab answers to the question for the timeline of incident %s: %.200s", it.ID, e.Message)
	}
	if got.Data == nil {
		return fmt.Errorf("the answer of GitLab to the question for the timeline of incident %s has no data", it.ID)
	}
	p := got.Data.Project
	if p == nil || len(p.Issues.Nodes) != 1 {
		return nil
	}
	var who struct{ IID string }
	if json.Unmarshal(p.Issues.Nodes[0], &who) != nil || who.IID != strconv.Itoa(is.IID) {
		return nil
	}
	c.note.Store(nil)
	it.Parts["incident"], it.Parts["timeline"] = p.Issues.Nodes, p.Events.Nodes
	return nil
}

// refuse notes that GitLab gives no timelines, as it does where the token may not read them or the plan has none: the rest counts.
func (c *Connector) refuse(why string) {
	note := fmt.Sprintf("GitLab refuses the timelines of incidents, which are read without them: their milestones are those of labels, of "+
		"creation and of closing (%.200s)", why)
	c.note.Store(&note)
}

// Notes implements source.Noter.
func (c *Connector) Notes() []string {
	if note := c.note.Load(); note != nil {
		return []string{*note}
	}
	return nil
}

// path is that of the project in an incident's address.
func (c *Connector) path(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	path, _, ok := strings.Cut(u.Path, "/-/")
	if !ok {
		return ""
	}
	if base, err := url.Parse(c.client.Base()); err == nil {
		path = strings.TrimPrefix(path, base.Path) // GitLab below a path of its server
	}
	return strings.Trim(path, "/")
}

// changes asks when labels were put on and taken off, where any of them mean something, and when the incident was opened again,
// where its timeline or a label says that it was over: what was said before does not count then.
func (c *Connector) changes(ctx context.Context, it *source.Item, path string, is *issueJSON) error {
	if len(c.milestones) > 0 {
		if err := c.events(ctx, it, "labels", fmt.Sprintf("%s/%d/resource_label_events", path, is.IID)); err != nil {
			return err
		}
	}
	records, err := c.Map(it)
	if err != nil || len(records) == 0 { // it is refused when it is mapped
		return nil
	}
	if end, said := records[0].Milestones[incident.Resolved]; !said || end.At.Equal(is.ClosedAt.Time) {
		return nil
	}
	return c.events(ctx, it, "states", fmt.Sprintf("%s/%d/resource_state_events", path, is.IID))
}

// events asks for a list of what happened to an incident. That of one that was deleted meanwhile is empty.
func (c *Connector) events(ctx context.Context, it *source.Item, part, path string) error {
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: url.Values{"per_page": {strconv.Itoa(listSize)}}})
	if source.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	it.Parts[part], err = res.List("")
	return err
}
