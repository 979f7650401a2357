// Package file is the source that reads records from a folder of files: YAML and JSON in the native form, tables of which a
// program makes records, and whatever other extensions readers are given for.
//
// The folder is the truth about its records. A file that changes changes its records, a file that goes withdraws them.
// A file or record that cannot be read is reported by name and line and hides no other; what was last read of it stays
// until it can be read again or is gone. A folder in which there never was a file, as far as this process has seen,
// withdraws nothing: more likely it is not the folder, or nothing is mounted there.
package file

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meantime/incident"
	"meantime/source"
)

// Store is what the source needs of the store.
type Store interface {
	// Put stores the facts in one transaction and returns after it is durable.
	Put(ctx context.Context, f incident.Facts, received time.Time) (incident.Receipt, error)
	// RecordPage lists the versions that count of one source's records, in order of key, after the given key, at most limit.
	RecordPage(ctx context.Context, source string, after incident.RecordKey, limit int) ([]incident.Record, error)
}

// Reader makes records of a file's content. name is the file's path below the folder, with slashes. The records need no
// Source. Beside is the content of the file beside it that holds answers, NAME.answers.yaml, nil where there is none.
// An error, which may be incident.Problems, means that the file says nothing usable.
type Reader func(name string, body, beside []byte) ([]incident.Record, error)

// Defaults of Options.
const (
	DefaultMaxBytes = 4 << 20
	DefaultMaxFiles = 10_000
)

// Options are what the source depends on. Name, Dir and Store are required.
type Options struct {
	Name    string // the source's name, in the keys of its records
	Dir     string // the folder, read with the folders below it
	Store   Store
	Logger  *slog.Logger     // nil means silent
	Metrics *Metrics         // nil means not exposed
	Now     func() time.Time // nil means time.Now
	// Readers read files that are not of the native form, by extension in lower case, such as ".md".
	Readers map[string]Reader
	// Map makes the records of the rows of tables (.csv, .tsv); nil: they are not read.
	Map Mapper
	// MaxBytes is the size of the largest file read, MaxFiles the largest number of them. 0 means the default.
	MaxBytes int64
	MaxFiles int
}

// Source reads a folder. It implements source.Watcher.
type Source struct {
	name     string
	dir      string
	store    Store
	log      *slog.Logger
	metrics  *Metrics
	now      func() time.Time
	readers  map[string]reader
	maxBytes int64
	maxFiles int

	// What the last poll knew, by file name. Only Poll touches it.
	files    map[string]*known
	seen     bool            // there was a file once
	reported map[string]bool // the problems of the last poll, each logged once
	unread   []string        // keep.unread of the last poll, logged when it changes
}

// New makes the source. Nothing is read before the first Poll.
func New(o Options) *Source {
	s := &Source{
		name: o.Name, dir: o.Dir, store: o.Store, log: o.Logger, metrics: o.Metrics, now: o.Now,
		maxBytes: cmp.Or(max(o.MaxBytes, 0), DefaultMaxBytes), maxFiles: cmp.Or(max(o.MaxFiles, 0), DefaultMaxFiles),
		readers: map[string]reader{}, files: map[string]*known{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("component", "source", "name", o.Name)
	if s.metrics == nil {
		s.metrics = NewMetrics(nil)
	}
	if s.now == nil {
		s.now = time.Now
	}
	for ext, read := range o.Readers {
		s.readers[ext] = s.foreign(read)
	}
	if o.Map != nil {
		for _, ext := range tables {
			s.readers[ext] = s.table(o.Map)
		}
	}
	s.readers[".yaml"], s.readers[".yml"], s.readers[".json"] = s.native(parseYAML), s.native(parseYAML), s.native(parseJSON)
	return s
}

// Close drops the source's series.
func (s *Source) Close() error {
	s.metrics.forget(s.name)
	return nil
}

// Name is the source's name.
func (s *Source) Name() string { return s.name }

// Problem is something wrong in the folder.
type Problem struct {
	File    string // below the folder, with slashes
	Line    int    // 0 where the file as a whole is meant
	Path    string // the place in the record, such as milestones.started
	Message string
	// Warning: it is taken all the same.
	Warning bool
}

// show writes a problem as compilers do: dir/file:line: path: message.
func (p Problem) show(dir string) string {
	var b strings.Builder
	b.WriteString(filepath.Join(dir, filepath.FromSlash(p.File)))
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Poll reads what changed in the folder and brings the store in line with it. That a file is bad does not end
// the poll as a whole: what the others say is stored, the bad one is logged and counted by metrics of its own, and the
// answer is a source.LeftOut that names it. That the folder cannot be read is an error, and withdraws nothing; so is a
// folder that is empty from the start although records of it are stored.
func (s *Source) Poll(ctx context.Context) error {
	files, problems, err := s.scan(ctx)
	if err != nil {
		return fmt.Errorf("read folder %s: %w", s.dir, err)
	}
	s.files, s.seen = files, s.seen || len(files) > 0
	if !s.seen {
		stored, err := s.store.RecordPage(ctx, s.name, incident.RecordKey{}, 1)
		if err != nil {
			return fmt.Errorf("list stored records: %w", err)
		}
		if len(stored) > 0 {
			return fmt.Errorf("folder %s is empty, and records of it are stored; they stay, unless a file, if only an empty one, says that it is the right folder", s.dir)
		}
	}
	want, keep, more := s.gather()
	problems = append(problems, more...)
	left := s.report(problems)
	if len(keep.unread) > 0 && !slices.Equal(keep.unread, s.unread) {
		s.log.Warn("No record is withdrawn while a file cannot be read that never could be: what it says is not known", "files", keep.unread)
	}
	s.unread = keep.unread
	if err := s.apply(ctx, want, keep); err != nil {
		return err
	}
	return left
}

// keep says what must not be withdrawn although no file says it now.
type keep struct {
	ids map[string]bool
	// unread are the files that cannot be read and of which nobody knows what they said: while there is one, nothing is
	// withdrawn.
	unread []string
}

// gather makes one set of records of all files. Where two say the same id the first by name counts.
func (s *Source) gather() (map[string]incident.Record, keep, []Problem) {
	want := map[string]incident.Record{}
	first := map[string]string{}
	k := keep{ids: map[string]bool{}}
	var problems []Problem
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		f := s.files[name]
		problems = append(problems, f.problems...)
		for _, id := range f.bad {
			k.ids[id] = true
		}
		if f.opaque {
			if f.said == nil {
				k.unread = append(k.unread, filepath.Join(s.dir, filepath.FromSlash(name)))
			}
			for id := range f.said {
				k.ids[id] = true
			}
		}
		for _, r := range f.records {
			if other, twice := first[r.ID]; twice {
				where := "in " + filepath.Join(s.dir, filepath.FromSlash(other)) + " as well, which counts"
				if other == name {
					where = "in this file twice; the first counts"
				}
				problems = append(problems, Problem{File: name, Line: r.line, Path: "id", Message: fmt.Sprintf("%q is %s", r.ID, where)})
				continue
			}
			first[r.ID] = name
			want[r.ID] = r.Record
		}
	}
	return want, k, problems
}

// report logs every problem once, for as long as it lasts, and counts the files that have one. Its error says which is
// the first of them, nil where there is none.
func (s *Source) report(problems []Problem) error {
	bad, warned := map[string]bool{}, 0
	first := ""
	now := map[string]bool{}
	for _, p := range problems {
		text := p.show(s.dir)
		switch {
		case p.Warning:
			warned++
		default:
			bad[p.File] = true
			first = cmp.Or(first, text)
		}
		if now[text] || s.reported[text] {
			now[text] = true
			continue
		}
		now[text] = true
		if p.Warning {
			s.log.Warn("Record has a key that is not read", "err", text)
		} else {
			s.log.Warn("Record file is bad; what was last read of it stays", "err", text)
		}
	}
	s.reported = now
	s.metrics.found(s.name, len(bad), warned)
	if first == "" {
		return nil
	}
	return &source.LeftOut{What: first, Files: len(bad)}
}

const page = 500 // records read or stored at a time

// apply puts what differs from the store and withdraws what no file says any more.
func (s *Source) apply(ctx context.Context, want map[string]incident.Record, k keep) error {
	var put []incident.Record
	same := map[string]bool{}
	var after incident.RecordKey
	for {
		stored, err := s.store.RecordPage(ctx, s.name, after, page)
		if err != nil {
			return fmt.Errorf("list stored records: %w", err)
		}
		for i := range stored {
			old := &stored[i]
			r, there := want[old.ID]
			switch {
			case there && incident.Same(&r, old):
				same[old.ID] = true
			case there:
				// An edit counts though nobody moved the time that the file states.
				if !r.UpdatedAt.After(old.UpdatedAt) {
					r.UpdatedAt = time.Time{}
					want[old.ID] = r
				}
			case len(k.unread) == 0 && !k.ids[old.ID]:
				put = append(put, incident.Record{Source: s.name, ID: old.ID, Withdrawn: true})
			}
		}
		if len(stored) < page {
			break
		}
		after = stored[len(stored)-1].Key()
	}
	withdrawn := len(put)
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !same[id] {
			put = append(put, want[id])
		}
	}
	for part := range slices.Chunk(put, page) {
		if err := s.put(ctx, part); err != nil {
			return fmt.Errorf("store records: %w", err)
		}
	}
	if len(put) > 0 {
		s.log.Info("Records read", "changed", len(put)-withdrawn, "withdrawn", withdrawn, "all", len(want))
	}
	return nil
}

// put stores records so that they count. A version that states when it was written can be older than what counts, such
// as a withdrawal: it then goes in once more as written now, because what the folder says now is what counts.
func (s *Source) put(ctx context.Context, records []incident.Record) error {
	receipt, err := s.store.Put(ctx, incident.Facts{Records: records}, s.now().UTC())
	if err != nil {
		return err
	}
	var again []incident.Record
	for i, counts := range receipt.Records {
		if r := records[i]; !counts && !r.UpdatedAt.IsZero() {
			r.UpdatedAt = time.Time{}
			again = append(again, r)
		}
	}
	if len(again) == 0 {
		return nil
	}
	_, err = s.store.Put(ctx, incident.Facts{Records: again}, s.now().UTC())
	return err
}
