package postmortem

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"go.yaml.in/yaml/v3"

	"meantime/incident"
	"meantime/postmortem/document"
	"meantime/postmortem/milestones"
)

// Document is the form a reading is printed in.
type Document struct {
	Records []DocumentRecord `json:"records"`
}

// DocumentRecord is one incident with what it leaves open.
type DocumentRecord struct {
	Record    incident.Record     `json:"record"`
	Questions []incident.Question `json:"questions"`
}

// NewDocument gathers readings for printing. The questions stand beside their record, not in it.
func NewDocument(results ...Result) Document {
	d := Document{Records: []DocumentRecord{}}
	for _, res := range results {
		for _, f := range res.Incidents {
			rec := f.Record
			rec.Questions = nil
			d.Records = append(d.Records, DocumentRecord{rec, append([]incident.Question{}, f.Questions...)})
		}
	}
	return d
}

// WriteJSON prints the records and their questions as one JSON object.
func WriteJSON(w io.Writer, results ...Result) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(NewDocument(results...))
}

// WriteYAML prints the same as YAML, in the order of the JSON.
func WriteYAML(w io.Writer, results ...Result) error {
	b, err := json.Marshal(NewDocument(results...))
	if err != nil {
		return err
	}
	// JSON is YAML: read as nodes, it keeps its order and loses its braces.
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return err
	}
	plain(&n)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&n); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	_, err = w.Write(out.Bytes())
	return err
}

// plain takes the styles of JSON off a tree: braces, and quotes where YAML needs none.
func plain(n *yaml.Node) {
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
		if len(n.Content) > 0 {
			n.Style = 0
		}
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Style = 0
	}
	for _, c := range n.Content {
		plain(c)
	}
}

// letters stand for the milestones in a table of entries: a capital where one was taken from the line, a small letter where the
// line may be it.
var letters = map[incident.MilestoneName]string{
	incident.Started: "S", incident.Detected: "D", incident.Acknowledged: "A",
	incident.Identified: "I", incident.Mitigated: "M", incident.Resolved: "R",
}

// lettersOf are the letters of an entry.
func lettersOf(e milestones.Entry) string {
	s := ""
	for _, n := range incident.MilestoneNames {
		switch {
		case slices.Contains(e.Milestones, n):
			s += letters[n]
		case slices.ContainsFunc(e.Weighed, func(w milestones.Weighed) bool { return w.Milestone == n }):
			s += strings.ToLower(letters[n])
		}
	}
	return s
}

// mostReasons is how many of a choice's reasons are printed.
const mostReasons = 6

// explain prints what an entry tells by which words, and what speaks for and against what it may be.
func explain(b *strings.Builder, e milestones.Entry) {
	fmt.Fprintf(b, "line %d  %s\n", e.Line, printable(document.QuoteText(e.Text, 100)))
	for _, t := range e.Told {
		fmt.Fprintf(b, "    tells %s\n", printable(t))
	}
	for _, rule := range e.Rules {
		fmt.Fprintf(b, "    rule %s\n", rule)
	}
	for _, w := range e.Weighed {
		b.WriteString("    ")
		explainOne(w, b)
	}
}

// explainOne prints what speaks for and against a moment.
func explainOne(w milestones.Weighed, b *strings.Builder) {
	fmt.Fprintf(b, "%s %.2f:", w.Milestone, w.Sure)
	for i, r := range w.Reasons[:min(len(w.Reasons), mostReasons)] {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, " %+.1f %s", r.Weight, printable(r.Feature))
	}
	b.WriteByte('\n')
}

// WriteTable prints a reading for a person: the entries with their kinds, the milestones, the questions; and, where it is to
// be explained, what spoke for and against each line.
func WriteTable(w io.Writer, res Result, explained bool) error {
	var b strings.Builder
	if len(res.Incidents) == 0 {
		fmt.Fprintf(&b, "%s: no incident found\n", printable(res.Title))
	}
	for i, f := range res.Incidents {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s  %s\n\n", printable(f.Record.ID), printable(f.Record.Title))
		tw := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
		fmt.Fprintln(tw, "LINE\tTIME\tUTC\tIS\tKIND\tTEXT")
		for _, e := range f.Entries {
			at := "?"
			if !e.At.IsZero() {
				at = e.At.UTC().Format("2006-01-02 15:04")
			}
			kinds := make([]string, len(e.Kinds))
			for k := range e.Kinds {
				kinds[k] = string(e.Kinds[k])
			}
			fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Line, printable(e.Clock), at, lettersOf(e),
				strings.Join(kinds, ","), printable(document.QuoteText(e.Text, 70)))
		}
		fmt.Fprintln(tw, "\nMILESTONE\tUTC\tCONFIDENCE\tLINE\tEVIDENCE")
		for _, n := range incident.MilestoneNames {
			m, ok := f.Record.Milestones[n]
			if !ok {
				fmt.Fprintf(tw, "%s\t-\t\t\t\n", n)
				continue
			}
			fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%s\n", n, m.At.UTC().Format(time.RFC3339), m.Confidence, m.Line,
				printable(document.QuoteText(m.Evidence, 70)))
		}
		if err := tw.Flush(); err != nil {
			return err
		}
		if explained {
			b.WriteString("\nWHY\n")
			for _, e := range f.Entries {
				explain(&b, e)
			}
			for _, w := range f.Weighed {
				if w.Entry == nil { // a field, or the end of a stretch
					fmt.Fprintf(&b, "line %d  %s ", w.Line, w.At.UTC().Format("2006-01-02 15:04"))
					explainOne(w, &b)
				}
			}
		}
		if len(f.Questions) > 0 {
			b.WriteString("\nQUESTIONS\n")
		}
		for _, q := range f.Questions {
			field := q.Field // what answers it is written after
			if field == "" {
				field = q.Kind
			}
			fmt.Fprintf(&b, "- %s: %s %s\n", field, printable(q.Text), printable(q.Why))
			for _, c := range q.Candidates {
				fmt.Fprintf(&b, "    %s\n", printable(c))
			}
		}
	}
	for _, u := range res.Unused {
		fmt.Fprintf(&b, "answer not used: %s\n", printable(u))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// printable takes out what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			if unicode.IsSpace(r) {
				return ' '
			}
			return -1
		}
		return r
	}, s)
}
