package catalog

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
)

// target is what a ServiceMonitor of kube-prometheus-stack under a release's name gives all metrics of a component.
func target(service, job, container string, more map[string]string) map[string]string {
	l := map[string]string{"service": service, "job": job, "container": container, "endpoint": "http", "instance": "10.1.2.3:8080",
		"namespace": "monitoring", "pod": service + "-5f8b7c9d6-x2x4z", "prometheus": "monitoring/kube-prometheus-stack-prometheus"}
	maps.Copy(l, more)
	return l
}

func stateMetrics(more map[string]string) map[string]string {
	return target("kube-prometheus-stack-kube-state-metrics", "kube-state-metrics", "kube-state-metrics", more)
}

func kubelet(more map[string]string) map[string]string {
	l := map[string]string{"service": "kube-prometheus-stack-kubelet", "job": "kubelet", "endpoint": "https-metrics", "instance": "10.0.0.7:10250",
		"node": "ip-10-0-0-7.eu-west-1.compute.internal", "namespace": "kube-system", "metrics_path": "/metrics/cadvisor"}
	maps.Copy(l, more)
	return l
}

func nodeExporter(more map[string]string) map[string]string {
	l := target("kube-prometheus-stack-prometheus-node-exporter", "node-exporter", "node-exporter", map[string]string{
		"endpoint": "http-metrics", "instance": "10.0.0.7:9100", "pod": "kube-prometheus-stack-prometheus-node-exporter-qx7hp"})
	maps.Copy(l, more)
	return l
}

type ls = map[string]string

// Label sets of rules that many use, as prometheus-operator delivers them. The names of workloads are ours.
func TestServiceOf(t *testing.T) {
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   string
	}{
		// kubernetes-mixin on kube-state-metrics: what the rule does not aggregate away carries the scraped target's labels.
		{"KubePodCrashLooping", stateMetrics(ls{"namespace": "team-a", "pod": "cart-5f7d9c6b8d-abcde", "container": "cart", "reason": "CrashLoopBackOff"}), "cart"},
		{"KubePodCrashLooping, a sidecar", stateMetrics(ls{"namespace": "team-a", "pod": "cart-5f7d9c6b8d-abcde", "container": "istio-proxy"}), "cart"},
		{"KubePodNotReady, aggregated", ls{"namespace": "team-a", "pod": "ledger-0", "cluster": ""}, "ledger"},
		{"KubeDeploymentReplicasMismatch", stateMetrics(ls{"namespace": "search", "deployment": "index"}), "index"},
		{"KubeDeploymentGenerationMismatch", stateMetrics(ls{"namespace": "search", "deployment": "query-node"}), "query-node"},
		{"KubeStatefulSetReplicasMismatch", stateMetrics(ls{"namespace": "shop", "statefulset": "orders-db"}), "orders-db"},
		{"KubeDaemonSetRolloutStuck", stateMetrics(ls{"namespace": "logging", "daemonset": "fluent-bit"}), "fluent-bit"},
		{"KubeContainerWaiting", stateMetrics(ls{"namespace": "shop", "pod": "billing-7d9f6c5b4-abcde", "container": "billing", "reason": "ImagePullBackOff"}), "billing"},
		{"KubeJobFailed", stateMetrics(ls{"namespace": "shop", "job_name": "nightly-report-28391040"}), "nightly-report"},
		{"KubeJobNotCompleted", ls{"namespace": "shop", "job_name": "nightly-report-28391040"}, "nightly-report"},
		{"KubeHpaMaxedOut", stateMetrics(ls{"namespace": "shop", "horizontalpodautoscaler": "frontdoor"}), "frontdoor"},
		{"KubeHpaReplicasMismatch, another release", target("prom-kube-state-metrics", "kube-state-metrics", "kube-state-metrics", ls{"namespace": "shop", "horizontalpodautoscaler": "frontdoor"}), "frontdoor"},
		{"KubeQuotaAlmostFull", stateMetrics(ls{"namespace": "shop", "resource": "pods"}), "shop"},
		{"KubeNodeNotReady", stateMetrics(ls{"node": "ip-10-0-0-7", "condition": "Ready", "status": "true"}), ""},
		{"without honor_labels", stateMetrics(ls{"exported_namespace": "shop", "exported_pod": "cart-5f7d9c6b8d-abcde", "exported_container": "cart"}), "cart"},
		{"the label service says kube-state-metrics alone", ls{"service": "kube-state-metrics", "job": "kube-state-metrics", "namespace": "team-a", "container": "cart"}, "cart"},
		// On the kubelet and cAdvisor.
		{"KubePersistentVolumeFillingUp", kubelet(ls{"namespace": "shop", "persistentvolumeclaim": "data-orders-db-0", "metrics_path": "/metrics"}), "orders-db"},
		{"KubePersistentVolumeInodesFillingUp, an own name", kubelet(ls{"namespace": "shop", "persistentvolumeclaim": "uploads"}), "uploads"},
		{"CPUThrottlingHigh", ls{"namespace": "shop", "pod": "cart-7d9f6c5b4-abcde", "container": "cart", "cluster": ""}, "cart"},
		{"a rule of one's own on cAdvisor", kubelet(ls{"namespace": "shop", "pod": "mta-7d9f6c5b4-abcde", "container": "mta", "image": "example.org/mta:1"}), "mta"},
		{"a container that is called app", kubelet(ls{"namespace": "shop", "pod": "mta-7d9f6c5b4-abcde", "container": "app"}), "mta"},
		{"KubeletTooManyPods", kubelet(ls{"metrics_path": "/metrics"}), ""},
		{"KubeletDown", ls{"job": "kubelet"}, ""},
		// node-exporter.
		{"NodeFilesystemSpaceFillingUp", nodeExporter(ls{"device": "/dev/nvme0n1p1", "fstype": "ext4", "mountpoint": "/"}), ""},
		{"NodeFilesystemSpaceFillingUp, in a namespace of its own name", nodeExporter(ls{"namespace": "infra"}), ""},
		{"NodeClockNotSynchronising, Grafana's agent", ls{"job": "integrations/node_exporter", "instance": "node-17"}, ""},
		{"HostOutOfMemory on a machine with a service's name", ls{"job": "node", "instance": "ledger-2.example.org:9100"}, "ledger"},
		// Blackbox.
		{"ProbeFailed", ls{"job": "blackbox-http", "instance": "https://ledger.example.org/health"}, "ledger"},
		{"a Probe of the operator", ls{"job": "probe/monitoring/sites", "instance": "https://ledger.example.org", "namespace": "monitoring"}, "ledger"},
		{"an exporter's service under a release", target("sites-prometheus-blackbox-exporter", "sites-prometheus-blackbox-exporter", "blackbox-exporter", ls{"instance": "https://ledger.example.org", "target": "https://ledger.example.org"}), "ledger"},
		// Components of the stack and of the cluster.
		{"CoreDNSDown", target("kube-prometheus-stack-coredns", "coredns", "coredns", ls{"namespace": "kube-system"}), "coredns"},
		{"PrometheusBadConfig", target("kube-prometheus-stack-prometheus", "kube-prometheus-stack-prometheus", "prometheus", ls{"pod": "prometheus-kube-prometheus-stack-prometheus-0"}), "prometheus"},
		{"AlertmanagerFailedReload, a long release's name cut", target("monitoring-kube-prometheus-alertmanager", "monitoring-kube-prometheus-alertmanager", "alertmanager", nil), "alertmanager"},
		{"PrometheusOperatorSyncFailed", target("kube-prometheus-stack-operator", "kube-prometheus-stack-operator", "kube-prometheus-stack", nil), "prometheus-operator"},
		{"KubeAPIDown", ls{"job": "apiserver"}, "apiserver"},
		{"KubeAPITerminatedRequests, scraped", ls{"service": "kubernetes", "job": "apiserver", "namespace": "default", "endpoint": "https"}, "apiserver"},
		{"etcdMembersDown", ls{"job": "kube-prometheus-stack-kube-etcd", "service": "kube-prometheus-stack-kube-etcd", "namespace": "kube-system"}, "kube-etcd"},
		// Mixins of others.
		{"MimirIngesterUnhealthy", ls{"cluster": "eu", "namespace": "mimir", "job": "mimir/ingester"}, "ingester"},
		{"MimirRequestErrors", ls{"cluster": "eu", "job": "mimir/distributor", "route": "/api/v1/push"}, "distributor"},
		{"ThanosQueryHttpRequestQueryErrorRateHigh", ls{"job": "thanos-query"}, "thanos-query"},
		{"ThanosCompactHalted, scraped", target("thanos-compact", "thanos-compact", "compact", nil), "thanos-compact"},
		{"GrafanaRequestsFailing", ls{"job": "kube-prometheus-stack-grafana", "namespace": "monitoring", "handler": "/api/ds/query"}, "grafana"},
		{"IstioHigh4xx, by workload", ls{"reporter": "destination", "destination_workload": "ledger-v2", "destination_workload_namespace": "shop", "job": "istio-mesh"}, "ledger-v2"},
		{"IstioHighRequestLatency, by canonical service", ls{"destination_canonical_service": "ledger", "destination_workload": "ledger-v2", "namespace": "istio-system", "pod": "ledger-v2-5f7d9c6b8d-abcde"}, "ledger"},
		{"IstioLowTotalRequestRate, by host", ls{"destination_service": "ledger.shop.svc.cluster.local", "job": "envoy-stats"}, "ledger"},
		{"an ingress", target("ingress-nginx-controller-metrics", "ingress-nginx-controller-metrics", "controller", ls{"exported_service": "ledger", "exported_namespace": "shop", "ingress": "ledger"}), "ledger"},
		{"Grafana's agent", ls{"job": "prod/ledger", "instance": "10.2.3.4:80"}, "ledger"},
		{"OpenTelemetry's attributes", ls{"service.name": "ledger", "job": "otel-collector"}, "ledger"},
		{"pushed", ls{"job": "pushgateway", "exported_job": "nightly-report", "instance": "10.2.3.4:9091"}, "nightly-report"},
		{"postgres_exporter", ls{"job": "postgres", "instance": "10.2.3.4:9187", "datname": "ledger"}, "postgres"},
		{"mysqld_exporter under a release", target("ledger-prometheus-mysql-exporter", "ledger-prometheus-mysql-exporter", "mysql-exporter", nil), ""},
		{"redis_exporter beside its redis", target("sessions-redis-exporter", "sessions-redis-exporter", "exporter", ls{"namespace": "shop"}), ""},
		// What is said outright stays.
		{"a service of one's own", ls{"service": "ledger", "namespace": "shop"}, "ledger"},
		{"one that is called api", ls{"service": "api", "namespace": "shop"}, "api"},
		{"the app", ls{"app": "ledger"}, "ledger"},
		{"only a namespace", ls{"namespace": "shop"}, "shop"},
		{"only a namespace of an environment", ls{"namespace": "staging"}, ""},
		{"nothing", ls{"severity": "critical"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := rulesOf()
			require.Equal(t, c.want, New(rules, nil).ServiceOf(c.labels))
			names := &Names{}
			names.Learn(&rules.Services, c.labels)
			require.Equal(t, c.want, New(rules, names).ServiceOf(c.labels), "with what it teaches")
		})
	}
}

// What is known decides where labels alone would mislead.
func TestServiceOfAmongKnown(t *testing.T) {
	for _, c := range []struct {
		name                string
		configured, learned []string
		labels              map[string]string
		want                string
	}{
		{"a container of another name", nil, []string{"checkout-api"}, ls{"namespace": "shop", "pod": "checkout-api-5f7d9c6b8d-abcde", "container": "nginx"}, "checkout-api"},
		{"another spelling of a deployment", []string{"checkout"}, nil, ls{"deployment": "checkout-svc"}, "checkout"},
		{"a volume claim's service", nil, []string{"orders"}, ls{"persistentvolumeclaim": "warm-orders-postgres-0"}, "orders"},
		{"a known machine", []string{"ledger"}, nil, ls{"job": "node", "instance": "https://ledger-2.example.org:9100"}, "ledger"},
		{"an exporter of a known service", []string{"redis"}, nil, ls{"pod": "redis-exporter-5f7d9c6b8d-abcde", "namespace": "shop"}, "shop"},
		{"a configured service with an exporter's name", []string{"kube-state-metrics"}, nil, ls{"job": "kube-state-metrics"}, "kube-state-metrics"},
		{"a known service before an unknown one", []string{"checkout"}, nil, ls{"service": "thing", "deployment": "checkout"}, "checkout"},
		{"a namespace that is a known service", nil, []string{"shop"}, ls{"namespace": "shop", "severity": "critical"}, "shop"},
		{"the namespace of who measured", nil, []string{"infra"}, nodeExporter(ls{"namespace": "infra"}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := rulesOf(c.configured...)
			require.Equal(t, c.want, New(rules, learnt(rules, c.learned...)).ServiceOf(c.labels))
		})
	}
}
