package release_test

import (
	"bufio"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func newReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// The plain manifests are the chart's, rendered with the values beside them.
func TestManifestsAreTheChart(t *testing.T) {
	for _, of := range []string{"sqlite", "postgresql"} {
		t.Run(of, func(t *testing.T) {
			dir := filepath.Join(root, "deploy/kubernetes", of)
			values, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
			require.NoError(t, err)
			_, text, _, err := render(t, string(values))
			require.NoError(t, err)
			text = "# Generated from deploy/helm by `make kubernetes`. Do not edit: kustomize says what differs.\n" + text
			// kustomize says the namespace, and nobody manages these by Helm.
			text = strings.NewReplacer(
				"  namespace: incidents\n", "", "app.kubernetes.io/managed-by: Helm", "app.kubernetes.io/managed-by: kustomize",
			).Replace(text)
			var lines []string
			for _, l := range strings.Split(text, "\n") {
				if !strings.Contains(l, "helm.sh/chart:") {
					lines = append(lines, strings.TrimRight(l, " "))
				}
			}
			text = strings.Join(lines, "\n")
			path := filepath.Join(dir, "meantime.yaml")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			have, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, text, string(have), "run make kubernetes")
		})
	}
}

// kustomize builds each variant, without a plugin, the network or a file from outside of its folders.
func TestKustomize(t *testing.T) {
	for of, want := range map[string][]string{
		"sqlite":     {"ConfigMap", "Namespace", "NetworkPolicy", "Service", "ServiceAccount", "StatefulSet"},
		"postgresql": {"ConfigMap", "Deployment", "Namespace", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"},
		"monitoring": {"ConfigMap", "PrometheusRule", "ServiceMonitor"},
	} {
		t.Run(of, func(t *testing.T) {
			out, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, "deploy/kubernetes", of))
			require.NoError(t, err)
			text, err := out.AsYaml()
			require.NoError(t, err)
			objects := decode(t, string(text))
			seen := map[string]bool{}
			for _, o := range objects {
				seen[o.kind] = true
				if o.kind != "Namespace" {
					require.Equal(t, "meantime", o.namespace, "%s %s", o.kind, o.name)
				}
			}
			for _, kind := range want {
				require.True(t, seen[kind], kind)
			}
			require.Len(t, seen, len(want))
			switch of {
			case "sqlite":
				set := get[apps.StatefulSet](t, objects, "StatefulSet")
				restricted(t, set.Spec.Template.Spec)
				wired(t, objects, set.Spec.Selector, set.Spec.Template)
			case "postgresql":
				d := get[apps.Deployment](t, objects, "Deployment")
				restricted(t, d.Spec.Template.Spec)
				wired(t, objects, d.Spec.Selector, d.Spec.Template)
			case "monitoring":
				dashboards := 0
				for _, o := range objects {
					if m, ok := o.value.(*core.ConfigMap); ok {
						require.Equal(t, "1", m.Labels["grafana_dashboard"])
						dashboards += len(m.Data)
					}
				}
				require.Equal(t, 6, dashboards)
			}
			for _, o := range objects {
				if ns, ok := o.value.(*core.Namespace); ok {
					require.Equal(t, "restricted", ns.Labels["pod-security.kubernetes.io/enforce"])
				}
			}
		})
	}
}

// The AlertmanagerConfig is there to be added by who has read of the trap, and is sound; it is not applied with the rest.
func TestAlertmanagerConfig(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy/kubernetes/monitoring/alertmanagerconfig.yaml"))
	require.NoError(t, err)
	objects := decode(t, string(text))
	require.Len(t, objects, 1)
	require.Equal(t, "AlertmanagerConfig", objects[0].kind)
}
