package app

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"meantime/correlate"
	"meantime/incident"
)

const (
	openingsOver  = 28 * 24 * time.Hour // alerts so old are looked at
	openingsAfter = 7 * 24 * time.Hour  // of alerts there must be before anything is said
	openingsEvery = time.Hour
	openingsAgain = time.Minute // while correlation has not worked out what the configuration says
)

// verdicts is the part of a store that tells which alerts may open an incident.
type verdicts interface {
	Position(ctx context.Context) (cursor int64, rules string, err error)
	EachVerdict(ctx context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error]
}

// openings notices that of weeks of alerts none may open an incident: the severities that the rules wait for are called
// otherwise, it may be.
type openings struct {
	store  verdicts
	rules  func() *correlate.Rules
	now    func() time.Time
	logger *slog.Logger
	note   atomic.Pointer[string]
}

// notes are what there is to say, in sentences without the last full stop.
func (o *openings) notes() []string {
	if n := o.note.Load(); n != nil {
		return []string{*n}
	}
	return nil
}

// run looks now and then until the context ends.
func (o *openings) run(ctx context.Context) error {
	for {
		next := openingsEvery
		if done, err := o.look(ctx); err != nil && ctx.Err() == nil {
			o.logger.Error("Whether any alert may open an incident is not known", "err", err)
		} else if !done {
			next = openingsAgain
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(next):
		}
	}
}

// look says whether it could be told. In an organisation whose alerts open incidents it reads few of them.
func (o *openings) look(ctx context.Context) (bool, error) {
	rules := o.rules()
	if len(rules.Open.Matchers) == 0 { // nobody wants any to
		o.note.Store(nil)
		return true, nil
	}
	if _, digest, err := o.store.Position(ctx); err != nil || digest != rules.Digest() {
		return false, err
	}
	now := o.now()
	alerts, first, severities := 0, now, map[string]int{}
	for v, err := range o.store.EachVerdict(ctx, now.Add(-openingsOver), now.Add(time.Hour)) {
		switch {
		case err != nil:
			return false, err
		case v.Opens:
			o.note.Store(nil)
			return true, nil
		case v.Outcome == incident.OutcomeWatchdog:
			continue
		}
		alerts++
		severities[v.Severity]++
		if v.Episode.StartsAt.Before(first) {
			first = v.Episode.StartsAt
		}
	}
	if now.Sub(first) < openingsAfter {
		o.note.Store(nil)
		return true, nil
	}
	seen := severitiesIn(severities)
	text := fmt.Sprintf("None of the %d alerts of the last weeks may open an incident. Their severities: %s. "+
		"correlate.open.matchers says which may", alerts, seen)
	if old := o.note.Swap(&text); old == nil {
		o.logger.Warn(
			"No alert of the last weeks may open an incident; correlate.open.matchers says which may", "alerts", alerts, "severities", seen,
		)
	}
	return true, nil
}

// mostSeverities are how many severities are named.
const mostSeverities = 8

// severitiesIn names severities, the most frequent first.
func severitiesIn(count map[string]int) string {
	list := slices.SortedFunc(maps.Keys(count), func(a, b string) int { return cmp.Or(count[b]-count[a], strings.Compare(a, b)) })
	var out []string
	for _, s := range list[:min(len(list), mostSeverities)] {
		out = append(out, fmt.Sprintf("%s (%d)", cmp.Or(s, "none"), count[s]))
	}
	if more := len(list) - len(out); more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}
