package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/alertmanager/template"

	"meantime/incident"
)

// discard is a store that takes everything at once: what remains is the cost of taking a notification in.
type discard struct{}

func (discard) Put(_ context.Context, f incident.Facts, _ time.Time) (incident.Receipt, error) {
	return incident.Receipt{Sightings: make([]incident.MergeKind, len(f.Sightings))}, nil
}

func (discard) SightingsOf(context.Context, []string) ([]incident.Sighting, error) { return nil, nil }

// large is a notification of n alerts, each of the size that a Kubernetes cluster's alerts have.
func large(n int) string {
	list := make([]string, n)
	for i := range list {
		labels := fmt.Sprintf(`{"alertname":"KubePodCrashLooping","cluster":"eu-1","container":"app","endpoint":"http","instance":"10.0.%d.%d:8080","job":"kube-state-metrics",`+
			`"namespace":"shop","pod":"checkout-6f7d8c9b5d-%05d","prometheus":"monitoring/k8s","service":"kube-state-metrics","severity":"warning"}`, i/250, i%250, i)
		list[i] = strings.Replace(alert("firing", labels, start, year1, fmt.Sprintf("%016x", i)), `"summary":"s"`,
			`"description":"Pod shop/checkout is in waiting state (reason: CrashLoopBackOff) on cluster eu-1.","runbook_url":"https://runbooks.example.org/runbooks/kubernetes/kubepodcrashlooping",`+
				`"summary":"Pod is crash looping."`, 1)
	}
	return body("http://am-0:9093", list...)
}

func BenchmarkNotification(b *testing.B) {
	for _, n := range []int{1, 100, 5000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			h := New(Options{Store: discard{}}).Alertmanager()
			text := large(n)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(text)))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}

// BenchmarkPlainDecode is what encoding/json alone needs for the same bodies.
func BenchmarkPlainDecode(b *testing.B) {
	for _, n := range []int{1, 100, 5000} {
		b.Run(fmt.Sprintf("alerts=%d", n), func(b *testing.B) {
			text := []byte(large(n))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				var m struct {
					template.Data
					GroupKey string `json:"groupKey"`
				}
				if err := json.Unmarshal(text, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
