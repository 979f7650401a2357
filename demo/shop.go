package main

import "time"

// service is one of the shop's services.
type service struct {
	name  string
	often float64 // how much of the trouble is its own
	needs []string
	slow  bool // it is waited for: its trouble can be slowness
}

var services = []service{
	{"storefront", 1.2, []string{"search", "accounts"}, true},
	{"checkout", 1.4, []string{"payments", "inventory", "accounts"}, true},
	{"payments", 1.0, nil, true},
	{"search", 0.9, nil, true},
	{"accounts", 0.7, nil, true},
	{"inventory", 0.5, nil, false},
	{"shipping", 0.5, []string{"inventory"}, false},
	{"notifications", 0.6, nil, false},
}

// callers are the services that need a service.
func callers(name string) (out []string) {
	for _, s := range services {
		for _, n := range s.needs {
			if n == name {
				out = append(out, s.name)
			}
		}
	}
	return out
}

// rule is an alerting rule.
type rule struct {
	name     string
	severity string
	wait     time.Duration // its `for`
	summary  string
}

var (
	errorsRule  = rule{"HighErrorRate", "critical", 5 * time.Minute, "more than 2 % of requests fail"}
	probeRule   = rule{"ProbeFailing", "critical", 2 * time.Minute, "a customer's path through the shop fails"}
	latencyRule = rule{"HighLatency", "warning", 10 * time.Minute, "the slowest 5 % of requests take over 2 s"}
	backlogRule = rule{"QueueBacklog", "warning", 15 * time.Minute, "the queue is over 10 minutes long"}
	databases   = rule{"DatabaseConnectionsHigh", "warning", 5 * time.Minute, "over 90 % of connections are used"}
	crashes     = rule{"PodCrashLooping", "warning", 10 * time.Minute, "a pod restarts again and again"}
	diskRule    = rule{"DiskFullIn24Hours", "warning", 30 * time.Minute, "a disk will be full tomorrow"}
	backupRule  = rule{"BackupFailed", "warning", 0, "last night's backup did not finish"}
	certificate = rule{"CertificateExpiresSoon", "info", time.Hour, "a certificate expires within two weeks"}
)

var rules = []rule{errorsRule, probeRule, latencyRule, backlogRule, databases, crashes, diskRule, backupRule, certificate}

// cause is a kind of trouble.
type cause struct {
	often   float64
	title   string // of the service
	trigger string
	found   string
	mended  string
	median  time.Duration // from start to mitigation
	office  bool          // it comes of people's work
	unseen  float64       // how often no alert sees it
	only    []string      // the services it can happen to; nil for all
	asSlow  bool          // users find it slow rather than broken
}

var causes = []cause{
	{5, "%s answers with errors", "a new release of %s is rolled out", "the release breaks requests without a session", "the release is rolled back", 18 * time.Minute, true, 0.08, nil, false},
	{3, "%s is slow", "traffic to %s doubles", "every replica is at its limit", "more replicas are started", 40 * time.Minute, false, 0.1, []string{"storefront", "checkout", "search", "payments", "accounts"}, true},
	{2, "Card payments fail", "the card provider behind %s refuses connections", "the provider confirms an outage", "payments go by the second provider", 75 * time.Minute, false, 0.15, []string{"payments", "checkout"}, false},
	{2, "%s times out", "a migration locks a table of %s", "the table is locked", "the migration is stopped", 50 * time.Minute, true, 0.1, nil, true},
	{1.5, "%s shows old data", "a job of %s stops after a change of its schedule", "the job has not run", "the job is started by hand", 150 * time.Minute, true, 0.45, []string{"search", "inventory", "shipping", "storefront"}, false},
	{1.5, "%s falls behind", "a queue of %s fills up", "one message stops all others", "the message is set aside", 95 * time.Minute, false, 0.15, []string{"notifications", "shipping", "inventory"}, true},
	{1, "%s is down", "the node under the database of %s fails", "the replica did not take over", "the replica is promoted by hand", 55 * time.Minute, false, 0.02, nil, false},
}
