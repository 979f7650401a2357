package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var docRow = regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (?:`([A-Z_]+)` )?\\| (?:`([^`]*)` )?\\| (.+) \\|$")

// docs/config.md has a row for every key, with its variable and its default as the program has them, and no others.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../docs/config.md")
	require.NoError(t, err)
	var documented []Key
	for _, m := range docRow.FindAllStringSubmatch(string(b), -1) {
		documented = append(documented, Key{Path: m[1], Env: m[2], Default: strings.ReplaceAll(m[3], `\|`, "|")})
	}
	byPath := func(p string) func(Key) bool { return func(k Key) bool { return k.Path == p } }
	for _, k := range Keys() {
		i := slices.IndexFunc(documented, byPath(k.Path))
		require.GreaterOrEqual(t, i, 0, "%s is not in docs/config.md", k.Path)
		want := Key{Path: k.Path, Env: k.Env, Default: k.Default}
		if k.InList {
			want.Env = ""
		}
		require.Equal(t, want, documented[i])
		documented = slices.Delete(documented, i, i+1)
	}
	require.Empty(t, documented, "in docs/config.md, but no key, or twice")
}

// named is what looks like a key of the configuration in a text; what has dashes before it is a flag.
var named = regexp.MustCompile(`(?:^|[^-\w./])((?:alertmanagers?|prometheus(?:es)?|correlate|store|web|windows|services|severities|sources|figures|alerts)\.[a-z_]+(?:\.[a-z_]+)*)\b`)

// What the other documents, the rules and the dashboards call a key is one.
func TestOtherDocumentsNameKeysThereAre(t *testing.T) {
	known := map[string]bool{}
	for _, k := range Keys() {
		path := strings.ReplaceAll(k.Path, "[]", "")
		for ; !known[path] && path != ""; path = path[:max(0, strings.LastIndex(path, "."))] {
			known[path] = true
		}
	}
	var files []string
	for _, pattern := range []string{"../README.md", "../docs/*.md", "../dashboards/*.yaml", "../dashboards/*.json"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		files = append(files, found...)
	}
	n := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, m := range named.FindAllStringSubmatch(string(b), -1) {
			if ext := filepath.Ext("x." + m[1]); slices.Contains([]string{".yaml", ".yml", ".json", ".go", ".io", ".om", ".db", ".md"}, ext) {
				continue // a file or a host
			}
			n++
			require.True(t, known[m[1]], "%s: %s is no key", file, m[1])
		}
	}
	require.Greater(t, n, 20)
}

// testdata/good/everything.yml uses every key, but the few that exclude each other or that no type of source takes.
func TestEverythingIsEverything(t *testing.T) {
	b, err := os.ReadFile("testdata/good/everything.yml")
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, yaml.Unmarshal(b, &doc))
	used := map[string]bool{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		used[path] = true
		switch x := v.(type) {
		case map[string]any:
			for k, v := range x {
				walk(join(path, k), v)
			}
		case []any:
			for _, v := range x {
				walk(path+"[]", v)
			}
		}
	}
	walk("", doc)
	var unused []string
	for _, k := range Keys() {
		if !used[k.Path] {
			unused = append(unused, k.Path)
		}
	}
	require.Equal(t, []string{
		"store.dsn_file", "alertmanagers[].basic_auth.username", "alertmanagers[].basic_auth.password_file",
		"prometheuses[].bearer_token_file", "prometheuses[].oauth2.token_url", "prometheuses[].oauth2.client_id",
		"prometheuses[].oauth2.client_secret_file", "prometheuses[].oauth2.scopes", "prometheuses[].oauth2.endpoint_params",
		"prometheuses[].tls_config.ca_file", "prometheuses[].tls_config.cert_file", "prometheuses[].tls_config.key_file",
		"prometheuses[].tls_config.server_name", "prometheuses[].tls_config.insecure_skip_verify", "prometheuses[].proxy_url",
		"prometheuses[].no_proxy", "sources[].tls_config.ca_file", "sources[].tls_config.cert_file", "sources[].tls_config.key_file",
		"sources[].tls_config.insecure_skip_verify",
	}, unused)
}
