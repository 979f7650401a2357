package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReferencesState(t *testing.T) {
	const key = `{}/{severity="page"}:{alertname="CheckoutErrors"}`
	start := time.Date(2026, 11, 30, 1, 50, 0, 0, time.UTC)
	e := Episode{
		Fingerprint: "775f06f5c8253c87", StartsAt: start, EndsAt: start.Add(50 * time.Minute), End: EndResolved,
		GroupKeys: []string{key}, Starts: []time.Time{start},
	}
	firing := e
	firing.EndsAt, firing.End = time.Time{}, EndNone
	byHash := e
	byHash.GroupKeys = []string{GroupHash(key)} // told by the event recorder
	at := func(minutes float64) time.Time { return start.Add(time.Duration(minutes * float64(time.Minute))) }
	alert := func(fp string, minutes float64) References {
		return References{Alerts: []EpisodeKey{{Fingerprint: fp, StartsAt: at(minutes)}}}
	}
	group := func(g GroupRef, from, to float64) References {
		g.From, g.To = at(from), at(to)
		return References{Groups: []GroupRef{g}}
	}
	tests := []struct {
		name string
		refs References
		e    Episode
		want string
	}{
		{"fingerprint and start", alert(e.Fingerprint, 0), e, "by fingerprint and start"},
		{"a replica's start", alert(e.Fingerprint, 0.9), e, "by fingerprint and start"},
		{"another start", alert(e.Fingerprint, 1), e, ""},
		{"another alert", alert("775f06f5c8253c88", 0), e, ""},
		{"the group's key", group(GroupRef{Key: key}, 0.5, 50), e, "by the key of its group"},
		{"its SHA-256", group(GroupRef{SHA256: GroupHash(key)}, 0.5, 50), e, "by the key of its group"},
		{"its MD5", group(GroupRef{MD5: "d0524a614bc3ffde85b87746763780fc"}, 0.5, 50), e, "by the key of its group"},
		{"the key, where only its hash was told", group(GroupRef{Key: key}, 0.5, 50), byHash, "by the key of its group"},
		{"the hash, where only the hash was told", group(GroupRef{SHA256: GroupHash(key)}, 0.5, 50), byHash, "by the key of its group"},
		{"another group", group(GroupRef{SHA256: GroupHash("{}:{}")}, 0.5, 50), e, ""},
		{"a page made just after it ended", group(GroupRef{Key: key}, 51.9, 60), e, "by the key of its group"},
		{"a page of the next time", group(GroupRef{Key: key}, 52.1, 60), e, ""},
		{"a page that ended just before it", group(GroupRef{Key: key}, -60, -1.9), e, "by the key of its group"},
		{"a page of the time before", group(GroupRef{Key: key}, -60, -2.1), e, ""},
		{"a page long after, while it fires", group(GroupRef{Key: key}, 600, 610), firing, "by the key of its group"},
		{"a page that goes on", References{Groups: []GroupRef{{Key: key, From: at(-600)}}}, e, "by the key of its group"},
		{"a bare fingerprint states nothing", References{Fingerprints: []string{e.Fingerprint}}, e, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, ok := tc.refs.States(&tc.e)
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.want != "", ok)
		})
	}
}

func TestAddKey(t *testing.T) {
	from := time.Date(2026, 11, 30, 1, 50, 0, 0, time.UTC)
	hash := GroupHash("{}:{}")
	for key, want := range map[string]References{
		"":                      {},
		hash:                    {Groups: []GroupRef{{SHA256: hash, From: from}}},
		hash[:63]:               {Keys: []string{"genie/" + hash[:63]}},
		hash[:32]:               {Groups: []GroupRef{{MD5: hash[:32], From: from}}},
		`{}/{a="b"}:{x="y"}`:    {Groups: []GroupRef{{Key: `{}/{a="b"}:{x="y"}`, From: from}}},
		"{not a group key}":     {Keys: []string{"genie/{not a group key}"}},
		" Q1 ":                  {Keys: []string{"genie/Q1"}},
		"host.example.org/disk": {Keys: []string{"genie/host.example.org/disk"}},
	} {
		var got References
		got.AddKey("genie", key, from, time.Time{})
		got.AddKey("genie", key, from, time.Time{}) // said twice is said once
		require.Equal(t, want, got, key)
	}
	var got References
	got.AddKey("genie", hash, time.Time{}, time.Time{})
	require.True(t, got.Empty(), "a group without a time says nothing")
}

func TestDecodeReferences(t *testing.T) {
	r, err := DecodeRecord([]byte(`{"source":"a","id":"1","references":{"alerts":[{"fingerprint":"775f06f5c8253c87","starts_at":"2026-11-30T02:50:00+01:00"}],
		"groups":[{"sha256":"` + GroupHash("{}:{}") + `","from":"2026-11-30T01:50:31Z"}]}}`))
	require.NoError(t, err)
	at := time.Date(2026, 11, 30, 1, 50, 0, 0, time.UTC)
	require.Equal(t, References{
		Alerts: []EpisodeKey{{"775f06f5c8253c87", at}},
		Groups: []GroupRef{{SHA256: GroupHash("{}:{}"), From: at.Add(31 * time.Second)}},
	}, r.References)

	for _, tc := range []struct{ refs, want string }{
		{`{"alerts":[{"fingerprint":"775f","starts_at":"2026-11-30T01:50:00Z"}]}`, `references.alerts[0].fingerprint: "775f" is not 16 hexadecimal digits`},
		{`{"alerts":[{"fingerprint":"775f06f5c8253c87"}]}`, "references.alerts[0].starts_at: missing; where only the fingerprint is known, it belongs into references.fingerprints"},
		{`{"alerts":[` + strings.Repeat(`{"fingerprint":"775f06f5c8253c87","starts_at":"2026-11-30T01:50:00Z"},`, 1000) +
			`{"fingerprint":"775f06f5c8253c87","starts_at":"2026-11-30T01:50:00Z"}]}`, "references.alerts: 1001 are more than the 1000 allowed"},
		{`{"groups":[` + strings.Repeat(`{"key":"{}:{}","from":"2026-11-30T01:50:00Z"},`, 1000) +
			`{"key":"{}:{}","from":"2026-11-30T01:50:00Z"}]}`, "references.groups: 1001 are more than the 1000 allowed"},
		{`{"groups":[{"key":"{}:{}","from":"soon"}]}`, `references.groups[0].from: not a time: "soon"; write it like 2006-01-02T15:04:05Z`},
		{`{"groups":[{"key":"{}:{}"}]}`, "references.groups[0].from: missing; a group's key lives for ever, so it means nothing without a time"},
		{`{"groups":[{"from":"2026-11-30T01:50:00Z"}]}`, "references.groups[0]: it must have exactly one of key, sha256 and md5"},
		{`{"groups":[{"sha256":"abc","from":"2026-11-30T01:50:00Z","to":"2026-11-30T01:40:00Z"}]}`, `references.groups[0].sha256: "abc" is not 64 hexadecimal digits`},
		{`{"groups":[{"key":"{}:{}","from":"2026-11-30T01:50:00Z","to":"2026-11-30T01:40:00Z"}]}`, "references.groups[0].to: 2026-11-30T01:40:00Z is before from 2026-11-30T01:50:00Z"},
	} {
		_, err := DecodeRecord([]byte(`{"source":"a","id":"1","references":` + tc.refs + `}`))
		require.ErrorContains(t, err, tc.want)
	}
}
