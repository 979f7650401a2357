package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

func TestSignIn(t *testing.T) {
	f := newFixture(t)
	f.token = "secret"
	require.Contains(t, f.get("/sign-in?back=/incidents/r1").Body.String(), `name="token"`)

	w := f.post("/sign-in", "name", "Ada", "token", "secre", "back", "/incidents/r1")
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Empty(t, w.Result().Cookies())
	require.Contains(t, w.Body.String(), "This is not the token for writing.")
	for _, name := range []string{"", "  ", strings.Repeat("ü", 61), "a\nb"} {
		w = f.post("/sign-in", "name", name, "token", "secret")
		require.Equal(t, http.StatusBadRequest, w.Code, "%q", name)
	}

	w = f.post("/sign-in", "name", " Ada Ü. ", "token", "secret", "back", "/incidents/r1")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, "/incidents/r1", w.Header().Get("Location"))
	c := w.Result().Cookies()[0]
	require.True(t, c.HttpOnly)
	require.Equal(t, http.SameSiteLaxMode, c.SameSite)
	require.False(t, c.Secure)
	require.NotContains(t, c.Value, "secret")
	f.cookie = c
	require.Contains(t, text(t, f.get("/incidents/r1")), "Ada Ü. Sign out")

	for name, value := range map[string]string{
		"another token": sign("other", "Eve", now.Add(time.Hour)), "expired": sign("secret", "Eve", now), "no signature": "RXZl.9999999999.", "nothing": "", "garbage": "a.b.c.d",
		"another name": "RXZl" + c.Value[strings.IndexByte(c.Value, '.'):],
	} {
		f.cookie = &http.Cookie{Name: cookieName, Value: value}
		require.Contains(t, text(t, f.get("/")), "Sign in", name)
		require.Equal(t, http.StatusForbidden, f.post("/incidents/r1/reviews", "action", "mark", "mark", "drill").Code, name)
	}
	f.cookie = c
	f.now = now.Add(8 * 24 * time.Hour)
	require.Contains(t, text(t, f.get("/")), "Sign in", "a session ends")

	w = f.post("/sign-out", "back", "/episodes")
	require.Equal(t, "/episodes", w.Header().Get("Location"))
	require.Negative(t, w.Result().Cookies()[0].MaxAge)
}

func TestSignInOverTLSSetsASecureCookie(t *testing.T) {
	f := newFixture(t)
	r := httptest.NewRequest("POST", "https://meantime.example/sign-in", strings.NewReader("name=Ada"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.True(t, f.send(r).Result().Cookies()[0].Secure)
}

func TestDecisions(t *testing.T) {
	const starts = "2026-03-10T10:02:00Z"
	disk := &incident.EpisodeKey{Fingerprint: "00000000000000cc", StartsAt: time.Date(2026, 3, 10, 10, 2, 0, 0, time.UTC)}
	for name, c := range map[string]struct {
		fields []string
		want   incident.Review
	}{
		"confirm":  {[]string{"action", "confirm", "fingerprint", disk.Fingerprint, "starts_at", starts, "reason", " same disk "}, incident.Review{Action: incident.ReviewConfirm, Incident: "r1", Episode: disk, Reason: "same disk"}},
		"reject":   {[]string{"action", "reject", "fingerprint", disk.Fingerprint, "starts_at", starts}, incident.Review{Action: incident.ReviewReject, Incident: "r1", Episode: disk}},
		"set":      {[]string{"action", "set_milestone", "milestone", "started", "time", "2026-03-10T09:48:30"}, incident.Review{Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started, Time: time.Date(2026, 3, 10, 9, 48, 30, 0, time.UTC)}},
		"minute":   {[]string{"action", "set_milestone", "milestone", "started", "time", "2026-03-10T09:48"}, incident.Review{Action: incident.ReviewSet, Incident: "r1", Milestone: incident.Started, Time: time.Date(2026, 3, 10, 9, 48, 0, 0, time.UTC)}},
		"clear":    {[]string{"action", "clear_milestone", "milestone", "started"}, incident.Review{Action: incident.ReviewClear, Incident: "r1", Milestone: incident.Started}},
		"mark":     {[]string{"action", "mark", "mark", "drill"}, incident.Review{Action: incident.ReviewMark, Incident: "r1", Mark: "drill"}},
		"merge":    {[]string{"action", "merge", "other", " r2 "}, incident.Review{Action: incident.ReviewMerge, Incident: "r1", Other: "r2"}},
		"split":    {[]string{"action", "split", "other", "r0"}, incident.Review{Action: incident.ReviewSplit, Incident: "r1", Other: "r0"}},
		"withdraw": {[]string{"action", "withdraw", "other", "v1"}, incident.Review{Action: incident.ReviewWithdraw, Other: "v1"}},
	} {
		f := newFixture(t)
		f.signIn("Ada")
		had := len(f.store.reviews)
		w := f.post("/incidents/r1/reviews", c.fields...)
		require.Equal(t, http.StatusSeeOther, w.Code, "%s: %s", name, w.Body)
		require.Equal(t, "/incidents/r1?stored=1", w.Header().Get("Location"))
		require.Equal(t, 1, f.changes)
		got := f.store.reviews[had]
		require.NotEmpty(t, got.ID)
		c.want.ID, c.want.At, c.want.By = got.ID, now, "Ada"
		require.Equal(t, c.want, got, name)
	}
}

func TestDecisionsThatAreNotTaken(t *testing.T) {
	f := newFixture(t)
	f.signIn("Ada")
	had := len(f.store.reviews)
	for want, fields := range map[string][]string{
		`Action: unknown value "burn"`:        {"action", "burn"},
		`Time: not a time: "soon"`:            {"action", "set_milestone", "milestone", "started", "time", "soon"},
		`Time: missing`:                       {"action", "set_milestone", "milestone", "started"},
		`Starts_at: not a time`:               {"action", "confirm", "fingerprint", "aa", "starts_at", "x"},
		`Episode: missing`:                    {"action", "confirm"},
		`This form could not be read`:         {"action", "mark", "reason", strings.Repeat("x", maxForm)},
		`Reason: too long`:                    {"action", "mark", "mark", "drill", "reason", strings.Repeat("x", 3000)},
		`Other: missing; the id of the other`: {"action", "merge", "other", "r1"},
	} {
		w := f.post("/incidents/r1/reviews", fields...)
		require.Equal(t, http.StatusBadRequest, w.Code, want)
		require.Contains(t, text(t, w), want)
	}
	for want, fields := range map[string][]string{
		`Time: 2026-03-10T12:06:00Z is later than now`: {"action", "set_milestone", "milestone", "started", "time", "2026-03-10T12:06"},
	} {
		w := f.post("/incidents/r1/reviews", fields...)
		require.Equal(t, http.StatusBadRequest, w.Code, want)
		require.Contains(t, text(t, w), want)
	}
	for want, fields := range map[string][]string{
		`Other: there is no incident "r7"`:                              {"action", "merge", "other", "r7"},
		`Other: there is no record "ours/7"`:                            {"action", "split", "other", "ours/7"},
		`Other: there is no review "v9"`:                                {"action", "withdraw", "other", "v9"},
		`Episode.fingerprint: there is no alert "aa"`:                   {"action", "confirm", "fingerprint", "aa", "starts_at", "2026-03-10T10:02:00Z"},
		`Episode.starts_at: no episode of this alert starts at 2026-03`: {"action", "reject", "fingerprint", "00000000000000cc", "starts_at", "2026-03-10T10:02:01Z"},
	} {
		w := f.post("/incidents/r1/reviews", fields...)
		require.Equal(t, http.StatusNotFound, w.Code, want)
		require.Contains(t, text(t, w), want)
	}
	require.Contains(t, text(t, f.post("/incidents/r9/reviews", "action", "mark", "mark", "drill")), `Incident: there is no incident "r9"`)
	f.store.err = incident.Errorf(incident.CodeUnavailable, "disk full")
	require.Equal(t, http.StatusServiceUnavailable, f.post("/incidents/r1/reviews", "action", "mark", "mark", "drill").Code)
	require.Len(t, f.store.reviews, had)
	require.Zero(t, f.changes)
}

// An incident that is still being worked out is not one that does not exist.
func TestDecisionOfWhatIsPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.signIn("Ada")
		f.store.pending = true
		w := f.post("/incidents/r9/reviews", "action", "mark", "mark", "drill")
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.Equal(t, "5", w.Header().Get("Retry-After"))
		require.Contains(t, text(t, w), "What was stored is still being worked out")
		require.Zero(t, f.changes)
	})
}

func TestPagesOfOtherSitesCannotDecide(t *testing.T) {
	f := newFixture(t)
	f.signIn("Ada")
	had := len(f.store.reviews)
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, target := range []string{"/incidents/r1/reviews", "/sign-in", "/sign-out"} {
			r := httptest.NewRequest("POST", target, strings.NewReader("action=mark&mark=drill&name=Eve"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(header[0], header[1])
			w := f.send(r)
			require.Equal(t, http.StatusForbidden, w.Code, "%s %v", target, header)
			require.Empty(t, w.Result().Cookies())
		}
	}
	require.Len(t, f.store.reviews, had)
}

func FuzzReview(f *testing.F) {
	f.Add("action=set_milestone&milestone=started&time=2026-03-10T09%3A48")
	f.Add("action=confirm&fingerprint=aa&starts_at=2026-03-10T10:02:00Z&reason=%ff%00")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		rev, err := readReview(form)
		if err != nil {
			require.Equal(t, incident.CodeInvalid, incident.CodeOf(err))
			return
		}
		rev.By, rev.Incident = "Ada", "r1"
		if rev.Validate() == nil {
			require.NotContains(t, rev.Reason, "\x00")
		}
	})
}

func FuzzSession(f *testing.F) {
	f.Add(sign("secret", "Ada", now.Add(time.Hour)))
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, value string) {
		s := &web{Options: Options{Token: func() string { return "another secret" }, Now: func() time.Time { return now }}}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Cookie"] = []string{cookieName + "=" + value}
		require.Empty(t, s.user(r), "nobody signed this")
	})
}

// FuzzBack says where a sign-in leads to afterwards: never to another site.
func FuzzBack(f *testing.F) {
	for _, s := range []string{"/incidents/r1?x=1", "//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example", "/\tx", "javascript:alert(1)", ""} {
		f.Add(s)
	}
	here := &url.URL{Scheme: "https", Host: "meantime.example", Path: "/sign-in"}
	f.Fuzz(func(t *testing.T, back string) {
		to, err := here.Parse(local(back))
		if err != nil {
			return // no browser goes there either
		}
		require.Equal(t, []string{"https", "meantime.example"}, []string{to.Scheme, to.Host}, "%q", back)
	})
}

// FuzzForwarded reads what a proxy says of the connection that it took: the cookie can be read back whatever that is, and goes
// over TLS alone exactly where the first of the proxies was asked by TLS.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"https", "http", "HTTPS", "https, http", "http,https", "https\x00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, proto string) {
		r := httptest.NewRequest("POST", "/sign-in", nil)
		r.Header["X-Forwarded-Proto"] = []string{proto}
		c, err := http.ParseSetCookie((&web{}).cookie(r, "a.b.c", 60).String())
		require.NoError(t, err)
		first, _, _ := strings.Cut(proto, ",")
		require.Equal(t, strings.EqualFold(strings.TrimSpace(first), "https"), c.Secure)
		require.True(t, c.HttpOnly)
	})
}
