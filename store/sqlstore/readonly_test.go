package sqlstore

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestReadOnlyBesideAWriter(t *testing.T) {
	ctx, dsn := context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "m.db")
	_, err := Open(ctx, dsn, Options{ReadOnly: true})
	require.ErrorContains(t, err, "does not exist")
	require.Equal(t, incident.CodeNotFound, incident.CodeOf(err))

	w, err := Open(ctx, dsn, Options{})
	require.NoError(t, err)
	record := incident.Facts{Records: []incident.Record{{Source: "a", ID: "1", Title: "x"}}}
	_, err = w.Put(ctx, record, time.Now())
	require.NoError(t, err)

	for _, running := range []bool{true, false} {
		if !running {
			require.NoError(t, w.Close())
		}
		r, err := Open(ctx, dsn, Options{ReadOnly: true})
		require.NoError(t, err)
		got, err := r.Record(ctx, incident.RecordKey{Source: "a", ID: "1"})
		require.NoError(t, err)
		require.Equal(t, "x", got.Title)
		_, err = r.Put(ctx, record, time.Now())
		require.EqualError(t, err, "the store was opened for reading")
		require.NoError(t, r.Close())
	}
}
