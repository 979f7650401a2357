package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// TestBitFlips changes a byte of a store, wherever: in the header, in an index, in the middle of a text. No byte makes
// the program fall over or begin anew. Either the store is refused, or a reading says that it is damaged, both with the
// file's name, or the change is in a text that is another one now: that a database without checksums cannot know.
func TestBitFlips(t *testing.T) {
	if testing.Short() {
		t.Skip("some hundred stores take their time")
	}
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "original.db")
	s, err := Open(ctx, "sqlite:"+path, Options{})
	require.NoError(t, err)
	for n := range int64(150) {
		_, err := s.Put(ctx, numbered(n), time.Unix(1.7e9, 0))
		require.NoError(t, err)
	}
	require.NoError(t, s.Save(ctx, incident.Pass{Cursor: 50, Incidents: []incident.Incident{{ID: "r1", Title: "Slow", State: incident.StateOpen}}}))
	require.NoError(t, s.Close())
	good, err := os.ReadFile(path)
	require.NoError(t, err)

	random := rand.New(rand.NewPCG(1, 2))
	refused, told, unseen := 0, 0, 0
	dir := t.TempDir()
	var places []int
	for at := range 100 { // the header of the file
		places = append(places, at)
	}
	for page := 0; page < len(good); page += 4096 { // the header of each page, and somewhere in it
		places = append(places, page+random.IntN(12), page+random.IntN(4096), page+random.IntN(4096))
	}
	for n, at := range places {
		bad := bytes.Clone(good)
		bad[at] ^= 1 << random.IntN(8)
		file := filepath.Join(dir, fmt.Sprint(n, ".db"))
		require.NoError(t, os.WriteFile(file, bad, 0o600))
		s, err := Open(ctx, "sqlite:"+file, Options{})
		if err != nil {
			refused++
			require.ErrorContains(t, err, file, "byte %d", at)
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, len(bad), len(after), "byte %d", at)
			continue
		}
		err = readAll(ctx, s)
		switch {
		case err == nil:
			unseen++
		default:
			told++
			require.NotEqual(t, incident.CodeUnavailable, incident.CodeOf(err), "byte %d: a second try does not help: %v", at, err)
		}
		_ = s.Close() // it may find the damage too
		require.NoError(t, os.RemoveAll(file))
	}
	t.Logf("%d refused at the start, %d told when read, %d not to be known", refused, told, unseen)
	require.Positive(t, refused)
	require.Positive(t, told)
	require.Positive(t, unseen)
}

// readAll reads everything there is, and has it correlated anew as far as a store is asked for that.
func readAll(ctx context.Context, s *Store) error {
	none := time.Time{}
	_, a := s.Sightings(ctx, none, none)
	records, b := s.Records(ctx, none, none)
	errs := []error{a, b}
	for _, r := range records {
		_, err := s.History(ctx, r.Key())
		errs = append(errs, err)
	}
	_, a = s.Reviews(ctx)
	_, b = s.Silences(ctx, none, none)
	_, c := s.Beats(ctx, none, none)
	_, d := s.Changes(ctx, 0, 100_000)
	_, e := s.IncidentsTouching(ctx, none, none)
	_, _, f := s.Verdicts(ctx, incident.VerdictQuery{Limit: 100_000})
	errs = append(errs, a, b, c, d, e, f)
	for _, err := range s.EachIncident(ctx, none) {
		errs = append(errs, err)
	}
	for _, err := range s.EachVerdict(ctx, none, none) {
		errs = append(errs, err)
	}
	for _, err := range s.Ledger(ctx) {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
