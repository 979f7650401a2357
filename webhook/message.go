package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/template"

	"meantime/incident"
)

// message is Alertmanager's webhook message, version 4: notify/webhook.Message without the 525 packages behind it.
// Fields that are not known are ignored: 0.34 added notification_reason and routeLabels, others will come.
type message struct {
	template.Data
	Version         string `json:"version"`
	GroupKey        string `json:"groupKey"`
	TruncatedAlerts uint64 `json:"truncatedAlerts"`
	Alerts          alerts `json:"alerts"`
}

// alerts are decoded one by one, so that one bad one does not lose the others and a limit holds before memory is spent.
type alerts struct {
	list    []wireAlert
	limit   int
	there   bool  // the message has the field
	tooMany bool  // more than limit; list has the first of them
	err     error // the field is no list
}

// wireAlert is one alert as sent. Err is why it could not be read.
type wireAlert struct {
	template.Alert
	StartsAt stamp `json:"startsAt"`
	EndsAt   stamp `json:"endsAt"`
	err      error
}

// stamp is a time as sent, or why it is none: an alert may be good although one of its times is not.
type stamp struct {
	time.Time
	err error
}

func (s *stamp) UnmarshalJSON(b []byte) error {
	if string(b) == "null" || string(b) == `""` {
		return nil
	}
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		s.err = fmt.Errorf("not a time: a JSON %s", kindOf(b))
		return nil
	}
	s.Time, s.err = incident.ParseTime(text)
	// Alertmanager writes the year 1 for a time that is not set. What lies outside of these years was not meant either,
	// and a database could not hold it in nanoseconds.
	if y := s.Year(); y < 1980 || y > 2200 {
		s.Time = time.Time{}
	}
	return nil
}

func (a *alerts) UnmarshalJSON(b []byte) error {
	a.there = true
	if string(b) == "null" {
		return nil // how Go writes an empty list
	}
	if k := kindOf(b); k != "array" {
		a.err = fmt.Errorf("a JSON %s where a list belongs", k)
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		if len(a.list) == a.limit {
			a.tooMany = true
			return nil
		}
		var w wireAlert
		w.err = d.Decode(&w)
		a.list = append(a.list, w)
	}
	return nil
}

// decode reads a message. The Problems say why it is none. Past the alerts, everything in a message is of use but not
// needed, so that a body which somebody's template made (possible since Alertmanager 0.32) is taken as far as it goes.
func decode(body []byte, limit int) (*message, error) {
	m := &message{Alerts: alerts{limit: limit}}
	err := json.Unmarshal(body, m)
	switch {
	case m.Alerts.err != nil:
		return nil, incident.Problems{{Path: "alerts", Message: m.Alerts.err.Error()}}
	case m.Alerts.there:
		return m, nil
	case err != nil:
		return nil, incident.Problems{{Message: jsonError(err)}}
	}
	return nil, incident.Problems{{Path: "alerts", Message: "missing; this is no Alertmanager notification"}}
}

// jsonError says in words what encoding/json found.
func jsonError(err error) string {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("not JSON: %v, at byte %d", syntax, syntax.Offset)
	case errors.As(err, &typ) && typ.Field == "":
		return fmt.Sprintf("a JSON %s where an object belongs", typ.Value)
	case errors.As(err, &typ):
		field := strings.TrimPrefix(typ.Field, "Alert.") // the name that embedding gave it
		return fmt.Sprintf("%s: a JSON %s where it does not belong", field, typ.Value)
	}
	return err.Error()
}

// kindOf names the kind of a valid JSON value.
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
