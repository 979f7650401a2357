package correlate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/edition.txt anew")

// TestEdition holds the edition to the answers: what was derived from the facts of a small organisation under one edition must
// not come out otherwise under the same. A store would keep what the program before made of its facts, beside what this one
// makes of new ones. Organisations that are new or told otherwise need no new edition.
func TestEdition(t *testing.T) {
	file := filepath.Join("testdata", "edition.txt")
	now := map[string]string{}
	names := map[string]string{}
	for _, c := range organisations() {
		o := parse(t, c.tell)
		facts := answerDigest(t, []any{o.facts, o.rules, present})
		now[facts], names[facts] = answerDigest(t, Correlate(o.facts, &o.rules, present)), c.name
	}
	known, written := readEdition(t, file)
	if known == edition {
		for facts, answer := range written {
			if got, ok := now[facts]; ok {
				require.Equal(t, answer, got, "%q comes out otherwise than under edition %d: raise `edition` in runner.go, then run this test with -update", names[facts], edition)
			}
		}
	}
	if *update {
		lines := []string{fmt.Sprint("edition ", edition)}
		for _, facts := range slices.Sorted(maps.Keys(now)) {
			lines = append(lines, facts+" "+now[facts])
		}
		require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		return
	}
	require.Equal(t, edition, known, "the edition was raised: run this test with -update")
	require.Equal(t, slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(written)), "organisations are new or told otherwise: run this test with -update")
}

// readEdition reads an edition, and by facts what came of them.
func readEdition(t *testing.T, file string) (known int, answers map[string]string) {
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) && *update {
		return 0, nil
	}
	require.NoError(t, err)
	answers = map[string]string{}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		a, b, ok := strings.Cut(line, " ")
		require.True(t, ok, "%s:%d", file, i+1)
		if i > 0 {
			answers[a] = b
			continue
		}
		known, err = strconv.Atoi(b)
		require.NoError(t, err)
	}
	return known, answers
}

// answerDigest is a digest of what a value says. Numbers count to six places, which other machines' arithmetic does not change.
func answerDigest(t *testing.T, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var plain any
	require.NoError(t, json.Unmarshal(text, &plain))
	text, err = json.Marshal(rounded(plain))
	require.NoError(t, err)
	h := sha256.Sum256(text)
	return hex.EncodeToString(h[:8])
}

func rounded(v any) any {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', 6, 64)
	case []any:
		for i := range v {
			v[i] = rounded(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = rounded(v[k])
		}
	}
	return v
}
