package config

import (
	"time"

	"meantime/correlate"
	"meantime/incident"
)

// Validated is a configuration without mistakes, in the form the program uses. Validate makes it; it is not changed afterwards.
type Validated struct {
	Store         Store
	Windows       []Window            // at least one, as in the file
	Intervals     []incident.Interval // the default ones first
	Objectives    []Objective
	Availability  []Availability
	Settle        time.Duration // see FiguresConfig
	By            []string      // see FiguresConfig
	Rules         correlate.Rules
	DropLabels    []string       // labels by which no alert is told from another
	Alertmanagers []Alertmanager // those that are asked, with names of their own
	Prometheuses  []Prometheus   // likewise
	Sources       []Source       // the one that wins a disagreement first
	Postmortems   Postmortems
	Letters       []Letter
	Limits        Limits
	Web           Web
	SecretFiles   []SecretFile // every secret that is in a file
}

// SecretFile is a secret that is in a file, with the key that names the file.
type SecretFile struct {
	Key string
	Secret
}

// Store is the database, and how long it keeps episodes of no incident (0: for ever).
type Store struct {
	DSN       DSN    // as the file held it when the configuration was read, where it is in one
	File      Secret // what the file holds now; none where it is in none
	Retention time.Duration
}

// Window is a rolling window of the figures. Name is as it was written, and is the value of the label window.
type Window struct {
	Name     string
	Duration time.Duration
}

// Objective is how long the interval of that name should take for incidents of a severity; an empty severity means every
// one that has no objective of its own.
type Objective struct {
	Severity string
	Interval string
	Within   time.Duration
}

// Availability says which incidents of a service count as down; see AvailabilityConfig.
type Availability struct {
	Service    string
	Severities []string
	Objective  float64
}

// Client is how to reach an HTTP server. At most one of BearerToken, Username and OAuth2 is set.
type Client struct {
	Name        string // "" for one that has none, of which there is one at most
	URL         string // http or https, without a slash at its end
	Timeout     time.Duration
	Headers     []Header
	BearerToken Secret
	Username    string
	Password    Secret
	OAuth2      *OAuth2
	TLS         TLSConfig
	ProxyURL    string // empty: the environment says
	NoProxy     string
}

// Header is a header that every request carries: Value, or what is in a file.
type Header struct {
	Name   string
	Value  string
	Secret Secret
}

// OAuth2 is how to get access tokens.
type OAuth2 struct {
	TokenURL     string
	ClientID     string
	ClientSecret Secret
	Scopes       []string
	Params       Pairs
}

// Alertmanager is one that is asked, and how often.
type Alertmanager struct {
	Client
	ReconcileEvery time.Duration
	ExternalURL    string // without a slash at its end; empty where it is URL
}

// Prometheus is one that is asked.
type Prometheus struct {
	Client
	ExternalLabels Pairs
	ExternalURL    string        // without a slash at its end; empty where it is URL
	History        time.Duration // how far back its past is read; 0: not at all
	Topology       bool          // whether it is asked which service calls which
}

// Source is a place that records come from. Only what its type takes is set.
type Source struct {
	Name     string
	Type     string
	Dir      string
	URL      string
	Interval time.Duration
	Timeout  time.Duration
	User     string
	Secret   Secret // the token or the password
	Headers  []Header
	TLS      TLSConfig
	// Backfill is how far back incidents are read; WebhookSecrets are those of its webhooks: without any it takes none.
	Backfill       time.Duration
	WebhookSecrets []Secret
	// Config is all of it as it was written, for types that are asked over HTTP and folders with a map.
	Config SourceConfig

	key    string // its own in the file, such as sources[1]
	places *places
}

// Problem is a mistake in the value of a key that only who makes the source of it can find, with its place in the file.
func (s *Source) Problem(key, message string) Problem {
	if key != "" {
		key = "." + key
	}
	return s.places.problem(s.key+key, message)
}

// Limits bound what one sender can do. See LimitsConfig.
type Limits struct {
	Services         int
	AlertNames       int
	RecentIncidents  int // 0: off
	BodyBytes        int64
	AlertsPerWebhook int
}

// Web is who may write: whoever shows the token, or anybody where there is none.
type Web struct {
	WebhookToken Secret
	WriteToken   Secret
	AllowedHosts []string // in lower case, without ports; empty: any
}
