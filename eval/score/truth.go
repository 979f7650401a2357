// Package score compares what correlation says with labelled data and gives figures.
//
// How it counts:
//
//   - Episodes that no delivered notification ever showed, and watchdogs, are left out everywhere.
//   - An incident of the answer is a true one by its records (majority). One without records, opened by alerts, is the
//     true incident most of its linked episodes belong to, and a false alarm where that is none.
//   - A true incident that has records is only answered by incidents with records of it; for one without, only the
//     alert-opened incident with most of its episodes counts. So a link in a splinter is a wrong link.
//   - A true incident with neither a record nor a visible episode is nobody's to know and is left out.
//   - `also` in the truth lists other acceptable answers of an episode (null: being linked to nothing is acceptable
//     too); such episodes are left out of the grouping figures.
//   - The order of the answer does not matter.
package score

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"time"
)

// Truth is truth.json: what really happened, and which of it could be seen.
type Truth struct {
	Window struct {
		From Time `json:"from"`
		To   Time `json:"to"`
	} `json:"window"`
	Episodes      []Episode  `json:"episodes"`
	Incidents     []Incident `json:"incidents"`
	MergedRecords [][]string `json:"merged_records"` // ids of records of one incident
}

// Episode is one true firing of one alert.
type Episode struct {
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
	End         Time   `json:"end"`
	Incident    string `json:"incident"` // empty where it belongs to none
	Also        []Also `json:"also"`
	Why         string `json:"why"`
	Visible     bool   `json:"visible"` // a notification showed it
	// ObservedStart and ObservedEnd are what notifications could tell of it.
	ObservedStart Time `json:"observed_start"`
	ObservedEnd   Time `json:"observed_end"`
}

// Also is an incident that an episode may be said to belong to as well; empty (null in JSON) means none.
type Also string

// Incident is one true incident.
type Incident struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"` // incident, drill or maintenance
	Milestones map[string]Time `json:"milestones"`
	DetectedBy string          `json:"detected_by"`
	Missed     bool            `json:"missed"` // no alert caught it
	Records    []string        `json:"records"`

	NoticedLate bool   `json:"noticed_late"` // people came long after the first alert
	Chain       string `json:"chain"`        // it comes back as tickets of their own; the chain's name
	Long        bool   `json:"long"`         // it lasted days
}

// watchdog is the Why of an alert that always fires.
const watchdog = "watchdog"

// Time is a point in time in seconds since 1970, to the microsecond. The zero Time is unknown, and so are null, the empty
// text and the year 1 in JSON.
type Time struct {
	Seconds float64
	Known   bool
}

// At is a known Time; the zero time.Time is unknown.
func At(t time.Time) Time {
	if t.IsZero() {
		return Time{}
	}
	return Time{float64(t.UnixMicro()) / 1e6, true}
}

// MarshalJSON writes RFC 3339, or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if !t.Known {
		return []byte("null"), nil
	}
	return json.Marshal(time.UnixMicro(int64(math.Round(t.Seconds * 1e6))).UTC())
}

// UnmarshalJSON reads RFC 3339, or an object that has it under "at".
func (t *Time) UnmarshalJSON(b []byte) error {
	var text *string
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")) {
		var o struct {
			At *string `json:"at"`
		}
		if err := json.Unmarshal(b, &o); err != nil {
			return err
		}
		text = o.At
	} else if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	*t = Time{}
	if text == nil || *text == "" || strings.HasPrefix(*text, "0001") {
		return nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return fmt.Errorf("not a time: %q", *text)
	}
	*t = At(at)
	return nil
}

// ReadTruth reads truth.json.
func ReadTruth(path string) (*Truth, error) {
	var t Truth
	if err := read(path, &t); err != nil {
		return nil, err
	}
	incidents := map[string]bool{"": true}
	for _, i := range t.Incidents {
		incidents[i.ID] = true
	}
	for i := range t.Episodes {
		if e := &t.Episodes[i]; !incidents[e.Incident] {
			return nil, fmt.Errorf("%s: episode %s: incident %q is not among the incidents", path, e.ID, e.Incident)
		}
	}
	return &t, nil
}

func read(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
