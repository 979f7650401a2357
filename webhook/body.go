package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"meantime/incident"
)

// encoding names the encoding of a body that is not the UTF-8 that JSON is written in; empty where it may be.
func encoding(body []byte) string {
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		return "it begins with a byte order mark; send UTF-8 without one"
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}), bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return "it begins with a byte order mark of UTF-16; send UTF-8"
	case len(body) > 1 && (body[0] == 0) != (body[1] == 0):
		return "it is UTF-16; send UTF-8"
	}
	return ""
}

// mistaken says what a body is that is no notification, where it is another thing of Alertmanager's; empty where it is not.
func mistaken(body []byte) string {
	body = bytes.TrimSpace(body)
	type object map[string]json.RawMessage
	var list []object
	var one object
	switch kindOf(body) {
	case "array":
		if json.Unmarshal(body, &list) != nil || len(list) == 0 {
			return ""
		}
	case "object":
		// Version 1 of Alertmanager's API wraps the list.
		var wrapped struct {
			Status string   `json:"status"`
			Data   []object `json:"data"`
		}
		if json.Unmarshal(body, &wrapped) == nil && wrapped.Status == "success" && len(wrapped.Data) > 0 {
			list = wrapped.Data
			break
		}
		if json.Unmarshal(body, &one) != nil {
			return ""
		}
		list = []object{one}
	default:
		return ""
	}
	first := list[0]
	switch {
	case first["labels"] != nil:
		return "these are alerts as Alertmanager's own API has them (/api/v2/alerts), not a notification: " +
			"send it to Alertmanager, which notifies Meantime, or send {\"alerts\": [...]}"
	case first["timestamp"] != nil && first["data"] != nil:
		return "this is an event of Alertmanager's event recorder; events go to /webhook/alertmanager/events"
	case first["matchers"] != nil:
		return "these are silences as Alertmanager's own API has them, not a notification"
	}
	return ""
}

// notificationAmongEvents says whether what came in place of an event is a notification.
func notificationAmongEvents(raw []byte) bool {
	var m struct {
		Alerts json.RawMessage `json:"alerts"`
		Data   json.RawMessage `json:"data"`
	}
	return kindOf(raw) == "object" && json.Unmarshal(raw, &m) == nil && len(m.Alerts) > 0 && kindOf(m.Alerts) == "array" && len(m.Data) == 0
}

// goTime is a time as Go's Time.String writes it: with the zone's name behind its offset, and maybe with the reading of
// the monotonic clock.
var goTime = regexp.MustCompile(`^\s*(\S+ \S+ [+-]\d{4}) \S+( m=[+-]\d+\.\d+)?\s*$`)

// stampTime reads a time as Alertmanager writes it, or as Go itself does where a payload was made by `{{ .StartsAt }}`.
func stampTime(text string) (time.Time, error) {
	if strings.Contains(text, " ") { // which Alertmanager's own form never does
		if m := goTime.FindStringSubmatch(text); m != nil {
			if t, err := time.Parse("2006-01-02 15:04:05.999999999 -0700", m[1]); err == nil {
				return t.UTC(), nil
			}
		}
	}
	return incident.ParseTime(text)
}

// maxStartAhead is how far the start of an alert may lie after its receipt. Nobody sends again what is refused, and it may be
// our clock that is behind, by an hour at a change of zones: so only what no clock and no zone explains is refused.
const maxStartAhead = 24 * time.Hour

// ahead says what is wrong with a start that has not come by the time it was received; empty where nothing is.
func ahead(start, received time.Time) string {
	d := start.Sub(received)
	if d <= maxStartAhead {
		return ""
	}
	return fmt.Sprintf("%s lies %s after its receipt at %s, so nothing can fire since then; the sender's clock or the zone is wrong",
		start.Format(time.RFC3339), d.Round(time.Second), received.Format(time.RFC3339))
}

// garbled says whether labels were not UTF-8 as they were sent: read as JSON, different values become one.
// raw is the alert as sent.
func garbled(raw []byte, labels map[string]string) bool {
	replaced := 0
	for k, v := range labels {
		replaced += strings.Count(k, string(utf8.RuneError)) + strings.Count(v, string(utf8.RuneError))
	}
	if replaced == 0 {
		return false
	}
	var a struct {
		Labels json.RawMessage `json:"labels"`
	}
	_ = json.Unmarshal(raw, &a) // it was read before
	if !utf8.Valid(a.Labels) {
		return true
	}
	// What was written as the replacement character is it; more of them come of half a pair of surrogates.
	written := strings.Count(string(a.Labels), string(utf8.RuneError)) + strings.Count(strings.ToLower(string(a.Labels)), `\ufffd`)
	return replaced > written
}
