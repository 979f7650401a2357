package servers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScrape(t *testing.T) {
	text := "# HELP up Whether.\n# TYPE up gauge\nup{a=\"b c\"} 1\n\ndown 0\n"
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}))
	t.Cleanup(s.Close)
	e, err := Scrape(s.URL)
	require.NoError(t, err)
	require.Equal(t, Exposition{`up{a="b c"}`: "1", "down": "0"}, e)
	require.Equal(t, Exposition{"down": "0"}, e.Keep(func(series string) bool { return series == "down" }))
	require.Len(t, e, 2)

	text = "alone\n"
	_, err = Scrape(s.URL)
	require.EqualError(t, err, `no series with a value: "alone"`)
	status = http.StatusServiceUnavailable
	_, err = Scrape(s.URL)
	require.ErrorContains(t, err, "status 503: alone")
}

func TestDifference(t *testing.T) {
	same := func(want, got string) bool { return strings.EqualFold(want, got) }
	want := Exposition{"a": "nan", "b": "1"}
	for _, c := range []struct {
		name string
		got  Exposition
		says string
	}{
		{"the same", Exposition{"a": "nan", "b": "1"}, ""},
		{"the same as same sees it", Exposition{"a": "NaN", "b": "1"}, ""},
		{"a value", Exposition{"a": "nan", "b": "2"}, "b is 2, not 1"},
		{"one too few", Exposition{"a": "nan"}, "missing b 1"},
		{"one too many", Exposition{"a": "nan", "b": "1", "c": "3"}, "extra c 3"},
		{"another name", Exposition{"a": "nan", "c": "1"}, "missing b 1\nextra c 1"},
		{"nothing", nil, "missing a nan\nmissing b 1"},
	} {
		require.Equal(t, c.says, Difference(want, c.got, same), c.name)
	}
	many := Exposition{}
	for i := range 12 {
		many[fmt.Sprint("m", i)] = "1"
	}
	require.True(t, strings.HasSuffix(Difference(many, nil, same), "\nand 2 more"))
}

// TestList reads a list of three pages, in its order.
func TestList(t *testing.T) {
	pages := map[string]string{
		"":    `{"things": [1, 2], "next": "a&b"}`,
		"a&b": `{"things": [3], "next": "c"}`,
		"c":   `{"things": [4]}`,
		"d":   `{"things": ["x"]}`,
	}
	first := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cursor := r.URL.Query().Get("cursor")
		if cursor == "" {
			cursor = first
		}
		fmt.Fprint(w, pages[cursor])
	}))
	t.Cleanup(s.Close)
	m := &MeantimeServer{URL: s.URL}
	all, err := List[int](m, "things")
	require.NoError(t, err)
	require.Equal(t, []int{1, 2, 3, 4}, all)
	first = "d"
	_, err = List[int](m, "things")
	require.ErrorContains(t, err, "things: ")
}
