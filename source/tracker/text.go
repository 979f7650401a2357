package tracker

import (
	"regexp"
	"slices"
	"strings"

	"meantime/incident"
)

var (
	// address finds addresses, also in JSON.
	address = regexp.MustCompile(`https?://[^\s"\\<>()\[\]{}|^` + "`" + `]+[^\s"\\<>()\[\]{}|^` + "`" + `.,;:!?'*_]`)
	// pasted finds fingerprints that are said to be ones.
	pasted = regexp.MustCompile(`(?i)\bfingerprint["'` + "`" + `*]{0,3}[\s:=]{1,4}["'` + "`" + `*]{0,3}([0-9a-f]{16})\b`)
)

// AddText adds what people paste into a text, or a template writes there: alerts by their labels or by a fingerprint that is
// said to be one, and addresses, which may be those of other records.
func AddText(refs *incident.References, text string) {
	for _, l := range incident.TextLabels(text) {
		Add(&refs.Fingerprints, incident.Fingerprint(l))
	}
	for _, m := range pasted.FindAllStringSubmatch(text, -1) {
		Add(&refs.Fingerprints, strings.ToLower(m[1]))
	}
	for _, u := range address.FindAllString(text, -1) {
		Add(&refs.URLs, u)
	}
}

// Add adds a text to a list, unless it is empty or there already.
func Add(list *[]string, s string) {
	if s != "" && !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}
