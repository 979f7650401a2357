package config

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever is in the file and the environment, the answer is a configuration or its Problems: no panic, and no error of
// a library, which would mean that something wrong came past the reader. The same input gives the same answer.
func FuzzLoad(f *testing.F) {
	for _, dir := range []string{"testdata/good", "testdata/bad"} {
		files, err := os.ReadDir(dir)
		require.NoError(f, err)
		for _, e := range files {
			b, err := os.ReadFile(dir + "/" + e.Name())
			require.NoError(f, err)
			f.Add(b, "")
		}
	}
	f.Add([]byte("windows: &a [*a]\n"), "MEANTIME_WINDOWS=7d")
	f.Add([]byte("a: &a {b: *a}\n"), "MEANTIME_SOURCES=[{name: a}]")
	f.Fuzz(func(t *testing.T, b []byte, env string) {
		run := func() (*Validated, error) {
			c, err := load("fuzz.yml", b, []string{env})
			if err != nil {
				return nil, err
			}
			return c.Validate()
		}
		v, err := run()
		var p Problems
		if err != nil && (!errors.As(err, &p) || len(p) == 0) {
			t.Fatalf("not Problems: %v", err)
		}
		for _, x := range p {
			if x.Message == "" {
				t.Fatalf("no message: %+v", x)
			}
		}
		if err == nil && (v == nil || len(v.Windows) == 0) {
			t.Fatal("neither a configuration nor a mistake")
		}
		if _, again := run(); (again == nil) != (err == nil) || (err != nil && again.Error() != err.Error()) {
			t.Fatalf("two answers: %v, then %v", err, again)
		}
	})
}

// A duration that is read is not negative, and is read as the same from what it prints as.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"1h30m", "0s", "0d", "28d", "15y", "5", "-1s", "1.5h", "1m1h", "300y", "9223372036854775807s", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			return
		}
		require.GreaterOrEqual(t, d.Value(), time.Duration(0), s)
		again, err := ParseDuration(d.String())
		require.NoError(t, err, s)
		require.Equal(t, d.Value(), again.Value(), s)
	})
}
