package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"meantime/incident"
)

// maxSource bounds a source's name, in bytes.
const maxSource = 100

// recordKey is the key that the path names. Record ids may hold anything that a URL can escape; sources not a slash,
// because a record's key is written "source/id".
func recordKey(r *http.Request) (incident.RecordKey, error) {
	k := incident.RecordKey{Source: r.PathValue("source"), ID: r.PathValue("id")}
	if k.Source == "" || len(k.Source) > maxSource || !utf8.ValidString(k.Source) || strings.Contains(k.Source, "/") ||
		strings.TrimSpace(k.Source) != k.Source || strings.ContainsFunc(k.Source, unicode.IsControl) {
		return k, incident.Problems{{Path: "source", Message: "not the name of a source: up to 100 bytes of UTF-8 without a slash, control characters or spaces around it"}}
	}
	return k, nil
}

// writableKey is the key that the path names, where its records may be written here.
func (a *api) writableKey(r *http.Request) (incident.RecordKey, error) {
	k, err := recordKey(r)
	if err == nil && slices.Contains(a.Reserved(), k.Source) {
		err = incident.Errorf(incident.CodeConflict, "source %q is configured and owns its records; change them where it reads them, or write under another name", k.Source)
	}
	return k, err
}

// putRecord stores a new version of a record and answers with the version that counts.
func (a *api) putRecord(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	k, err := a.writableKey(r)
	if err != nil {
		return err
	}
	b, err := a.body(w, r)
	if err != nil {
		return err
	}
	rec, err := incident.DecodeRecordAs(k, b)
	if err == nil {
		err = rec.CheckPast(a.Now())
	}
	if err != nil {
		return err
	}
	if rec.Withdrawn {
		return incident.Problems{{Path: "withdrawn", Message: "a record is taken back with DELETE"}}
	}
	known, err := a.Store.Record(r.Context(), k)
	found := err == nil
	if err != nil && incident.CodeOf(err) != incident.CodeNotFound {
		return err
	}
	if found && rec.UpdatedAt.Equal(known.UpdatedAt) {
		// Read, edited and sent back with the time it was read with: an edit is of now, or its content would have to
		// win by chance.
		rec.UpdatedAt = time.Time{}
	}
	if err := a.put(r, incident.Facts{Records: []incident.Record{rec}}); err != nil {
		return err
	}
	rec, err = a.Store.Record(r.Context(), k)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if !found || known.Withdrawn {
		status = http.StatusCreated
		w.Header().Set("Location", a.Prefix+"/api/v1/records/"+url.PathEscape(k.Source)+"/"+url.PathEscape(k.ID))
	}
	return reply(w, status, struct {
		incident.Record
		Unread incident.Problems `json:"unread,omitempty"` // keys of the request that mean nothing here
	}{rec, incident.UnreadKeys(b)})
}

// put stores facts and tells that something changed.
func (a *api) put(r *http.Request, f incident.Facts) error {
	if _, err := a.Store.Put(r.Context(), f, a.Now()); err != nil {
		return err
	}
	a.Changed()
	return nil
}

// getRecord answers with the version that counts, or with all versions.
func (a *api) getRecord(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "history")
	history := q.flag("history")
	if err := q.err(); err != nil {
		return err
	}
	k, err := recordKey(r)
	if err != nil {
		return err
	}
	if history {
		versions, err := a.Store.History(r.Context(), k)
		if err != nil {
			return err
		}
		if len(versions) == 0 {
			return incident.Errorf(incident.CodeNotFound, "no record %s", cut(k.String()))
		}
		return reply(w, http.StatusOK, struct {
			Versions []incident.Record `json:"versions"`
		}{versions})
	}
	rec, err := a.Store.Record(r.Context(), k)
	if err != nil {
		return err
	}
	if rec.Withdrawn {
		return incident.Errorf(incident.CodeNotFound, "record %s was withdrawn at %s; ?history=true shows what it was", cut(k.String()), rec.UpdatedAt.Format(time.RFC3339))
	}
	return reply(w, http.StatusOK, rec)
}

// deleteRecord withdraws a record. Withdrawn twice is withdrawn once.
func (a *api) deleteRecord(w http.ResponseWriter, r *http.Request) error {
	if err := newQuery(r).err(); err != nil {
		return err
	}
	k, err := a.writableKey(r)
	if err != nil {
		return err
	}
	known, err := a.Store.Record(r.Context(), k)
	if err != nil {
		return err
	}
	if !known.Withdrawn {
		gone := incident.Record{Source: k.Source, ID: k.ID, Withdrawn: true}
		gone.Normalize()
		if err := a.put(r, incident.Facts{Records: []incident.Record{gone}}); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listRecords lists the records of one source, or of all, in order of key.
func (a *api) listRecords(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "source", "cursor", "limit")
	source, limit := q.text("source"), q.limit()
	var after incident.RecordKey
	if at := q.cursor("records"); at != "" {
		after.Source, after.ID, _ = strings.Cut(at, "/")
	}
	if err := q.err(); err != nil {
		return err
	}
	page, err := a.Store.RecordPage(r.Context(), source, after, limit+1)
	if err != nil {
		return err
	}
	next := ""
	if len(page) > limit {
		page = page[:limit]
		next = q.next("records", page[limit-1].Key().String())
	}
	return reply(w, http.StatusOK, struct {
		Records []incident.Record `json:"records"`
		Next    string            `json:"next"`
	}{list(page), next})
}

// list is s, never nil: an empty list is [] in JSON, not null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
