package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"meantime/access"
)

// A person who signed in is remembered by a cookie that carries the name and an end, signed with a key made of the
// token. The token itself is not in it, nothing is kept here, and a new token ends every session.
const (
	cookieName   = "meantime_session"
	sessionFor   = 7 * 24 * time.Hour
	maxName      = 60 // characters
	sessionWords = "meantime session\x00"
)

// sign is the cookie's value for a person until a time.
func sign(token, name string, until time.Time) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(name)) + "." + strconv.FormatInt(until.Unix(), 10)
	return body + "." + base64.RawURLEncoding.EncodeToString(seal(token, body))
}

func seal(token, body string) []byte {
	key := sha256.Sum256([]byte(sessionWords + token))
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte(body))
	return m.Sum(nil)
}

// user is the name of the person who signed in; empty where nobody did.
func (s *web) user(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	i := strings.LastIndexByte(c.Value, '.')
	if i < 0 {
		return ""
	}
	body := c.Value[:i]
	mac, err := base64.RawURLEncoding.DecodeString(c.Value[i+1:])
	if err != nil || !hmac.Equal(mac, seal(s.Token(), body)) {
		return ""
	}
	encoded, end, _ := strings.Cut(body, ".")
	name, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	until, err := strconv.ParseInt(end, 10, 64)
	if err != nil || s.Now().Unix() >= until {
		return ""
	}
	return string(name)
}

// askWho shows the form to sign in with.
func (s *web) askWho(w http.ResponseWriter, r *http.Request) error {
	return s.showSignIn(w, r, http.StatusOK, r.URL.Query().Get("back"), "", "")
}

func (s *web) showSignIn(w http.ResponseWriter, r *http.Request, status int, back, name, wrong string) error {
	return s.show(w, r, status, "sign-in", "Sign in", "", struct {
		Back, Name, Wrong string
		Token             bool
	}{local(back), name, wrong, s.Token() != ""})
}

// signIn checks the token and remembers the name.
func (s *web) signIn(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	name, back := strings.TrimSpace(r.PostForm.Get("name")), local(r.PostForm.Get("back"))
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return s.showSignIn(w, r, http.StatusBadRequest, back, "", "Say who you are, in up to 60 characters.")
	}
	token := s.Token()
	var refused *access.Refused
	switch err := s.Gate.Check(r, r.PostForm.Get("token"), token); {
	case err == nil:
	case errors.As(err, &refused) && refused.RetryAfter > 0:
		w.Header().Set("Retry-After", strconv.Itoa(int(refused.RetryAfter.Seconds())))
		return s.showSignIn(w, r, refused.Status(), back, name, "Too many wrong tokens came from here. Wait a little.")
	default:
		return s.showSignIn(w, r, http.StatusForbidden, back, name, "This is not the token for writing.")
	}
	http.SetCookie(w, s.cookie(r, sign(token, name, s.Now().Add(sessionFor)), int(sessionFor/time.Second)))
	http.Redirect(w, r, s.Prefix+back, http.StatusSeeOther)
	return nil
}

// signOut forgets the name.
func (s *web) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := readForm(w, r); err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(r, "", -1))
	http.Redirect(w, r, s.Prefix+local(r.PostForm.Get("back")), http.StatusSeeOther)
	return nil
}

func (s *web) cookie(r *http.Request, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: s.Prefix + "/", MaxAge: seconds, HttpOnly: true,
		// Lax: a link in a chat leads to a page on which one is still signed in; other sites' forms are refused anyway.
		SameSite: http.SameSiteLaxMode,
		Secure:   r.TLS != nil || forwardedTLS(r),
	}
}

// forwardedTLS says whether the outermost proxy was asked by TLS: each writes its own after those before it.
func forwardedTLS(r *http.Request) bool {
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	return strings.EqualFold(strings.TrimSpace(first), "https")
}

// local is an address on this site, the first page for anything else: a link that signs in must not lead elsewhere.
func local(back string) string {
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsFunc(back, func(c rune) bool { return c == '\\' || unicode.IsControl(c) }) {
		return "/"
	}
	return back
}
