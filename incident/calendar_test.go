package incident

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func support(t require.TestingT) *Calendar {
	c, err := NewCalendar("support", "Europe/London", []string{"mon-fri 10:00-17:00"}, []string{"2026-12-25"})
	require.NoError(t, err)
	return c
}

func TestCalendar(t *testing.T) {
	c := support(t)
	for _, x := range []struct{ name, from, to, want string }{
		{"a whole day, winter", "2026-02-24T07:32:00Z", "2026-02-24T17:07:00Z", "7h0m0s"},
		{"until an hour of the afternoon in summer time, one hour from UTC", "2026-04-15T06:15:00Z", "2026-04-15T14:09:00Z", "5h9m0s"},
		{"over four days of summer time", "2026-04-13T14:53:00Z", "2026-04-16T15:13:00Z", "21h20m0s"},
		{"over the weekend on which summer time begins", "2026-03-27T16:00:00Z", "2026-03-30T10:00:00Z", "2h0m0s"},
		{"over the one on which it ends", "2026-10-23T15:00:00Z", "2026-10-26T11:00:00Z", "2h0m0s"},
		{"a holiday", "2026-12-24T16:00:00Z", "2026-12-28T11:00:00Z", "2h0m0s"},
		{"a night", "2026-02-24T20:00:00Z", "2026-02-25T06:00:00Z", "0s"},
		{"inside", "2026-02-24T12:00:00Z", "2026-02-24T12:00:01Z", "1s"},
		{"nothing", "2026-02-24T12:00:00Z", "2026-02-24T12:00:00Z", "0s"},
	} {
		require.Equal(t, x.want, c.Between(moment(x.from), moment(x.to)).String(), x.name)
	}
	night, err := NewCalendar("n", "UTC", []string{"sat-mon 00:00-06:00", "sat 05:00-24:00", "sun 00:00-24:00"}, nil)
	require.NoError(t, err)
	require.Equal(t, 54*time.Hour, night.Between(moment("2026-02-27T00:00:00Z"), moment("2026-03-03T00:00:00Z")), "what overlaps counts once")
	always, err := NewCalendar("a", "Europe/London", []string{"sun-sat 00:00-24:00"}, nil)
	require.NoError(t, err)
	require.Equal(t, 25*time.Hour, always.Between(moment("2026-10-24T23:00:00Z"), moment("2026-10-26T00:00:00Z")),
		"the day on which the clock is put back")
}

func TestCalendarMistakes(t *testing.T) {
	for _, x := range []struct {
		zone           string
		week, holidays []string
		want           string
	}{
		{"London", []string{"mon 10:00-17:00"}, nil, `unknown zone "London"; write it like Europe/London`},
		{"UTC", nil, nil, "no hours; write them like mon-fri 10:00-17:00"},
		{"UTC", []string{"mon-fry 10:00-17:00"}, nil, `hours "mon-fry 10:00-17:00"; write them like`},
		{"UTC", []string{"mon 17:00-10:00"}, nil, `hours "mon 17:00-10:00"`},
		{"UTC", []string{"mon 9:00-10:00"}, nil, `hours "mon 9:00-10:00"`},
		{"UTC", []string{"mon 09:00"}, nil, `hours "mon 09:00"`},
		{"UTC", []string{"10:00-17:00"}, nil, `hours "10:00-17:00"`},
		{"UTC", []string{"mon 10:00-17:00"}, []string{"25.12."}, `holiday "25.12." is not a day; write it like 2026-12-25`},
	} {
		_, err := NewCalendar("x", x.zone, x.week, x.holidays)
		require.ErrorContains(t, err, x.want)
	}
}

// TestCalendarLaws: what a stretch holds is what its parts hold, and never more than it is long.
func TestCalendarLaws(t *testing.T) {
	c := support(t)
	rapid.Check(t, func(t *rapid.T) {
		at := func(name string) time.Time {
			return moment("2026-03-20T00:00:00Z").Add(time.Duration(rapid.Int64Range(0, int64(300*24*time.Hour)).Draw(t, name)))
		}
		a, b, m := at("a"), at("b"), at("m")
		if b.Before(a) {
			a, b = b, a
		}
		if m.Before(a) || m.After(b) {
			return
		}
		require.Equal(t, c.Between(a, b), c.Between(a, m)+c.Between(m, b))
		require.LessOrEqual(t, c.Between(a, b), b.Sub(a))
		require.GreaterOrEqual(t, c.Between(a, b), time.Duration(0))
	})
}
