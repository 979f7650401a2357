package history

import (
	"flag"
	"os"
	"testing"
)

// TestMain draws the same servers in every run, so that a fault that one in some hundred shows is met where somebody looks for
// it (make properties draws others each time) and not by whoever changed something else.
func TestMain(m *testing.M) {
	flag.Parse()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rapid.seed"] && !given["rapid.checks"] && !given["rapid.failfile"] {
		if err := flag.Set("rapid.seed", "20261130"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
