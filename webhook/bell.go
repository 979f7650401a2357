package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bell is a source that a vendor's webhooks wake. What they say is never stored: they only have the source read at once.
type Bell struct {
	Name string
	// Type is the source's type, which says how its vendor signs.
	Type string
	// Secrets are those that the vendor may sign with: any may match, so that one can be replaced.
	Secrets []func() string
	// Ring has the source read soon, whichever process does that. It returns when that is durable.
	Ring func(ctx context.Context) error
}

// Signing is how a vendor proves that a webhook is its own.
type Signing struct {
	// Header holds the signatures; empty: a token is sent, see Token.
	Header string
	// Token is the header that holds the secret itself; empty: there is none.
	Token string
	// Split separates several signatures in the header; 0: there is one.
	Split string
	// Prefix begins a signature; others are passed over.
	Prefix string
	// Base64: signatures and secrets are written in base64, secrets after `whsec_`, as Standard Webhooks has it.
	Base64 bool
	// Signed is what is signed: the body, or with what stands before it.
	Signed func(h http.Header, body []byte) []byte
	// ID and Time are the headers with the delivery's id and its unix time; empty where there is none.
	ID, Time string
	// TimeIn reads the time out of the header of signatures, where it is there.
	TimeIn func(header string) string
}

// signings are those of the types of source. Any other type takes the secret as a token.
var signings = map[string][]Signing{
	"pagerduty":   {{Header: "X-PagerDuty-Signature", Split: ",", Prefix: "v1=", ID: "X-Webhook-Id"}},
	"github":      {{Header: "X-Hub-Signature-256", Prefix: "sha256=", ID: "X-GitHub-Delivery"}},
	"jira":        {{Header: "X-Hub-Signature", Prefix: "sha256=", ID: "X-Atlassian-Webhook-Identifier"}},
	"gitlab":      {{Token: "X-Gitlab-Token", ID: "Idempotency-Key"}, standardWebhooks},
	"incident-io": {standardWebhooks},
	"rootly": {{
		Header: "X-Rootly-Signature", Split: ",", Prefix: "v1=", TimeIn: rootlyTime,
		Signed: func(h http.Header, body []byte) []byte {
			return append([]byte(rootlyTime(h.Get("X-Rootly-Signature"))), body...)
		},
	}},
	"firehydrant": {{Header: "fh-signature"}},
}

// standardWebhooks is the signature that Svix and others use: https://www.standardwebhooks.com.
var standardWebhooks = Signing{
	Header: "webhook-signature", Split: " ", Prefix: "v1,", Base64: true, ID: "webhook-id", Time: "webhook-timestamp",
	Signed: func(h http.Header, body []byte) []byte {
		return append([]byte(h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."), body...)
	},
}

// tokens is for vendors that sign nothing and can be told a header to send.
var tokens = []Signing{{Token: "X-Meantime-Token"}, {Token: "Authorization"}}

func rootlyTime(header string) string {
	for part := range strings.SplitSeq(header, ",") {
		if t, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			return t
		}
	}
	return ""
}

const (
	// maxBell is the largest webhook of a vendor, in bytes.
	maxBell = 1 << 20
	// bellSkew is how far the time of a webhook may be off.
	bellSkew = 5 * time.Minute
	// bellWithin is for storing that a webhook came: vendors wait for some seconds.
	bellWithin = 4 * time.Second
	// remembered is for how long a delivery is known again, and maxRemembered how many.
	remembered    = 24 * time.Hour
	maxRemembered = 10_000
)

var (
	errNoSignature  = errors.New("the webhook is not signed")
	errBadSignature = errors.New("the signature does not fit the secret")
	errBadTime      = errors.New("the time of the webhook is more than 5 minutes off")
)

// verify says whether a webhook is the vendor's own, and what its delivery is called.
func (b *Bell) verify(h http.Header, query string, body []byte, now time.Time) (id string, err error) {
	ways, ok := signings[b.Type]
	if !ok {
		ways = tokens
	}
	err = errNoSignature
	for _, s := range ways {
		if _, there := s.proof(h); !there {
			continue
		}
		if err = b.check(s, h, body, now); err == nil {
			return h.Get(s.ID), nil
		}
	}
	if !ok && query != "" && b.any(func(secret string) bool { return equal(query, secret) }) {
		return "", nil // Statuspage can send nothing else
	}
	return "", err
}

func (s *Signing) proof(h http.Header) (string, bool) {
	if s.Token != "" {
		return h.Get(s.Token), h.Get(s.Token) != ""
	}
	return h.Get(s.Header), h.Get(s.Header) != ""
}

func (b *Bell) any(fits func(secret string) bool) bool {
	found := false
	for _, secret := range b.Secrets {
		if s := secret(); s != "" && fits(s) {
			found = true // the others are tried as well, so that the time tells nothing
		}
	}
	return found
}

func (b *Bell) check(s Signing, h http.Header, body []byte, now time.Time) error {
	proof, _ := s.proof(h)
	if s.Token != "" {
		proof = strings.TrimPrefix(proof, "Bearer ")
		if !b.any(func(secret string) bool { return equal(proof, secret) }) {
			return errBadSignature
		}
		return nil
	}
	signed := body
	if s.Signed != nil {
		signed = s.Signed(h, body)
	}
	given := []string{proof}
	if s.Split != "" {
		given = strings.Split(proof, s.Split)
	}
	ok := b.any(func(secret string) bool {
		fits := false
		for _, g := range given {
			if rest, has := strings.CutPrefix(strings.TrimSpace(g), s.Prefix); has && s.fits(rest, secret, signed) {
				fits = true
			}
		}
		return fits
	})
	if !ok {
		return errBadSignature
	}
	at := h.Get(s.Time)
	if s.TimeIn != nil {
		at = s.TimeIn(proof)
	}
	if s.Time == "" && s.TimeIn == nil {
		return nil
	}
	sec, err := strconv.ParseInt(at, 10, 64)
	if err != nil || now.Sub(time.Unix(sec, 0)).Abs() > bellSkew {
		return errBadTime
	}
	return nil
}

// fits says whether a signature is that of a text by a secret.
func (s *Signing) fits(signature, secret string, signed []byte) bool {
	key := []byte(secret)
	var want []byte
	var err error
	if s.Base64 {
		if key, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err != nil {
			return false
		}
		want, err = base64.StdEncoding.DecodeString(signature)
	} else {
		want, err = hex.DecodeString(signature)
	}
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(signed)
	return hmac.Equal(mac.Sum(nil), want)
}

// equal compares a token in a time that does not depend on it.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// deliveries remembers which deliveries came.
type deliveries struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

func (d *deliveries) again(key string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, ok := d.seen[key]
	return ok && now.Sub(at) < remembered
}

func (d *deliveries) note(key string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.seen) >= maxRemembered {
		for k, at := range d.seen {
			if now.Sub(at) >= remembered {
				delete(d.seen, k)
			}
		}
		for k := range d.seen {
			if len(d.seen) < maxRemembered {
				break
			}
			delete(d.seen, k) // any: one that comes again costs a poll
		}
	}
	if d.seen == nil {
		d.seen = map[string]time.Time{}
	}
	d.seen[key] = now
}

// The outcomes of a vendor's webhook.
const (
	bellRung     = "rung"
	bellRepeated = "repeated"
	bellIgnored  = "ignored"
	bellRefused  = "refused"
)

var bellOutcomes = []string{bellRung, bellRepeated, bellIgnored, bellRefused}

// Bells takes the webhooks of vendors: POST /webhook/<source>. find gives the source of a name.
func (r *Receiver) Bells(find func(name string) (Bell, bool)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		name := strings.TrimPrefix(req.URL.Path, "/webhook/")
		bell, ok := find(name)
		if !ok {
			problem(http.StatusNotFound, "no source of that name takes webhooks; see sources[].webhook_secret_files").write(w)
			return
		}
		a, outcome := r.rung(w, req, &bell)
		a.write(w)
		r.metrics.bell(name, outcome)
		if a.status >= 300 {
			r.log.Debug("Webhook of a vendor refused", "source", name, "status", a.status, "remote", req.RemoteAddr,
				"detail", a.detail, "err", a.err)
		}
	})
}

func (r *Receiver) rung(w http.ResponseWriter, req *http.Request, bell *Bell) (answer, string) {
	switch req.Method {
	case http.MethodPost:
	case http.MethodGet, http.MethodHead: // some vendors look whether there is somebody
		return answer{status: http.StatusOK}, bellIgnored
	default:
		w.Header().Set("Allow", http.MethodPost)
		return problem(http.StatusMethodNotAllowed, req.Method+" is not taken here; POST is"), bellRefused
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBell))
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return problem(http.StatusRequestEntityTooLarge, "more than the 1048576 bytes allowed"), bellRefused
		}
		return unavailable("the body did not arrive", nil), bellRefused
	}
	now := r.now()
	id, err := bell.verify(req.Header, req.URL.Query().Get("token"), body, now)
	if err != nil {
		return problem(http.StatusUnauthorized, err.Error()), bellRefused
	}
	key := bell.Name + " " + id
	if id != "" && r.deliveries.again(key, now) {
		return answer{status: http.StatusOK}, bellRepeated
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(req.Context()), bellWithin)
	defer cancel()
	if err := bell.Ring(ctx); err != nil {
		return unavailable("the store cannot take it now", err), bellRefused
	}
	if id != "" {
		r.deliveries.note(key, now)
	}
	return answer{status: http.StatusAccepted, taken: 1}, bellRung
}
