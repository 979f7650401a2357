package e2e

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/source"
	past "meantime/source/prometheus/history"
	"meantime/store/sqlstore"
)

// pastRecord has what real servers answer be written for the tests of source/prometheus/history, which then need no server:
// make recordings.
var pastRecord = flag.String("past.record", "", "the folder into which the answers of real servers about their past are written")

// recording is what a server answered to who read its past at a moment, and what was to be found.
type recording struct {
	Now     time.Time           `json:"now"`
	Answers map[string]answered `json:"answers"` // by path and query
	Want    []recordedAlert     `json:"want"`
}

type answered struct {
	Status int             `json:"status,omitempty"` // where it is no success
	Body   json.RawMessage `json:"body,omitempty"`
}

// recordedAlert is one of them; without an end where nobody knows one.
type recordedAlert struct {
	Name        string     `json:"name"`
	Fingerprint string     `json:"fingerprint"`
	Start       time.Time  `json:"start"`
	End         *time.Time `json:"end,omitempty"`
}

func alertRecorded(name, fingerprint string, start, end time.Time) recordedAlert {
	r := recordedAlert{Name: name, Fingerprint: fingerprint, Start: start.UTC()}
	if !end.IsZero() {
		end = end.UTC()
		r.End = &end
	}
	return r
}

// recorder asks a server and writes down what it answers.
type recorder struct {
	past.Client
	answers map[string]answered
}

func (r *recorder) Get(ctx context.Context, path string, query url.Values, out any) error {
	var raw json.RawMessage
	err := r.Client.Get(ctx, path, query, &raw)
	var status interface{ HTTPStatus() int }
	if errors.As(err, &status) {
		r.answers[path+"?"+query.Encode()] = answered{Status: status.HTTPStatus()}
	}
	if err != nil {
		return err
	}
	r.answers[path+"?"+query.Encode()] = answered{Body: raw}
	return json.Unmarshal(raw, out)
}

// record reads the past of a server and writes down how it answered, where the flag asks for it.
func record(t *testing.T, name, server string, want []recordedAlert) {
	t.Helper()
	if *pastRecord == "" {
		return
	}
	client, err := source.NewClient(source.ClientOptions{URL: server, Timeout: time.Minute})
	require.NoError(t, err)
	db, err := sqlstore.Open(t.Context(), "sqlite:"+t.TempDir()+"/past.db", sqlstore.Options{})
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Millisecond)
	r := &recorder{Client: client, answers: map[string]answered{}}
	s := past.New(past.Options{
		Name: "history", Client: r, Store: db, Back: time.Hour, Now: func() time.Time { return now },
	})
	require.NoError(t, s.Poll(t.Context()))
	require.NoError(t, errors.Join(s.Close(), db.Close()))
	f, err := os.Create(filepath.Join(*pastRecord, name+".json.gz"))
	require.NoError(t, err)
	z := gzip.NewWriter(f)
	require.NoError(t, json.NewEncoder(z).Encode(recording{now, r.answers, want}))
	require.NoError(t, errors.Join(z.Close(), f.Close()))
}
