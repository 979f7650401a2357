package extract

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"meantime/incident"
)

var noon = time.Date(2024, 5, 6, 12, 0, 0, 0, time.UTC)

func index(n incident.MilestoneName) int {
	for i, m := range Milestones {
		if m == n {
			return i
		}
	}
	return -1
}

// plain are weights that change nothing when they are calibrated.
func plain(unary map[string][N]float64, pair map[string]float64) *Weights {
	var c [N][2]float64
	for i := range c {
		c[i] = [2]float64{1, 0}
	}
	return New(unary, pair, c, Signs{}, [N]float64{})
}

func one(n incident.MilestoneName, x float64) (w [N]float64) {
	w[index(n)] = x
	return w
}

func TestChoose(t *testing.T) {
	p := &Problem{Sources: []Source{
		{At: noon, Features: []string{"fails"}},
		{At: noon.Add(5 * time.Minute), Features: []string{"alert"}},
		{At: noon.Add(5*time.Minute + 20*time.Second), Features: []string{"alert"}},
		{At: noon.Add(-time.Hour), Features: []string{"fails"}},
	}}
	w := plain(map[string][N]float64{"fails": one(incident.Started, 2), "alert": one(incident.Detected, 3)}, nil)
	c := w.Choose(p)
	d := c[index(incident.Detected)].Suggestions[0]
	require.Equal(t, noon.Add(5*time.Minute), d.At)
	// Two sources of one minute count together: 2e³ of 2e³ + 3 others at e⁰ + none... of three moments and none.
	require.InDelta(t, 2*math.Exp(3)/(2*math.Exp(3)+3), d.Probability, 1e-9)
	s := c[index(incident.Started)].Suggestions
	require.InDelta(t, s[0].Probability, s[1].Probability, 1e-9, "nothing tells the two that fail apart")

	// A printed length does.
	p.Lengths = []Length{{Least: 64 * time.Minute, Most: 66 * time.Minute}}
	w = plain(map[string][N]float64{"fails": one(incident.Started, 2), "alert": one(incident.Detected, 3)}, map[string]float64{"01printed length": 2})
	s = w.Choose(p)[index(incident.Started)].Suggestions
	require.Equal(t, noon.Add(-time.Hour), s[0].At)
	require.Greater(t, s[0].Probability, 2*s[1].Probability)
}

func TestPairs(t *testing.T) {
	p := &Problem{Spans: []Span{{noon, noon.Add(time.Hour)}}, Lengths: []Length{{Least: 59 * time.Minute, Most: 61 * time.Minute}}}
	ms := []Moment{{At: noon}, {At: noon.Add(3 * time.Minute)}, {At: noon.Add(time.Hour)}, {At: noon.Add(40 * time.Hour)}}
	for _, c := range []struct {
		x, y int
		want []string
	}{
		{-1, -1, []string{"04both missing"}},
		{0, -1, nil},
		{0, 0, []string{"04same", "04both begin a span"}},
		{0, 1, []string{"04just after"}},
		{1, 0, []string{"04just before"}},
		{0, 2, []string{"04after", "04a span", "04printed length"}},
		{2, 0, []string{"04before"}},
		{0, 3, []string{"04days after"}},
	} {
		require.Equal(t, c.want, p.Pair(ms, 0, c.x, 4, c.y), "%d %d", c.x, c.y)
	}
}

// The chances of all that a milestone may be, none included, add up to one; the order of the sources changes nothing.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		features := []string{"a", "b", "c", "d"}
		unary := map[string][N]float64{}
		for _, f := range append(features, "none") {
			var x [N]float64
			for m := range x {
				x[m] = rapid.Float64Range(-4, 4).Draw(t, "weight")
			}
			unary[f] = x
		}
		w := plain(unary, map[string]float64{"01same": rapid.Float64Range(-3, 3).Draw(t, "same"), "45just after": 1.5, "05both missing": -1})
		p := &Problem{Document: []string{"none"}}
		for range rapid.IntRange(0, 6).Draw(t, "sources") {
			p.Sources = append(p.Sources, Source{
				At:       noon.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "minute")) * time.Minute),
				Features: rapid.SliceOfN(rapid.SampledFrom(features), 1, 3).Draw(t, "features"),
			})
		}
		choice := w.Choose(p)
		for _, c := range choice {
			sum := 0.0
			for _, s := range c.Suggestions {
				sum += s.Probability
			}
			if sum > 1+1e-6 {
				t.Fatalf("the chances add up to %f", sum)
			}
		}
		back := &Problem{Document: p.Document}
		for i := range p.Sources {
			back.Sources = append(back.Sources, p.Sources[len(p.Sources)-1-i])
		}
		again := w.Choose(back)
		for m := range choice {
			for i, s := range choice[m].Suggestions {
				if math.Abs(s.Probability-again[m].Suggestions[i].Probability) > 1e-9 {
					t.Fatalf("another order, another chance")
				}
			}
		}
	})
}

// What was learned is small, can be read, and is written as it was read.
func TestWeights(t *testing.T) {
	w, err := Load()
	require.NoError(t, err)
	require.Less(t, len(weightsFile), 200_000)
	require.Greater(t, len(w.unary), 100)
	var b bytes.Buffer
	_, err = w.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, string(weightsFile), b.String())
	for m := range N {
		require.Greater(t, w.Cut(m), 0.8, "what is given must be sure")
		require.Positive(t, w.calibration[m][0]+w.signs[0], "the likelier a moment, the surer")
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"alert\t1\t2\n":              "weights, line 1: 2 numbers, not 6",
		"# a\n+01same\tx\n":          `weights, line 2: not a number: "x"`,
		"=begun\t1\t2\t3\n":          `weights, line 1: no milestone "begun"`,
		"alert\t1\t\t\t\t\t\n+b\t\t": "weights, line 2: 2 numbers, not 1",
	} {
		_, err := Parse([]byte(text))
		require.EqualError(t, err, want)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("=started\t1\t2\t3\n+01same\t5\nalert\t1\t\t\t\t\t-7\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, err := Parse(b)
		if err != nil {
			return
		}
		w.Choose(&Problem{Sources: []Source{{At: noon, Features: []string{"alert"}}, {At: noon.Add(time.Minute)}}})
	})
}

// The signs of a suggestion are what the confidence is made of: what agrees with the rules, or stands in a field, is told apart.
func TestSigns(t *testing.T) {
	p := &Problem{
		Sources: []Source{
			{At: noon, Features: []string{"fails", "rule at:started"}},
			{At: noon.Add(10 * time.Minute), Features: []string{"fails", "field", "approximate"}},
		},
	}
	s := plain(map[string][N]float64{"fails": one(incident.Started, 2)}, nil).Choose(p)[index(incident.Started)].Suggestions
	require.Len(t, s, 2)
	for i, want := range [][3]float64{{1, 0, 0}, {0, 1, 1}} { // here, against the rules, field
		require.InDelta(t, math.Log(math.Exp(2)/(math.Exp(2)+1)), s[i].Signs[0], 1e-6, "odds")
		require.InDelta(t, 0, s[i].Signs[1], 1e-6, "as likely as the next")
		require.InDelta(t, 2, s[i].Signs[2], 1e-3, "against none")
		require.Equal(t, want, [3]float64{s[i].Signs[3], s[i].Signs[4], s[i].Signs[6]})
	}
	w := plain(map[string][N]float64{"fails": one(incident.Started, 2)}, nil)
	w.signs[3] = 2 // what the rules agree with is surer
	again := w.Choose(p)[index(incident.Started)].Suggestions
	require.Greater(t, again[0].Probability, s[0].Probability)
	require.InDelta(t, again[1].Probability, s[1].Probability, 1e-9)
	// What makes the model's second the surer makes it the first.
	w.signs[3], w.signs[6] = 0, 2
	turned := w.Choose(p)[index(incident.Started)].Suggestions
	require.Equal(t, noon.Add(10*time.Minute), turned[0].At, "the field is surer")
	require.Greater(t, turned[0].Probability, turned[1].Probability)
	require.False(t, turned[0].Likeliest, "the model has the other first")
	require.True(t, turned[1].Likeliest)
}

// FuzzChoose: whatever is offered, every chance is one, and the likeliest comes first.
func FuzzChoose(f *testing.F) {
	f.Add([]byte{0, 1, 5, 2, 5, 3, 200, 7}, true)
	w, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	features := []string{"entry", "k:alert:firm", "k:recovered:firm", "rule:started", "rule at:detected", "field",
		"field:resolved", "approximate", "w:the", "last entry"}
	f.Fuzz(func(t *testing.T, b []byte, span bool) {
		p := &Problem{Document: []string{"document"}}
		for i := 0; i+1 < len(b) && i < 80; i += 2 {
			at := noon.Add(time.Duration(b[i]) * 37 * time.Minute)
			p.Sources = append(p.Sources, Source{At: at, Features: []string{features[int(b[i+1])%len(features)]}})
			if span && i%6 == 0 {
				p.Spans = append(p.Spans, Span{at, at.Add(time.Hour)})
				p.Lengths = append(p.Lengths, Length{Least: time.Hour, Most: 2 * time.Hour, Part: Part(b[i+1] % 4)})
			}
		}
		for _, c := range w.Choose(p) {
			for i, s := range c.Suggestions {
				require.True(t, i == 0 || s.Probability <= c.Suggestions[i-1].Probability, "%v", c.Suggestions)
				require.True(t, s.Probability >= 0 && s.Probability <= 1, "%v", s)
				require.Less(t, s.Source, len(p.Sources))
			}
		}
	})
}
