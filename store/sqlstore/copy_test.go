package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/test/servers"
)

// fillAll puts something into every table, more than one transaction of a copy into some.
func fillAll(t *testing.T, s *Store) {
	ctx, at := context.Background(), time.Unix(1.7e9, 5).UTC()
	var f incident.Facts
	for n := range int64(copiedRows + 700) {
		x := numbered(n).Sightings[0]
		x.Labels = map[string]string{"alertname": "Größe ☃ \"x\"\n"}
		f.Sightings = append(f.Sightings, x)
	}
	for n := range 40 {
		r := incident.Record{Source: "ours", ID: fmt.Sprint(n), Title: "Slow\x00 é", UpdatedAt: at, Services: []string{"checkout"}}
		if n%2 == 0 {
			r.Title = strings.Repeat("long ", 50_000)
		}
		newer := r
		newer.Title, newer.UpdatedAt, newer.Withdrawn = "Slower", at.Add(time.Hour), n%7 == 0
		f.Records = append(f.Records, r, newer)
		f.Beats = append(f.Beats, incident.Beat{Watchdog: "w", At: at.Add(time.Duration(n) * time.Minute)})
	}
	f.Reviews = []incident.Review{{ID: "1", At: at, By: "ann", Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started, Time: at}}
	f.Silences = []incident.Silence{{ID: "s", StartsAt: at, EndsAt: at.Add(time.Hour), UpdatedAt: at}}
	f.Mutes = []incident.MutedAlert{{Fingerprint: "not yet heard of", Mute: incident.Mute{By: "s", At: at}}}
	f.Lives, f.Senders = []incident.Life{{From: at, To: at.Add(time.Hour)}}, []incident.Sender{{Key: "k", URL: "http://am", Route: "{}", First: at}}
	f.Marks = []incident.Mark{{Source: "pager", Name: "cursor", Value: "é"}}
	_, err := s.Put(ctx, f, at)
	require.NoError(t, err)

	l, err := s.Changes(ctx, 0, 500)
	require.NoError(t, err)
	p := incident.Pass{Cursor: l[len(l)-1].Seq, Rules: "rules 1", Observed: []incident.Observed{{Incident: "r1", Seconds: map[string]float64{"detect": 1.0 / 3}}}}
	for n := range 50 {
		start := at.Add(time.Duration(n) * time.Hour)
		p.Incidents = append(p.Incidents, incident.Incident{
			ID: fmt.Sprint("r", n), Title: "Slow", Services: []string{"checkout", "search"}, Aliases: []string{fmt.Sprint("old", n)}, State: incident.StateOpen,
			Milestones: map[incident.MilestoneName]incident.Milestone{incident.Started: {Candidate: incident.Candidate{At: start, Origin: incident.OriginRecord}}},
		})
		p.Verdicts = append(p.Verdicts, incident.Verdict{
			Episode: incident.Episode{Fingerprint: fmt.Sprint("f", n), StartsAt: start, EndsAt: start.Add(time.Minute)}, Outcome: incident.OutcomeNone,
		})
	}
	require.NoError(t, s.Save(ctx, p))
}

// content is every row of every table.
func content(t *testing.T, d *database) map[string]string {
	t.Helper()
	conn, end, err := snapshot(t.Context(), d)
	require.NoError(t, err)
	defer end()
	all := map[string]string{}
	for _, table := range copiedTables {
		n, sum, err := checksum(t.Context(), conn, table)
		require.NoError(t, err)
		all[table.name] = fmt.Sprint(n, " ", sum)
	}
	return all
}

func contentOf(t *testing.T, dsn string) map[string]string {
	t.Helper()
	s, err := Open(t.Context(), dsn, Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	return content(t, s.db)
}

// databases makes empty databases of both kinds.
func databases(t *testing.T) (sqlite, postgres func() string) {
	server, n := servers.Postgres(t), 0
	name := func() string { n++; return fmt.Sprint("db", n) }
	return func() string { return "sqlite:" + filepath.Join(t.TempDir(), name()) }, func() string { return server.Database(name()) }
}

func TestCopy(t *testing.T) {
	ctx := context.Background()
	sqlite, postgres := databases(t)
	original := sqlite()
	s, err := Open(ctx, original, Options{})
	require.NoError(t, err)
	fillAll(t, s)
	want := content(t, s.db)
	for table, sum := range want {
		require.False(t, strings.HasPrefix(sum, "0 "), "%s has no rows to copy", table)
	}
	moved := postgres()
	_, err = Copy(ctx, original, moved, Options{})
	require.ErrorContains(t, err, "is in use by another Meantime")
	require.NoError(t, s.Close())

	t.Run("there and back", func(t *testing.T) {
		tables, err := Copy(ctx, original, moved, Options{})
		require.NoError(t, err)
		require.Equal(t, want, contentOf(t, moved))
		back := sqlite()
		again, err := Copy(ctx, moved, back, Options{})
		require.NoError(t, err)
		require.Equal(t, tables, again)
		require.Equal(t, want, contentOf(t, back))
		for _, x := range tables {
			require.Equal(t, x.Rows, x.Written, x.Name)
			require.Equal(t, want[x.Name], fmt.Sprint(x.Rows, " ", x.Checksum))
		}
	})

	// Wherever it is cut off, it goes on from there, and nothing opens the part meanwhile.
	for name, target := range map[string]string{"to SQLite": sqlite(), "to PostgreSQL": postgres()} {
		t.Run("interrupted "+name, func(t *testing.T) {
			runs, written := 0, map[string]int{}
			for {
				runs++
				cut, cancel := context.WithCancel(ctx)
				tables, err := copyStore(cut, original, target, Options{}, func(table string, rows int) {
					written[table] += rows
					cancel()
				})
				cancel()
				if err == nil {
					require.Len(t, tables, len(copiedTables))
					break
				}
				require.ErrorIs(t, err, context.Canceled)
				for _, readOnly := range []bool{false, true} {
					_, err = Open(ctx, target, Options{ReadOnly: readOnly})
					require.ErrorContains(t, err, "holds a part of a copy of "+strings.TrimPrefix(original, "sqlite:"))
					require.ErrorContains(t, err, "the same meantime copy again completes it")
				}
			}
			require.Greater(t, runs, len(copiedTables))
			require.Equal(t, want, contentOf(t, target))
			require.Equal(t, copiedRows+700, written["sightings"], "what was there was not written again")
		})
	}

	t.Run("the original goes on between", func(t *testing.T) {
		source, target := sqlite(), postgres()
		s, err := Open(ctx, source, Options{})
		require.NoError(t, err)
		fillAll(t, s)
		require.NoError(t, s.Close())
		cut, cancel := context.WithCancel(ctx)
		_, err = copyStore(cut, source, target, Options{}, func(table string, _ int) {
			if table == "verdicts" {
				cancel()
			}
		})
		require.ErrorIs(t, err, context.Canceled)
		cancel()
		s, err = Open(ctx, source, Options{})
		require.NoError(t, err)
		_, err = s.Put(ctx, numbered(-3), time.Now()) // new, before others
		require.NoError(t, err)
		f := numbered(7)
		f.Sightings[0].Alertmanagers = []string{"am"}
		_, err = s.Put(ctx, f, time.Now())
		require.NoError(t, err)
		for { // rows that go: among others, and all of a table
			n, err := s.Prune(ctx, time.Unix(1.7e9, 0).Add(24*time.Hour), 1000)
			require.NoError(t, err)
			if n == 0 {
				break
			}
		}
		require.NoError(t, s.alone(ctx, 1, func(x *session) error {
			_, err := x.exec("DELETE FROM silences")
			return err
		}))
		want := content(t, s.db)
		require.NoError(t, s.Close())
		_, err = Copy(ctx, source, target, Options{})
		require.NoError(t, err)
		require.Equal(t, want, contentOf(t, target))
	})

	t.Run("the original is not quiet", func(t *testing.T) {
		s, err := Open(ctx, moved, Options{})
		require.NoError(t, err)
		_, err = Copy(ctx, moved, sqlite(), Options{})
		require.ErrorContains(t, err, "is in use by another Meantime")
		_, err = Copy(ctx, original, moved, Options{})
		require.ErrorContains(t, err, "is in use by another Meantime")
		require.NoError(t, s.Close())

		// Something that does not look like a Meantime writes meanwhile.
		target := sqlite()
		other, err := Open(ctx, moved+"&application_name=psql", Options{})
		require.NoError(t, err)
		defer other.Close()
		_, err = copyStore(ctx, moved, target, Options{}, func(table string, _ int) {
			if table == "records" {
				if _, err := other.Put(ctx, numbered(1e6), time.Now()); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		})
		require.ErrorContains(t, err, "verify sightings: the original has 2701 rows")
		require.ErrorContains(t, err, "the copy 2700")
		_, err = Copy(ctx, moved, target, Options{})
		require.NoError(t, err)
		require.Equal(t, contentOf(t, moved), contentOf(t, target))
	})

	t.Run("not into something else", func(t *testing.T) {
		other := sqlite()
		s, err := Open(ctx, other, Options{})
		require.NoError(t, err)
		_, err = s.Put(ctx, incident.Facts{Beats: []incident.Beat{{Watchdog: "w", At: time.Now()}}}, time.Now())
		require.NoError(t, err)
		require.NoError(t, s.Close())
		before := contentOf(t, other)
		_, err = Copy(ctx, original, other, Options{})
		require.ErrorContains(t, err, "is not empty, it has beats; name an empty database to copy to")
		require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
		require.Equal(t, before, contentOf(t, other))
		_, err = Copy(ctx, original, original, Options{})
		require.ErrorContains(t, err, "in use")

		part := postgres()
		cut, cancel := context.WithCancel(ctx)
		_, err = copyStore(cut, original, part, Options{}, func(string, int) { cancel() })
		require.ErrorIs(t, err, context.Canceled)
		cancel()
		_, err = Copy(ctx, other, part, Options{})
		require.ErrorContains(t, err, "holds a part of a copy of "+strings.TrimPrefix(original, "sqlite:"))
		require.ErrorContains(t, err, "complete that one, or name an empty database")
		_, err = Copy(ctx, part, sqlite(), Options{})
		require.ErrorContains(t, err, "holds a part of a copy")

		_, err = Copy(ctx, "sqlite:"+filepath.Join(t.TempDir(), "none.db"), sqlite(), Options{})
		require.ErrorContains(t, err, "copy from: ")
		require.ErrorContains(t, err, "does not exist")
	})
}

// TestCopyHasEveryTable keeps a new table from being forgotten.
func TestCopyHasEveryTable(t *testing.T) {
	// Of whom is at work now, nothing is copied; the schema's versions are the program's own.
	left := []string{"goose_db_version", "lease", "passes"}
	s := openTest(t, filepath.Join(t.TempDir(), "store.db"))
	names, err := all(t.Context(), s, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", nil, scanText)
	require.NoError(t, err)
	for _, table := range copiedTables {
		left = append(left, table.name)
		columns, err := all(t.Context(), s, "SELECT name FROM pragma_table_info('"+table.name+"') WHERE pk > 0 ORDER BY pk", nil, scanText)
		require.NoError(t, err)
		require.Equal(t, columns, table.key, table.name)
	}
	slices.Sort(left)
	slices.Sort(names)
	require.Equal(t, names, left)
}

func scanText(r *sql.Rows) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
