// Package release_test holds what brings Meantime to Kubernetes and into packages against the libraries that read it there: Helm,
// kustomize, the types of Kubernetes and prometheus-operator, compose, nfpm and go-jsonnet. It is a module of its own, because none of
// those is any of Meantime's business.
package release_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	monitoringalpha "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

// root is the repository.
var root = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err) // there is no working directory
	}
	return dir
}()

var chartDir = filepath.Join(root, "deploy/helm/meantime")

// update writes what is generated of the chart.
var update = flag.Bool("update", false, "write the manifests of deploy/kubernetes again")

// An object of Kubernetes, decoded into its own type.
type object struct {
	kind, name, namespace string
	labels                map[string]string
	value                 any
}

// kinds are the types of all that the chart and the manifests may have.
var kinds = map[string]func() any{
	"v1 ConfigMap":                                      func() any { return new(core.ConfigMap) },
	"v1 Namespace":                                      func() any { return new(core.Namespace) },
	"v1 Service":                                        func() any { return new(core.Service) },
	"v1 ServiceAccount":                                 func() any { return new(core.ServiceAccount) },
	"apps/v1 Deployment":                                func() any { return new(apps.Deployment) },
	"apps/v1 StatefulSet":                               func() any { return new(apps.StatefulSet) },
	"policy/v1 PodDisruptionBudget":                     func() any { return new(policy.PodDisruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy":                func() any { return new(networking.NetworkPolicy) },
	"networking.k8s.io/v1 Ingress":                      func() any { return new(networking.Ingress) },
	"monitoring.coreos.com/v1 ServiceMonitor":           func() any { return new(monitoring.ServiceMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule":           func() any { return new(monitoring.PrometheusRule) },
	"monitoring.coreos.com/v1alpha1 AlertmanagerConfig": func() any { return new(monitoringalpha.AlertmanagerConfig) },
}

// decode reads every object of a stream strictly: a field that its type does not have, or that is there twice, is a mistake.
func decode(t *testing.T, text string) []object {
	t.Helper()
	var out []object
	for d := yaml.NewYAMLReader(newReader(text)); ; {
		doc, err := d.Read()
		if err == io.EOF {
			return out
		}
		require.NoError(t, err)
		var head struct {
			metav1.TypeMeta   `json:",inline"`
			metav1.ObjectMeta `json:"metadata"`
		}
		require.NoError(t, strict.Unmarshal(doc, &head), string(doc))
		if head.Kind == "" {
			require.Empty(t, strings.TrimSpace(regexp.MustCompile(`(?m)^(#.*|---)$`).ReplaceAllString(string(doc), "")))
			continue
		}
		make, known := kinds[head.APIVersion+" "+head.Kind]
		require.True(t, known, "%s %s: a kind that is not looked at", head.APIVersion, head.Kind)
		value := make()
		require.NoError(t, strict.UnmarshalStrict(doc, value), "%s %s:\n%s", head.Kind, head.Name, doc)
		out = append(out, object{head.Kind, head.Name, head.Namespace, head.Labels, value})
	}
}

// render is what `helm template` makes of the chart with values, and its notes.
func render(t *testing.T, values string) (objects []object, text, notes string, err error) {
	t.Helper()
	c, err := loader.Load(chartDir)
	require.NoError(t, err)
	given, err := chartutil.ReadValues([]byte(values))
	require.NoError(t, err)
	all, err := chartutil.ToRenderValues(c, given, chartutil.ReleaseOptions{Name: "meantime", Namespace: "incidents", IsInstall: true},
		chartutil.DefaultCapabilities)
	if err != nil {
		return nil, "", "", err
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, "", "", err
	}
	var b strings.Builder
	for _, name := range slices.Sorted(keys(files)) {
		switch filepath.Ext(name) {
		case ".yaml":
			if strings.TrimSpace(files[name]) == "" {
				continue // all of it is turned off
			}
			fmt.Fprintf(&b, "---\n%s\n", strings.TrimSpace(files[name]))
		case ".txt":
			notes = files[name]
		}
	}
	return decode(t, b.String()), b.String(), notes, nil
}

// full has everything turned on.
const full = `
store: {type: postgresql, postgresql: {existingSecret: meantime-dsn}}
replicas: 3
secrets: [meantime-tokens]
recordConfigMaps: [postmortems]
extraArgs: ["--web.config.file=/etc/meantime/secrets/meantime-tokens/web.yml"]
env: [{name: GOMEMLIMIT, value: 900MiB}]
config: {windows: [28d], web: {webhook_token_file: /etc/meantime/secrets/meantime-tokens/webhook}, store: {retention: {episodes: 2y}}}
networkPolicy: {enabled: true, from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
ingress: {enabled: true, host: meantime.example.org, className: nginx, tls: [{hosts: [meantime.example.org], secretName: tls}]}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}, disabled: [MeantimeSuggestionsWaiting], runbookUrl: "https://runbooks.example.org/meantime/"}
alertmanagerConfig: {enabled: true, matcherStrategyIsNone: true, tokenSecret: {name: meantime-tokens, key: webhook}, matchers: [{name: severity, value: none, matchType: "!="}]}
dashboards: {enabled: true, namespace: monitoring}
podLabels: {team: sre}
`

func TestChartLint(t *testing.T) {
	for name, values := range map[string]string{"as it comes": "{}", "everything": full} {
		t.Run(name, func(t *testing.T) {
			given, err := chartutil.ReadValues([]byte(values))
			require.NoError(t, err)
			for _, m := range lint.All(chartDir, given, "incidents", true).Messages {
				// An icon would have to be on the network.
				if m.Severity > support.InfoSev {
					t.Errorf("%s", m)
				}
			}
		})
	}
}

// The chart has the version of the program.
func TestChartVersion(t *testing.T) {
	c, err := loader.Load(chartDir)
	require.NoError(t, err)
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(string(version)), c.Metadata.Version)
	require.Equal(t, c.Metadata.Version, c.Metadata.AppVersion)
	for _, f := range c.Files {
		require.NotContains(t, []string{".go", ".libsonnet"}, filepath.Ext(f.Name), f.Name)
	}
}

func TestChartWithSQLite(t *testing.T) {
	objects, _, notes, err := render(t, "{}")
	require.NoError(t, err)
	require.Equal(t, []string{"ConfigMap meantime", "Service meantime", "ServiceAccount meantime", "StatefulSet meantime"}, names(objects))
	set := get[apps.StatefulSet](t, objects, "StatefulSet")
	require.EqualValues(t, 1, *set.Spec.Replicas, "SQLite serves one process")
	require.Equal(t, "5Gi", set.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().String())
	restricted(t, set.Spec.Template.Spec)
	wired(t, objects, set.Spec.Selector, set.Spec.Template)
	require.Contains(t, get[core.ConfigMap](t, objects, "ConfigMap").Data["meantime.yml"], "dsn: sqlite:/var/lib/meantime/meantime.db")
	require.Contains(t, notes, "http://meantime.incidents.svc:10049/webhook/alertmanager")
	require.Contains(t, notes, "figures begin today")
}

func TestChartWithEverything(t *testing.T) {
	objects, _, notes, err := render(t, full)
	require.NoError(t, err)
	require.Equal(t, []string{
		"AlertmanagerConfig meantime", "ConfigMap meantime", "ConfigMap meantime-alert-quality", "ConfigMap meantime-data-quality",
		"ConfigMap meantime-detection", "ConfigMap meantime-incident-response", "ConfigMap meantime-itself", "ConfigMap meantime-review-meeting",
		"Deployment meantime",
		"Ingress meantime", "NetworkPolicy meantime", "PodDisruptionBudget meantime", "PrometheusRule meantime", "Service meantime",
		"ServiceAccount meantime", "ServiceMonitor meantime",
	}, names(objects))
	d := get[apps.Deployment](t, objects, "Deployment")
	require.EqualValues(t, 3, *d.Spec.Replicas)
	require.Equal(t, apps.RecreateDeploymentStrategyType, d.Spec.Strategy.Type, "replicas are of one version")
	restricted(t, d.Spec.Template.Spec)
	wired(t, objects, d.Spec.Selector, d.Spec.Template)
	require.Equal(t, "sre", d.Spec.Template.Labels["team"])
	config := get[core.ConfigMap](t, objects, "ConfigMap").Data["meantime.yml"]
	require.Contains(t, config, "dsn_file: /etc/meantime/store/dsn")
	require.Contains(t, config, "episodes: 2y")
	require.NotContains(t, config, "sqlite")

	am := get[monitoringalpha.AlertmanagerConfig](t, objects, "AlertmanagerConfig")
	hook := am.Spec.Receivers[0].WebhookConfigs[0]
	require.EqualValues(t, "http://meantime.incidents.svc:10049/webhook/alertmanager", *hook.URL)
	require.True(t, *hook.SendResolved)
	require.Equal(t, "webhook", hook.HTTPConfig.Authorization.Credentials.Key)
	require.Equal(t, am.Spec.Receivers[0].Name, am.Spec.Route.Receiver)
	require.Contains(t, notes, "alertmanagerConfigMatcherStrategy")

	rules := get[monitoring.PrometheusRule](t, objects, "PrometheusRule")
	require.Equal(t, "prometheus", rules.Labels["release"])
	alerts, records := 0, 0
	for _, g := range rules.Spec.Groups {
		for _, r := range g.Rules {
			require.NotEqual(t, "MeantimeSuggestionsWaiting", r.Alert)
			if r.Record != "" {
				records++
				continue
			}
			alerts++
			require.Equal(t, "https://runbooks.example.org/meantime/"+r.Alert+".md", r.Annotations["runbook_url"])
			require.Equal(t, "self", r.Labels["meantime"])
		}
	}
	require.Greater(t, alerts, 15)
	require.Equal(t, 5, records)

	for _, o := range objects {
		m, ok := o.value.(*core.ConfigMap)
		if !ok || o.name == "meantime" {
			continue
		}
		require.Equal(t, "monitoring", m.Namespace)
		require.Equal(t, "1", m.Labels["grafana_dashboard"])
		for file, text := range m.Data {
			original, err := os.ReadFile(filepath.Join(root, "dashboards", strings.Replace(file, "meantime-", "", 1)))
			if err != nil {
				original, err = os.ReadFile(filepath.Join(root, "dashboards", file))
			}
			require.NoError(t, err)
			require.JSONEq(t, string(original), text)
		}
	}
}

// Every rule of the chart is a rule of dashboards/, word for word, unless it is told otherwise.
func TestChartRulesAreTheFiles(t *testing.T) {
	objects, _, _, err := render(t, "prometheusRule: {enabled: true}")
	require.NoError(t, err)
	var want []monitoring.RuleGroup
	for _, f := range []string{"alerts.yaml", "records.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "dashboards", f))
		require.NoError(t, err)
		var file monitoring.PrometheusRuleSpec
		require.NoError(t, strict.UnmarshalStrict(text, &file))
		want = append(want, file.Groups...)
	}
	require.Equal(t, asJSON(t, want), asJSON(t, get[monitoring.PrometheusRule](t, objects, "PrometheusRule").Spec.Groups))
	generated, err := os.ReadFile(filepath.Join(root, "deploy/kubernetes/monitoring/prometheusrule.yaml"))
	require.NoError(t, err)
	other := get[monitoring.PrometheusRule](t, decode(t, string(generated)), "PrometheusRule")
	require.Equal(t, asJSON(t, want), asJSON(t, other.Spec.Groups))
}

// What would not work is refused by name, before anything is sent to a cluster.
func TestChartRefuses(t *testing.T) {
	for name, c := range map[string]struct{ values, want string }{
		"a typing error":               {"serviceMonitr: {enabled: true}", "serviceMonitr"},
		"a typing error below":         {"store: {typ: sqlite}", "typ"},
		"another database":             {"store: {type: mysql}", "store/type"},
		"a duration":                   {"serviceMonitor: {interval: 30}", "serviceMonitor/interval"},
		"no secret":                    {"store: {type: postgresql}", "name the Secret that holds the DSN"},
		"the DSN in two places":        {"config: {store: {dsn: 'sqlite:other.db'}}", "config.store.dsn: the chart says it"},
		"the namespace trap":           {"alertmanagerConfig: {enabled: true}", "only alerts of this namespace would arrive"},
		"a prefix that ends in /":      {"routePrefix: /meantime/", "routePrefix"},
		"an ingress without its host":  {"ingress: {enabled: true}", "ingress.host: name the host"},
		"a secret's name with a slash": {"secrets: [a/b]", "secrets/0"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, _, err := render(t, c.values)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A path before everything is in the probes, the scrape and the address to send to.
func TestChartRoutePrefix(t *testing.T) {
	_, text, notes, err := render(t,
		"{routePrefix: /meantime, serviceMonitor: {enabled: true}, alertmanagerConfig: {enabled: true, matcherStrategyIsNone: true}}")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(text, "path: /meantime/-/healthy"))
	require.Equal(t, 1, strings.Count(text, "path: /meantime/-/ready"))
	require.Contains(t, text, "path: /meantime/metrics")
	require.Contains(t, text, "svc:10049/meantime/webhook/alertmanager")
	require.Contains(t, notes, "svc:10049/meantime/webhook/alertmanager")
}

// restricted holds a pod to the restricted pod security standard, and to what Meantime does not need beyond it.
func restricted(t *testing.T, pod core.PodSpec) {
	t.Helper()
	require.False(t, pod.HostNetwork || pod.HostPID || pod.HostIPC)
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.Greater(t, *pod.SecurityContext.RunAsUser, int64(0))
	require.Equal(t, core.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
	require.False(t, *pod.AutomountServiceAccountToken)
	require.False(t, *pod.EnableServiceLinks, "variables such as MEANTIME_PORT look like keys of the configuration")
	for _, c := range pod.Containers {
		require.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
		require.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
		require.Equal(t, []core.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
		require.Empty(t, c.SecurityContext.Capabilities.Add)
		require.NotEmpty(t, c.Resources.Limits.Memory())
		require.NotNil(t, c.ReadinessProbe)
		for _, m := range c.VolumeMounts {
			require.True(t, slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == m.Name }) || m.Name == "store", m.Name)
		}
	}
	for _, v := range pod.Volumes {
		require.Nil(t, v.HostPath, v.Name)
	}
}

// wired says whether everything that selects the pods does.
func wired(t *testing.T, objects []object, selector *metav1.LabelSelector, pod core.PodTemplateSpec) {
	t.Helper()
	selects := func(what string, labels map[string]string) {
		require.NotEmpty(t, labels, what)
		for k, v := range labels {
			require.Equal(t, v, pod.Labels[k], "%s: %s", what, k)
		}
	}
	selects("workload", selector.MatchLabels)
	ports := map[string]bool{}
	for _, p := range pod.Spec.Containers[0].Ports {
		ports[p.Name] = true
	}
	var service *core.Service
	for _, o := range objects {
		switch v := o.value.(type) {
		case *core.Service:
			service = v
			selects("Service", v.Spec.Selector)
			require.True(t, ports[v.Spec.Ports[0].TargetPort.String()])
		case *policy.PodDisruptionBudget:
			selects("PodDisruptionBudget", v.Spec.Selector.MatchLabels)
		case *networking.NetworkPolicy:
			selects("NetworkPolicy", v.Spec.PodSelector.MatchLabels)
			require.True(t, ports[v.Spec.Ingress[0].Ports[0].Port.String()])
		}
	}
	for _, o := range objects {
		if v, ok := o.value.(*monitoring.ServiceMonitor); ok {
			for k, label := range v.Spec.Selector.MatchLabels {
				require.Equal(t, label, service.Labels[k], "the ServiceMonitor selects the Service")
			}
			require.Equal(t, service.Spec.Ports[0].Name, v.Spec.Endpoints[0].Port)
		}
	}
}

// names lists kinds and names, in order.
func names(objects []object) []string {
	var out []string
	for _, o := range objects {
		out = append(out, o.kind+" "+o.name)
	}
	slices.Sort(out)
	return out
}

// get is the object of a kind; of several the one called meantime.
func get[T any](t *testing.T, objects []object, kind string) *T {
	t.Helper()
	for _, o := range objects {
		if o.kind == kind && o.name == "meantime" {
			v, ok := o.value.(*T)
			require.True(t, ok)
			return v
		}
	}
	t.Fatalf("there is no %s", kind)
	return nil
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(v))
	return b.String()
}

// With TLS, probes, scrape and Alertmanager come by it too, or the pod is killed again and again.
func TestChartWithTLS(t *testing.T) {
	const values = `
scheme: https
extraArgs: [--web.config.file=/etc/meantime/web.yml]
serviceMonitor: {enabled: true, tlsConfig: {serverName: meantime}}
alertmanagerConfig: {enabled: true, matcherStrategyIsNone: true}
`
	_, text, _, err := render(t, values)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(text, "scheme: HTTPS"))
	require.Regexp(t, `(?m)^\s+scheme: https\n\s+tlsConfig:\s+serverName: meantime$`, text)
	require.Contains(t, text, "url: https://meantime.incidents.svc:10049/webhook/alertmanager")
	_, _, _, err = render(t, "scheme: gopher")
	require.Error(t, err)
}
