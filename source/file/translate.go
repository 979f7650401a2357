package file

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"meantime/incident"
)

// maxNodes bounds how much the records of one file can say. A file in which aliases repeat themselves can be far larger
// than it looks.
const maxNodes = 500_000

// translation turns the nodes of one record into what its JSON would be, and remembers the line of every place. It goes
// along the Go type of a record: that tells which keys there are, and that a text belongs where YAML sees a number, a
// date or a truth value.
type translation struct {
	lines    map[string]int        // by path, as incident.Problems write it
	values   map[string]*yaml.Node // likewise, what is there; an alias's is what it stands for
	problems []Problem
	wrong    map[string]bool // the paths of problems
	unknown  []Problem
	told     map[told]bool
	budget   *int
}

// told is a problem that was noted. One place of a file is many of a record where aliases repeat it; it is said once.
type told struct {
	node    *yaml.Node
	below   string // the rest of a path that ends below the node
	message string
}

func newTranslation(n *yaml.Node, budget *int) *translation {
	return &translation{
		lines: map[string]int{"": n.Line}, values: map[string]*yaml.Node{"": n}, wrong: map[string]bool{}, told: map[told]bool{}, budget: budget,
	}
}

var (
	recordType = reflect.TypeFor[incident.Record]()
	statedType = reflect.TypeFor[incident.Stated]()
	timeType   = reflect.TypeFor[time.Time]()
)

func (t *translation) record(n *yaml.Node) map[string]any {
	if n.Kind != yaml.MappingNode {
		t.bad("", n, "%s where a record belongs", kindOf(n))
		return nil
	}
	m, _ := t.value(n, recordType, "").(map[string]any)
	return m
}

// line is the line of a path, or of the nearest place around it that has one.
func (t *translation) line(path string) int { return t.lines[t.nearest(path)] }

// nearest is a path, or that of the nearest place around it that the file has.
func (t *translation) nearest(path string) string {
	for {
		if _, ok := t.lines[path]; ok {
			return path
		}
		i := strings.LastIndexAny(path, ".[")
		path = path[:max(i, 0)]
	}
}

// first says whether a problem at a place is noted for the first time.
func (t *translation) first(n *yaml.Node, below, message string) bool {
	key := told{n, below, message}
	if t.told[key] {
		return false
	}
	t.told[key] = true
	return true
}

// firstAt is first for a problem at a path.
func (t *translation) firstAt(p Problem) bool {
	near := t.nearest(p.Path)
	return t.first(t.values[near], p.Path[len(near):], p.Message)
}

// found remembers where a path lies in the file.
func (t *translation) found(path string, line int, value *yaml.Node) {
	for value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	t.lines[path], t.values[path] = line, value
}

func (t *translation) bad(path string, n *yaml.Node, format string, args ...any) {
	t.wrong[path] = true
	if message := fmt.Sprintf(format, args...); t.first(n, "", message) {
		t.problems = append(t.problems, Problem{Line: n.Line, Path: path, Message: message})
	}
}

// value translates the node at path, whose Go type is typ; nil for what is not given or was reported.
func (t *translation) value(n *yaml.Node, typ reflect.Type, path string) any {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if *t.budget--; *t.budget < 0 {
		if *t.budget == -1 {
			t.bad(path, n, "the file says more than %d things", maxNodes)
		}
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	switch {
	case typ == timeType || typ.Kind() == reflect.String:
		return t.scalar(n, path, "a text", n.Value)
	case typ == statedType && n.Kind == yaml.ScalarNode: // the short form of a milestone: its time
		return n.Value
	case typ.Kind() == reflect.Struct, typ.Kind() == reflect.Map:
		if n.Kind != yaml.MappingNode {
			t.bad(path, n, "%s where keys and values belong", kindOf(n))
			return nil
		}
		return t.mapping(n, typ, path)
	case typ.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			t.bad(path, n, "%s where a list belongs", kindOf(n))
			return nil
		}
		list := make([]any, 0, len(n.Content))
		for i, c := range n.Content {
			p := fmt.Sprintf("%s[%d]", path, i)
			t.found(p, c.Line, c)
			list = append(list, t.value(c, typ.Elem(), p))
		}
		return list
	case typ.Kind() == reflect.Bool:
		b, err := strconv.ParseBool(strings.ToLower(n.Value))
		if err != nil || n.Tag != "!!bool" {
			t.bad(path, n, "not true or false")
			return nil
		}
		return b
	default:
		i, err := strconv.Atoi(n.Value)
		if err != nil || n.Kind != yaml.ScalarNode {
			t.bad(path, n, "not a whole number")
			return nil
		}
		return i
	}
}

func (t *translation) scalar(n *yaml.Node, path, what string, v any) any {
	if n.Kind != yaml.ScalarNode {
		t.bad(path, n, "%s where %s belongs", kindOf(n), what)
		return nil
	}
	return v
}

func (t *translation) mapping(n *yaml.Node, typ reflect.Type, path string) any {
	out := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			t.bad(path, k, "%s where a key belongs", kindOf(k))
			continue
		}
		p := k.Value
		if path != "" {
			p = path + "." + k.Value
		}
		if _, twice := out[k.Value]; twice {
			t.bad(p, k, "given twice")
			continue
		}
		var elem reflect.Type
		if typ.Kind() == reflect.Map {
			elem = typ.Elem()
		} else if elem = incident.JSONKeys(typ)[k.Value]; elem == nil {
			t.miss(k, typ, p)
			continue
		}
		t.found(p, k.Line, v)
		if x := t.value(v, elem, p); x != nil {
			out[k.Value] = x
		}
	}
	return out
}

// miss notes a key that is not read, and the one that was probably meant.
func (t *translation) miss(k *yaml.Node, typ reflect.Type, path string) {
	msg := incident.UnreadKey(path, k.Value, typ).Message
	if k.Value == "<<" {
		msg = "merge keys are not read; write the keys out"
	}
	if t.first(k, "", msg) {
		t.unknown = append(t.unknown, Problem{Line: k.Line, Path: path, Message: msg, Warning: true})
	}
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}
