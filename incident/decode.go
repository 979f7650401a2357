package incident

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DecodeRecord reads a record from its JSON form, fills in what it may leave out (Normalize) and checks it (Validate).
// What it refuses, it refuses with all its Problems, each with the path of its place. Unknown fields are accepted.
func DecodeRecord(b []byte) (Record, error) { return decodeRecord(b, RecordKey{}) }

// DecodeRecordAs reads the record of a known key, as DecodeRecord does: its source and id may be left out, and where it
// names others that is a problem.
func DecodeRecordAs(k RecordKey, b []byte) (Record, error) { return decodeRecord(b, k) }

func decodeRecord(b []byte, k RecordKey) (Record, error) {
	if string(bytes.TrimSpace(b)) == "null" {
		return Record{}, Problems{{"", "a JSON null where an object belongs"}}
	}
	// Every time is read by hand, because encoding/json would say neither where a bad one is nor what is wrong with it.
	type plain Record
	wire := struct {
		*plain
		UpdatedAt  json.RawMessage            `json:"updated_at"`
		CreatedAt  json.RawMessage            `json:"created_at"`
		Milestones map[string]json.RawMessage `json:"milestones"`
		Impacts    []json.RawMessage          `json:"impacts"`
		References referencesWire             `json:"references"`
	}{plain: &plain{}}
	if err := json.Unmarshal(b, &wire); err != nil {
		return Record{}, jsonProblem("", err)
	}
	r := Record(*wire.plain)
	var p Problems
	same := func(path string, has *string, want string) {
		if want == "" || *has == want {
			return
		}
		if *has != "" {
			p = append(p, Problem{path, fmt.Sprintf("%q here, %q where it was sent to; leave it out or make them agree", cut(*has), cut(want))})
		}
		*has = want
	}
	same("source", &r.Source, k.Source)
	same("id", &r.ID, k.ID)
	at := func(path string, raw json.RawMessage) time.Time {
		t, err := decodeTime(raw)
		if err != nil {
			p = append(p, Problem{path, err.Error()})
		}
		return t
	}
	r.UpdatedAt = at("updated_at", wire.UpdatedAt)
	r.CreatedAt = at("created_at", wire.CreatedAt)
	r.References = wire.References.read(at)

	for name, raw := range sorted(wire.Milestones) {
		path := "milestones." + cut(name)
		if r.Milestones == nil {
			r.Milestones = make(map[MilestoneName]Stated, len(wire.Milestones))
		}
		if string(raw) == "null" {
			continue // known to be unknown, the same as left out
		}
		var o struct {
			At         json.RawMessage `json:"at"`
			Precision  Precision       `json:"precision"`
			Evidence   string          `json:"evidence"`
			Line       int             `json:"line"`
			Confidence Confidence      `json:"confidence"`
		}
		if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) {
			if err := json.Unmarshal(raw, &o); err != nil {
				p = append(p, jsonProblem(path, err)...)
				continue
			}
		} else {
			o.At = raw
		}
		before := len(p)
		s := Stated{at(path, o.At), o.Precision, o.Evidence, o.Line, o.Confidence}
		if len(p) == before {
			r.Milestones[MilestoneName(name)] = s
		}
	}
	for i, raw := range wire.Impacts {
		path := fmt.Sprintf("impacts[%d]", i)
		var o struct {
			From     json.RawMessage `json:"from"`
			To       json.RawMessage `json:"to"`
			Evidence string          `json:"evidence"`
		}
		if err := json.Unmarshal(raw, &o); err != nil {
			p = append(p, jsonProblem(path, err)...)
			continue
		}
		before := len(p)
		w := Impact{at(path+".from", o.From), at(path+".to", o.To), o.Evidence}
		if len(p) == before {
			r.Impacts = append(r.Impacts, w)
		}
	}
	r.Normalize()
	var more Problems
	if errors.As(r.Validate(), &more) {
		p = append(p, more...)
	}
	return r, p.Err()
}

// DecodeReview reads a review from its JSON form and checks it (Validate), with the path of every mistake.
// Unknown fields are accepted.
func DecodeReview(b []byte) (Review, error) {
	if string(bytes.TrimSpace(b)) == "null" {
		return Review{}, Problems{{"", "a JSON null where an object belongs"}}
	}
	type plain Review
	wire := struct {
		*plain
		At      json.RawMessage `json:"at"`
		Time    json.RawMessage `json:"time"`
		Episode *struct {
			Fingerprint string          `json:"fingerprint"`
			StartsAt    json.RawMessage `json:"starts_at"`
		} `json:"episode"`
	}{plain: &plain{}}
	if err := json.Unmarshal(b, &wire); err != nil {
		return Review{}, jsonProblem("", err)
	}
	r := Review(*wire.plain)
	var p Problems
	at := func(path string, raw json.RawMessage) time.Time {
		t, err := decodeTime(raw)
		if err != nil {
			p = append(p, Problem{path, err.Error()})
		}
		return t
	}
	r.At, r.Time = at("at", wire.At), at("time", wire.Time)
	if e := wire.Episode; e != nil {
		r.Episode = &EpisodeKey{e.Fingerprint, at("episode.starts_at", e.StartsAt)}
	}
	if len(p) > 0 {
		return r, p // what a bad time leaves empty would only be called missing
	}
	return r, r.Validate()
}

// decodeTime reads a JSON time; nothing and null are the zero time.
func decodeTime(raw json.RawMessage) (time.Time, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return time.Time{}, nil
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return time.Time{}, fmt.Errorf("not a time: %s; write it like 2006-01-02T15:04:05Z", cut(string(raw)))
	}
	return ParseTime(s)
}

// jsonProblem says in words what encoding/json found, with the place it names below path.
func jsonProblem(path string, err error) Problems {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return Problems{{path, fmt.Sprintf("not JSON: %v, at byte %d", syntax, syntax.Offset)}}
	case errors.As(err, &typ):
		field := strings.TrimPrefix(typ.Field, "plain.") // the name that embedding gave it
		if path != "" && field != "" {
			field = path + "." + field
		} else if field == "" {
			field = path
		}
		return Problems{{field, fmt.Sprintf("a JSON %s where %s belongs", typ.Value, article(typ.Type.Kind().String()))}}
	}
	return Problems{{path, err.Error()}}
}

func article(kind string) string {
	switch kind {
	case "string":
		return "a string"
	case "slice", "array":
		return "a list"
	case "struct", "map":
		return "an object"
	case "bool":
		return "true or false"
	}
	return "a number"
}
