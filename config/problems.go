package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the configuration.
type Problem struct {
	File    string // the file as it was named, or "environment"; empty for a default or what a program set
	Line    int    // from 1; 0 where there is none
	Key     string // the key in the file, such as sources[1].dir, or the environment variable
	Message string // what is wrong and what would be right
}

func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems are all the mistakes of a configuration, those of the file first, by line. As an error it has a line for each.
type Problems []Problem

func (p Problems) Error() string {
	s := make([]string, len(p))
	for i := range p {
		s[i] = p[i].String()
	}
	return strings.Join(s, "\n")
}

// err is p in order, nil where there is none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(rank(a.File), rank(b.File)), cmp.Compare(a.Line, b.Line))
	})
	return p
}

func rank(file string) int {
	switch file {
	case environment:
		return 1
	case "":
		return 2
	}
	return 0
}

// environment is what Problem.File says of an environment variable.
const environment = "environment"

// places remembers where each key was given, and which have been complained about already.
type places struct {
	file  string
	lines map[string]int    // key -> line in file
	vars  map[string]string // key -> environment variable, which outranks the file
	bad   map[string]bool   // keys whose value was not usable: what follows from that is no further mistake
}

func newPlaces(file string) *places {
	return &places{file: file, lines: map[string]int{}, vars: map[string]string{}, bad: map[string]bool{}}
}

// problem is a Problem at the place of key, or of the nearest thing around it.
func (p *places) problem(key, message string) Problem {
	if p == nil {
		return Problem{Key: key, Message: message}
	}
	for k := key; k != ""; k = parent(k) {
		if name, ok := p.vars[k]; ok {
			return Problem{File: environment, Key: name + key[len(k):], Message: message}
		}
	}
	for k := key; ; k = parent(k) {
		if line, ok := p.lines[k]; ok || k == "" {
			return Problem{File: p.file, Line: line, Key: key, Message: message}
		}
	}
}

// outranks says whether key is given by the environment and the other is not.
func (p *places) outranks(key, other string) bool {
	return p != nil && p.vars[key] != "" && p.vars[other] == ""
}

// isBad says whether key, something around it or something in it was complained about already.
func (p *places) isBad(key string) bool {
	if p == nil {
		return false
	}
	for k := key; k != ""; k = parent(k) {
		if p.bad[k] {
			return true
		}
	}
	for k := range p.bad {
		if rest, ok := strings.CutPrefix(k, key); ok && (rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// parent cuts the last part off a key: sources[1].dir, sources[1], sources.
func parent(key string) string {
	i := strings.LastIndexAny(key, ".[")
	if i < 0 {
		return ""
	}
	return key[:i]
}
