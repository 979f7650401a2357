package incident

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestEffective(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	mark := func(id string, hour int) Review {
		return Review{ID: id, At: day.Add(time.Duration(hour) * time.Hour), Action: ReviewMark, Incident: "i"}
	}
	withdraw := func(id string, hour int, other string) Review {
		return Review{ID: id, At: day.Add(time.Duration(hour) * time.Hour), Action: ReviewWithdraw, Other: other}
	}
	for name, c := range map[string]struct {
		reviews []Review
		want    []string
	}{
		"one":                    {[]Review{mark("a", 1)}, []string{"a"}},
		"withdrawn":              {[]Review{mark("a", 1), withdraw("b", 2, "a")}, []string{"b"}},
		"a withdrawal withdrawn": {[]Review{mark("a", 1), withdraw("b", 2, "a"), withdraw("c", 3, "b")}, []string{"a", "c"}},
		"and that one too":       {[]Review{mark("a", 1), withdraw("b", 2, "a"), withdraw("c", 3, "b"), withdraw("d", 4, "c")}, []string{"b", "d"}},
		"two withdrawals, one of them taken back": {[]Review{mark("a", 1), withdraw("b", 2, "a"), withdraw("c", 3, "a"), withdraw("d", 4, "b")}, []string{"c", "d"}},
		"two that name each other":                {[]Review{withdraw("a", 1, "b"), withdraw("b", 2, "a")}, []string{"b"}},
		"itself":                                  {[]Review{withdraw("a", 1, "a")}, nil},
		"dated before what it withdraws":          {[]Review{mark("a", 5), withdraw("b", 1, "a")}, []string{"b"}},
		"of nothing that is known":                {[]Review{withdraw("b", 1, "x")}, []string{"b"}},
		"at one moment":                           {[]Review{mark("a", 1), withdraw("b", 1, "a"), withdraw("c", 1, "b")}, []string{"a", "c"}},
	} {
		t.Run(name, func(t *testing.T) {
			ids := func(rs []Review) []string {
				var out []string
				for _, r := range rs {
					out = append(out, r.ID)
				}
				return out
			}
			require.Equal(t, c.want, ids(Effective(c.reviews)))
			rapid.Check(t, func(rt *rapid.T) {
				require.Equal(rt, c.want, ids(Effective(rapid.Permutation(c.reviews).Draw(rt, "order"))))
			})
		})
	}
}
