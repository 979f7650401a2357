package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/setup"
)

func TestSetup(t *testing.T) {
	f := newFixture(t)
	w := f.call("GET", "/api/v1/setup", "")
	require.Equal(t, http.StatusOK, w.Code)
	list := decode[setup.Checklist](t, w)
	require.False(t, list.Ready)
	require.Len(t, list.Checks, 6)
	require.Contains(t, list.Checks[0].Paste, "url: http://m:10049/webhook/alertmanager")
	require.Equal(t, http.StatusBadRequest, f.call("GET", "/api/v1/setup?x=1", "").Code)
}

func TestTestAlert(t *testing.T) {
	f := newFixture(t)
	w := f.call("POST", "/api/v1/test-alert", `{"labels": {"alertname": "DiskFull", "severity": "page"}}`)
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, map[string]string{"alertname": "DiskFull", "severity": "page"}, decode[setup.Trial](t, w).Labels)
	require.True(t, decode[setup.Trial](t, w).Opened)

	w = f.call("POST", "/api/v1/test-alert", `{"labels": {"alertname": 5}}`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	w = f.call("POST", "/api/v1/test-alert", `[]`)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, f.requireProblem(w).Detail, `not JSON of the form {"labels"`)

	f.token = "a token that nobody guesses"
	require.Equal(t, http.StatusUnauthorized, f.call("POST", "/api/v1/test-alert", `{}`).Code, "as for everything that is sent")
}
