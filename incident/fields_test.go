package incident

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var someTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fullSighting says something in every field.
func fullSighting(t *testing.T) Sighting {
	s := Sighting{
		Fingerprint: "00000000000000ff", StartsAt: someTime, VanishedFor: "Paused", Word: Word{someTime.Add(time.Minute), "am", WordFirst},
		Mutes: []Mute{{"silence", someTime.Add(time.Minute)}}, ConditionFrom: ConditionMeasured, Labels: map[string]string{"a": "b"},
		Annotations: map[string]string{"c": "d"}, GeneratorURL: "http://prom", GroupKeys: []string{"{}"}, Alertmanagers: []string{"http://am"},
	}
	v := reflect.ValueOf(&s).Elem()
	for i := range v.NumField() {
		if at, ok := v.Field(i).Addr().Interface().(*time.Time); ok && at.IsZero() {
			*at = someTime.Add(time.Duration(i) * time.Minute)
		}
		require.False(t, v.Field(i).IsZero(), "%s has no value here", v.Type().Field(i).Name)
	}
	return s
}

// otherwise is a value that differs from another.
func otherwise(v reflect.Value) reflect.Value {
	switch x := v.Interface().(type) {
	case time.Time:
		return reflect.ValueOf(x.Add(time.Hour))
	case Word:
		x.By += "x"
		return reflect.ValueOf(x)
	case []Mute:
		return reflect.ValueOf([]Mute{{x[0].By + "x", x[0].At}})
	case map[string]string:
		return reflect.ValueOf(map[string]string{"x": "y"})
	case []string:
		return reflect.ValueOf([]string{x[0] + "x"})
	}
	return reflect.ValueOf(v.String() + "x").Convert(v.Type())
}

func TestEqualLooksAtEveryField(t *testing.T) {
	s := fullSighting(t)
	require.True(t, Equal(s, fullSighting(t)))
	for i := range reflect.TypeFor[Sighting]().NumField() {
		other := fullSighting(t)
		field := reflect.ValueOf(&other).Elem().Field(i)
		field.Set(otherwise(field))
		require.False(t, Equal(s, other), reflect.TypeFor[Sighting]().Field(i).Name)
	}
	for what, change := range map[string]func(*Sighting){
		"when it was muted": func(s *Sighting) { s.Mutes = []Mute{{s.Mutes[0].By, someTime}} },
		"when the word was": func(s *Sighting) { s.Word.At = someTime },
		"what the word was": func(s *Sighting) { s.Word.Kind = WordRepeat },
	} {
		other := fullSighting(t)
		change(&other)
		require.False(t, Equal(s, other), what)
	}
}

func TestMergeKeepsEveryField(t *testing.T) {
	s := fullSighting(t)
	bare := Sighting{Fingerprint: s.Fingerprint, StartsAt: s.StartsAt}
	require.True(t, Equal(s, Merge(s, bare)))
	require.True(t, Equal(s, Merge(bare, s)))
	for field, latest := range map[string]bool{
		"EndsAt": true, "VanishedAt": true, "HistoryEndsAt": true, "LapsesAt": true, "FiringLast": true, "ActiveAt": true, "GoneAt": true,
		"FiringFirst": false, "ResolvedFirst": false, "EndToldAt": false,
	} {
		later := fullSighting(t)
		at := reflect.ValueOf(&later).Elem().FieldByName(field)
		at.Set(otherwise(at))
		want := s
		if latest {
			want = later
		}
		for _, m := range []Sighting{Merge(s, later), Merge(later, s)} {
			require.Equal(t, reflect.ValueOf(want).FieldByName(field).Interface(), reflect.ValueOf(m).FieldByName(field).Interface(), field)
		}
	}
}

func TestEndsThatAreKnown(t *testing.T) {
	for _, k := range EndKinds {
		require.Equal(t, strings.Contains("resolved gone history", string(k)), k.Known(), k)
	}
}

func TestLongReviews(t *testing.T) {
	for _, c := range []struct {
		name string
		most int
		set  func(*Review, string)
	}{
		{"id", maxID, func(r *Review, s string) { r.ID = s }}, {"by", maxID, func(r *Review, s string) { r.By = s }},
		{"reason", maxText, func(r *Review, s string) { r.Reason = s }}, {"incident", maxID, func(r *Review, s string) { r.Incident = s }},
		{"other", maxID, func(r *Review, s string) { r.Other = s }},
	} {
		r := Review{ID: "1", At: someTime, By: "ada", Action: ReviewMerge, Incident: "r1", Other: "r2"}
		c.set(&r, strings.Repeat("x", c.most))
		require.NoError(t, r.Validate(), c.name)
		c.set(&r, strings.Repeat("x", c.most+1))
		require.ErrorContains(t, r.Validate(), "too long", c.name)
	}
}
