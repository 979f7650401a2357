package servers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// MeantimeOptions say how Meantime runs.
type MeantimeOptions struct {
	// Config is the configuration's text; empty for none.
	Config string
	// Dir is its working directory; empty for a new one. Its database lies in it, unless DSN says otherwise.
	Dir string
	// Address is where it listens; empty for a free one. Whoever must know it before Meantime starts takes one from Address.
	Address string
	// DSN is the database; empty for SQLite in Dir.
	DSN string
	// Args are further arguments, Env further environment variables.
	Args, Env []string
	// Race runs the build that reports data races.
	Race bool
	// Program is the binary; empty for one that is built of the repository as it is.
	Program string
}

// MeantimeServer is a running Meantime.
type MeantimeServer struct {
	*Process
	URL string
	Dir string

	again func() *Process
}

// Meantime starts the program as its users do, and waits until it is ready.
func Meantime(t testing.TB, o MeantimeOptions) *MeantimeServer {
	t.Helper()
	s := MeantimeStarting(t, o)
	s.ready(s.URL + "/-/ready")
	return s
}

// MeantimeFails runs the program where it is expected to end by itself, and returns its exit status and what it wrote.
func MeantimeFails(t testing.TB, o MeantimeOptions) (status int, output string) {
	t.Helper()
	s := MeantimeStarting(t, o)
	return s.Wait(), s.Log()
}

// MeantimeStarting starts the program and does not wait for it.
func MeantimeStarting(t testing.TB, o MeantimeOptions) *MeantimeServer {
	t.Helper()
	build := plainBinary
	if o.Race {
		build = raceBinary
	}
	if o.Program != "" {
		build = func() (string, error) { return o.Program, nil }
	}
	path, err := build()
	if err != nil {
		t.Fatalf("build meantime: %v", err)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	addr := o.Address
	if addr == "" {
		addr = Address(t)
	}
	args := []string{"serve", "--web.listen-address=" + addr}
	if o.DSN != "" {
		args = append(args, "--store.dsn="+o.DSN)
	}
	if o.Config != "" {
		args = append(args, "--config.file="+write(t, o.Dir, "meantime.yml", o.Config))
	}
	c := command{name: "Meantime", path: path, args: append(args, o.Args...), dir: o.Dir, env: o.Env}
	s := &MeantimeServer{Process: start(t, c), URL: "http://" + addr, Dir: o.Dir}
	s.again = func() *Process { return start(t, c) }
	return s
}

// MeantimeRun runs another command of the program to its end, in a directory, and returns its exit status and what it wrote.
func MeantimeRun(t testing.TB, dir string, args ...string) (status int, output string) {
	t.Helper()
	p := MeantimeCommand(t, dir, args...)
	return p.Wait(), p.Log()
}

// MeantimeCommand starts another command of the program, in a directory.
func MeantimeCommand(t testing.TB, dir string, args ...string) *Process {
	t.Helper()
	path, err := plainBinary()
	if err != nil {
		t.Fatalf("build meantime: %v", err)
	}
	return start(t, command{name: "meantime " + args[0], path: path, args: args, dir: dir})
}

// Restart starts it again, after Stop or Kill, at the same address and with the same database.
func (s *MeantimeServer) Restart() {
	s.t.Helper()
	s.Process = s.again()
	s.ready(s.URL + "/-/ready")
}

// Address is the server's host and port.
func (s *MeantimeServer) Address() string { return strings.TrimPrefix(s.URL, "http://") }

// Do sends a request and returns the answer's status and body. A body that is not nil is sent as JSON: bytes and
// strings as they are, anything else encoded.
func (s *MeantimeServer) Do(method, path string, body any) (status int, answer []byte, err error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		r = bytes.NewReader(b)
	case string:
		r = strings.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return 0, nil, err
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, s.URL+path, r)
	if err != nil {
		return 0, nil, err
	}
	if r != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// Must sends a request, fails the test unless the answer is 2xx, and returns its body.
func (s *MeantimeServer) Must(method, path string, body any) []byte {
	s.t.Helper()
	status, answer, err := s.Do(method, path, body)
	switch {
	case err != nil:
		s.t.Fatal(err)
	case status/100 != 2:
		s.t.Fatalf("%s %s: status %d: %s", method, path, status, answer)
	}
	return answer
}

// Get reads a JSON answer into v.
func (s *MeantimeServer) Get(path string, v any) error {
	status, answer, err := s.Do(http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: status %d: %s", path, status, answer)
	}
	return json.Unmarshal(answer, v)
}

// List reads one of the API's lists, such as "episodes", to its end and in its order.
func List[T any](s *MeantimeServer, what string) ([]T, error) {
	var all []T
	for cursor := ""; ; {
		var page map[string]json.RawMessage
		if err := s.Get("/api/v1/"+what+"?limit=500&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		var items []T
		if err := json.Unmarshal(page[what], &items); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		all, cursor = append(all, items...), ""
		if next := page["next"]; next != nil {
			if err := json.Unmarshal(next, &cursor); err != nil {
				return nil, fmt.Errorf("next %s: %w", what, err)
			}
		}
		if cursor == "" {
			return all, nil
		}
	}
}

// Database is the path of its SQLite database, where no other was asked for.
func (s *MeantimeServer) Database() string { return filepath.Join(s.Dir, "meantime.db") }
