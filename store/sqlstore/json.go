package sqlstore

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The bodies of rows are JSON objects with short names and without whitespace. They are written and read by hand, because a
// start reads those of all incidents and episodes: of a sighting with 11 labels, go-json-experiment/json takes 2.3 times the
// processor time to read and 4.5 times to write, encoding/json more. What is read is any valid JSON, so a body may gain fields
// that an older program skips.

// object writes one JSON object. Fields with a zero value are left out.
type object struct{ b []byte }

func (o *object) open()  { o.b = append(o.b, '{') }
func (o *object) close() { o.b = append(o.b, '}') }

func (o *object) key(k string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(o.b, '"')
	o.b = append(o.b, k...)
	o.b = append(o.b, '"', ':')
}

func (o *object) str(k, v string) {
	if v != "" {
		o.key(k)
		o.b = appendString(o.b, v)
	}
}

func (o *object) time(k string, t time.Time) {
	if !t.IsZero() {
		o.key(k)
		o.b = appendTime(o.b, t)
	}
}

func (o *object) flag(k string, v bool) {
	if v {
		o.key(k)
		o.b = append(o.b, "true"...)
	}
}

// strs writes a list; a nil one is left out, so that it is read as nil again.
func (o *object) strs(k string, v []string) {
	if v == nil {
		return
	}
	o.key(k)
	o.b = append(o.b, '[')
	for i, s := range v {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, s)
	}
	o.b = append(o.b, ']')
}

// strMap writes a map in the order of its keys; a nil one is left out.
func (o *object) strMap(k string, m map[string]string) {
	if m == nil {
		return
	}
	o.key(k)
	o.open()
	var room [16]string
	keys := room[:0]
	for name := range m {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	for i, name := range keys {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = appendString(o.b, name)
		o.b = append(o.b, ':')
		o.b = appendString(o.b, m[name])
	}
	o.close()
}

const hexDigits = "0123456789abcdef"

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			if !utf8.ValidString(s[i:]) {
				return append(appendEscaped(append(b, s[from:i]...), strings.ToValidUTF8(s[i:], "\ufffd")), '"')
			}
			return append(appendEscaped(append(b, s[from:i]...), s[i:]), '"')
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(append(b, s[from:i]...), '\\')
			b = appendEscape(b, c)
			from = i + 1
		}
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			b = appendEscape(append(b, '\\'), c)
		} else {
			b = append(b, c)
		}
	}
	return b
}

// appendEscape writes what follows the backslash.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, c)
	case '\n':
		return append(b, 'n')
	}
	return append(b, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// appendTime writes unix nanoseconds, 0 for an unknown time, or the RFC 3339 form of a time that those cannot hold.
func appendTime(b []byte, t time.Time) []byte {
	if n, ok := unixNanos(t); ok {
		return strconv.AppendInt(b, n, 10)
	}
	b = t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano)
	return append(b, '"')
}

// firstTime and lastTime bound what a column of unix nanoseconds can hold.
var (
	firstTime = time.Unix(0, math.MinInt64).UTC()
	lastTime  = time.Unix(0, math.MaxInt64).UTC()
)

// unixNanos is a time as a column holds it, 0 for an unknown one. It is not ok for a time that this cannot tell: out of
// range, or the very moment of the epoch.
func unixNanos(t time.Time) (int64, bool) {
	if t.IsZero() {
		return 0, true
	}
	if t.Before(firstTime) || t.After(lastTime) {
		return 0, false
	}
	n := t.UnixNano()
	return n, n != 0
}

// nanos is a time for a column that is only searched by, 0 for an unknown one; what is out of range is moved to its end.
func nanos(t time.Time) int64 {
	n, ok := unixNanos(t)
	switch {
	case ok:
		return n
	case t.Before(firstTime):
		return math.MinInt64
	case t.After(lastTime):
		return math.MaxInt64
	}
	return 1
}

// fromNanos is the time of a column.
func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// reader reads JSON from a string. The strings it gives are parts of that string unless words is set, where they are
// copies. After the first mistake it reads nothing more and err says what it was.
type reader struct {
	s     string
	i     int
	comma bool // the next member must be preceded by a comma
	words *words
	err   error
}

// words remembers strings read lately, so that one that comes again and again is copied only once. It is a table in which
// a string has one place, since that takes a tenth of what a map would.
type words [1024]string

const longWord = 1024 // nothing longer is remembered

func (w *words) copy(s string) string {
	if s == "" || len(s) > longWord {
		return strings.Clone(s)
	}
	n := len(s)
	h := uint32(n) ^ uint32(s[0])<<3 ^ uint32(s[n/2])<<5 ^ uint32(s[n-1])<<7 ^ uint32(s[n/4])<<9 ^ uint32(s[n*3/4])<<11
	place := &w[(h^h>>10)%uint32(len(w))]
	if *place != s {
		*place = strings.Clone(s)
	}
	return *place
}

func (r *reader) fail(want string) {
	if r.err == nil {
		r.err = fmt.Errorf("body: byte %d: no %s", r.i, want)
	}
	r.i = len(r.s)
}

// peek is the next byte that is not whitespace, 0 at the end.
func (r *reader) peek() byte {
	for ; r.i < len(r.s); r.i++ {
		switch c := r.s[r.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// open enters a list or an object, by its bracket. It is false for null.
func (r *reader) open(bracket byte) bool {
	switch r.peek() {
	case bracket:
		r.i++
		r.comma = false
		return true
	case 'n':
		r.literal("null")
	default:
		r.fail(string(bracket))
	}
	return false
}

// more says whether another member follows, and leaves the list or object where none does.
func (r *reader) more(bracket byte) bool {
	c := r.peek()
	if c == bracket {
		r.i++
		r.comma = true
		return false
	}
	if r.comma {
		if c != ',' {
			r.fail(string(bracket))
			return false
		}
		r.i++
	}
	if r.err != nil || r.peek() == 0 {
		r.fail(string(bracket))
		return false
	}
	r.comma = true
	return true
}

// key is the name of the next member of an object.
func (r *reader) key() string {
	k := r.text()
	if r.peek() != ':' {
		r.fail(":")
		return ""
	}
	r.i++
	return k
}

// name is a key that is kept.
func (r *reader) name() string {
	k := r.str()
	if r.peek() != ':' {
		r.fail(":")
		return ""
	}
	r.i++
	return k
}

func (r *reader) literal(word string) bool {
	if strings.HasPrefix(r.s[r.i:], word) {
		r.i += len(word)
		return true
	}
	r.fail(word)
	return false
}

// text is a string, a part of what is read wherever it needs no unescaping.
func (r *reader) text() string {
	if r.peek() != '"' {
		r.fail("string")
		return ""
	}
	rest := r.s[r.i+1:]
	n := 0
	for n < len(rest) && rest[n] != '"' && rest[n] != '\\' {
		if n++; n == 24 { // longer ones by the means for long ones
			n = longText(rest)
			break
		}
	}
	if n == len(rest) {
		r.fail("end of string")
		return ""
	}
	if rest[n] == '"' {
		r.i += n + 2
		return rest[:n]
	}
	for n = 0; n < len(rest) && rest[n] != '"'; n++ {
		if rest[n] == '\\' {
			n++
		}
	}
	if n >= len(rest) {
		r.fail("end of string")
		return ""
	}
	var s string
	if err := json.Unmarshal([]byte(r.s[r.i:r.i+n+2]), &s); err != nil {
		r.fail("string: " + err.Error())
		return ""
	}
	r.i += n + 2
	return s
}

// longText is where the first quote or backslash of s is, len(s) where there is none.
func longText(s string) int {
	n := strings.IndexByte(s, '"')
	if n < 0 {
		n = len(s)
	}
	if i := strings.IndexByte(s[:n], '\\'); i >= 0 {
		return i
	}
	return n
}

func (r *reader) str() string {
	s := r.text()
	if r.words == nil {
		return s
	}
	return r.words.copy(s)
}

func (r *reader) number() string {
	r.peek()
	from := r.i
	for r.i < len(r.s) && (r.s[r.i] >= '0' && r.s[r.i] <= '9' || strings.IndexByte("+-.eE", r.s[r.i]) >= 0) {
		r.i++
	}
	return r.s[from:r.i]
}

// int is a whole number.
func (r *reader) int() int64 {
	r.peek()
	// The plain case, a time, by hand: 19 digits overflow no uint64.
	plain, i := uint64(0), r.i
	for ; i < len(r.s) && i < r.i+19 && r.s[i] >= '0' && r.s[i] <= '9'; i++ {
		plain = plain*10 + uint64(r.s[i]-'0')
	}
	if i > r.i && i < len(r.s) && (r.s[i] == ',' || r.s[i] == '}' || r.s[i] == ']') && plain <= math.MaxInt64 {
		r.i = i
		return int64(plain)
	}
	n, err := strconv.ParseInt(r.number(), 10, 64)
	if err != nil {
		r.fail("whole number")
	}
	return n
}

func (r *reader) float() float64 {
	f, err := strconv.ParseFloat(r.number(), 64)
	if err != nil {
		r.fail("number")
	}
	return f
}

func (r *reader) flag() bool {
	if r.peek() == 't' {
		return r.literal("true")
	}
	r.literal("false")
	return false
}

func (r *reader) time() time.Time {
	if r.peek() != '"' {
		return fromNanos(r.int())
	}
	t, err := time.Parse(time.RFC3339Nano, r.text())
	if err != nil {
		r.fail("time")
	}
	return t.UTC()
}

func (r *reader) strs() []string {
	if !r.open('[') {
		return nil
	}
	l := []string{}
	for r.more(']') {
		l = append(l, r.str())
	}
	return l
}

func (r *reader) strMap() map[string]string {
	if !r.open('{') {
		return nil
	}
	m := make(map[string]string)
	for r.more('}') {
		k := r.name()
		m[k] = r.str()
	}
	return m
}

// skip passes over a value of any kind.
func (r *reader) skip() {
	depth := 0
	for {
		switch r.peek() {
		case '{', '[':
			depth++
			r.i++
		case '}', ']':
			depth--
			r.i++
		case '"':
			r.text()
		case ',', ':':
			r.i++
		case 't':
			r.literal("true")
		case 'f':
			r.literal("false")
		case 'n':
			r.literal("null")
		case 0:
			r.fail("value")
		default:
			if r.number() == "" {
				r.fail("value")
			}
		}
		if depth <= 0 || r.err != nil {
			r.comma = true
			return
		}
	}
}

// end is the error of the whole reading; something left over is one.
func (r *reader) end() error {
	if r.err == nil && r.peek() != 0 {
		r.fail("end")
	}
	return r.err
}
