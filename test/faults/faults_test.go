// Package faults breaks what Meantime stands on, with the real binary and the real servers: disks, files, databases,
// clocks, sources, and more load than there is room for. The table in docs/reliability.md names each test here.
package faults

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/test/servers"
)

// soon bounds what comes by itself once nothing is broken any more; machines that run tests are busy.
const soon = 90 * time.Second

// config is a Meantime that hears only what it is sent.
const config = "windows: [90d]\nsources: []\n"

// firing is an alert of a service that fires since a time.
func firing(name string, since time.Time) servers.Alert {
	return servers.Firing(name, "checkout", since)
}

// some are n notifications of one alert each, with names of their own that begin with a prefix.
func some(prefix string, n int) map[string][]byte {
	now := time.Now().UTC().Truncate(time.Second)
	bodies := map[string][]byte{}
	for i := range n {
		start := now.Add(-time.Duration(i+60) * time.Minute)
		name := fmt.Sprint(prefix, i)
		bodies[name] = servers.Notification(firing(name, start).Resolved(start.Add(20 * time.Minute)))
	}
	return bodies
}

// senders sends notifications as Alertmanager does: again and again until it is told 2xx, each over and over by itself.
type senders struct {
	url          string
	client       *http.Client
	acknowledged sync.Map // name -> true, when it was told yes
	done, again  atomic.Int64
	stop         chan struct{}
	wg           sync.WaitGroup
}

// send starts to send over so many connections at once.
func send(t testing.TB, m *servers.MeantimeServer, connections int, bodies map[string][]byte) *senders {
	s := &senders{
		url: m.URL + "/webhook/alertmanager", stop: make(chan struct{}),
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, MaxIdleConnsPerHost: connections, MaxConnsPerHost: connections,
		}},
	}
	names := make(chan string)
	go func() {
		defer close(names)
		for name := range bodies {
			select {
			case names <- name:
			case <-s.stop:
				return
			}
		}
	}()
	for range connections {
		s.wg.Go(func() {
			for name := range names {
				s.one(t, name, bodies[name])
			}
		})
	}
	t.Cleanup(s.giveUp)
	return s
}

// one sends a notification until it is acknowledged.
func (s *senders) one(t testing.TB, name string, body []byte) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		status, retry, err := s.post(body)
		switch {
		case err == nil && status/100 == 2:
			s.acknowledged.Store(name, true)
			s.done.Add(1)
			return
		case err == nil && status/100 == 4:
			t.Errorf("%s is refused for good: status %d", name, status)
			return
		case err == nil && status == http.StatusServiceUnavailable && retry == "":
			t.Errorf("a 503 without Retry-After")
		}
		s.again.Add(1)
		select {
		case <-s.stop:
			return
		case <-time.After(wait):
		}
	}
}

func (s *senders) post(body []byte) (status int, retryAfter string, err error) {
	resp, err := s.client.Post(s.url, "application/json", strings.NewReader(string(body)))
	if err != nil {
		return 0, "", err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header.Get("Retry-After"), nil
}

// until waits until so many are acknowledged.
func (s *senders) until(t testing.TB, n int) {
	t.Helper()
	servers.Eventually(t, soon, func() error {
		if got := int(s.done.Load()); got < n {
			return fmt.Errorf("%d of %d notifications are acknowledged", got, n)
		}
		return nil
	})
}

// giveUp stops sending.
func (s *senders) giveUp() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.wg.Wait()
	s.client.CloseIdleConnections()
}

// names are those that were acknowledged.
func (s *senders) names() map[string]bool {
	all := map[string]bool{}
	s.acknowledged.Range(func(name, _ any) bool {
		all[name.(string)] = true
		return true
	})
	return all
}

// episode is what is asked about an episode.
type episode struct {
	Labels map[string]string `json:"labels"`
	EndsAt time.Time         `json:"ends_at"`
}

// episodes counts the episodes of each alert name.
func episodes(m *servers.MeantimeServer) (map[string]int, error) {
	list, err := servers.List[episode](m, "episodes")
	all := map[string]int{}
	for _, e := range list {
		all[e.Labels["alertname"]]++
	}
	return all, err
}

// ends are the ends of the episodes of each alert name, zero for one that fires.
func ends(m *servers.MeantimeServer) (map[string]time.Time, error) {
	list, err := servers.List[episode](m, "episodes")
	all := map[string]time.Time{}
	for _, e := range list {
		all[e.Labels["alertname"]] = e.EndsAt
	}
	return all, err
}

// requireEpisodes waits until Meantime knows an episode of each of the names, and holds it to one each.
func requireEpisodes(t testing.TB, m *servers.MeantimeServer, names map[string]bool) {
	t.Helper()
	servers.Eventually(t, soon, func() error {
		all, err := episodes(m)
		if err != nil {
			return err
		}
		missing := 0
		for name := range names {
			if all[name] > 1 {
				t.Fatalf("%s is there %d times", name, all[name])
			}
			if all[name] == 0 {
				missing++
			}
		}
		if missing > 0 {
			return fmt.Errorf("%d of %d acknowledged alerts are not there", missing, len(names))
		}
		return nil
	})
}

func namesOf(bodies map[string][]byte) map[string]bool {
	names := map[string]bool{}
	for name := range bodies {
		names[name] = true
	}
	return names
}

// status is one line of /proc/PID/status, such as VmHWM, in kB.
func status(t testing.TB, m *servers.MeantimeServer, key string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", m.Pid()))
	if err != nil {
		servers.LeftOut(t, fmt.Sprintf("/proc tells a process's memory: %v", err))
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			var kB int
			_, err := fmt.Sscan(rest, &kB)
			require.NoError(t, err, line)
			return kB
		}
	}
	t.Fatalf("no %s", key)
	return 0
}

// descriptors counts the open files of a process.
func descriptors(t testing.TB, m *servers.MeantimeServer) int {
	t.Helper()
	l, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", m.Pid()))
	require.NoError(t, err)
	return len(l)
}
