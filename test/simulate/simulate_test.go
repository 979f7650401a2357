package simulate

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	seed  = flag.Uint64("seed", 0, "run this seed alone; 0: others")
	runs  = flag.Int("runs", 4, "how many seeds, from 1")
	hours = flag.Float64("hours", 0, "run seeds for so long instead, others each time")
	story = flag.String("story", "", "a file for all that happened in the run of -seed")
)

// TestMain is there for one thing alone.
func TestMain(m *testing.M) {
	flag.Parse()
	// The runtime's goroutine for signals begins with the first who wants them, and must not belong to a simulated world.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGWINCH)
	os.Exit(m.Run())
}

// TestSimulate runs a few seeds. Whoever sees one fail runs it again with -seed.
func TestSimulate(t *testing.T) {
	begun, first := time.Now(), uint64(1)
	more := func(n int) bool { return n < *runs }
	if *hours > 0 {
		first, more = rand.Uint64()>>16, func(int) bool { return time.Since(begun).Hours() < *hours }
	}
	if *seed != 0 {
		first, more = *seed, func(n int) bool { return n < 1 }
	}
	n, calls, faults := 0, 0, map[string]int{}
	for ; more(n); n++ {
		one := first + uint64(n)
		out := simulate(t, one, sound, *story != "")
		calls += out.calls
		for k, v := range out.faults {
			faults[k] += v
		}
		if *story != "" {
			require.NoError(t, os.WriteFile(*story, []byte(strings.Join(out.trace, "\n")+"\n"), 0o600))
		}
		if len(out.broken) > 0 {
			t.Errorf("SEED=%d breaks:\n%s", one, strings.Join(out.broken[:min(len(out.broken), 8)], "\n"))
		}
		if *hours > 0 && n%50 == 49 {
			t.Logf("%d seeds from SEED=%d, %d calls to the store, %s", n+1, first, calls, time.Since(begun).Round(time.Second))
		}
	}
	t.Logf("%d seeds from SEED=%d: %d calls to the store in %s; faults: %v", n, first, calls, time.Since(begun).Round(time.Millisecond), faults)
}

// TestSameSeedSameRun runs a seed twice.
func TestSameSeedSameRun(t *testing.T) {
	const one = 7
	a, b := simulate(t, one, sound, true), simulate(t, one, sound, true)
	if a.sum != b.sum {
		i := 0
		for i < min(len(a.trace), len(b.trace)) && a.trace[i] == b.trace[i] {
			i++
		}
		from := max(0, i-5)
		t.Errorf("SEED=%d is another run the second time, from line %d:\n%s\n--\n%s", one, i, strings.Join(a.trace[from:min(len(a.trace), i+3)], "\n"), strings.Join(b.trace[from:min(len(b.trace), i+3)], "\n"))
	}
}

// TestFindsPlantedFaults shows that a run that breaks what it must is seen.
func TestFindsPlantedFaults(t *testing.T) {
	for name, p := range map[string]plant{"acknowledged before it is stored": plantAck, "a change is not told of": plantDirty, "a record is read as it was": plantStale} {
		t.Run(name, func(t *testing.T) {
			for n := range uint64(20) {
				if out := simulate(t, 1+n, p, false); len(out.broken) > 0 {
					t.Logf("found in seed %d: %s", 1+n, slices.Collect(strings.Lines(out.broken[0]))[0])
					return
				}
			}
			t.Error("20 seeds did not find it")
		})
	}
}
