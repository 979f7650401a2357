package file

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"meantime/incident"
)

// Mapper makes the records of one row, an object of texts by column; none where it is no incident. Each has an id, or it is an
// error.
type Mapper interface {
	Records(ctx context.Context, row json.RawMessage) ([]incident.Record, error)
}

const (
	// maxTable is the size of the largest table read, in bytes: trackers export years at once.
	maxTable = 64 << 20
	// maxProblems is how many bad rows of one table are named.
	maxProblems = 100
)

// tables are the extensions of tables of texts.
var tables = []string{".csv", ".tsv"}

// table reads the rows of a table, of which the first names the columns.
func (s *Source) table(m Mapper) reader {
	return reader{maxBytes: maxTable, read: func(_ string, body, _ []byte) content {
		var c content
		more := 0
		err := eachRow(body, func(line int, row json.RawMessage, bad error) {
			if bad == nil {
				bad = s.row(&c, m, line, row)
			}
			if bad == nil {
				return
			}
			c.opaque = true
			if len(c.problems) >= maxProblems {
				more++
				return
			}
			c.problems = append(c.problems, problemsOf(bad, func(string) int { return line })...)
		})
		if more > 0 {
			c.problems = append(c.problems, Problem{Message: fmt.Sprintf("%d more rows are bad", more)})
		}
		if err != nil {
			c.opaque = true
			line := 0
			var p *csv.ParseError
			if errors.As(err, &p) {
				line, err = p.StartLine, p.Err
			}
			c.problems = append(c.problems, Problem{Line: line, Message: err.Error()})
		}
		return c
	}}
}

// row adds the records of one row.
func (s *Source) row(c *content, m Mapper, line int, row json.RawMessage) error {
	records, err := m.Records(context.Background(), row)
	if err != nil {
		return fmt.Errorf("map: %w", err)
	}
	for _, r := range records {
		r.Source = s.name
		r.Fit()
		r.Normalize()
		if err := r.Validate(); err != nil {
			return err
		}
		if err := r.CheckPast(s.now()); err != nil {
			return err
		}
		c.records = append(c.records, located{r, line})
	}
	return nil
}

// eachRow gives each row of a table with its line, as an object of texts by column, or what is wrong with the row. The error is
// of the table from there on.
func eachRow(body []byte, take func(line int, row json.RawMessage, bad error)) error {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if !utf8.Valid(body) {
		return errors.New("is not UTF-8; export it as CSV in UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(body))
	first, _, _ := bytes.Cut(body, []byte("\n"))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = delimiter(first), -1, true
	head, err := r.Read()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return err
	}
	columns := named(head)
	for {
		cells, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		line, _ := r.FieldPos(0)
		row := map[string]string{}
		empty := true
		for i, cell := range cells {
			if cell = strings.TrimSpace(cell); cell != "" {
				empty = false
			}
			if i < len(columns) {
				row[columns[i]] = cell
			}
		}
		switch {
		case empty:
		case len(cells) > len(columns):
			take(line, nil, fmt.Errorf("has %d cells, and the first line names %d columns", len(cells), len(columns)))
		default:
			raw, err := json.Marshal(row)
			take(line, raw, err)
		}
	}
}

// delimiter is what stands between the columns of a table, by its first line.
func delimiter(first []byte) rune {
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		quoted, n := false, 0
		for _, c := range string(first) {
			switch {
			case c == '"':
				quoted = !quoted
			case c == d && !quoted:
				n++
			}
		}
		if n > most {
			best, most = d, n
		}
	}
	return best
}

// named are the names of columns. The second of one name is called `name 2`.
func named(head []string) []string {
	out := make([]string, len(head))
	times := map[string]int{}
	for i, name := range head {
		name = strings.TrimSpace(name)
		times[name]++
		if out[i] = name; times[name] > 1 {
			out[i] = fmt.Sprintf("%s %d", name, times[name])
		}
	}
	return out
}

// Table reads one table as a source of that name would, and says how many rows it has, and what is wrong with it, and where.
func Table(name, file string, body []byte, o Options) (records []incident.Record, rows int, problems []string) {
	s := New(o)
	s.name = name
	c := safely(s.table(o.Map), file, body, nil)
	for _, r := range c.records {
		records = append(records, r.Record)
	}
	for _, p := range c.problems {
		p.File = file
		problems = append(problems, p.show(""))
	}
	_ = eachRow(body, func(int, json.RawMessage, error) { rows++ }) // what is wrong is among the problems
	return records, rows, problems
}
