package history

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

// Client asks one Prometheus, or what answers like one. *source.Client is one.
type Client interface {
	// Get decodes the JSON answer of a path into out.
	Get(ctx context.Context, path string, query url.Values, out any) error
	// Base names the server.
	Base() string
}

// What is taken for granted of a server that does not tell: Prometheus' own defaults.
const (
	defaultMaxSamples = 50_000_000
	defaultLookback   = 5 * time.Minute
	defaultResend     = time.Minute
	defaultGrace      = 10 * time.Minute
	defaultEvaluation = time.Minute
)

// server is what is known of the one that is asked.
type server struct {
	view
	sender
	maxSamples  int64
	settings    settings
	unsettled   error // why its configuration is not known
	noOffsets   bool  // it is a Prometheus whose groups have no query offsets
	rules       Rules
	rulesKnown  bool
	remote      bool // what it has was written to it by others, and comes late
	askedRules  time.Time
	askedOthers time.Time
}

// settingsFor is how long what a server said of itself is used.
const settingsFor = time.Hour

// ask learns what a server says of itself. What it does not tell is what Prometheus does where nobody says otherwise; only
// a server that does not answer at all is an error.
func (s *server) ask(ctx context.Context, c Client, now time.Time) error {
	rules, err := AskRules(ctx, c)
	switch {
	case err == nil:
		s.rules, s.rulesKnown = rules, len(rules) > 0
	case !answered(err):
		return err
	default:
		s.rules, s.rulesKnown = nil, false
	}
	s.askedRules = now
	if !s.askedOthers.IsZero() && now.Sub(s.askedOthers) < settingsFor {
		return nil
	}
	version, err := s.build(ctx, c)
	if err != nil {
		return err
	}
	if err := s.flags(ctx, c); err != nil {
		return err
	}
	var config struct {
		Data struct {
			YAML string `json:"yaml"`
		} `json:"data"`
	}
	if err = c.Get(ctx, "/api/v1/status/config", nil, &config); err == nil {
		var read *settings
		if read, err = readSettings(config.Data.YAML); err == nil {
			s.settings = *read
		}
	} else if !answered(err) {
		return err
	}
	s.unsettled = err
	s.noOffsets = err == nil && withoutOffsets(version) // others than Prometheus have versions of their own, and show no configuration
	s.askedOthers = now
	return nil
}

// build finds out which version it is, and whether it is VictoriaMetrics: that answers, and tells nothing.
func (s *server) build(ctx context.Context, c Client) (string, error) {
	var answer struct {
		Data struct {
			Version string `json:"version"`
		} `json:"data"`
	}
	switch err := c.Get(ctx, "/api/v1/status/buildinfo", nil, &answer); {
	case err == nil:
		s.markers = answer.Data.Version == ""
		s.remote = s.markers
	case !answered(err):
		return "", err
	}
	return answer.Data.Version, nil
}

func (s *server) flags(ctx context.Context, c Client) error {
	s.maxSamples, s.lookback = defaultMaxSamples, defaultLookback.Milliseconds()
	s.sender = sender{resend: defaultResend.Milliseconds(), grace: defaultGrace.Milliseconds()}
	var answer struct {
		Data map[string]string `json:"data"`
	}
	if err := c.Get(ctx, "/api/v1/status/flags", nil, &answer); err != nil {
		if answered(err) {
			return nil
		}
		return err
	}
	if n, err := strconv.ParseInt(answer.Data["query.max-samples"], 10, 64); err == nil && n > 0 {
		s.maxSamples = n
	}
	if d, err := model.ParseDuration(answer.Data["query.lookback-delta"]); err == nil && d > 0 {
		s.lookback = time.Duration(d).Milliseconds()
	}
	if d, err := model.ParseDuration(answer.Data["rules.alert.resend-delay"]); err == nil {
		s.resend = time.Duration(d).Milliseconds()
	}
	if d, err := model.ParseDuration(answer.Data["rules.alert.for-grace-period"]); err == nil {
		s.grace = time.Duration(d).Milliseconds()
	}
	return nil
}

// answered says whether the server was there and only would not tell.
func answered(err error) bool {
	var status interface{ HTTPStatus() int }
	return errors.As(err, &status) && status.HTTPStatus() >= 400 && status.HTTPStatus() < 500 && status.HTTPStatus() != 429
}

// interval is the one of the rules that may have made an alert; 0 where there are none, or they differ.
func (s *server) interval(rules []Rule) int64 {
	iv := int64(0)
	for i, r := range rules {
		x := r.Interval
		if x == 0 {
			x = s.settings.evaluation
		}
		if i > 0 && x.Milliseconds() != iv {
			return 0
		}
		iv = x.Milliseconds()
	}
	return iv
}

// longest is the longest interval of a rule, within bounds: of those that it tells and of those that its samples showed.
func (s *server) longest(seen map[string]int64) int64 {
	longest := int64(0)
	for _, list := range s.rules {
		for _, r := range list {
			longest = max(longest, r.Interval.Milliseconds())
		}
	}
	for _, iv := range seen {
		longest = max(longest, iv)
	}
	if longest == 0 && !s.remote {
		longest = s.fallback()
	}
	return min(longest, hour)
}

// fallback is the interval where nothing tells.
func (s *server) fallback() int64 {
	if s.settings.evaluation > 0 {
		return s.settings.evaluation.Milliseconds()
	}
	return defaultEvaluation.Milliseconds()
}
