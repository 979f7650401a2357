package source_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/source"
	"meantime/source/jq"
	"meantime/source/sourcetest"
)

// listed is a connector whose pages a test makes.
type listed struct {
	pages  map[string]source.Page
	traits source.Traits
}

func (c *listed) Traits() source.Traits { return c.traits }

func (c *listed) Page(_ context.Context, a source.Ask) (source.Page, error) {
	return c.pages[a.Next], nil
}

func (c *listed) Map(it *source.Item) ([]incident.Record, error) {
	r, err := incident.DecodeRecord(it.Raw)
	return []incident.Record{r}, err
}

func said(id, title string, at time.Time) source.Item {
	raw, _ := json.Marshal(incident.Record{ID: id, Title: title, CreatedAt: at, UpdatedAt: at, Milestones: map[incident.MilestoneName]incident.Stated{"detected": {At: at}}})
	return source.Item{ID: id, Updated: at, Raw: raw}
}

func poller(c source.Connector, s source.PollerStore, change func(*source.PollerOptions)) *source.Poller {
	o := source.PollerOptions{Name: "v", Kind: "k", Connector: c, Store: s, Backfill: 24 * time.Hour}
	if change != nil {
		change(&o)
	}
	return source.NewPoller(o)
}

// A record that cannot be taken is refused alone, named, and forgotten once it can be.
func TestRefusedRecords(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	c := &listed{traits: source.Traits{NoMade: true}, pages: map[string]source.Page{"": {Items: []source.Item{
		said("good", "a", now.Add(-time.Hour)), said("future", "b", now.AddDate(10, 0, 0)), {ID: "odd", Raw: json.RawMessage(`[1]`)},
	}}}}
	s := sourcetest.NewStore()
	p := poller(c, s, nil)
	require.NoError(t, p.Poll(t.Context()))
	require.Len(t, s.Said(), 1)
	notes := strings.Join(p.Notes(), "\n")
	require.Contains(t, notes, "record future was refused: created_at: ")
	require.Contains(t, notes, "is later than now")
	require.Contains(t, notes, "record odd was refused: ")

	// After a restart it is still known; the time ahead moved no cursor, so that what changes now is seen.
	p = poller(c, s, nil)
	c.pages[""] = source.Page{Items: []source.Item{said("future", "b", now), said("odd", "c", now)}}
	require.NoError(t, p.Poll(t.Context()))
	require.Empty(t, p.Notes())
	require.Len(t, s.Said(), 3)
}

// What not everybody may see is left out, or read without its title; what became private is taken back.
func TestPrivate(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	c := &listed{traits: source.Traits{NoMade: true}, pages: map[string]source.Page{"": {Items: []source.Item{said("1", "secret deal", now)}}}}
	s := sourcetest.NewStore()
	p := poller(c, s, nil)
	require.NoError(t, p.Poll(t.Context()))
	require.Contains(t, s.Said()["1"], "secret deal")
	c.pages[""].Items[0].Private = true
	require.NoError(t, p.Poll(t.Context()))
	require.Equal(t, "withdrawn", s.Said()["1"])
	p = poller(c, s, func(o *source.PollerOptions) { o.Private = true })
	require.NoError(t, p.Poll(t.Context()))
	require.NotContains(t, s.Said()["1"], "secret")
	require.NotEqual(t, "withdrawn", s.Said()["1"])
}

// A text that is too long is shortened, and nothing is refused for it.
func TestLongTexts(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	c := &listed{traits: source.Traits{NoMade: true}, pages: map[string]source.Page{"": {Items: []source.Item{said("1", "ok", now)}}}}
	s := sourcetest.NewStore()
	program, err := jq.New(`.title = ("é" * 3000) | .services = [range(200) | tostring]`)
	require.NoError(t, err)
	p := poller(c, s, func(o *source.PollerOptions) { o.Map = program })
	// A program's own record is checked as one that a person writes: it is told.
	require.NoError(t, p.Poll(t.Context()))
	require.Contains(t, strings.Join(p.Notes(), " "), "title: 6000 bytes is more than the 2048 allowed")
	r := incident.Record{ID: "1", Title: strings.Repeat("é", 3000), Services: make([]string, 200)}
	for i := range r.Services {
		r.Services[i] = fmt.Sprint(i)
	}
	require.Equal(t, 101, r.Fit())
	r.Source = "v"
	require.NoError(t, r.Validate())
	require.True(t, strings.HasSuffix(r.Title, "…"))
}

// However the incidents lie in pages, whatever repeats, and wherever it stops in between, the same is stored.
func TestOrderOfPagesDoesNotMatter(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "incidents")
		order := rapid.Permutation(rapid.SliceOfN(rapid.IntRange(0, n-1), n, 3*n).Draw(t, "repeats")).Draw(t, "order")
		for i := range n {
			order = append(order, i)
		}
		c := &listed{traits: source.Traits{NoMade: true}, pages: map[string]source.Page{}}
		at := ""
		for i := 0; len(order) > 0; i++ {
			k := min(rapid.IntRange(0, 4).Draw(t, "size"), len(order))
			page := source.Page{}
			for _, j := range order[:k] {
				page.Items = append(page.Items, said(fmt.Sprint(j), fmt.Sprint("incident ", j), now.Add(time.Duration(j)*time.Second)))
			}
			if order = order[k:]; len(order) > 0 {
				page.Next = fmt.Sprint("p", i)
			}
			c.pages[at], at = page, page.Next
		}
		s := sourcetest.NewStore()
		stop := rapid.IntRange(0, 5).Draw(t, "stop")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		stored := 0
		s.Stored = func() {
			if stored++; stored == stop {
				cancel()
			}
		}
		_ = poller(c, s, nil).Poll(ctx)
		s.Stored = nil
		for range 20 {
			if poller(c, s, nil).Poll(context.Background()) == nil {
				break
			}
		}
		if len(s.Said()) != n {
			t.Fatalf("%d of %d are stored", len(s.Said()), n)
		}
		if s.Written() != n {
			t.Fatalf("%d were written %d times", n, s.Written())
		}
	})
}
