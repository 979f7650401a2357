// Package access decides who may write: tokens, how those who guess at them are slowed, and by which names the program may
// be called. It is what the webhooks, the API, the pages and reload have in common. See docs/security.md for the model.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Header carries a token by itself, so that Authorization is free for a password.
const Header = "X-Meantime-Token"

// ShortToken is the length, in characters, below which a token is warned of.
const ShortToken = 20

// How often an address may send a wrong token before it is no longer listened to, and how often after that.
const (
	guessesAtOnce = 20
	guessEvery    = time.Second
	// mostAddresses bounds the memory of who guessed.
	mostAddresses = 10_000
	// lookAt is among how many of them one is chosen that is forgotten.
	lookAt = 32
	// sayEvery is how often wrong tokens of one address are logged at most.
	sayEvery = time.Minute
)

// Refused is why a request may not write. RetryAfter is not zero where the token was not even looked at, because too many
// wrong ones came from that address.
type Refused struct {
	Detail     string
	RetryAfter time.Duration
}

func (r *Refused) Error() string { return r.Detail }

// Status is the HTTP status that says so: 401, or 429.
func (r *Refused) Status() int {
	if r.RetryAfter > 0 {
		return http.StatusTooManyRequests
	}
	return http.StatusUnauthorized
}

// Options are what a Gate depends on. Everything may be left out.
type Options struct {
	Logger  *slog.Logger     // nil means silent
	Metrics *Metrics         // nil means not exposed
	Now     func() time.Time // nil means time.Now
}

// Gate checks tokens. It is safe for concurrent use, and the memory it takes is bounded whoever asks.
type Gate struct {
	log     *slog.Logger
	metrics *Metrics
	now     func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]*guesses
}

// guesses are the wrong tokens of one address.
type guesses struct {
	limit  *rate.Limiter
	knows  bool // it has sent the right one
	unsaid int  // wrong ones since the log told of them
	said   time.Time
}

// NewGate makes a Gate.
func NewGate(o Options) *Gate {
	g := &Gate{log: o.Logger, metrics: o.Metrics, now: o.Now, addresses: map[netip.Prefix]*guesses{}}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.metrics == nil {
		g.metrics = NewMetrics(nil)
	}
	if g.now == nil {
		g.now = time.Now
	}
	return g
}

// Token is the token that a request carries: of X-Meantime-Token where that is there, else of Authorization: Bearer; empty
// for none.
func Token(r *http.Request) string {
	if t := r.Header.Values(Header); len(t) > 0 {
		return strings.TrimSpace(t[0])
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// Request returns nil where a request carries the token that is wanted, or where none is, and else a *Refused.
func (g *Gate) Request(r *http.Request, want string) error { return g.Check(r, Token(r), want) }

// Check is Request for a token that came otherwise, such as in a form. Digests are compared, so that the time taken tells
// neither the token nor its length.
func (g *Gate) Check(r *http.Request, token, want string) error {
	switch {
	case want == "":
		return nil
	case token == "":
		return &Refused{
			Detail: "a token is needed: send the header Authorization: Bearer TOKEN, or " + Header + ": TOKEN beside a password",
		}
	}
	address, now := addressOf(r.RemoteAddr), g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	of := g.addresses[address]
	if of != nil && !of.knows && of.limit.TokensAt(now) < 1 {
		return &Refused{"too many wrong tokens came from this address", guessEvery}
	}
	x, y := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(want))
	right := subtle.ConstantTimeCompare(x[:], y[:]) == 1
	if right && of != nil && of.knows {
		return nil
	}
	if of == nil {
		of = g.meet(address, now)
	}
	if right {
		of.knows = true
		return nil
	}
	of.limit.AllowN(now, 1)
	g.metrics.wrong.Inc()
	if of.unsaid++; of.said.IsZero() || now.Sub(of.said) >= sayEvery {
		g.log.Warn("Wrong token", "remote", r.RemoteAddr, "path", r.URL.Path, "times", of.unsaid)
		of.unsaid, of.said = 0, now
	}
	return &Refused{Detail: "this is not the right token"}
}

// meet notes an address, in the place of another where there are too many: of some, the one that guessed the least lately and
// does not know the token. mu is held.
func (g *Gate) meet(address netip.Prefix, now time.Time) *guesses {
	if len(g.addresses) >= mostAddresses {
		var worst netip.Prefix
		least, looked := -1.0, 0
		for a, of := range g.addresses { // in no order
			left := of.limit.TokensAt(now)
			if of.knows {
				left = 0
			}
			if left > least {
				worst, least = a, left
			}
			if looked++; looked == lookAt {
				break
			}
		}
		delete(g.addresses, worst)
	}
	of := &guesses{limit: rate.NewLimiter(rate.Every(guessEvery), guessesAtOnce)}
	g.addresses[address] = of
	return of
}

// addressOf is whom guesses count for: an address, or the network that one customer has of IPv6.
func addressOf(remote string) netip.Prefix {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // such as of a test
	}
	ip, bits := a.Addr().Unmap().WithZone(""), 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // it has as many
	return p
}

// Hosts lets requests through that call the program by one of its names, so that no page can reach it by a name that its
// author lets point here (DNS rebinding). An address, and localhost, always may: no such name is one. Where there are no
// names everything goes through; /-/healthy and /-/ready always do, which tell nothing.
func Hosts(names func() []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		list := names()
		host := HostName(r.Host)
		_, err := netip.ParseAddr(host)
		if len(list) == 0 || err == nil || host == "localhost" || slices.Contains(list, host) || r.URL.Path == "/-/healthy" ||
			r.URL.Path == "/-/ready" {
			next.ServeHTTP(w, r)
			return
		}
		http.Error(
			w,
			fmt.Sprintf("Meantime is not called %.100q here; web.allowed_hosts says what it is called.", host),
			http.StatusMisdirectedRequest,
		)
	})
}

// HostName is a Host header's name in lower case, without its port, the brackets of an address, or a dot at its end.
func HostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
