package catalog

import (
	"math/rand/v2"
	"testing"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func rulesOf(services ...string) *Rules {
	r := &Rules{Services: Services{Labels: []string{"service", "app", "job"}}, Places: DefaultPlaces}
	for _, s := range services {
		r.Services.Aliases = append(r.Services.Aliases, ServiceAlias{Service: s, Names: []string{s}})
	}
	return r
}

// learnt are names as alerts with these values of the label service teach them.
func learnt(rules *Rules, services ...string) *Names {
	n := &Names{}
	for _, s := range services {
		n.Learn(&rules.Services, map[string]string{"service": s})
	}
	return n
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		name                string
		configured, learned []string
		said, want          string
	}{
		{"nothing known", nil, nil, " Checkout ", "Checkout"},
		{"case", nil, []string{"checkout"}, "Checkout", "checkout"},
		{"a space for a dash", nil, []string{"checkout-api"}, "Checkout API", "checkout-api"},
		{"an underscore for a dash", nil, []string{"checkout-api"}, "checkout_api", "checkout-api"},
		{"in one word", nil, []string{"checkout-service"}, "checkoutservice", "checkout-service"},
		{"in one word, the other way", nil, []string{"checkoutservice"}, "checkout", "checkoutservice"},
		{"without the ending", nil, []string{"checkout-svc"}, "checkout", "checkout-svc"},
		{"with another ending", nil, []string{"checkout-svc"}, "Checkout Service", "checkout-svc"},
		{"production is what is meant", nil, []string{"checkout-prod"}, "checkout", "checkout-prod"},
		{"two candidates", nil, []string{"checkout-api", "checkout-svc"}, "checkout", "checkout"},
		{"the exact one of two", nil, []string{"checkout", "checkout-api"}, "checkout-api", "checkout-api"},
		{"only staging is known", nil, []string{"checkout-staging"}, "checkout", "checkout-staging"},
		{"staging is not production", nil, []string{"checkout"}, "checkout-staging", "checkout-staging"},
		{"staging and production", nil, []string{"checkout-staging", "checkout-prod"}, "checkout", "checkout-prod"},
		{"two environments that are not production", nil, []string{"checkout-staging", "checkout-dev"}, "checkout", "checkout"},
		{"a namespace before it", nil, []string{"checkout"}, "prod/checkout", "checkout"},
		{"a namespace before what nobody knows", nil, nil, "shop/checkout", "checkout"},
		{"a namespace that the configuration names", []string{"shop/checkout"}, []string{"checkout"}, "shop/checkout", "shop/checkout"},
		{"an address is no namespace", nil, nil, "https://shop/checkout", "https://shop/checkout"},
		{"learned spellings of a configured one", []string{"checkout"}, []string{"checkout-svc", "Checkout"}, "checkout-svc", "checkout"},
		{"learned with most words", nil, []string{"checkoutapi", "checkout-api", "Checkout-Api"}, "checkoutapi", "Checkout-Api"},
		{"databases have many words", nil, []string{"orders-db"}, "Postgres orders", "orders-db"},
		{"a short name keeps its ending", nil, []string{"api"}, "ap", "ap"},
		{"generic all through", nil, []string{"the-api"}, "service", "service"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := rulesOf(c.configured...)
			require.Equal(t, c.want, New(rules, learnt(rules, c.learned...)).Canonical(c.said))
		})
	}
}

func TestMentioned(t *testing.T) {
	rules := rulesOf("search", "payments-db")
	c := New(rules, learnt(rules, "checkout-api", "cart", "coredns", "order-service", "Kafka"))
	for text, want := range map[string][]string{
		"Checkout is down":                      {"checkout-api"},
		"checkout API and cart slow":            {"checkout-api", "cart"},
		"Database of payments":                  nil,
		"payments db out of disk":               {"payments-db"},
		"Searches fail":                         nil,
		"CoreDNS cannot resolve search":         {"coredns", "search"},
		"kafka, KAFKA and Kafka":                {"Kafka"},
		"":                                      nil,
		"in order to see the cart of the order": {"order-service", "cart"},
	} {
		require.Equal(t, want, c.Mentioned(text), text)
	}
	require.Equal(t, []string{"checkout-api", "cart", "search"},
		c.Named(&incident.Record{Services: []string{"checkout", "Cart"}, Title: "Search and checkout"}))
}

// The same names in any order, repeated, in one set or merged from several, make the same catalog.
func TestLearningHasNoOrder(t *testing.T) {
	rules := rulesOf("checkout")
	all := []string{"Checkout", "checkout-svc", "cart", "Cart", "cart-api", "cartapi", "orders_db", "orders-db", "prod/mail", "mail", "mail-staging", "search.api"}
	asked := append([]string{"carts", "cart service", "mail", "orders postgres", "search", "checkout staging"}, all...)
	answers := func(n *Names) (out []string) {
		c := New(rules, n)
		for _, a := range asked {
			out = append(out, c.Canonical(a))
		}
		return append(out, c.Mentioned("mail and cart api, search api, orders db")...)
	}
	want := answers(learnt(rules, all...))
	for range 200 {
		list := append(append([]string{}, all...), all[:rand.IntN(len(all))]...)
		rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		k := rand.IntN(len(list))
		n := learnt(rules, list[:k]...)
		n.Merge(learnt(rules, list[k:]...))
		require.Equal(t, want, answers(n), list)
	}
	n := learnt(rules, all...)
	require.False(t, n.Learn(&rules.Services, map[string]string{"service": "cart"}))
	require.False(t, n.Merge(learnt(rules, "mail")))
	require.True(t, n.Merge(learnt(rules, "billing")))
}

func TestLearn(t *testing.T) {
	services := Services{Labels: []string{"team.service"}}
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   []string
	}{
		{"every label for services", map[string]string{"service": "a1", "app": "b1", "deployment": "c1", "job": "d1", "pod": "e1"}, []string{"a1", "b1", "c1", "d1"}},
		{"a configured label", map[string]string{"team.service": "pay"}, []string{"pay"}},
		{"an agent's job", map[string]string{"job": "prod/checkout"}, []string{"checkout"}},
		{"exporters", map[string]string{"service": "kube-prometheus-stack-kube-state-metrics", "job": "integrations/node_exporter", "app": "my-redis-exporter"}, nil},
		{"generic words", map[string]string{"service": "api", "app": "app", "deployment": "web", "job": "kubernetes-pods"}, nil},
		{"who may have measured", map[string]string{"job": "postgres"}, nil},
		{"a chart's prefix", map[string]string{"service": "kube-prometheus-stack-coredns"}, []string{"coredns"}},
		{"what the metric said, not the target", map[string]string{"service": "ingress-nginx-controller", "exported_service": "shop"}, []string{"shop"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &Names{}
			require.Equal(t, len(c.want) > 0, n.Learn(&services, c.labels))
			require.Equal(t, c.want, n.sorted())
			require.Equal(t, len(c.want), n.Len())
		})
	}
}

func TestRelation(t *testing.T) {
	rules := rulesOf()
	rules.Dependencies = []Dependency{
		{Service: "web", Needs: []string{"cart", "search", "web"}}, {Service: "cart", Needs: []string{"db", "db"}}, {Service: "db", Needs: []string{"disk"}},
		{Service: "search", Needs: []string{"index"}}, {Service: "disk", Needs: []string{"power"}}, {Service: "mail", Needs: []string{"smtp"}},
		{Service: "a", Needs: []string{"b"}}, {Service: "b", Needs: []string{"a"}},
	}
	c := New(rules, nil)
	for _, r := range []struct {
		a, b string
		want Relation
	}{
		{"web", "web", Relation{Same, 0}},
		{"web", "cart", Relation{Needs, 1}},
		{"cart", "web", Relation{NeededBy, 1}},
		{"web", "db", Relation{Needs, 2}},
		{"disk", "web", Relation{NeededBy, 3}},
		{"web", "power", Relation{Unrelated, 0}}, // four away
		{"cart", "search", Relation{Unrelated, 0}},
		{"web", "mail", Relation{Unrelated, 0}},
		{"web", "billing", Relation{Unknown, 0}},
		{"", "web", Relation{Unknown, 0}},
		{"web", "", Relation{Unknown, 0}},
		{"a", "b", Relation{Needs, 1}}, // either way as short
		{"b", "a", Relation{Needs, 1}},
		{"billing", "billing", Relation{Same, 0}},
	} {
		require.Equal(t, r.want, c.Relation(r.a, r.b), "%s to %s", r.a, r.b)
	}
	rules.Dependencies = append(rules.Dependencies, Dependency{Service: "admin", Needs: []string{"db"}})
	c = New(rules, nil)
	require.Equal(t, Relation{SharesNeed, 0}, c.Relation("admin", "cart"))
}

func TestSeverity(t *testing.T) {
	rules := &Rules{Severities: Severities{
		Labels: []string{"severity", "priority"}, Order: []string{"critical", "warning"}, Aliases: []SeverityAlias{{Severity: "critical", Names: []string{"P1", "sev-1"}}},
	}}
	c := New(rules, nil)
	require.Equal(t, "critical", c.SeverityOf(map[string]string{"priority": "p1"}))
	require.Equal(t, "critical", c.Severity("SEV1"))
	require.Equal(t, "none", c.Severity(" None "))
	require.Empty(t, c.SeverityOf(map[string]string{"level": "critical"}))
	require.True(t, c.Graver("critical", "warning"))
	require.True(t, c.Graver("warning", "none"))
	require.True(t, c.Graver("none", ""))
	require.False(t, c.Graver("", ""))
}

func TestPlaces(t *testing.T) {
	c := New(rulesOf(), nil)
	eu := c.Places(map[string]string{"region": "eu", "cluster": "a", "service": "x"})
	require.Equal(t, map[string]string{"region": "eu", "cluster": "a"}, eu)
	require.Nil(t, c.Places(map[string]string{"service": "x"}))
	require.True(t, Elsewhere(eu, map[string]string{"region": "eu", "cluster": "b"}), "all that both carry are compared")
	require.False(t, Elsewhere(eu, map[string]string{"region": "eu"}))
	require.False(t, Elsewhere(eu, map[string]string{"zone": "1"}))
}

func TestRulesCountBeforeLabels(t *testing.T) {
	m, err := labels.ParseMatchers(`namespace="pay"`)
	require.NoError(t, err)
	rules := rulesOf()
	rules.Services.Rules = []ServiceRule{{Matchers: m, Service: "billing"}, {Service: "nobody"}}
	c := New(rules, nil)
	require.Equal(t, "billing", c.ServiceOf(map[string]string{"service": "checkout", "namespace": "pay"}))
	require.Equal(t, "checkout", c.ServiceOf(map[string]string{"service": "checkout"}), "a rule without matchers matches nothing")
}

// What is learned ties services by the names that are known, adds no name, and says nothing against what is written.
func TestLearned(t *testing.T) {
	rules := rulesOf("orders")
	rules.Dependencies = []Dependency{{Service: "orders", Needs: []string{"orders-db"}}, {Service: "mail", Needs: []string{"smtp"}}}
	rules.Learned = []Dependency{
		{Service: "shop/cartservice", Needs: []string{"data/orders", "cart", "redis"}}, {Service: "orders", Needs: []string{"kafka"}},
		{Service: "smtp", Needs: []string{"mail"}},
	}
	c := New(rules, learnt(rules, "cart"))
	for pair, want := range map[[2]string]Relation{
		{"cart", "orders"}:    {Needs, 1},
		{"cart", "orders-db"}: {Needs, 2},
		{"cart", "redis"}:     {Needs, 1},
		{"orders", "kafka"}:   {Kind: Unknown},
		{"mail", "smtp"}:      {Needs, 1},
		{"smtp", "mail"}:      {NeededBy, 1},
		{"mail", "orders"}:    {Kind: Unrelated}, // both are written
		{"cart", "mail"}:      {Kind: Unknown},   // a call that was not seen may be there
	} {
		require.Equal(t, want, c.Relation(pair[0], pair[1]), pair)
	}
	require.False(t, c.Known("redis"))
	require.Empty(t, c.Mentioned("redis is slow"), "a name in a trace is no word")
	require.True(t, c.Outranked("orders", "kafka"))
	require.True(t, c.Outranked("smtp", "mail"))
	require.False(t, c.Outranked("shop/cartservice", "orders"))
	rules.Learned = nil
	require.Equal(t, New(rules, nil).Size(), New(&Rules{Services: rules.Services, Dependencies: rules.Dependencies}, nil).Size())
}
