// Command mutate changes a package in small ways, one at a time, and says which changes no test of the package notices: a
// comparison one off or the other way round, a condition negated, a constant one more or twice as much, a statement left out. What
// survives is either as good as what was there, or nobody tests it. With -constants each constant of the package is halved and doubled
// instead, wherever it is used.
//
// All changes are compiled into one test binary, each behind a switch, so that a change costs no more than a run of the tests
// that it does not break. The files themselves stay as they are.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func main() {
	sample := flag.Int("sample", 0, "try so many of the changes, drawn by -seed; 0: all")
	seed := flag.Uint64("seed", 1, "draws the sample")
	file := flag.String("file", "", "only changes of this file")
	only := flag.String("only", "", "only these changes, by number, separated by commas")
	at := flag.Int("at-once", 2, "how many runs at once")
	tests := flag.String("run", "", "only the tests that match, as of go test; faster, and more survives")
	constants := flag.Bool("constants", false, "halve and double each constant of the package, and change nothing else")
	testers := flag.String("tests", "", "the packages whose tests are run, separated by commas, where it is not the package itself")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "name one package, such as ./measure")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), options{*sample, *seed, *file, *only, *at, *tests, *constants, *testers}); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

type options struct {
	sample int
	seed   uint64
	file   string
	only   string
	atOnce int
	tests  string

	constants bool
	testers   string
}

// switchOf is the environment's variable that says which change is made: its number, or "reached" to note which ones the
// tests come by.
const switchOf = "MEANTIME_MUTANT"

func run(dir string, o options) error {
	p, err := load(dir, o.constants)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := p.build(work, o)
	if err != nil {
		return err
	}
	begun := time.Now()
	reached, err := b.reached()
	if err != nil {
		return fmt.Errorf("the tests fail without a change: %w", err)
	}
	took := time.Since(begun)
	chosen := choose(p.changes, o)
	fmt.Printf("%s: %d changes, %d tried; the tests take %s without any\n", dir, len(p.changes), len(chosen), took.Round(10*time.Millisecond))
	what := b.try(chosen, reached, 5*took+20*time.Second, o.atOnce)
	survivors := 0
	counts := map[verdict]int{}
	for _, c := range chosen {
		counts[what[c.id]]++
		if v := what[c.id]; v == survived || v == unreached {
			survivors++
			fmt.Printf("| %d | %s:%d | %s | %s |\n", c.id, c.file, c.line, c.what, v)
		}
	}
	fmt.Printf("%d noticed, %d ran too long, %d survive, %d are in code that no test of the package comes by: %.0f %% noticed\n",
		counts[killed], counts[late], counts[survived], counts[unreached], 100*float64(len(chosen)-survivors)/float64(max(1, len(chosen))))
	return nil
}

// choose draws the changes to try.
func choose(all []change, o options) []change {
	chosen := slices.DeleteFunc(slices.Clone(all), func(c change) bool {
		return o.file != "" && c.file != o.file || o.only != "" && !slices.Contains(strings.Split(o.only, ","), strconv.Itoa(c.id))
	})
	if o.sample > 0 && o.sample < len(chosen) {
		r := rand.New(rand.NewPCG(o.seed, 0))
		r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:o.sample]
	}
	slices.SortFunc(chosen, func(a, b change) int { return a.id - b.id })
	return chosen
}

// binary is the tests with all changes in them.
type binary struct {
	work, tests string
	of          []tested
}

// tested are the tests of one package: the binary, and where it runs.
type tested struct{ path, dir string }

// build compiles the tests with the changed files in the place of those that are there. A change that does not compile is left out.
func (p *pkg) build(work string, o options) (*binary, error) {
	b := &binary{work: work, tests: o.tests}
	if err := p.write(work); err != nil {
		return nil, err
	}
	for i, dir := range strings.Split(cmp.Or(o.testers, p.dir), ",") {
		t := tested{filepath.Join(work, fmt.Sprintf("mutants-%d.test", i)), dir}
		cmd := exec.Command("go", "test", "-c", "-vet=off", "-overlay", filepath.Join(work, "overlay.json"), "-o", t.path, ".")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w\n%s", err, out)
		}
		b.of = append(b.of, t)
	}
	return b, nil
}

// test runs the tests with the switch set, and says whether they passed.
func (b *binary) test(ctx context.Context, mutant string) (passed bool, output []byte, err error) {
	args := []string{"-test.failfast", "-test.short"}
	if b.tests != "" {
		args = append(args, "-test.run", b.tests)
	}
	for _, t := range b.of {
		cmd := exec.CommandContext(ctx, t.path, args...)
		cmd.Dir = t.dir
		cmd.Env = append(os.Environ(), switchOf+"="+mutant, switchOf+"_REACHED="+filepath.Join(b.work, "reached"))
		cmd.WaitDelay = time.Second
		output, err = cmd.CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return false, output, nil
		}
		if err != nil {
			return false, output, err
		}
	}
	return true, output, nil
}

// reached are the changes that the tests come by.
func (b *binary) reached() (map[int]bool, error) {
	passed, out, err := b.test(context.Background(), "reached")
	if err != nil || !passed {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(b.work, "reached"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	of := map[int]bool{}
	for line := range bytes.Lines(text) {
		id, err := strconv.Atoi(string(bytes.TrimSpace(line)))
		if err != nil {
			return nil, err
		}
		of[id] = true
	}
	return of, nil
}

// verdict is what became of a change.
type verdict string

const (
	killed    verdict = "noticed"
	late      verdict = "ran too long"
	survived  verdict = "survives"
	unreached verdict = "no test comes by"
)

// try makes each change and runs the tests.
func (b *binary) try(chosen []change, reached map[int]bool, within time.Duration, atOnce int) map[int]verdict {
	out := map[int]verdict{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan change)
	for range atOnce {
		wg.Go(func() {
			for c := range next {
				v := unreached
				if reached[c.id] {
					ctx, cancel := context.WithTimeout(context.Background(), within)
					passed, _, _ := b.test(ctx, strconv.Itoa(c.id))
					switch {
					case ctx.Err() != nil:
						v = late
					case passed:
						v = survived
					default:
						v = killed
					}
					cancel()
				}
				mu.Lock()
				out[c.id] = v
				mu.Unlock()
			}
		})
	}
	for _, c := range chosen {
		next <- c
	}
	close(next)
	wg.Wait()
	return out
}
