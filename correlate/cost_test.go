package correlate

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestRecordsThatLookAlikeCostNoSquare correlates records of one source that only their ids tell apart. Each is an incident, and
// four times as many cost about four times as much memory: where each pair was compared and put into words it was sixteen times.
func TestRecordsThatLookAlikeCostNoSquare(t *testing.T) {
	rules := DefaultRules()
	allocated := func(n int) uint64 {
		var f incident.Facts
		for i := range n {
			r := tells(fmt.Sprint(i), nil, 0, 60)
			r.Title = "t"
			f.Records = append(f.Records, r)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		res := Correlate(f, &rules, noon.Add(24*time.Hour))
		runtime.ReadMemStats(&after)
		require.Len(t, res.Incidents, n)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(10) // what is made once
	few, many := allocated(300), allocated(1200)
	t.Logf("300: %d kB, 1200: %d kB", few>>10, many>>10)
	require.Less(t, many, 8*few)
}
