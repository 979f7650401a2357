package incident

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is read as a time is read as the same time from what it is written as, in UTC; what is not says so.
func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"2006-01-02T15:04:05Z", "2024-07-18 08:57", "2024-07-18T08:57:00+02:00", "soon", "1721293020", "", "0000-01-01T00:00:00Z", "2006-01-02T15:04:60Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ParseTime(s)
		if err != nil {
			require.True(t, at.IsZero(), s)
			require.NotEmpty(t, err.Error())
			return
		}
		require.Equal(t, time.UTC, at.Location())
		again, err := ParseTime(at.Format(time.RFC3339Nano))
		if at.Year() > 0 && at.Year() < 10000 {
			require.NoError(t, err, s)
			require.True(t, at.Equal(again), s)
		}
	})
}
