package sqlstore

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// The tests' own binary, started with this variable, is another process that works on a store.
const childRole = "MEANTIME_SQLSTORE_CHILD"

func TestMain(m *testing.M) {
	role, path, ok := strings.Cut(os.Getenv(childRole), " ")
	switch {
	case !ok:
		os.Exit(m.Run())
	case role == "open":
		s, err := Open(context.Background(), "sqlite:"+path, Options{})
		if err == nil {
			_, err = s.Put(context.Background(), incident.Facts{Beats: []incident.Beat{{Watchdog: "child", At: time.Now()}}}, time.Now())
		}
		fmt.Printf("%v\n", err)
	case role == "read":
		_, err := Open(context.Background(), "sqlite:"+path, Options{ReadOnly: true})
		fmt.Printf("%v\n", err)
	case role == "killed":
		workUntilKilled(path)
	case role == "write":
		writeForEver(path)
	default:
		panic("unknown role " + role)
	}
}

// child is this binary as another process.
func child(t *testing.T, role, path string) *exec.Cmd {
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childRole+"="+role+" "+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// writeForEver puts sightings and records from several goroutines and prints the number of each after it is acknowledged.
func writeForEver(path string) {
	s, err := Open(context.Background(), "sqlite:"+path, Options{})
	if err != nil {
		panic(err)
	}
	st, err := s.Stats(context.Background())
	if err != nil {
		panic(err)
	}
	var mu sync.Mutex
	next := st.Sightings * 10 // beyond what was stored and not acknowledged
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				mu.Lock()
				n := next
				next++
				mu.Unlock()
				if _, err := s.Put(context.Background(), numbered(n), time.Now()); err != nil {
					panic(err)
				}
				mu.Lock()
				fmt.Println(n)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// numbered are facts that can be known again by their number.
func numbered(n int64) incident.Facts {
	at := time.Unix(1.7e9+n, 1).UTC()
	return incident.Facts{
		Sightings: []incident.Sighting{{Fingerprint: fmt.Sprint("f", n), StartsAt: at, FiringFirst: at, FiringLast: at}},
		Records:   []incident.Record{{Source: "ours", ID: fmt.Sprint("r", n), UpdatedAt: at}},
	}
}

// TestKilled kills a process in the middle of its writes. Everything it acknowledged is there afterwards, whole, and the
// feed tells of it.
func TestKilled(t *testing.T) {
	path := t.TempDir() + "/store.db"
	var acknowledged []int64
	for range 4 {
		cmd := child(t, "write", path)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines, count := bufio.NewScanner(out), 0
		for lines.Scan() {
			var n int64
			if _, err := fmt.Sscan(lines.Text(), &n); err != nil {
				break // the last line, cut off
			}
			acknowledged = append(acknowledged, n)
			if count++; count == 150 {
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait())
		require.GreaterOrEqual(t, count, 150)
	}

	s := openTest(t, path)
	ctx := context.Background()
	told := map[string]bool{}
	for after := int64(0); ; {
		page, err := s.Changes(ctx, after, 1000)
		require.NoError(t, err)
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			told[c.Key] = true
			after = c.Seq
		}
	}
	for _, n := range acknowledged {
		want := numbered(n)
		got, err := s.SightingsOf(ctx, []string{want.Sightings[0].Fingerprint})
		require.NoError(t, err)
		require.Equal(t, want.Sightings, got)
		_, err = s.Record(ctx, want.Records[0].Key())
		require.NoError(t, err)
		require.True(t, told[want.Sightings[0].Fingerprint])
		require.True(t, told[want.Records[0].Key().String()])
	}
	st, err := s.Stats(ctx)
	require.NoError(t, err)
	all, err := s.Sightings(ctx, time.Time{}, time.Time{})
	require.NoError(t, err)
	require.EqualValues(t, len(all), st.Sightings)
	require.Equal(t, st.Sightings, st.Records, "facts put together are there together")
	var check string
	require.NoError(t, s.db.read.QueryRow("PRAGMA integrity_check").Scan(&check))
	require.Equal(t, "ok", check)
}
