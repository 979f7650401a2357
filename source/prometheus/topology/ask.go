package topology

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Client asks one Prometheus, or what answers like one. *source.Client is one.
type Client interface {
	// Get decodes the JSON answer of a path into out.
	Get(ctx context.Context, path string, query url.Values, out any) error
}

// Call is that one service called another on a day.
type Call struct {
	From string `json:"from"`
	To   string `json:"to"`
	// Via is what tells: traces, istio, linkerd or hubble.
	Via      string  `json:"via"`
	Requests float64 `json:"requests"`
}

// metric is a family of metrics that count requests between services.
type metric struct {
	via string
	// name is a regular expression of its names, only the matchers that its series must fulfil besides, by the labels to sum by.
	name, only string
	by         []string
	// read tells who called whom; empty names tell nothing.
	read func(l labels) (from, to string)
}

type labels = model.Metric

// metrics are those that are known. Of each only what names a service or a workload counts: pods, addresses and identities name none.
var metrics = []metric{
	{
		// The service graphs that Tempo, Grafana Alloy, OpenTelemetry's connector and Beyla make of traces. A collector's exporter may put
		// a prefix before the name.
		via: "traces", name: "(.+_)?traces_service_graph_request_total",
		by: []string{"client", "server", "connection_type", "client_namespace", "server_namespace"}, read: fromTraces,
	},
	{
		via: "istio", name: "istio_requests_total|istio_tcp_connections_opened_total",
		by: []string{"source_canonical_service", "source_workload", "source_workload_namespace", "destination_canonical_service",
			"destination_service_name", "destination_workload", "destination_service_namespace", "destination_workload_namespace"}, read: fromIstio,
	},
	{
		via: "linkerd", name: "request_total", only: `direction="outbound",dst_namespace!=""`,
		by: append([]string{"namespace", "dst_namespace", "dst_service"}, append(slices.Clone(linkerdKinds), prefixed("dst_", linkerdKinds)...)...),
		read: func(l labels) (string, string) {
			return named(l, "namespace", linkerdKinds...), named(l, "dst_namespace", append(prefixed("dst_", linkerdKinds), "dst_service")...)
		},
	},
	{
		via: "linkerd", name: "outbound_http_route_backend_requests_total", only: `backend_name!=""`,
		by: append([]string{"namespace", "backend_namespace", "backend_name"}, linkerdKinds...),
		read: func(l labels) (string, string) {
			return named(l, "namespace", linkerdKinds...), named(l, "backend_namespace", "backend_name")
		},
	},
	{
		// Requests only: flows see answers as well, which go the other way.
		via: "hubble", name: "hubble_http_requests_total",
		by: []string{"source_workload", "source_app", "source_namespace", "destination_workload", "destination_app", "destination_namespace"},
		read: func(l labels) (string, string) {
			return named(l, "source_namespace", "source_app", "source_workload"),
				named(l, "destination_namespace", "destination_app", "destination_workload")
		},
	},
}

// linkerdKinds are the labels by which Linkerd names workloads.
var linkerdKinds = []string{"deployment", "statefulset", "daemonset", "k8s_job"}

func prefixed(prefix string, names []string) []string {
	var out []string
	for _, n := range names {
		out = append(out, prefix+n)
	}
	return out
}

// named is the first of some labels that names a service, with its namespace before it.
func named(l labels, namespace string, names ...string) string {
	for _, n := range names {
		if name := proper(string(l[model.LabelName(n)])); name != "" {
			if ns := proper(string(l[model.LabelName(namespace)])); ns != "" {
				return ns + "/" + name
			}
			return name
		}
	}
	return ""
}

// longestName bounds a name of a service, in bytes.
const longestName = 200

// nobody are values that stand for what is not known, or is no service of anybody's.
var nobody = []string{
	"", "unknown", "user", "passthroughcluster", "blackholecluster", "inboundpassthroughcluster", "inboundpassthroughclusteripv4",
	"istio-ingressgateway", "istio-egressgateway", "virtual_node", "reserved:world", "world",
}

// proper is a name that may be a service's; empty where it is none.
func proper(name string) string {
	name = strings.TrimSpace(name)
	if len(name) > longestName || slices.Contains(nobody, strings.ToLower(name)) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) {
		return ""
	}
	return name
}

// host is the service that an address names: that of Kubernetes by its first part, any that is one word. An IP and a host of the
// world name none.
func host(address string) string {
	if strings.Contains(address, "://") || strings.HasPrefix(address, "[") {
		return ""
	}
	name, _, _ := strings.Cut(address, ":")
	parts := strings.Split(name, ".")
	switch {
	case len(parts) == 1:
		return proper(name)
	case len(parts) > 2 && parts[2] == "svc":
		return proper(parts[1] + "/" + parts[0])
	}
	return ""
}

// fromTraces reads an edge of a service graph. What a queue lies between fails neither with the other; of a virtual node nobody tells
// who it is.
func fromTraces(l labels) (from, to string) {
	switch l["connection_type"] {
	case "virtual_node", "messaging_system":
		return "", ""
	case "database":
		return named(l, "client_namespace", "client"), host(string(l["server"]))
	}
	if strings.Contains(string(l["server"]), "://") || strings.Contains(string(l["client"]), "://") {
		return "", ""
	}
	return named(l, "client_namespace", "client"), named(l, "server_namespace", "server")
}

// fromIstio reads a request, which both ends may tell: that is one edge. A target outside of the mesh is known by its host.
func fromIstio(l labels) (from, to string) {
	from = named(l, "source_workload_namespace", "source_canonical_service", "source_workload")
	if to = named(l, "destination_workload_namespace", "destination_canonical_service"); to != "" {
		return from, to
	}
	name := host(string(l["destination_service_name"]))
	if ns := proper(string(l["destination_service_namespace"])); name != "" && ns != "" && !strings.Contains(name, "/") {
		name = ns + "/" + name
	}
	return from, cmp.Or(name, named(l, "destination_workload_namespace", "destination_workload"))
}

const (
	// fewest is how many requests a day make a call worth telling: what is called by accident explains nothing.
	fewest = 10
	// mostCalls bounds those of a day, those with the most requests.
	mostCalls = 5000
	day       = 24 * time.Hour
)

// calls are those of the day that ends at a time.
func calls(ctx context.Context, client Client, end time.Time) ([]Call, error) {
	var all []string
	for _, m := range metrics {
		all = append(all, m.name)
	}
	var names struct{ Data []string }
	err := client.Get(ctx, "/api/v1/label/__name__/values", url.Values{
		"match[]": {fmt.Sprintf("{__name__=~%q}", strings.Join(all, "|"))}, "start": {stamp(end.Add(-day))}, "end": {stamp(end)},
	}, &names)
	if err != nil {
		return nil, err
	}
	slices.Sort(names.Data)
	found := map[[2]string]Call{}
	for _, name := range slices.Compact(names.Data) {
		i := slices.IndexFunc(metrics, func(m metric) bool { return matches(m.name, name) })
		if i < 0 {
			continue
		}
		if err := ask(ctx, client, &metrics[i], name, end, found); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return busiest(found), nil
}

// busiest are the calls with the most requests, in order of names.
func busiest(found map[[2]string]Call) []Call {
	out := []Call{}
	for _, c := range found {
		if c.Requests >= fewest {
			out = append(out, c)
		}
	}
	byName := func(a, b Call) int { return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To)) }
	slices.SortFunc(out, func(a, b Call) int { return cmp.Or(cmp.Compare(b.Requests, a.Requests), byName(a, b)) })
	out = out[:min(len(out), mostCalls)]
	slices.SortFunc(out, byName)
	return out
}

// ask adds the calls that one metric tells. One that several tell, such as both ends of it, is one, with the most that one of them
// counted.
func ask(ctx context.Context, client Client, m *metric, name string, end time.Time, found map[[2]string]Call) error {
	selector := fmt.Sprintf("__name__=%q", name)
	if m.only != "" {
		selector += "," + m.only
	}
	reporter := ""
	if m.via == "istio" {
		reporter = ", reporter"
	}
	var answer struct {
		Data struct {
			ResultType string       `json:"resultType"`
			Result     model.Vector `json:"result"`
		} `json:"data"`
	}
	if err := client.Get(ctx, "/api/v1/query", url.Values{
		"query": {fmt.Sprintf("sum by (%s%s) (increase({%s}[1d])) > 0", strings.Join(m.by, ", "), reporter, selector)}, "time": {stamp(end)},
	}, &answer); err != nil {
		return err
	}
	if answer.Data.ResultType != "vector" {
		return fmt.Errorf("answered %.40q where a vector belongs", answer.Data.ResultType)
	}
	told := map[[3]string]float64{} // by who tells, too
	for _, s := range answer.Data.Result {
		from, to := m.read(s.Metric)
		if n := float64(s.Value); from != "" && to != "" && from != to && n > 0 && !math.IsInf(n, 0) {
			told[[3]string{from, to, string(s.Metric["reporter"])}] += n
		}
	}
	for k, n := range told {
		pair := [2]string{k[0], k[1]}
		if n = math.Round(n); n > found[pair].Requests || n == found[pair].Requests && m.via < found[pair].Via {
			found[pair] = Call{From: k[0], To: k[1], Via: m.via, Requests: n}
		}
	}
	return nil
}

func stamp(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
