// Package tracker is what connectors of trackers of issues have in common: statuses and labels that mean milestones, what people paste
// into texts, and the alerts of Jira Service Management, which are Opsgenie's.
package tracker

import (
	"fmt"
	"slices"
	"strings"

	"meantime/incident"
	"meantime/source"
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
	return names(key, list, "acknowledged=In progress|Investigating", "is no milestone", append(fields, besides...))
}

// NewFields reads a list of `field=name|other name` that are no milestones.
func NewFields(key string, list []string, fields ...string) (Names, []error) {
	return names(key, list, "service=Affected services", "is not known here", fields)
}

// NewSeverities reads a list of `severity=name|other name`. A severity is any word.
func NewSeverities(key string, list []string) (Names, []error) {
	return names(key, list, "critical=sev1|sev-1", "", nil)
}

// names reads a list of `field=name|other name`; fields nil lets any be one, else unknown says what another is.
func names(key string, list []string, example, unknown string, fields []string) (Names, []error) {
	out := Names{}
	var errs []error
	for i, line := range list {
		bad := func(format string, args ...any) {
			errs = append(errs, &source.OptionError{Key: fmt.Sprintf("%s[%d]", key, i), Err: fmt.Errorf(format, args...)})
		}
		field, names, ok := strings.Cut(line, "=")
		field = strings.TrimSpace(field)
		switch {
		case !ok || strings.TrimSpace(names) == "" || field == "":
			bad("%q; write it like %s", line, example)
			continue
		case fields != nil && !slices.Contains(fields, field):
			hint := "it is one of " + strings.Join(fields, ", ")
			if near := incident.Nearest(field, fields); near != "" {
				hint = "did you mean " + near + "?"
			}
			bad("%q %s; %s", field, unknown, hint)
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
