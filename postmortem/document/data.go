package document

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"path"
	"regexp"
	"strings"

	"meantime/incident"
)

// dataKinds are the extensions of files that hold data, which read as prose would say what nobody wrote.
var dataKinds = map[string]string{
	".json": "JSON", ".jsonl": "JSON", ".ndjson": "JSON", ".yaml": "YAML", ".yml": "YAML", ".csv": "CSV", ".tsv": "CSV",
	".toml": "TOML", ".xml": "XML",
}

// RefuseData is an error where a file holds data and not a written document.
func RefuseData(name string, body []byte) error {
	kind := dataKind(name, body)
	if kind == "" {
		return nil
	}
	return incident.Errorf(incident.CodeUnprocessable,
		"this is %s, data and not a written document: turn each incident into a record (title, services, milestones with their times) "+
			"for the folder of a file source or for PUT /api/v1/records/SOURCE/ID", kind)
}

func dataKind(name string, body []byte) string {
	if kind := dataKinds[strings.ToLower(path.Ext(name))]; kind != "" {
		return kind
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(body) > 0 && (body[0] == '{' || body[0] == '[') {
		// One value, or one a line.
		if d := json.NewDecoder(bytes.NewReader(body)); d.Decode(new(json.RawMessage)) == nil {
			rest := bytes.TrimSpace(body[d.InputOffset():])
			if len(rest) == 0 || rest[0] == body[0] && json.Valid(body[:d.InputOffset()]) && d.Decode(new(json.RawMessage)) == nil {
				return "JSON"
			}
		}
	}
	for _, comma := range ",;\t" {
		if isCSV(body, comma) {
			return "CSV"
		}
	}
	return ""
}

var columnName = regexp.MustCompile(`^"?\p{L}[\p{L}\p{N} _()/.-]{0,39}$`)

// isCSV says whether a text is a table of at least three columns: a line of their names, and lines with as many values.
func isCSV(body []byte, comma rune) bool {
	head, _, _ := bytes.Cut(body, []byte("\n"))
	if bytes.Count(head, []byte(string(comma))) < 2 {
		return false
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.Comma = comma
	lines, err := r.ReadAll() // every line must have as many values as the first
	if err != nil || len(lines) < 2 {
		return false
	}
	for _, name := range lines[0] {
		if !columnName.MatchString(strings.TrimSpace(name)) || strings.HasSuffix(strings.TrimSpace(name), ".") {
			return false
		}
	}
	return true
}
