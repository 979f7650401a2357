package source

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// pauseUnsaid is how long a server is left alone that refuses for too many requests and does not say for how long.
	pauseUnsaid = time.Minute
	// longestHeld is how long a request waits within a poll for a pause to end. A longer one ends the poll, and the Runner
	// waits.
	longestHeld = 10 * time.Second
	// burst is how many requests may follow each other at once where a limit is known.
	burst = 5
	// epochSeconds is the least value that is a time and not a number of seconds to wait.
	epochSeconds = 1_000_000
)

// pace keeps a client polite: half of what the server documents as its limit, and nothing while it asks to be left alone.
type pace struct {
	limiter *rate.Limiter // nil: no bound
	mu      *sync.Mutex
	until   *time.Time // the server asked to be left alone so long
}

func newPace(perMinute float64) pace {
	p := pace{mu: &sync.Mutex{}, until: &time.Time{}}
	if perMinute > 0 {
		p.limiter = rate.NewLimiter(rate.Limit(perMinute/2/60), int(max(1, min(burst, perMinute/2))))
	}
	return p
}

// wait returns when a request may be made. A pause that is longer than a poll should sit through is a StatusError.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	left := time.Until(*p.until)
	p.mu.Unlock()
	if deadline, ok := ctx.Deadline(); left > longestHeld || (ok && left > time.Until(deadline)) {
		return &StatusError{Status: http.StatusTooManyRequests, Detail: "asked before to be left alone", After: left, Limited: true}
	}
	if left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	if p.limiter == nil {
		return nil
	}
	if err := p.limiter.Wait(ctx); err != nil && ctx.Err() == nil {
		return errNoTime
	} else if err != nil {
		return err
	}
	return nil
}

// errNoTime says that the time for a poll is over before the pace allows the next request.
var errNoTime = errors.New("there is no time left for it at the pace that the server allows; a longer timeout helps")

// took notes an answer: the attempts it needed, and for how long the server wants to be left alone.
func (p *pace) took(attempts, status int, h http.Header) {
	if p.limiter != nil && attempts > 1 {
		p.limiter.ReserveN(time.Now(), min(attempts-1, burst))
	}
	var d time.Duration
	switch {
	case limited(status, h):
		d = wanted(h, time.Now())
		if d == 0 {
			d = pauseUnsaid
		}
	case status < 300 && exhausted(h):
		d = wanted(h, time.Now())
	}
	if d > 0 {
		p.pause(d)
	}
}

// pause leaves the server alone for that long.
func (p *pace) pause(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := time.Now().Add(min(d, maxRetryAfter)); t.After(*p.until) {
		*p.until = t
	}
}

// limited says whether an answer is a refusal for too many requests. GitHub says it by 403.
func limited(status int, h http.Header) bool {
	switch status {
	case http.StatusTooManyRequests, 420: // Statuspage's
		return true
	case http.StatusForbidden:
		return exhausted(h) || h.Get("Retry-After") != ""
	}
	return false
}

// exhausted says whether no request is left before the limit's next period.
func exhausted(h http.Header) bool {
	for _, name := range []string{"RateLimit-Remaining", "X-RateLimit-Remaining"} {
		if v := strings.TrimSpace(h.Get(name)); v != "" && strings.Trim(v, "0") == "" {
			return true
		}
	}
	return false
}

// wanted is for how long a server wants to be left alone, the longest of what its headers say, at most maxRetryAfter.
// When they count is for the caller to know.
func wanted(h http.Header, now time.Time) time.Duration {
	longest := fromRetryAfter(h.Get("Retry-After"), now)
	for _, d := range []time.Duration{
		fromReset(h.Get("RateLimit-Reset"), now),
		fromReset(h.Get("X-RateLimit-Reset"), now),
		fromReset(h.Get("X-RateLimit-Period-In-Sec"), now), // Opsgenie's
	} {
		longest = max(longest, d)
	}
	return min(longest, maxRetryAfter)
}

// saidInBody makes a header of what incident.io says in the body of a refusal alone: until when it wants to be left alone.
func saidInBody(status int, h http.Header, body []byte) {
	var said struct {
		Limit struct {
			RetryAfter string `json:"retry_after"`
		} `json:"rate_limit"`
	}
	if limited(status, h) && h.Get("Retry-After") == "" && json.Unmarshal(body, &said) == nil && said.Limit.RetryAfter != "" {
		h.Set("Retry-After", strings.Replace(said.Limit.RetryAfter, "UTC", "GMT", 1))
	}
}

// fromRetryAfter reads Retry-After: seconds, or a date.
func fromRetryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(v); err == nil && n > 0 {
		return time.Duration(min(n, 1<<30)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// fromReset reads when a limit's period ends: in so many seconds (PagerDuty, Grafana), at a unix time in seconds (GitHub,
// GitLab, Rootly) or milliseconds, or at a time as in ISO 8601 (Jira).
func fromReset(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		switch {
		case n <= 0:
			return 0
		case n < epochSeconds:
			return time.Duration(n) * time.Second
		case n > 1e11:
			n /= 1000
		}
		return max(0, time.Unix(n, 0).Sub(now))
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, v); err == nil {
			return max(0, t.Sub(now))
		}
	}
	return 0
}
