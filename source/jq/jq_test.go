package jq

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrograms(t *testing.T) {
	for _, c := range []struct{ name, program, in, want string }{
		{"large numbers keep their digits", `.id`, `{"id":12345678901234567890}`, `[12345678901234567890]`},
		{"null is left out", `.a, null`, `{"a":1}`, `[1]`},
		{"seconds", `epoch(.t)`, `{"t":1796006400}`, `["2026-11-30T02:40:00Z"]`},
		{"milliseconds", `.t | epoch_ms`, `{"t":1796006400123}`, `["2026-11-30T02:40:00Z"]`},
		{"a length after a time", `duration_after(.t; .s)`, `{"t":"2026-11-30T02:40:00.5Z","s":90}`, `["2026-11-30T02:41:30Z"]`},
		{"no length", `duration_after(.t; .s)`, `{"t":"2026-11-30T02:40:00Z"}`, `[]`},
		{"labels of a text", `.t | prom_labels[0].alertname`, `{"t":"Labels:\n - alertname = Up\n - a = b = c\nAnnotations:\n"}`, `["Up"]`},
		{"fingerprint", `fingerprint({alertname: "Down", instance: "db-1"})`, `{}`, `["9706f6e226c4ade9"]`},
		{"a time with its evidence", `said(.t; "field t")`, `{"t":"2026-11-30T02:40:00Z"}`,
			`[{"at":"2026-11-30T02:40:00Z","evidence":"field t"}]`},
		{"no time has none", `said(.t; "field t"), said(""; "x")`, `{}`, `[]`},
		{"a clock's time", `.t | in_zone("%d.%m.%Y %H:%M"; "Europe/Berlin")`, `{"t":"02.07.2026 10:30"}`, `["2026-07-02T08:30:00Z"]`},
		{"a clock's time in winter", `.t | in_zone("%d/%b/%y %I:%M %p"; "Europe/Berlin")`, `{"t":"02/Feb/26 10:30 PM"}`,
			`["2026-02-02T21:30:00Z"]`},
		{"no clock's time", `.t | in_zone("%Y"; "UTC")`, `{"t":""}`, `[]`},
		{"a time that clocks show twice", `.t | in_zone("%Y-%m-%d %H:%M"; "Europe/Berlin")`, `{"t":"2026-10-25 02:30"}`, `[]`},
		{"the hour before it", `.t | in_zone("%Y-%m-%d %H:%M"; "Europe/Berlin")`, `{"t":"2026-10-25 01:30"}`, `["2026-10-24T23:30:00Z"]`},
		{"the hour after it", `.t | in_zone("%Y-%m-%d %H:%M"; "Europe/Berlin")`, `{"t":"2026-10-25 03:30"}`, `["2026-10-25T02:30:00Z"]`},
		{"a time that clocks skip", `.t | in_zone("%Y-%m-%d %H:%M"; "Europe/Berlin")`, `{"t":"2026-03-29 02:30"}`, `[]`},
		{"no environment", `env | length`, `{}`, `[0]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := New(c.program)
			require.NoError(t, err)
			v, err := DecodeAny(json.RawMessage(c.in))
			require.NoError(t, err)
			out, err := p.Run(t.Context(), v, v)
			require.NoError(t, err)
			if out == nil {
				out = []any{}
			}
			b, err := json.Marshal(out)
			require.NoError(t, err)
			require.Equal(t, c.want, string(b))
		})
	}
}

func TestProgramsThatAreWrong(t *testing.T) {
	for _, c := range []struct{ program, want string }{
		{`.a |`, `not a jq program: it ends too early, in line 1`},
		{"{id,\n title: .a b}", `not a jq program: unexpected "b" in line 2, before "b}"`},
		{`nofunc(.a)`, `not a jq program: function not defined: nofunc/1`},
		{`import "x" as x; .`, `not a jq program: `},
	} {
		_, err := New(c.program)
		require.ErrorContains(t, err, c.want)
	}
	for _, c := range []struct{ program, want string }{
		{`def f: f; f`, "took longer than 1s"},
		{`"x" * 2000000`, "makes more than 1048576 bytes"},
		{`"2026" | in_zone("%Y"; "Berlin")`, `"Berlin" is no time zone; write one such as Europe/Berlin`},
		{`"soon" | in_zone("%Y"; "UTC")`, `"soon"`},
		{`.a.b`, "expected an object but got: number"},
	} {
		p, err := New(c.program)
		require.NoError(t, err)
		v := map[string]any{"a": 1}
		_, err = p.Run(t.Context(), v, v)
		require.ErrorContains(t, err, c.want)
	}
}

// What a program makes is a record, or it is said what is not.
func TestRecordsOfPrograms(t *testing.T) {
	make := func(program, in string) error {
		p, err := New(program)
		require.NoError(t, err)
		_, err = p.Records(t.Context(), json.RawMessage(in))
		return err
	}
	require.NoError(t, make(`{id, title: null, url: "", milestones: {resolved: null}}`, `{"id":"1"}`))
	require.NoError(t, make(`null`, `{"id":"1"}`))
	require.ErrorContains(t, make(`{id, started: "2026-11-30T02:40:00Z"}`, `{"id":"1"}`), `started: a key that is not read; did you mean "milestones.started"?`)
	require.ErrorContains(t, make(`{id, milestones: {started: "yesterday"}}`, `{"id":"1"}`), `milestones.started: not a time: "yesterday"`)
	require.ErrorContains(t, make(`{title: "x"}`, `{"id":"1"}`), `id: missing`)
	require.ErrorContains(t, make(`{id}`, `{"id":17}`), `id: a JSON number where a string belongs`)
}
