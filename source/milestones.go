package source

import (
	"fmt"
	"slices"
	"strings"

	"meantime/incident"
)

// Names are what a vendor's configuration calls things, such as the statuses that mean a milestone: by that name, in lower case,
// the milestone or other field of a record.
type Names map[string]string

// NewNames reads a list of `field=name|other name`. Fields are the milestones and those given besides. The error is an
// OptionError for each line that is wrong.
func NewNames(key string, list []string, besides ...string) (Names, []error) {
	var fields []string
	for _, m := range incident.MilestoneNames {
		fields = append(fields, string(m))
	}
	fields = append(fields, besides...)
	out := Names{}
	var errs []error
	for i, line := range list {
		bad := func(format string, args ...any) {
			errs = append(errs, &OptionError{Key: fmt.Sprintf("%s[%d]", key, i), Err: fmt.Errorf(format, args...)})
		}
		field, names, ok := strings.Cut(line, "=")
		field = strings.TrimSpace(field)
		switch {
		case !ok || strings.TrimSpace(names) == "":
			bad("%q; write it like acknowledged=In progress|Investigating", line)
			continue
		case !slices.Contains(fields, field):
			hint := "it is one of " + strings.Join(fields, ", ")
			if near := incident.Nearest(field, fields); near != "" {
				hint = "did you mean " + near + "?"
			}
			bad("%q is no milestone; %s", field, hint)
			continue
		}
		for name := range strings.SplitSeq(names, "|") {
			name = strings.ToLower(strings.TrimSpace(name))
			if other := out[name]; other != "" && other != field {
				bad("%q means %s already", name, other)
				continue
			}
			out[name] = field
		}
	}
	return out, errs
}

// Of is the field that a name means; empty where it means none.
func (n Names) Of(name string) string { return n[strings.ToLower(strings.TrimSpace(name))] }
