package sqlstore

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"
)

// TestOldStores opens a store of every schema that there was, as a program of that time wrote it. It is migrated, says the same
// as it did then, and can be copied and written to.
func TestOldStores(t *testing.T) {
	newest, err := newestMigration(goose.DialectSQLite3)
	require.NoError(t, err)
	stores := oldStores(t)
	require.GreaterOrEqual(t, len(stores), int(newest)-1, "testdata/stores has one of every schema before this one: go test -run TestWriteStore -write-store, without the new migration")
	for n, name := range stores {
		require.Equal(t, fmt.Sprint("schema-", n+1), filepath.Base(name))
		t.Run(filepath.Base(name), func(t *testing.T) {
			said, err := os.ReadFile(name + ".json")
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "store.db")
			copyOldStore(t, name, path)
			if int64(n+1) < newest {
				_, err := Open(t.Context(), "sqlite:"+path, Options{ReadOnly: true})
				require.ErrorContains(t, err, fmt.Sprintf("is version %d and this program reads %d", n+1, newest))
			}
			requireSaid(t, said, path)
			requireSaid(t, said, path) // once it is migrated
			_, err = Copy(t.Context(), "sqlite:"+path, "sqlite:"+path+"-copy", Options{})
			require.NoError(t, err)
			requireSaid(t, said, path+"-copy")
			s := openTest(t, path)
			fillStore(t, s) // the same again merges
			s2, err := s.Stats(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 4, s2.Sightings)
		})
	}
}
