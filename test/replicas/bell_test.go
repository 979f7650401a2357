package replicas

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// tracker is a GitHub with some issues.
type tracker struct {
	mu     sync.Mutex
	issues []map[string]any
	lists  int
}

func (v *tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var answer any = []any{} // timelines
	if strings.HasSuffix(r.URL.Path, "/issues") {
		v.lists++
		answer = append([]map[string]any{}, v.issues...)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// open opens one more issue.
func (v *tracker) open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now().UTC().Add(-time.Second).Format(time.RFC3339)
	v.issues = append(v.issues, map[string]any{
		"number": len(v.issues) + 1, "title": "Checkout fails", "state": "open", "created_at": now, "updated_at": now,
	})
}

func (v *tracker) asked() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lists
}

// TestBell rings at one replica and has the other one ask, which is the one that polls; then the one that is left rings for itself.
// The interval is so long that nothing else has the source asked.
func TestBell(t *testing.T) {
	const secret = "b3ll"
	dir, v := t.TempDir(), &tracker{}
	vendor := httptest.NewServer(v)
	t.Cleanup(vendor.Close)
	file := filepath.Join(dir, "secret")
	require.NoError(t, os.WriteFile(file, []byte(secret), 0o600))
	c := newCrowd(t, 2, fmt.Sprintf(`
sources:
  - name: issues
    type: github
    url: %s
    token_file: %s
    repositories: [example-org/operations]
    interval: 12h
    webhook_secret_files: [%[2]s]
`, vendor.URL, file))
	ring := func(at int, secret string) int {
		t.Helper()
		body := `{"action":"opened"}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.replicas[at].URL+"/webhook/issues", strings.NewReader(body))
		require.NoError(t, err)
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(body))
		req.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	counts := func(at int, series, want string) {
		t.Helper()
		servers.Eventually(t, soon, func() error {
			e, err := servers.Scrape(c.replicas[at].URL)
			if err == nil && e[series] != want {
				err = fmt.Errorf("%s of replica %d is %q, not %s", series, at, e[series], want)
			}
			return err
		})
	}
	const (
		stored  = `meantime_source_records_total{outcome="stored",source="issues"}`
		rung    = `meantime_source_webhooks_total{outcome="rung",source="issues"}`
		refused = `meantime_source_webhooks_total{outcome="refused",source="issues"}`
		read    = `meantime_source_polls_total{source="issues"}`
	)
	held := c.holder()
	other := 1 - held
	counts(held, read, "1")
	before := v.asked()

	require.Equal(t, http.StatusUnauthorized, ring(other, "another"))
	v.open()
	require.Equal(t, http.StatusAccepted, ring(other, secret))
	counts(held, stored, "1")
	counts(other, rung, "1")
	counts(other, refused, "1")
	counts(other, read, "") // it polls nothing
	require.Equal(t, before+1, v.asked(), "one webhook has the tracker asked once, and a refused one not at all")

	require.NoError(t, c.replicas[held].Stop())
	require.Equal(t, other, c.holder(held))
	counts(other, stored, "0") // it has read what there was before
	v.open()
	require.Equal(t, http.StatusAccepted, ring(other, secret))
	counts(other, stored, "1")
}
