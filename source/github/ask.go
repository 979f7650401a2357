// Package github reads incidents that are kept as issues of GitHub, by its REST API, also of GitHub Enterprise.
package github

import (
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

	"meantime/incident"
	"meantime/source"
	"meantime/source/tracker"
)

const (
	// pageSize is so small that a page with a timeline for each issue takes less than the part of a poll in which no new page is
	// begun: half of the limit is 41 requests a minute.
	pageSize  = 12
	listSize  = 100 // of a page of which only the ids count, and of a timeline
	longest   = 10  // pages of a timeline; a longer one is a discussion
	perMinute = 5000.0 / 60
)

// Options are what the connector depends on.
type Options struct {
	Access source.Access
	// Repositories are the ones read, each as owner/name.
	Repositories []string
	// Labels are those that an issue must have, all of them; empty: any issue is an incident.
	Labels []string
	// MilestoneLabels say which labels mean a milestone, SeverityLabels which mean a severity, as `field=label|other`.
	MilestoneLabels, SeverityLabels []string
}

// Connector reads issues of GitHub.
type Connector struct {
	o                      Options
	client                 *source.Client
	milestones, severities tracker.Names
}

var _ source.Connector = (*Connector)(nil)

var repository = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$`)

// New makes the connector.
func New(o Options) (*Connector, error) {
	c := &Connector{o: o}
	var errs, more []error
	c.milestones, errs = tracker.NewNames("milestone_labels", o.MilestoneLabels)
	c.severities, more = tracker.NewSeverities("severity_labels", o.SeverityLabels)
	errs = append(errs, more...)
	for i, r := range o.Repositories {
		if !repository.MatchString(r) {
			err := fmt.Errorf("%q is no repository; write it like example-org/operations", r)
			errs = append(errs, &source.OptionError{Key: fmt.Sprintf("repositories[%d]", i), Err: err})
		}
	}
	for i, l := range o.Labels {
		if strings.Contains(l, ",") {
			errs = append(errs, &source.OptionError{Key: fmt.Sprintf("labels[%d]", i), Err: errors.New("has a comma; write each label by itself")})
		}
	}
	var err error
	if c.client, err = o.Access.NewClient(source.Vendor{
		URL: "https://api.github.com", Header: "Authorization", Prefix: "Bearer ", PerMinute: perMinute,
		Headers: []source.Header{
			{Name: "Accept", Value: func() string { return "application/vnd.github+json" }},
			{Name: "X-GitHub-Api-Version", Value: func() string { return "2022-11-28" }},
		},
	}); err != nil {
		errs = append(errs, &source.OptionError{Key: "url", Err: err})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return c, nil
}

// Traits implements source.Connector. The list knows since when issues changed, not when they were made.
func (c *Connector) Traits() source.Traits {
	return source.Traits{
		NoMade: true, Vanishes: true,
		Hints: map[int]string{
			http.StatusUnauthorized: "GitHub does not know the token in token_file",
			http.StatusForbidden:    "the GitHub token may not read issues of one of repositories",
			http.StatusNotFound:     "GitHub shows this token no repository of such a name; is it spelled right, and may the token read its issues?",
			http.StatusGone:         "one of repositories has its issues turned off",
		},
	}
}

// Page implements source.Connector. Repositories are read one after the other. The vendor's word for a further page is its address.
func (c *Connector) Page(ctx context.Context, a source.Ask) (p source.Page, err error) {
	at := source.ParsePlace(a.Next)
	if at.List < 0 || at.List >= len(c.o.Repositories) {
		return p, nil // the list was another one
	}
	repo, since := c.o.Repositories[at.List], incident.Latest(at.Since, a.From.UTC().Truncate(time.Second))
	q := source.Request{Path: at.Page}
	if at.Page == "" {
		q = c.list(repo, since, a.What)
	}
	res, err := c.client.Do(ctx, q)
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
		last = is.UpdatedAt.Time
		if is.PullRequest != nil {
			continue
		}
		it.ID, it.Made, it.Updated = fmt.Sprintf("%s#%d", repo, is.Number), is.CreatedAt.Time, is.UpdatedAt.Time
		if a.Detail(&it) {
			if err := c.timeline(ctx, &it, repo, is.Number); err != nil {
				return p, err
			}
		}
		p.Items = append(p.Items, it)
	}
	p.Next = at.After(since, last, res.NextLink(), len(c.o.Repositories))
	return p, nil
}

// list asks for issues that changed since a time.
func (c *Connector) list(repo string, since time.Time, what source.What) source.Request {
	size := pageSize
	if what == source.Listed {
		size = listSize
	}
	q := source.Request{Path: "/repos/" + repo + "/issues", Query: url.Values{
		"state": {"all"}, "sort": {"updated"}, "direction": {"asc"}, "since": {since.Format(time.RFC3339)}, "per_page": {strconv.Itoa(size)},
	}}
	if len(c.o.Labels) > 0 {
		q.Query.Set("labels", strings.Join(c.o.Labels, ","))
	}
	return q
}

// timeline asks for what happened to an issue.
func (c *Connector) timeline(ctx context.Context, it *source.Item, repo string, number int) error {
	q := source.Request{
		Path: fmt.Sprintf("/repos/%s/issues/%d/timeline", repo, number), Query: url.Values{"per_page": {strconv.Itoa(listSize)}},
	}
	for range longest {
		res, err := c.client.Do(ctx, q)
		if source.Gone(err) {
			it.Gone = source.StatusOf(err) == http.StatusGone // deleted since it was listed
			return nil
		}
		if err != nil {
			return err
		}
		events, err := res.List("")
		if err != nil {
			return err
		}
		it.Parts["timeline"] = append(it.Parts["timeline"], events...)
		if q = (source.Request{Path: res.NextLink()}); q.Path == "" {
			break
		}
	}
	return nil
}
