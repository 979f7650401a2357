package correlate

import (
	"testing"
	"time"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// labelled is an alert of those labels that fires from and to minutes after noon.
func labelled(from, to float64, l map[string]string) incident.Sighting {
	return fires("x", from, to, func(s *incident.Sighting) {
		s.Labels, s.Fingerprint = l, incident.Fingerprint(l)
	})
}

// What an incident that alerts opened is called, how grave it is, when it began and whom it hit, the alerts say that may open
// one. An info alert of another team that began before it used to name it.
func TestAnOpenedIncidentIsWhatOpenedIt(t *testing.T) {
	m, err := labels.ParseMatchers(`severity="critical"`)
	require.NoError(t, err)
	const exporter = "kube-prometheus-stack-kube-state-metrics"
	for _, c := range []struct {
		name     string
		alerts   []incident.Sighting
		title    string
		started  time.Time
		services []string
	}{
		{"alerts of other namespaces before a full disk", []incident.Sighting{
			labelled(0, 40, map[string]string{"alertname": "CPUThrottlingHigh", "severity": "info", "namespace": "shop", "container": "cart"}),
			labelled(1, 40, map[string]string{"alertname": "InfoInhibitor", "severity": "none", "namespace": "shop"}),
			labelled(2, 40, map[string]string{"alertname": "KubePodCrashLooping", "severity": "warning", "namespace": "mail", "container": "mta", "service": exporter}),
			labelled(5, 90, map[string]string{"alertname": "NodeFilesystemAlmostOutOfSpace", "severity": "critical", "job": "node-exporter", "namespace": "monitoring", "instance": "10.0.0.7:9100"}),
		}, "NodeFilesystemAlmostOutOfSpace", noon.Add(5 * time.Minute), []string{}},
		{"a warning of the same service before it", []incident.Sighting{
			labelled(0, 90, map[string]string{"alertname": "Latency", "severity": "warning", "service": "ledger"}),
			labelled(3, 90, map[string]string{"alertname": "Errors", "severity": "critical", "service": "ledger"}),
		}, "Errors on ledger", noon.Add(3 * time.Minute), []string{"ledger"}},
		{"two that open, of which the later hits another", []incident.Sighting{
			labelled(0, 90, map[string]string{"alertname": "Latency", "severity": "warning", "service": "cart"}),
			labelled(2, 90, map[string]string{"alertname": "Errors", "severity": "critical", "service": "ledger"}),
		}, "Errors on ledger", noon.Add(2 * time.Minute), []string{"ledger"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := DefaultRules()
			rules.Open.Matchers = []labels.Matchers{m}
			res := Correlate(incident.Facts{Sightings: c.alerts}, &rules, noon.Add(48*time.Hour))
			require.Len(t, res.Incidents, 1)
			in := &res.Incidents[0]
			require.Equal(t, "critical", in.Severity)
			require.Equal(t, c.services, in.Services)
			require.Contains(t, in.Title, c.title)
			require.Equal(t, c.started, in.Milestones[incident.Started].At)
		})
	}
}

// An alert of kube-prometheus-stack is linked to the record of the workload it speaks of, whatever the scraped target is
// called.
func TestExportersLabelsHideNoService(t *testing.T) {
	for _, c := range []struct {
		name   string
		labels map[string]string
		record string
	}{
		{"a container", map[string]string{"alertname": "KubePodCrashLooping", "namespace": "team-a", "pod": "cart-5f7d9c6b8d-abcde", "container": "cart", "job": "kube-state-metrics",
			"service": "kube-prometheus-stack-kube-state-metrics"}, "cart"},
		{"a deployment, beside the exporter's own container", map[string]string{"alertname": "KubeDeploymentReplicasMismatch", "namespace": "team-a", "deployment": "index", "container": "kube-state-metrics",
			"service": "prom-kube-state-metrics", "job": "kube-state-metrics"}, "index"},
		{"a volume claim", map[string]string{"alertname": "KubePersistentVolumeFillingUp", "namespace": "team-a", "persistentvolumeclaim": "data-ledger-0", "job": "kubelet",
			"service": "kube-prometheus-stack-kubelet"}, "ledger"},
		{"an agent's job", map[string]string{"alertname": "Errors", "job": "prod/ledger"}, "ledger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.labels["severity"] = "warning"
			rules := DefaultRules()
			state, _ := linkOf(t, incident.Facts{Sightings: []incident.Sighting{labelled(0, 30, c.labels)}, Records: []incident.Record{tells("1", []string{c.record}, -1, 33)}}, rules)
			require.Equal(t, incident.LinkLinked, state)
		})
	}
}
