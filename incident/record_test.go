package incident

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeRecord(t *testing.T) {
	r, err := DecodeRecord([]byte(`{"id":"42","title":"Sign-in fails","services":["sign-in"],"severity":"critical","from_the_future":1,
		"milestones":{"started":{"at":"2024-07-18T10:57:00+02:00","precision":"approximate","evidence":"deploy"},"detected":"2024-07-18T09:28:00Z","mitigated":null},
		"impacts":[{"from":"2024-07-18T08:57:00Z"}]}`))
	require.NoError(t, err)
	require.Equal(t, KindIncident, r.Kind)
	require.Equal(t, OriginRecord, r.Origin)
	require.Equal(t, ByUnknown, r.DetectedBy)
	require.Len(t, r.Milestones, 2)
	require.Equal(t, "2024-07-18T08:57:00Z", r.Milestones[Started].At.Format("2006-01-02T15:04:05Z07:00"))
	require.Equal(t, PrecisionApproximate, r.Milestones[Started].Precision)
	require.Equal(t, PrecisionMinute, r.Milestones[Detected].Precision)
	require.True(t, r.Impacts[0].To.IsZero())

	b, err := json.Marshal(r)
	require.NoError(t, err)
	again, err := DecodeRecord(b)
	require.NoError(t, err)
	require.True(t, Same(&r, &again), "a record survives its own JSON")
}

func TestDecodeRecordSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		`{`:                         `not JSON: unexpected end of JSON input, at byte 1`,
		`[]`:                        `a JSON array where an object belongs`,
		`{"title":"x"}`:             `id: missing; it must name the incident within its source, such as "2024-07-18-sign-in"`,
		`{"id":7}`:                  `id: a JSON number where a string belongs`,
		`{"id":"a","services":"x"}`: `services: a JSON string where a list belongs`,
		`{"id":"a","milestones":{"started":"2024-07-18T08:57:00"}}`:                          `milestones.started: time without a zone: "2024-07-18T08:57:00"; write 2024-07-18T08:57:00Z for UTC, or with an offset such as +02:00`,
		`{"id":"a","milestones":{"resolved":"soon"}}`:                                        `milestones.resolved: not a time: "soon"; write it like 2006-01-02T15:04:05Z`,
		`{"id":"a","milestones":{"resolved":12}}`:                                            `milestones.resolved: not a time: 12; write it like 2006-01-02T15:04:05Z`,
		`{"id":"a","milestones":{"fixed":"2024-07-18T08:57:00Z"}}`:                           `milestones.fixed: unknown milestone; the milestones are started, detected, acknowledged, identified, mitigated, resolved`,
		`{"id":"a","milestones":{"started":{"evidence":"x"}}}`:                               `milestones.started: no time; leave the milestone out where it is not known`,
		`{"id":"a","impacts":[{"from":"2024-07-18T09:00:00Z","to":"2024-07-18T08:00:00Z"}]}`: `impacts[0].to: 2024-07-18T08:00:00Z is before from 2024-07-18T09:00:00Z`,
		`{"id":"a","impacts":[{"to":"2024-07-18T08:00:00Z"}]}`:                               `impacts[0].from: missing`,
		`null`:                          `a JSON null where an object belongs`,
		`{"id":"a","title":"a\u0000b"}`: `title: has a NUL character`,
		`{"id":"a","updated_at":"9999-01-01T00:00:00Z"}`:         `updated_at: year 9999 is out of range`,
		`{"id":"a","impacts":[{"from":"1700-01-01T00:00:00Z"}]}`: `impacts[0].from: year 1700 is out of range`,
		`{"id":"a","kind":"party"}`:                              `kind: unknown value "party"; it is one of incident, drill, maintenance`,
		`{"id":"a","url":"javascript:alert(1)"}`:                 `url: not an http or https address: "javascript:alert(1)"`,
		`{"id":"a","kind":"x","state":"y"}`:                      `kind: unknown value "x"; it is one of incident, drill, maintenance; state: unknown value "y"; it is one of open, resolved, cancelled`,
	} {
		_, err := DecodeRecord([]byte(in))
		require.EqualError(t, err, want, in)
		require.Equal(t, CodeInvalid, CodeOf(err))
	}
}

func TestRecordWithMilestonesOutOfOrderIsAccepted(t *testing.T) {
	_, err := DecodeRecord([]byte(`{"id":"a","milestones":{"resolved":"2024-07-18T08:00:00Z","started":"2024-07-18T09:00:00Z"}}`))
	require.NoError(t, err, "that it contradicts itself is measured, not refused")
}

func TestNewerIsTheSameInAnyOrder(t *testing.T) {
	a, b := Record{ID: "1", Title: "a", UpdatedAt: at(1)}, Record{ID: "1", Title: "b", UpdatedAt: at(1)}
	require.NotEqual(t, Newer(&a, &b), Newer(&b, &a))
	b.UpdatedAt = at(0)
	require.True(t, Newer(&a, &b))
	require.False(t, Newer(&a, &a))
}

func TestLongValuesAreCutInErrors(t *testing.T) {
	_, err := DecodeRecord([]byte(`{"id":"a","state":"` + strings.Repeat("ü", 4000) + `"}`))
	require.Less(t, len(err.Error()), 300)
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"id":"a","milestones":{"started":"2024-07-18T08:57:00Z"},"impacts":[{"from":"2024-07-18T08:57:00Z"}]}`))
	f.Add([]byte(`{"id":"a","milestones":null,"impacts":[null],"services":[""]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRecord(b)
		if err != nil {
			return
		}
		out, err := json.Marshal(r)
		require.NoError(t, err)
		again, err := DecodeRecord(out)
		require.NoError(t, err, "what was accepted is accepted again: %s", out)
		require.True(t, Same(&r, &again))
	})
}

func TestDecodeRecordAs(t *testing.T) {
	k := RecordKey{"ours", "42"}
	for _, in := range []string{`{}`, `{"id":"42"}`, `{"source":"ours","id":"42"}`} {
		r, err := DecodeRecordAs(k, []byte(in))
		require.NoError(t, err, in)
		require.Equal(t, k, r.Key())
	}
	_, err := DecodeRecordAs(k, []byte(`{"source":"theirs","id":"43"}`))
	require.EqualError(t, err, `source: "theirs" here, "ours" where it was sent to; leave it out or make them agree; id: "43" here, "42" where it was sent to; leave it out or make them agree`)
}
