package sqlstore

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/store"
	"meantime/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openTest(t, filepath.Join(t.TempDir(), "store.db")) })
}

func TestStorePostgres(t *testing.T) {
	t.Parallel() // it waits for its database more than it works
	schemas := newSchemas(t)
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := Open(t.Context(), schemas.next(t), Options{})
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
