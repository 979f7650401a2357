package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"meantime/incident"
)

// envPrefix begins the name of every environment variable of the configuration.
const envPrefix = "MEANTIME_"

// Key is one key of the configuration.
type Key struct {
	Path    string // in the file, such as correlate.window.before; keys of a list's elements have [] after the list's name
	Env     string // its environment variable; a list is given whole, so the keys of its elements share the list's
	Default string // as it would be written, empty for none
	InList  bool   // it is a key of a list's elements
}

// Keys lists every key, in the order of Config.
func Keys() []Key {
	var out []Key
	def := Default()
	eachKey(reflect.ValueOf(def), "", "", func(path, env string, v reflect.Value) {
		out = append(out, Key{Path: path, Env: env, Default: written(v), InList: strings.Contains(path, "[]")})
	})
	return out
}

// eachKey calls f for every key below v, at its path, with its value.
func eachKey(v reflect.Value, path, env string, f func(path, env string, v reflect.Value)) {
	for _, fd := range fieldsOf(v.Type()) {
		p, fv := join(path, fd.name), v.FieldByIndex(fd.index)
		e := env
		if e == "" {
			e = envName(p)
		}
		switch {
		case isSection(fd.typ):
			eachKey(fv, p, env, f)
		case isSectionList(fd.typ):
			f(p, e, fv)
			eachKey(reflect.New(fd.typ.Elem()).Elem(), p+"[]", e, f)
		default:
			f(p, e, fv)
		}
	}
}

// field is a field of one of Config's structs.
type field struct {
	name  string // in the file
	index []int  // for reflect's FieldByIndex
	typ   reflect.Type
}

// fieldsOf lists the fields of one of Config's structs; those of an embedded struct count as its own.
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if !sf.IsExported() {
			continue
		}
		tag := sf.Tag.Get("mapstructure")
		if tag == ",squash" {
			for _, in := range fieldsOf(sf.Type) {
				in.index = append([]int{i}, in.index...)
				out = append(out, in)
			}
			continue
		}
		out = append(out, field{tag, []int{i}, sf.Type})
	}
	return out
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// isSection says whether a type is a mapping of keys.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(textUnmarshaler)
}

// isSectionList says whether a type is a list of mappings.
func isSectionList(t reflect.Type) bool { return t.Kind() == reflect.Slice && isSection(t.Elem()) }

// written is a value as it would be written in the file.
func written(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Slice:
		s := make([]string, v.Len())
		for i := range s {
			s[i] = written(v.Index(i))
		}
		if len(s) == 0 {
			return ""
		}
		return "[" + strings.Join(s, ", ") + "]"
	case v.Kind() == reflect.Int, v.Kind() == reflect.Bool, !v.IsZero():
		return fmt.Sprint(v.Interface())
	}
	return ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// envName is the environment variable of a key.
func envName(path string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}

// nearest is the one of names that was probably meant by s, empty where none was.
func nearest(s string, names []string) string {
	for _, n := range names {
		if strings.EqualFold(n, strings.NewReplacer("-", "_", " ", "_").Replace(s)+"_file") {
			return n // a secret, which stands in a file of its own
		}
	}
	return incident.Nearest(s, names)
}

// elsewhere is the path of the key or section of that name in another part of the file, empty where there is none.
func elsewhere(name string) string {
	for _, k := range Keys() {
		parts := strings.Split(k.Path, ".")
		if i := slices.Index(parts, name); i > 0 {
			return strings.Join(parts[:i+1], ".")
		}
	}
	return ""
}
