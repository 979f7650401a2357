package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"meantime/incident"
)

// message is what is of use in Alertmanager's webhook message, version 4: in notify/webhook.Message, without the 525
// packages behind it. Fields that are not known are ignored: 0.34 added notification_reason and routeLabels, others will
// come.
type message struct {
	Status             string `json:"status"`
	NotificationReason string `json:"notification_reason"`
	ExternalURL        string `json:"externalURL"`
	Receiver           string `json:"receiver"`
	GroupKey           string `json:"groupKey"`
	TruncatedAlerts    uint64 `json:"truncatedAlerts"`
	Alerts             alerts `json:"alerts"`
}

// alerts are decoded one by one, so that one bad one does not lose the others and a limit holds before memory is spent.
type alerts struct {
	list  []wireAlert
	limit int
	body  []byte // of the whole message
	there bool   // the message has the field
	err   error  // errTooMany, or the Problems of a field that is no list
}

// wireAlert is one alert as sent. Wrong is what makes it unusable, if anything does.
type wireAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     stamp             `json:"startsAt"`
	EndsAt       stamp             `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
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
	m := &message{Alerts: alerts{limit: limit, body: body}}
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

// asEver are the options by which a body is read as encoding/json reads it: names in any case, the last of several of one
// name, what is no UTF-8 replaced, and what has the wrong type passed over. Only it is read once, not several times.
var asEver = jsonv1.DefaultOptionsV1()

// parse decodes a body as far as its values have the right types. Problems where it is not JSON.
func parse(body []byte, v any) error {
	if what := encoding(body); what != "" {
		return incident.Problems{{Message: "not JSON: " + what}}
	}
	err := jsonv2.Unmarshal(body, v, asEver)
	if err == nil {
		return nil
	}
	// What was wrong, and where, is said in the words that everybody knows.
	var syntax *json.SyntaxError
	if errors.As(json.Unmarshal(body, new(json.RawMessage)), &syntax) {
		return incident.Problems{{Message: fmt.Sprintf("not JSON: %v, at byte %d", syntax, syntax.Offset)}}
	}
	var syntactic *jsontext.SyntacticError
	var legacy *jsonv1.SyntaxError
	if errors.As(err, &syntactic) || errors.As(err, &legacy) {
		return incident.Problems{{Message: fmt.Sprintf("not JSON: %v", err)}}
	}
	return nil
}

// UnmarshalJSONFrom gives no error of its own, because that would be taken for one of the message.
func (a *alerts) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*a = alerts{limit: a.limit, body: a.body, there: true}
	switch k := d.PeekKind(); k {
	case 'n': // how Go writes an empty list
		return d.SkipValue()
	case '[':
	default:
		a.err = incident.Problems{{Path: "alerts", Message: fmt.Sprintf("a JSON %s where a list belongs", kindOf([]byte{byte(k)}))}}
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != ']' {
		if len(a.list) == a.limit {
			a.list, a.err = nil, errTooMany
		}
		if a.err != nil {
			if err := d.SkipValue(); err != nil {
				return err
			}
			continue
		}
		a.list = append(a.list, wireAlert{})
		if err := a.list[len(a.list)-1].read(d, a.body); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

// read reads an alert of a body. What is wrong with its fields is noted in it; the error is one of syntax.
func (a *wireAlert) read(d *jsontext.Decoder, body []byte) error {
	if k := d.PeekKind(); k != '{' {
		if err := d.SkipValue(); err != nil { // which tells bad syntax
			return err
		}
		a.wrong = wrongKind("", kindOf([]byte{byte(k)}), "an object")
		return nil
	}
	from, depth := d.InputOffset(), d.StackDepth()
	err := jsonv2.UnmarshalDecode(d, a)
	if err != nil && (d.StackDepth() != depth || d.InputOffset() == from) {
		return err // the alert does not end
	}
	raw := body[from:d.InputOffset()]
	raw = raw[bytes.IndexByte(raw, '{'):]
	if err != nil {
		a.wrong = wrongField(raw)
	}
	if a.wrong == nil && garbled(raw, a.Labels) {
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

// UnmarshalJSONFrom gives no error of its own, because that would be one of the alert.
func (s *stamp) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*s = stamp{}
	k := d.PeekKind()
	if k != '"' {
		if k != 'n' {
			s.err = fmt.Errorf("not a time: a JSON %s", kindOf([]byte{byte(k)}))
		}
		return d.SkipValue()
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	text := token.String()
	if text == "" {
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
