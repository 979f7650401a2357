package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"meantime/incident"
)

// message is what is used of Alertmanager's webhook message, version 4 (notify/webhook.Message with template.Data in
// it). Everything else in it is ignored: 0.34 added notification_reason and routeLabels, others will come.
type message struct {
	status          string
	externalURL     string
	reason          string
	groupKey        string
	truncatedAlerts uint64
	alerts          []wireAlert
}

// wireAlert is one alert as sent. Wrong is what makes it unusable, if anything does.
type wireAlert struct {
	status       string
	labels       map[string]string
	annotations  map[string]string
	startsAt     stamp
	endsAt       stamp
	generatorURL string
	fingerprint  string
	wrong        *incident.Problem
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
	body, err := valid(body)
	if err != nil {
		return nil, err
	}
	if k := kindOf(body); k != "object" {
		return nil, incident.Problems{{Message: fmt.Sprintf("a JSON %s where an object belongs", k)}}
	}
	m, there, known := &message{}, false, texts{}
	for key, v := range fields(body) {
		name, _ := known.of(key)
		switch name {
		case "alerts":
			there = true
			if m.alerts, err = decodeAlerts(v, known, limit); err != nil {
				return nil, err
			}
		case "status":
			m.status, _ = known.of(v)
		case "externalURL":
			m.externalURL, _ = known.of(v)
		case "notification_reason":
			m.reason, _ = known.of(v)
		case "groupKey":
			m.groupKey, _ = known.of(v)
		case "truncatedAlerts":
			m.truncatedAlerts, _ = strconv.ParseUint(string(v), 10, 64) // 0 where it is no such number
		}
	}
	if !there {
		return nil, incident.Problems{{Path: "alerts", Message: "missing; this is no Alertmanager notification"}}
	}
	return m, nil
}

// valid is the JSON value in a body, without the space around it.
func valid(body []byte) ([]byte, error) {
	if json.Valid(body) {
		return bytes.TrimSpace(body), nil
	}
	var whole any
	err := json.Unmarshal(body, &whole) // which says where
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return nil, incident.Problems{{Message: fmt.Sprintf("not JSON: %v, at byte %d", syntax, syntax.Offset)}}
	}
	return nil, incident.Problems{{Message: "not JSON"}}
}

func decodeAlerts(b []byte, known texts, limit int) ([]wireAlert, error) {
	switch k := kindOf(b); k {
	case "null":
		return nil, nil // how Go writes an empty list
	case "array":
	default:
		return nil, incident.Problems{{Path: "alerts", Message: fmt.Sprintf("a JSON %s where a list belongs", k)}}
	}
	var list []wireAlert
	for e := range elements(b) {
		if len(list) == limit {
			return nil, errTooMany
		}
		list = append(list, decodeAlert(e, known))
	}
	return list, nil
}

func decodeAlert(b []byte, known texts) wireAlert {
	var a wireAlert
	wrong := func(path, kind, want string) {
		if a.wrong == nil {
			a.wrong = &incident.Problem{Path: path, Message: fmt.Sprintf("a JSON %s where %s belongs", kind, want)}
		}
	}
	if k := kindOf(b); k != "object" {
		wrong("", k, "an object")
		return a
	}
	for name, v := range fields(b) {
		switch string(name) {
		case `"labels"`:
			set, key, kind := known.set(v)
			if kind == "" {
				a.labels = set
			} else if key == "" {
				wrong("labels", kind, "an object")
			} else {
				wrong("labels."+incident.PlainText(key, 80), kind, "a string")
			}
		case `"annotations"`:
			a.annotations, _, _ = known.set(v) // they only explain
		case `"status"`:
			var ok bool
			if a.status, ok = known.of(v); !ok && kindOf(v) != "null" {
				wrong("status", kindOf(v), "a string")
			}
		case `"startsAt"`:
			a.startsAt = readStamp(v)
		case `"endsAt"`:
			a.endsAt = readStamp(v)
		case `"generatorURL"`:
			a.generatorURL, _ = known.of(v)
		case `"fingerprint"`:
			if v[0] == '"' {
				a.fingerprint = unquote(v)
			}
		}
	}
	return a
}

func readStamp(b []byte) stamp {
	var s stamp
	switch kindOf(b) {
	case "null":
		return s
	case "string":
	default:
		s.err = fmt.Errorf("not a time: a JSON %s", kindOf(b))
		return s
	}
	text := unquote(b)
	if text == "" {
		return s
	}
	s.Time, s.err = incident.ParseTime(text)
	// Alertmanager writes the year 1 for a time that is not set. What lies outside of these years was not meant either,
	// and a database could not hold it in nanoseconds.
	if y := s.Year(); y < 1980 || y > 2200 {
		s.Time = time.Time{}
	}
	return s
}
