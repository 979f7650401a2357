package prometheus

import (
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestWhichPrometheusIsAsked(t *testing.T) {
	eu := Origin{Address: "http://prom-eu:9090", Labels: []Label{{"cluster", "eu"}, {"replica", "a"}}}
	us := Origin{Address: "https://prom.example.org/us", Labels: []Label{{"cluster", "us"}}}
	bare, other := Origin{Address: "http://one:9090"}, Origin{Address: "http://two:9090"}
	twin := Origin{Address: "http://prom-eu-b:9090", Labels: []Label{{"cluster", "eu"}}}
	for _, tc := range []struct {
		name      string
		all       Origins
		labels    map[string]string
		generator string
		want      []int
	}{
		{"one alone is asked of everything", Origins{bare}, nil, "", []int{0}},
		{"but not of what another cluster's labels contradict", Origins{us}, map[string]string{"cluster": "eu"}, "", nil},
		{"by external labels", Origins{eu, us}, map[string]string{"cluster": "us"}, "", []int{1}},
		{"by external labels, all there", Origins{eu, us}, map[string]string{"cluster": "eu", "replica": "a"}, "", []int{0}},
		{"one label was taken away on the way", Origins{eu, us}, map[string]string{"cluster": "eu"}, "", []int{0}},
		{"by the generator", Origins{eu, us}, map[string]string{"cluster": "us"}, "https://prom.example.org/us/graph?g0.expr=x", []int{1}},
		{"by the generator, without labels", Origins{bare, other}, nil, "http://two:9090/graph?g0.expr=x", []int{1}},
		{"a path that only begins alike", Origins{us, bare}, nil, "https://prom.example.org/usa/graph", nil},
		{"nothing tells: nobody, for the wrong one would answer", Origins{bare, other}, map[string]string{"a": "b"}, "http://thanos:9090/graph", nil},
		{"neither label there", Origins{eu, us}, map[string]string{"a": "b"}, "", nil},
		{"a third cluster", Origins{eu, us}, map[string]string{"cluster": "ap"}, "", nil},
		{"replicas are both asked", Origins{twin, {Address: "http://c:9090", Labels: twin.Labels}, us}, map[string]string{"cluster": "eu"}, "", []int{0, 1}},
		{"a label outranks one that says nothing", Origins{bare, us}, map[string]string{"cluster": "us"}, "", []int{1}},
		{"the only one that is left", Origins{bare, us}, map[string]string{"cluster": "eu"}, "", []int{0}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []int
			for i := range tc.all {
				if tc.all.Asked(i, &incident.Episode{Labels: tc.labels, GeneratorURL: tc.generator}) {
					got = append(got, i)
				}
			}
			require.Equal(t, tc.want, got)
		})
	}
}
