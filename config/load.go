package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// Load reads the configuration file and the environment, which outranks it, over the defaults. An empty path means no file.
// environ is in the form of os.Environ; of it only the variables of Keys are looked at, and an empty one counts as not
// set. A variable whose name is nearly one of them is a mistake, any other is not, because orchestrators put variables of
// their own beside them.
//
// The error is Problems where the configuration is wrong: everything that is, including what Validate would find in the
// parts that could be read.
func Load(path string, environ []string) (*Config, error) {
	if path == "" {
		return load("", nil, environ)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read config: %w", err)
	}
	return load(path, b, environ)
}

// Parse is Load of a text that somebody sent. Problems call it by the name. No file that it names is read or looked for, so that nobody
// learns from it what is on this machine: it has no secrets, and mistakes in files are not found.
func Parse(name string, text []byte, environ []string) (*Config, error) {
	return loadNamed(name, text, environ, true)
}

// load is Load with the content of the file.
func load(path string, b []byte, environ []string) (*Config, error) {
	return loadNamed(path, b, environ, false)
}

// loadNamed is load, where unread says that files that the text names are left alone.
func loadNamed(path string, b []byte, environ []string, unread bool) (*Config, error) {
	r := reader{places: newPlaces(path), lines: true, base: filepath.Dir(path)}

	// One viper for each load, never the global one. Every key is given to it with its own path by the functions below, so
	// it never splits a name from the file, and a variable of the environment needs nothing from viper's own lookup, which
	// does not see keys that are in no file.
	const delimiter = "::"
	v := viper.NewWithOptions(viper.KeyDelimiter(delimiter))
	slashed := func(key string) string { return strings.ReplaceAll(key, ".", delimiter) }
	eachKey(reflect.ValueOf(Default()), "", "", func(key, _ string, d reflect.Value) {
		if x := plain(d); x != nil && !strings.Contains(key, "[]") {
			v.SetDefault(slashed(key), x)
		}
	})

	doc, err := parse(bytes.NewReader(b))
	if err != nil {
		return nil, Problems{notYAML(path, err)}
	}
	if doc != nil {
		if m, ok := r.value(doc, reflect.TypeFor[Config](), "").(map[string]any); ok {
			if err := v.MergeConfigMap(m); err != nil {
				return nil, fmt.Errorf("read config %s: %w", path, err)
			}
		}
	}

	r.lines, r.base = false, ""
	for key, value := range r.environment(environ) {
		v.Set(slashed(key), value)
	}

	c := &Config{places: r.places, unread: unread}
	err = v.UnmarshalExact(c, func(d *mapstructure.DecoderConfig) {
		d.WeaklyTypedInput = false
		d.DecodeHook = mapstructure.TextUnmarshallerHookFunc()
	})
	if err != nil {
		return nil, fmt.Errorf("read config %s: %w", path, err)
	}
	if len(r.problems) == 0 {
		return c, nil
	}
	var more Problems
	if _, err := c.Validate(); errors.As(err, &more) {
		r.problems = append(r.problems, more...)
	}
	return nil, r.problems.err()
}

// environment reads the variables that are keys. The answer is by key.
func (r *reader) environment(environ []string) map[string]any {
	types := map[string]reflect.Type{}
	keys := map[string]string{}
	var known []string
	eachKey(reflect.ValueOf(Config{}), "", "", func(key, env string, v reflect.Value) {
		if !strings.Contains(key, "[]") {
			keys[env], types[key] = key, v.Type()
			known = append(known, env)
		}
	})
	out := map[string]any{}
	for _, e := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(e, "=")
		key, ok := keys[name]
		if !ok {
			if !strings.HasPrefix(name, envPrefix) {
				continue
			}
			if now, ok := movedVariables[name]; ok {
				r.problems = append(r.problems, Problem{environment, 0, name, "is now " + now})
			} else if near := nearest(name, known); near != "" {
				r.problems = append(r.problems, Problem{environment, 0, name, "unknown key; did you mean " + near + "?"})
			}
			continue
		}
		if strings.TrimSpace(value) == "" {
			continue
		}
		r.places.vars[key] = name
		// What the file said of it, right or wrong, no longer matters.
		r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool {
			return p.File == r.places.file && (p.Key == key || strings.HasPrefix(p.Key, key+"[") || strings.HasPrefix(p.Key, key+"."))
		})
		for k := range r.places.bad {
			if k == key || strings.HasPrefix(k, key+"[") || strings.HasPrefix(k, key+".") {
				delete(r.places.bad, k)
			}
		}
		n, err := fromEnv(value, types[key])
		if err != nil {
			r.bad(key, &yaml.Node{}, "%s", err)
			continue
		}
		if x := r.value(n, types[key], key); x != nil {
			out[key] = x
		}
	}
	return out
}

// movedVariables are variables that were, and what is written instead.
var movedVariables = map[string]string{
	"MEANTIME_ALERTMANAGER_URL": "MEANTIME_ALERTMANAGERS, a list: write MEANTIME_ALERTMANAGERS='[{url: …}]'",
	"MEANTIME_PROMETHEUS_URL":   "MEANTIME_PROMETHEUSES, a list: write MEANTIME_PROMETHEUSES='[{url: …}]'",
}

// fromEnv is the value of a variable as the node it would be in the file. A list is written as in the file, in brackets;
// a list of names can also be separated by commas.
func fromEnv(value string, t reflect.Type) (*yaml.Node, error) {
	scalar := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(s)}
	}
	if t.Kind() != reflect.Slice {
		return scalar(value), nil
	}
	if strings.HasPrefix(strings.TrimSpace(value), "[") {
		n, err := parse(strings.NewReader(value))
		if err != nil {
			return nil, errors.New(notYAML("", err).Message)
		}
		return n, nil
	}
	switch {
	case isSectionList(t):
		return nil, errors.New("not a list; write it as in the file, in brackets: [{" + names(t.Elem())[0] + ": …}]")
	case t == reflect.TypeFor[Matchers]():
		return &yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{scalar(value)}}, nil
	}
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for s := range strings.SplitSeq(value, ",") {
		list.Content = append(list.Content, scalar(s))
	}
	return list, nil
}

// plain is a default in the form that viper merges; nil for none.
func plain(v reflect.Value) any {
	switch x := v.Interface().(type) {
	case Duration:
		if !x.Given() {
			return nil
		}
		return x.String()
	case DSN:
		return string(x)
	case Path:
		return string(x)
	}
	if v.Kind() == reflect.Slice {
		if v.IsNil() {
			return nil
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i))
		}
		return out
	}
	return v.Interface()
}
