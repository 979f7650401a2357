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
	"sync"
	"time"

	"meantime/config"
	"meantime/incident"
	"meantime/postmortem"
	"meantime/progress"
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
	// Replaced says which records of another title, that an earlier import stored, were replaced.
	Replaced []string
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
	house := houseOf(c, nil)
	out = &Imported{}
	var f incident.Facts
	from := map[string]string{} // the file of each record, by its id
	report := a.progress.Report(progress.Kind{What: "Reading documents", Unit: "documents"})
	defer report(0, 0)
	for i, name := range in.Files {
		report(int64(i), int64(len(in.Files)))
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
		r, err := readPostmortem(house, named(name), body, answers)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out.results = append(out.results, r)
		for _, x := range r.Incidents {
			id := x.Record.ID
			if err := x.Record.CheckPast(a.now()); err != nil {
				return nil, fmt.Errorf("%s: record %q: %w", name, id, err)
			}
			if other, twice := from[id]; twice && filepath.Clean(other) != filepath.Clean(name) {
				return nil, fmt.Errorf("%s: id %q is that of %s as well, and one would replace the other; rename one of them", name, id, other)
			}
			from[id] = name
			x.Record.Source = in.Source
			out.Questions += len(x.Questions)
			f.Records = append(f.Records, x.Record)
		}
	}
	report(0, 0)
	if in.DryRun || len(f.Records) == 0 {
		return out, nil
	}
	db, err := sqlstore.Open(ctx, string(c.Store.DSN), sqlstore.Options{Logger: a.logger, Now: a.now})
	if err != nil {
		return nil, fmt.Errorf("open store: %w\n(a running Meantime takes postmortems at POST /api/v1/postmortems and from the folder of a file source)", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for i := range f.Records {
		before, err := db.Record(ctx, f.Records[i].Key())
		switch {
		case err == nil && !before.Withdrawn && before.Title != f.Records[i].Title:
			out.Replaced = append(out.Replaced, fmt.Sprintf("record %s was %q and is now %q", before.Key(), before.Title, f.Records[i].Title))
		case err != nil && incident.CodeOf(err) != incident.CodeNotFound:
			return nil, err
		}
	}
	_, err = db.Put(ctx, f, a.now())
	return out, err
}

// named is the name by which a file's records are known: with its folder, which many documents are named by.
func named(file string) string {
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return filepath.ToSlash(filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)))
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

// Print writes what was read: as a table for people, explained line by line where that is asked for, as yaml or as json.
func (r *Imported) Print(w io.Writer, format string, explain bool) error {
	switch format {
	case "json":
		return postmortem.WriteJSON(w, r.results...)
	case "yaml":
		return postmortem.WriteYAML(w, r.results...)
	}
	for _, x := range r.results {
		if err := postmortem.WriteTable(w, x, explain); err != nil {
			return err
		}
	}
	return nil
}

// household is what is known of an organisation when its documents are read: its style, and what its services are called.
type household struct {
	style    *config.Postmortems
	services map[string]string // by each name
}

// houseOf is what the configuration says, and services that incidents have shown.
func houseOf(c *config.Validated, shown []string) household {
	h := household{&c.Postmortems, map[string]string{}}
	for _, s := range shown {
		h.services[s] = s
	}
	for _, d := range c.Rules.Dependencies {
		h.services[d.Service] = d.Service
		for _, n := range d.Needs {
			h.services[n] = n
		}
	}
	for _, r := range c.Rules.Services.Rules {
		h.services[r.Service] = r.Service
	}
	for _, a := range c.Rules.Services.Aliases {
		h.services[a.Service] = a.Service
		for _, n := range a.Names {
			h.services[n] = a.Service
		}
	}
	return h
}

// shownServices are the services that stored incidents have. They are asked for seldom: a folder can hold many documents.
type shownServices struct {
	mu    sync.Mutex
	names []string
	until time.Time
}

// shownFor is how long they count, askShown how long asking may take.
const (
	shownFor = time.Minute
	askShown = 10 * time.Second
)

// house is that of the configuration in force, with the services that incidents have.
func (a *App) house() household {
	a.shown.mu.Lock()
	defer a.shown.mu.Unlock()
	if now := a.now(); !now.Before(a.shown.until) {
		ctx, done := context.WithTimeout(context.Background(), askShown)
		defer done()
		names, _, err := a.store.IncidentNames(ctx)
		if err != nil {
			a.logger.Warn("Services of stored incidents cannot be told: documents that name them are read without", "err", err)
		} else {
			a.shown.names, a.shown.until = names, now.Add(shownFor)
		}
	}
	return houseOf(a.config.Load(), a.shown.names)
}

// readPostmortem reads a document as the house writes it.
func readPostmortem(h household, name string, body, answers []byte) (postmortem.Result, error) {
	o := postmortem.Options{Location: h.style.Zone, Services: h.services}
	var err error
	if o.Vocabulary, err = (postmortem.House{Words: h.style.Words, Headings: h.style.Headings}).Vocabulary(); err != nil {
		return postmortem.Result{}, fmt.Errorf("postmortems: %w", err)
	}
	if len(answers) > 0 {
		if o.Answers, err = postmortem.ParseAnswers(answers); err != nil {
			return postmortem.Result{}, fmt.Errorf("answers: %w", err)
		}
	}
	return postmortem.Read(name, body, o)
}

// readPostmortem gives the records that a document tells of, for the API and for folders.
func (a *App) readPostmortem(name string, body, answers []byte) ([]incident.Record, error) {
	r, err := readPostmortem(a.house(), name, body, answers)
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

// styleOf is a style as text, to tell it from another.
func styleOf(style *config.Postmortems) string {
	zone := ""
	if style.Zone != nil {
		zone = style.Zone.String()
	}
	return shape([]any{zone, style.Words, style.Headings})
}

// postmortemFiles reads the documents in the folder of a file source.
func (a *App) postmortemFiles() map[string]file.Reader {
	return map[string]file.Reader{
		".md": a.readPostmortem, ".markdown": a.readPostmortem, ".qmd": a.readPostmortem, ".html": a.readPostmortem, ".htm": a.readPostmortem,
	}
}
