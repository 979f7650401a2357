package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"meantime/eval/invent"
)

// An invented organisation is played under both configurations, found again below a folder, and scored to the same
// figures from the answer left behind.
func TestRun(t *testing.T) {
	out := t.TempDir()
	read := func(name string) []result {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		var rs []result
		require.NoError(t, json.Unmarshal(b, &rs))
		return rs
	}
	first := filepath.Join(out, "first.json")
	require.NoError(t, run(options{out: out, json: first, profiles: "calm", seeds: 1, first: 3}, nil))
	rs := read(first)
	require.Len(t, rs, 2)
	require.Equal(t, "calm-3", rs[0].Set)
	require.Equal(t, full, rs[0].Configured)
	require.Equal(t, dayOne, rs[1].Configured)
	require.Greater(t, rs[0].Figures["link_f1"], 0.5, "nothing was linked")
	require.Greater(t, rs[0].Figures["episodes_exact_f1"], 0.5, "nothing was played")

	again := filepath.Join(out, "again.json")
	require.NoError(t, run(options{json: again, only: full}, []string{out}))
	require.Equal(t, rs[0].Figures, read(again)[0].Figures)

	scored := filepath.Join(out, "scored.json")
	require.NoError(t, run(options{json: scored, answer: filepath.Join(out, "calm-3.full.answer.json")}, []string{out}))
	require.Equal(t, rs[0].Figures, read(scored)[0].Figures)
}

func TestBadArguments(t *testing.T) {
	empty := t.TempDir()
	require.ErrorContains(t, run(options{}, []string{empty}), "no data set: neither in it nor below it is a truth.json")
	require.ErrorContains(t, run(options{only: "half"}, nil), `-only: "half"; it is "full" or "day one"`)
	require.ErrorContains(t, run(options{profiles: "grand", seeds: 1}, nil), `unknown profile "grand"`)
	require.ErrorContains(t, run(options{answer: "x", profiles: "calm", seeds: 2}, nil), "belongs to one data set, and 2 are named")
}

// What a topology says reaches the rules, and on day one only the opening rule does.
func TestTopology(t *testing.T) {
	dir := t.TempDir()
	p := invent.Busy(1)
	require.NoError(t, invent.Invent(p).Write(dir))
	topology, err := readTopology(filepath.Join(dir, "topology.json"))
	require.NoError(t, err)
	all, err := topology.rules(true)
	require.NoError(t, err)
	require.NotEmpty(t, all.Services.Aliases)
	require.NotEmpty(t, all.Dependencies)
	require.Len(t, all.Watchdogs, 1)

	topology.Open = [][]string{{`severity="page"`}, {`severity="ticket"`, `team="jade"`}}
	bare, err := topology.rules(false)
	require.NoError(t, err)
	require.Empty(t, bare.Services.Aliases)
	require.Empty(t, bare.Watchdogs)
	require.Len(t, bare.Open.Matchers, 2)
	require.True(t, matches(bare.Open.Matchers[0], map[string]string{"severity": "page"}))
}

// A record of times that had not come when it arrived is taken in when they have, in the version that it was then.
func TestPlayTakesNoTimesAhead(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notifications.jsonl"), nil, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "records.jsonl"), []byte(
		`{"at":"2026-05-02T12:00:00Z","source":"ours","record":{"id":"1","title":"ahead","milestones":{"started":"2026-05-02T09:00:00Z","resolved":"2026-05-02T14:30:00Z"}}}
{"at":"2026-05-02T13:00:00Z","source":"ours","record":{"id":"1","title":"mended","milestones":{"started":"2026-05-02T09:00:00Z","resolved":"2026-05-02T12:30:00Z"}}}
`), 0o600))
	facts, last, err := play(dir, nil)
	require.NoError(t, err)
	require.Equal(t, "2026-05-02T14:30:00Z", last.Format(time.RFC3339))
	require.Len(t, facts.Records, 1)
	require.Equal(t, "mended", facts.Records[0].Title)

	m := newMemory()
	m.now = last.Add(-time.Hour)
	require.ErrorContains(t, m.take(nil, line{Source: "ours", Record: []byte(`{"id":"2","milestones":{"resolved":"2026-05-02T14:30:00Z"}}`)}), "is later than now")
}
