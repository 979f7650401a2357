package web

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever stands in the address of a list, its filters are read or refused, and the links to other pages keep them.
func FuzzFilters(f *testing.F) {
	for _, s := range []string{"", "from=2026-01-02&to=2026-01-03", "from=soon", "service=a&service=b&cursor=x", "%zz", "a=%00&state=open", "cursor=&from=0001-01-01", "to=9999-12-31", "around=1767312000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		u := &url.URL{Path: "/incidents", RawQuery: query}
		was, from, to, err := readFilters(u.Query())
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, was.From == "" || from.Format("2006-01-02") == was.From)
		require.Equal(t, was.To == "", to.IsZero() && was.To == "")
		for _, link := range []string{older(u, "next"), newest(u)} {
			if link == "" {
				continue
			}
			v, err := url.Parse(link)
			require.NoError(t, err)
			require.Equal(t, "/incidents", v.Path)
			again, _, _, err := readFilters(v.Query())
			require.NoError(t, err)
			require.Equal(t, was, again)
		}
	})
}

// A dot of a dashboard stands up to one step of the axis after its incident began.
func TestAround(t *testing.T) {
	f, from, to, err := readFilters(url.Values{"around": {"1767317400000"}}) // 2026-01-02 01:30
	require.NoError(t, err)
	require.Equal(t, filters{From: "2026-01-01", To: "2026-01-02"}, f)
	require.Equal(t, "2026-01-01 to 2026-01-03", from.Format("2006-01-02")+" to "+to.Format("2006-01-02"))
	f, _, _, err = readFilters(url.Values{"around": {"1767317400000"}, "from": {"2025-05-05"}})
	require.NoError(t, err)
	require.Equal(t, filters{From: "2025-05-05"}, f, "what the form says counts")
	for _, wrong := range []string{"soon", "-1", "1e12", "99999999999999999"} {
		_, _, _, err = readFilters(url.Values{"around": {wrong}})
		require.ErrorContains(t, err, "around: not a time in milliseconds since 1970", wrong)
	}
}
