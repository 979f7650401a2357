package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"meantime/incident"
)

// Routing is what Alertmanager's configuration says of who is told of what.
type Routing struct {
	Root      *Route
	Receivers map[string]Receiver // by name
	// Recorded says whether Alertmanager's event recorder is configured: it tells of every receiver's notifications.
	Recorded bool
}

// Route is a node of Alertmanager's routing tree, with what it has of its parents.
type Route struct {
	// Key is the route's path, as group keys begin with it; empty where Alertmanager writes matchers that are not known here.
	Key            string
	Receiver       string
	GroupBy        []string
	GroupWait      time.Duration
	GroupInterval  time.Duration
	RepeatInterval time.Duration
	Continue       bool
	Routes         []*Route

	matchers labels.Matchers
	unread   bool // not all of its matchers are known
}

// Receiver is where Alertmanager sends to.
type Receiver struct {
	Name     string
	Webhooks []Webhook
	// Null says that it has no integration at all: nobody is told of what is routed to it.
	Null bool
}

// Webhook is one of a receiver's webhook_configs.
type Webhook struct {
	URL          string // empty where Alertmanager does not show it, which it does not since 0.26
	SendResolved bool
}

// DefaultPort is the one that this program listens on where nobody says otherwise.
const DefaultPort = "10049"

// webhookPath is where this program receives notifications, below whatever prefix.
const webhookPath = "/webhook/alertmanager"

// here says whether the address is one of this program.
func (w Webhook) here() bool {
	u, err := url.Parse(w.URL)
	return err == nil && u.Host != "" && strings.HasSuffix(strings.TrimRight(u.Path, "/"), webhookPath)
}

// Bounds of what is read of a configuration.
const (
	maxRoutes     = 20_000
	maxReceivers  = 20_000
	maxRouteDepth = 100
)

// rawRoute is a route as it is written.
type rawRoute struct {
	Receiver       string            `yaml:"receiver"`
	GroupBy        []string          `yaml:"group_by"`
	GroupWait      *model.Duration   `yaml:"group_wait"`
	GroupInterval  *model.Duration   `yaml:"group_interval"`
	RepeatInterval *model.Duration   `yaml:"repeat_interval"`
	Continue       bool              `yaml:"continue"`
	Match          map[string]string `yaml:"match"`
	MatchRE        map[string]string `yaml:"match_re"`
	Matchers       []string          `yaml:"matchers"`
	Routes         []*rawRoute       `yaml:"routes"`
}

// ReadRouting reads Alertmanager's configuration as its API shows it (config.original of /api/v2/status). Only what is used
// is read, so that versions may differ in the rest.
func ReadRouting(text string) (*Routing, error) {
	var raw struct {
		Route     *rawRoute              `yaml:"route"`
		Receivers []map[string]yaml.Node `yaml:"receivers"`
		Recorder  map[string]yaml.Node   `yaml:"event_recorder"`
	}
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		return nil, err
	}
	if raw.Route == nil {
		return nil, errors.New("route: missing")
	}
	if len(raw.Receivers) > maxReceivers {
		return nil, fmt.Errorf("receivers: %d are more than the %d allowed", len(raw.Receivers), maxReceivers)
	}
	out := &Routing{Receivers: map[string]Receiver{}, Recorded: len(raw.Recorder) > 0}
	for i, r := range raw.Receivers {
		x, err := readReceiver(r)
		if err != nil {
			return nil, fmt.Errorf("receivers[%d]: %w", i, err)
		}
		out.Receivers[x.Name] = x
	}
	reader := routeReader{left: maxRoutes}
	// Alertmanager's own defaults.
	root, err := reader.read(
		raw.Route,
		Route{GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour},
		"",
		0,
	)
	if err != nil {
		return nil, err
	}
	out.Root = root
	return out, nil
}

func readReceiver(raw map[string]yaml.Node) (Receiver, error) {
	out := Receiver{Null: true}
	for key, node := range raw {
		if key == "name" {
			if err := node.Decode(&out.Name); err != nil {
				return Receiver{}, fmt.Errorf("name: %w", err)
			}
			continue
		}
		if node.Kind != yaml.SequenceNode || len(node.Content) == 0 {
			continue
		}
		out.Null = false
		if key != "webhook_configs" {
			continue
		}
		var hooks []struct {
			URL          string `yaml:"url"`
			SendResolved *bool  `yaml:"send_resolved"`
		}
		if err := node.Decode(&hooks); err != nil {
			return Receiver{}, fmt.Errorf("webhook_configs: %w", err)
		}
		for _, h := range hooks {
			w := Webhook{URL: h.URL, SendResolved: h.SendResolved == nil || *h.SendResolved}
			if strings.HasPrefix(w.URL, "<") { // <secret>
				w.URL = ""
			}
			out.Webhooks = append(out.Webhooks, w)
		}
	}
	if out.Name == "" {
		return Receiver{}, errors.New("name: missing")
	}
	return out, nil
}

// routeReader reads so many routes and no more.
type routeReader struct{ left int }

// read makes a route of what is written and what it has of its parent.
func (rr *routeReader) read(raw *rawRoute, parent Route, path string, depth int) (*Route, error) {
	if rr.left--; rr.left < 0 || depth > maxRouteDepth {
		return nil, fmt.Errorf("route: more than %d routes, or %d below each other", maxRoutes, maxRouteDepth)
	}
	r := parent
	r.Continue, r.Routes = raw.Continue, nil
	r.Receiver = cmp.Or(raw.Receiver, parent.Receiver)
	if raw.GroupBy != nil {
		r.GroupBy = raw.GroupBy
	}
	for _, d := range []struct {
		to   *time.Duration
		from *model.Duration
	}{{&r.GroupWait, raw.GroupWait}, {&r.GroupInterval, raw.GroupInterval}, {&r.RepeatInterval, raw.RepeatInterval}} {
		if d.from != nil {
			*d.to = time.Duration(*d.from)
		}
	}
	all, known := raw.matchers()
	r.matchers, r.unread = all, !known
	own := all.String()
	switch {
	case !known || depth > 0 && path == "":
		r.Key = ""
	case depth == 0:
		r.Key = own
	default:
		r.Key = path + "/" + own
	}
	for _, child := range raw.Routes {
		if child == nil {
			continue
		}
		c, err := rr.read(child, r, r.Key, depth+1)
		if err != nil {
			return nil, err
		}
		r.Routes = append(r.Routes, c)
	}
	return &r, nil
}

// matchers are a route's matchers in the order of Alertmanager's group keys, and whether all could be read.
func (raw *rawRoute) matchers() (labels.Matchers, bool) {
	var all labels.Matchers
	add := func(m *labels.Matcher, err error) bool {
		if err != nil {
			return false
		}
		all = append(all, m)
		return true
	}
	for name, value := range raw.Match {
		if !add(labels.NewMatcher(labels.MatchEqual, name, value)) {
			return nil, false
		}
	}
	for name, value := range raw.MatchRE {
		if !add(labels.NewMatcher(labels.MatchRegexp, name, "^(?:"+value+")$")) {
			return nil, false
		}
	}
	for _, text := range raw.Matchers {
		some, err := parse.Matchers(text)
		if err != nil {
			// Alertmanager takes the older syntax as well, which needs no quotes.
			if some, err = labels.ParseMatchers(text); err != nil {
				return nil, false
			}
		}
		all = append(all, some...)
	}
	sort.Sort(all)
	return all, true
}

// ReceiversOf are the names of the receivers of an alert with these labels, by Alertmanager's own walk through the tree; none
// where a matcher on the way is not known.
func (rt *Routing) ReceiversOf(alert map[string]string) []string {
	routes, _ := rt.Root.follow(labelSet(alert))
	return receiversOf(routes)
}

// GroupKeys are the keys of the groups that an alert with these labels is in, as Alertmanager writes them
// (alertmanager/notify: the route's key, a colon and the group's labels): one of each route that it follows to a receiver
// that tells somebody. None where Alertmanager says that it has other receivers: then it was not routed by this configuration.
func (rt *Routing) GroupKeys(alert map[string]string, receivers []string) []string {
	set := labelSet(alert)
	routes, known := rt.Root.follow(set)
	if !known || !maps.Equal(setOf(receiversOf(routes)), setOf(receivers)) {
		return nil
	}
	var keys []string
	for _, r := range routes {
		if rt.Receivers[r.Receiver].Null {
			continue
		}
		group := set
		if !slices.Contains(r.GroupBy, groupByAll) {
			group = model.LabelSet{}
			for _, n := range r.GroupBy {
				if v, ok := set[model.LabelName(n)]; ok {
					group[model.LabelName(n)] = v
				}
			}
		}
		if key := r.Key + ":" + group.String(); len(key) <= maxGroupKey {
			keys = append(keys, incident.PlainText(key, maxGroupKey))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

const (
	groupByAll = "..." // what group_by has instead of the names of all labels
	// maxGroupKey is the longest that is kept, as of notifications.
	maxGroupKey = 8 << 10
)

func labelSet(alert map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(alert))
	for k, v := range alert {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}

func receiversOf(routes []*Route) []string {
	var names []string
	for _, r := range routes {
		names = append(names, r.Receiver)
	}
	return names
}

func setOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

// follow is Alertmanager's walk: the routes below and with this one that an alert comes to its receivers by. It is not known
// which (false) where a matcher is not.
func (r *Route) follow(alert model.LabelSet) (routes []*Route, known bool) {
	if r.unread {
		return nil, false
	}
	if !r.matchers.Matches(alert) {
		return nil, true
	}
	for _, c := range r.Routes {
		more, known := c.follow(alert)
		if !known {
			return nil, false
		}
		routes = append(routes, more...)
		if len(more) > 0 && !c.Continue {
			break
		}
	}
	if len(routes) == 0 {
		routes = []*Route{r}
	}
	return routes, true
}

// each calls f for the route and all below it.
func (r *Route) each(f func(*Route)) {
	f(r)
	for _, c := range r.Routes {
		c.each(f)
	}
}

// Ours are the names of the receivers that send here: those whose address shows it, those that notified, and those of the
// routes by which somebody was heard. Empty where it is not known.
func (rt *Routing) Ours(heard []incident.Sender) map[string]bool {
	ours := map[string]bool{}
	routes, named := map[string]bool{}, map[string]bool{}
	for _, s := range heard {
		if name := s.Receiver(); name != "" {
			named[name] = true
		} else if s.Route != "" {
			routes[s.Route] = true
		}
	}
	for name, r := range rt.Receivers {
		if slices.ContainsFunc(r.Webhooks, Webhook.here) || named[incident.PlainText(name, incident.MaxSenderText)] && len(r.Webhooks) > 0 {
			ours[name] = true
		}
	}
	rt.Root.each(func(r *Route) {
		// A route that once sent here may lead to others now.
		if r.Key != "" && routes[incident.PlainText(r.Key, incident.MaxSenderText)] && len(rt.Receivers[r.Receiver].Webhooks) > 0 {
			ours[r.Receiver] = true
		}
	})
	return ours
}

// Likely are the receivers that probably send here where none is known to: of those whose address is not shown, the ones that are
// named after this program.
func (rt *Routing) Likely() map[string]bool {
	likely := map[string]bool{}
	for name, r := range rt.Receivers {
		if strings.Contains(strings.ToLower(name), "meantime") && slices.ContainsFunc(r.Webhooks, func(w Webhook) bool { return w.URL == "" }) {
			likely[name] = true
		}
	}
	return likely
}

// reach calls f for the routes whose receiver some alert can get to: a route hands an alert on to its receiver only where none of
// those below takes it, and nothing comes after one that takes all and does not continue.
func (r *Route) reach(f func(*Route)) {
	own := true
	for _, c := range r.Routes {
		c.reach(f)
		if all := !c.unread && len(c.matchers) == 0; all {
			own = false
			if !c.Continue {
				break
			}
		}
	}
	if own {
		f(r)
	}
}

// Reached are those of the receivers to which a route leads.
func (rt *Routing) Reached(receivers map[string]bool) map[string]bool {
	out := map[string]bool{}
	rt.Root.reach(func(r *Route) {
		if receivers[r.Receiver] {
			out[r.Receiver] = true
		}
	})
	return out
}

// Faults are what keeps notifications from coming here at all, in sentences without the last full stop. ours are the receivers that
// send here, or likely do.
func (rt *Routing) Faults(ours map[string]bool) []string {
	var out []string
	reached := rt.Reached(ours)
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if !reached[name] {
			out = append(out, fmt.Sprintf("no route leads to receiver %q, or one before it takes everything and does not continue: "+
				"put a route to it first, with continue: true", name))
		}
	}
	if len(ours) > 0 {
		return out
	}
	hidden := false
	for _, name := range slices.Sorted(maps.Keys(rt.Receivers)) {
		for _, w := range rt.Receivers[name].Webhooks {
			u, err := url.Parse(w.URL)
			switch {
			case w.URL == "":
				hidden = true
			case err == nil && (u.Port() == DefaultPort || strings.Contains(strings.ToLower(name+u.Host), "meantime")):
				out = append(out,
					fmt.Sprintf("receiver %q sends to %s, which takes no notifications: its path must be %s", name, u.Redacted(), webhookPath))
			}
		}
	}
	if len(out) == 0 && !hidden {
		out = append(out, "none of its receivers has a webhook_configs that sends here: no notification can come")
	}
	return out
}

// Inspect reads an Alertmanager's configuration once and says whether a receiver is known to send here, and what of it should be
// changed. heard are those by whom notifications came.
func Inspect(ctx context.Context, c Client, heard []incident.Sender, expireAfter time.Duration) (sends bool, problems []string, err error) {
	s := &Source{client: c}
	if err := s.readRoutes(ctx); err != nil {
		return false, nil, err
	}
	sends, problems = s.tree.state(s.tree.Ours(heard), expireAfter)
	return sends, problems, nil
}

// state says whether a receiver that sends here is reached, and what should be changed.
func (rt *Routing) state(ours map[string]bool, expireAfter time.Duration) (sends bool, problems []string) {
	known := len(ours) > 0
	if !known {
		ours = rt.Likely()
	}
	problems = rt.Faults(ours)
	for _, p := range rt.Problems(ours, expireAfter) {
		problems = append(problems, p.Text)
	}
	return known && len(rt.Reached(ours)) > 0, problems
}

// Elsewhere says whether none of the receivers sends here, where that can be known: they lead to nobody at all, or it is
// known who does send here. The event recorder tells of everybody's notifications.
func (rt *Routing) Elsewhere(receivers []string, ours map[string]bool) bool {
	if len(receivers) == 0 {
		return false
	}
	return !slices.ContainsFunc(receivers, func(name string) bool {
		r, known := rt.Receivers[name]
		return !known || ours[name] || !r.Null && (len(ours) == 0 || rt.Recorded)
	})
}

// Reason is what a route does that keeps times from being known.
type Reason string

// The reasons, in the order in which they are said.
const (
	ReasonRepeat   Reason = "repeat_interval" // it repeats more rarely than alerts expire
	ReasonResolved Reason = "send_resolved"   // it does not tell ends
	ReasonWait     Reason = "group_wait"      // it holds back the first notification
)

var reasons = []Reason{ReasonRepeat, ReasonResolved, ReasonWait}

// longestWait is the longest group_wait that is not worth a word.
const longestWait = time.Minute

// Problem is something in Alertmanager's configuration that keeps times from being known.
type Problem struct {
	Reason Reason
	Text   string // a sentence or two without the last full stop: what is so, what follows, what to write instead
}

// Problems are those of the routes that send here, in the order of the tree. expireAfter is for how long nothing may be
// heard of a firing alert.
func (rt *Routing) Problems(ours map[string]bool, expireAfter time.Duration) []Problem {
	var out []Problem
	silent := map[string]bool{}
	rt.Root.each(func(r *Route) {
		if !ours[r.Receiver] {
			return
		}
		where := fmt.Sprintf("the route %s to receiver %q", incident.PlainText(cmp.Or(r.Key, "?"), incident.MaxSenderText), r.Receiver)
		// A repeat comes with the first group_interval after it is due.
		if longest := r.RepeatInterval + r.GroupInterval; expireAfter > 0 && longest >= expireAfter {
			out = append(
				out,
				Problem{ReasonRepeat, fmt.Sprintf(
					"%s repeats what still fires only every %s (repeat_interval %s, group_interval %s), and alerts expire after %s: "+
						"while this Alertmanager cannot be asked, an alert that fires on counts as over, its end unknown; "+
						"set correlate.expire_after above %[2]s, or repeat_interval lower",
					where,
					model.Duration(longest),
					model.Duration(r.RepeatInterval),
					model.Duration(r.GroupInterval),
					model.Duration(expireAfter),
				)},
			)
		}
		if rt.Receivers[r.Receiver].silent() && !silent[r.Receiver] {
			silent[r.Receiver] = true
			out = append(
				out,
				Problem{
					ReasonResolved,
					fmt.Sprintf(
						"receiver %q has send_resolved: false: ends are known only from asking this Alertmanager, to its polls, "+
							"and not at all while it cannot be asked; "+
							"set send_resolved: true",
						r.Receiver,
					),
				},
			)
		}
		if r.GroupWait > longestWait {
			out = append(
				out,
				Problem{
					ReasonWait,
					fmt.Sprintf(
						"%s waits %s before it first tells of an alert (group_wait): every detection by an alert is that much later; "+
							"set group_wait to %s or less",
						where,
						model.Duration(r.GroupWait),
						model.Duration(longestWait),
					),
				},
			)
		}
	})
	return out
}

// silent says whether a receiver that sends here does not send ends.
func (r Receiver) silent() bool {
	hooks := r.Webhooks
	if known := slices.DeleteFunc(slices.Clone(hooks), func(w Webhook) bool { return !w.here() }); len(known) > 0 {
		hooks = known
	}
	return len(hooks) > 0 && !slices.ContainsFunc(hooks, func(w Webhook) bool { return w.SendResolved })
}
