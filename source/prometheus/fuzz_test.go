package prometheus

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// said is a Prometheus that answers every question with the same text.
type said []byte

func (s said) Get(_ context.Context, _ string, _ url.Values, out any) error {
	return json.Unmarshal(s, out)
}

// Whatever Prometheus answers, what is stored of it is a time of a condition within the years there are, not after the
// alert fired.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"alertname":"Down","instance":"db-1"},"value":[1772359270,"1772359200"]}]}}`,
		`{"data":{"resultType":"vector","result":[{"metric":null,"value":[null,"NaN"]},{"value":["x",5]},{"value":[1]}]}}`,
		`{"data":{"resultType":"matrix","result":[]}}`, `{"data":{"groups":[{"rules":[{"name":"Down","duration":300,"type":"alerting"}]}]}}`, `[]`, `null`, `{`,
		`{"data":{"resultType":"vector","result":[{"metric":{"alertname":"Down"},"value":[0,"1e308"]}],"groups":[{"rules":[{"name":"Down","duration":1e300,"type":"alerting"}]}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		store := &memory{}
		s := New(Options{
			Name: "prometheus", Client: said(text), Store: store, Now: func() time.Time { return at("2026-03-01T10:01:00Z") },
			Unmeasured: func(context.Context) ([]incident.Episode, error) { return []incident.Episode{episode(down)}, nil },
		})
		err := s.Poll(t.Context())
		if err != nil {
			require.NotEmpty(t, err.Error())
		}
		for _, x := range store.put {
			require.False(t, x.ConditionAt.After(x.StartsAt), x.ConditionAt)
			require.True(t, x.ConditionAt.IsZero() || x.ConditionAt.Year() >= 1980, x.ConditionAt)
		}
	})
}
