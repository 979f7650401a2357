package incident

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecodeReview(t *testing.T) {
	r, err := DecodeReview([]byte(`{"by":"ada","reason":"seen","action":"confirm","incident":"r1","episode":{"fingerprint":"aa","starts_at":"2026-03-01T12:00:00+02:00"},"later":1}`))
	require.NoError(t, err)
	require.Equal(t, &EpisodeKey{"aa", at(0)}, r.Episode)
	require.True(t, r.At.IsZero())
}

func TestDecodeReviewSaysWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		`{`:                    `not JSON: unexpected end of JSON input, at byte 1`,
		`null`:                 `a JSON null where an object belongs`,
		`"x"`:                  `a JSON string where an object belongs`,
		`{"by":["ada"]}`:       `by: a JSON array where a string belongs`,
		`{"action":"burn"}`:    `action: unknown value "burn"; it is one of confirm, reject, set_milestone, clear_milestone, merge, split, mark, withdraw`,
		`{"action":"confirm"}`: `by: missing; say who decides; incident: missing; the id of the incident; episode: missing; its fingerprint and starts_at`,
		`{"by":"a","action":"set_milestone","incident":"r1","milestone":"fixed","time":"2026-03-01T12:00:00Z"}`:   `milestone: unknown milestone; the milestones are started, detected, acknowledged, identified, mitigated, resolved`,
		`{"by":"a","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-03-01T12:00:00"}`:  `time: time without a zone: "2026-03-01T12:00:00"; write 2026-03-01T12:00:00Z for UTC, or with an offset such as +02:00`,
		`{"by":"a","action":"set_milestone","incident":"r1","milestone":"started","time":"9026-03-01T12:00:00Z"}`: `time: year 9026 is out of range`,
		`{"by":"a","action":"confirm","incident":"r1","episode":{"fingerprint":"aa","starts_at":"now"}}`:          `episode.starts_at: not a time: "now"; write it like 2006-01-02T15:04:05Z`,
		`{"by":"a","action":"merge","incident":"r1","other":"r1"}`:                                                `other: missing; the id of the other incident`,
		`{"by":"a\u0000","action":"withdraw","other":"x"}`:                                                        `by: not UTF-8, or with a NUL character`,
	} {
		_, err := DecodeReview([]byte(in))
		require.EqualError(t, err, want, in)
		require.Equal(t, CodeInvalid, CodeOf(err))
	}
}

func FuzzDecodeReview(f *testing.F) {
	f.Add([]byte(`{"by":"a","action":"set_milestone","incident":"r1","milestone":"started","time":"2026-03-01T12:00:00Z"}`))
	f.Add([]byte(`{"by":"a","action":"reject","incident":"r1","episode":{"fingerprint":"aa","starts_at":null}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeReview(b)
		if err != nil {
			return
		}
		out, err := json.Marshal(r)
		require.NoError(t, err)
		again, err := DecodeReview(out)
		require.NoError(t, err, "what was accepted is accepted again: %s", out)
		require.Equal(t, r, again)
	})
}
