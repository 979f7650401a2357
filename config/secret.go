package config

import (
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// hidden is what is printed in place of a secret.
const hidden = "<secret>"

// Secret is a token or a password. Whatever prints, logs or encodes it writes <secret>; only Reveal tells it. The value is
// behind a pointer because fmt does not ask a type's methods for fields it cannot reach.
//
// One that is in a file is what the file holds now: it is read again when the file was changed or replaced, as projected
// tokens are. Where what is there then cannot be used, such as while it is being written, the last good value stays, and
// Err says why.
type Secret struct{ held *heldSecret }

// heldSecret is a secret's value, and the state of its file when it was read.
type heldSecret struct {
	path Path // empty for one that is in no file

	mu    sync.Mutex
	value *string     // behind a pointer of its own, because fmt looks through the first
	state os.FileInfo // nil: unknown, so that it is read again
	err   error       // why what the file holds cannot be used
}

// NewSecret makes a secret; an empty value is no secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&heldSecret{value: &value}}
}

// secretFile is the secret in a file, which must be there and good now.
func secretFile(p Path) (Secret, error) {
	h := &heldSecret{path: p}
	if h.read(time.Now()); h.err != nil {
		return Secret{}, h.err
	}
	return Secret{h}, nil
}

// Reveal is the secret itself, empty where there is none.
func (s Secret) Reveal() string {
	if s.held == nil {
		return ""
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	s.held.renew()
	return *s.held.value
}

// Err says why what the secret's file holds now cannot be used; nil where it can.
func (s Secret) Err() error {
	if s.held == nil {
		return nil
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	s.held.renew()
	return s.held.err
}

// settles is how long after its last change a file can still change without another time of change or length: clocks of
// file systems are coarse.
const settles = 2 * time.Second

// renew reads the file again where it may hold something else. mu is held.
func (h *heldSecret) renew() {
	if h.path == "" {
		return
	}
	now, err := os.Stat(string(h.path))
	if err == nil && h.state != nil && os.SameFile(now, h.state) && now.Size() == h.state.Size() && now.ModTime().Equal(h.state.ModTime()) {
		return
	}
	h.read(time.Now())
}

// read reads the file. What it was like is asked first, so that a change while it is read is seen by the next renew.
func (h *heldSecret) read(now time.Time) {
	state, err := os.Stat(string(h.path))
	if err == nil && now.Sub(state.ModTime()) < settles {
		state = nil
	}
	var value string
	if value, h.err = readSecret(h.path); h.err == nil {
		h.value = &value
	} else {
		state = nil
	}
	h.state = state
}

// File is the file that the secret is in; empty where it is in none.
func (s Secret) File() string {
	if s.held == nil {
		return ""
	}
	return string(s.held.path)
}

// IsZero says that there is no secret.
func (s Secret) IsZero() bool { return s.held == nil }

// String is <secret>, or empty where there is none.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return hidden
}

// Format prints the same for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what JSON shows.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML is what YAML shows.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// DSN says which database to use, such as sqlite:meantime.db. It can hold a password, so it prints without one; to
// open the database, convert it to a string.
type DSN string

// String is the DSN with the password, where there is one, hidden. What is doubtful is hidden too.
func (d DSN) String() string {
	scheme, rest, ok := strings.Cut(string(d), "://")
	if !ok {
		return string(d)
	}
	if end := strings.LastIndexByte(rest, '@'); end >= 0 { // an @ or / in a password should be written as %40 or %2F, but may not be
		if user, _, has := strings.Cut(rest[:end], ":"); has {
			rest = user + ":xxxxx" + rest[end:]
		}
	}
	if address, query, has := strings.Cut(rest, "?"); has {
		settings := strings.Split(query, "&")
		for i, s := range settings {
			key, _, _ := strings.Cut(s, "=")
			if name, err := url.QueryUnescape(key); err != nil || strings.Contains(strings.ToLower(name), "password") {
				settings[i] = key + "=xxxxx"
			}
		}
		rest = address + "?" + strings.Join(settings, "&")
	}
	return scheme + "://" + rest
}

// Format prints String for every verb.
func (d DSN) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// LogValue is what slog prints.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is what JSON and YAML show.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// maxSecretBytes is more than any token needs; it keeps a wrong path, such as a log file's, out of memory.
const maxSecretBytes = 64 << 10

// readSecret reads a secret from its file, without the white space around it.
func readSecret(p Path) (string, error) {
	b, err := readFile(p, maxSecretBytes)
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(b))
	if s == "" {
		return "", fmt.Errorf("%s is empty", p)
	}
	if strings.ContainsAny(s, "\r\n") {
		return "", fmt.Errorf("%s has more than one line; a secret's file holds nothing else", p)
	}
	return s, nil
}

// readFile reads a file of at most limit bytes.
func readFile(p Path, limit int64) ([]byte, error) {
	f, err := os.Open(string(p))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", p, limit)
	}
	return b, nil
}
