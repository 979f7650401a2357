package topology

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
	"meantime/source/sourcetest"
)

// server is a Prometheus that answers with the series of a day, by metric. Nil is a day that it knows nothing of.
type server struct {
	series map[string]map[string]string // by name, JSON of labels with how often it was called on the day
	asked  []url.Values
	err    error
}

func (s *server) Get(_ context.Context, path string, q url.Values, out any) error {
	if s.err != nil {
		return s.err
	}
	s.asked = append(s.asked, q)
	if path == "/api/v1/label/__name__/values" {
		names := []string{"up_to_something_else"}
		for name := range s.series {
			names = append(names, name)
		}
		b, _ := json.Marshal(map[string]any{"data": names})
		return json.Unmarshal(b, out)
	}
	var result []string
	for name, series := range s.series {
		if !strings.Contains(q.Get("query"), fmt.Sprintf("__name__=%q", name)) {
			continue
		}
		for labels, n := range series {
			result = append(result, fmt.Sprintf(`{"metric":%s,"value":[0,%q]}`, labels, n))
		}
	}
	return json.Unmarshal([]byte(`{"data":{"resultType":"vector","result":[`+strings.Join(result, ",")+`]}}`), out)
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// What each metric's labels mean, and what they do not.
func TestCalls(t *testing.T) {
	const (
		traces  = "traces_service_graph_request_total"
		istio   = "istio_requests_total"
		linkerd = "request_total"
		routes  = "outbound_http_route_backend_requests_total"
		hubble  = "hubble_http_requests_total"
	)
	for _, c := range []struct {
		name, metric string
		series       []string
		want         string
	}{
		{"a service graph", traces, []string{`{"client":"checkout","server":"payments"}`}, "checkout>payments"},
		{"a collector's prefix", "servicegraph_" + traces, []string{`{"client":"checkout","server":"payments"}`}, "checkout>payments"},
		{"another metric of a like name", "my" + traces, []string{`{"client":"checkout","server":"payments"}`}, ""},
		{"Beyla's namespaces", traces, []string{`{"client":"checkout","client_namespace":"shop","server":"pay","server_namespace":"money"}`},
			"shop/checkout>money/pay"},
		{"itself", traces, []string{`{"client":"checkout","server":"checkout"}`}, ""},
		{"users are no service", traces, []string{`{"client":"user","server":"checkout"}`}, ""},
		{"a node that nobody traces", traces, []string{`{"client":"checkout","server":"api.stripe.com","connection_type":"virtual_node"}`}, ""},
		{"an address of the world", traces, []string{`{"client":"checkout","server":"https://api.stripe.com/v1"}`}, ""},
		{"a queue", traces, []string{`{"client":"checkout","server":"mailer","connection_type":"messaging_system"}`}, ""},
		{"a database by its name", traces, []string{`{"client":"checkout","server":"orders-db","connection_type":"database"}`}, "checkout>orders-db"},
		{"a database by an IP", traces, []string{`{"client":"checkout","server":"10.0.0.7:5432","connection_type":"database"}`}, ""},
		{"a database by its host", traces, []string{`{"client":"checkout","server":"orders-db:5432","connection_type":"database"}`}, "checkout>orders-db"},
		{"a database by its address in Kubernetes", traces,
			[]string{`{"client":"checkout","server":"orders-db.shop.svc.cluster.local:5432","connection_type":"database"}`}, "checkout>shop/orders-db"},
		{"a database of a cloud", traces,
			[]string{`{"client":"checkout","server":"x.abc.eu-west-1.rds.amazonaws.com","connection_type":"database"}`}, ""},
		{"a name that nobody knows", traces, []string{`{"client":"unknown","server":"checkout"}`, `{"client":"checkout"}`}, ""},

		{"Istio's canonical services", istio, []string{
			`{"reporter":"destination","source_canonical_service":"web","source_workload":"web-v2","source_workload_namespace":"shop",` +
				`"destination_canonical_service":"cart","destination_workload":"cart-v1","destination_workload_namespace":"shop"}`}, "shop/web>shop/cart"},
		{"Istio's workloads", istio, []string{`{"reporter":"destination","source_workload":"web","destination_workload":"cart"}`}, "web>cart"},
		{"Istio tells both ends, which is one call", istio, []string{
			`{"reporter":"destination","source_workload":"web","destination_workload":"cart"}`,
			`{"reporter":"source","source_workload":"web","destination_workload":"cart"}`}, "web>cart"},
		{"a target outside of Istio's mesh", istio, []string{
			`{"reporter":"source","source_workload":"web","destination_canonical_service":"unknown","destination_service_name":"legacy",` +
				`"destination_service_namespace":"old","destination_workload":"unknown"}`}, "web>old/legacy"},
		{"a target in the world", istio, []string{
			`{"reporter":"source","source_workload":"web","destination_service_name":"api.stripe.com"}`,
			`{"reporter":"source","source_workload":"web","destination_service_name":"PassthroughCluster","destination_workload":"unknown"}`}, ""},
		{"a gateway", istio, []string{`{"source_workload":"istio-ingressgateway","destination_workload":"cart"}`}, ""},

		{"Linkerd's workloads", linkerd, []string{`{"deployment":"web","namespace":"shop","dst_statefulset":"db","dst_namespace":"data"}`}, "shop/web>data/db"},
		{"Linkerd's services", linkerd, []string{`{"k8s_job":"nightly","namespace":"shop","dst_service":"cart","dst_namespace":"shop"}`},
			"shop/nightly>shop/cart"},
		{"Linkerd's routes", routes, []string{`{"deployment":"web","namespace":"shop","backend_name":"cart","backend_namespace":"shop"}`}, "shop/web>shop/cart"},
		{"Hubble's workloads", hubble, []string{`{"source_workload":"web","source_namespace":"shop","destination_app":"cart","destination_namespace":"shop"}`},
			"shop/web>shop/cart"},
		{"Hubble's pods, addresses and identities", hubble, []string{`{"source":"web-7c9-x","destination":"10.0.0.7"}`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{series: map[string]map[string]string{c.metric: {}}}
			for _, labels := range c.series {
				s.series[c.metric][labels] = "100"
			}
			got, err := calls(t.Context(), s, noon)
			require.NoError(t, err)
			var all []string
			for _, x := range got {
				require.InDelta(t, 100, x.Requests, 0)
				all = append(all, x.From+">"+x.To)
			}
			require.Equal(t, c.want, strings.Join(all, " "))
		})
	}
}

// What is asked: of generic names only what is surely a mesh's, for one day, summed by what names a service.
func TestQuestions(t *testing.T) {
	s := &server{series: map[string]map[string]string{"request_total": {}, "istio_requests_total": {}}}
	_, err := calls(t.Context(), s, noon)
	require.NoError(t, err)
	require.Len(t, s.asked, 3)
	require.Equal(t, "1796040000", s.asked[0].Get("end"))
	require.Contains(t, s.asked[0].Get("match[]"), "|request_total|")
	require.Contains(t, s.asked[1].Get("query"), ", reporter) (increase({__name__=\"istio_requests_total\"}[1d])) > 0")
	require.Contains(t, s.asked[2].Get("query"), `(increase({__name__="request_total",direction="outbound",dst_namespace!=""}[1d])) > 0`)
	require.Equal(t, "1796040000", s.asked[1].Get("time"))
	for _, q := range s.asked {
		require.NotContains(t, q.Get("query"), "instance")
	}
}

// A call that hardly happens tells nothing, and of what several tell the most counts.
func TestRequests(t *testing.T) {
	s := &server{series: map[string]map[string]string{
		"traces_service_graph_request_total":              {`{"client":"a","server":"b"}`: "9.4", `{"client":"a","server":"c"}`: "50"},
		"servicegraph_traces_service_graph_request_total": {`{"client":"a","server":"c"}`: "70.4", `{"client":"a","server":"d"}`: "NaN"},
		"istio_requests_total":                            {`{"source_workload":"a","destination_workload":"c"}`: "60"},
	}}
	got, err := calls(t.Context(), s, noon)
	require.NoError(t, err)
	require.Equal(t, []Call{{From: "a", To: "c", Via: "traces", Requests: 70}}, got)
}

// Each whole day is asked for once; a service depends on what it called on two of the last seven.
func TestDays(t *testing.T) {
	graph := func(pairs ...string) map[string]map[string]string {
		series := map[string]string{}
		for _, p := range pairs {
			from, to, _ := strings.Cut(p, ">")
			series[fmt.Sprintf(`{"client":%q,"server":%q}`, from, to)] = "100"
		}
		return map[string]map[string]string{"traces_service_graph_request_total": series}
	}
	now := noon
	s, store := &server{}, sourcetest.NewStore()
	told := 0
	poll := func() error {
		return New(Options{Name: "topology/eu", Client: s, Store: store, Now: func() time.Time { return now },
			Changed: func(context.Context) error { told++; return nil }}).Poll(t.Context())
	}
	read := func() string {
		list, err := Read(t.Context(), store, "topology/eu")
		require.NoError(t, err)
		var out []string
		for _, l := range list {
			out = append(out, fmt.Sprintf("%s>%s %d %s %v", l.From, l.To, l.Days, l.Last.Format("01-02"), l.Counts()))
		}
		return strings.Join(out, ", ")
	}
	require.NoError(t, poll())
	require.Len(t, s.asked, days, "the names, for each day: there are none of these metrics")
	require.Empty(t, read())
	require.NoError(t, poll())
	require.Len(t, s.asked, days, "asked once")

	// Just after midnight the day is not over.
	now = now.Truncate(day).Add(day + 10*time.Minute)
	require.NoError(t, poll())
	require.Len(t, s.asked, days)
	now, s.series = now.Add(10*time.Minute), graph("a>b")
	require.NoError(t, poll())
	require.Equal(t, "a>b 1 11-30 false", read())
	now, s.series = now.Add(day), graph("a>b", "b>c")
	require.NoError(t, poll())
	require.Equal(t, "a>b 2 12-01 true, b>c 1 12-01 false", read())
	require.Equal(t, 5, told)

	// While it cannot be asked, what was learned stays; what is called no more goes after seven days.
	s.err = errors.New("down")
	now = now.Add(2 * day)
	require.ErrorContains(t, poll(), "down")
	require.Equal(t, "a>b 2 12-01 true, b>c 1 12-01 false", read())
	s.err, s.series = nil, graph("b>c")
	require.NoError(t, poll())
	require.Equal(t, "a>b 2 12-01 true, b>c 3 12-03 true", read())
	now, s.series = now.Add(4*day), graph()
	require.NoError(t, poll())
	require.Equal(t, "a>b 1 12-01 false, b>c 3 12-03 true", read())
	now = now.Add(7 * day)
	require.NoError(t, poll())
	require.Empty(t, read())
	marks, err := store.Marks(t.Context(), "topology/eu")
	require.NoError(t, err)
	require.LessOrEqual(t, len(marks), days+1, "old days are forgotten")
}

// What is read depends on what is stored alone, in whatever order it came.
func TestReadHasNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "c"})
		var marks []incident.Mark
		for i := range rapid.IntRange(0, 12).Draw(t, "days") {
			var list []Call
			for range rapid.IntRange(0, 4).Draw(t, "calls") {
				list = append(list, Call{From: name.Draw(t, "from"), To: name.Draw(t, "to"), Via: "traces", Requests: 10})
			}
			text, _ := json.Marshal(list)
			marks = append(marks, incident.Mark{Source: "x", Name: noon.AddDate(0, 0, i).Format(time.DateOnly), Value: string(text)})
		}
		var want []Learned
		for i := range 3 {
			store := sourcetest.NewStore()
			for _, m := range rapid.Permutation(marks).Draw(t, "order") {
				if _, err := store.Put(context.Background(), incident.Facts{Marks: []incident.Mark{m}}, noon); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Read(context.Background(), store, "x")
			if err != nil {
				t.Fatal(err)
			}
			if want = append(want, got...); i > 0 && fmt.Sprint(got) != fmt.Sprint(want[:len(got)]) {
				t.Fatalf("%v, and before %v", got, want)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"client":"a","server":"b"},"value":[1,"12"]}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		found := map[[2]string]Call{}
		_ = ask(t.Context(), said(text), &metrics[0], "traces_service_graph_request_total", noon, found)
		for _, c := range busiest(found) {
			require.NotEmpty(t, c.From)
			require.NotEqual(t, c.From, c.To)
			require.GreaterOrEqual(t, c.Requests, float64(fewest))
		}
	})
}

type said string

func (s said) Get(_ context.Context, _ string, _ url.Values, out any) error {
	return json.Unmarshal([]byte(s), out)
}
