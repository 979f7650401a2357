package prometheus

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzGeneratedBy says whose an alert is by its generatorURL: its own address's in any case, and never another host's.
func FuzzGeneratedBy(f *testing.F) {
	f.Add("http://prom:9090/graph?g0.expr=up", "http://prom:9090")
	f.Add("http://prom/eu/graph", "http://prom/eu/")
	f.Add("http://prom.evil/graph", "http://prom")
	f.Add("%zz", "")
	f.Fuzz(func(t *testing.T, generator, address string) {
		got := generatedBy(generator, address)
		g, errG := url.Parse(generator)
		a, errA := url.Parse(address)
		if errG != nil || errA != nil || g.Host == "" || a.Host == "" {
			require.False(t, got)
			return
		}
		if len(g.Host) != len(a.Host) && got {
			t.Fatalf("%q is not of %q", generator, address)
		}
		require.True(t, generatedBy(address, address))
	})
}
