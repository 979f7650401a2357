package api

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"

	"meantime/incident"
)

// postReview stores a person's decision. One with the id of a known review replaces it, so a client that chooses its ids
// can send again what it is not sure has arrived.
func (a *api) postReview(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	b, err := a.body(w, r)
	if err != nil {
		return err
	}
	rev, err := incident.DecodeReview(b)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if rev.ID == "" {
		rev.ID = strings.ToLower(rand.Text())
	} else {
		switch _, err := a.Store.Review(r.Context(), rev.ID); {
		case err == nil:
			status = http.StatusOK
		case incident.CodeOf(err) != incident.CodeNotFound:
			return err
		}
	}
	if rev.At.IsZero() {
		rev.At = a.Now().UTC()
	}
	if err := incident.CheckReview(r.Context(), a.Store, &rev, a.Now()); err != nil {
		return err
	}
	if err := a.put(r, incident.Facts{Reviews: []incident.Review{rev}}); err != nil {
		return err
	}
	return reply(w, status, rev)
}

// heldReview is a review and whether it still holds.
type heldReview struct {
	incident.Review
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// listReviews lists reviews in the order in which they were made. There are few enough to read them all.
func (a *api) listReviews(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "incident", "cursor", "limit")
	id, after, limit := q.text("incident"), q.cursor("reviews"), q.limit()
	if err := q.err(); err != nil {
		return err
	}
	all, err := a.Store.Reviews(r.Context())
	if err != nil {
		return err
	}
	holds := map[string]bool{}
	for _, rev := range incident.Effective(all) {
		holds[rev.ID] = true
	}
	if after != "" {
		// The review may have been replaced with another time since, so its place is found, not computed.
		i := slices.IndexFunc(all, func(x incident.Review) bool { return x.ID == after })
		if i < 0 {
			q.bad("cursor", "not one that this list gave; begin again without it")
			return q.err()
		}
		all = all[i+1:]
	}
	page, next := []heldReview{}, ""
	for _, rev := range all {
		if id != "" && rev.Incident != id && rev.Other != id {
			continue
		}
		if len(page) == limit {
			next = page[limit-1].ID
			break
		}
		page = append(page, heldReview{rev, !holds[rev.ID]})
	}
	return reply(w, http.StatusOK, struct {
		Reviews []heldReview `json:"reviews"`
		Next    string       `json:"next"`
	}{page, q.next("reviews", next)})
}
