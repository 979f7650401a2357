package progress

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// barEvery is how often a bar is drawn.
const barEvery = 100 * time.Millisecond

// Screen is where a command says what it does. On a terminal it has a bar in its last line, above which all else is written.
type Screen struct {
	out      io.Writer
	terminal bool

	mu   sync.Mutex
	bar  *progressbar.ProgressBar // nil for none
	what string
}

// NewScreen makes a screen of an output, which has bars where it is a terminal.
func NewScreen(out io.Writer) *Screen {
	f, ok := out.(*os.File)
	return &Screen{out: out, terminal: ok && term.IsTerminal(int(f.Fd()))}
}

// Write writes what is not a bar.
func (s *Screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil {
		_ = s.bar.Clear() // it is drawn again with the next report
	}
	return s.out.Write(p)
}

// show draws the bar of a work, or takes it away where that is over.
func (s *Screen) show(w *work, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bar != nil && (over || s.what != w.What) {
		_ = s.bar.Clear()
		s.bar = nil
	}
	if over {
		return
	}
	if s.bar == nil {
		s.what = w.What
		s.bar = progressbar.NewOptions64(w.Total, progressbar.OptionSetWriter(s.out), progressbar.OptionSetDescription(w.What),
			progressbar.OptionThrottle(barEvery), progressbar.OptionShowCount(), progressbar.OptionSetItsString(w.Unit),
			progressbar.OptionSetWidth(20), progressbar.OptionSetElapsedTime(true), progressbar.OptionSetPredictTime(true))
	}
	if s.bar.GetMax64() != w.Total {
		s.bar.ChangeMax64(w.Total)
	}
	_ = s.bar.Set64(w.Done) // what cannot be drawn is no trouble of the work
}
