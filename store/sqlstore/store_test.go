package sqlstore

import (
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
	server := servers.Postgres(t)
	n := 0
	// Whether commits are durable makes no difference to the suite but in time.
	storetest.Run(t, func(t *testing.T) store.Store {
		n++
		s, err := Open(t.Context(), server.Database(fmt.Sprint("store", n))+"&synchronous_commit=off", Options{})
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
