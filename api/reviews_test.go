package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func marshal(t *testing.T, v any) string {
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

// decidable is a fixture with incidents, an episode and a review to decide about.
func decidable(t *testing.T) *fixture {
	f := newFixture(t)
	for _, id := range []string{"r0", "r1", "r2", "rv1", "rv2", "rv3"} {
		f.store.incidents = append(f.store.incidents, incident.Incident{ID: id, Kind: incident.KindIncident, State: incident.StateOpen})
	}
	f.store.verdicts = []incident.Verdict{{Episode: incident.Episode{Fingerprint: "aa", StartsAt: time.Date(2026, 1, 2, 3, 5, 5, 0, time.UTC)}}}
	return f
}

func TestPostReview(t *testing.T) {
	f := decidable(t)
	f.store.reviews = []incident.Review{{ID: "v1", At: now, By: "bob", Action: incident.ReviewMark, Incident: "r1", Mark: "drill"}}
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
	require.Equal(t, moment(0), f.store.reviews[2].Time)
}

func TestAReviewWithAKnownIDReplacesIt(t *testing.T) {
	f := decidable(t)
	first := `{"id":"mine","at":"2026-02-01T00:00:00Z","by":"ada","action":"mark","incident":"r1","mark":"drill"}`
	require.Equal(t, http.StatusCreated, f.call("POST", "/api/v1/reviews", first).Code)
	require.Equal(t, http.StatusOK, f.call("POST", "/api/v1/reviews", first).Code)
	require.Len(t, f.store.reviews, 1)
	require.Equal(t, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), f.store.reviews[0].At)
}

// A post reads the review that it may replace, and what the review names; never what was decided about others. With 3,000 of them
// that was 29 ms of each post.
func TestAPostReadsNoOtherReview(t *testing.T) {
	f := decidable(t)
	for i := range 20 {
		f.store.reviews = append(f.store.reviews,
			incident.Review{ID: fmt.Sprint("v", i), At: now, By: "bob", Action: incident.ReviewMark, Incident: "r1", Mark: "drill"})
	}
	for status, body := range map[int]string{
		http.StatusOK:       `{"id":"v3","by":"ada","action":"mark","incident":"r2","mark":"drill"}`,
		http.StatusCreated:  `{"by":"ada","action":"withdraw","other":"v1"}`,
		http.StatusNotFound: `{"by":"ada","action":"withdraw","other":"nobody"}`,
	} {
		require.Equal(t, status, f.call("POST", "/api/v1/reviews", body).Code, body)
	}
	require.Zero(t, f.store.lists)
	require.Equal(t, http.StatusOK, f.call("GET", "/api/v1/reviews", "").Code)
	require.Equal(t, 1, f.store.lists, "it counts")
}

func TestListReviews(t *testing.T) {
	f := decidable(t)
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
	f := decidable(t)
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

func TestReviewsOfWhatIsNotThere(t *testing.T) {
	f := decidable(t)
	for body, want := range map[string]struct {
		status int
		path   string
	}{
		`{"by":"ada","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-03-01T12:05:00Z"}`:                   {201, ""},
		`{"by":"ada","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-03-01T12:05:01Z"}`:                   {400, "time"},
		`{"by":"ada","action":"mark","incident":"r1","mark":"drill","at":"2026-03-02T12:00:00Z"}`:                                     {400, "at"},
		`{"by":"ada","action":"mark","incident":"r9","mark":"drill"}`:                                                                 {404, "incident"},
		`{"by":"ada","action":"mark","incident":"ours/9","mark":"drill"}`:                                                             {404, "incident"},
		`{"by":"ada","action":"merge","incident":"r1","other":"r9"}`:                                                                  {404, "other"},
		`{"by":"ada","action":"withdraw","other":"v9"}`:                                                                               {404, "other"},
		`{"by":"ada","action":"reject","incident":"r1","episode":{"fingerprint":"bb","starts_at":"2026-01-02T03:05:05Z"}}`:            {404, "episode.fingerprint"},
		`{"by":"ada","action":"confirm","incident":"r1","episode":{"fingerprint":"aa","starts_at":"2026-01-02T03:05:05.000000001Z"}}`: {404, "episode.starts_at"},
	} {
		w := f.call("POST", "/api/v1/reviews", body)
		require.Equal(t, want.status, w.Code, "%s: %s", body, w.Body)
		if want.path != "" {
			problem := f.requireProblem(w)
			require.Len(t, problem.Errors, 1)
			require.Equal(t, want.path, problem.Errors[0].Path)
			require.Contains(t, problem.Detail, want.path+": "+problem.Errors[0].Message)
		}
	}
	require.Len(t, f.store.reviews, 1)
	require.Equal(t, 1, f.changes)
}

// A review right after its record waits for the incident; where that takes long it can be sent again.
func TestReviewOfWhatIsPending(t *testing.T) {
	const body = `{"by":"ada","action":"mark","incident":"r9","mark":"drill"}`
	synctest.Test(t, func(t *testing.T) {
		f := decidable(t)
		f.store.pending = true
		w := f.call("POST", "/api/v1/reviews", body)
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Equal(t, incident.CodePending, f.requireProblem(w).Code)
		require.Contains(t, f.requireProblem(w).Detail, "still being worked out")
		require.Empty(t, f.store.reviews)

		go func() {
			time.Sleep(time.Second)
			f.store.mu.Lock()
			defer f.store.mu.Unlock()
			f.store.pending, f.store.incidents = false, append(f.store.incidents, incident.Incident{ID: "r9"})
		}()
		require.Equal(t, http.StatusCreated, f.call("POST", "/api/v1/reviews", body).Code)
	})
}
