package sqlstore

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/store"
	"meantime/store/storetest"
	"meantime/test/servers"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openTest(t, filepath.Join(t.TempDir(), "store.db")) })
}

func TestStorePostgres(t *testing.T) {
	// A schema for each test is much faster than a database. Whether commits are durable makes no difference to the suite.
	dsn := servers.Postgres(t).Database("store") + "&synchronous_commit=off"
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	n := 0
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		_, err := db.Exec(fmt.Sprint("CREATE SCHEMA test", n))
		require.NoError(t, err)
		s, err := Open(t.Context(), fmt.Sprint(dsn, "&search_path=test", n), Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		return s
	})
}

// openTest opens the store at path and closes it at the end of the test.
func openTest(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite:"+path, Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
