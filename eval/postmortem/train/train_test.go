package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"meantime/postmortem/extract"
)

// some copies the reader's own documents whose names begin with one of the prefixes.
func some(t *testing.T, prefixes ...string) string {
	dir := t.TempDir()
	files, err := os.ReadDir("../../../postmortem/testdata/docs")
	require.NoError(t, err)
	n := 0
	for _, f := range files {
		for _, p := range prefixes {
			if !strings.HasPrefix(f.Name(), p) {
				continue
			}
			b, err := os.ReadFile(filepath.Join("../../../postmortem/testdata/docs", f.Name()))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, f.Name()), b, 0o644))
			n++
		}
	}
	require.Greater(t, n, 20)
	return dir
}

// The same documents give the same bytes, in which every weight is a number, and what was learned reads the documents again.
func TestSameBytes(t *testing.T) {
	dir := some(t, "en-passive", "en-mailed", "en-seen", "en-confirm", "de-b", "ja-")
	make := func() []byte {
		docs, err := documents(dir, nil, nil)
		require.NoError(t, err)
		set, err := readAll(docs, nil)
		require.NoError(t, err)
		preds := set.leaveOut(3)
		var b bytes.Buffer
		_, err = set.learn(func(string) bool { return true }).weights(calibrate(preds)).WriteTo(&b)
		require.NoError(t, err)
		return b.Bytes()
	}
	one := make()
	require.Equal(t, string(one), string(make()))
	require.Greater(t, len(one), 10_000)
	w, err := extract.Parse(one)
	require.NoError(t, err)
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, string(one), b.String())
}

// What is known of an organisation stays out of what is measured on it: no prediction comes from weights that saw it, and
// no calibration either.
func TestLeaveOut(t *testing.T) {
	docs, err := documents(some(t, "en-passive", "en-mailed", "en-seen", "en-confirm"), nil, nil)
	require.NoError(t, err)
	set, err := readAll(docs, nil)
	require.NoError(t, err)
	preds := set.leaveOut(4)
	require.Len(t, preds, 20*extract.N, "each document once, as a stranger reads it")
	at := map[string]bool{}
	for _, p := range preds {
		require.False(t, p.e.doc.known)
		at[p.e.doc.org] = true
	}
	require.Len(t, at, 4)
	// Weights learned without any document of one organisation do not change when its truth does.
	before := set.learn(func(org string) bool { return org != "en-confirm" }).x
	for _, e := range set.examples {
		if e.doc.org == "en-confirm" {
			for m := range e.target {
				e.target[m] = nil
			}
		}
	}
	require.Equal(t, before, set.learn(func(org string) bool { return org != "en-confirm" }).x)
	require.NotEqual(t, before, set.learn(func(string) bool { return true }).x)
}

// A calibration is fitted to how often suggestions were right: one that is right as often as its odds say changes little, one
// that is always wrong is trusted less.
func TestCalibrate(t *testing.T) {
	docs, err := documents(some(t, "en-passive", "en-mailed", "en-seen", "en-confirm"), nil, nil)
	require.NoError(t, err)
	set, err := readAll(docs, nil)
	require.NoError(t, err)
	preds := set.leaveOut(4)
	good := calibrate(preds)
	for _, p := range preds { // every answer is made wrong
		p.e.doc.Truth.Milestones = nil
	}
	bad := calibrate(preds)
	for _, p := range preds {
		if len(p.by) > 0 {
			require.Less(t, bad.of(p.m, p.by[0].Signs), good.of(p.m, p.by[0].Signs))
		}
	}
}
