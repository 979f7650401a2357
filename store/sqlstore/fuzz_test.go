package sqlstore

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// FuzzRows reads a feed, passes, a ledger and a position whose rows hold anything, as a damaged disk may have them: an answer or an
// error, and an error that names no more than the row.
func FuzzRows(f *testing.F) {
	for _, b := range []string{
		`[["sighting","a",1,2],["record","ours/1",0,0]]`, `{"incidents":["r1"],"episodes":[{"f":"a","s":1}],"beats":{"w":3}}`, `{"whole":true}`,
		`{"incident":"r1","seconds":{"detect":1.5}}`, `[{"from":"2026-01-02T03:04:05Z"}]`, `{"seconds":{"detect":1e999}}`, ``, `null`, `[`, "\x00",
	} {
		f.Add(b)
	}
	s, err := Open(context.Background(), "sqlite:"+filepath.Join(f.TempDir(), "store.db"), Options{})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, s.Close()) })
	f.Fuzz(func(t *testing.T, body string) {
		ctx := t.Context()
		require.NoError(t, s.alone(ctx, 1, func(x *session) error {
			for _, q := range []string{
				"INSERT INTO feed (seq, entries, earliest, body) VALUES (5, 5, 0, $1) ON CONFLICT (seq) DO UPDATE SET body = excluded.body",
				"INSERT INTO passes (number, body) VALUES (1, $1) ON CONFLICT (number) DO UPDATE SET body = excluded.body",
				"INSERT INTO observed (incident, body) VALUES ('r1', $1) ON CONFLICT (incident) DO UPDATE SET body = excluded.body",
				"UPDATE progress SET passes = 1, last_seq = 5, blind = $1 WHERE one = 1",
			} {
				if _, err := x.exec(q, body); err != nil {
					return err
				}
			}
			return nil
		}))
		_, _ = s.Changes(ctx, 0, 10)
		_, _ = s.Follow(ctx, 0)
		_, _ = s.Follow(ctx, -1)
		for o, err := range s.Ledger(ctx) {
			if err == nil && o.Incident != "" {
				_, err = observedRows([]incident.Observed{o})
				require.NoError(t, err, "what was read can be written")
			}
		}
	})
}

// FuzzDSN reads DSNs with mistakes in them: none panics, and no error tells the password.
func FuzzDSN(f *testing.F) {
	for _, c := range [][2]string{
		{"postgres://ann:", "@host:5432/db"}, {"postgres://ann:", "@host:port/db?sslmode=maybe"}, {"postgresql://", ""}, {"mysql://ann:", "@host/db"},
		{"postgres:password=", " port=x"}, {"postgres://ann@host/db?password=", "&connect_timeout=x"}, {"", ""}, {"postgres://ann:", "%zz@host"}, {"sqlite:", ""},
	} {
		f.Add(c[0], c[1])
	}
	const secret = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, before, after string) {
		dsn := before + secret + after
		k, path, err := kindOf(dsn)
		switch {
		case err != nil:
			if strings.Contains(before, ":") {
				require.NotContains(t, err.Error(), secret)
			}
		case k == kindSQLite:
			require.True(t, strings.HasSuffix(dsn, path))
			_, err := realPath(path)
			require.NoError(t, err)
		default:
			for _, d := range []string{dsn, named(dsn)} {
				if _, err := pgx.ParseConfig(d); err != nil {
					said := plainParseError(err)
					require.NotEmpty(t, said)
					if strings.HasPrefix(before, "postgres://ann:") && !strings.ContainsAny(before[len("postgres://ann:"):]+after, ":/?#[]@ '\\%") {
						require.NotContains(t, said, secret)
					}
				}
			}
		}
	})
}
