package webhook

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// pipes is a listener in memory, so that a test of a real server has a clock of its own.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// serveInMemory serves a receiver as the program does.
func serveInMemory(r *Receiver) (p *pipes, stop func()) {
	p = &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	srv := &http.Server{Handler: r.Alertmanager(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute}
	go func() { _ = srv.Serve(p) }()
	return p, func() { _ = srv.Close() }
}

// head is the head of a request with a body of that length; a negative one is not announced.
func head(length int) string {
	if length < 0 {
		return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	}
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", length)
}

func chunk(b string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(b), b) }

// exchange sends a whole request and returns the answer's status and body, and how long it took.
func exchange(t testing.TB, c net.Conn, request string) (status int, answer string, took time.Duration) {
	begun := time.Now()
	go func() { _, _ = io.WriteString(c, request) }()
	res, err := http.ReadResponse(bufio.NewReader(c), nil) //nolint:bodyclose // the connection is closed
	require.NoError(t, err)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, c.Close())
	return res.StatusCode, string(b), time.Since(begun)
}

// Senders that send nothing more, or next to nothing, are in nobody's way, whatever they announced and however many they
// are; and the memory they hold is bounded.
func TestIdleSenders(t *testing.T) {
	for _, c := range []struct {
		name    string
		begin   string
		senders int
		then    func(c net.Conn) // goes on until the server hangs up
	}{
		{"giants of which one byte comes", head(DefaultMaxBody) + "{", 2000, nil},
		{"giants of which much comes", head(DefaultMaxBody) + strings.Repeat(" ", 100<<10), 300, nil},
		{"not announced, one byte", head(-1) + chunk("{"), 2000, nil},
		{"not announced, a little more than the first buffer", head(-1) + chunk(strings.Repeat(" ", firstBuffer+1)), 2000, nil},
		{"not announced, as much as a small one", head(-1) + chunk(strings.Repeat(" ", smallBody)), 300, nil},
		{"small, never finished", head(smallBody) + strings.Repeat(" ", 40<<10), 1000, nil},
		{"small, a byte now and then", head(1000) + "{", 2000, dribble(" ", 300*time.Millisecond)},
		{"giants, a byte now and then", head(DefaultMaxBody) + "{", 2000, dribble(" ", 300*time.Millisecond)},
		{"not announced, a byte now and then", head(-1) + chunk("{"), 2000, dribble(chunk(" "), 300*time.Millisecond)},
		{"giants as fast as they must be", head(DefaultMaxBody) + "{", 400, dribble(strings.Repeat(" ", firstBuffer), 2*time.Second)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(Options{Store: newMemory(), Now: afterStart})
				p, stop := serveInMemory(r)
				defer stop()
				var conns []net.Conn
				for range c.senders {
					conn := p.dial()
					conns = append(conns, conn)
					go func() {
						if _, err := io.WriteString(conn, c.begin); err == nil && c.then != nil {
							c.then(conn)
						}
					}()
					go func() { _, _ = io.Copy(io.Discard, conn) }()
				}
				time.Sleep(300 * time.Millisecond)
				request := body("http://am-0", alert("firing", down, start, year1, fp))
				for range 6 {
					status, answer, took := exchange(t, p.dial(), head(len(request))+request)
					require.Equal(t, 200, status, answer)
					require.Less(t, took, time.Second)
					require.LessOrEqual(t, held(r.memory), int64(DefaultMemory+1))
					time.Sleep(700 * time.Millisecond)
				}
				for _, conn := range conns {
					_ = conn.Close()
				}
				time.Sleep(readTimeout) // who waits for memory does not look whether its sender is still there
				synctest.Wait()
				require.Zero(t, held(r.memory))
			})
		})
	}
}

// dribble sends the same again and again, with a pause before each.
func dribble(what string, pause time.Duration) func(net.Conn) {
	return func(c net.Conn) {
		for {
			time.Sleep(pause)
			if _, err := io.WriteString(c, what); err != nil {
				return
			}
		}
	}
}

// held is what all bodies are charged with, in bytes.
func held(b *budget) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := b.total
	for _, free := range b.free {
		sum -= free
	}
	return sum
}

// What comes too slowly is cut after a while even where nobody waits, and counted.
func TestSlowBody(t *testing.T) {
	for _, c := range []struct {
		name, begin string
		then        func(net.Conn)
		want        string
		after       time.Duration
	}{
		{"nothing more", head(1000) + "{", nil, "the body was cut after 1 bytes and 5s: it came too slowly", slowAfter},
		{"nothing at all", head(1000), nil, "the body was cut after 0 bytes and 5s: it came too slowly", slowAfter},
		{"a byte a second", head(1000), dribble("{", 1100*time.Millisecond), "the body was cut after 4 bytes and 5s: it came too slowly", slowAfter},
		{"2,000 bytes a second, for longer than a body may take", head(1 << 20), dribble(strings.Repeat(" ", 2000), time.Second), "bytes and 30s: it came too slowly", readTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(Options{Store: newMemory(), Now: afterStart})
				p, stop := serveInMemory(r)
				defer stop()
				conn := p.dial()
				if c.then != nil {
					go c.then(conn)
				}
				status, answer, took := exchange(t, conn, c.begin)
				require.Equal(t, 503, status)
				require.Contains(t, answer, c.want)
				require.Equal(t, c.after, took)
				require.Equal(t, 1.0, testutil.ToFloat64(r.metrics.slow))
				require.Zero(t, held(r.memory))
				time.Sleep(time.Second) // the server waits a moment after it hung up
			})
		})
	}
}

// Large bodies that all arrive at the same pace, and together need far more memory than there is, do not wait for each
// other for ever: each is taken, as fast as a sender brings it.
func TestLargeBodiesTogether(t *testing.T) {
	for _, chunked := range []bool{false, true} {
		t.Run(fmt.Sprintf("chunked=%t", chunked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := New(Options{Store: newMemory(), Now: afterStart, MaxBody: 1 << 20, Memory: 2 << 20})
				p, stop := serveInMemory(r)
				defer stop()
				request := body("http://am-0", alert("firing", down, start, year1, fp))
				pad := strings.Repeat(" ", 64<<10)
				var wg sync.WaitGroup
				for range 40 {
					wg.Go(func() {
						c := p.dial()
						go func() {
							begin, piece := head(len(request)+15*len(pad)), func(s string) string { return s }
							if chunked {
								begin, piece = head(-1), chunk
							}
							_, _ = io.WriteString(c, begin+piece(request))
							for range 15 {
								_, _ = io.WriteString(c, piece(pad))
								time.Sleep(10 * time.Millisecond)
							}
							if chunked {
								_, _ = io.WriteString(c, "0\r\n\r\n")
							}
						}()
						res, err := http.ReadResponse(bufio.NewReader(c), nil) //nolint:bodyclose // the connection is closed
						require.NoError(t, err)
						answer, err := io.ReadAll(res.Body)
						require.NoError(t, err)
						require.Equal(t, 200, res.StatusCode, string(answer))
						require.NoError(t, c.Close())
					})
				}
				wg.Wait()
				time.Sleep(time.Second) // the server waits a moment after it hung up
				require.Zero(t, held(r.memory))
			})
		})
	}
}

// A body is read as it is, whatever pieces it comes in and whatever is announced, and never is more than there is given
// to all of them together.
func TestBudgetLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		memory, maxBody := rapid.Int64Range(1, 300<<10).Draw(rt, "memory"), rapid.Int64Range(1, 150<<10).Draw(rt, "max")
		type sender struct {
			size, announced int64
			pieces          []int
			pause           time.Duration
		}
		senders := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) sender {
			s := sender{size: rapid.Int64Range(0, maxBody+10).Draw(rt, "size"), pieces: rapid.SliceOfN(rapid.IntRange(1, 40<<10), 1, 5).Draw(rt, "pieces")}
			s.announced = rapid.SampledFrom([]int64{-1, min(s.size, maxBody), maxBody}).Draw(rt, "announced")
			s.pause = time.Duration(rapid.IntRange(0, 800).Draw(rt, "pause")) * time.Millisecond
			return s
		}), 1, 30).Draw(rt, "senders")
		synctest.Test(t, func(t *testing.T) {
			b := newBudget(memory, maxBody)
			total := b.total
			var wg sync.WaitGroup
			for i, s := range senders {
				wg.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), readTimeout)
					defer cancel()
					want := bytes.Repeat([]byte{byte(i)}, int(s.size))
					in, out := net.Pipe()
					wg.Go(func() {
						rest := want
						for k := 0; len(rest) > 0; k++ {
							n := min(len(rest), s.pieces[k%len(s.pieces)])
							if _, err := out.Write(rest[:n]); err != nil {
								return
							}
							rest = rest[n:]
							time.Sleep(s.pause)
						}
						_ = out.Close()
					})
					h, got, err := b.read(ctx, http.MaxBytesReader(nil, in, maxBody), s.announced, maxBody, in.SetReadDeadline)
					b.mu.Lock()
					for share, free := range b.free {
						if free < 0 {
							t.Errorf("share %d has %d", share, free)
						}
					}
					if err == nil && h.charged < int64(len(got)) {
						t.Errorf("%d bytes are charged as %d", len(got), h.charged)
					}
					b.mu.Unlock()
					length := s.announced
					if length < 0 {
						length = s.size
					}
					var over *http.MaxBytesError
					switch {
					case err == nil:
						if !bytes.Equal(got, want[:length]) {
							t.Errorf("%d of %d bytes, or others", len(got), length)
						}
					case errors.Is(err, errSlow), errors.Is(err, errCrowded), errors.Is(err, context.DeadlineExceeded):
					case errors.As(err, &over):
						if s.size <= maxBody {
							t.Errorf("too large: %d", s.size)
						}
					case !errors.Is(err, io.ErrUnexpectedEOF) || s.announced < s.size && s.announced >= 0:
						t.Error(err)
					}
					h.release()
					_ = in.Close()
				})
			}
			wg.Wait()
			sum := int64(0)
			for _, free := range b.free {
				sum += free
			}
			if sum != total || len(b.bodies) > 0 || len(slices.Concat(b.waiting[:]...)) > 0 {
				t.Errorf("%d of %d bytes are free again; %d bodies", sum, total, len(b.bodies))
			}
		})
		if t.Failed() {
			rt.FailNow()
		}
	})
}

// A stop does not wait for senders that send nothing, nor for those that wait for memory; what comes fast is taken.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Options{Store: newMemory(), Now: afterStart})
		p, stop := serveInMemory(r)
		defer stop()
		var idle []net.Conn
		for i := range 3000 {
			c := p.dial()
			idle = append(idle, c)
			begin := head(DefaultMaxBody) + strings.Repeat(" ", 10<<10)
			if i%2 == 0 {
				begin = head(-1) + chunk("{")
			}
			go func() { _, _ = io.WriteString(c, begin) }()
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
		time.Sleep(100 * time.Millisecond)
		request := body("http://am-0", alert("firing", down, start, year1, fp))
		fast := p.dial()
		answered := make(chan int)
		go func() {
			_, _ = io.WriteString(fast, head(len(request)))
			time.Sleep(200 * time.Millisecond)
			_, _ = io.WriteString(fast, request)
			res, err := http.ReadResponse(bufio.NewReader(fast), nil) //nolint:bodyclose // the connection is closed
			require.NoError(t, err)
			require.NoError(t, fast.Close())
			answered <- res.StatusCode
		}()
		time.Sleep(100 * time.Millisecond)
		begun := time.Now()
		r.Drain(t.Context())
		require.Less(t, time.Since(begun), time.Second)
		require.Equal(t, 200, <-answered)

		status, answer, took := exchange(t, p.dial(), head(len(request))+request)
		require.Equal(t, 503, status)
		require.Contains(t, answer, "Meantime is stopping")
		require.Zero(t, took)
		for _, c := range idle {
			_ = c.Close()
		}
		time.Sleep(time.Second) // the server waits a moment after it hung up
		require.Zero(t, held(r.memory))
	})
}

// afterStart is a clock at which the alert of a test's body fires; that of a synctest bubble stands at the year 2000.
func afterStart() time.Time { return at("2026-03-01T10:00:30Z") }
