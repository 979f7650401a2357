package sqlstore

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"meantime/incident"
)

// fill gives every field of a value, however deep, a value of its own, so that a field that is not stored is missed.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1.7e9+int64(*n), int64(*n)).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i), n)
			}
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString("text \"" + string(rune('a'+*n%26)) + strings.Repeat("x", *n%7) + "é\n")
	case reflect.Float64:
		v.SetFloat(float64(*n) / 7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(int64(*n))
	default:
		panic("no value for " + v.Type().String())
	}
}

func TestSightingBodyKeepsEveryField(t *testing.T) {
	var want incident.Sighting
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	at, ok := unixNanos(want.StartsAt)
	require.True(t, ok)
	body := string(appendSighting(nil, &want))
	require.True(t, json.Valid([]byte(body)), body)
	got, err := readSighting(want.Fingerprint, at, body, nil)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestIncidentBodiesKeepEveryField(t *testing.T) {
	var want incident.Incident
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	head := string(appendHead(nil, &want))
	require.True(t, json.Valid([]byte(head)), head)
	rest, err := appendRest(&want)
	require.NoError(t, err)
	for _, words := range []*words{nil, {}} {
		got, err := readHead(want.ID, head, words)
		require.NoError(t, err)
		require.NoError(t, readRest(&got, string(rest)))
		require.Equal(t, want, got)
	}
}

func TestBodiesSkipWhatTheyDoNotKnow(t *testing.T) {
	s, err := readSighting("a", 5, ` { "later" : {"a":[1,-2.5e3,"x\"",null,{}],"b":[]} , "end":7,"x":true,"groups":null,"labels":{"a":"b"}} `, nil)
	require.NoError(t, err)
	require.Equal(t, incident.Sighting{Fingerprint: "a", StartsAt: time.Unix(0, 5).UTC(), EndsAt: time.Unix(0, 7).UTC(), Labels: map[string]string{"a": "b"}}, s)
}

func TestDamagedBodies(t *testing.T) {
	for _, body := range []string{"", "{", "[]", `{"end"}`, `{"end":}`, `{"end":"soon"}`, `{"end":1 "x":2}`, `{"labels":{"a":1}}`, `{"x":}`, `{"x":tru}`, `{"end":1}}`, `{"labels":["a"]}`, `{"url":"\x"}`, `{"url":"`, `{"url":"\`} {
		_, err := readSighting("a", 5, body, nil)
		require.Error(t, err, body)
	}
}

func TestVerdictBody(t *testing.T) {
	at := time.Unix(1.7e9, 5).UTC()
	v := incident.Verdict{
		Episode: incident.Episode{
			Fingerprint: "a", StartsAt: at, EndsAt: at.Add(time.Hour), End: incident.EndGone, Labels: map[string]string{"alertname": "X", "b": "c"},
			Starts: []time.Time{at, at.Add(40 * time.Second), at.Add(time.Second)},
		},
		Service: "checkout", Severity: "critical", Outcome: incident.OutcomeSuggested, Incident: "r1",
	}
	row, err := newVerdictRow(&v)
	require.NoError(t, err)
	require.True(t, json.Valid([]byte(row.body)), row.body)
	got, last, err := readVerdict(&reader{s: row.body}, map[string]map[string]string{})
	require.NoError(t, err)
	require.Equal(t, at.Add(40*time.Second), last)
	v.Episode.Starts, v.Episode.Labels = nil, map[string]string{"alertname": "X"}
	require.Equal(t, v, got)
}

func TestNanos(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 1, time.UTC) }
	for _, at := range []time.Time{{}, year(1700), year(2026), year(2261)} {
		n, ok := unixNanos(at)
		require.True(t, ok)
		require.Equal(t, at, fromNanos(n))
	}
	for _, at := range []time.Time{year(1600), year(2300), year(9999), time.Unix(0, 0)} {
		_, ok := unixNanos(at)
		require.False(t, ok)
		require.NotZero(t, nanos(at))
	}
	require.Less(t, nanos(year(1600)), nanos(year(1700)))
	require.Greater(t, nanos(year(9999)), nanos(year(2261)))
}

// FuzzText compares the writing and reading of text with encoding/json's.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "plain", "é\x00\"\\\n", "\xff\xfe", "a\x80b", "\u2028😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := appendString(nil, s)
		var want string
		require.NoError(t, json.Unmarshal(b, &want))
		r := reader{s: string(b)}
		got := r.text()
		require.NoError(t, r.end())
		require.Equal(t, want, got)
		if utf8.ValidString(s) {
			require.Equal(t, s, got)
		}
	})
}

// FuzzBodies reads anything: no reader panics or runs on, and what is valid JSON can at least be passed over.
func FuzzBodies(f *testing.F) {
	n := 0
	var s incident.Sighting
	fill(reflect.ValueOf(&s).Elem(), &n)
	var i incident.Incident
	fill(reflect.ValueOf(&i).Elem(), &n)
	for _, b := range []string{string(appendSighting(nil, &s)), string(appendHead(nil, &i)), `[["sighting","a",1,2],["beat","w",0,0]]`, `["a",1,2,"gone",3,"X","s","c","none",""]`, `{"a":[{}]}`, `[`, `{"a":`} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = readSighting("a", 1, body, nil)
		_, _ = readHead("a", body, nil)
		_, _ = readHead("a", body, new(words))
		_, _ = readChanges(100, body)
		_, _, _ = readVerdict(&reader{s: body}, map[string]map[string]string{})
		if json.Valid([]byte(body)) {
			r := reader{s: body}
			r.skip()
			require.NoError(t, r.end())
		}
	})
}
