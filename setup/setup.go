// Package setup says what a Meantime still lacks: whether notifications come, what opens incidents, who is asked and who scrapes
// it, each with the lines to write. It is one pure function of what is known, so that the pages, the API and the command doctor
// say the same.
package setup

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// State is how one part of the set-up is.
type State string

// The states.
const (
	// OK: it was seen to work.
	OK State = "ok"
	// Missing: it is needed, and not there.
	Missing State = "missing"
	// Wrong: it is there, and something of it has to be changed.
	Wrong State = "wrong"
	// Optional: it is not there, and figures come without it.
	Optional State = "optional"
	// Waiting: it is there as far as can be told, and was not seen to work yet.
	Waiting State = "waiting"
)

// Check is one part of the set-up.
type Check struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	Title string `json:"title"`
	// Text is what is so, in sentences.
	Text string `json:"text"`
	// Problems are what has to be changed, a sentence each, without the last full stop.
	Problems []string `json:"problems,omitempty"`
	// Paste are the lines that would be right, and Into the file they belong into.
	Paste string `json:"paste,omitempty"`
	Into  string `json:"into,omitempty"`
}

// Checklist is the whole set-up.
type Checklist struct {
	Checks []Check `json:"checks"`
	// Ready says whether incidents can come about: nothing is missing or wrong.
	Ready bool `json:"ready"`
	// LastNotification is when a notification came last, as far as this process knows.
	LastNotification *time.Time `json:"last_notification,omitempty"`
	// Progress is how far what takes long is, such as reading the past or working out everything by new rules.
	Progress []Progress `json:"progress,omitempty"`
}

// Sender is a way by which notifications came: an Alertmanager and its route or receiver.
type Sender struct {
	URL      string
	Route    string // as group keys begin with it
	Receiver string // by name
	First    time.Time
}

// Miss is a request of an Alertmanager that was not taken.
type Miss struct {
	From   string // the address it came from
	Path   string
	Status int
	At     time.Time
}

// Asked is something that is asked over HTTP.
type Asked struct {
	Name     string
	Up       bool
	Answered time.Time // zero: not yet
	Err      string
	Progress string
	// Problems are what of the other side's settings should be changed.
	Problems []string
	// Sends says that a receiver of this Alertmanager is known to send here.
	Sends bool
}

// Progress is how far something is that goes on.
type Progress struct {
	// What is done, and Means what that means for who reads figures; empty where it means nothing.
	What  string `json:"what"`
	Means string `json:"means,omitempty"`
	// Done of Total of a Unit are done, which is Percent, rounded down.
	Done    int64  `json:"done"`
	Total   int64  `json:"total"`
	Unit    string `json:"unit"`
	Percent int    `json:"percent"`
	// Left is about how many seconds it will still take; nil where that is not known yet.
	Left *float64 `json:"left_seconds,omitempty"`
}

// Line says it in one line, by what it means where it means something, without a full stop.
func (p Progress) Line() string {
	out := cmp.Or(p.Means, p.What)
	if p.Total > 0 {
		out += fmt.Sprintf(": %d %%", p.Percent)
	}
	if p.Left != nil {
		out += ", about " + ago(time.Duration(*p.Left*float64(time.Second))) + " left"
	}
	return out
}

// Scrape is who read the metrics.
type Scrape struct {
	From, Agent string
	At          time.Time
}

// Facts are what is known of a set-up.
type Facts struct {
	Now time.Time
	// Started is when the daemon that tells did, zero where none runs.
	Started time.Time
	// URL is where others reach this Meantime, without a slash at the end.
	URL string
	// Running says that a daemon tells; else only its configuration and store were read, which do not tell who scrapes.
	Running bool
	// Follows says that another replica asks the sources, and only it knows how they are.
	Follows          bool
	Token            bool // notifications need a token
	Senders          []Sender
	LastNotification time.Time
	Misses           []Miss
	Alertmanagers    []Asked
	Prometheuses     []Asked
	Records          []Asked
	// Opens are the matchers of alerts that open incidents, a text each; NoneOpens says what came where nothing of it may;
	// Incidents says that there is an incident.
	Opens     []string
	NoneOpens string
	Incidents bool
	Scrapes   []Scrape
	// Going is what goes on.
	Going []Progress
}

// List makes the checklist.
func List(f Facts) Checklist {
	out := Checklist{Ready: true, Progress: f.Going, Checks: []Check{f.notifications(), f.alertmanagers(), f.opening(), f.prometheuses(), f.records()}}
	if f.Running {
		out.Checks = append(out.Checks, f.scrape())
	}
	for _, c := range out.Checks {
		if c.State == Missing || c.State == Wrong {
			out.Ready = false
		}
	}
	if !f.LastNotification.IsZero() {
		out.LastNotification = &f.LastNotification
	}
	return out
}

// missesCount is for how long a request that was not taken counts. Facts have none of a sender of whom one was taken since.
const missesCount = time.Hour

func (f *Facts) notifications() Check {
	c := Check{Name: "notifications", Title: "Alertmanager sends notifications", State: OK}
	for _, m := range f.Misses {
		if f.Now.Sub(m.At) < missesCount {
			c.State = Wrong
			c.Problems = append(c.Problems, f.missed(m))
		}
	}
	switch {
	case len(f.Senders) == 0 && f.LastNotification.IsZero():
		if c.State == OK {
			c.State = Missing
		}
		c.Text = "No notification has come yet."
		if f.configured() && len(c.Problems) == 0 {
			c.State = Waiting
			c.Text += " Alertmanager's configuration leads here; one comes with the next alert that fires."
			return c
		}
		c.Into, c.Paste = "alertmanager.yml", f.receiver()
	case f.LastNotification.IsZero():
		c.Text = "They came by " + f.ways() + "."
		if f.Running {
			c.Text += " None has come since this process started."
		}
	default:
		c.Text = fmt.Sprintf("The last one came %s ago, by %s.", ago(f.Now.Sub(f.LastNotification)), f.ways())
	}
	return c
}

// configured says whether an Alertmanager that is asked is known to send here.
func (f *Facts) configured() bool {
	for _, a := range f.Alertmanagers {
		if a.Sends && len(a.Problems) == 0 {
			return true
		}
	}
	return false
}

// missed says what was wrong with a request.
func (f *Facts) missed(m Miss) string {
	what := fmt.Sprintf("An Alertmanager at %s was answered %d on %s %s ago", m.From, m.Status, m.Path, ago(f.Now.Sub(m.At)))
	switch m.Status {
	case 401, 403:
		return what + ": it sends no token, or another one; set http_config.authorization.credentials_file in its webhook_configs"
	case 404, 405:
		return what + ": the url of its webhook_configs must be " + f.URL + "/webhook/alertmanager"
	case 413:
		return what + ": the notification is larger than limits.body_bytes or has more alerts than limits.alerts_per_webhook"
	}
	return what + "; the log at level debug says why"
}

// mostWays are how many senders are named.
const mostWays = 3

// ways names the senders.
func (f *Facts) ways() string {
	type way struct{ route, receiver string }
	by := map[string]*way{}
	var order []string
	for _, s := range f.Senders {
		w := by[s.URL]
		if w == nil {
			w = &way{}
			by[s.URL] = w
			order = append(order, s.URL)
		}
		w.route, w.receiver = cmp.Or(w.route, s.Route), cmp.Or(w.receiver, s.Receiver)
	}
	var parts []string
	for _, u := range order[:min(len(order), mostWays)] {
		w, text := by[u], cmp.Or(u, "an Alertmanager that does not tell its address")
		if w.receiver != "" {
			text += ", receiver " + w.receiver
		}
		if w.route != "" {
			text += ", route " + w.route
		}
		parts = append(parts, text)
	}
	if n := len(order) - mostWays; n > 0 {
		parts = append(parts, fmt.Sprintf("%d more", n))
	}
	return cmp.Or(strings.Join(parts, "; "), "an Alertmanager")
}

// receiver are the lines of Alertmanager's configuration.
func (f *Facts) receiver() string {
	token := ""
	if f.Token {
		token = "\n        http_config:\n          authorization: {credentials_file: /etc/alertmanager/meantime-token}"
	}
	return fmt.Sprintf(`receivers:
  - name: pager           # the receiver that pages people, with what it has already
    webhook_configs:
      - url: %s/webhook/alertmanager
        send_resolved: true%s
`, f.URL, token)
}

func (f *Facts) alertmanagers() Check {
	c := Check{Name: "alertmanager", Title: "Alertmanager is asked for what no notification brought"}
	if len(f.Alertmanagers) == 0 {
		c.State = Optional
		c.Text = "It is not asked. Then nobody sees what its configuration keeps from being known, such as send_resolved: false, " +
			"and an alert whose end was not told stays open until it expires."
		address := "http://alertmanager:9093"
		for _, s := range f.Senders {
			if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
				address = s.URL
				break
			}
		}
		c.Into, c.Paste = "meantime.yml", fmt.Sprintf("alertmanagers: [{url: %q}]\n", address)
		return c
	}
	f.asked(&c, f.Alertmanagers)
	return c
}

func (f *Facts) prometheuses() Check {
	c := Check{Name: "prometheus", Title: "Prometheus is asked when conditions became true, and for its past"}
	if len(f.Prometheuses) == 0 {
		c.State = Optional
		c.Text = "It is not asked. Detection is then counted from when an alert fired, without the rule's for, " +
			"and there is nothing from before the first notification."
		c.Into, c.Paste = "meantime.yml", "prometheuses: [{url: \"http://prometheus:9090\"}]\n"
		return c
	}
	f.asked(&c, f.Prometheuses)
	return c
}

func (f *Facts) records() Check {
	c := Check{Name: "records", Title: "Incident records are read"}
	if len(f.Records) == 0 {
		c.State = Optional
		c.Text = "There is no source of them: what people know of an incident comes by the API alone, and nobody acknowledges."
		c.Into, c.Paste = "meantime.yml", "sources:\n  - {name: pager, type: pagerduty, token_file: /run/secrets/pagerduty}\n"
		return c
	}
	f.asked(&c, f.Records)
	return c
}

// asked says how those are that are asked over HTTP.
func (f *Facts) asked(c *Check, list []Asked) {
	if f.Follows {
		c.State, c.Text = Waiting, "Another replica asks, and knows how they are."
		return
	}
	c.State = OK
	var parts []string
	for _, a := range list {
		switch {
		case !a.Up:
			c.State = Wrong
			c.Problems = append(c.Problems, a.Name+" does not answer: "+cmp.Or(a.Err, "nobody knows why"))
		case a.Answered.IsZero():
			if c.State == OK {
				c.State = Waiting
			}
			text := a.Name + " was not asked yet"
			if a.Progress != "" {
				text = a.Name + " is read for the first time (" + a.Progress + ")"
			}
			parts = append(parts, text)
		default:
			text := fmt.Sprintf("%s answered %s ago", a.Name, ago(f.Now.Sub(a.Answered)))
			if a.Progress != "" {
				text += " (" + a.Progress + ")"
			}
			parts = append(parts, text)
		}
		for _, p := range a.Problems {
			c.State = Wrong
			c.Problems = append(c.Problems, a.Name+": "+p)
		}
	}
	if len(parts) > 0 {
		c.Text = strings.Join(parts, ", ") + "."
	}
}

func (f *Facts) opening() Check {
	c := Check{Name: "opening", Title: "Something opens incidents", State: OK, Into: "meantime.yml"}
	const lines = "correlate:\n  open: {matchers: ['severity=~\"critical|page\"']}\n"
	switch {
	case f.NoneOpens != "":
		c.State, c.Text = Wrong, f.NoneOpens+"."
		c.Problems = append(c.Problems, "No alert that came may open an incident")
		c.Paste = lines
	case len(f.Opens) == 0 && len(f.Records) == 0 && !f.Incidents:
		c.State, c.Text = Missing, "Nothing can open an incident: correlate.open.matchers is empty, and there is no source of records."
		c.Problems = append(c.Problems, "Nothing can open an incident")
		c.Paste = lines
	case len(f.Opens) == 0:
		c.Text = "Records do. Alerts open none, since correlate.open.matchers is empty."
	default:
		who := "Alerts with "
		if len(f.Records) > 0 {
			who = "Records do, and alerts with "
		}
		c.Text = who + strings.Join(f.Opens, ", or with ") + "."
	}
	if c.Paste == "" {
		c.Into = ""
	}
	return c
}

// scrapesCount is for how long who read the metrics counts as reading them, and scrapedSoon how long after a start it takes until
// one that scrapes has done so.
const (
	scrapesCount = 10 * time.Minute
	scrapedSoon  = 2 * time.Minute
)

func (f *Facts) scrape() Check {
	c := Check{Name: "scrape", Title: "Prometheus scrapes the figures", State: OK}
	var newest *Scrape
	for i := range f.Scrapes {
		s := &f.Scrapes[i]
		if strings.HasPrefix(s.Agent, "Prometheus/") || strings.HasPrefix(s.Agent, "vm_promscrape") || strings.Contains(s.Agent, "Alloy") {
			if newest == nil || s.At.After(newest.At) {
				newest = s
			}
		}
	}
	if newest != nil && f.Now.Sub(newest.At) < scrapesCount {
		c.Text = fmt.Sprintf("%s at %s did %s ago.", newest.Agent, newest.From, ago(f.Now.Sub(newest.At)))
		return c
	}
	if newest == nil && f.Now.Sub(f.Started) < scrapedSoon {
		c.State, c.Text = Waiting, "Nobody has had the time to: Meantime has just started."
		return c
	}
	c.State, c.Text = Missing, "No Prometheus has read /metrics since this process started."
	if n := len(f.Scrapes); newest == nil && n > 0 {
		c.Text = fmt.Sprintf("Only %s at %s has read /metrics, which is not known to be a Prometheus.", f.Scrapes[n-1].Agent, f.Scrapes[n-1].From)
	}
	if newest != nil {
		c.Text = fmt.Sprintf("%s at %s did last %s ago.", newest.Agent, newest.From, ago(f.Now.Sub(newest.At)))
	}
	host, path := "meantime:10049", ""
	scheme := ""
	if u, err := url.Parse(f.URL); err == nil && u.Host != "" {
		host = u.Host
		if p := strings.TrimRight(u.Path, "/"); p != "" {
			path = "\n    metrics_path: " + p + "/metrics"
		}
		if u.Scheme == "https" {
			scheme = "\n    scheme: https"
		}
	}
	c.Into = "prometheus.yml"
	c.Paste = fmt.Sprintf("scrape_configs:\n  - job_name: meantime%s%s\n    static_configs: [{targets: [%q]}]\n", scheme, path, host)
	return c
}

// ago is a length of time in words.
func ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return "less than a second"
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Step is one step of the way of an alert.
type Step struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
}

// Trial is what became of a made-up alert.
type Trial struct {
	Labels map[string]string `json:"labels"`
	Steps  []Step            `json:"steps"`
	// Opened says whether it opened an incident.
	Opened bool `json:"opened"`
}
