package source_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
	"meantime/source/jq"
	"meantime/source/sourcetest"
)

// forgetful is a connector of a vendor that forgets an acknowledgement.
type forgetful struct{ listed }

func (c *forgetful) Keep(r, stored *incident.Record) {
	if s, said := stored.Milestones[incident.Acknowledged]; said {
		source.Set(r, incident.Acknowledged, s.At, s.Evidence)
	}
}

// What is kept went through the configuration's map when it was stored, and does not go through it again with each poll.
func TestKeptIsNotMappedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().UTC().Add(-time.Hour)
		acked := said("1", "a", at)
		acked.Raw = fmt.Appendf(nil, `{"id":"1","title":"a","created_at":%q,"milestones":{"detected":%q,"acknowledged":%q}}`,
			at.Format(time.RFC3339), at.Format(time.RFC3339), at.Add(10*time.Minute).Format(time.RFC3339))
		c := &forgetful{listed{traits: source.Traits{NoMade: true}, pages: map[string]source.Page{"": {Items: []source.Item{acked}}}}}
		s := sourcetest.NewStore()
		earlier := func(minutes int, id string) *source.Poller {
			program, err := jq.New(fmt.Sprintf(`if .milestones.acknowledged
				then .milestones.acknowledged.at |= (fromdate - %d*60 | todate) else . end | .id = %q + .id`, minutes, id))
			require.NoError(t, err)
			return poller(c, s, func(o *source.PollerOptions) { o.Map = program })
		}
		p := earlier(1, "")
		acknowledged := func(id string) string {
			r, err := s.Record(t.Context(), incident.RecordKey{Source: "v", ID: id})
			require.NoError(t, err)
			return r.Milestones[incident.Acknowledged].At.Sub(at).String()
		}
		require.NoError(t, p.Poll(t.Context()))
		require.Equal(t, "9m0s", acknowledged("1"))
		for i := range 3 {
			c.pages[""].Items[0] = said("1", fmt.Sprint("b", i), at.Add(time.Duration(i+1)*time.Minute))
			time.Sleep(5 * time.Minute)
			require.NoError(t, p.Poll(t.Context()))
			require.Equal(t, "9m0s", acknowledged("1"), "it moves with each poll")
		}

		// A record is known by the id that map gave it.
		p = earlier(0, "x")
		c.pages[""].Items[0] = acked
		require.NoError(t, p.Poll(t.Context()))
		c.pages[""].Items[0] = said("1", "c", at.Add(20*time.Minute))
		require.NoError(t, p.Poll(t.Context()))
		require.Equal(t, "10m0s", acknowledged("x1"))
	})
}

// What another map made is not kept where the past is read anew.
func TestKeptOfAnotherMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().UTC().Add(-2 * time.Hour)
		it := said("1", "a", at)
		it.Made = at
		c := &forgetful{listed{pages: map[string]source.Page{"": {Items: []source.Item{it}}}}}
		s := sourcetest.NewStore()
		for _, kind := range []string{`.milestones.acknowledged = .milestones.detected`, `.`} {
			program, err := jq.New(kind)
			require.NoError(t, err)
			p := poller(c, s, func(o *source.PollerOptions) { o.Map, o.Kind = program, kind })
			require.NoError(t, p.Poll(t.Context()))
			r, err := s.Record(t.Context(), incident.RecordKey{Source: "v", ID: "1"})
			require.NoError(t, err)
			_, said := r.Milestones[incident.Acknowledged]
			require.Equal(t, kind != `.`, said, kind)
		}
	})
}

// paged is a connector of many pages by creation, which tells how it was asked and may be stopped.
type paged struct {
	listed
	count int
	asked []string
	fail  func() error
}

func (c *paged) Page(_ context.Context, a source.Ask) (source.Page, error) {
	if a.What == source.Changed {
		return source.Page{}, nil
	}
	if c.fail != nil {
		if err := c.fail(); err != nil {
			return source.Page{}, err
		}
	}
	var n int
	_, _ = fmt.Sscan(a.Next, &n)
	c.asked = append(c.asked, a.Next)
	page := source.Page{Items: []source.Item{said(fmt.Sprint(n), "a", a.To.Add(-time.Second))}}
	if n+1 < c.count {
		page.Next = fmt.Sprint(n + 1)
	}
	return page, nil
}

// A look at all incidents that the time of a poll or the server's limit cut short goes on with the next poll where it stopped.
func TestSweepGoesOn(t *testing.T) {
	for name, cut := range map[string]func(cancel func()) error{
		"the time is over": func(cancel func()) error { cancel(); return context.Canceled },
		"asked to be left alone": func(func()) error {
			return &source.StatusError{Status: http.StatusTooManyRequests, Limited: true, After: time.Minute}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const pages = 12
				c := &paged{listed: listed{traits: source.Traits{Vanishes: true, MadeSpan: 100 * 24 * time.Hour}}, count: pages}
				s := sourcetest.NewStore()
				p := poller(c, s, func(o *source.PollerOptions) { o.Backfill = 0 })
				require.NoError(t, p.Poll(t.Context()))
				time.Sleep(25 * time.Hour)
				polls := 0
				for more := true; more; polls++ {
					require.Less(t, polls, 20, "it never ends: %q", c.asked)
					ctx, cancel := context.WithCancel(t.Context())
					calls := 0
					c.fail = func() error {
						if calls++; calls > 3 {
							return cut(cancel)
						}
						return nil
					}
					var again *source.Again
					err := p.Poll(ctx)
					more = errors.As(err, &again)
					require.True(t, more || err == nil, err)
					cancel()
				}
				// 90 days are looked at in 30 at a time, with 12 pages each.
				require.Equal(t, 3*pages/3, polls)
				require.Len(t, c.asked, 3*pages, "pages were asked for again")
			})
		})
	}
	t.Run("no time for one page", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := &paged{listed: listed{traits: source.Traits{Vanishes: true}}, count: 2}
			p := poller(c, sourcetest.NewStore(), func(o *source.PollerOptions) { o.Backfill = 0 })
			require.NoError(t, p.Poll(t.Context()))
			time.Sleep(25 * time.Hour)
			ctx, cancel := context.WithCancel(t.Context())
			c.fail = func() error { cancel(); return context.Canceled }
			var again *source.Again
			require.False(t, errors.As(p.Poll(ctx), &again), "it would be asked again at once, for ever")
		})
	})
}
