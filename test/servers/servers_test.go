package servers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPrometheus(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "answer 42") }))
	t.Cleanup(target.Close)
	s := Prometheus(t, PrometheusOptions{Targets: map[string][]string{"test": {strings.TrimPrefix(target.URL, "http://")}}})
	Eventually(t, time.Minute, func() error {
		v, err := s.Query(`answer{job="test"}`, time.Time{})
		if err == nil && (len(v) != 1 || v[0].Value != 42) {
			err = fmt.Errorf("got %v", v)
		}
		return err
	})
	_, err := s.Query(`answer{`, time.Time{})
	require.ErrorContains(t, err, "parse error")
}

func TestAlertmanagerPair(t *testing.T) {
	pair := AlertmanagerPair(t,
		AlertmanagerOptions{Version: OldAlertmanager, Webhook: "http://127.0.0.1:1"},
		AlertmanagerOptions{Version: NewAlertmanager, Webhook: "http://127.0.0.1:1", Events: "http://127.0.0.1:1"})
	require.Len(t, pair, 2)
	require.NoError(t, pair[0].Stop(), "SIGTERM ends it with status 0")
}

func TestPostgres(t *testing.T) {
	s := Postgres(t)
	require.Contains(t, s.Database("one"), "/one?")
	require.ErrorContains(t, s.psql(`CREATE DATABASE "one"`), "already exists")
}

// ending is a test that notes how it was ended, and ends nothing.
type ending struct {
	testing.TB
	skipped, failed string
}

func (e *ending) Helper()                           {}
func (e *ending) Skipf(format string, args ...any)  { e.skipped = fmt.Sprintf(format, args...) }
func (e *ending) Fatalf(format string, args ...any) { e.failed = fmt.Sprintf(format, args...) }

// TestMissing shows that a test whose program is missing is skipped with a reason, and fails in CI.
func TestMissing(t *testing.T) {
	none := Program{Name: "Nothing", Package: "no-such-package", commands: []string{"no-such-command"}}
	for ci, want := range map[string]ending{
		"":      {skipped: "cannot run here: Nothing is not installed (Debian package no-such-package)"},
		"true":  {failed: "cannot run, and CI leaves nothing out: Nothing is not installed (Debian package no-such-package)"},
		"false": {skipped: "cannot run here: Nothing is not installed (Debian package no-such-package)"},
	} {
		t.Setenv("CI", ci)
		var got ending
		need(&got, none)
		require.Equal(t, want, got, "CI=%q", ci)
	}
}

// TestLogBuffer shows that a server that writes without end does not fill the memory, and that its last words stay.
func TestLogBuffer(t *testing.T) {
	var l logBuffer
	for range 2 * maxLog / 1024 {
		_, _ = l.Write(make([]byte, 1024))
	}
	_, _ = l.Write([]byte("last words"))
	require.Len(t, strings.TrimPrefix(l.String(), "…"), maxLog)
	require.True(t, strings.HasSuffix(l.String(), "last words"))
}
