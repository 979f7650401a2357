package incident

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// maxUnread bounds how many keys that are not read are named.
const maxUnread = 100

// meant are keys that people give a record for what its form calls otherwise. They are compared without separators.
var meant = map[string]string{
	"start": "milestones.started", "started": "milestones.started", "startedat": "milestones.started", "starttime": "milestones.started",
	"begin": "milestones.started", "began": "milestones.started", "impactstart": "milestones.started",
	"detected": "milestones.detected", "detectedat": "milestones.detected", "detectiontime": "milestones.detected",
	"acknowledged": "milestones.acknowledged", "acknowledgedat": "milestones.acknowledged", "ack": "milestones.acknowledged",
	"identified": "milestones.identified", "identifiedat": "milestones.identified",
	"mitigated": "milestones.mitigated", "mitigatedat": "milestones.mitigated",
	"end": "milestones.resolved", "ended": "milestones.resolved", "endedat": "milestones.resolved", "endtime": "milestones.resolved",
	"resolved": "milestones.resolved", "resolvedat": "milestones.resolved", "closedat": "milestones.resolved",
	"status": "state", "component": "services", "components": "services", "priority": "severity", "name": "title", "link": "url",
}

// UnreadKey says that a key at path in a value of a record, whose Go type is typ, is not read, and which was probably meant.
func UnreadKey(path, key string, typ reflect.Type) Problem {
	names := slices.Sorted(maps.Keys(JSONKeys(typ)))
	near := Nearest(key, names)
	if near == "" && typ == reflect.TypeFor[Record]() {
		near = meant[unmarked(key)]
	}
	msg := "a key that is not read"
	if near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return Problem{path, msg}
}

// JSONKeys are the keys of a struct in its JSON form with the types of their values.
func JSONKeys(typ reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if name != "" && name != "-" {
			out[name] = typ.Field(i).Type
		}
	}
	return out
}

// UnreadKeys names the keys in the JSON of a record that DecodeRecord does not read, in order of their paths. Of what is
// no JSON object there are none.
func UnreadKeys(b []byte) Problems {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	var out Problems
	unread(v, reflect.TypeFor[Record](), "", &out)
	if len(out) > maxUnread {
		more := len(out) - maxUnread
		out = append(out[:maxUnread], Problem{"", fmt.Sprintf("and %d more keys that are not read", more)})
	}
	return out
}

func unread(v any, typ reflect.Type, path string, out *Problems) {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch v := v.(type) {
	case []any:
		if typ.Kind() == reflect.Slice {
			for i, x := range v {
				unread(x, typ.Elem(), fmt.Sprintf("%s[%d]", path, i), out)
			}
		}
	case map[string]any:
		if typ == reflect.TypeFor[time.Time]() || typ.Kind() != reflect.Struct && typ.Kind() != reflect.Map {
			return
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			p := cut(k)
			if path != "" {
				p = path + "." + p
			}
			if typ.Kind() == reflect.Map {
				unread(v[k], typ.Elem(), p, out)
			} else if elem := jsonKey(typ, k); elem != nil {
				unread(v[k], elem, p, out)
			} else {
				*out = append(*out, UnreadKey(p, k, typ))
			}
		}
	}
}

// jsonKey is the type of a key's value, nil where the key is not read. encoding/json compares keys without regard to case.
func jsonKey(typ reflect.Type, key string) reflect.Type {
	keys := JSONKeys(typ)
	if t := keys[key]; t != nil {
		return t
	}
	for k, t := range keys {
		if strings.EqualFold(k, key) {
			return t
		}
	}
	return nil
}
