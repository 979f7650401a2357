package config

import (
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"meantime/correlate"
)

// DefaultSourceDir is the folder that is read as a source of records where the configuration names no sources and the
// folder exists.
const DefaultSourceDir = "./incidents"

// defaultRetention is how long episodes of no incident are kept where the configuration does not say.
const defaultRetention = 400 * day

// defaultSettle is long enough for most records to be written, merged and corrected.
const defaultSettle = 3 * day

// opensByDefault matches the gravest severities. It stands for the labels of severities.labels, whatever these are, and for
// the first of severities.order and its other names too.
const opensByDefault = "severity=~\"" + correlate.GravestSeverities + "\""

const day = 24 * time.Hour

// Default is the configuration where nothing is said.
func Default() Config {
	rules := correlate.DefaultRules()
	return Config{
		Store:      StoreConfig{DSN: "sqlite:meantime.db"},
		Windows:    []Duration{DurationOf(7 * day), DurationOf(28 * day), DurationOf(90 * day)},
		Figures:    FiguresConfig{Settle: DurationOf(defaultSettle)},
		Services:   ServicesConfig{Labels: rules.Services.Labels},
		Severities: SeveritiesConfig{Labels: rules.Severities.Labels, Order: rules.Severities.Order},
		Correlate: CorrelateConfig{
			LinkAt: rules.LinkAt, SuggestAt: rules.SuggestAt,
			Open: OpenConfig{
				Matchers: Matchers{opensByDefault}, GroupBy: rules.Open.GroupBy,
				Quiet: DurationOf(rules.Open.Quiet), ReopenWithin: DurationOf(rules.Open.ReopenWithin),
			},
			Places:      rules.Places,
			ExpireAfter: DurationOf(rules.Silence),
			OpenFor:     DurationOf(rules.OpenFor),
		},
		Limits: LimitsConfig{
			Services: 200, AlertNames: 50, RecentIncidents: 100,
			BodyBytes: 16 << 20, AlertsPerWebhook: 50_000,
		},
	}
}

// What a server that is asked has where its configuration does not say.
const (
	defaultClientTimeout  = 10 * time.Second
	defaultReconcileEvery = time.Minute
	// defaultHistory is how far back a Prometheus' past is read, where it still has it.
	defaultHistory = 90 * day
)

// DurationOf is the Duration of that length, written the way it would be in the file.
func DurationOf(d time.Duration) Duration { return Duration{d, compact(d)} }

// compact writes a duration in its largest whole unit below a year where there is one, because people write 400d and
// not 1y35d, and 7d and not 1w.
func compact(d time.Duration) string {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}} {
		if d > 0 && d%u.of == 0 {
			return strconv.FormatInt(int64(d/u.of), 10) + u.name
		}
	}
	return model.Duration(d).String()
}
