package app

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/correlate"
	"meantime/incident"
)

type someVerdicts struct {
	list   []incident.Verdict
	digest string
	err    error
}

func (s *someVerdicts) Position(context.Context) (int64, string, error) { return 1, s.digest, nil }

func (s *someVerdicts) EachVerdict(_ context.Context, from, to time.Time) iter.Seq2[incident.Verdict, error] {
	return func(yield func(incident.Verdict, error) bool) {
		for _, v := range s.list {
			if at := v.Episode.StartsAt; !at.Before(from) && !at.After(to) && !yield(v, nil) {
				return
			}
		}
		if s.err != nil {
			yield(incident.Verdict{}, s.err)
		}
	}
}

func TestNoAlertMayOpen(t *testing.T) {
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	rules := correlate.DefaultRules()
	alert := func(days float64, severity string, opens bool) incident.Verdict {
		return incident.Verdict{
			Episode: incident.Episode{StartsAt: now.Add(-time.Duration(days * 24 * float64(time.Hour)))}, Severity: severity, Opens: opens,
			Outcome: incident.OutcomeNone,
		}
	}
	dog := alert(20, "none", false)
	dog.Outcome = incident.OutcomeWatchdog
	const said = "None of the 3 alerts of the last weeks may open an incident. Their severities: ticket (2), none (1). correlate.open.matchers says which may"
	for _, c := range []struct {
		name   string
		list   []incident.Verdict
		digest string
		rules  func(*correlate.Rules)
		want   []string
		done   bool
	}{
		{name: "no alert", done: true},
		{name: "none of eight days may", list: []incident.Verdict{dog, alert(8, "ticket", false), alert(5, "ticket", false), alert(1, "", false)}, want: []string{said}, done: true},
		{name: "one of four weeks may", list: []incident.Verdict{alert(8, "ticket", false), alert(27, "critical", true)}, done: true},
		{name: "one of five weeks ago might", list: []incident.Verdict{alert(8, "ticket", false), alert(5, "ticket", false), alert(1, "", false), alert(35, "critical", true)}, want: []string{said}, done: true},
		{name: "it is too early to tell", list: []incident.Verdict{alert(6, "ticket", false), alert(5, "ticket", false)}, done: true},
		{name: "only a watchdog", list: []incident.Verdict{dog}, done: true},
		{name: "nobody wants any to", list: []incident.Verdict{alert(8, "ticket", false)}, rules: func(r *correlate.Rules) { r.Open.Matchers = nil }, done: true},
		{name: "correlation works still by other rules", list: []incident.Verdict{alert(8, "ticket", false)}, digest: "others"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rules
			if c.rules != nil {
				c.rules(&r)
			}
			var log bytes.Buffer
			store := &someVerdicts{list: c.list, digest: r.Digest()}
			if c.digest != "" {
				store.digest = c.digest
			}
			o := &openings{store: store, rules: func() *correlate.Rules { return &r }, now: func() time.Time { return now }, logger: slog.New(slog.NewTextHandler(&log, nil))}
			for range 2 { // it is logged once
				done, err := o.look(t.Context())
				require.NoError(t, err)
				require.Equal(t, c.done, done)
			}
			require.Equal(t, c.want, o.notes())
			require.Equal(t, len(c.want), bytes.Count(log.Bytes(), []byte("No alert of the last weeks may open an incident")))
			if len(c.want) > 0 {
				store.list = append(store.list, alert(0, "page", true))
				_, err := o.look(t.Context())
				require.NoError(t, err)
				require.Empty(t, o.notes(), "mended")
			}
		})
	}
	o := &openings{store: &someVerdicts{digest: rules.Digest(), err: errors.New("down")}, rules: func() *correlate.Rules { return &rules }, now: func() time.Time { return now }}
	_, err := o.look(t.Context())
	require.EqualError(t, err, "down")
}
