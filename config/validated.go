package config

import (
	"crypto/x509"
	"time"

	"meantime/correlate"
	"meantime/incident"
)

// Validated is a configuration without mistakes, in the form the program uses. Validate makes it; it is not changed afterwards.
type Validated struct {
	Store        Store
	Windows      []Window            // at least one, as in the file
	Intervals    []incident.Interval // the default ones first
	Objectives   []Objective
	Rules        correlate.Rules
	DropLabels   []string      // labels by which no alert is told from another
	Alertmanager *Alertmanager // nil: none is asked
	Prometheus   *Prometheus   // nil: none is asked
	Sources      []Source      // the one that wins a disagreement first
	Limits       Limits
	Web          Web
}

// Store is the database, and how long it keeps episodes of no incident (0: for ever).
type Store struct {
	DSN       DSN
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

// Client is how to reach an HTTP server. At most one of BearerToken and Username is set.
type Client struct {
	URL         string // http or https, without a slash at its end
	Timeout     time.Duration
	BearerToken Secret
	Username    string
	Password    Secret
	RootCAs     *x509.CertPool // nil: the system's
}

// Alertmanager is the one that is asked, and how often.
type Alertmanager struct {
	Client
	ReconcileEvery time.Duration
}

// Prometheus is the one that is asked.
type Prometheus struct {
	Client
}

// Source is a place that records come from. Only what its type takes is set.
type Source struct {
	Name     string
	Type     string
	Dir      string
	URL      string
	Interval time.Duration
	Timeout  time.Duration
	Token    Secret
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
