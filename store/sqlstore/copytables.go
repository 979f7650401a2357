package sqlstore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// copiedTables are the tables that a copy consists of, each with its key, by which both kinds of database order alike:
// numbers by size, text by its bytes. What says how far correlation is comes last, after all that it speaks of.
var copiedTables = []copiedTable{
	{"sightings", []string{"fingerprint", "starts_at"}},
	{"records", []string{"source", "id"}},
	{"record_history", []string{"source", "id", "updated_at", "digest"}},
	{"reviews", []string{"id"}},
	{"silences", []string{"id"}},
	{"beats", []string{"watchdog", "at"}},
	{"marks", []string{"source", "name"}},
	{"lives", []string{"from_at"}},
	{"senders", []string{"key"}},
	{"mutes", []string{"fingerprint", "silence", "at"}},
	{"observed", []string{"incident"}},
	{"feed", []string{"seq"}},
	{"incidents", []string{"id"}},
	{"incident_rests", []string{"incident"}},
	{"incident_services", []string{"service", "at", "incident"}},
	{"incident_aliases", []string{"alias", "incident"}},
	{"verdicts", []string{"starts_at", "fingerprint"}},
	{"progress", []string{"one"}},
}

type copiedTable struct {
	name string
	key  []string
}

// Bounds of what one transaction of a copy writes.
const (
	copiedRows  = 2000
	copiedBytes = 4 << 20
)

// rows are rows of a table with its columns in one order, the key's first.
type rows [][]any

// table makes a table of the target the same as the source's and returns how many rows it wrote for it.
func (c *copier) table(ctx context.Context, from *sql.Conn, t copiedTable) (written int64, err error) {
	columns, err := columnsOf(ctx, from, t)
	if err != nil {
		return 0, explained(c.source, err)
	}
	most, err := readRows(ctx, c.target.db.read, "SELECT "+commas(t.key)+" FROM "+t.name+" ORDER BY "+strings.Join(t.key, " DESC, ")+" DESC LIMIT 1")
	if err != nil {
		return 0, c.target.explain(err)
	}
	source, err := from.QueryContext(ctx, "SELECT "+commas(columns)+" FROM "+t.name+" ORDER BY "+commas(t.key))
	if err != nil {
		return 0, explained(c.source, err)
	}
	defer source.Close()
	var before []any // the key of the last row that is dealt with; nil for none
	flush := func(next rows, last []any) error {
		n, err := c.stretch(ctx, t, columns, next, before, last, len(most) > 0 && (before == nil || compareKeys(before, most[0]) < 0))
		written, before = written+int64(n), last
		if err == nil {
			c.pass(int64(len(next)), c.copied)
		}
		return err
	}
	var next rows
	size := 0
	for source.Next() {
		row, err := scanRow(source, len(columns))
		if err != nil {
			return written, explained(c.source, err)
		}
		next = append(next, row)
		for _, v := range row {
			if s, ok := v.(string); ok {
				size += len(s)
			}
		}
		if len(next) == copiedRows || size >= copiedBytes {
			if err := flush(next, row[:len(t.key)]); err != nil {
				return written, err
			}
			next, size = nil, 0
		}
	}
	if err := source.Err(); err != nil {
		return written, explained(c.source, err)
	}
	return written, flush(next, nil)
}

// stretch makes the rows of the target with keys after before and up to last, where they are not nil, the given ones. It
// returns how many it wrote, 0 where they were the same already. Where nothing is there they are written unseen.
func (c *copier) stretch(ctx context.Context, t copiedTable, columns []string, want rows, before, last []any, there bool) (int, error) {
	where, args := between(t.key, before, last)
	if there {
		have, err := readRows(ctx, c.target.db.read, "SELECT "+commas(columns)+" FROM "+t.name+where+" ORDER BY "+commas(t.key), args...)
		if err != nil {
			return 0, c.target.explain(err)
		}
		if slices.EqualFunc(want, have, func(a, b []any) bool { return slices.Equal(a, b) }) {
			return 0, nil
		}
	} else if len(want) == 0 {
		return 0, nil
	}
	err := c.target.alone(ctx, len(want)+1, func(x *session) error {
		if there {
			if _, err := x.exec("DELETE FROM "+t.name+where, args...); err != nil {
				return err
			}
		}
		return inChunks(len(want), func(from, size int) error {
			values := make([]any, 0, size*len(columns))
			for _, row := range want[from : from+size] {
				values = append(values, row...)
			}
			_, err := x.exec("INSERT INTO "+t.name+" ("+commas(columns)+") VALUES "+x.db.tuples(size, len(columns)), values...)
			return err
		})
	})
	if err == nil && c.wrote != nil {
		c.wrote(t.name, len(want))
	}
	return len(want), err
}

// between is the condition that a key comes after before and not after last, where they are not nil.
func between(key []string, before, last []any) (where string, args []any) {
	tuple := func(of []any) string {
		var p []string
		for _, v := range of {
			args = append(args, v)
			p = append(p, fmt.Sprintf("$%d", len(args)))
		}
		return "(" + commas(p) + ")"
	}
	var conditions []string
	if before != nil {
		conditions = append(conditions, "("+commas(key)+") > "+tuple(before))
	}
	if last != nil {
		conditions = append(conditions, "("+commas(key)+") <= "+tuple(last))
	}
	if conditions == nil {
		return "", nil
	}
	return " WHERE " + strings.Join(conditions, " AND "), args
}

// compareKeys orders keys as both kinds of database do.
func compareKeys(a, b []any) int {
	for i := range a {
		c := 0
		switch v := a[i].(type) {
		case int64:
			c = cmp.Compare(v, b[i].(int64))
		case string:
			c = strings.Compare(v, b[i].(string))
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// columnsOf are a table's columns, those of the key first.
func columnsOf(ctx context.Context, from *sql.Conn, t copiedTable) ([]string, error) {
	none, err := from.QueryContext(ctx, "SELECT * FROM "+t.name+" WHERE 1 = 0")
	if err != nil {
		return nil, err
	}
	defer none.Close()
	all, err := none.Columns()
	if err != nil {
		return nil, err
	}
	columns := slices.Clone(t.key)
	for _, name := range all {
		if !slices.Contains(t.key, name) {
			columns = append(columns, name)
		}
	}
	return columns, none.Err()
}

// checksum reads a whole table in order.
func checksum(ctx context.Context, from *sql.Conn, t copiedTable) (n int64, sum string, err error) {
	columns, err := columnsOf(ctx, from, t)
	if err != nil {
		return 0, "", err
	}
	// The other columns have no order of their own between two databases.
	slices.Sort(columns[len(t.key):])
	all, err := from.QueryContext(ctx, "SELECT "+commas(columns)+" FROM "+t.name+" ORDER BY "+commas(t.key))
	if err != nil {
		return 0, "", err
	}
	h := sha256.New()
	var b []byte
	err = eachRow(all, func(r *sql.Rows) error {
		row, err := scanRow(r, len(columns))
		if err != nil {
			return err
		}
		b = b[:0]
		for _, v := range row {
			switch v := v.(type) {
			case int64:
				b = binary.BigEndian.AppendUint64(append(b, 'n'), uint64(v))
			case string:
				b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
			}
		}
		n++
		_, _ = h.Write(b) // never fails
		return nil
	})
	return n, hex.EncodeToString(h.Sum(nil)[:16]), err
}

// queryer is a connection or a pool.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func readRows(ctx context.Context, from queryer, query string, args ...any) (all rows, err error) {
	found, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	columns, err := found.Columns()
	if err != nil {
		return nil, err
	}
	err = eachRow(found, func(r *sql.Rows) error {
		row, err := scanRow(r, len(columns))
		all = append(all, row)
		return err
	})
	return all, err
}

// scanRow reads a row of numbers and texts, the only two that the schema has.
func scanRow(r *sql.Rows, columns int) ([]any, error) {
	row, into := make([]any, columns), make([]any, columns)
	for i := range row {
		into[i] = &row[i]
	}
	if err := r.Scan(into...); err != nil {
		return nil, err
	}
	for i, v := range row {
		switch v := v.(type) {
		case int64, string:
		case []byte:
			row[i] = string(v)
		default:
			return nil, fmt.Errorf("a column holds a %T, neither a number nor a text", v)
		}
	}
	return row, nil
}
