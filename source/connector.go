package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"meantime/incident"
)

// Connector reads the incidents of one vendor. A Poller owns what all have in common: marks, windows, pages, limits, what is
// stored and what is refused. A connector owns two things: how to ask for one page (Page), and what an incident there is as a
// record (Map). See docs/connectors.md.
type Connector interface {
	// Traits are what the Poller must know of the vendor's API. They do not change.
	Traits() Traits
	// Page asks for one page. It is called by one goroutine at a time and keeps nothing between calls that a restart would
	// lose: what it needs for the next page is in Page.Next.
	Page(ctx context.Context, a Ask) (Page, error)
	// Map makes the records of an item: usually one, none where it is no incident. It is a pure function of the item. The
	// records need no Source, and no ID where it is the item's. An error refuses the item and nothing else.
	Map(it *Item) ([]incident.Record, error)
}

// Keeper is a Connector of a vendor that forgets: Keep puts into a record what is stored of it and is still true though the vendor
// tells it no more. The configuration's `map` comes before it, as it did for what is stored.
type Keeper interface {
	Keep(r, stored *incident.Record)
}

// Traits are what a Poller must know of a vendor's API.
type Traits struct {
	// Lookback is how far before the last time known every question for changes begins: as long as the vendor may show a
	// change late. 0 means 5 minutes.
	Lookback time.Duration
	// ChangedSpan and MadeSpan bound the stretch of time in one question, of each kind; 0 is no bound.
	ChangedSpan, MadeSpan time.Duration
	// NoMade says that incidents cannot be asked for by when they were made. The past is then read as changes.
	NoMade bool
	// NoChanged says that incidents cannot be asked for by when they changed. Page then gives for Changed what may have changed
	// lately; once a day all are asked for as Made and stored.
	NoChanged bool
	// Shifts says that the list of changes is cut into pages by number or offset, so that an incident which changes while the
	// list is read moves others to pages that were read already. Ascending says that it is in order of the changes' time: after
	// each page is then asked for what changed since its last one, instead of for the next number.
	Shifts, Ascending bool
	// Vanishes says that incidents can be deleted, and that the only sign of it is that they are listed no more.
	Vanishes bool
	// Hints say in words what an answer of a status means, such as what a token lacks.
	Hints map[int]string
}

// What says which incidents a question is about.
type What int

const (
	// Changed are those updated in a stretch of time, in no order that matters.
	Changed What = iota
	// Made are those created in a stretch of time.
	Made
	// Listed are the same, of which nothing but the ID is needed: what costs further requests is left out.
	Listed
)

// Ask is a question for one page.
type Ask struct {
	What     What
	From, To time.Time
	Next     string // what the page before gave; empty for the first
	// Heard says whether alerts of a stretch of time are known. Only then is it worth a request for each incident to ask
	// which alerts it was about. It may be nil: then it is.
	Heard func(ctx context.Context, from, to time.Time) (bool, error)
	// Known says whether an item was read already, in this reading and with nothing new since: what costs further requests can
	// be left out. It may be nil: then it was not.
	Known func(id string, updated time.Time) bool
}

// Detail says whether what costs further requests is needed of an item.
func (a *Ask) Detail(it *Item) bool {
	return a.What != Listed && (a.Known == nil || !a.Known(it.ID, it.Updated))
}

// HeardIn is Heard of a stretch, which may be nil.
func (a *Ask) HeardIn(ctx context.Context, from, to time.Time) (bool, error) {
	if a.What == Listed {
		return false, nil
	}
	if a.Heard == nil {
		return true, nil
	}
	return a.Heard(ctx, from, to)
}

// Page is one page of incidents.
type Page struct {
	Items []Item
	// Next leads to the next page: a text that the connector understands when it is asked again, also by another process
	// and hours later. Empty is the end. A page may be empty and not the last.
	Next string
	// TooMany says that the stretch of time holds more than the vendor ever gives. It is then asked for in halves.
	TooMany bool
	// Clock is the vendor's time; zero where it does not tell.
	Clock time.Time
}

// Item is one incident as the vendor tells it.
type Item struct {
	// Source is the source's name, for what a record says of others of it: the Poller sets it before Map.
	Source string
	// ID is the vendor's immutable id. It may be empty where only Map knows it.
	ID string
	// Made is when it was created; zero where that is not known, or where the vendor filters by the day. A page of which all
	// were made at another time than was asked for is refused: the vendor did not do what it was asked.
	Made time.Time
	// Updated is when it last changed, in any part.
	Updated time.Time
	// Raw is the vendor's object: what `only` and `map` of the configuration see.
	Raw json.RawMessage
	// Parts are what else was asked for it, by name, such as the entries of its log.
	Parts map[string][]json.RawMessage
	// Gone says that the vendor has deleted it.
	Gone bool
	// Private says that not everybody at the vendor may see it.
	Private bool
}

// Decode decodes the item's object.
func (it *Item) Decode(out any) error { return decodeItem(it.Raw, out) }

// DecodePart decodes the part of that name, a list.
func DecodePart[T any](it *Item, name string) ([]T, error) {
	var out []T
	for _, raw := range it.Parts[name] {
		var v T
		if err := decodeItem(raw, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func decodeItem(raw json.RawMessage, out any) error {
	err := json.Unmarshal(raw, out)
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return fmt.Errorf("%s is a JSON %s, not what the vendor documents", typ.Field, typ.Value)
	}
	return err
}

// Access is how a connector reaches its vendor, as it is configured.
type Access struct {
	// Client is what the configuration says of proxies, TLS, headers and so on; its URL is empty for the vendor's own.
	Client ClientOptions
	User   string
	Secret Secret // a token or a password; nil for none
}

// Vendor is how a vendor's API is reached, in general.
type Vendor struct {
	URL string // where the configuration has none
	// Header carries the token after Prefix; empty means basic auth where there is a user, else a bearer token.
	Header, Prefix string
	Headers        []Header
	// PerMinute is the documented limit in requests a minute.
	PerMinute float64
}

// requestTimeout bounds one request of a connector.
const requestTimeout = 30 * time.Second

// NewClient makes the client of a vendor.
func (a Access) NewClient(v Vendor) (*Client, error) {
	o := a.Client
	if o.URL == "" {
		o.URL = v.URL
	}
	if o.Timeout == 0 {
		o.Timeout = requestTimeout
	}
	if o.PerMinute == 0 {
		o.PerMinute = v.PerMinute
	}
	o.Headers = append(append([]Header(nil), v.Headers...), o.Headers...)
	switch {
	case a.Secret == nil:
	case v.Header != "":
		o.Headers = append(o.Headers, Header{Name: v.Header, Prefix: v.Prefix, Value: a.Secret, Hidden: true})
	case a.User != "":
		o.Username, o.Password = a.User, a.Secret
	default:
		o.BearerToken = a.Secret
	}
	return NewClient(o)
}

// OptionError is a mistake in what a source was given, at a key of its configuration.
type OptionError struct {
	Key string // such as map or page.by
	Err error
}

func (e *OptionError) Error() string { return e.Key + ": " + e.Err.Error() }
func (e *OptionError) Unwrap() error { return e.Err }

// Status is the status of the answer that an error is about; 0 where it is about none.
func StatusOf(err error) int {
	var s *StatusError
	if errors.As(err, &s) {
		return s.Status
	}
	return 0
}

// Refused says whether an error is the answer that the one who asks may not have it, also said as that there is no such thing. Who
// only is to ask later is not refused.
func Refused(err error) bool {
	var s *StatusError
	return errors.As(err, &s) && !s.Limited && (s.Status == http.StatusForbidden || s.Status == http.StatusNotFound)
}

// ErrCircles says that pages follow each other and bring nothing new.
var ErrCircles = errors.New("the pages go round in circles: the next one leads to nothing new")

// Gone says whether an error is the answer that there is no such thing any more.
func Gone(err error) bool {
	return StatusOf(err) == http.StatusNotFound || StatusOf(err) == http.StatusGone
}

// Time reads a time as vendors write it: RFC 3339, also without a colon in its zone (Jira). Nothing is the zero time.
func Time(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("not a time: %.40q", s)
}

// A Stamp is a time in a vendor's JSON: a text as Time reads it, null or nothing.
type Stamp struct{ time.Time }

// UnmarshalJSON reads it.
func (s *Stamp) UnmarshalJSON(b []byte) error {
	var text *string
	if err := json.Unmarshal(b, &text); err != nil {
		return fmt.Errorf("not a time: %.40s", b)
	}
	s.Time = time.Time{}
	if text == nil {
		return nil
	}
	t, err := Time(*text)
	s.Time = t
	return err
}

// Set states a milestone of a record, unless the time is zero.
func Set(r *incident.Record, name incident.MilestoneName, at time.Time, evidence string) {
	if at.IsZero() {
		return
	}
	if r.Milestones == nil {
		r.Milestones = map[incident.MilestoneName]incident.Stated{}
	}
	r.Milestones[name] = incident.Stated{At: at, Evidence: evidence}
}

// SetAbout is Set for a time that is only about when it was.
func SetAbout(r *incident.Record, name incident.MilestoneName, at time.Time, evidence string) {
	Set(r, name, at, evidence)
	if s, said := r.Milestones[name]; said && !at.IsZero() {
		s.Confidence = incident.ConfidenceApproximate
		r.Milestones[name] = s
	}
}
