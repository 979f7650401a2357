package incident

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of trouble an error is, so that the edges can turn it into an HTTP status or an exit status
// without reading its text.
type Code string

const (
	CodeInvalid  Code = "invalid"   // the input is wrong; sending it again will not help
	CodeNotFound Code = "not_found" // what was asked for does not exist
	CodeConflict Code = "conflict"  // it contradicts what is stored
	CodeTooLarge Code = "too_large" // over a stated limit
	// CodeUnprocessable: it is well formed, and of another kind than can be taken here; sending it again will not help
	CodeUnprocessable Code = "unprocessable"
	CodeUnavailable   Code = "unavailable" // the store cannot take it now; the same call may succeed later
	// CodePending: whether it can be done is being worked out; the same call is answered in a few seconds
	CodePending  Code = "pending"
	CodeInternal Code = "internal" // everything else
)

// Error carries a Code with its cause.
type Error struct {
	Code Code
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error with a code; %w works as in fmt.Errorf.
func Errorf(code Code, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// CodeOf is the code of the outermost coded error in the chain: CodeInvalid for Problems, CodeInternal where no code was given.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	var p Problems
	if errors.As(err, &p) {
		return CodeInvalid
	}
	return CodeInternal
}

// Problem is one mistake in an input: where it is and what would be right.
type Problem struct {
	// Path names the place in the terms of the input, such as `milestones.started.at` or `impacts[1].to`.
	Path string `json:"path"`
	// Message says what was wrong and, where it can, what would be right.
	Message string `json:"message"`
}

func (p Problem) String() string {
	if p.Path == "" {
		return p.Message
	}
	return p.Path + ": " + p.Message
}

// Problems are all the mistakes found in one input, in the order of the input. As an error it lists them all.
type Problems []Problem

func (p Problems) Error() string {
	s := make([]string, len(p))
	for i := range p {
		s[i] = p[i].String()
	}
	return strings.Join(s, "; ")
}

// Err is p as an error, nil where there is none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
