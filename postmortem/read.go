package postmortem

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/postmortem/calendar"
	"meantime/postmortem/document"
	"meantime/postmortem/events"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/milestones"
	"meantime/postmortem/timeline"
	"meantime/postmortem/timex"
)

// Options are what a caller knows beyond the text.
type Options struct {
	// Answers settle questions that an earlier reading asked.
	Answers Answers
	// Location is the zone of times that neither carry one nor stand in a document that says one; nil leaves them unknown.
	Location *time.Location

	// Vocabulary is what it is read with, nil for all lexicons.
	Vocabulary *lexicon.Vocabulary

	// Services are known names of services, each with the service it means: the title and the impact may name them.
	Services map[string]string
}

// What is found is the milestones' own.
type (
	Found   = milestones.Found
	Entry   = milestones.Entry
	Weighed = milestones.Weighed
)

// AskAbsent is the kind of the one question that names what the document seems to say nothing of.
const AskAbsent = milestones.AskAbsent

// MaxDocument is the largest document read, in bytes.
const MaxDocument = document.MaxDocument

// Result is what a document tells: usually one incident, several where it tells of several, none where it tells of none.
type Result struct {
	Title     string
	Language  string // the code of the lexicon it was read with
	Incidents []milestones.Found
	// Unused are answers that settled nothing, in words.
	Unused []string
}

// Read reads a written postmortem. The name is the document's file name or address: it gives the records their ID, may
// hold a date, and its extension may say what the document is. Reading the same twice gives the same. The error
// is an incident.Error with code invalid or too_large for a document that cannot be read at all, and unprocessable for
// data; a document that tells of no incident is no error.
func Read(name string, body []byte, opts Options) (Result, error) {
	if len(body) > document.MaxDocument {
		return Result{}, incident.Errorf(incident.CodeTooLarge, "%d bytes are more than the %d a postmortem may have", len(body),
			document.MaxDocument)
	}
	if strings.IndexByte(string(body[:min(len(body), 512)]), 0) >= 0 && !utf16Mark(body) {
		return Result{}, incident.Errorf(incident.CodeInvalid, "not a text")
	}
	if err := document.RefuseData(name, body); err != nil {
		return Result{}, err
	}
	all, err := opts.Vocabulary.Set()
	if err != nil {
		return Result{}, err
	}
	if _, err := timex.ZoneTable(); err != nil {
		return Result{}, err
	}
	d := document.Parse(name, body)
	t := document.Detect(d.Blocks, all)
	res := Result{Title: document.QuoteText(d.Title, 200), Language: t.Code}
	if len(d.Blocks) == 0 {
		return res, nil
	}
	sup, err := events.NewSuppliers(&d, t)
	if err != nil {
		return Result{}, err
	}
	o := timeline.Of(d, t)
	if !events.Tells(o) {
		return res, nil
	}
	fs := o.Fields()
	given := calendar.Given{Location: opts.Location, Zone: opts.Answers.zone, Date: opts.Answers.date, Year: opts.Answers.year}
	cal := calendar.Of(o, given)
	order := calendar.Place(o, &cal)
	zc := calendar.ZoneOf(o, fs, given)
	calendar.Apply(o, zc, &cal)
	for i := range o.Entries {
		events.Classify(o, &o.Entries[i], sup)
	}
	sort := events.Sort(o, fs)
	groups := events.Split(o, &cal)
	used := opts.Answers.track()
	known := milestones.NewServices(opts.Services)
	for g := range groups {
		r := milestones.Reader{Outline: o, Fields: fs, Calendar: &cal, Zone: zc, Order: order, Group: groups[g], Of: len(groups), Sort: sort,
			Suppliers: sup, Known: known}
		f, err := r.Read()
		if err != nil {
			return Result{}, err
		}
		f.Record.ID = recordID(name, g, groups[g].ID)
		used.settle(&f, g)
		f.Record.Questions = f.Questions
		f.Record.Normalize()
		if err := f.Record.Validate(); err != nil {
			return Result{}, err
		}
		if len(f.Entries) > 0 || len(f.Record.Milestones) > 0 || len(f.Record.Impacts) > 0 || f.Problem != nil && len(f.Problem.Sources) > 0 {
			res.Incidents = append(res.Incidents, f)
		}
	}
	res.Unused = used.unused()
	return res, nil
}

func utf16Mark(b []byte) bool {
	return len(b) > 1 && (b[0] == 0xFF && b[1] == 0xFE || b[0] == 0xFE && b[1] == 0xFF)
}

// extensions are those that a record's ID leaves out.
var extensions = []string{".md", ".markdown", ".qmd", ".html", ".htm", ".xhtml", ".txt", ".rst", ".adoc", ".mdx"}

// anybodys are names, folded, that many documents have, each in a folder of its own.
var anybodys = []string{"readme", "index", "postmortem", "incident", "report", "incidentreport", "retrospective", "summary"}

// recordID is the document's name without folder and extension, with a number behind it for every incident after the first or
// what tells it from them, so that an edit of the text keeps the record. Where many documents have that name it is the name of
// the folder.
func recordID(name string, n int, own string) string {
	if i := strings.IndexAny(name, "?#"); i > 0 && strings.Contains(name, "://") {
		name = name[:i]
	}
	name = strings.TrimRight(strings.ReplaceAll(name, `\`, "/"), "/")
	id := path.Base(name)
	for _, ext := range extensions {
		if len(id) > len(ext) && strings.EqualFold(id[len(id)-len(ext):], ext) {
			id = id[:len(id)-len(ext)]
			break
		}
	}
	folder := path.Base(path.Dir(name))
	if slices.Contains(anybodys, strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(id))) &&
		strings.Trim(folder, "./") != "" {
		id = folder
	}
	id = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == '<' || r == '>' {
			return -1
		}
		return r
	}, id)
	if len(id) > 200 {
		id = id[:lexicon.CutAt(id, 200)]
	}
	id = strings.ToValidUTF8(strings.TrimSpace(id), "")
	if id == "" || id == "." || id == "/" {
		id = "postmortem"
	}
	if own != "" {
		id += "-" + own
	} else if n > 0 {
		id = fmt.Sprintf("%s-%d", id, n+1)
	}
	return id
}
