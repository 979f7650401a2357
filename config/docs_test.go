package config

import (
	"os"
	"regexp"
	"slices"
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
		documented = append(documented, Key{Path: m[1], Env: m[2], Default: m[3]})
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
		"prometheuses[].no_proxy", "sources[].url", "sources[].token_file",
	}, unused)
}
