package config

import "strings"

// Config is the configuration file. A key left out, or without a value, has its default (see Default). Relative paths in
// the file are relative to the file's own folder; in an environment variable they are relative to the working directory.
type Config struct {
	Store         StoreConfig          `mapstructure:"store"`
	Windows       []Duration           `mapstructure:"windows"`       // the rolling windows of the figures, by the names written here
	Intervals     []IntervalConfig     `mapstructure:"intervals"`     // added to the default intervals, or replacing one by name
	Calendars     []CalendarConfig     `mapstructure:"calendars"`     // which time counts, for intervals that name one
	Objectives    []ObjectiveConfig    `mapstructure:"objectives"`    // how long an interval should take
	Availability  []AvailabilityConfig `mapstructure:"availability"`  // which incidents count as down
	Figures       FiguresConfig        `mapstructure:"figures"`       // how figures are made
	Services      ServicesConfig       `mapstructure:"services"`      // how alerts and records name services
	Severities    SeveritiesConfig     `mapstructure:"severities"`    // how alerts and records name severities
	Correlate     CorrelateConfig      `mapstructure:"correlate"`     // which alerts belong to which incident
	Alertmanagers []AlertmanagerConfig `mapstructure:"alertmanagers"` // to ask for what no webhook brought
	Prometheuses  []PrometheusConfig   `mapstructure:"prometheuses"`  // to ask when a condition became true
	Alerts        AlertsConfig         `mapstructure:"alerts"`        // which alerts count, and as what
	Watchdogs     []WatchdogConfig     `mapstructure:"watchdogs"`     // alerts that always fire
	// Sources are where records come from, the one that wins a disagreement first. Nil (not given) means the folder
	// ./incidents where it exists; empty means none.
	Sources     []SourceConfig    `mapstructure:"sources"`
	Postmortems PostmortemsConfig `mapstructure:"postmortems"` // how an organisation writes its postmortems
	Letters     []LetterConfig    `mapstructure:"letters"`     // who is told of each month or week
	Limits      LimitsConfig      `mapstructure:"limits"`      // what one sender may do to memory and metrics
	Web         WebConfig         `mapstructure:"web"`         // who may write

	places *places // where each key was given, for Validate
	unread bool    // files that it names are left alone
}

// StoreConfig says where facts are kept and for how long.
type StoreConfig struct {
	DSN       DSN             `mapstructure:"dsn"`      // the database: sqlite:FILE, relative to the working directory, or postgres://USER@HOST/DATABASE
	DSNFile   Path            `mapstructure:"dsn_file"` // a file with the dsn, instead of dsn
	Retention RetentionConfig `mapstructure:"retention"`
}

// RetentionConfig says how long facts are kept that nothing needs any more.
type RetentionConfig struct {
	// Episodes is how long alerts are kept that belong to no incident; 0d keeps them for ever. Where it is not given it is
	// 400d, or the longest window if that is longer.
	Episodes Duration `mapstructure:"episodes"`
}

// IntervalConfig is a named pair of points of an incident.
type IntervalConfig struct {
	Name     string `mapstructure:"name"`
	From     string `mapstructure:"from"`     // one of incident.Points
	To       string `mapstructure:"to"`       // one of incident.Points
	Calendar string `mapstructure:"calendar"` // the name of a calendar; empty: all time counts
}

// CalendarConfig says which time counts.
type CalendarConfig struct {
	Name     string   `mapstructure:"name"`
	Zone     string   `mapstructure:"zone"`     // such as Europe/London; UTC where it is not given
	Hours    []string `mapstructure:"hours"`    // such as "mon-fri 10:00-17:00"
	Holidays []string `mapstructure:"holidays"` // such as 2026-12-25
}

// ObjectiveConfig is how long an interval should take for incidents of a severity.
type ObjectiveConfig struct {
	Severity string   `mapstructure:"severity"` // one of severities.order; empty: every severity without an objective of its own
	Interval string   `mapstructure:"interval"` // the name of an interval
	Within   Duration `mapstructure:"within"`
}

// AlertsConfig says which alerts are taken in, and by which labels one is told from another.
type AlertsConfig struct {
	Ignore     []MatchersConfig `mapstructure:"ignore"`      // an alert that any of these sets matches is stored nowhere
	DropLabels []string         `mapstructure:"drop_labels"` // labels that tell only the replicas of a sender apart
}

// AvailabilityConfig says which incidents of a service count as down, and what is aimed at.
type AvailabilityConfig struct {
	Service    string   `mapstructure:"service"`    // empty: every service without an entry of its own, and the figures over everything
	Severities []string `mapstructure:"severities"` // of severities.order; empty: all
	Objective  float64  `mapstructure:"objective"`  // the share of time without impact, above 0 and below 1; 0: none
}

// FiguresConfig says how figures are made.
type FiguresConfig struct {
	// Settle is how long the last time known of an incident must lie back before the all-time histogram counts it.
	Settle Duration `mapstructure:"settle"`
	// By are labels of records and alerts by which there are figures too, such as team.
	By []string `mapstructure:"by"`
}

// ServicesConfig says how alerts and records name services.
type ServicesConfig struct {
	Labels  []string             `mapstructure:"labels"`  // the first of these that an alert carries names its service
	Rules   []ServiceRuleConfig  `mapstructure:"rules"`   // or the first rule that matches does
	Aliases []ServiceAliasConfig `mapstructure:"aliases"` // what people call a service in records
}

// ServiceRuleConfig names the service of the alerts that all its matchers match.
type ServiceRuleConfig struct {
	Matchers Matchers `mapstructure:"matchers"`
	Service  string   `mapstructure:"service"`
}

// ServiceAliasConfig lists other names of a service.
type ServiceAliasConfig struct {
	Service string   `mapstructure:"service"`
	Names   []string `mapstructure:"names"`
}

// SeveritiesConfig says how alerts and records name severities.
type SeveritiesConfig struct {
	Labels  []string              `mapstructure:"labels"`  // the first of these that an alert carries is its severity
	Order   []string              `mapstructure:"order"`   // the gravest first
	Aliases []SeverityAliasConfig `mapstructure:"aliases"` // what records call a severity, such as SEV-1
}

// SeverityAliasConfig lists other names of a severity.
type SeverityAliasConfig struct {
	Severity string   `mapstructure:"severity"` // one of severities.order
	Names    []string `mapstructure:"names"`
}

// CorrelateConfig says which alerts belong to which incident.
type CorrelateConfig struct {
	LinkAt       float64             `mapstructure:"link_at"`      // an alert with this score, 0 to 1, is linked
	SuggestAt    float64             `mapstructure:"suggest_at"`   // one with this score is suggested
	Dependencies []DependencyConfig  `mapstructure:"dependencies"` // which service needs which
	Open         OpenConfig          `mapstructure:"open"`
	Places       []string            `mapstructure:"places"` // labels that say where something is
	Maintenance  []MaintenanceConfig `mapstructure:"maintenance"`
	// ExpireAfter is how long nothing may be heard of a firing alert before its episode counts as over. It must be
	// longer than Alertmanager's repeat_interval.
	ExpireAfter Duration `mapstructure:"expire_after"`
	// OpenFor is how long a record that neither says its state nor has an end counts as open after the last thing known of it.
	OpenFor Duration `mapstructure:"open_for"`
}

// DependencyConfig says which services a service needs.
type DependencyConfig struct {
	Service string   `mapstructure:"service"`
	Needs   []string `mapstructure:"needs"`
}

// OpenConfig says which alerts open an incident by themselves, without a record. With an empty list of matchers none does.
type OpenConfig struct {
	Matchers     Matchers         `mapstructure:"matchers"` // all must match, as in Alertmanager
	Any          []MatchersConfig `mapstructure:"any"`      // further sets; an alert that any set matches opens an incident
	Weigh        bool             `mapstructure:"weigh"`    // only where what fired together is likely an incident
	GroupBy      []string         `mapstructure:"group_by"` // label names; service is the service as Meantime names it
	Quiet        Duration         `mapstructure:"quiet"`    // over when nothing has fired for this long
	ReopenWithin Duration         `mapstructure:"reopen_within"`
}

// MaintenanceConfig says which alerts are maintenance: they belong to no incident. In one stretch of time, in a stretch of
// each week, or always.
type MaintenanceConfig struct {
	Matchers Matchers `mapstructure:"matchers"`
	From     string   `mapstructure:"from"`   // RFC 3339
	To       string   `mapstructure:"to"`     // RFC 3339
	Weekly   string   `mapstructure:"weekly"` // such as "sun 02:00-04:00"
	Zone     string   `mapstructure:"zone"`   // of weekly; UTC where it is empty
}

// MatchersConfig is one set of matchers.
type MatchersConfig struct {
	Matchers Matchers `mapstructure:"matchers"`
}

// ClientConfig says how to reach an HTTP server. Its keys are spelled as in Prometheus' configuration, where that has them.
type ClientConfig struct {
	Name            string          `mapstructure:"name"` // in metrics, logs and pages; where there is one alone it need not be given
	URL             string          `mapstructure:"url"`
	Timeout         Duration        `mapstructure:"timeout"` // of one request
	Headers         Pairs           `mapstructure:"headers"` // that every request carries; a value file:PATH is the file's content
	BearerTokenFile Path            `mapstructure:"bearer_token_file"`
	BasicAuth       BasicAuthConfig `mapstructure:"basic_auth"`
	OAuth2          OAuth2Config    `mapstructure:"oauth2"`
	TLSConfig       TLSConfig       `mapstructure:"tls_config"`
	ProxyURL        string          `mapstructure:"proxy_url"` // empty: the environment's variables HTTPS_PROXY and NO_PROXY say
	NoProxy         string          `mapstructure:"no_proxy"`
}

// BasicAuthConfig is a user's name and the file with the password.
type BasicAuthConfig struct {
	Username     string `mapstructure:"username"`
	PasswordFile Path   `mapstructure:"password_file"`
}

// OAuth2Config is how to get access tokens, by the client credentials grant.
type OAuth2Config struct {
	TokenURL         string   `mapstructure:"token_url"`
	ClientID         string   `mapstructure:"client_id"`
	ClientSecretFile Path     `mapstructure:"client_secret_file"`
	Scopes           []string `mapstructure:"scopes"`
	EndpointParams   Pairs    `mapstructure:"endpoint_params"` // further parameters of the request for a token
}

// TLSConfig is how a server is known and shown who asks. Files are PEM.
type TLSConfig struct {
	CAFile             Path   `mapstructure:"ca_file"`   // authorities to trust instead of the system's
	CertFile           Path   `mapstructure:"cert_file"` // the client's certificate
	KeyFile            Path   `mapstructure:"key_file"`  // and its key
	ServerName         string `mapstructure:"server_name"`
	InsecureSkipVerify bool   `mapstructure:"insecure_skip_verify"`
}

// AlertmanagerConfig is an Alertmanager that is asked for what no webhook brought.
type AlertmanagerConfig struct {
	ClientConfig   `mapstructure:",squash"`
	ReconcileEvery Duration `mapstructure:"reconcile_every"`
	ExternalURL    string   `mapstructure:"external_url"` // its address in its notifications, where that is not url
}

// PrometheusConfig is a Prometheus that is asked which alerts fired and when their conditions became true.
type PrometheusConfig struct {
	ClientConfig   `mapstructure:",squash"`
	ExternalLabels Pairs    `mapstructure:"external_labels"` // those that it adds to its alerts
	ExternalURL    string   `mapstructure:"external_url"`    // its address in its alerts' generatorURL, where that is not url
	History        Duration `mapstructure:"history"`         // how far back its past is read; 0s: not at all
	Topology       *bool    `mapstructure:"topology"`        // whether it is asked which service calls which; nil: it is
}

// WatchdogConfig is an alert that always fires. Where nothing is heard of it for longer than Every, detection is blind.
type WatchdogConfig struct {
	Name     string   `mapstructure:"name"` // where not given, the alertname that the matchers ask for
	Matchers Matchers `mapstructure:"matchers"`
	Every    Duration `mapstructure:"every"`
}

// SourceConfig is a place that records come from. Which keys it takes depends on its type (see sourceTypes).
type SourceConfig struct {
	Name      string   `mapstructure:"name"` // in metrics, links and the keys of records; changing it makes other records
	Type      string   `mapstructure:"type"`
	Dir       Path     `mapstructure:"dir"`        // file: the folder of records
	URL       string   `mapstructure:"url"`        // where it is asked
	Interval  Duration `mapstructure:"interval"`   // how often it is read or asked
	Timeout   Duration `mapstructure:"timeout"`    // of one reading
	TokenFile Path     `mapstructure:"token_file"` // a file with the token it asks for

	User         string    `mapstructure:"user"`
	PasswordFile Path      `mapstructure:"password_file"`
	TLSConfig    TLSConfig `mapstructure:"tls_config"`
	ProxyURL     string    `mapstructure:"proxy_url"`
	NoProxy      string    `mapstructure:"no_proxy"`

	Backfill           Duration `mapstructure:"backfill"`             // how far back incidents are read that were there before
	WebhookSecretFiles []Path   `mapstructure:"webhook_secret_files"` // what the vendor signs its webhooks with; any of them may
	Private            bool     `mapstructure:"private"`              // read what not everybody at the vendor may see, without titles
	Only               string   `mapstructure:"only"`                 // jq: which incidents are read
	Map                string   `mapstructure:"map"`                  // jq: changes a record; http, file: makes one
	Services           []string `mapstructure:"services"`             // pagerduty: only these

	JQL        string   `mapstructure:"jql"`          // jira: which issues
	Statuses   []string `mapstructure:"statuses"`     // jira: which statuses mean a milestone, as milestone=status|other
	Fields     []string `mapstructure:"fields"`       // jira, servicenow: which fields hold a milestone, the severity or a service
	JSMCloudID string   `mapstructure:"jsm_cloud_id"` // jira: the site's id, for the alerts of Jira Service Management
	TimeZone   string   `mapstructure:"time_zone"`    // jira: of the user's profile
	Read       string   `mapstructure:"read"`         // opsgenie: alerts or incidents
	GrafanaURL string   `mapstructure:"grafana_url"`  // grafana-oncall: the stack, where the token is a service account's

	EncodedQuery    string   `mapstructure:"encoded_query"`    // servicenow: which incidents
	Repositories    []string `mapstructure:"repositories"`     // github: which are read, as owner/name
	Projects        []string `mapstructure:"projects"`         // gitlab: which are read, as group/name or by number
	Labels          []string `mapstructure:"labels"`           // github, gitlab: that an issue must have, all of them
	MilestoneLabels []string `mapstructure:"milestone_labels"` // github, gitlab: which labels mean a milestone
	SeverityLabels  []string `mapstructure:"severity_labels"`  // github, gitlab: which labels mean a severity

	Timestamps []string `mapstructure:"timestamps"` // incident-io: which timestamps mean a milestone, beside its own

	PageID string `mapstructure:"page_id"` // statuspage: the page's id, for the management API

	Headers   Pairs       `mapstructure:"headers"`      // http: that every request carries
	Query     []string    `mapstructure:"query"`        // http: parameters of every request, as name=value
	PerMinute int         `mapstructure:"per_minute"`   // http: the documented limit of requests, of which half are made
	Page      PageConfig  `mapstructure:"page"`         // http: how the list is cut into pages
	Next      string      `mapstructure:"next"`         // http, jq: what leads to the next page
	Since     SinceConfig `mapstructure:"since"`        // http: how what changed is asked for
	Body      string      `mapstructure:"body"`         // http, jq: what is sent; without it nothing is, by GET
	Scheme    string      `mapstructure:"token_scheme"` // http: what stands before the token
	Items     string      `mapstructure:"items"`        // http, jq: the incidents in an answer
}

// PageConfig says how a list is cut into pages.
type PageConfig struct {
	By    string `mapstructure:"by"`    // none, number, offset, cursor, link or next
	Param string `mapstructure:"param"` // the parameter that carries the number, offset or cursor
	Size  int    `mapstructure:"size"`  // how many incidents a whole page has
}

// SinceConfig says how what changed since a time is asked for.
type SinceConfig struct {
	Param    string   `mapstructure:"param"`
	Format   string   `mapstructure:"format"` // rfc3339, unix, unix_ms or date
	Lookback Duration `mapstructure:"lookback"`
}

// LimitsConfig bounds what one sender can do to memory and metrics. What is over a limit is counted, never lost in silence.
type LimitsConfig struct {
	Services         int `mapstructure:"services"`           // services with series of their own; the rest are (other)
	AlertNames       int `mapstructure:"alert_names"`        // likewise alert names
	RecentIncidents  int `mapstructure:"recent_incidents"`   // incidents with series of their own; 0 turns them off
	BodyBytes        int `mapstructure:"body_bytes"`         // size of a request's body
	AlertsPerWebhook int `mapstructure:"alerts_per_webhook"` // alerts in one notification
}

// WebConfig says who may write. Without a token everybody who reaches the port may.
type WebConfig struct {
	WebhookTokenFile Path `mapstructure:"webhook_token_file"` // the bearer token that notifications must carry
	WriteTokenFile   Path `mapstructure:"write_token_file"`   // the bearer token that records and reviews must carry
	// AllowedHosts are the names by which Meantime may be called; empty: any. An address, and localhost, always may.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
}

// Path is the name of a file or folder.
type Path string

// Pairs are names with values, written as a mapping, in the order of the file. They are no map, because the loader lowers the
// case of a map's keys.
type Pairs []Pair

// Pair is a name with its value.
type Pair struct{ Name, Value string }

// pairMark stands between name and value where a Pair is one text. YAML has no such character in its plain text, and the
// reader refuses it in a name.
const pairMark = "\x00"

// UnmarshalText reads what the reader made of a pair.
func (p *Pair) UnmarshalText(b []byte) error {
	p.Name, p.Value, _ = strings.Cut(string(b), pairMark)
	return nil
}

// Matchers are label matchers as text, in Alertmanager's syntax, such as severity="critical". All must match.
type Matchers []string
