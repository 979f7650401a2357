package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/source"
)

func TestPlace(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		place      source.Place
		from, last time.Time
		next       string
		want       string
	}{
		{"a page, and more", source.Place{}, at, at.Add(time.Hour), "2", "0 2026-03-02T11:00:00Z"},
		{"a page of one second, and more", source.Place{}, at, at.Add(900 * time.Millisecond), "2", "0 2"},
		{"a further page of one second", source.Place{Since: at, Page: "2"}, at, at, "3", "0 2026-03-02T10:00:00Z 3"},
		{"beyond that second", source.Place{Since: at, Page: "3"}, at, at.Add(time.Second), "4", "0 2026-03-02T10:00:01Z"},
		{"an empty page, and more", source.Place{}, at, time.Time{}, "2", "0 2"},
		{"the end of a list", source.Place{Since: at}, at, at.Add(time.Hour), "", "1"},
		{"the end of the last", source.Place{List: 1}, at, at.Add(time.Hour), "", ""},
	} {
		require.Equal(t, c.want, c.place.After(c.from, c.last, c.next, 2), c.name)
	}
	// What earlier versions stored.
	require.Equal(t, source.Place{List: 3, Page: "7"}, source.ParsePlace("3 7"))
	require.Equal(t, source.Place{List: 0, Page: "https://a.example.org/?page=2"}, source.ParsePlace("0 https://a.example.org/?page=2"))
	require.Equal(t, source.Place{}, source.ParsePlace(""))
}

func TestPlaceIsReadAsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := source.Place{List: rapid.IntRange(0, 99).Draw(t, "list")}
		p.Page = rapid.SampledFrom([]string{"", "2", "https://a/b?c=d"}).Draw(t, "page")
		if rapid.Bool().Draw(t, "since") {
			p.Since = time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "at"), 0).UTC()
		}
		if got := source.ParsePlace(p.String()); got != p {
			t.Fatalf("%+v was read as %+v", p, got)
		}
	})
}
