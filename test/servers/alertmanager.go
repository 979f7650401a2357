package servers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// AlertmanagerVersion says which Alertmanager to run.
type AlertmanagerVersion int

const (
	// OldAlertmanager is Debian's, 0.25.
	OldAlertmanager AlertmanagerVersion = iota
	// NewAlertmanager is the one that test/alertmanager pins, 0.34.
	NewAlertmanager
)

func (v AlertmanagerVersion) String() string {
	if v == NewAlertmanager {
		return "0.34"
	}
	return "0.25"
}

// AlertmanagerOptions say what an Alertmanager does. It groups by alert name and service and waits a second for a group,
// a second between its notifications, and an hour before it repeats one.
type AlertmanagerOptions struct {
	Version AlertmanagerVersion
	// Webhook is the address to notify.
	Webhook string
	// Events is the address the event recorder posts to; empty for none. Only the new version has one.
	Events string
	// Config replaces the whole configuration made from the fields above.
	Config string
	// Cluster gives it a place in a cluster, whose members it must name by Peers. Without it, it stands alone.
	Cluster bool
	Peers   []string
}

// AlertmanagerServer is a running Alertmanager.
type AlertmanagerServer struct {
	*Process
	URL string
	// Peer is its address in the cluster; empty where it stands alone.
	Peer string
}

// Alertmanager starts an Alertmanager.
func Alertmanager(t testing.TB, o AlertmanagerOptions) *AlertmanagerServer {
	t.Helper()
	program := oldAlertmanager
	if o.Version == NewAlertmanager {
		program = newAlertmanager
	}
	path := need(t, program)
	dir, addr := t.TempDir(), Address(t)
	config := o.Config
	if config == "" {
		config = alertmanagerConfig(t, o)
	}
	s := &AlertmanagerServer{URL: "http://" + addr}
	args := []string{
		"--config.file=" + write(t, dir, "alertmanager.yml", config),
		"--storage.path=" + dir + "/data",
		"--web.listen-address=" + addr,
		"--web.external-url=" + s.URL,
	}
	if o.Events != "" {
		args = append(args, "--enable-feature=event-recorder")
	}
	if o.Cluster {
		s.Peer = Address(t)
		// Gossip and settling are quick on the loopback; the peer timeout, after which the second one sends as well, is
		// left as long as it is.
		args = append(args, "--cluster.listen-address="+s.Peer, "--cluster.advertise-address="+s.Peer,
			"--cluster.gossip-interval=50ms", "--cluster.pushpull-interval=1s", "--cluster.settle-timeout=10s")
		for _, p := range o.Peers {
			args = append(args, "--cluster.peer="+p)
		}
	} else {
		args = append(args, "--cluster.listen-address=")
	}
	s.Process = start(t, command{name: "Alertmanager " + o.Version.String(), path: path, args: args})
	s.ready(s.URL + "/-/ready")
	return s
}

func alertmanagerConfig(t testing.TB, o AlertmanagerOptions) string {
	t.Helper()
	config := map[string]any{
		"route": map[string]any{
			"receiver": "meantime", "group_by": []string{"alertname", "service"},
			"group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h",
		},
		"receivers": []any{map[string]any{
			"name": "meantime", "webhook_configs": []any{map[string]any{"url": o.Webhook, "send_resolved": true}},
		}},
	}
	if o.Events != "" {
		config["event_recorder"] = map[string]any{"webhook_outputs": []any{map[string]any{"url": o.Events}}}
	}
	text, err := json.Marshal(config) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// AlertmanagerPair starts a cluster of one Alertmanager for each of the options, and waits until they know each other.
func AlertmanagerPair(t testing.TB, options ...AlertmanagerOptions) []*AlertmanagerServer {
	t.Helper()
	var pair []*AlertmanagerServer
	for _, o := range options {
		o.Cluster = true
		for _, s := range pair {
			o.Peers = append(o.Peers, s.Peer)
		}
		pair = append(pair, Alertmanager(t, o))
	}
	for _, s := range pair {
		s.until("see its peers", func() error {
			resp, err := client.Get(s.URL + "/api/v2/status")
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			var status struct {
				Cluster struct {
					Status string            `json:"status"`
					Peers  []json.RawMessage `json:"peers"`
				} `json:"cluster"`
			}
			if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
				return err
			}
			if len(status.Cluster.Peers) != len(options) || status.Cluster.Status != "ready" {
				return fmt.Errorf("the cluster is %s and has %d members", status.Cluster.Status, len(status.Cluster.Peers))
			}
			return nil
		})
	}
	return pair
}

// Address is the server's host and port.
func (s *AlertmanagerServer) Address() string { return strings.TrimPrefix(s.URL, "http://") }
