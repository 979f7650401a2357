package servers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// PrometheusOptions say what a Prometheus does. It scrapes and evaluates every second.
type PrometheusOptions struct {
	// Rules is a rules file's text; empty for none.
	Rules string
	// Targets are the addresses to scrape, by job.
	Targets map[string][]string
	// Alertmanagers are the addresses to send alerts to.
	Alertmanagers []string
	// OutOfOrder is how old a sample may be that is sent to it, such as 2y; empty for none.
	OutOfOrder string
	// ExternalLabels are added to what it sends, and AlertRelabel is what it does to alerts on the way.
	ExternalLabels map[string]string
	AlertRelabel   []any
	// RemoteWrite are addresses that it writes its samples to.
	RemoteWrite []string
	// Data is the folder of its database, which may hold blocks; empty for a new one.
	Data string
	// Resend is how often it sends an alert that fires, each time good for four times that; empty for each second.
	Resend string
	// Args are further arguments.
	Args []string
}

// PrometheusServer is a running Prometheus.
type PrometheusServer struct {
	*Process
	URL string

	again func() *Process
	rules string
}

// Prometheus starts a Prometheus.
func Prometheus(t testing.TB, o PrometheusOptions) *PrometheusServer {
	t.Helper()
	path := need(t, prometheusProgram)
	dir, addr := t.TempDir(), Address(t)

	global := map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"}
	if len(o.ExternalLabels) > 0 {
		global["external_labels"] = o.ExternalLabels
	}
	config := map[string]any{"global": global}
	if o.Rules != "" {
		config["rule_files"] = []string{write(t, dir, "rules.yml", o.Rules)}
	}
	if len(o.RemoteWrite) > 0 {
		var to []any
		for _, url := range o.RemoteWrite {
			to = append(to, map[string]any{"url": url, "queue_config": map[string]string{"batch_send_deadline": "1s"}})
		}
		config["remote_write"] = to
	}
	scrapes := []any{}
	for job, targets := range o.Targets {
		scrapes = append(scrapes, map[string]any{"job_name": job, "static_configs": []any{map[string]any{"targets": targets}}})
	}
	config["scrape_configs"] = scrapes
	if o.OutOfOrder != "" {
		config["storage"] = map[string]any{"tsdb": map[string]string{"out_of_order_time_window": o.OutOfOrder}}
	}
	if len(o.Alertmanagers) > 0 {
		targets := []any{map[string]any{"targets": o.Alertmanagers}}
		config["alerting"] = map[string]any{
			"alert_relabel_configs": o.AlertRelabel, "alertmanagers": []any{map[string]any{"static_configs": targets}},
		}
	}
	text, err := json.Marshal(config) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	if o.Data == "" {
		o.Data = filepath.Join(dir, "data")
	}
	c := command{name: "Prometheus", path: path, args: append([]string{
		"--config.file=" + write(t, dir, "prometheus.yml", string(text)),
		"--storage.tsdb.path=" + o.Data,
		"--web.listen-address=" + addr,
		"--web.external-url=http://" + addr,
		// Nothing was fired before the start, so nothing has to be waited for before an old alert fires again.
		"--rules.alert.resend-delay=" + cmp.Or(o.Resend, "1s"), "--rules.alert.for-grace-period=0s", "--rules.alert.for-outage-tolerance=0s",
	}, o.Args...)}
	s := &PrometheusServer{Process: start(t, c), URL: "http://" + addr, rules: filepath.Join(dir, "rules.yml")}
	s.again = func() *Process { return start(t, c) }
	s.ready(s.URL + "/-/ready")
	return s
}

// Restart starts it again, after Stop or Kill, at the same address and with the same database.
func (s *PrometheusServer) Restart() {
	s.t.Helper()
	s.Process = s.again()
	s.ready(s.URL + "/-/ready")
}

// SetRules replaces its rules, of which it had some.
func (s *PrometheusServer) SetRules(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.rules, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.Signal(syscall.SIGHUP)
}

// Query asks for the value of an expression at a time; the zero time means now.
func (s *PrometheusServer) Query(expr string, at time.Time) (model.Vector, error) {
	q := url.Values{"query": {expr}}
	if !at.IsZero() {
		q.Set("time", at.Format(time.RFC3339Nano))
	}
	var data struct {
		Type   model.ValueType `json:"resultType"`
		Result json.RawMessage `json:"result"`
	}
	if err := s.get("/api/v1/query", q, &data); err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	switch data.Type {
	case model.ValVector:
		var v model.Vector
		return v, json.Unmarshal(data.Result, &v)
	case model.ValScalar:
		var v model.Scalar
		err := json.Unmarshal(data.Result, &v)
		return model.Vector{{Metric: model.Metric{}, Value: v.Value, Timestamp: v.Timestamp}}, err
	}
	return nil, fmt.Errorf("query %s: answers a %s, not a vector", expr, data.Type)
}

// QueryRange asks for the values of an expression over a stretch of time.
func (s *PrometheusServer) QueryRange(expr string, from, to time.Time, step time.Duration) (model.Matrix, error) {
	q := url.Values{
		"query": {expr}, "step": {fmt.Sprint(step.Seconds())},
		"start": {from.Format(time.RFC3339Nano)}, "end": {to.Format(time.RFC3339Nano)},
	}
	var data struct {
		Result model.Matrix `json:"result"`
	}
	if err := s.get("/api/v1/query_range", q, &data); err != nil {
		return nil, fmt.Errorf("query %s: %w", expr, err)
	}
	return data.Result, nil
}

// LabelValues asks for the values that a label has in the series that a selector matches.
func (s *PrometheusServer) LabelValues(label, selector string) (values []string, err error) {
	if err := s.get("/api/v1/label/"+label+"/values", url.Values{"match[]": {selector}}, &values); err != nil {
		return nil, fmt.Errorf("values of %s in %s: %w", label, selector, err)
	}
	return values, nil
}

func (s *PrometheusServer) get(path string, q url.Values, data any) error {
	resp, err := client.Get(s.URL + path + "?" + q.Encode())
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var body struct {
		Data  any    `json:"data"`
		Error string `json:"error"`
	}
	body.Data = data
	err = json.NewDecoder(resp.Body).Decode(&body)
	switch {
	case body.Error != "":
		return fmt.Errorf("%s", body.Error)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %s", resp.Status)
	}
	return err
}

// Address is the server's host and port.
func (s *PrometheusServer) Address() string { return strings.TrimPrefix(s.URL, "http://") }
