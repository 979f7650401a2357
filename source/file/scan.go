package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"meantime/incident"
)

// exports are extensions of what other programs export. Who puts such a file here expects it to be read.
var exports = []string{".jsonl", ".ndjson", ".xlsx", ".ods"}

// settled is how old a file's modification must be before an unchanged time and size mean an unchanged file: a second
// write can fall into the same tick of the file system's clock.
const settled = 2 * time.Second

// stamp tells whether a file changed. The zero stamp is that of a file that is not there.
type stamp struct {
	size    int64
	changed time.Time
}

// known is what was read of one file.
type known struct {
	file, beside stamp // of the file and of what lies beside it
	read         time.Time

	content
	// said are the ids it held when it was last read as a whole; nil where it never was.
	said map[string]bool
}

// content is what a file says.
type content struct {
	records  []located
	bad      []string // ids of records that cannot be used
	opaque   bool     // part of it says nobody knows what
	problems []Problem
}

// located is a record with the line it begins at.
type located struct {
	incident.Record
	line int
}

// scan walks the folder and reads every file that is new or changed. Everything is opened below the folder's root, so
// that no symbolic link leads out of it.
func (s *Source) scan(ctx context.Context) (map[string]*known, []Problem, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, nil, plainPath(err)
	}
	defer root.Close()
	files := map[string]*known{}
	var problems []Problem
	var blind []string // folders that cannot be read
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && name == ".":
			return plainPath(err)
		case err != nil:
			problems = append(problems, Problem{File: name, Message: plainPath(err).Error()})
			blind = append(blind, name)
			return nil
		case name != "." && strings.HasPrefix(d.Name(), "."):
			// Hidden: editors' files, .git, and the folders behind a mounted Kubernetes ConfigMap, whose links are read.
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir(), strings.HasSuffix(name, sidecarEnd):
			return nil
		}
		ext := strings.ToLower(path.Ext(name))
		read, ok := s.readers[ext]
		if !ok {
			what, right := strings.ToUpper(strings.TrimPrefix(ext, ".")), "make each line a record in YAML or JSON, or keep the file elsewhere"
			switch {
			case slices.Contains(tables, ext):
				problems = append(problems,
					Problem{File: name, Message: "not read: the source needs a map, a jq program that makes a record of each row of a " + what})
			case slices.Contains(exports, ext):
				problems = append(problems, Problem{File: name, Message: "not read: " + what + " is no form of records; " + right})
			}
			return nil
		}
		if len(files) == s.maxFiles {
			return fmt.Errorf("more than the %d files allowed", s.maxFiles)
		}
		files[name] = s.one(root, name, read)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	// What lay in a folder that cannot be read now has not gone.
	for _, dir := range blind {
		kept := false
		for name, f := range s.files {
			if strings.HasPrefix(name, dir+"/") {
				files[name], kept = f, true
			}
		}
		if !kept {
			files[dir] = &known{content: content{opaque: true}}
		}
	}
	return files, problems, nil
}

// one reads one file, unless it is what it was.
func (s *Source) one(root *os.Root, name string, read reader) *known {
	before := s.files[name]
	next := &known{}
	if before != nil {
		next.said = before.said
	}
	fail := func(format string, args ...any) *known {
		next.content = content{opaque: true, problems: []Problem{{File: name, Message: fmt.Sprintf(format, args...)}}}
		return next
	}
	var err error
	if next.file, err = s.stat(root, name, read.maxBytes); err != nil {
		return fail("%s", err)
	}
	beside := Sidecar(name)
	if read.beside {
		if next.beside, err = s.stat(root, beside, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fail("%s: %s", path.Base(beside), err)
		}
	}
	if before != nil && before.file == next.file && before.beside == next.beside && before.read.Sub(latest(next.file, next.beside)) > settled {
		return before
	}
	next.read = time.Now() // the file system's clock, whatever the source's is
	body, err := s.slurp(root, name, read.maxBytes)
	if err != nil {
		return fail("%s", err)
	}
	var more []byte
	if next.beside != (stamp{}) {
		if more, err = s.slurp(root, beside, 0); err != nil {
			return fail("%s: %s", path.Base(beside), err)
		}
	}
	next.content = safely(read, name, body, more)
	for i := range next.problems {
		next.problems[i].File = name
	}
	if !next.opaque {
		next.said = make(map[string]bool, len(next.records))
		for _, r := range next.records {
			next.said[r.ID] = true
		}
		for _, id := range next.bad {
			next.said[id] = true
		}
	}
	return next
}

// sidecarEnd is how the name of a file ends that lies beside a document and holds a person's answers to what it leaves open.
const sidecarEnd = ".answers.yaml"

// Sidecar is the name of the file with answers beside the document of that name.
func Sidecar(name string) string { return strings.TrimSuffix(name, path.Ext(name)) + sidecarEnd }

func latest(a, b stamp) time.Time {
	if b.changed.After(a.changed) {
		return b.changed
	}
	return a.changed
}

// stat is a file's stamp, and an error where it is none to read. most is its largest size, 0 the usual one.
func (s *Source) stat(root *os.Root, name string, most int64) (stamp, error) {
	info, err := root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		return stamp{}, plainPath(err)
	case !info.Mode().IsRegular():
		return stamp{}, errors.New("not a regular file")
	case info.Size() > max(most, s.maxBytes):
		return stamp{}, fmt.Errorf("%d bytes are more than the %d allowed", info.Size(), max(most, s.maxBytes))
	}
	return stamp{info.Size(), info.ModTime()}, nil
}

// slurp reads a file whole, of a size as stat says.
func (s *Source) slurp(root *os.Root, name string, most int64) ([]byte, error) {
	most = max(most, s.maxBytes)
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, plainPath(err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, plainPath(err)
	case int64(len(body)) > most:
		return nil, fmt.Errorf("more than the %d bytes allowed", most)
	}
	return body, nil
}

// reader reads the content of one file, some with that of the file beside it.
type reader struct {
	read     func(name string, body, beside []byte) content
	beside   bool
	maxBytes int64 // of the file, where it may be larger than usual
}

// safely keeps a parser that panics from hiding every other file.
func safely(r reader, name string, body, beside []byte) (c content) {
	defer func() {
		if p := recover(); p != nil {
			c = content{opaque: true, problems: []Problem{{Message: fmt.Sprintf("cannot be read: %v", p)}}}
		}
	}()
	return r.read(name, body, beside)
}

// foreign reads files that are not of the native form.
func (s *Source) foreign(read Reader) reader {
	return reader{beside: true, read: func(name string, body, beside []byte) content {
		records, err := read(name, body, beside)
		if err != nil {
			return content{opaque: true, problems: problemsOf(err, func(string) int { return 0 })}
		}
		var c content
		for _, r := range records {
			r.Source = s.name
			r.Normalize()
			err := r.Validate()
			if err == nil {
				err = r.CheckPast(s.now())
			}
			if err != nil {
				c.refuse(r.ID, problemsOf(err, func(string) int { return 0 }))
				continue
			}
			c.records = append(c.records, located{r, 0})
		}
		return c
	}}
}

// refuse notes a record that cannot be used. Where its id can be read, it alone is held; else nobody knows.
func (c *content) refuse(id string, p []Problem) {
	if id == "" {
		c.opaque = true
	} else {
		c.bad = append(c.bad, id)
	}
	c.problems = append(c.problems, p...)
}

// problemsOf are the problems in an error, each with its line.
func problemsOf(err error, line func(path string) int) []Problem {
	var list incident.Problems
	if !errors.As(err, &list) {
		return []Problem{{Line: line(""), Message: err.Error()}}
	}
	var out []Problem
	for _, p := range list {
		out = append(out, Problem{Line: line(p.Path), Path: p.Path, Message: p.Message})
	}
	return out
}

// plainPath takes the operation and the path out of an error of package os: the problem names the file itself.
func plainPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
