package sqlstore

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// killEvery is how many steps apart the kills are; 1 is every step. Each kind of work has some hundreds of steps, and each kill
// takes two starts of a process.
var killEvery = flag.Int("kill-every", 13, "kill at every n-th step of what is killed")

// killer ends the process at its n-th step.
type killer struct{ left atomic.Int64 }

func (k *killer) step() {
	if k.left.Add(-1) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // until it is delivered
	}
}

func (k *killer) before(op fileOp) bool {
	if op.kind != opRead {
		k.step()
	}
	return false
}

// killedWork is what is killed. Each works in a directory that holds the store, and that the work of a killed one before it may
// have left in any state.
var killedWork = map[string]struct {
	prepare func(t *testing.T, path string) // nil: nothing is there
	work    func(ctx context.Context, path string) error
	check   func(t *testing.T, path string)
}{
	"first start": {
		work: func(ctx context.Context, path string) error {
			s, err := Open(ctx, "sqlite:"+path, Options{})
			if err == nil {
				_, err = s.Put(ctx, numbered(1), time.Now())
			}
			if err == nil {
				err = s.Close()
			}
			return err
		},
		check: func(t *testing.T, path string) { requireNumbered(t, path, 1) },
	},
	"backup": {
		prepare: prepareWritten,
		work: func(ctx context.Context, path string) error {
			_, err := Backup(ctx, "sqlite:"+path, path+"-backup")
			if err != nil && strings.Contains(err.Error(), "exists already") {
				return nil // the one that was killed had given it its name
			}
			return err
		},
		check: func(t *testing.T, path string) {
			requireNumbered(t, path+"-backup", 500)
			_, err := Backup(t.Context(), "sqlite:"+path, path+"-next")
			require.NoError(t, err)
			left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.meantime-part*"))
			require.NoError(t, err)
			require.Empty(t, left)
		},
	},
	"copy": {
		prepare: prepareWritten,
		work: func(ctx context.Context, path string) error {
			_, err := Copy(ctx, "sqlite:"+path, "sqlite:"+path+"-copy", Options{})
			if err != nil && strings.Contains(err.Error(), "is not empty") {
				return nil // the one that was killed had come to its end
			}
			return err
		},
		check: func(t *testing.T, path string) {
			require.Equal(t, contentOf(t, "sqlite:"+path), contentOf(t, "sqlite:"+path+"-copy"))
		},
	},
	"prune": {
		prepare: prepareJudged,
		work: func(ctx context.Context, path string) error {
			s, err := Open(ctx, "sqlite:"+path, Options{})
			for n := 1; n > 0 && err == nil; {
				n, err = s.Prune(ctx, time.Unix(1.7e9, 0).Add(90*time.Hour), 7)
			}
			if err == nil {
				err = s.Close()
			}
			return err
		},
		check: func(t *testing.T, path string) {
			s := openTest(t, path)
			l, err := s.Sightings(t.Context(), time.Time{}, time.Time{})
			require.NoError(t, err)
			st, err := s.Stats(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, len(l), st.Sightings)
			v, _, err := s.Verdicts(t.Context(), incident.VerdictQuery{Limit: 1000})
			require.NoError(t, err)
			require.Empty(t, v)
		},
	},
	"reset": {
		prepare: prepareJudged,
		work: func(ctx context.Context, path string) error {
			s, err := Open(ctx, "sqlite:"+path, Options{})
			for _, p := range killedParts() {
				if err == nil {
					err = s.Save(ctx, p)
				}
			}
			if err == nil {
				err = s.Close()
			}
			return err
		},
		check: func(t *testing.T, path string) {
			s := openTest(t, path)
			_, rules, err := s.Position(t.Context())
			require.NoError(t, err)
			require.Equal(t, "rules 2", rules)
			l, _, err := s.Incidents(t.Context(), incident.IncidentQuery{Limit: 100})
			require.NoError(t, err)
			require.Len(t, l, 20)
		},
	},
	"migration": {
		prepare: func(t *testing.T, path string) {
			copyOldStore(t, oldStores(t)[0], path)
		},
		work: func(ctx context.Context, path string) error {
			s, err := Open(ctx, "sqlite:"+path, Options{})
			if err == nil {
				err = s.Close()
			}
			return err
		},
		check: func(t *testing.T, path string) {
			said, err := os.ReadFile(oldStores(t)[0] + ".json")
			require.NoError(t, err)
			requireSaid(t, said, path)
		},
	},
}

func prepareWritten(t *testing.T, path string) { copyFile(t, written(t), path, 0o600) }

// prepareJudged is a store with episodes that no incident has, and with incidents.
func prepareJudged(t *testing.T, path string) {
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	at := time.Unix(1.7e9, 0).UTC()
	p := incident.Pass{Rules: "rules 1"}
	var f incident.Facts
	for n := range 40 {
		start := at.Add(time.Duration(n) * time.Hour)
		x := incident.Sighting{Fingerprint: fmt.Sprint("f", n), StartsAt: start, EndsAt: start.Add(time.Minute), ResolvedFirst: start.Add(time.Minute)}
		f.Sightings = append(f.Sightings, x)
		p.Verdicts = append(p.Verdicts, incident.Verdict{Episode: incident.Episodes([]incident.Sighting{x}, time.Hour, start.Add(time.Hour))[0], Outcome: incident.OutcomeNone})
		p.Incidents = append(p.Incidents, incident.Incident{ID: fmt.Sprint("r", n), Services: []string{"checkout"}, State: incident.StateOpen})
	}
	_, err = s.Put(t.Context(), f, at)
	require.NoError(t, err)
	l, err := s.Changes(t.Context(), 0, 1000)
	require.NoError(t, err)
	p.Cursor = l[len(l)-1].Seq
	require.NoError(t, s.Save(t.Context(), p))
	require.NoError(t, s.Close())
}

// killedParts are a pass in two parts under other rules.
func killedParts() (parts []incident.Pass) {
	at := time.Unix(1.7e9, 0).UTC()
	for part := 1; part <= 2; part++ {
		p := incident.Pass{Rules: "rules 2", Reset: true, Part: part, More: part == 1}
		for n := (part - 1) * 10; n < part*10; n++ {
			start := at.Add(time.Duration(n) * time.Hour)
			p.Incidents = append(p.Incidents, incident.Incident{ID: fmt.Sprint("r", n), Title: "again", Services: []string{"search"}, State: incident.StateOpen})
			p.Verdicts = append(p.Verdicts, incident.Verdict{
				Episode: incident.Episode{Fingerprint: fmt.Sprint("f", n), StartsAt: start, EndsAt: start.Add(time.Minute)}, Outcome: incident.OutcomeLinked, Incident: fmt.Sprint("r", n),
			})
		}
		parts = append(parts, p)
	}
	return parts
}

func requireNumbered(t *testing.T, path string, n int64) {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	st, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, n, st.Sightings)
	require.NoError(t, s.Close())
}

// workUntilKilled is the child: it does one kind of work and is killed at its n-th step.
func workUntilKilled(what string) {
	name, rest, _ := strings.Cut(what, "|")
	number, path, _ := strings.Cut(rest, "|")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		panic(err)
	}
	k := &killer{}
	k.left.Store(n)
	watched.once.Do(installWatched)
	watched.watchers[filepath.Dir(path)] = k
	failpoint = func(string) { k.step() }
	err = killedWork[name].work(context.Background(), path)
	fmt.Printf("%v after %d steps\n", err, n-k.left.Load())
}

// TestKilledAtEveryStep kills each kind of work at its first step on the file system, at its second, and so on. Whatever that leaves, the
// same again, or the next start, goes on from it.
func TestKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("every kill is a process of its own")
	}
	for name, w := range killedWork {
		t.Run(name, func(t *testing.T) {
			kills, prepared := 0, filepath.Join(t.TempDir(), "store.db")
			if w.prepare != nil {
				w.prepare(t, prepared)
			}
			for n := 1; ; n += *killEvery {
				path := filepath.Join(t.TempDir(), "store.db")
				if w.prepare != nil {
					copyFile(t, prepared, path, 0o600)
				}
				cmd := child(t, "killed", fmt.Sprint(name, "|", n, "|", path))
				out, err := cmd.Output()
				if err == nil {
					require.Contains(t, string(out), "<nil> after", "it came to its end")
					w.check(t, path)
					break
				}
				require.Equal(t, syscall.SIGKILL, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(), "%s: %v", out, err)
				kills++
				require.NoError(t, w.work(t.Context(), path), "again, after a kill at step %d", n)
				w.check(t, path)
			}
			t.Logf("%d kills", kills)
			require.Greater(t, kills, 2)
		})
	}
}
