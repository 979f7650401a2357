package deploy_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"meantime/test/servers"
)

// What Helm, kustomize, compose and nfpm themselves say of deploy/ is in test/release, which takes minutes to compile: `make deploy-check`.
// Here is what can be said of the same files without them.

// file reads a file of the repository.
func file(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(servers.Root(t), name))
	require.NoError(t, err)
	return text
}

// seals writes the seal; `make deploy-check` does so when all of its tests have passed.
var seals = flag.Bool("seal", false, "write that the chart has passed make deploy-check")

// The chart has passed `make deploy-check` as it is: whoever changes it runs that.
func TestChartWasChecked(t *testing.T) {
	if *seals {
		require.NoError(t, os.WriteFile(filepath.Join(servers.Root(t), "deploy/helm/checked"), []byte(seal(t)+"\n"), 0o644))
	}
	require.Equal(t, strings.TrimSpace(string(file(t, "deploy/helm/checked"))), seal(t), "run make deploy-check")
}

// seal is a digest of what test/release looks at in the chart.
func seal(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(servers.Root(t), "deploy/helm/meantime")
	sum := sha256.New()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path) // it lies below
		fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(rel), len(text), text)
		return err
	}))
	return hex.EncodeToString(sum.Sum(nil))
}

// Every value that may be set is in the schema, with its default, and the schema has no other.
func TestChartValues(t *testing.T) {
	var values map[string]any
	require.NoError(t, yaml.Unmarshal(file(t, "deploy/helm/meantime/values.yaml"), &values))
	type schema struct {
		Type       any
		Additional *json.RawMessage `json:"additionalProperties"`
		Properties map[string]*json.RawMessage
	}
	var compare func(path string, raw []byte, values map[string]any)
	compare = func(path string, raw []byte, values map[string]any) {
		var s schema
		require.NoError(t, json.Unmarshal(raw, &s))
		if s.Properties == nil {
			return // whatever its owner likes, such as annotations
		}
		require.Equal(t, "false", string(*s.Additional), "%s: a typing error would be taken", path)
		have := slices.Sorted(maps.Keys(s.Properties))
		if path == "" {
			have = slices.DeleteFunc(have, func(k string) bool { return k == "global" }) // Helm's own
		}
		if path != ".alertmanagerConfig.tokenSecret" {
			require.Equal(t, slices.Sorted(maps.Keys(values)), have, "of %q", path)
		}
		for k, raw := range s.Properties {
			if below, ok := values[k].(map[string]any); ok {
				compare(path+"."+k, *raw, below)
			}
		}
	}
	compare("", file(t, "deploy/helm/meantime/values.schema.json"), values)

	// Every value that a template reads is one that there is.
	used := regexp.MustCompile(`\.Values((?:\.[a-zA-Z]+)+)`)
	templates, err := filepath.Glob(filepath.Join(servers.Root(t), "deploy/helm/meantime/templates/*"))
	require.NoError(t, err)
	require.Len(t, templates, 5)
	for _, name := range templates {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		_, err = template.New(name).Funcs(helmFunctions()).Parse(string(text))
		require.NoError(t, err)
		for _, u := range used.FindAllStringSubmatch(string(text), -1) {
			at := any(values)
			for _, k := range strings.Split(u[1][1:], ".") {
				m, ok := at.(map[string]any)
				require.True(t, ok, u[0])
				if _, ok := m[k]; !ok && u[1][1:7] == "config" {
					break
				}
				require.Contains(t, m, k, "%s: %s", name, u[0])
				at = m[k]
			}
		}
	}
}

// helmFunctions are the names of Helm's functions that the templates call. A template is only parsed with them.
func helmFunctions() template.FuncMap {
	out := template.FuncMap{}
	for _, name := range strings.Fields(`base contains deepCopy default dict fail fromYaml has include int list merge nindent quote required
		set sha256sum toJson toYaml trim trimPrefix trimSuffix trunc`) {
		out[name] = func(...any) string { return "" }
	}
	return out
}

// documents reads the documents of a YAML file.
func documents(t *testing.T, name string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for d := yaml.NewDecoder(bytes.NewReader(file(t, name))); ; {
		var doc map[string]any
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err, name)
		if doc != nil {
			out = append(out, doc)
		}
	}
}

// at follows keys and indices down a document.
func at(t *testing.T, doc any, path ...any) any {
	t.Helper()
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, ok := doc.(map[string]any)
			require.True(t, ok, "%v", path)
			require.Contains(t, m, p, "%v", path)
			doc = m[p]
		case int:
			l, ok := doc.([]any)
			require.True(t, ok && len(l) > p, "%v", path)
			doc = l[p]
		}
	}
	return doc
}

// The plain manifests, which are the chart rendered, hold to the restricted pod security standard, and what selects the pod does.
func TestManifests(t *testing.T) {
	for name, kind := range map[string]string{"sqlite": "StatefulSet", "postgresql": "Deployment"} {
		t.Run(name, func(t *testing.T) {
			dir := "deploy/kubernetes/" + name + "/"
			byKind := map[string]map[string]any{}
			for _, d := range documents(t, dir+"meantime.yaml") {
				byKind[at(t, d, "kind").(string)] = d
				require.Equal(t, "meantime", at(t, d, "metadata", "name"))
			}
			workload := byKind[kind]
			require.NotNil(t, workload)
			pod := at(t, workload, "spec", "template", "spec")
			require.Equal(t, true, at(t, pod, "securityContext", "runAsNonRoot"))
			require.Equal(t, 65532, at(t, pod, "securityContext", "runAsUser"))
			require.Equal(t, "RuntimeDefault", at(t, pod, "securityContext", "seccompProfile", "type"))
			require.Equal(t, false, at(t, pod, "enableServiceLinks"))
			require.Equal(t, false, at(t, pod, "automountServiceAccountToken"))
			require.Equal(t, false, at(t, pod, "containers", 0, "securityContext", "allowPrivilegeEscalation"))
			require.Equal(t, true, at(t, pod, "containers", 0, "securityContext", "readOnlyRootFilesystem"))
			require.Equal(t, []any{"ALL"}, at(t, pod, "containers", 0, "securityContext", "capabilities", "drop"))
			require.Equal(t, "meantime:"+version(t), at(t, pod, "containers", 0, "image"))
			labels := at(t, workload, "spec", "template", "metadata", "labels").(map[string]any)
			for what, selector := range map[string]any{
				"workload":      at(t, workload, "spec", "selector", "matchLabels"),
				"Service":       at(t, byKind["Service"], "spec", "selector"),
				"NetworkPolicy": at(t, byKind["NetworkPolicy"], "spec", "podSelector", "matchLabels"),
			} {
				for k, v := range selector.(map[string]any) {
					require.Equal(t, v, labels[k], "%s: %s", what, k)
				}
			}
			// The configuration in it is one.
			config := at(t, byKind["ConfigMap"], "data", "meantime.yml").(string)
			status, said := servers.MeantimeRun(t, t.TempDir(), "check-config",
				"--config.file="+written(t, strings.Replace(config, "dsn_file: /etc/meantime/store/dsn", "dsn: sqlite:a.db", 1)))
			require.Zero(t, status, said)
			for _, of := range []string{"kustomization.yaml", "namespace.yaml"} {
				documents(t, dir+of)
			}
		})
	}
	board := map[string]bool{}
	for _, g := range at(t, documents(t, "dashboards/kustomization.yaml")[0], "configMapGenerator").([]any) {
		_, name, _ := strings.Cut(at(t, g, "files", 0).(string), "=")
		if name == "" {
			name = at(t, g, "files", 0).(string)
		}
		board[name] = true
		file(t, "dashboards/"+name)
	}
	have, err := filepath.Glob(filepath.Join(servers.Root(t), "dashboards/*.json"))
	require.NoError(t, err)
	require.Len(t, board, len(have), "every dashboard is a ConfigMap")
}

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "meantime.yml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// What the packages take from the repository is there, and their configuration and scripts are right.
func TestPackageFiles(t *testing.T) {
	root := servers.Root(t)
	doc := documents(t, "deploy/packages/nfpm.yaml")[0]
	seen := 0
	for _, c := range at(t, doc, "contents").([]any) {
		src, ok := c.(map[string]any)["src"].(string)
		if !ok || strings.HasPrefix(src, "bin/") { // made by `make package-files`
			continue
		}
		found, err := filepath.Glob(filepath.Join(root, src))
		require.NoError(t, err)
		require.NotEmpty(t, found, src)
		seen++
	}
	require.Greater(t, seen, 10)
	for _, script := range at(t, doc, "scripts").(map[string]any) {
		run(t, root, "sh", "-n", script.(string))
	}
	status, said := servers.MeantimeRun(t, t.TempDir(), "check-config", "--config.file="+filepath.Join(root, "deploy/packages/meantime.yml"))
	require.Zero(t, status, said)
	for _, commented := range regexp.MustCompile(`(?m)^# ([a-z]+: [\[{].*)$`).FindAllStringSubmatch(string(file(t, "deploy/packages/meantime.yml")), -1) {
		if !strings.HasPrefix(commented[1], "web:") { // its files are the reader's
			status, said := servers.MeantimeRun(t, t.TempDir(), "check-config", "--config.file="+written(t, commented[1]))
			require.Zero(t, status, "%s: %s", commented[1], said)
		}
	}
}

// The manual page has a head that man can read and every command; the shells' completion names them.
func TestManual(t *testing.T) {
	_, page := servers.MeantimeRun(t, t.TempDir(), "--help-man")
	require.Regexp(t, `^\.TH meantime 1 [^ \n]+ ""\n`, page)
	_, words := servers.MeantimeRun(t, t.TempDir(), "--completion-bash")
	for _, command := range []string{"serve", "check-config", "import", "report", "explain", "backup", "copy", "healthcheck"} {
		require.Contains(t, page, command)
		require.Contains(t, strings.Fields(words), command)
	}
	for _, shell := range []string{"bash", "zsh"} {
		status, script := servers.MeantimeRun(t, t.TempDir(), "--completion-script-"+shell)
		require.Zero(t, status)
		require.Contains(t, script, "--completion-bash")
	}
}

// The compose file mounts what is there, opens nothing to others, and provisions every dashboard.
func TestComposeFile(t *testing.T) {
	doc := documents(t, "deploy/compose/compose.yaml")[0]
	boards := 0
	for name, s := range at(t, doc, "services").(map[string]any) {
		service := s.(map[string]any)
		image := service["image"].(string)
		_, tag, pinned := strings.Cut(image, ":")
		require.True(t, pinned && tag != "latest", "%s is pinned", name)
		if strings.HasPrefix(image, "meantime") {
			require.Equal(t, "${VERSION:-"+version(t)+"}", tag)
		}
		for _, p := range orNone(service["ports"]) {
			require.Regexp(t, `^127\.0\.0\.1:`, p, "%s: without passwords, so on this machine alone", name)
		}
		for _, v := range orNone(service["volumes"]) {
			from, to, _ := strings.Cut(v.(string), ":")
			if strings.HasPrefix(from, ".") {
				_, err := os.Stat(filepath.Join(servers.Root(t), "deploy/compose", from))
				require.NoError(t, err)
				require.True(t, strings.HasSuffix(to, ":ro"), "%s: %s", name, from)
				if strings.HasPrefix(to, "/var/lib/grafana/dashboards/meantime/") {
					boards++
				}
				continue
			}
			at(t, doc, "volumes", from)
		}
	}
	have, err := filepath.Glob(filepath.Join(servers.Root(t), "dashboards/*.json"))
	require.NoError(t, err)
	require.Equal(t, len(have), boards)
}

func orNone(v any) []any {
	l, _ := v.([]any)
	return l
}
