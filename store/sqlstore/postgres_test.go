package sqlstore

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/store"
	"meantime/test/servers"
)

func TestPostgresRefusals(t *testing.T) {
	for dsn, want := range map[string]string{
		"postgres://ann:hunter2@127.0.0.1:1/db?connect_timeout=1":          "postgres database db on 127.0.0.1:1: cannot connect",
		"postgres://ann:hunter2@127.0.0.1:port/db":                         "postgres: ",
		"postgres://ann:hunter2@127.0.0.1/db?sslmode=perhaps":              "sslmode is invalid",
		"postgresql://ann:hunter2@127.0.0.1:1/db?target_session_attrs=any": "cannot connect",
		"postgres://ann:hunter2@127.0.0.1:1,127.0.0.1:2/db":                "postgres database db on 127.0.0.1:1, 127.0.0.1:2: cannot connect",
		"postgres://ann:hunter2%zz@127.0.0.1/db":                           "postgres: ",
		"postgres://ann:hunter2@127.0.0.1/db?target_session_attrs=primal":  "target_session_attrs",
		"postgres://ann:hunter2@127.0.0.1/db?sslrootcert=/no/such/file":    "unable to read CA file",
	} {
		_, err := Open(t.Context(), dsn, Options{})
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestPostgres(t *testing.T) {
	server := servers.Postgres(t)
	open := func(t *testing.T, dsn string) *Store {
		s, err := Open(t.Context(), dsn, Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	}
	ctx := context.Background()

	t.Run("newer database", func(t *testing.T) {
		dsn := server.Database("newer")
		s := open(t, dsn)
		_, err := s.db.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, true)")
		require.NoError(t, err)
		_, err = Open(ctx, dsn, Options{})
		require.ErrorContains(t, err, "postgres database newer on 127.0.0.1:")
		require.ErrorContains(t, err, "its schema is version 999 and this program knows up to")
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
	})

	t.Run("no such database", func(t *testing.T) {
		_, err := Open(ctx, server.Database("some")+"&dbname=none", Options{})
		require.ErrorContains(t, err, "there is no such database; create it, as with createdb: ")
		require.ErrorContains(t, err, `database "none" does not exist`)
	})

	t.Run("wrong password", func(t *testing.T) {
		dsn := server.Locked("locked", "ann", "hunter2")
		require.NoError(t, open(t, dsn).Ping(ctx))
		_, err := Open(ctx, strings.Replace(dsn, "hunter2", "hunter3", 1), Options{})
		require.ErrorContains(t, err, "postgres database locked on 127.0.0.1:")
		require.ErrorContains(t, err, "the server does not let this user in; check user, password and pg_hba.conf: ")
		require.NotContains(t, err.Error(), "hunter")
	})

	// refused waits until the old password is: the connections that were open are ended first, and a question may meet one.
	refused := func(s *Store) {
		require.Eventually(t, func() bool {
			err := s.Ping(ctx)
			return err != nil && strings.Contains(err.Error(), "check user, password and pg_hba.conf: ")
		}, 30*time.Second, 20*time.Millisecond)
	}

	t.Run("another password", func(t *testing.T) {
		dsn := server.Locked("replaced", "bob", "hunter2")
		now := dsn
		s, err := Open(ctx, dsn, Options{DSN: func() string { return now }})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		server.SetPassword("bob", "hunter3")
		refused(s)
		now = strings.Replace(server.Database("elsewhere"), "meantime@", "bob:hunter3@", 1)
		require.Error(t, s.Ping(ctx), "another database is not gone to")
		now = strings.Replace(dsn, "hunter2", "hunter3", 1)
		require.NoError(t, s.Ping(ctx))
		_, err = s.Put(ctx, numbered(1), time.Now())
		require.NoError(t, err)
	})

	t.Run("another password in a password file", func(t *testing.T) {
		dsn := server.Locked("passfile", "eve", "hunter2")
		file := filepath.Join(t.TempDir(), "pgpass")
		write := func(password string) {
			require.NoError(t, os.WriteFile(file, []byte("*:*:*:eve:"+password+"\n"), 0o600))
		}
		write("hunter2")
		s := open(t, strings.Replace(dsn, ":hunter2@", "@", 1)+"&passfile="+url.QueryEscape(file))
		require.NoError(t, s.Ping(ctx))
		server.SetPassword("eve", "hunter3")
		refused(s)
		write("hunter3")
		require.NoError(t, s.Ping(ctx))
	})

	t.Run("not allowed", func(t *testing.T) {
		owner := open(t, server.Locked("owned", "owner", "hunter2"))
		_, err := owner.db.write.Exec("CREATE ROLE guest LOGIN")
		require.NoError(t, err)
		_, err = Open(ctx, strings.Replace(server.DSN("owned"), "meantime@", "guest@", 1), Options{})
		require.ErrorContains(t, err, "the user may not do that; Meantime's user must own its tables: ")
	})

	t.Run("read only", func(t *testing.T) {
		dsn := server.Database("readonly")
		_, err := Open(ctx, dsn, Options{ReadOnly: true})
		require.Error(t, err, "nothing to read yet")
		s := open(t, dsn)
		_, err = s.Put(ctx, numbered(1), time.Now())
		require.NoError(t, err)
		r, err := Open(ctx, dsn, Options{ReadOnly: true})
		require.NoError(t, err)
		defer r.Close()
		l, err := r.SightingsOf(ctx, []string{"f1"})
		require.NoError(t, err)
		require.Len(t, l, 1)
		_, err = r.Put(ctx, numbered(1), time.Now())
		require.Error(t, err)
	})

	t.Run("connection lost", func(t *testing.T) {
		s := open(t, server.Database("lost"))
		for n := range int64(5) {
			_, err := s.Put(ctx, numbered(n), time.Now())
			require.NoError(t, err, "a connection that broke while nobody used it is replaced")
			_, err = s.db.read.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost' AND pid <> pg_backend_pid()")
			require.NoError(t, err)
		}
		// One that breaks in the middle fails what was under way, which then can be tried again.
		err := s.alone(ctx, 1, func(x *session) error {
			if _, err := x.exec("INSERT INTO beats (watchdog, at) VALUES ($1, $2)", "w", 1); err != nil {
				return err
			}
			if _, err := s.db.read.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost' AND pid <> pg_backend_pid()"); err != nil {
				return err
			}
			_, err := x.exec("INSERT INTO beats (watchdog, at) VALUES ($1, $2)", "w", 2)
			return err
		})
		require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err), "%v", err)
		require.NoError(t, s.Ping(ctx))
		beats, err := s.Beats(ctx, time.Time{}, time.Time{})
		require.NoError(t, err)
		require.Empty(t, beats)
	})

	t.Run("what other replicas do", func(t *testing.T) {
		dsn := server.Database("listen")
		here, there := open(t, dsn), open(t, dsn)
		ctx, cancel := context.WithCancel(ctx)
		told, ended := make(chan store.Event, 100), make(chan error)
		go func() { ended <- here.Listen(ctx, func(e store.Event) { told <- e }) }()
		expect := func(want store.Event) {
			t.Helper()
			select {
			case got := <-told:
				require.Equal(t, want, got)
			case <-time.After(time.Minute):
				t.Fatalf("not told of %s", want)
			}
		}
		expect(store.EventGap)
		for n := range int64(3) {
			_, err := there.Put(ctx, numbered(n), time.Now())
			require.NoError(t, err)
			expect(store.EventFacts)
			_, err = there.Put(ctx, numbered(n), time.Now())
			require.NoError(t, err, "nothing that counts is new, so nobody is told")
			require.NoError(t, there.Save(ctx, incident.Pass{Token: 2 * n}))
			expect(store.EventPass)
			_, err = there.Acquire(ctx, "there", time.Hour)
			require.NoError(t, err)
			require.Error(t, there.Save(ctx, incident.Pass{Token: 2*n + 100}), "refused, so nobody is told")
			require.NoError(t, there.Release(ctx, "there"))
			expect(store.EventLease)
			l, err := here.Acquire(ctx, "here", time.Hour)
			require.NoError(t, err)
			require.Equal(t, 2*n+2, l.Token)
			require.NoError(t, here.Release(ctx, "here"))
			expect(store.EventLease)
			// The connection breaks, and what is told meanwhile is lost.
			_, err = there.db.read.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'listen' AND pid <> pg_backend_pid()")
			require.NoError(t, err)
			expect(store.EventGap)
		}
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})

	t.Run("frozen in the middle", func(t *testing.T) {
		// One that begins a transaction and is heard of no more holds up the others for a while, and not for ever.
		dsn := server.Database("frozen")
		other, frozen := open(t, dsn), open(t, dsn+"&idle_in_transaction_session_timeout=2s")
		begun, thaw, ended := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			ended <- frozen.alone(ctx, 1, func(x *session) error {
				close(begun)
				<-thaw
				_, err := x.exec("INSERT INTO beats (watchdog, at) VALUES ($1, $2)", "w", 1)
				return err
			})
		}()
		<-begun
		_, err := other.Put(ctx, numbered(1), time.Now())
		require.NoError(t, err)
		close(thaw)
		require.Equal(t, incident.CodeUnavailable, incident.CodeOf(<-ended))
		require.NoError(t, frozen.Ping(ctx))
	})

	t.Run("several replicas", func(t *testing.T) {
		dsn := server.Database("replicas")
		var replicas [3]*Store
		var opened sync.WaitGroup
		for n := range replicas { // all at once, each would migrate
			opened.Go(func() {
				s, err := Open(ctx, dsn, Options{})
				if err != nil {
					t.Errorf("open: %v", err)
				}
				replicas[n] = s
			})
		}
		opened.Wait()
		require.False(t, t.Failed())
		defer func() {
			for _, s := range replicas {
				require.NoError(t, s.Close())
			}
		}()
		// Each tells another part of the same sightings, while one follows the feed.
		const each = 120
		var wg sync.WaitGroup
		kinds := make([][]incident.MergeKind, len(replicas))
		for r, s := range replicas {
			wg.Go(func() {
				var mu sync.Mutex
				var inner sync.WaitGroup
				for n := range int64(each) {
					inner.Go(func() {
						f := numbered(n)
						f.Sightings[0].Alertmanagers = []string{fmt.Sprint("am", r)}
						receipt, err := s.Put(ctx, f, time.Now())
						if err != nil {
							t.Errorf("put: %v", err)
							return
						}
						mu.Lock()
						kinds[r] = append(kinds[r], receipt.Sightings...)
						mu.Unlock()
					})
				}
				inner.Wait()
			})
		}
		written := make(chan struct{})
		go func() { wg.Wait(); close(written) }()
		after, told, last := int64(0), map[string]int{}, false
		for {
			page, err := replicas[0].Changes(ctx, after, 50)
			require.NoError(t, err)
			for _, c := range page {
				require.Greater(t, c.Seq, after)
				after = c.Seq
				told[c.Key]++
			}
			if len(page) == 0 && last {
				break
			}
			select {
			case <-written:
				last = true
			default:
			}
		}
		count := map[incident.MergeKind]int{}
		for _, l := range kinds {
			for _, k := range l {
				count[k]++
			}
		}
		require.Equal(t, map[incident.MergeKind]int{incident.MergeNew: each, incident.MergeDuplicate: 2 * each}, count)
		for n := range each {
			require.Equal(t, 3, told[fmt.Sprint("f", n)])
			require.Equal(t, 1, told[fmt.Sprint("ours/r", n)])
		}
		all, err := replicas[2].Sightings(ctx, time.Time{}, time.Time{})
		require.NoError(t, err)
		require.Len(t, all, each)
		for _, x := range all {
			require.Equal(t, []string{"am0", "am1", "am2"}, x.Alertmanagers)
		}
	})
}
