package history

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorded is what a real server answered about its past, as test/e2e wrote it down (make recordings), and the alerts that
// Alertmanager was told of meanwhile, an end that was only its patience left out.
type recorded struct {
	Now     time.Time
	Answers map[string]struct {
		Status int
		Body   json.RawMessage
	}
	Want []struct {
		Name, Fingerprint string
		Start             time.Time
		End               time.Time
	}
}

func (r *recorded) Base() string { return "http://recorded" }

func (r *recorded) Get(_ context.Context, path string, q url.Values, out any) error {
	a, ok := r.Answers[path+"?"+q.Encode()]
	if !ok {
		return status(404) // another question than the recording's: record it again
	}
	if a.Status != 0 {
		return status(a.Status)
	}
	return json.Unmarshal(a.Body, out)
}

// TestRecorded reads the past of real servers: of Prometheus over a short restart, over which an alert goes on, and over a long one,
// during which an alert ends and Alertmanager's patience too, with external labels and relabelling; and of VictoriaMetrics, to which a
// group was made anew and taken away.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/recorded/*.json.gz")
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			f, err := os.Open(name)
			require.NoError(t, err)
			defer f.Close()
			z, err := gzip.NewReader(f)
			require.NoError(t, err)
			var r recorded
			require.NoError(t, json.NewDecoder(z).Decode(&r))
			m := newMemory()
			s := New(Options{
				Name: "history", Client: &r, Store: m, Back: time.Hour, Now: func() time.Time { return r.Now },
			})
			require.NoError(t, s.Poll(t.Context()))
			names := map[string]bool{}
			n := 0
			for _, w := range r.Want {
				names[w.Name] = true
				found := false
				for _, e := range m.episodes(r.Now.UnixMilli())[w.Fingerprint] {
					e.HideUnknownEnd()
					if found = e.StartsAt.Equal(w.Start); found {
						require.True(t, e.EndsAt.Equal(w.End), "%s from %s ended %s, and not %s", w.Name, w.Start, e.EndsAt, w.End)
						break
					}
				}
				require.True(t, found, "%s from %s", w.Name, w.Start)
			}
			for _, list := range m.episodes(r.Now.UnixMilli()) {
				for _, e := range list {
					if names[e.Labels["alertname"]] {
						n++
					}
				}
			}
			require.Equal(t, len(r.Want), n, "nothing else was")
		})
	}
}
