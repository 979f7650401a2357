package file

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"meantime/incident"
	"meantime/source"
)

var _ source.Watcher = (*Source)(nil)

// memory is a store in memory that keeps versions as the contract says.
type memory struct {
	records map[incident.RecordKey]incident.Record
	puts    []string // what each Put changed: the ids, those withdrawn with a minus
	err     error
}

func (m *memory) Put(_ context.Context, f incident.Facts, received time.Time) (incident.Receipt, error) {
	if m.err != nil {
		return incident.Receipt{}, m.err
	}
	var r incident.Receipt
	var ids []string
	for _, rec := range f.Records {
		old, known := m.records[rec.Key()]
		if rec.UpdatedAt.IsZero() {
			rec.UpdatedAt = received
			if known && !rec.UpdatedAt.After(old.UpdatedAt) {
				rec.UpdatedAt = old.UpdatedAt.Add(1)
			}
		}
		changed := !known || (incident.Newer(&rec, &old) && !incident.Same(&rec, &old))
		if changed {
			m.records[rec.Key()] = rec
		}
		r.Records = append(r.Records, changed)
		id := rec.ID
		if rec.Withdrawn {
			id = "-" + id
		}
		if !changed {
			id = "=" + id
		}
		ids = append(ids, id)
	}
	m.puts = append(m.puts, strings.Join(ids, " "))
	return r, nil
}

func (m *memory) RecordPage(_ context.Context, src string, after incident.RecordKey, limit int) ([]incident.Record, error) {
	var out []incident.Record
	for _, k := range slices.SortedFunc(maps.Keys(m.records), func(a, b incident.RecordKey) int { return strings.Compare(a.String(), b.String()) }) {
		r := m.records[k]
		if k.Source == src && k.String() > after.String() && !r.Withdrawn && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, m.err
}

// bench is a source over a folder of a test.
type bench struct {
	*Source
	t     *testing.T
	dir   string
	store *memory
	log   *bytes.Buffer
}

func newBench(t *testing.T, o Options) *bench {
	b := &bench{t: t, dir: t.TempDir(), store: &memory{records: map[incident.RecordKey]incident.Record{}}, log: &bytes.Buffer{}}
	o.Name, o.Dir, o.Store = "ours", b.dir, b.store
	o.Logger = slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	b.Source = New(o)
	return b
}

// restart is the same folder and store with a source that remembers nothing.
func (b *bench) restart() {
	old := b.Source
	b.Source = New(Options{Name: old.name, Dir: old.dir, Store: old.store, Logger: old.log})
}

func (b *bench) write(name, text string) {
	b.t.Helper()
	p := filepath.Join(b.dir, filepath.FromSlash(name))
	require.NoError(b.t, os.MkdirAll(filepath.Dir(p), 0o755))
	require.NoError(b.t, os.WriteFile(p, []byte(text), 0o644))
}

func (b *bench) remove(name string) {
	b.t.Helper()
	require.NoError(b.t, os.RemoveAll(filepath.Join(b.dir, name)))
}

// poll polls and gives what the Puts changed since the last time. Where the store was written, the poll's only error is
// that a file is left out.
func (b *bench) poll() []string {
	b.t.Helper()
	b.store.puts = nil
	if err := b.Poll(b.t.Context()); err != nil {
		var left *source.LeftOut
		require.ErrorAs(b.t, err, &left)
	}
	return b.store.puts
}

// problems are what the log reports since the last time, without the folder.
func (b *bench) problems() []string {
	var out []string
	for line := range strings.Lines(b.log.String()) {
		if _, text, ok := strings.Cut(line, " err="); ok {
			text = strings.TrimSpace(text)
			if plain, err := strconv.Unquote(text); err == nil {
				text = plain
			}
			out = append(out, strings.ReplaceAll(text, b.dir+"/", ""))
		}
	}
	b.log.Reset()
	return out
}

const one = `id: one
title: Sign-in answered with errors
services: [sign-in]
state: resolved
milestones:
  started: {at: 2024-07-18T08:57:00Z, precision: minute, evidence: "new version"}
  detected: 2024-07-18T09:28:00+00:00
`

func TestReadsWhatChanged(t *testing.T) {
	b := newBench(t, Options{})
	require.Empty(t, b.poll(), "an empty folder")
	b.write("a.yaml", one)
	b.write("deep/er/b.yml", "- {id: two, severity: 1, labels: {tier: 2, on: yes}}\n- {id: 3}\n---\nid: four\n---\n# nothing\n")
	b.write("c.json", "{\"id\": \"five\",\t\"title\": \"\\ud83d\\udd25\"}")
	b.write("notes.txt", "no record")
	b.write(".hidden.yaml", "id: hidden")
	b.write(".git/x.yaml", "id: hidden")
	require.Equal(t, []string{"3 five four one two"}, b.poll())
	require.Empty(t, b.problems())

	got := b.store.records[incident.RecordKey{Source: "ours", ID: "one"}]
	require.Equal(t, incident.Stated{At: time.Date(2024, 7, 18, 8, 57, 0, 0, time.UTC), Precision: incident.PrecisionMinute, Evidence: "new version"}, got.Milestones[incident.Started])
	require.Equal(t, time.Date(2024, 7, 18, 9, 28, 0, 0, time.UTC), got.Milestones[incident.Detected].At)
	two := b.store.records[incident.RecordKey{Source: "ours", ID: "two"}]
	require.Equal(t, "1", two.Severity, "a number where a text belongs is that text")
	require.Equal(t, map[string]string{"tier": "2", "on": "yes"}, two.Labels)
	require.Equal(t, "🔥", b.store.records[incident.RecordKey{Source: "ours", ID: "five"}].Title)

	require.Empty(t, b.poll(), "nothing changed")
	b.restart()
	require.Empty(t, b.poll(), "nor since the start")

	b.write("a.yaml", strings.Replace(one, "errors", "many errors", 1))
	b.remove("deep")
	require.Equal(t, []string{"-3 -four -two one"}, b.poll())
	b.write("deep/b.yml", "id: two")
	require.Equal(t, []string{"two"}, b.poll(), "back again")
}

// An edit counts although the time that the file states did not move, or moved back.
func TestEditWithAnOldTime(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a.yaml", one+"updated_at: 2024-07-20T00:00:00Z\n")
	require.Equal(t, []string{"one"}, b.poll())
	b.write("a.yaml", strings.Replace(one, "errors", "many errors", 1)+"updated_at: 2024-07-20T00:00:00Z\n")
	require.Equal(t, []string{"one"}, b.poll())
	b.write("a.yaml", one+"updated_at: 2024-07-19T00:00:00Z\n")
	require.Equal(t, []string{"one"}, b.poll())
	require.Empty(t, b.poll())
	require.Equal(t, "Sign-in answered with errors", b.store.records[incident.RecordKey{Source: "ours", ID: "one"}].Title)
}

// A file that comes back counts, however old the time it states is.
func TestBackWithAnOldTime(t *testing.T) {
	b := newBench(t, Options{})
	old := one + "updated_at: 2024-07-20T00:00:00Z\n"
	b.write("a.yaml", old)
	require.Equal(t, []string{"one"}, b.poll())
	require.Equal(t, time.Date(2024, 7, 20, 0, 0, 0, 0, time.UTC), b.store.records[incident.RecordKey{Source: "ours", ID: "one"}].UpdatedAt)
	b.remove("a.yaml")
	require.Equal(t, []string{"-one"}, b.poll())
	b.write("a.yaml", old)
	require.Equal(t, []string{"=one", "one"}, b.poll())
	require.False(t, b.store.records[incident.RecordKey{Source: "ours", ID: "one"}].Withdrawn)
	require.Empty(t, b.poll())
}

func TestBadFileHidesNoneAndKeepsItsLastGoodVersion(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	b := newBench(t, Options{Metrics: NewMetrics(reg)})
	b.write("a.yaml", one)
	b.write("b.yaml", "- id: two\n- id: three\n")
	require.Equal(t, []string{"one three two"}, b.poll())

	b.write("a.yaml", "id: one\ntitle: [unclosed\n")
	b.write("b.yaml", "- id: two\n  title: new\n- id: three\n  state: over\n")
	b.write("c.yaml", "id: four")
	require.Equal(t, []string{"four two"}, b.poll())
	require.Equal(t, []string{
		`a.yaml:2: not YAML: did not find expected ',' or ']'`,
		`b.yaml:4: state: unknown value "over"; it is one of open, resolved, cancelled`,
	}, b.problems())
	require.NoError(t, testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP meantime_source_bad_files Files of the source with a record that cannot be read, as of the last poll.
# TYPE meantime_source_bad_files gauge
meantime_source_bad_files{source="ours"} 2
# HELP meantime_source_unknown_keys Keys in the files of the source that are not read, as of the last poll.
# TYPE meantime_source_unknown_keys gauge
meantime_source_unknown_keys{source="ours"} 0
`)))
	lint, err := testutil.GatherAndLint(reg)
	require.NoError(t, err)
	require.Empty(t, lint)

	require.Empty(t, b.poll())
	require.Empty(t, b.problems(), "said once")
	b.remove("c.yaml")
	require.Equal(t, []string{"-four"}, b.poll(), "what the bad file said is known, so the rest can go")

	b.restart() // now nobody knows what a.yaml said
	b.remove("b.yaml")
	require.Empty(t, b.poll())
	require.Len(t, b.problems(), 1)
	b.write("a.yaml", "id: one\n")
	require.Equal(t, []string{"-three -two one"}, b.poll())
	b.write("a.yaml", "id: one\ntitle: [unclosed\n")
	require.Empty(t, b.poll())
	b.remove("a.yaml")
	require.Equal(t, []string{"-one"}, b.poll(), "a bad file that goes takes its records with it")
}

func TestProblems(t *testing.T) {
	tests := []struct {
		name, file, text string
		want             []string
		ids              string // taken all the same
	}{
		{"a time without a zone", "a.yaml", "id: x\ntitle: t\nmilestones:\n  # a comment\n\n\n  started: 2024-07-18 08:57\n",
			[]string{`a.yaml:7: milestones.started: time without a zone: "2024-07-18 08:57"; write 2024-07-18T08:57:00Z for UTC, or with an offset such as +02:00`}, ""},
		{"a date", "a.yaml", "id: x\nmilestones: {started: 2024-07-18}", []string{`a.yaml:2: milestones.started: not a time: "2024-07-18"; write it like 2006-01-02T15:04:05Z`}, ""},
		{"a bad precision", "a.yaml", "id: x\nmilestones:\n  started:\n    at: 2024-07-18T08:57:00Z\n    precision: hour\n",
			[]string{`a.yaml:5: milestones.started.precision: unknown value "hour"; it is one of second, minute, approximate`}, ""},
		{"an unknown milestone", "a.yaml", "id: x\nmilestones:\n  fixed: 2024-07-18T08:57:00Z\n",
			[]string{`a.yaml:3: milestones.fixed: unknown milestone; the milestones are started, detected, acknowledged, identified, mitigated, resolved`}, ""},
		{"an end before its start", "a.yaml", "id: x\nimpacts:\n  - {from: 2024-07-18T08:57:00Z, to: 2024-07-18T09:32:00Z}\n  - from: 2024-07-18T08:57:00Z\n    to: 2024-07-17T09:32:00Z\n",
			[]string{`a.yaml:5: impacts[1].to: 2024-07-17T09:32:00Z is before from 2024-07-18T08:57:00Z`}, ""},
		{"several at once", "a.yaml", "title: t\nurl: ftp://x\nservices: [a, '']\n",
			[]string{`a.yaml:1: id: missing; it must name the incident within its source, such as "2024-07-18-sign-in"`, `a.yaml:2: url: not an http or https address: "ftp://x"`, `a.yaml:3: services[1]: empty`}, ""},
		{"another source", "a.yaml", "id: x\nsource: theirs\n", []string{`a.yaml:2: source: "theirs" here, "ours" where it was sent to; leave it out or make them agree`}, ""},
		{"a list for a text", "a.yaml", "id: x\ntitle: [a]\n", []string{`a.yaml:2: title: a list where a text belongs`}, ""},
		{"a text for a list", "a.yaml", "id: x\nservices: sign-in\n", []string{`a.yaml:2: services: a single value where a list belongs`}, ""},
		{"a text for keys", "a.yaml", "id: x\nmilestones: none\n", []string{`a.yaml:2: milestones: a single value where keys and values belong`}, ""},
		{"no record", "a.yaml", "just a text", []string{`a.yaml:1: a single value where a record belongs`}, ""},
		{"a key twice", "a.yaml", "id: x\ntitle: a\ntitle: b\n", []string{`a.yaml:3: title: given twice`}, ""},
		{"an unknown key is a warning", "a.yaml", "id: x\nmilestone:\n  started: 2024-07-18T08:57:00Z\nfoobar: 1\nreferences: {url: [a]}\n",
			[]string{`a.yaml:2: milestone: a key that is not read; did you mean "milestones"?`, `a.yaml:4: foobar: a key that is not read`, `a.yaml:5: references.url: a key that is not read; did you mean "urls"?`}, "x"},
		{"a merge key", "a.yaml", "id: x\n<<: {title: t}\n", []string{`a.yaml:2: <<: merge keys are not read; write the keys out`}, "x"},
		{"one bad of three documents", "a.yaml", "id: a\n---\nid: b\nkind: outage\n---\nid: c\n", []string{`a.yaml:4: kind: unknown value "outage"; it is one of incident, drill, maintenance`}, "a c"},
		{"the documents before the mistake", "a.yaml", "id: a\n---\nid: b\n\tkind: x\n", []string{`a.yaml:3: not YAML: found a tab character that violates indentation`}, "a"},
		{"the id twice in a file", "a.yaml", "- id: a\n- id: a\n  title: t\n", []string{`a.yaml:2: id: "a" is in this file twice; the first counts`}, "a"},
		{"JSON cut off", "a.json", "{\n\"id\": \"x\",\n\"title\": ", []string{`a.json:3: not JSON: it ends too early`}, ""},
		{"JSON with a mistake", "a.json", "{\n\"id\": \"x\",\n\"title\": nope}", []string{`a.json:3: not JSON: invalid character 'o' in literal null (expecting 'u')`}, ""},
		{"JSON with a bad place", "a.json", "[\n\t{\"id\": \"x\",\n\t \"state\":\n\t\"over\"}\n]", []string{`a.json:3: state: unknown value "over"; it is one of open, resolved, cancelled`}, ""},
		{"a bomb", "a.yaml", "id: x\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nservices: *e\n",
			[]string{
				`a.yaml:2: a: a key that is not read`, `a.yaml:3: b: a key that is not read`, `a.yaml:4: c: a key that is not read`,
				`a.yaml:5: d: a key that is not read`, `a.yaml:6: e: a key that is not read`,
				`a.yaml:5: services[0]: a list where a text belongs`,
			}, ""},
		{"a bomb of a mistake", "a.yaml", "id: x\nimpacts: [&a {from: 2024-07-18T08:57:00Z, till: now, to: 2023-07-18T08:57:00Z}, *a, *a, *a]\n" +
			"milestones: {started: &m {at: soon, precision: hour}, resolved: *m}\nreferences: {urls: [&u \"\", *u, *u]}\n",
			[]string{
				`a.yaml:2: impacts[0].till: a key that is not read`,
				`a.yaml:3: milestones.resolved: not a time: "soon"; write it like 2006-01-02T15:04:05Z`,
				`a.yaml:2: impacts[0].to: 2023-07-18T08:57:00Z is before from 2024-07-18T08:57:00Z`,
			}, ""},
		{"the same mistake twice without an alias", "a.yaml", "id: x\nservices: ['', '']\n", []string{`a.yaml:2: services[0]: empty`, `a.yaml:2: services[1]: empty`}, ""},
		{"too large", "a.yaml", "id: x\ntitle: " + strings.Repeat("x", 70000), []string{`a.yaml: 70013 bytes are more than the 65536 allowed`}, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, Options{MaxBytes: 65536})
			b.write(tc.file, tc.text)
			require.Equal(t, tc.ids, strings.Join(b.poll(), "|"))
			got := b.problems()
			require.Equal(t, tc.want, got)
		})
	}
}

func TestTheSameIDInTwoFiles(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a.yaml", "id: x\ntitle: first")
	b.write("b/copy.yaml", "\nid: x\ntitle: second")
	require.Equal(t, []string{"x"}, b.poll())
	require.Equal(t, []string{`b/copy.yaml:2: id: "x" is in a.yaml as well, which counts`}, b.problems())
	require.Equal(t, "first", b.store.records[incident.RecordKey{Source: "ours", ID: "x"}].Title)
	b.remove("a.yaml")
	require.Equal(t, []string{"x"}, b.poll())
	require.Equal(t, "second", b.store.records[incident.RecordKey{Source: "ours", ID: "x"}].Title)
}

func TestLinks(t *testing.T) {
	b := newBench(t, Options{})
	outside := filepath.Join(t.TempDir(), "secret.yaml")
	require.NoError(t, os.WriteFile(outside, []byte("id: secret"), 0o644))
	require.NoError(t, os.Symlink(outside, filepath.Join(b.dir, "absolute.yaml")))
	require.NoError(t, os.Symlink("../"+filepath.Base(filepath.Dir(outside))+"/secret.yaml", filepath.Join(b.dir, "relative.yaml")))
	require.NoError(t, os.Symlink(filepath.Dir(outside), filepath.Join(b.dir, "folder")))
	require.NoError(t, os.Symlink("nowhere.yaml", filepath.Join(b.dir, "dangling.yaml")))
	require.NoError(t, os.Mkdir(filepath.Join(b.dir, "dir.yaml"), 0o755))
	// As Kubernetes mounts a ConfigMap.
	b.write("..2024_07_18/good.yaml", "id: good")
	require.NoError(t, os.Symlink("..2024_07_18", filepath.Join(b.dir, "..data")))
	require.NoError(t, os.Symlink("..data/good.yaml", filepath.Join(b.dir, "good.yaml")))

	require.Equal(t, []string{"good"}, b.poll())
	require.Equal(t, []string{
		"absolute.yaml: path escapes from parent", "dangling.yaml: no such file or directory", "relative.yaml: path escapes from parent",
	}, b.problems())
}

func TestFolderThatCannotBeRead(t *testing.T) {
	b := newBench(t, Options{MaxFiles: 2})
	b.write("in/a.yaml", one)
	require.Equal(t, []string{"one"}, b.poll())
	require.NoError(t, os.Rename(b.dir, b.dir+"x"))
	b.store.puts = nil
	require.EqualError(t, b.Poll(t.Context()), "read folder "+b.dir+": no such file or directory")
	require.Empty(t, b.store.puts, "nothing is withdrawn")
	require.NoError(t, os.Rename(b.dir+"x", b.dir))
	require.Empty(t, b.poll())
	b.write("b.yaml", "id: b")
	b.write("c.yaml", "id: c")
	require.EqualError(t, b.Poll(t.Context()), "read folder "+b.dir+": more than the 2 files allowed")
	require.Empty(t, b.store.puts)
}

// A folder that is empty from the start is more likely not the folder. One that becomes empty is.
func TestEmptyFolder(t *testing.T) {
	b := newBench(t, Options{})
	require.Empty(t, b.poll(), "and nothing is stored")
	b.write("a.yaml", one)
	require.Equal(t, []string{"one"}, b.poll())
	b.remove("a.yaml")
	b.restart()
	b.write("notes.txt", "no record")
	b.store.puts = nil
	for range 2 {
		require.EqualError(t, b.Poll(t.Context()), "folder "+b.dir+" is empty, and records of it are stored; they stay, unless a file, if only an empty one, says that it is the right folder")
	}
	require.Empty(t, b.store.puts, "nothing is withdrawn")
	b.store.err = incident.Errorf(incident.CodeUnavailable, "database is locked")
	require.EqualError(t, b.Poll(t.Context()), "list stored records: database is locked")
	b.store.err = nil

	b.write("none.yaml", "")
	require.Equal(t, []string{"-one"}, b.poll())
	require.Empty(t, b.problems())

	b.write("a.yaml", one)
	require.Equal(t, []string{"one"}, b.poll())
	b.remove("a.yaml")
	b.remove("none.yaml")
	b.store.err = incident.Errorf(incident.CodeUnavailable, "database is locked")
	require.Error(t, b.Poll(t.Context()))
	b.store.err = nil
	require.Equal(t, []string{"-one"}, b.poll(), "what was seen has gone, though it could not be stored at first")
}

func TestStoreTrouble(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a.yaml", one)
	b.store.err = incident.Errorf(incident.CodeUnavailable, "database is locked")
	err := b.Poll(t.Context())
	require.EqualError(t, err, "list stored records: database is locked")
	require.Equal(t, incident.CodeUnavailable, incident.CodeOf(err))
	b.store.err = nil
	require.Equal(t, []string{"one"}, b.poll(), "at the next poll, though the file did not change")
}

func TestReaders(t *testing.T) {
	b := newBench(t, Options{Readers: map[string]Reader{".md": func(name string, body, beside []byte) ([]incident.Record, error) {
		switch string(body) {
		case "panic":
			panic("index out of range")
		case "bad":
			return nil, errors.New("no heading")
		case "unnamed":
			return []incident.Record{{Title: "t"}}, nil
		}
		return []incident.Record{{ID: strings.TrimSuffix(name, ".md"), Title: string(body), Severity: string(beside), Origin: incident.OriginPostmortem}}, nil
	}}})
	b.write("pm/one.MD", "x")
	b.write("pm/two.md", "y")
	require.Equal(t, []string{"pm/one.MD pm/two"}, b.poll())
	got := b.store.records[incident.RecordKey{Source: "ours", ID: "pm/two"}]
	require.Equal(t, incident.OriginPostmortem, got.Origin)

	// The answers beside a document are no records, and a change of them is a change of the document.
	b.write("pm/two.answers.yaml", "minor")
	require.Equal(t, []string{"pm/two"}, b.poll())
	require.Equal(t, "minor", b.store.records[incident.RecordKey{Source: "ours", ID: "pm/two"}].Severity)
	require.NoError(t, os.Remove(filepath.Join(b.dir, "pm", "two.answers.yaml")))
	require.Equal(t, []string{"pm/two"}, b.poll())
	require.Empty(t, b.store.records[incident.RecordKey{Source: "ours", ID: "pm/two"}].Severity)

	b.write("pm/one.MD", "panic")
	b.write("pm/two.md", "bad")
	b.write("pm/three.md", "unnamed")
	require.Empty(t, b.poll())
	require.Equal(t, []string{
		"pm/one.MD: cannot be read: index out of range",
		`pm/three.md: id: missing; it must name the incident within its source, such as "2024-07-18-sign-in"`,
		"pm/two.md: no heading",
	}, b.problems())
}

// The source in its Runner: what is written is seen at once, long before the interval.
func TestWatch(t *testing.T) {
	b := newBench(t, Options{})
	seen := make(chan string, 100)
	store := &telling{memory: b.store, seen: seen}
	s := New(Options{Name: "ours", Dir: b.dir, Store: store})
	r := source.NewRunner(source.Options{})
	require.NoError(t, r.Reload([]source.Job{{Source: s, Interval: time.Hour, Timeout: time.Minute, Debounce: 10 * time.Millisecond}}))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()

	wait := func(id string) {
		t.Helper()
		for {
			select {
			case got := <-seen:
				if got == id {
					return
				}
			case <-time.After(time.Minute):
				t.Fatalf("%s was not seen", id)
			}
		}
	}
	b.write("a.yaml", "id: a")
	wait("a")
	b.write("new/folder/b.yaml", "id: b")
	wait("b")
	b.write("new/folder/c.yaml", "id: c")
	wait("c")
	b.remove("a.yaml")
	wait("-a")
}

// telling tells what is put.
type telling struct {
	*memory
	seen chan string
}

func (s *telling) Put(ctx context.Context, f incident.Facts, at time.Time) (incident.Receipt, error) {
	r, err := s.memory.Put(ctx, f, at)
	for _, rec := range f.Records {
		id := rec.ID
		if rec.Withdrawn {
			id = "-" + id
		}
		s.seen <- id
	}
	return r, err
}

func FuzzNative(f *testing.F) {
	f.Add(one, false)
	f.Add("- {id: two, severity: 1}\n---\n&a [*a]\n", false)
	f.Add("a: &a {id: x, b: *a}", false)
	f.Add(`[{"id":"x","milestones":{"started":{"at":"2024-07-18T08:57:00Z"}}},{}]`, true)
	f.Add("\"0\r\r", false) // YAML's lines end in more than one way
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		s := New(Options{Name: "ours"})
		ext := ".yaml"
		if isJSON {
			ext = ".json"
		}
		c := s.readers[ext].read("x", []byte(text), nil)
		for _, r := range c.records {
			require.NoError(t, r.Validate())
			require.Equal(t, "ours", r.Source)
		}
		if c.opaque || len(c.bad) > 0 {
			require.NotEmpty(t, c.problems, "what is bad is said")
		}
		for _, p := range c.problems {
			lines := 2
			for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
				lines += strings.Count(text, end)
			}
			require.LessOrEqual(t, p.Line, lines)
		}
	})
}

// TestUnreadFileStopsWithdrawalsAndSaysSo: of a file that could never be read nobody knows which records it holds, so none is
// withdrawn, and the log says why, once, and again for another file.
func TestUnreadFileStopsWithdrawalsAndSaysSo(t *testing.T) {
	b := newBench(t, Options{MaxBytes: 100})
	const told = `level=WARN msg="No record is withdrawn while a file cannot be read that never could be: what it says is not known"`
	b.write("a.yaml", "id: a")
	b.write("b.yaml", "id: b")
	require.Equal(t, []string{"a b"}, b.poll())
	b.write("huge.yaml", "id: c\ntitle: "+strings.Repeat("x", 200))
	b.remove("a.yaml")
	require.Empty(t, b.poll())
	require.Empty(t, b.poll())
	require.Equal(t, 1, strings.Count(b.log.String(), told), b.log.String())
	require.Contains(t, b.log.String(), "files=["+filepath.Join(b.dir, "huge.yaml")+"]")
	b.write("vast.yaml", "id: d\ntitle: "+strings.Repeat("x", 200))
	require.Empty(t, b.poll())
	require.Equal(t, 2, strings.Count(b.log.String(), told))
	b.remove("huge.yaml")
	b.remove("vast.yaml")
	require.Equal(t, []string{"-a"}, b.poll())
}

// What is left out of a folder is an error that names the first place, for as long as it lasts; all else is stored.
func TestLeftOut(t *testing.T) {
	b := newBench(t, Options{})
	b.write("a.yaml", "id: a\ntitle: one\n")
	require.NoError(t, b.Poll(t.Context()))
	for _, c := range []struct{ name, text, want string }{
		{"bad.yaml", "- id: b\n  title: two\n- id: c\n  milestones: {started: soon}\n", "bad.yaml:4: milestones.started: not a time: \"soon\""},
		{"pager.csv", "id,created\n1,2\n", "pager.csv: not read: the source needs a map, a jq program that makes a record of each row of a CSV"},
		{"log.JSONL", "{}\n", "log.JSONL: not read: JSONL is no form of records"},
		{"status.json", `{"page": {"id": "p"}, "incidents": []}`, "status.json:1: id: missing"},
	} {
		b.write(c.name, c.text)
		err := b.Poll(t.Context())
		var left *source.LeftOut
		require.ErrorAs(t, err, &left, c.name)
		require.Equal(t, 1, left.Files)
		require.ErrorContains(t, err, "a file is left out: "+filepath.Join(b.dir, c.want), c.name)
		b.remove(c.name)
		require.NoError(t, b.Poll(t.Context()), c.name)
	}
	b.write("bad.yaml", "- id: b\n  title: two\n- id: c\n  state: over\n")
	b.write("more.yaml", "x\n")
	require.ErrorContains(t, b.Poll(t.Context()), "2 files are left out, the first: "+filepath.Join(b.dir, "bad.yaml:4: state: unknown value"))
	require.Contains(t, b.store.records, incident.RecordKey{Source: "ours", ID: "b"}, "what can be read is stored")

	b.write("notes.txt", "x")
	b.write("bad.yaml", "start: 1\nid: b\n")
	b.remove("more.yaml")
	require.NoError(t, b.Poll(t.Context()), "a key that is not read, and a file of no form that records have, leave nothing out")
}
