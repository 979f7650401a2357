package app

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// A line of an archive is a notification or a record at a time, or is refused with the reason.
func FuzzReadLine(f *testing.F) {
	for _, s := range []string{
		`{"at":"2026-01-02T03:04:05Z","body":{"alerts":[]}}`, `{"at":"2026-01-02T03:04:05Z","source":"ours","record":{"id":"1"}}`,
		`{"at":"soon","body":{}}`, `{"at":"2026-01-02T03:04:05Z"}`, `{"at":"2026-01-02T03:04:05Z","body":null,"record":{}}`, `[]`, `{`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := readLine(raw)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		require.False(t, l.at.IsZero() && l.at.Year() != 1)
		require.NotEqual(t, l.body == nil, l.record == nil, "one of them")
		require.True(t, l.record == nil || l.source != "")
		require.True(t, json.Valid(append(l.body[:len(l.body):len(l.body)], l.record...)))
	})
}
