package postmortem

import (
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMutations reads documents that were cut, doubled, mixed and damaged, always the same ones: whatever is left of a
// document is read without a crash, and what comes out is a record that validates.
func TestMutations(t *testing.T) {
	files, err := filepath.Glob("testdata/docs/*")
	require.NoError(t, err)
	var seeds [][]byte
	for _, f := range files {
		if filepath.Ext(f) != ".yaml" {
			b, err := os.ReadFile(f)
			require.NoError(t, err)
			seeds = append(seeds, b)
		}
	}
	r := rand.New(rand.NewSource(1))
	for n := range 400 {
		b := append([]byte{}, seeds[r.Intn(len(seeds))]...)
		for range 1 + r.Intn(12) {
			if len(b) == 0 {
				b = []byte("x")
			}
			p := r.Intn(len(b))
			switch r.Intn(5) {
			case 0:
				b[p] = byte(r.Intn(256))
			case 1:
				b = append(b[:p:p], b[p+r.Intn(len(b)-p):]...)
			case 2:
				q := min(len(b), p+r.Intn(60))
				b = append(b[:q:q], append(append([]byte{}, b[p:q]...), b[q:]...)...)
			case 3:
				o := seeds[r.Intn(len(seeds))]
				x := r.Intn(len(o))
				b = append(b[:p:p], append(append([]byte{}, o[x:min(len(o), x+80)]...), b[p:]...)...)
			case 4:
				b[p] = " \n|:-.0123456789<>*"[r.Intn(19)]
			}
		}
		_, err := Read([]string{"a.md", "a.html"}[n%2], b, Options{})
		if err != nil {
			require.ErrorContains(t, err, "not a text")
		}
	}
}
