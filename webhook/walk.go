package webhook

import (
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"
)

// Walking through JSON without encoding/json's reflection: a large notification is mostly labels, and making maps of
// them by reflection costs several times what all the rest does. Everything here is given JSON that json.Valid has found
// good, and so needs no error of its own.

// skip is the index after the value that begins at i.
func skip(b []byte, i int) int {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = closing(b, i)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ' ', '\t', '\n', '\r', ',', ':':
			continue
		default: // a number, true, false or null: up to what ends it
			for i+1 < len(b) && strings.IndexByte(" \t\n\r,:]}", b[i+1]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return i
}

// closing is the index of the quote that closes the string that opens at i.
func closing(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i
}

// space is the index of the next byte from i on that is neither space nor a comma or colon.
func space(b []byte, i int) int {
	for i < len(b) && strings.IndexByte(" \t\n\r,:", b[i]) >= 0 {
		i++
	}
	return i
}

// elements are the values in an array.
func elements(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := space(b, 1); b[i] != ']'; i = space(b, i) {
			end := skip(b, i)
			if !yield(b[i:end]) {
				return
			}
			i = end
		}
	}
}

// fields are the keys, as strings in JSON, and values of an object.
func fields(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for i := space(b, 1); b[i] != '}'; i = space(b, i) {
			key := closing(b, i) + 1
			from := space(b, key)
			end := skip(b, from)
			if !yield(b[i:key], b[from:end]) {
				return
			}
			i = end
		}
	}
}

// texts gives strings, each the same one for the same text: the labels of a notification's alerts repeat. It remembers
// the first maxTexts.
type texts map[string]string

const maxTexts = 4096

// of is the text of a JSON string; false where b is another value.
func (t texts) of(b []byte) (string, bool) {
	if b[0] != '"' {
		return "", false
	}
	inner := b[1 : len(b)-1]
	if s, ok := t[string(inner)]; ok {
		return s, true
	}
	s := unquote(b)
	if len(t) < maxTexts {
		t[string(inner)] = s
	}
	return s, true
}

// unquote is the text of a JSON string.
func unquote(b []byte) string {
	if inner := b[1 : len(b)-1]; plain(inner) {
		return string(inner)
	}
	var s string
	_ = json.Unmarshal(b, &s) // a valid string always decodes
	return s
}

// plain says whether what stands between the quotes is the text itself: no escapes, and nothing to be replaced.
func plain(b []byte) bool {
	for _, c := range b {
		if c == '\\' {
			return false
		}
	}
	return utf8.Valid(b)
}

// set is an object of strings. Where it is none, it says at which key, "" where it is no object, and of which kind the
// wrong value is. null is an empty one.
func (t texts) set(b []byte) (set map[string]string, key, kind string) {
	switch b[0] {
	case 'n':
		return nil, "", ""
	case '{':
	default:
		return nil, "", kindOf(b)
	}
	n := 0
	for range fields(b) {
		n++
	}
	set = make(map[string]string, n)
	for k, v := range fields(b) {
		name, _ := t.of(k)
		value, ok := t.of(v)
		if !ok {
			return nil, name, kindOf(v)
		}
		set[name] = value
	}
	return set, "", ""
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
