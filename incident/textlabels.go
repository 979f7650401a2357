package incident

import "strings"

// TextLabels reads back the labels of alerts that Alertmanager wrote into a text, as its default templates do for pagers
// and tickets: a line "Labels:", a line " - name = value" for each label, sorted by name with alertname first, and a line
// "Annotations:" (Alertmanager's template __text_alert_list, and with two spaces __text_alert_list_markdown). The text
// loses line breaks and what a vendor cut off, so a block that is not exactly of this form gives nothing: rather no
// alert than another one.
func TextLabels(text string) (alerts []map[string]string) {
	var labels map[string]string // of the block being read; nil outside of one
	last, gap, markdown := "", false, false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "Labels:":
			labels, last, gap = map[string]string{}, "", false
		case labels == nil:
		case line == "" && !gap: // after the list of the markdown form, or of a value
			gap = true
		case line == "Annotations:":
			if gap == markdown && len(labels) > 0 && CheckLabels(labels) == nil {
				alerts = append(alerts, labels)
			}
			labels = nil
		default:
			name, value, ok := textLabel(line)
			if markdown = strings.HasPrefix(line, "  "); !ok || gap || !sortedAfter(name, last) {
				labels = nil
				continue
			}
			labels[name], last = value, name
		}
	}
	return alerts
}

// textLabel reads one label's line. A name with a space in it could be part of a value.
func textLabel(line string) (name, value string, ok bool) {
	rest, ok := strings.CutPrefix(line, " - ")
	if !ok {
		rest, ok = strings.CutPrefix(line, "  - ")
	}
	if !ok {
		return "", "", false
	}
	name, value, ok = strings.Cut(rest, " = ")
	return name, value, ok && name != "" && value != "" && !strings.ContainsAny(name, " \t")
}

// sortedAfter says whether a label's name comes after another's as Alertmanager sorts them.
func sortedAfter(name, last string) bool {
	return last == "" || name != "alertname" && (last == "alertname" || name > last)
}
