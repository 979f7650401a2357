package release_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-jsonnet"
	"github.com/stretchr/testify/require"
)

// The newest jsonnet makes of the mixin what Debian's does, which the tests of dashboards/ look at word by word.
func TestMixinByGoJsonnet(t *testing.T) {
	vm := jsonnet.MakeVM()
	vm.Importer(&jsonnet.FileImporter{JPaths: []string{root}})
	out, err := vm.EvaluateAnonymousSnippet("mixin_test.jsonnet", `
		local m = (import 'dashboards/mixin.libsonnet') + { _config+:: { meantimeSelector: 'job="mt"', thresholds+: { suggestedLinks: 3 } } };
		{ boards: std.length(std.objectFields(m.grafanaDashboards)),
		  exprs: { [r.alert]: r.expr for g in m.prometheusAlerts.groups for r in g.rules },
		  title: m.grafanaDashboards['meantime-detection.json'].title }`)
	require.NoError(t, err)
	var got struct {
		Boards int
		Exprs  map[string]string
		Title  string
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, 6, got.Boards)
	require.Equal(t, "Meantime / Detection", got.Title)
	require.Equal(t, `max by (job) (meantime_suggested_links{job="mt"}) > 3`, got.Exprs["MeantimeSuggestionsWaiting"])
	require.Equal(t, `absent(meantime_build_info{job="mt"})`, got.Exprs["MeantimeAbsent"])
}
