package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"meantime/incident"
)

// postmortemSource is the source that records of postmortems are stored under where the request names none.
const postmortemSource = "postmortems"

// readRecord is a record read from a postmortem with what it leaves open.
type readRecord struct {
	Record    incident.Record     `json:"record"`
	Questions []incident.Question `json:"questions"`
}

// postPostmortem reads a written postmortem and stores the records it tells of. The body is the document itself, with its
// file name as the parameter name, or a JSON object of name, document and answers.
func (a *api) postPostmortem(w http.ResponseWriter, r *http.Request) error {
	q := newQuery(r, "name", "source", "dry_run")
	source, name, dry := q.text("source"), q.text("name"), q.flag("dry_run")
	if err := q.err(); err != nil {
		return err
	}
	if source == "" {
		source = postmortemSource
	}
	if slices.Contains(a.Reserved(), source) {
		return incident.Errorf(incident.CodeConflict, "source %q is configured and owns its records; write under another name", source)
	}
	b, err := a.body(w, r)
	if err != nil {
		return err
	}
	in := struct {
		Name     string `json:"name"`
		Document string `json:"document"`
		Answers  string `json:"answers"`
	}{name, "", ""}
	document := b
	if isJSON(r.Header.Get("Content-Type")) {
		if err := json.Unmarshal(b, &in); err != nil {
			return incident.Errorf(incident.CodeInvalid, `not JSON of the form {"name", "document", "answers"}: %w`, err)
		}
		document = []byte(in.Document)
	}
	if in.Name == "" {
		return incident.Problems{{Path: "name", Message: "missing; the file name or address of the document, which gives its records their id"}}
	}
	records, err := a.ReadPostmortem(in.Name, document, []byte(in.Answers))
	if err != nil {
		return err
	}
	out := struct {
		Records []readRecord `json:"records"`
	}{[]readRecord{}}
	for i := range records {
		if err := records[i].CheckPast(a.Now()); err != nil {
			return fmt.Errorf("record %q: %w", cut(records[i].ID), err)
		}
		records[i].Source = source
		shown := records[i]
		shown.Questions = nil
		out.Records = append(out.Records, readRecord{shown, append([]incident.Question{}, records[i].Questions...)})
	}
	if dry || len(records) == 0 {
		return reply(w, http.StatusOK, out)
	}
	if err := a.put(r, incident.Facts{Records: records}); err != nil {
		return err
	}
	return reply(w, http.StatusCreated, out)
}
