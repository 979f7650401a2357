package progress

import (
	"bytes"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// at is a board with a clock that the test moves, and what its log says.
type at struct {
	*Board
	now time.Time
	log bytes.Buffer
}

func newAt() *at {
	x := &at{now: time.Unix(1e9, 0)}
	plain := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}
	x.Board = New(Options{Now: func() time.Time { return x.now }, Logger: slog.New(slog.NewTextHandler(&x.log, &slog.HandlerOptions{ReplaceAttr: plain}))})
	return x
}

func (x *at) lines() []string { return strings.Split(strings.TrimSpace(x.log.String()), "\n") }

var documents = Kind{What: "Reading documents", Unit: "documents", Means: "Some are missing"}

func TestTimeLeftIsByHowFastItWent(t *testing.T) {
	x := newAt()
	report := x.Report(documents)
	report(100, 1000) // it goes on from there: these took no time
	x.now = x.now.Add(time.Second)
	report(200, 1000)
	require.Equal(t, []Work{{Kind: documents, Done: 200, Total: 1000}}, x.Going(), "a second says too little")
	x.now = x.now.Add(9 * time.Second)
	report(400, 1000)
	require.Equal(t, []Work{{Kind: documents, Done: 400, Total: 1000, Left: 20 * time.Second}}, x.Going(), "300 took 10 s, 600 are left")
	require.Equal(t, 40, x.Going()[0].Percent())
	x.now = x.now.Add(5 * time.Second)
	require.Equal(t, 15*time.Second, x.Going()[0].Left, "time goes on between two reports")
	x.now = x.now.Add(time.Minute)
	require.Equal(t, time.Second, x.Going()[0].Left)
	report(999_999, 1_000_000)
	require.Equal(t, 99, x.Going()[0].Percent(), "not 100 before it is done")
	report(1_000_000, 1_000_000)
	require.Empty(t, x.Going())
}

func TestWhatIsGivenUpOrNothingIsNotGoingOn(t *testing.T) {
	x := newAt()
	report := x.Report(documents)
	report(0, 0)
	report(5, 5)
	require.Empty(t, x.Going(), "there was nothing to do")
	report(1, 5)
	other := x.Report(Kind{What: "Copying", Unit: "rows"})
	other(3, 4)
	require.Len(t, x.Going(), 2)
	report(0, 0)
	require.Equal(t, "Copying", x.Going()[0].What)
	report(2, 5)
	require.Len(t, x.Going(), 2, "it may begin again")
	require.Empty(t, x.log.String(), "short work is not worth a line")
}

func TestLogHasALineForATenthAndNotMore(t *testing.T) {
	x := newAt()
	report := x.Report(documents)
	for n := range int64(10_000) { // 100 s
		report(n, 10_000)
		x.now = x.now.Add(10 * time.Millisecond)
	}
	report(10_000, 10_000)
	require.Equal(t, []string{
		`msg="Reading documents" percent=5 done=500 of=10000 unit=documents left=1m35s`,
		`msg="Reading documents" percent=10 done=1000 of=10000 unit=documents left=1m30s`,
	}, x.lines()[:2])
	require.Len(t, x.lines(), 11)
	require.Equal(t, `msg="Reading documents" percent=100 done=10000 of=10000 unit=documents took=1m40s`, x.lines()[10])
}

func TestLogTellsOfWhatStandsStill(t *testing.T) {
	x := newAt()
	report := x.Report(documents)
	for range 200 {
		report(1, 10_000)
		x.now = x.now.Add(time.Second)
	}
	require.Len(t, x.lines(), 4, "after 5 s and then each minute")
}

func TestScreenHasABarOnlyOnATerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	require.NoError(t, err)
	defer file.Close()
	require.False(t, NewScreen(file).terminal)

	var out bytes.Buffer
	screen := &Screen{out: &out, terminal: true}
	b := New(Options{Screen: screen, Logger: slog.New(slog.NewTextHandler(screen, nil))})
	report := b.Report(documents)
	report(0, 4)
	time.Sleep(2 * barEvery) // the library draws by the clock
	report(2, 4)
	require.Contains(t, out.String(), "Reading documents  50%")
	require.Contains(t, out.String(), "(2/4")
	out.Reset()
	b.o.Logger.Info("Between")
	require.Contains(t, out.String(), "\rtime=", "a line begins where the bar was")
	report(4, 4)
	require.Nil(t, screen.bar)

	out.Reset()
	silent := New(Options{Screen: &Screen{out: &out}}).Report(documents)
	silent(1, 4)
	require.Empty(t, out.String())
}

func TestNobodyAsks(t *testing.T) {
	var b *Board
	b.Report(documents)(1, 2)
	require.Empty(t, b.Going())
}
