// Package servers starts the real programs that Meantime works with, for tests: Prometheus, Alertmanager 0.25 and 0.34,
// VictoriaMetrics, PostgreSQL, and Meantime's own binary. Each listens on a free loopback port, is waited for until it answers, is
// stopped when the test ends, and has its log printed where the test failed.
//
// Where a program is not installed the test is skipped with the reason, except in CI (CI=true), where it fails: there
// nothing may be left out unseen.
package servers

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// patience bounds the wait for a server to come up; machines that run tests are busy.
	patience = 90 * time.Second
	// farewell is how long a server may take to end before it is killed.
	farewell = 20 * time.Second
	// poll is how soon a server that is coming up is asked again; pollMost is how rarely, where it takes its time.
	poll     = 20 * time.Millisecond
	pollMost = 500 * time.Millisecond
)

// Process is a server that a test runs.
type Process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  *logBuffer
	done chan struct{} // closed when it has ended and err is set
	err  error
}

// command says what to run.
type command struct {
	name string // in messages
	path string
	args []string
	dir  string
	env  []string             // added to the environment
	attr *syscall.SysProcAttr // nil for the usual
}

// start runs a server and has it stopped when the test ends.
func start(t testing.TB, c command) *Process {
	t.Helper()
	p := &Process{t: t, name: c.name, log: &logBuffer{}, done: make(chan struct{})}
	p.cmd = exec.Command(c.path, c.args...)
	p.cmd.Dir = c.dir
	p.cmd.Env = append(os.Environ(), c.env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = cmp.Or(c.attr, orphanKilled())
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.Stop()
		if t.Failed() {
			t.Logf("the log of %s (%s):\n%s", p.name, filepath.Base(c.path), p.Log())
		}
	})
	return p
}

// Stop asks the server to end (SIGTERM), and kills it where it does not. It returns how it ended: nil for exit status 0.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(farewell):
		p.Kill()
		return fmt.Errorf("%s did not end within %s of SIGTERM", p.name, farewell)
	}
	return p.err
}

// Kill ends the server at once (SIGKILL), as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Signal sends a signal, such as SIGHUP.
func (p *Process) Signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("%s: signal %v: %v", p.name, s, err)
	}
}

// Wait waits until the server has ended by itself and returns its exit status.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		p.t.Fatalf("%s still runs after %s", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Pid is the process's id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Log is what the server has written so far, standard output and standard error together; of much, the last part.
func (p *Process) Log() string { return p.log.String() }

// ready waits until the address answers 200.
func (p *Process) ready(url string) {
	p.t.Helper()
	p.until("answer at "+url, func() error {
		resp, err := client.Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, _ = io.Copy(io.Discard, resp.Body)
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

// until waits until a condition holds, and fails the test where it does not come or the server ends.
func (p *Process) until(what string, try func() error) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-p.done:
			p.t.Fatalf("%s ended before it came to %s: %v", p.name, what, p.err)
		case <-deadline:
			p.t.Fatalf("%s did not come to %s within %s: %v", p.name, what, patience, err)
		case <-time.After(poll):
		}
	}
}

// Eventually waits until try returns nil, and fails the test with its last error where it does not within the bound.
// It is for what a real server does in its own time; what a test can drive by a clock, it should.
func Eventually(t testing.TB, bound time.Duration, try func() error) {
	t.Helper()
	deadline := time.After(bound)
	for wait := poll; ; wait = min(2*wait, pollMost) {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("after %s still: %v", bound, err)
		case <-time.After(wait):
		}
	}
}

// client talks to the servers; no proxy stands between a test and its own machine.
var client = &http.Client{
	Timeout:   30 * time.Second,
	Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxIdleConnsPerHost: 64},
}

// Address is a free loopback address, for TCP and UDP. The port is drawn below the range from which connections get
// theirs, so that none takes it before the server does.
func Address(t testing.TB) string {
	t.Helper()
	for range 1000 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000)))
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err != nil {
			continue
		}
		_ = l.Close()
		u, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", addr)
		if err != nil {
			continue
		}
		_ = u.Close()
		return addr
	}
	t.Fatal("no free loopback port")
	return ""
}

// write puts a file into a directory and returns its path.
func write(t testing.TB, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// maxLog bounds what is kept of a server's log.
const maxLog = 256 << 10

// logBuffer keeps the last part of what is written to it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
	cut bool
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.Write(b)
	if over := l.buf.Len() - maxLog; over > 0 {
		l.buf.Next(over)
		l.cut = true
	}
	return len(b), nil
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		return "…" + l.buf.String()
	}
	return l.buf.String()
}
