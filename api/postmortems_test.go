package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestPostPostmortem(t *testing.T) {
	f := newFixture(t)
	w := f.call("POST", "/api/v1/postmortems?source=reviews", `{"name":"2024-07-18.md","document":"Sign-in fails","answers":"major"}`)
	require.Equal(t, http.StatusCreated, w.Code, w.Body)
	stored := f.store.records[incident.RecordKey{Source: "reviews", ID: "2024-07-18.md"}]
	require.Len(t, stored, 1)
	require.Equal(t, "Sign-in fails", stored[0].Title)
	require.Equal(t, "major", stored[0].Severity)
	require.Len(t, stored[0].Questions, 1, "what is open is kept with the record")
	require.Equal(t, 1, f.changes)

	// As a file is sent by hand.
	w = f.call("POST", "/api/v1/postmortems?name=x.md", "Search is slow", "Content-Type", "text/plain")
	require.Equal(t, http.StatusCreated, w.Code, w.Body)
	require.Equal(t, "Search is slow", f.store.records[incident.RecordKey{Source: "postmortems", ID: "x.md"}][0].Title)
}

func TestPostPostmortemThatStoresNothing(t *testing.T) {
	f := newFixture(t)
	f.reserved = []string{"ours"}
	require.Equal(t, http.StatusOK, f.call("POST", "/api/v1/postmortems?dry_run=true", `{"name":"a","document":"x"}`).Code)
	w := f.call("POST", "/api/v1/postmortems", `{"name":"a","document":"none"}`)
	require.Equal(t, http.StatusOK, w.Code)
	require.JSONEq(t, `{"records":[]}`, w.Body.String())
	require.Equal(t, http.StatusBadRequest, f.call("POST", "/api/v1/postmortems", `{"name":"a","document":"bad"}`).Code)
	require.Equal(t, http.StatusConflict, f.call("POST", "/api/v1/postmortems?source=ours", `{"name":"a","document":"x"}`).Code)
	w = f.call("POST", "/api/v1/postmortems", `{"document":"x"}`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Equal(t, "name", f.requireProblem(w).Errors[0].Path)
	for _, how := range []string{"", "?dry_run=true"} {
		w = f.call("POST", "/api/v1/postmortems"+how, `{"name":"a.md","document":"ahead"}`)
		require.Equal(t, http.StatusBadRequest, w.Code)
		problem := f.requireProblem(w)
		require.Equal(t, "milestones.resolved", problem.Errors[0].Path)
		require.Contains(t, problem.Detail, `record "a.md": milestones.resolved: 2026-03-01T12:06:00Z is later than now (2026-03-01T12:00:00Z)`)
	}
	require.Empty(t, f.store.records)
	require.Zero(t, f.changes)
}
