package incident

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnreadKeys(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string
	}{
		{`{"id": "1", "title": "t", "labels": {"team": "a"}, "milestones": {"started": {"at": "2026-03-01T10:00:00Z", "precision": "minute"}}}`, nil},
		{`{"Title": "t"}`, nil},
		{`{"start": "2026-10-01T10:00:00Z", "end_time": "x", "duration_minutes": 90}`, []string{
			`duration_minutes: a key that is not read`,
			`end_time: a key that is not read; did you mean "milestones.resolved"?`,
			`start: a key that is not read; did you mean "milestones.started"?`,
		}},
		{`{"status": "open", "service": "mail", "milstones": {}}`, []string{
			`milstones: a key that is not read; did you mean "milestones"?`,
			`service: a key that is not read; did you mean "services"?`,
			`status: a key that is not read; did you mean "state"?`,
		}},
		{`{"impacts": [{"from": "a", "until": "b"}], "references": {"url": ["x"]}, "milestones": {"started": {"at": "x", "start": "y", "time": 1}}}`, []string{
			`impacts[0].until: a key that is not read`,
			`milestones.started.start: a key that is not read`,
			`milestones.started.time: a key that is not read`,
			`references.url: a key that is not read; did you mean "urls"?`,
		}},
		{`[1]`, nil}, {`{`, nil}, {`null`, nil}, {`{"labels": 7, "services": {"a": 1}}`, nil},
	} {
		var got []string
		for _, p := range UnreadKeys([]byte(c.in)) {
			got = append(got, p.String())
		}
		require.Equal(t, c.want, got, c.in)
	}

	many := map[string]int{}
	for i := range 500 {
		many["x"+string(rune('a'+i%26))+string(rune('a'+i/26))] = i
	}
	b, err := json.Marshal(many)
	require.NoError(t, err)
	all := UnreadKeys(b)
	require.Len(t, all, maxUnread+1)
	require.Equal(t, "and 400 more keys that are not read", all[maxUnread].String())
}
