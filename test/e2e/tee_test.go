package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"meantime/test/servers"
)

// tee stands between Alertmanager and Meantime: it notes what is delivered and when, and passes it on.
type tee struct {
	*httptest.Server
	mu         sync.Mutex
	deliveries []delivery
}

// delivery is one request that came through.
type delivery struct {
	at     time.Time // of the answer
	path   string
	body   []byte
	status int
}

// newTee starts a tee in front of an address.
func newTee(t testing.TB, address string) *tee {
	x := &tee{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender has gone
		}
		resp, err := http.Post("http://"+address+r.URL.Path, r.Header.Get("Content-Type"), bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		x.mu.Lock()
		x.deliveries = append(x.deliveries, delivery{time.Now(), r.URL.Path, body, resp.StatusCode})
		x.mu.Unlock()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	t.Cleanup(x.Close)
	return x
}

// told is an alert of a notification that came through, with when it did.
type told struct {
	servers.Alert
	at time.Time
}

// alerts lists the alerts of a name that notifications brought, in the order they came.
func (x *tee) alerts(t testing.TB, name, status string) []told {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []told
	for _, d := range x.deliveries {
		if d.path != "/webhook/alertmanager" {
			continue
		}
		var m struct {
			Alerts []servers.Alert `json:"alerts"`
		}
		if err := json.Unmarshal(d.body, &m); err != nil {
			t.Fatalf("a notification: %v", err)
		}
		for _, a := range m.Alerts {
			if a.Labels["alertname"] == name && a.Status == status {
				out = append(out, told{a, d.at})
			}
		}
	}
	return out
}

// refused lists the deliveries that were not answered 2xx.
func (x *tee) refused() []delivery {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []delivery
	for _, d := range x.deliveries {
		if d.status/100 != 2 {
			out = append(out, d)
		}
	}
	return out
}
