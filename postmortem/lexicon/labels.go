package lexicon

import (
	"strings"
	"unicode/utf8"
)

// fieldNames are what a labelled field can be about.
var fieldNames = []string{"started", "detected", "acknowledged", "identified", "mitigated", "resolved", "duration", "period", "date",
	"severity", "services", "regions", "detected_by", "cause", "zone", "kind"}

// FieldKey folds a label to what labels are compared by: its words without marks.
func FieldKey(s string) string {
	var b strings.Builder
	for _, t := range Tokenize(FoldWidth(s)) {
		if t.Stop || t.Comma {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Text)
	}
	return b.String()
}

// CutLabel splits "Label: value" and "Label – value" at its first colon; the colon of a clock time is none.
func CutLabel(s string) (label, value string, ok bool) {
	for i, r := range s {
		if i > 80 {
			break
		}
		if r != ':' {
			continue
		}
		n := utf8.RuneLen(r)
		if i > 0 && IsDigit(s[i-1]) && i+n < len(s) && IsDigit(s[i+n]) {
			return "", "", false
		}
		return s[:i], strings.TrimSpace(s[i+n:]), true
	}
	if i := strings.Index(s, " = "); i > 0 && i < 50 {
		return s[:i], strings.TrimSpace(s[i+3:]), true
	}
	for _, sep := range []string{" – ", " — ", " - "} {
		if i := strings.Index(s, sep); i > 0 && i < 40 {
			return s[:i], strings.TrimSpace(s[i+len(sep):]), true
		}
	}
	return "", "", false
}
