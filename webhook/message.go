package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/template"

	"meantime/incident"
)

// message is Alertmanager's webhook message, version 4: notify/webhook.Message without the 525 packages behind it.
// Fields that are not known are ignored: 0.34 added notification_reason and routeLabels, others will come.
type message struct {
	template.Data
	GroupKey        string `json:"groupKey"`
	TruncatedAlerts uint64 `json:"truncatedAlerts"`
	Alerts          alerts `json:"alerts"`
}

// alerts are decoded one by one, so that one bad one does not lose the others and a limit holds before memory is spent.
type alerts struct {
	list  []wireAlert
	limit int
	there bool  // the message has the field
	err   error // errTooMany, or the Problems of a field that is no list
}

// wireAlert is one alert as sent. Wrong is what makes it unusable, if anything does.
type wireAlert struct {
	template.Alert
	StartsAt stamp `json:"startsAt"`
	EndsAt   stamp `json:"endsAt"`
	wrong    *incident.Problem
}

// stamp is a time as sent, or why it is none: an alert may be good although one of its times is not.
type stamp struct {
	time.Time
	err error
}

// errTooMany says that a body holds more alerts or events than allowed.
var errTooMany = errors.New("too many")

// decode reads a message with at most limit alerts; errTooMany where there are more. Any other error is Problems, and
// says why the body is no message.
//
// One bad alert does not lose the others. Past the alerts, everything in a message is of use but not needed: a body that
// somebody's template made (possible since Alertmanager 0.32) is taken as far as it goes.
func decode(body []byte, limit int) (*message, error) {
	m := &message{Alerts: alerts{limit: limit}}
	if err := parse(body, m); err != nil {
		return nil, err
	}
	if k := kindOf(bytes.TrimSpace(body)); k != "object" {
		why := fmt.Sprintf("a JSON %s where an object belongs", k)
		if what := mistaken(body); what != "" {
			why += "; " + what
		}
		return nil, incident.Problems{{Message: why}}
	}
	if !m.Alerts.there {
		what := mistaken(body)
		if what == "" {
			what = "this is no Alertmanager notification"
		}
		return nil, incident.Problems{{Path: "alerts", Message: "missing; " + what}}
	}
	return m, m.Alerts.err
}

// parse decodes a body as far as its values have the right types. Problems where it is not JSON.
func parse(body []byte, v any) error {
	if what := encoding(body); what != "" {
		return incident.Problems{{Message: "not JSON: " + what}}
	}
	err := json.Unmarshal(body, v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return incident.Problems{{Message: fmt.Sprintf("not JSON: %v, at byte %d", syntax, syntax.Offset)}}
	}
	return nil
}

// elements decodes an array; errTooMany where it has more than limit elements, of which no more are decoded.
func elements[T any](b []byte, limit int) ([]T, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var list []T
	for d.More() {
		if len(list) == limit {
			return nil, errTooMany
		}
		var e T
		if err := d.Decode(&e); err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

// UnmarshalJSON gives no error of its own, because that would be taken for one of the message.
func (a *alerts) UnmarshalJSON(b []byte) error {
	*a = alerts{limit: a.limit, there: true}
	switch k := kindOf(b); k {
	case "null": // how Go writes an empty list
	case "array":
		a.list, a.err = elements[wireAlert](b, a.limit)
	default:
		a.err = incident.Problems{{Path: "alerts", Message: fmt.Sprintf("a JSON %s where a list belongs", k)}}
	}
	return nil
}

// UnmarshalJSON gives no error of its own, because that would lose the alerts after this one.
func (a *wireAlert) UnmarshalJSON(b []byte) error {
	if k := kindOf(b); k != "object" {
		a.wrong = wrongKind("", k, "an object")
		return nil
	}
	type plain wireAlert // without this method
	if err := json.Unmarshal(b, (*plain)(a)); err != nil {
		a.wrong = wrongField(b)
	}
	if a.wrong == nil && garbled(b, a.Labels) {
		a.wrong = &incident.Problem{Path: "labels", Message: "not UTF-8: different values would be read as one; send UTF-8"}
	}
	return nil
}

// wrongField is the field of a wrong type that makes an alert unusable; nil where there are only others. Of a wrong type
// is what is neither a text nor null.
func wrongField(b []byte) *incident.Problem {
	var a struct {
		Status json.RawMessage `json:"status"`
		Labels json.RawMessage `json:"labels"`
	}
	var text string
	var labels map[string]json.RawMessage
	_ = json.Unmarshal(b, &a) // it is an object, and any value is raw
	if len(a.Labels) > 0 && json.Unmarshal(a.Labels, &labels) != nil {
		return wrongKind("labels", kindOf(a.Labels), "an object")
	}
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if json.Unmarshal(labels[name], &text) != nil {
			return wrongKind("labels."+incident.PlainText(name, 80), kindOf(labels[name]), "a string")
		}
	}
	if len(a.Status) > 0 && json.Unmarshal(a.Status, &text) != nil {
		return wrongKind("status", kindOf(a.Status), "a string")
	}
	return nil
}

func wrongKind(path, kind, want string) *incident.Problem {
	return &incident.Problem{Path: path, Message: fmt.Sprintf("a JSON %s where %s belongs", kind, want)}
}

func (s *stamp) UnmarshalJSON(b []byte) error {
	*s = stamp{}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		s.err = fmt.Errorf("not a time: a JSON %s", kindOf(b))
		return nil
	}
	if text == "" { // or null
		return nil
	}
	s.Time, s.err = stampTime(text)
	// Alertmanager writes the year 1 for a time that is not set. What lies before these years was not meant either, and a
	// database could not hold it in nanoseconds; nor what lies after them, which no start may: see ahead.
	if s.Year() < 1980 {
		s.Time = time.Time{}
	}
	return nil
}

// kindOf names the kind of a JSON value.
func kindOf(b []byte) string {
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	}
	return "number"
}
