package incident

import (
	"testing"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

func TestIntake(t *testing.T) {
	in := Intake{
		Ignored:    func(l map[string]string) bool { return l["team"] == "sandbox" || l["replica"] == "broken" },
		DropLabels: []string{"replica", "prometheus_replica"},
	}
	fpOf := func(l model.LabelSet) string { return l.Fingerprint().String() }
	for _, c := range []struct {
		name   string
		labels map[string]string
		fp     string
		want   map[string]string
		ok     bool
	}{
		{"as it is", map[string]string{"alertname": "Down"}, "sent", map[string]string{"alertname": "Down"}, true},
		{"one replica's", map[string]string{"alertname": "Down", "replica": "a"}, fpOf(model.LabelSet{"alertname": "Down"}), map[string]string{"alertname": "Down"}, true},
		{"both labels", map[string]string{"alertname": "Down", "replica": "a", "prometheus_replica": "b", "x": "y"}, fpOf(model.LabelSet{"alertname": "Down", "x": "y"}),
			map[string]string{"alertname": "Down", "x": "y"}, true},
		{"nothing would stay", map[string]string{"replica": "a"}, "sent", map[string]string{"replica": "a"}, true},
		{"an empty one is one all the same", map[string]string{"alertname": "Down", "replica": ""}, fpOf(model.LabelSet{"alertname": "Down"}), map[string]string{"alertname": "Down"}, true},
		{"ignored", map[string]string{"team": "sandbox"}, "", nil, false},
		{"ignored by a label that is left out", map[string]string{"alertname": "Down", "replica": "broken"}, "", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			told := map[string]string{}
			for k, v := range c.labels {
				told[k] = v
			}
			fp, l, ok := in.Take("sent", c.labels)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.fp, fp)
			require.Equal(t, c.want, l)
			require.Equal(t, told, c.labels, "what was told is not changed")
		})
	}
	fp, l, ok := (&Intake{}).Take("sent", map[string]string{"replica": "a"})
	require.Equal(t, []any{"sent", map[string]string{"replica": "a"}, true}, []any{fp, l, ok})
}
