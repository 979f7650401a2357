package extract

import (
	"bufio"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"meantime/incident"
)

//go:embed weights.tsv
var weightsFile []byte

// Weights are what speaks for and against a choice. They are data: eval/postmortem/train makes them.
type Weights struct {
	unary map[string][N]float64
	pair  map[string]float64
	// calibration is for each milestone the slope of the log odds and an offset; signs are what the other signs add for any.
	calibration [N][2]float64
	signs       Signs
	// cut is the probability from which on a milestone is given.
	cut [N]float64
}

// unit is what the numbers of the file are multiples of.
const unit = 0.01

// Load gives the weights that were learned.
var Load = sync.OnceValues(func() (*Weights, error) { return Parse(weightsFile) })

// Cut is the probability from which on a milestone is given; what is below is a suggestion.
func (w *Weights) Cut(m int) float64 { return w.cut[m] }

// calibrate is how often a suggestion with such signs was right.
func (w *Weights) calibrate(m int, s Signs) float64 {
	z := w.calibration[m][0]*s[0] + w.calibration[m][1]
	for i, x := range s {
		z += w.signs[i] * x
	}
	return 1 / (1 + math.Exp(-z))
}

// New makes weights of what was learned. Pairs of weights are kept only where they round to something.
func New(unary map[string][N]float64, pair map[string]float64, calibration [N][2]float64, signs Signs, cut [N]float64) *Weights {
	w := &Weights{map[string][N]float64{}, map[string]float64{}, calibration, signs, cut}
	round := func(x float64) float64 { return math.Round(x/unit) * unit }
	for f, x := range unary {
		some := false
		for m := range x {
			x[m] = round(x[m])
			some = some || x[m] != 0
		}
		if some {
			w.unary[f] = x
		}
	}
	for f, x := range pair {
		if x = round(x); x != 0 {
			w.pair[f] = x
		}
	}
	return w
}

// WriteTo writes the weights as lines: a feature and its numbers, in hundredths, in order of the features.
func (w *Weights) WriteTo(out io.Writer) (int64, error) {
	var b bytes.Buffer
	fmt.Fprintln(&b, "# Made by go run ./eval/postmortem/train; not for editing. Hundredths of a natural logarithm of odds.")
	num := func(x float64) string {
		if n := int(math.Round(x / unit)); n != 0 {
			return strconv.Itoa(n)
		}
		return ""
	}
	for m := range N {
		fmt.Fprintf(&b, "=%s\t%s\t%s\t%s\n", Milestones[m], num(w.calibration[m][0]), num(w.calibration[m][1]), num(w.cut[m]))
	}
	for i, f := range SignNames {
		fmt.Fprintf(&b, "~%s\t%s\n", f, num(w.signs[i]))
	}
	for _, f := range slices.Sorted(maps.Keys(w.pair)) {
		fmt.Fprintf(&b, "+%s\t%s\n", f, num(w.pair[f]))
	}
	for _, f := range slices.Sorted(maps.Keys(w.unary)) {
		b.WriteString(f)
		for _, x := range w.unary[f] {
			b.WriteByte('\t')
			b.WriteString(num(x))
		}
		b.WriteByte('\n')
	}
	return b.WriteTo(out)
}

// Parse reads what WriteTo wrote.
func Parse(b []byte) (*Weights, error) {
	w := &Weights{unary: map[string][N]float64{}, pair: map[string]float64{}}
	sc := bufio.NewScanner(bytes.NewReader(b))
	for line := 1; sc.Scan(); line++ {
		text := sc.Text()
		if text == "" || text[0] == '#' {
			continue
		}
		parts := strings.Split(text, "\t")
		var nums []float64
		for _, p := range parts[1:] {
			n := 0
			if p != "" {
				var err error
				if n, err = strconv.Atoi(p); err != nil {
					return nil, fmt.Errorf("weights, line %d: not a number: %q", line, p)
				}
			}
			nums = append(nums, float64(n)*unit)
		}
		name, want := parts[0], N
		switch text[0] {
		case '=':
			want = 3
		case '+', '~':
			want = 1
		}
		if len(nums) != want {
			return nil, fmt.Errorf("weights, line %d: %d numbers, not %d", line, len(nums), want)
		}
		switch text[0] {
		case '=':
			m := slices.IndexFunc(Milestones, func(n incident.MilestoneName) bool { return string(n) == name[1:] })
			if m < 0 {
				return nil, fmt.Errorf("weights, line %d: no milestone %q", line, name[1:])
			}
			w.calibration[m], w.cut[m] = [2]float64{nums[0], nums[1]}, nums[2]
		case '~':
			i := slices.Index(SignNames[:], name[1:])
			if i < 0 {
				return nil, fmt.Errorf("weights, line %d: no sign %q", line, name[1:])
			}
			w.signs[i] = nums[0]
		case '+':
			w.pair[name[1:]] = nums[0]
		default:
			w.unary[name] = [N]float64(nums)
		}
	}
	return w, sc.Err()
}
