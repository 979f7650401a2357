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
	"time"

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

// Traits implements source.Connector. Each project's list is in order of its changes.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		Shifts: true, Ascending: len(c.o.Projects) == 1, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "GitLab does not know the token in token_file, or it has expired",
			http.StatusForbidden:    "the GitLab token may not read; it needs the scope read_api",
			http.StatusNotFound:     "GitLab shows this token no project of such a name; is it spelled right, and is the token's user a member?",
		},
	}
}

// Page implements source.Connector. Projects are read one after the other: what leads to the next page is the project's place in
// the list and the page's number.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	place, number, _ := strings.Cut(a.Next, " ")
	n, _ := strconv.Atoi(place)
	if n < 0 || n >= len(c.o.Projects) {
		return p, nil // the list was another one
	}
	path := "/api/v4/projects/" + url.PathEscape(c.o.Projects[n]) + "/issues"
	res, err := c.client.Do(ctx, source.Request{Path: path, Query: c.query(&a, cmp.Or(number, "1"))})
	if err != nil {
		return p, err
	}
	p.Clock = res.Clock()
	list, err := res.List("")
	if err != nil {
		return p, err
	}
	if next := res.Header.Get("X-Next-Page"); next != "" {
		p.Next = fmt.Sprintf("%d %s", n, next)
	} else if n+1 < len(c.o.Projects) {
		p.Next = strconv.Itoa(n + 1)
	}
	for _, raw := range list {
		it := source.Item{Raw: raw, Parts: map[string][]json.RawMessage{}}
		var is issueJSON
		if err := it.Decode(&is); err != nil {
			return p, err
		}
		it.ID, it.Private = fmt.Sprintf("%d/%d", is.Project, is.IID), is.Confidential
		it.Made, it.Updated = is.CreatedAt.Time, is.UpdatedAt.Time
		if a.Detail(&it) {
			if err := c.timeline(ctx, &it, &is); err != nil {
				return p, err
			}
			if err := c.labels(ctx, &it, path, &is); err != nil {
				return p, err
			}
		}
		p.Items = append(p.Items, it)
	}
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
	it.Parts["incident"], it.Parts["timeline"] = p.Issues.Nodes, p.Events.Nodes
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

// labels asks when labels were put on and taken off, where any of them mean something.
func (c *Connector) labels(ctx context.Context, it *source.Item, path string, is *issueJSON) error {
	if len(c.milestones) == 0 {
		return nil
	}
	res, err := c.client.Do(ctx, source.Request{
		Path: fmt.Sprintf("%s/%d/resource_label_events", path, is.IID), Query: url.Values{"per_page": {strconv.Itoa(listSize)}},
	})
	if source.Gone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	it.Parts["labels"], err = res.List("")
	return err
}
