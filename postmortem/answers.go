package postmortem

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"meantime/incident"
	"meantime/postmortem/lexicon"
	"meantime/postmortem/milestones"
	"meantime/postmortem/timex"
)

// Answers settle a document's questions. Their form is a file beside the document, NAME.answers.yaml:
//
//	# How the document is to be read.
//	zone: America/Chicago        # a place, or an offset such as "-05:00"
//	date: 2016-10-11             # the day of the incident
//	year: 2018
//	answers:
//	  # By field: the value counts from now on, and every question about the field is settled.
//	  - field: milestones.started
//	    value: 2023-08-08T12:02:00Z
//	  - field: milestones.resolved
//	    value: unknown             # left out, and not asked again
//	  - field: severity
//	    value: critical
//	  # By question: its kind and one of the candidates it printed, or the beginning of one.
//	  - question: started
//	    candidate: 2024-07-18T08:57:00Z
//	  - question: duration
//	    value: accepted            # read and left as it is
//	  # In a document with several incidents, which: 1 is the first. Without it the answer counts for all.
//	  - field: severity
//	    value: minor
//	    incident: 2
//
// An answer holds its own value and no place in the text, so it survives every edit of the text.
type Answers struct {
	zone    timex.Zone
	date    time.Time
	year    int
	answers []answer
}

type answer struct {
	Question  string `yaml:"question"`
	Field     string `yaml:"field"`
	Candidate string `yaml:"candidate"`
	Value     string `yaml:"value"`
	Incident  int    `yaml:"incident"`

	line int
	used bool
}

// answerFields are the fields of a record that an answer can set.
var answerFields = []string{"title", "severity", "services", "detected_by", "kind", "state", "url", "duration", "impacts", "entries",
	"zone", "date", "year"}

// ParseAnswers reads the answers' file. The error is incident.Problems, each with its line.
func ParseAnswers(b []byte) (Answers, error) {
	var doc struct {
		Zone    string      `yaml:"zone"`
		Date    string      `yaml:"date"`
		Year    int         `yaml:"year"`
		Answers []yaml.Node `yaml:"answers"`
	}
	dec := yaml.NewDecoder(strings.NewReader(string(b)))
	dec.KnownFields(true)
	if len(strings.TrimSpace(string(b))) == 0 {
		return Answers{}, nil
	}
	if err := dec.Decode(&doc); err != nil {
		return Answers{}, incident.Problems{{Message: err.Error()}}
	}
	var a Answers
	var p incident.Problems
	bad := func(path, format string, args ...any) {
		p = append(p, incident.Problem{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	a.setZone("zone", doc.Zone, bad)
	a.setDate("date", doc.Date, bad)
	a.setYear("year", doc.Year, bad)
	for i := range doc.Answers {
		n := &doc.Answers[i]
		path := fmt.Sprintf("answers[%d] (line %d)", i, n.Line)
		x := answer{line: n.Line}
		if key := unknownKey(n); key != "" {
			bad(path, "unknown key %q; the keys are question, field, candidate, value, incident", key)
			continue
		}
		if err := n.Decode(&x); err != nil {
			bad(path, "%s", err)
			continue
		}
		x.line = n.Line
		if x.Question == "" && x.Field == "" {
			bad(path, "says neither a field nor a question")
			continue
		}
		if x.Candidate == "" && x.Value == "" {
			bad(path, "has neither a value nor a candidate; \"unknown\" leaves it open for good")
			continue
		}
		if x.Incident < 0 {
			bad(path, "incident %d; the first is 1", x.Incident)
		}
		// The kinds that say how the document is read take effect before it is read.
		said := x.Value
		if said == "" {
			said, _, _ = strings.Cut(x.Candidate, " ")
		}
		switch key := x.Field + x.Question; {
		case key == milestones.AskZone && said != "accepted":
			a.setZone(path, said, bad)
			x.used = true
		case key == milestones.AskDate && said != "accepted":
			a.setDate(path, said, bad)
			x.used = true
		case key == milestones.AskYear && said != "accepted":
			var y int
			if _, err := fmt.Sscanf(said, "%d", &y); err != nil {
				bad(path, "not a year: %q", said)
			}
			a.setYear(path, y, bad)
			x.used = true
		}
		if name, ok := strings.CutPrefix(x.Field, "milestones."); ok {
			if !incident.MilestoneName(name).Valid() {
				bad(path, "unknown milestone %q", name)
			} else if x.Value != "" && x.Value != "unknown" && x.Value != "accepted" {
				if _, err := incident.ParseTime(x.Value); err != nil {
					bad(path, "%s", err)
				}
			}
		} else if x.Field != "" && !slices.Contains(answerFields, x.Field) {
			bad(path, "unknown field %q", x.Field)
		}
		a.answers = append(a.answers, x)
	}
	return a, p.Err()
}

func unknownKey(n *yaml.Node) string {
	if n.Kind != yaml.MappingNode {
		return ""
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !slices.Contains([]string{"question", "field", "candidate", "value", "incident"}, n.Content[i].Value) {
			return n.Content[i].Value
		}
	}
	return ""
}

func (a *Answers) setZone(path, s string, bad func(string, string, ...any)) {
	if s == "" {
		return
	}
	if off, n := timex.OffsetIn(s, 0); n == len(s) {
		a.zone = timex.FixedZone(timex.FormatOffset(off), off)
		return
	}
	table, err := timex.ZoneTable()
	if z, ok := table.Names[s]; err == nil && ok {
		a.zone = z
		return
	}
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		bad(path, "not a zone: %q; write a place such as Europe/Berlin or an offset such as \"+02:00\"", s)
		return
	}
	a.zone = timex.PlaceZone(s, s)
}

func (a *Answers) setDate(path, s string, bad func(string, string, ...any)) {
	if s == "" {
		return
	}
	s, _, _ = strings.Cut(s, "T") // YAML writes a date out as a moment
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		bad(path, "not a date: %q; write it like 2006-01-02", s)
		return
	}
	a.date = t
}

func (a *Answers) setYear(path string, y int, bad func(string, string, ...any)) {
	if y == 0 {
		return
	}
	if !lexicon.ValidYear(y) {
		bad(path, "year %d is out of range", y)
		return
	}
	a.year = y
}

// tracker applies answers to what was found and remembers which of them found their question.
type tracker struct{ answers []answer }

func (a Answers) track() *tracker { return &tracker{answers: slices.Clone(a.answers)} }

// settle applies the answers that are about incident n, from 0.
func (t *tracker) settle(f *milestones.Found, n int) {
	for i := range t.answers {
		a := &t.answers[i]
		if a.Incident > 0 && a.Incident != n+1 {
			continue
		}
		if a.Field != "" {
			a.used = true
			setField(&f.Record, a.Field, a.Value, a.Candidate)
			f.Questions = slices.DeleteFunc(f.Questions, func(q incident.Question) bool { return q.Field == a.Field || q.Kind == a.Field })
			continue
		}
		f.Questions = slices.DeleteFunc(f.Questions, func(q incident.Question) bool {
			if q.Kind != a.Question {
				return false
			}
			a.used = true
			value := a.Value
			if value == "" {
				value, _, _ = strings.Cut(a.Candidate, " ")
			}
			setField(&f.Record, q.Field, value, "")
			return true
		})
		// The text may have changed so that nobody asks any more; the answer still holds.
		if !a.used && incident.MilestoneName(a.Question).Valid() {
			value := a.Value
			if value == "" {
				value, _, _ = strings.Cut(a.Candidate, " ")
			}
			setField(&f.Record, "milestones."+a.Question, value, "")
		}
	}
}

// setField sets a field of a record to an answer. "accepted" leaves what is there, "unknown" takes it out.
func setField(r *incident.Record, field, value, cand string) {
	if value == "" {
		value, _, _ = strings.Cut(cand, " ")
	}
	if value == "" || value == "accepted" {
		return
	}
	unknown := value == "unknown"
	if name, ok := strings.CutPrefix(field, "milestones."); ok {
		n := incident.MilestoneName(name)
		if unknown {
			delete(r.Milestones, n)
			return
		}
		at, err := incident.ParseTime(value)
		if err != nil {
			return
		}
		if r.Milestones == nil {
			r.Milestones = map[incident.MilestoneName]incident.Stated{}
		}
		was, had := r.Milestones[n]
		s := incident.Stated{At: at, Precision: incident.DefaultPrecision(at), Confidence: incident.ConfidenceStated,
			Evidence: "settled by an answer"}
		if had && was.At.Equal(at) {
			s.Evidence, s.Line = was.Evidence, was.Line
		}
		r.Milestones[n] = s
		if n == incident.Resolved {
			r.State = incident.StateResolved
		}
		return
	}
	if unknown {
		value = ""
	}
	switch field {
	case "title":
		r.Title = value
	case "severity":
		r.Severity = value
	case "services":
		r.Services = milestones.SplitList(value, 100)
	case "detected_by":
		if value == "" {
			value = string(incident.ByUnknown)
		}
		r.DetectedBy = incident.DetectedBy(value)
	case "kind":
		r.Kind = incident.Kind(value)
	case "state":
		r.State = incident.State(value)
	case "url":
		r.URL = value
	}
}

func (t *tracker) unused() (l []string) {
	for _, a := range t.answers {
		if !a.used {
			what := a.Field
			if what == "" {
				what = "question " + a.Question
			}
			l = append(l, fmt.Sprintf("line %d: %s: nobody asks that", a.line, what))
		}
	}
	return l
}
