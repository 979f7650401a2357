package correlate

import "context"

// interrupt lets a pass end in the middle of what it computes, where the program is told to stop. The steps are functions of
// facts and return no errors; so the pass is left by a panic that Runner.once catches. Whatever it had worked out so far is
// forgotten, and nothing of it was delivered.
type interrupt struct {
	ctx   context.Context // nil: nobody interrupts
	asked uint
}

// interrupted is what is thrown.
type interrupted struct{ err error }

// askEvery is how many asks there are to one look at the context. The steps between two asks take microseconds.
const askEvery = 64

// ask is called in every loop that can take long.
func (i *interrupt) ask() {
	if i.asked++; i.ctx == nil || i.asked%askEvery != 0 {
		return
	}
	if err := i.ctx.Err(); err != nil {
		panic(interrupted{err})
	}
}

// guard turns an interruption into its error, after forget was called. It must be deferred.
func (i *interrupt) guard(err *error, forget func()) {
	i.ctx = nil
	switch x := recover().(type) {
	case nil:
	case interrupted:
		forget()
		*err = x.err
	default:
		panic(x)
	}
}
