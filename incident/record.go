package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind says what sort of thing an incident is. Drills and maintenance are counted, not measured.
type Kind string

const (
	KindIncident    Kind = "incident"
	KindDrill       Kind = "drill"
	KindMaintenance Kind = "maintenance"
)

// State says whether an incident is going on.
type State string

const (
	StateOpen      State = "open"
	StateResolved  State = "resolved"  // over, whether or not its end is known
	StateCancelled State = "cancelled" // it turned out to be none
)

// DetectedBy says who knew first.
type DetectedBy string

const (
	ByAlert      DetectedBy = "alert"
	ByCustomer   DetectedBy = "customer"
	ByStaff      DetectedBy = "staff"
	ByThirdParty DetectedBy = "third_party"
	ByUnknown    DetectedBy = "unknown"
)

// Detectors lists every DetectedBy.
var Detectors = []DetectedBy{ByAlert, ByCustomer, ByStaff, ByThirdParty, ByUnknown}

// RecordKey identifies a record: the source's name and the source's id for it.
type RecordKey struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// String is "source/id".
func (k RecordKey) String() string { return k.Source + "/" + k.ID }

// Record is what one source says about one incident, in one version. It is keyed by Source and ID; of several versions
// the newest counts (see Newer). Its JSON is the native form that files, the API and every source produce.
type Record struct {
	Source string `json:"source,omitempty"`
	ID     string `json:"id"`
	// UpdatedAt is when this version was written, by the source's clock; where a source does not tell, the store sets
	// it to the time of receipt.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// CreatedAt is when the source's record was made, which is usually after the incident began.
	CreatedAt time.Time `json:"created_at,omitzero"`
	// Withdrawn marks a version that takes the record back.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Origin is `record`, or `postmortem` for one read from a written text.
	Origin Origin `json:"origin,omitempty"`

	Title      string                   `json:"title,omitempty"`
	URL        string                   `json:"url,omitempty"`
	Services   []string                 `json:"services,omitempty"`
	Severity   string                   `json:"severity,omitempty"`
	Kind       Kind                     `json:"kind,omitempty"`
	State      State                    `json:"state,omitempty"` // empty where the source does not say
	DetectedBy DetectedBy               `json:"detected_by,omitempty"`
	Labels     map[string]string        `json:"labels,omitempty"`
	Milestones map[MilestoneName]Stated `json:"milestones,omitempty"`
	Impacts    []Impact                 `json:"impacts,omitempty"`
	References References               `json:"references,omitzero"`
	Related    []Related                `json:"related,omitempty"`
	Actions    []Action                 `json:"actions,omitempty"`
	// Questions are what a postmortem leaves open.
	Questions []Question `json:"questions,omitempty"`
}

// Key is the record's key.
func (r *Record) Key() RecordKey { return RecordKey{r.Source, r.ID} }

// Timed says whether the record speaks of any time but that of its writing.
func (r *Record) Timed() bool {
	return len(r.Milestones)+len(r.Impacts) > 0 || !r.CreatedAt.IsZero()
}

// Stated is a milestone as a record states it. In JSON it is a time, or an object.
type Stated struct {
	At        time.Time `json:"at"`
	Precision Precision `json:"precision,omitempty"`
	Evidence  string    `json:"evidence,omitempty"`
	// Line is the line of the document it was read from, from 1; 0 where there is none.
	Line int `json:"line,omitempty"`
	// Confidence is how a postmortem states it: stated, approximate or inferred. Empty means stated.
	Confidence Confidence `json:"confidence,omitempty"`
}

// Confidence is how firmly a written text states a milestone.
type Confidence string

const (
	ConfidenceStated      Confidence = "stated"
	ConfidenceApproximate Confidence = "approximate"
	ConfidenceInferred    Confidence = "inferred"
)

// Impact is one stretch of time in which users were affected. To is zero where it goes on or its end is not known.
type Impact struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to,omitzero"`
	Evidence string    `json:"evidence,omitempty"`
}

// Related names another incident and how it is related.
type Related struct {
	ID  string `json:"id"`
	How string `json:"how,omitempty"`
}

// Action is something to be done after the incident.
type Action struct {
	Title string `json:"title"`
	State string `json:"state,omitempty"`
	Due   string `json:"due,omitempty"` // a date, YYYY-MM-DD
}

// Question is something a postmortem leaves open: what, why, which answers are possible, and which field settles it.
type Question struct {
	Kind       string   `json:"kind"`
	Text       string   `json:"text"`
	Why        string   `json:"why,omitempty"`
	Candidates []string `json:"candidates,omitempty"`
	// Field is the record's field that answers it, such as `milestones.started`.
	Field string `json:"field,omitempty"`
	Line  int    `json:"line,omitempty"`
}

// ParseTime reads an RFC 3339 time, which must carry its zone, and gives it in UTC. The error says what would be right.
func ParseTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t.UTC(), nil
	}
	// Say what is missing where the rest can be read.
	for _, l := range []string{"2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.Parse(l, s); err == nil {
			return time.Time{}, fmt.Errorf("time without a zone: %q; write %s for UTC, or with an offset such as +02:00", s, t.Format(time.RFC3339))
		}
	}
	for _, l := range []string{"2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05 Z07:00", "2006-01-02 15:04 Z07:00"} {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("not a time: %q; write it like 2006-01-02T15:04:05Z", s)
}

// Newer says whether version a of a record counts over version b: the one written later, and between two written at the
// same moment the one whose content sorts last, so that the answer is the same in any order.
func Newer(a, b *Record) bool {
	if c := a.UpdatedAt.Compare(b.UpdatedAt); c != 0 {
		return c > 0
	}
	return a.content() > b.content()
}

// Same says whether two versions of a record say the same, whenever they were written.
func Same(a, b *Record) bool { return a.content() == b.content() }

func (r *Record) content() string {
	c := *r
	c.UpdatedAt = time.Time{}
	b, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("record %s does not marshal: %v", r.Key(), err)) // a validated record always does
	}
	return string(b)
}

// Limits on a record. What is over them is refused by name, so that one source cannot fill the store or the metrics.
const (
	maxID       = 256
	maxText     = 2048
	maxServices = 100
	maxList     = 1000
	maxLabels   = 64
)

// Normalize fills in what a record may leave out (kind, origin, precision) and brings times to UTC.
// It leaves alone what Validate would refuse.
func (r *Record) Normalize() {
	r.Kind = cmp.Or(r.Kind, KindIncident)
	r.Origin = cmp.Or(r.Origin, OriginRecord)
	r.DetectedBy = cmp.Or(r.DetectedBy, ByUnknown)
	r.UpdatedAt, r.CreatedAt = r.UpdatedAt.UTC(), r.CreatedAt.UTC()
	if r.Milestones != nil {
		m := make(map[MilestoneName]Stated, len(r.Milestones))
		for n, s := range r.Milestones {
			s.At = s.At.UTC()
			if !s.At.IsZero() {
				s.Precision = cmp.Or(s.Precision, DefaultPrecision(s.At))
			}
			m[n] = s
		}
		r.Milestones = m
	}
	r.References.normalize()
	for i := range r.Impacts {
		r.Impacts[i].From, r.Impacts[i].To = r.Impacts[i].From.UTC(), r.Impacts[i].To.UTC()
	}
}

// Validate lists everything wrong with the record. What merely contradicts itself, such as a resolved before the
// started, is not an error: it is a fact about the record, stored, shown and measured as `invalid`.
func (r *Record) Validate() error {
	var p Problems
	bad := func(path, format string, args ...any) { p = append(p, Problem{path, fmt.Sprintf(format, args...)}) }
	text := func(path, s string, limit int) {
		if len(s) > limit {
			bad(path, "%d bytes is more than the %d allowed", len(s), limit)
		} else if !utf8.ValidString(s) {
			bad(path, "not UTF-8")
		} else if strings.ContainsRune(s, 0) {
			bad(path, "has a NUL character") // which no PostgreSQL text can hold
		}
	}
	year := func(path string, t time.Time) {
		if msg := outOfRange(t); msg != "" {
			bad(path, "%s", msg)
		}
	}
	if strings.TrimSpace(r.ID) == "" {
		bad("id", "missing; it must name the incident within its source, such as \"2024-07-18-sign-in\"")
	}
	text("id", r.ID, maxID)
	if strings.ContainsFunc(r.ID, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		bad("id", "has a control character")
	}
	year("updated_at", r.UpdatedAt)
	year("created_at", r.CreatedAt)
	text("title", r.Title, maxText)
	text("severity", r.Severity, maxID)
	text("url", r.URL, maxText)
	if r.URL != "" {
		if u, err := url.Parse(r.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			bad("url", "not an http or https address: %q", cut(r.URL))
		}
	}
	if len(r.Services) > maxServices {
		bad("services", "%d are more than the %d allowed", len(r.Services), maxServices)
	}
	for i, s := range r.Services {
		text(fmt.Sprintf("services[%d]", i), s, maxID)
		if strings.TrimSpace(s) == "" {
			bad(fmt.Sprintf("services[%d]", i), "empty")
		}
	}
	oneOf(bad, "kind", r.Kind, KindIncident, KindDrill, KindMaintenance)
	oneOf(bad, "state", r.State, StateOpen, StateResolved, StateCancelled)
	oneOf(bad, "detected_by", r.DetectedBy, Detectors...)
	oneOf(bad, "origin", r.Origin, OriginRecord, OriginPostmortem)
	if len(r.Labels) > maxLabels {
		bad("labels", "%d are more than the %d allowed", len(r.Labels), maxLabels)
	}
	for k, v := range sorted(r.Labels) {
		text("labels."+cut(k), k, maxID)
		text("labels."+cut(k), v, maxText)
	}
	for n, s := range sorted(r.Milestones) {
		path := "milestones." + cut(string(n))
		if !n.Valid() {
			bad(path, "unknown milestone; the milestones are %s", list(MilestoneNames))
			continue
		}
		if s.At.IsZero() {
			bad(path, "no time; leave the milestone out where it is not known")
		}
		year(path, s.At)
		oneOf(bad, path+".precision", s.Precision, PrecisionSecond, PrecisionMinute, PrecisionApproximate)
		oneOf(bad, path+".confidence", s.Confidence, ConfidenceStated, ConfidenceApproximate, ConfidenceInferred)
		text(path+".evidence", s.Evidence, maxText)
	}
	if len(r.Impacts) > maxList {
		bad("impacts", "%d are more than the %d allowed", len(r.Impacts), maxList)
	}
	for i, w := range r.Impacts {
		path := fmt.Sprintf("impacts[%d]", i)
		if w.From.IsZero() {
			bad(path+".from", "missing")
		}
		if !w.To.IsZero() && w.To.Before(w.From) {
			bad(path+".to", "%s is before from %s", w.To.UTC().Format(time.RFC3339), w.From.UTC().Format(time.RFC3339))
		}
		year(path+".from", w.From)
		year(path+".to", w.To)
		text(path+".evidence", w.Evidence, maxText)
	}
	r.References.validate(bad, text, year)
	if len(r.Actions)+len(r.Related)+len(r.Questions) > maxList {
		bad("actions", "actions, related and questions together are more than the %d allowed", maxList)
	}
	for i, a := range r.Actions {
		text(fmt.Sprintf("actions[%d].title", i), a.Title, maxText)
	}
	for i, x := range r.Related {
		text(fmt.Sprintf("related[%d].id", i), x.ID, maxID)
	}
	return p.Err()
}

// clockSkew is how far a time may lie ahead of now: the clocks of two machines.
const clockSkew = 5 * time.Minute

// CheckPast lists the times of the record that lie after now: nobody can know yet what they tell. What is planned may lie
// ahead, a drill or a maintenance.
func (r *Record) CheckPast(now time.Time) error {
	if r.Kind == KindDrill || r.Kind == KindMaintenance {
		return nil
	}
	var p Problems
	check := func(path string, t time.Time) {
		if t.After(now.Add(clockSkew)) {
			p = append(p, Problem{path, fmt.Sprintf("%s is later than now (%s); leave it out until it has come, or check its date and zone",
				t.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))})
		}
	}
	check("created_at", r.CreatedAt)
	for n, s := range sorted(r.Milestones) {
		check("milestones."+cut(string(n)), s.At)
	}
	for i, w := range r.Impacts {
		check(fmt.Sprintf("impacts[%d].from", i), w.From)
		check(fmt.Sprintf("impacts[%d].to", i), w.To)
	}
	return p.Err()
}

// outOfRange says why a time cannot be one of an incident; empty for a time that can, and for no time.
func outOfRange(t time.Time) string {
	if y := t.Year(); !t.IsZero() && (y < 1980 || y > 2200) {
		return fmt.Sprintf("year %d is out of range", y)
	}
	return ""
}

func oneOf[T ~string](bad func(string, string, ...any), path string, v T, allowed ...T) {
	if v == "" {
		return
	}
	for _, a := range allowed {
		if v == a {
			return
		}
	}
	bad(path, "unknown value %q; it is one of %s", cut(string(v)), list(allowed))
}
