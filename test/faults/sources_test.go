package faults

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// TestBadSources has Alertmanager and Prometheus answer in every bad way. Meantime says that they are down, takes
// notifications and is scraped as ever, keeps its memory, and asks again once they are well.
func TestBadSources(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"slowly": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(50 * time.Millisecond):
				}
			}
		},
		"with errors": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusInternalServerError) },
		"with HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><body>Please log in</body></html>")
		},
		"with 500 MB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			piece := []byte(strings.Repeat(`{"labels":{"alertname":"A"}},`, 1<<15))
			_, err := w.Write([]byte("["))
			for n := 0; err == nil && n < 500<<20; n += len(piece) {
				_, err = w.Write(piece)
			}
		},
		"never": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			badSource(t, answer)
		})
	}
}

func badSource(t *testing.T, answer http.HandlerFunc) {
	am := servers.Alertmanager(t, servers.AlertmanagerOptions{Webhook: "http://127.0.0.1:1/"})
	well, err := url.Parse(am.URL)
	require.NoError(t, err)
	good := httputil.NewSingleHostReverseProxy(well)
	var bad atomic.Bool
	bad.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bad.Load() {
			answer(w, r)
		} else {
			good.ServeHTTP(w, r)
		}
	}))
	defer front.Close()
	m := servers.Meantime(t, servers.MeantimeOptions{Config: fmt.Sprintf(`
windows: [90d]
sources: []
alertmanagers: [{url: %q, reconcile_every: 1s, timeout: 2s}]
prometheuses: [{url: %q, timeout: 2s}]
`, front.URL, front.URL)})
	// Prometheus is asked about alerts that belong to an incident.
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	m.Must("PUT", "/api/v1/records/ours/1", map[string]any{
		"id": "1", "title": "Checkout is slow", "services": []string{"checkout"}, "severity": "critical", "state": "open",
		"milestones": map[string]any{"detected": start.Add(time.Minute)},
	})
	m.Must("POST", "/webhook/alertmanager", servers.Notification(firing("A", start)))

	up := func(source string) string {
		e, err := servers.Scrape(m.URL)
		require.NoError(t, err)
		return e[fmt.Sprintf("meantime_source_up{source=%q}", source)]
	}
	servers.Eventually(t, soon, func() error {
		for _, source := range []string{"alertmanager", "prometheus"} {
			if up(source) != "0" {
				return fmt.Errorf("%s does not count as down", source)
			}
		}
		return nil
	})
	m.Must("POST", "/webhook/alertmanager", servers.Notification(firing("B", start)))
	require.NoError(t, ready(m))
	requireEpisodes(t, m, map[string]bool{"A": true, "B": true})
	require.Less(t, status(t, m, "VmHWM"), 500<<10)

	bad.Store(false)
	servers.Eventually(t, soon, func() error {
		if up("alertmanager") != "1" {
			return fmt.Errorf("Alertmanager does not count as up again")
		}
		return nil
	})
	require.NoError(t, m.Stop())
}

// TestEmptyFolder starts Meantime where the folder of its records is not there, and where it is empty, as where nothing is
// mounted. It says that the source is down, and what was read of it stays, until a file says that it is the right folder.
func TestEmptyFolder(t *testing.T) {
	t.Parallel()
	o := servers.MeantimeOptions{Dir: t.TempDir(), Config: "windows: [90d]\nsources: [{name: ours, type: file, dir: records, interval: 1s}]\n"}
	folder := filepath.Join(o.Dir, "records")
	require.NoError(t, os.Mkdir(folder, 0o755))
	file := filepath.Join(folder, "1.yaml")
	require.NoError(t, os.WriteFile(file, []byte("{id: one, title: Checkout is slow, milestones: {detected: 2026-01-02T03:04:05Z}}"), 0o644))
	shows := func(m *servers.MeantimeServer, up string, incidents int) {
		t.Helper()
		servers.Eventually(t, soon, func() error {
			e, err := servers.Scrape(m.URL)
			require.NoError(t, err)
			all, err := servers.List[any](m, "incidents")
			if err == nil && (e[`meantime_source_up{source="ours"}`] != up || len(all) != incidents) {
				err = fmt.Errorf("up is %q, and there are %d incidents", e[`meantime_source_up{source="ours"}`], len(all))
			}
			return err
		})
		require.Equal(t, http.StatusOK, get(t, m, "/-/ready"))
		require.NoError(t, m.Stop())
	}
	shows(servers.Meantime(t, o), "1", 1)

	require.NoError(t, os.Remove(file))
	m := servers.Meantime(t, o)
	shows(m, "0", 1)
	require.Contains(t, m.Log(), "is empty, and records of it are stored")
	require.NoError(t, os.Remove(folder))
	m = servers.Meantime(t, o)
	shows(m, "0", 1)
	require.Contains(t, m.Log(), "no such file or directory")

	require.NoError(t, os.Mkdir(folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "none.yaml"), nil, 0o644))
	shows(servers.Meantime(t, o), "1", 0)
}
