package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"time"
)

const (
	// readyWithin is how long a server may take to be ready; machines that try something out are busy.
	readyWithin = 2 * time.Minute
	// stopWithin is how long it may take to end.
	stopWithin = 30 * time.Second
	poll       = 100 * time.Millisecond
)

// server is a running program. What it says goes to a file.
type server struct {
	name, said string
	cmd        *exec.Cmd
	done       chan struct{} // closed when it has ended and err is set
	err        error
}

// start starts a server and waits until it is ready.
func (d *demo) start(ctx context.Context, name, ready, program string, args ...string) error {
	s := &server{name: name, said: d.path(name + ".log"), cmd: exec.Command(program, args...), done: make(chan struct{})}
	said, err := os.Create(s.said)
	if err != nil {
		return err
	}
	defer said.Close()
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = d.dir, said, said
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	d.servers = append(d.servers, s)

	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, ready, nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", name, ctx.Err(), s.log())
		case <-s.done:
			return fmt.Errorf("%s ended: %w\n%s", name, s.err, s.log())
		case <-time.After(poll):
		}
	}
}

// stop asks the server to end, and kills it where it does not.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-s.done:
		return nil
	case <-time.After(stopWithin):
		_ = s.cmd.Process.Kill()
		<-s.done
		return fmt.Errorf("%s did not end within %s and was killed", s.name, stopWithin)
	}
}

// log is the last part of what the server said.
func (s *server) log() string {
	text, err := os.ReadFile(s.said)
	if err != nil {
		return err.Error()
	}
	const most = 4 << 10
	return string(text[max(0, len(text)-most):])
}
