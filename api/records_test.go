package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

const signIn = `{
	"id": "2024-07-18-sign-in", "title": "Sign-in answered with errors", "url": "https://status.example.org/incidents/42",
	"services": ["sign-in"], "severity": "critical", "kind": "incident", "state": "resolved", "detected_by": "customer",
	"labels": {"region": "eu"},
	"milestones": {
		"started": {"at": "2024-07-18T10:57:00+02:00", "precision": "minute", "evidence": "new version rolled out"},
		"detected": "2024-07-18T09:28:00Z", "mitigated": null
	},
	"impacts": [{"from": "2024-07-18T08:57:00Z", "to": "2024-07-18T09:32:00Z"}],
	"references": {"fingerprints": ["00000000000000aa"], "group_keys": [], "urls": [], "keys": []},
	"related": [{"id": "other", "how": "caused_by"}],
	"actions": [{"title": "alert on 5xx", "state": "open", "due": "2024-08-01"}],
	"questions": [{"kind": "zone", "text": "Which zone?", "candidates": ["UTC", "CEST"], "field": "milestones.started"}]
}`

const address = "/api/v1/records/ours/2024-07-18-sign-in"

func TestPutRecord(t *testing.T) {
	f := newFixture(t)
	w := f.call("PUT", address, signIn)
	require.Equal(t, http.StatusCreated, w.Code, w.Body)
	require.Equal(t, address, w.Header().Get("Location"))
	rec := decode[incident.Record](t, w)
	require.Equal(t, now, rec.UpdatedAt)
	require.Equal(t, incident.RecordKey{Source: "ours", ID: "2024-07-18-sign-in"}, rec.Key())
	require.Equal(t, time.Date(2024, 7, 18, 8, 57, 0, 0, time.UTC), rec.Milestones[incident.Started].At)
	require.Equal(t, incident.PrecisionMinute, rec.Milestones[incident.Detected].Precision)
	require.NotContains(t, rec.Milestones, incident.Mitigated)
	require.Equal(t, 1, f.changes)

	require.Equal(t, rec, decode[incident.Record](t, f.call("GET", address, "")))

	f.now = now.Add(time.Hour)
	w = f.call("PUT", address, signIn)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, now, decode[incident.Record](t, w).UpdatedAt, "the same content again changes nothing")
}

func TestPutRecordTakesItsKeyFromThePath(t *testing.T) {
	f := newFixture(t)
	w := f.call("PUT", "/api/v1/records/team%20a/2024%2F07%2F%C3%BC%3F%20..", `{}`)
	require.Equal(t, http.StatusCreated, w.Code, w.Body)
	k := incident.RecordKey{Source: "team a", ID: "2024/07/ü? .."}
	rec := decode[incident.Record](t, w)
	require.Equal(t, k, rec.Key())
	require.Equal(t, rec, decode[incident.Record](t, f.call("GET", w.Header().Get("Location"), "")))
}

func TestAnEditOfWhatWasReadCounts(t *testing.T) {
	f := newFixture(t)
	f.call("PUT", address, `{"title":"z","updated_at":"2026-02-01T00:00:00Z"}`)
	w := f.call("PUT", address, `{"title":"a","updated_at":"2026-02-01T00:00:00Z"}`)
	require.Equal(t, "a", decode[incident.Record](t, w).Title)
	require.Equal(t, now, decode[incident.Record](t, w).UpdatedAt)
}

func TestAnOlderVersionIsHistory(t *testing.T) {
	f := newFixture(t)
	f.call("PUT", address, `{"title":"new","updated_at":"2026-02-01T00:00:00Z"}`)
	w := f.call("PUT", address, `{"title":"old","updated_at":"2026-01-01T00:00:00Z"}`)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "new", decode[incident.Record](t, w).Title)

	h := decode[struct{ Versions []incident.Record }](t, f.call("GET", address+"?history=true", ""))
	require.Len(t, h.Versions, 2)
	require.Equal(t, "new", h.Versions[0].Title)
	require.Equal(t, "old", h.Versions[1].Title)
}

func TestDeleteWithdraws(t *testing.T) {
	f := newFixture(t)
	w := f.call("DELETE", address, "")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "no record ours/2024-07-18-sign-in", f.requireProblem(w).Detail)
	require.Zero(t, f.changes)

	f.call("PUT", address, signIn)
	for range 2 {
		w = f.call("DELETE", address, "")
		require.Equal(t, http.StatusNoContent, w.Code, w.Body)
		require.Empty(t, w.Body.Bytes())
	}
	require.Equal(t, 2, f.changes, "withdrawn twice is withdrawn once")

	w = f.call("GET", address, "")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "record ours/2024-07-18-sign-in was withdrawn at 2026-03-01T12:00:00Z; ?history=true shows what it was", f.requireProblem(w).Detail)
	h := decode[struct{ Versions []incident.Record }](t, f.call("GET", address+"?history=true", ""))
	require.Len(t, h.Versions, 2)
	require.True(t, h.Versions[0].Withdrawn)
	require.Empty(t, decode[struct{ Records []incident.Record }](t, f.call("GET", "/api/v1/records", "")).Records)

	w = f.call("PUT", address, signIn)
	require.Equal(t, http.StatusCreated, w.Code, "it is back")
	require.Equal(t, http.StatusOK, f.call("GET", address, "").Code)
}

func TestConfiguredSourcesOwnTheirRecords(t *testing.T) {
	f := newFixture(t)
	f.reserved = []string{"ours"}
	for _, method := range []string{"PUT", "DELETE"} {
		w := f.call(method, address, signIn)
		require.Equal(t, http.StatusConflict, w.Code)
		require.Equal(t, `source "ours" is configured and owns its records; change them where it reads them, or write under another name`, f.requireProblem(w).Detail)
	}
	require.Zero(t, f.changes)
	require.Equal(t, http.StatusCreated, f.call("PUT", "/api/v1/records/others/1", `{}`).Code)
}

func TestListRecordsTurnsPages(t *testing.T) {
	f := newFixture(t)
	for _, p := range []string{"a/1", "a/2", "b/1", "b/2", "b/3"} {
		f.call("PUT", "/api/v1/records/"+p, `{}`)
	}
	type page struct {
		Records []incident.Record
		Next    string
	}
	var got []string
	target, pages := "/api/v1/records?limit=2", 0
	for {
		p := decode[page](t, f.call("GET", target, ""))
		for _, r := range p.Records {
			got = append(got, r.Key().String())
		}
		pages++
		if p.Next == "" {
			break
		}
		target = "/api/v1/records?limit=2&cursor=" + p.Next
	}
	require.Equal(t, []string{"a/1", "a/2", "b/1", "b/2", "b/3"}, got)
	require.Equal(t, 3, pages)
	require.Len(t, decode[page](t, f.call("GET", "/api/v1/records?source=b", "")).Records, 3)
	w := f.call("GET", "/api/v1/records?source=c", "")
	require.JSONEq(t, `{"records":[],"next":""}`, w.Body.String())
}
