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
	"strings"
	"time"

	"meantime/incident"
)

// settled is how old a file's modification must be before an unchanged time and size mean an unchanged file: a second
// write can fall into the same tick of the file system's clock.
const settled = 2 * time.Second

// known is what was read of one file.
type known struct {
	size    int64
	changed time.Time
	read    time.Time

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
		case d.IsDir():
			return nil
		}
		read, ok := s.readers[strings.ToLower(path.Ext(name))]
		if !ok {
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
	info, err := root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		return fail("%s", plainPath(err))
	case !info.Mode().IsRegular():
		return fail("not a regular file")
	case info.Size() > s.maxBytes:
		return fail("%d bytes are more than the %d allowed", info.Size(), s.maxBytes)
	}
	if before != nil && before.size == info.Size() && before.changed.Equal(info.ModTime()) && before.read.Sub(info.ModTime()) > settled {
		return before
	}
	now := time.Now() // the file system's clock, whatever the source's is
	f, err := root.Open(filepath.FromSlash(name))
	if err != nil {
		return fail("%s", plainPath(err))
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, s.maxBytes+1))
	switch {
	case err != nil:
		return fail("%s", plainPath(err))
	case int64(len(body)) > s.maxBytes:
		return fail("more than the %d bytes allowed", s.maxBytes)
	}
	next.size, next.changed, next.read = info.Size(), info.ModTime(), now
	next.content = safely(read, name, body)
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

// reader reads the content of one file.
type reader func(name string, body []byte) content

// safely keeps a parser that panics from hiding every other file.
func safely(read reader, name string, body []byte) (c content) {
	defer func() {
		if p := recover(); p != nil {
			c = content{opaque: true, problems: []Problem{{Message: fmt.Sprintf("cannot be read: %v", p)}}}
		}
	}()
	return read(name, body)
}

// foreign reads files that are not of the native form.
func (s *Source) foreign(read Reader) reader {
	return func(name string, body []byte) content {
		records, err := read(name, body)
		if err != nil {
			return content{opaque: true, problems: problemsOf(err, func(string) int { return 0 })}
		}
		var c content
		for _, r := range records {
			r.Source = s.name
			r.Normalize()
			if err := r.Validate(); err != nil {
				c.refuse(r.ID, problemsOf(err, func(string) int { return 0 }))
				continue
			}
			c.records = append(c.records, located{r, 0})
		}
		return c
	}
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
