package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"meantime/incident"
	"meantime/postmortem"
	"meantime/source/file"
	"meantime/store/sqlstore"
)

// Import says how written postmortems are read in.
type Import struct {
	Files   []string
	Answers string // a file of answers for all of them; empty: NAME.answers.yaml beside each, where it exists
	Source  string // the source the records are stored under
	DryRun  bool   // store nothing
}

// Imported is what was read.
type Imported struct {
	results []postmortem.Result
	// Questions is how many are open.
	Questions int
}

// ReadPostmortems reads the files and, unless it is a dry run, stores their records in one piece: a file that cannot be read
// leaves the store as it was.
func ReadPostmortems(ctx context.Context, o Options, in Import) (out *Imported, err error) {
	a := newApp(o)
	c, err := a.load()
	if err != nil {
		return nil, err
	}
	if in.Source == "" || strings.Contains(in.Source, "/") {
		return nil, fmt.Errorf("source %q: a name without a slash is needed", in.Source)
	}
	out = &Imported{}
	var f incident.Facts
	for _, name := range in.Files {
		if strings.HasSuffix(name, ".answers.yaml") {
			continue // it stands beside a document and is read with it
		}
		body, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read postmortem: %w", err)
		}
		answers, err := answersFor(name, in.Answers)
		if err != nil {
			return nil, err
		}
		r, err := readPostmortem(filepath.Base(name), body, answers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.results = append(out.results, r)
		for _, x := range r.Incidents {
			x.Record.Source = in.Source
			out.Questions += len(x.Questions)
			f.Records = append(f.Records, x.Record)
		}
	}
	if in.DryRun || len(f.Records) == 0 {
		return out, nil
	}
	db, err := sqlstore.Open(ctx, string(c.Store.DSN), sqlstore.Options{Logger: a.logger, Now: a.now})
	if err != nil {
		return nil, fmt.Errorf("open store: %w\n(a running Meantime takes postmortems at POST /api/v1/postmortems and from the folder of a file source)", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Put(ctx, f, a.now())
	return out, err
}

// answersFor are the answers to what a document leaves open, nil where there are none.
func answersFor(document, given string) ([]byte, error) {
	name := given
	if name == "" {
		name = file.Sidecar(document)
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && given == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read answers: %w", err)
	}
	return b, nil
}

// Print writes what was read: as a table for people, as yaml or as json.
func (r *Imported) Print(w io.Writer, format string) error {
	switch format {
	case "json":
		return postmortem.WriteJSON(w, r.results...)
	case "yaml":
		return postmortem.WriteYAML(w, r.results...)
	}
	for _, x := range r.results {
		if err := postmortem.WriteTable(w, x); err != nil {
			return err
		}
	}
	return nil
}

func readPostmortem(name string, body, answers []byte) (postmortem.Result, error) {
	var o postmortem.Options
	if len(answers) > 0 {
		var err error
		if o.Answers, err = postmortem.ParseAnswers(answers); err != nil {
			return postmortem.Result{}, fmt.Errorf("answers: %w", err)
		}
	}
	return postmortem.Read(name, body, o)
}

// postmortemRecords are the records that a document tells of, for the API and for folders.
func postmortemRecords(name string, body, answers []byte) ([]incident.Record, error) {
	r, err := readPostmortem(name, body, answers)
	if err != nil {
		return nil, err
	}
	var records []incident.Record
	for _, x := range r.Incidents {
		x.Record.Questions = x.Questions
		records = append(records, x.Record)
	}
	return records, nil
}

// postmortemFiles reads the documents in the folder of a file source.
var postmortemFiles = map[string]file.Reader{
	".md": postmortemRecords, ".markdown": postmortemRecords, ".qmd": postmortemRecords, ".html": postmortemRecords, ".htm": postmortemRecords,
}
