package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/common/model"
)

// Limits on one alert, whoever tells of it. An alert whose labels are over them is refused, because its labels are what
// it is; everything else is cut, because it only explains.
const (
	maxAlertLabels     = 128
	maxAlertLabelBytes = 16 << 10 // all names and values of one alert together
	maxAnnotations     = 64
	maxAnnotationName  = 256
	maxAnnotationBytes = 4 << 10 // one value
)

// Fingerprint is the fingerprint that Alertmanager computes of labels: 16 hexadecimal digits. Empty labels count as absent,
// as there.
func Fingerprint(labels map[string]string) string {
	set := make(model.LabelSet, len(labels))
	for k, v := range labels {
		if v != "" {
			set[model.LabelName(k)] = model.LabelValue(v)
		}
	}
	return set.Fingerprint().String()
}

// CheckLabels says why an alert cannot have these labels; nil where it can.
func CheckLabels(labels map[string]string) error {
	size := 0
	for k, v := range labels {
		size += len(k) + len(v)
	}
	switch {
	case len(labels) == 0:
		return fmt.Errorf("missing; they are what an alert is")
	case len(labels) > maxAlertLabels:
		return fmt.Errorf("%d are more than the %d allowed", len(labels), maxAlertLabels)
	case size > maxAlertLabelBytes:
		return fmt.Errorf("%d bytes are more than the %d allowed", size, maxAlertLabelBytes)
	}
	return nil
}

// PlainLabels are labels without what a database cannot hold (see PlainText). Where there is none of it they are given
// back as they are.
func PlainLabels(labels map[string]string) map[string]string {
	for k, v := range labels {
		if plainNUL(k) != k || plainNUL(v) != v {
			out := make(map[string]string, len(labels))
			for k, v := range labels {
				out[plainNUL(k)] = plainNUL(v)
			}
			return out
		}
	}
	return labels
}

// PlainAnnotations are annotations within limits: the first of them by name, long values cut. Those within limits are
// given back as they are.
func PlainAnnotations(annotations map[string]string) map[string]string {
	if len(annotations) == 0 {
		return nil
	}
	fits := len(annotations) <= maxAnnotations
	for k, v := range annotations {
		fits = fits && len(k) <= maxAnnotationName && len(v) <= maxAnnotationBytes
	}
	if fits {
		return PlainLabels(annotations)
	}
	names := slices.Sorted(maps.Keys(annotations))
	names = slices.DeleteFunc(names, func(n string) bool { return len(n) > maxAnnotationName })
	out := make(map[string]string, len(names))
	for _, n := range names[:min(len(names), maxAnnotations)] {
		out[plainNUL(n)] = PlainText(annotations[n], maxAnnotationBytes)
	}
	return out
}

// PlainText is s without the one character that is valid in JSON but that PostgreSQL takes in no text, cut between two
// characters to at most limit bytes and an ellipsis.
func PlainText(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit] + "…"
	}
	return plainNUL(s)
}

func plainNUL(s string) string { return strings.ReplaceAll(s, "\x00", "\uFFFD") }
