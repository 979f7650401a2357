// Package jq runs the jq programs of the configuration: they choose incidents, change records, and make records of what any
// JSON API tells.
package jq

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/itchyny/gojq"

	"meantime/incident"
)

const (
	// programTime and programOutput bound what a program of the configuration may take for one incident. Usual ones take some
	// microseconds; a busy machine must not make a good one fail.
	programTime   = time.Second
	programOutput = 1 << 20
)

// Program is a jq program of the configuration. It reads no environment, no files and no modules.
type Program struct {
	text string
	code *gojq.Code
}

// helpers are functions that every program has besides jq's own.
const helpers = `
def epoch(s): if s == null then null else (s | tonumber | floor | todate) end;
def epoch_ms: if . == null then null else (tonumber / 1000 | floor | todate) end;
def duration_after(t; seconds): t as $t | seconds as $s | if $t == null or $s == null then null
  else ($t | sub("\\.[0-9]+"; "") | fromdate + ($s | tonumber) | floor | todate) end;
def said(at; evidence): if at == null or at == "" then null else {at: at, evidence: evidence} end;
def in_zone(format; zone): if . == null or . == "" then null else (. as $t | strptime(format) | zoned(.; zone; $t)) end;
`

// New compiles a jq program. Its input is bound to $raw as well where a run says so.
func New(text string) (*Program, error) {
	q, err := gojq.Parse(helpers + text)
	if err != nil {
		return nil, plainParse(err, text)
	}
	code, err := gojq.Compile(q,
		gojq.WithEnvironLoader(func() []string { return nil }),
		gojq.WithVariables([]string{"$raw"}),
		gojq.WithFunction("prom_labels", 0, 1, func(in any, args []any) any { return jqLabels(first(args, in)) }),
		gojq.WithFunction("zoned", 3, 3, func(_ any, args []any) any { return jqZoned(args[0], args[1], args[2]) }),
		gojq.WithFunction("fingerprint", 0, 1, func(in any, args []any) any { return jqFingerprint(first(args, in)) }),
	)
	if err != nil {
		return nil, fmt.Errorf("not a jq program: %s", strings.TrimPrefix(err.Error(), "gojq: "))
	}
	return &Program{text: text, code: code}, nil
}

// plainParse says where a program is wrong, in terms of its own text.
func plainParse(err error, text string) error {
	var p *gojq.ParseError
	if errors.As(err, &p) {
		at := p.Offset - len(p.Token) - len(helpers)
		if at >= 0 && at <= len(text) {
			line := 1 + strings.Count(text[:at], "\n")
			if p.Token == "" {
				return fmt.Errorf("not a jq program: it ends too early, in line %d", line)
			}
			return fmt.Errorf("not a jq program: unexpected %q in line %d, before %.30q", p.Token, line, text[at:])
		}
	}
	return fmt.Errorf("not a jq program: %s", strings.TrimPrefix(err.Error(), "gojq: "))
}

func first(args []any, in any) any {
	if len(args) > 0 {
		return args[0]
	}
	return in
}

// Run gives what the program makes of an input. A null among it is left out.
func (p *Program) Run(ctx context.Context, input, raw any) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, programTime)
	defer cancel()
	iter := p.code.RunWithContext(ctx, input, raw)
	var out []any
	size := 0
	for {
		v, ok := iter.Next()
		if !ok {
			return out, nil
		}
		if err, bad := v.(error); bad {
			var halt *gojq.HaltError
			if errors.As(err, &halt) && halt.Value() == nil {
				return out, nil
			}
			if errors.Is(err, context.DeadlineExceeded) {
				return nil, fmt.Errorf("the program took longer than %s", programTime)
			}
			return nil, err
		}
		if v == nil {
			continue
		}
		b, err := gojq.Marshal(v)
		if err != nil {
			return nil, err
		}
		if size += len(b); size > programOutput {
			return nil, fmt.Errorf("the program makes more than %d bytes", programOutput)
		}
		out = append(out, v)
	}
}

// True says whether the program says true, or something other than false, of a vendor's object.
func (p *Program) True(ctx context.Context, raw json.RawMessage) (bool, error) {
	v, err := DecodeAny(raw)
	if err != nil {
		return false, err
	}
	out, err := p.Run(ctx, v, v)
	if err != nil || len(out) == 0 {
		return false, err
	}
	return out[0] != false, nil
}

// Change gives what the program makes of a record, with the vendor's object as $raw; nil where it leaves it out.
func (p *Program) Change(ctx context.Context, r *incident.Record, raw json.RawMessage) (*incident.Record, error) {
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	in, err := DecodeAny(b)
	if err != nil {
		return nil, err
	}
	vendor, err := DecodeAny(raw)
	if err != nil {
		return nil, err
	}
	out, err := p.Run(ctx, in, vendor)
	switch {
	case err != nil:
		return nil, err
	case len(out) == 0:
		return nil, nil
	case len(out) > 1:
		return nil, fmt.Errorf("the program makes %d records of one", len(out))
	}
	made, err := recordOf(out[0])
	return &made, err
}

// Records gives the records that the program makes of a vendor's object.
func (p *Program) Records(ctx context.Context, raw json.RawMessage) ([]incident.Record, error) {
	v, err := DecodeAny(raw)
	if err != nil {
		return nil, err
	}
	out, err := p.Run(ctx, v, v)
	if err != nil {
		return nil, err
	}
	var records []incident.Record
	for _, o := range out {
		r, err := recordOf(o)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// recordOf reads a record that a program made. Nulls and empty texts are as if left out; a key that a record does not have
// is a mistake in the program.
func recordOf(v any) (incident.Record, error) {
	b, err := gojq.Marshal(withoutEmpty(v))
	if err != nil {
		return incident.Record{}, err
	}
	if unread := incident.UnreadKeys(b); len(unread) > 0 {
		return incident.Record{}, unread
	}
	return incident.DecodeRecord(b)
}

// withoutEmpty leaves out nulls and empty texts.
func withoutEmpty(v any) any {
	switch x := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range x {
			if e = withoutEmpty(e); e != nil && e != "" {
				out[k] = e
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(x))
		for _, e := range x {
			if e = withoutEmpty(e); e != nil && e != "" {
				out = append(out, e)
			}
		}
		return out
	}
	return v
}

// DecodeAny decodes JSON as programs take it: numbers keep the digits they are written with.
func DecodeAny(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// jqLabels are the labels in the text of an alert, as a list of objects.
func jqLabels(v any) any {
	text, _ := v.(string)
	out := []any{}
	for _, l := range incident.TextLabels(text) {
		o := map[string]any{}
		for name, value := range l {
			o[name] = value
		}
		out = append(out, o)
	}
	return out
}

// jqFingerprint is the fingerprint of an object of labels; null where it is none.
func jqFingerprint(v any) any {
	o, ok := v.(map[string]any)
	if !ok || len(o) == 0 {
		return nil
	}
	labels := map[string]string{}
	for name, value := range o {
		s, ok := value.(string)
		if !ok {
			return nil
		}
		labels[name] = s
	}
	return incident.Fingerprint(labels)
}

// jqZoned is the time that a clock of a zone shows, as RFC 3339. at is broken down, as jq's strptime does. A time that the clock
// skips or shows twice is null: it may be wrong by an hour.
func jqZoned(at, zone, text any) any {
	name, _ := zone.(string)
	loc, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return fmt.Errorf("in_zone: %q is no time zone; write one such as Europe/Berlin", zone)
	}
	parts, _ := at.([]any)
	var n [6]int
	for i := range n {
		if i >= len(parts) {
			return fmt.Errorf("in_zone: %q is not a time", text)
		}
		switch v := parts[i].(type) {
		case int:
			n[i] = v
		case float64:
			n[i] = int(v)
		}
	}
	t := time.Date(n[0], time.Month(n[1]+1), n[2], n[3], n[4], n[5], 0, loc)
	twice := func(other time.Time) bool { return other.Hour() == t.Hour() && other.Minute() == t.Minute() }
	if twice(t.Add(-time.Hour)) || twice(t.Add(time.Hour)) || t.Hour() != n[3] || t.Minute() != n[4] {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}
