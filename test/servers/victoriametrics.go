package servers

import "testing"

// VictoriaMetricsServer is a running VictoriaMetrics.
type VictoriaMetricsServer struct {
	*Process
	URL string
}

// VictoriaMetrics starts a VictoriaMetrics that shows what was written to it at once.
func VictoriaMetrics(t testing.TB) *VictoriaMetricsServer {
	t.Helper()
	address := Address(t)
	p := start(t, command{name: "VictoriaMetrics", path: need(t, victoriaProgram), args: []string{
		"-storageDataPath=" + t.TempDir(), "-httpListenAddr=" + address, "-retentionPeriod=12",
		"-search.latencyOffset=0s", "-memory.allowedBytes=128MB",
	}})
	s := &VictoriaMetricsServer{Process: p, URL: "http://" + address}
	p.ready(s.URL + "/health")
	return s
}
