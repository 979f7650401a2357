package config

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds how much a file can say. A file in which aliases repeat themselves can be far larger than it looks.
const maxNodes = 200_000

// reader turns parsed YAML into the plain maps and lists that viper merges, checking every node against the type of its
// place in Config. What is wrong it reports and leaves out, so that the rest can be checked as well.
type reader struct {
	places   *places
	base     string // relative paths are relative to this folder
	lines    bool   // the nodes have lines of the file
	visited  int
	problems Problems
}

// parse reads one YAML document; nil where there is none.
func parse(b io.Reader) (*yaml.Node, error) {
	dec := yaml.NewDecoder(b)
	var doc, more yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(&more); err == nil {
		return nil, fmt.Errorf("yaml: line %d: a second document; the configuration is one", more.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if doc.Kind == yaml.DocumentNode {
		return doc.Content[0], nil
	}
	return &doc, nil
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// notYAML is what the parser complained about, as a problem with its line.
func notYAML(file string, err error) Problem {
	msg, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	return Problem{File: file, Line: line, Message: "not YAML: " + strings.TrimPrefix(msg, "yaml: ")}
}

func (r *reader) bad(key string, n *yaml.Node, format string, args ...any) {
	r.places.bad[key] = true
	r.note(key, n)
	r.problems = append(r.problems, r.places.problem(key, fmt.Sprintf(format, args...)))
}

// note remembers the line of a key.
func (r *reader) note(key string, n *yaml.Node) {
	if r.lines && n.Line > 0 {
		r.places.lines[key] = n.Line
	}
}

// value reads the node of a key as a value of its type: a map, a list, a string or a number; nil where nothing is given
// or where it was reported as wrong.
func (r *reader) value(n *yaml.Node, t reflect.Type, key string) any {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if r.visited++; r.visited > maxNodes {
		if r.visited == maxNodes+1 {
			r.bad(key, n, "the file says more than %d things", maxNodes)
		}
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	switch {
	case t == reflect.TypeFor[Pairs]():
		return r.pairs(n, key)
	case isSection(t):
		return r.section(n, t, key)
	case t.Kind() == reflect.Slice:
		return r.list(n, t, key)
	case n.Kind != yaml.ScalarNode:
		r.bad(key, n, "%s where a single value belongs", kindOf(n))
		return nil
	}
	return r.scalar(n, t, key)
}

func (r *reader) section(n *yaml.Node, t reflect.Type, key string) any {
	if n.Kind != yaml.MappingNode {
		r.bad(key, n, "%s where a mapping of keys belongs; the keys are %s", kindOf(n), strings.Join(names(t), ", "))
		return nil
	}
	out := map[string]any{}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		path := join(key, k.Value)
		fd, ok := fieldNamed(t, k.Value)
		switch {
		case k.Kind != yaml.ScalarNode:
			r.bad(key, k, "%s where the name of a key belongs", kindOf(k))
		case !ok:
			r.unknown(k, t, key)
		case seen[k.Value] > 0:
			line := ""
			if r.lines {
				line = fmt.Sprintf("; the first is in line %d", seen[k.Value])
			}
			r.bad(path, k, "given twice%s", line)
		default:
			seen[k.Value] = max(1, k.Line)
			r.note(path, k)
			if x := r.value(v, fd.typ, path); x != nil {
				out[k.Value] = x
			}
		}
	}
	return out
}

// pairs reads a mapping of names of the user's own. A value file:PATH is a path, relative like any other.
func (r *reader) pairs(n *yaml.Node, key string) any {
	if n.Kind != yaml.MappingNode {
		r.bad(key, n, "%s where a mapping belongs; write {NAME: VALUE}", kindOf(n))
		return nil
	}
	out := []any{}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		for v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		path := join(key, quotable(k.Value))
		r.note(path, k)
		r.visited++
		switch {
		case k.Kind != yaml.ScalarNode:
			r.bad(key, k, "%s where a name belongs", kindOf(k))
		case k.Value == "" || strings.Contains(k.Value, pairMark):
			r.bad(key, k, "%q is no name", quotable(k.Value))
		case seen[k.Value]:
			r.bad(path, k, "given twice")
		case v.Kind != yaml.ScalarNode:
			r.bad(path, k, "%s where a single value belongs", kindOf(v))
		default:
			seen[k.Value] = true
			value := v.Value
			if file, ok := strings.CutPrefix(value, filePrefix); ok && file != "" && !filepath.IsAbs(file) {
				value = filePrefix + filepath.Join(r.base, file)
			}
			out = append(out, k.Value+pairMark+value)
		}
	}
	return out
}

// filePrefix begins a value that stands in a file.
const filePrefix = "file:"

// moved are keys that were, and what is written instead.
var moved = map[string]string{
	"alertmanager":            "alertmanagers, a list: write alertmanagers: [{url: …}]",
	"prometheus":              "prometheuses, a list: write prometheuses: [{url: …}]",
	"alertmanagers[].ca_file": "tls_config.ca_file: write tls_config: {ca_file: …}",
	"prometheuses[].ca_file":  "tls_config.ca_file: write tls_config: {ca_file: …}",
}

var inBrackets = regexp.MustCompile(`\[\d+\]`)

// unknown reports a key that does not exist, with the one that was probably meant.
func (r *reader) unknown(k *yaml.Node, t reflect.Type, key string) {
	path := join(key, quotable(k.Value))
	if now, ok := moved[inBrackets.ReplaceAllString(path, "[]")]; ok {
		r.places.bad[path] = true
		r.note(path, k)
		r.problems = append(r.problems, r.places.problem(path, "is now "+now))
		return
	}
	var meant []string
	if near := nearest(k.Value, names(t)); near != "" {
		meant = append(meant, near)
		r.places.bad[join(key, near)] = true
	}
	if other := elsewhere(k.Value); other != "" {
		meant = append(meant, other)
	}
	hint := "the keys here are " + strings.Join(names(t), ", ")
	switch {
	case len(meant) > 0:
		hint = "did you mean " + strings.Join(meant, " or ") + "?"
	case k.Value == "<<":
		hint = "merge keys are not read; write the keys out"
	case strings.Contains(k.Value, "."):
		hint = "write the keys one within the other, such as store: {dsn: …}; " + hint
	}
	r.note(path, k)
	r.problems = append(r.problems, r.places.problem(path, "unknown key; "+hint))
}

func (r *reader) list(n *yaml.Node, t reflect.Type, key string) any {
	if n.Kind != yaml.SequenceNode {
		if n.Kind == yaml.ScalarNode && !isSection(t.Elem()) {
			r.bad(key, n, "a single value where a list belongs; write [%s]", quotable(n.Value))
		} else {
			r.bad(key, n, "%s where a list belongs", kindOf(n))
		}
		return nil
	}
	out := make([]any, len(n.Content))
	for i, c := range n.Content {
		if r.visited > maxNodes {
			return nil
		}
		path := fmt.Sprintf("%s[%d]", key, i)
		r.note(path, c)
		// An element that cannot be read stays, empty, so that those after it keep their place.
		if out[i] = r.value(c, t.Elem(), path); out[i] != nil {
			continue
		}
		if isSection(t.Elem()) {
			out[i] = map[string]any{}
		} else {
			out[i] = zeroText(t.Elem())
		}
		if !r.places.isBad(path) {
			r.bad(path, c, "empty")
		}
	}
	return out
}

// zeroText is text that a list's element of that type can be decoded from, in place of one that was reported.
func zeroText(t reflect.Type) string {
	if t == reflect.TypeFor[Duration]() {
		return "0s"
	}
	return ""
}

func (r *reader) scalar(n *yaml.Node, t reflect.Type, key string) any {
	switch {
	case t == reflect.TypeFor[Duration]():
		if _, err := ParseDuration(n.Value); err != nil {
			r.bad(key, n, "%s", err)
			return nil
		}
	case t == reflect.TypeFor[Path]():
		if n.Value != "" && !filepath.IsAbs(n.Value) {
			return filepath.Join(r.base, n.Value)
		}
	case t.Kind() == reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			r.bad(key, n, "not a whole number: %q", quotable(n.Value))
			return nil
		}
		return i
	case t.Kind() == reflect.Bool, t == reflect.TypeFor[*bool]():
		if n.Value != "true" && n.Value != "false" {
			r.bad(key, n, "not true or false: %q", quotable(n.Value))
			return nil
		}
		return n.Value == "true"
	case t.Kind() == reflect.Float64:
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil {
			r.bad(key, n, "not a number: %q", quotable(n.Value))
			return nil
		}
		return f
	}
	return n.Value
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

func names(t reflect.Type) []string {
	var out []string
	for _, f := range fieldsOf(t) {
		out = append(out, f.name)
	}
	return out
}

func fieldNamed(t reflect.Type, name string) (field, bool) {
	for _, f := range fieldsOf(t) {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}
