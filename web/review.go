package web

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/incident"
)

// maxForm bounds a form's body, in bytes.
const maxForm = 64 << 10

// review stores what a person decided in one of the forms of an incident's page, and leads back to it.
func (s *web) review(w http.ResponseWriter, r *http.Request) error {
	user := s.user(r)
	if user == "" {
		return &refusal{http.StatusForbidden, "Sign in first: a decision needs a name. Nothing was changed."}
	}
	if err := readForm(w, r); err != nil {
		return err
	}
	rev, err := readReview(r.PostForm)
	if err != nil {
		return err
	}
	rev.ID, rev.At, rev.By = strings.ToLower(rand.Text()), s.Now().UTC(), user
	if rev.Action != incident.ReviewWithdraw {
		rev.Incident = r.PathValue("id")
	}
	if err := rev.Validate(); err != nil {
		return err
	}
	if err := incident.CheckReview(r.Context(), s.Store, &rev, s.Now()); err != nil {
		return err
	}
	if _, err := s.Store.Put(r.Context(), incident.Facts{Reviews: []incident.Review{rev}}, s.Now()); err != nil {
		return err
	}
	s.Changed()
	http.Redirect(w, r, s.Prefix+"/incidents/"+url.PathEscape(r.PathValue("id"))+"?stored=1", http.StatusSeeOther)
	return nil
}

// readForm reads the body of a form into r.PostForm.
func readForm(w http.ResponseWriter, r *http.Request) error { return readFormOf(w, r, maxForm) }

// readFormOf reads one of so many bytes at most.
func readFormOf(w http.ResponseWriter, r *http.Request, most int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil {
		return &refusal{http.StatusBadRequest, "This form could not be read. Nothing was changed."}
	}
	return nil
}

// readReview reads the fields of a form. Times are typed in UTC.
func readReview(form url.Values) (incident.Review, error) {
	rev := incident.Review{
		Action: incident.ReviewAction(form.Get("action")), Reason: strings.TrimSpace(form.Get("reason")),
		Milestone: incident.MilestoneName(form.Get("milestone")), Other: strings.TrimSpace(form.Get("other")), Mark: form.Get("mark"),
	}
	var p incident.Problems
	if s := form.Get("starts_at"); s != "" {
		t, err := incident.ParseTime(s)
		if err != nil {
			p = append(p, incident.Problem{Path: "starts_at", Message: err.Error()})
		}
		rev.Episode = &incident.EpisodeKey{Fingerprint: form.Get("fingerprint"), StartsAt: t}
	}
	if s := form.Get("time"); s != "" {
		t, err := parseTyped(s)
		if err != nil {
			p = append(p, incident.Problem{Path: "time", Message: err.Error()})
		}
		rev.Time = t
	}
	return rev, p.Err()
}

// parseTyped reads a time as a browser's field for local times sends it, which here means UTC, or with its zone.
func parseTyped(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	t, err := incident.ParseTime(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("not a time: %q; write it like 2006-01-02T15:04:05, in UTC", cut(s))
	}
	return t, nil
}

// cut shortens what an error quotes.
func cut(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	i := most
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return s[:i] + "…"
}
