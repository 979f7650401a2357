package api

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func marshal(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestPostReview(t *testing.T) {
	f := newFixture(t)
	for _, body := range []string{
		`{"by":"ada","reason":"the same deploy","action":"confirm","incident":"r1","episode":{"fingerprint":"aa","starts_at":"2026-01-02T03:05:05Z"}}`,
		`{"by":"ada","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-01-02T04:04:05+01:00"}`,
		`{"by":"ada","action":"clear_milestone","incident":"r1","milestone":"started"}`,
		`{"by":"ada","action":"merge","incident":"r1","other":"r2"}`,
		`{"by":"ada","action":"mark","incident":"r1","mark":"drill"}`,
		`{"by":"ada","action":"withdraw","other":"v1","from_the_future":true}`,
	} {
		w := f.call("POST", "/api/v1/reviews", body)
		require.Equal(t, http.StatusCreated, w.Code, w.Body)
		rev := decode[incident.Review](t, w)
		require.NotEmpty(t, rev.ID)
		require.Equal(t, now, rev.At)
		require.Equal(t, "ada", rev.By)
		require.Equal(t, rev, f.store.reviews[len(f.store.reviews)-1])
	}
	require.Equal(t, 6, f.changes)
	require.Equal(t, moment(0), f.store.reviews[1].Time)
}

func TestAReviewWithAKnownIDReplacesIt(t *testing.T) {
	f := newFixture(t)
	first := `{"id":"mine","at":"2026-02-01T00:00:00Z","by":"ada","action":"mark","incident":"r1","mark":"drill"}`
	require.Equal(t, http.StatusCreated, f.call("POST", "/api/v1/reviews", first).Code)
	require.Equal(t, http.StatusOK, f.call("POST", "/api/v1/reviews", first).Code)
	require.Len(t, f.store.reviews, 1)
	require.Equal(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), f.store.reviews[0].At)
}

func TestListReviews(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"v1", "v2", "v3"} {
		f.call("POST", "/api/v1/reviews", `{"id":"`+id+`","by":"ada","action":"merge","incident":"r`+id+`","other":"r0"}`)
	}
	type page struct {
		Reviews []incident.Review
		Next    string
	}
	first := decode[page](t, f.call("GET", "/api/v1/reviews?limit=2", ""))
	require.Len(t, first.Reviews, 2)
	second := decode[page](t, f.call("GET", "/api/v1/reviews?limit=2&cursor="+first.Next, ""))
	require.Len(t, second.Reviews, 1)
	require.Equal(t, "v3", second.Reviews[0].ID)
	require.Empty(t, second.Next)
	require.Len(t, decode[page](t, f.call("GET", "/api/v1/reviews?incident=rv2", "")).Reviews, 1)
	require.Len(t, decode[page](t, f.call("GET", "/api/v1/reviews?incident=r0", "")).Reviews, 3)
	f.store.reviews = f.store.reviews[:1]
	require.Equal(t, http.StatusBadRequest, f.call("GET", "/api/v1/reviews?limit=2&cursor="+first.Next, "").Code)
}

// A withdrawn review is marked, and one whose withdrawal was withdrawn is not.
func TestListReviewsSaysWhichHold(t *testing.T) {
	f := newFixture(t)
	for _, body := range []string{
		`{"id":"x1","at":"2026-02-01T00:00:00Z","by":"ada","action":"mark","incident":"r1","mark":"drill"}`,
		`{"id":"x2","at":"2026-02-02T00:00:00Z","by":"ada","action":"withdraw","other":"x1"}`,
	} {
		require.Equal(t, http.StatusCreated, f.call("POST", "/api/v1/reviews", body).Code)
	}
	held := func() map[string]bool {
		out := map[string]bool{}
		for _, r := range decode[struct{ Reviews []heldReview }](t, f.call("GET", "/api/v1/reviews", "")).Reviews {
			out[r.ID] = !r.Withdrawn
		}
		return out
	}
	require.Equal(t, map[string]bool{"x1": false, "x2": true}, held())
	require.Equal(t, http.StatusCreated, f.call("POST", "/api/v1/reviews", `{"id":"x3","at":"2026-02-03T00:00:00Z","by":"ada","action":"withdraw","other":"x2"}`).Code)
	require.Equal(t, map[string]bool{"x1": true, "x2": false, "x3": true}, held())
}
