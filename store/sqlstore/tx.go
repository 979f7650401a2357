package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"strings"
)

// session is the writer's one connection, with the statements prepared on it. Only the writer's goroutine uses it.
type session struct {
	db    *database
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	spent bool // the connection ends with the transaction, and its temporary tables with it
}

// transact runs do in one transaction. A connection that cannot even roll back is given up; the next call takes another.
func (s *session) transact(do func(*session) error) (err error) {
	ctx := context.Background() // a transaction under way is never given up half done
	if err := s.begin(ctx); err != nil {
		return err
	}
	s.spent = false
	defer func() {
		if err == nil {
			if s.spent {
				s.discard()
			}
			return
		}
		// After some errors there is nothing left to roll back, which is an error too.
		if _, rollback := s.conn.ExecContext(ctx, "ROLLBACK"); rollback != nil {
			s.discard()
		}
	}()
	if err := do(s); err != nil {
		return err
	}
	if s.db.there != nil {
		if err := s.db.there(); err != nil {
			return err
		}
	}
	_, err = s.conn.ExecContext(ctx, "COMMIT")
	return err
}

// begin begins a transaction. A connection kept from before may have broken since; then another is taken.
func (s *session) begin(ctx context.Context) (err error) {
	for kept := s.conn != nil; ; kept = false {
		if s.conn == nil {
			if s.conn, err = s.db.write.Conn(ctx); err != nil {
				s.conn = nil
				return err
			}
			s.stmts = make(map[string]*sql.Stmt)
		}
		for _, begin := range s.db.begin {
			if _, err = s.conn.ExecContext(ctx, begin); err != nil {
				break
			}
		}
		if err == nil {
			return nil
		}
		s.discard()
		if !kept {
			return err
		}
	}
}

// discard closes the connection for good. Given back to the pool it would be taken again, with a transaction that may
// still be open in it.
func (s *session) discard() {
	for _, st := range s.stmts {
		_ = st.Close() // before its connection: SQLite's do not survive it
	}
	s.stmts = nil
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	s.close()
}

func (s *session) close() {
	if s.conn == nil {
		return
	}
	for _, st := range s.stmts {
		_ = st.Close()
	}
	_ = s.conn.Close()
	s.conn, s.stmts = nil, nil
}

// stmt is the prepared statement of a text. Texts are few: constants, and generated ones of a few sizes.
func (s *session) stmt(query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	st, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.stmts[query] = st
	}
	return st, err
}

// exec runs a statement and returns how many rows it changed.
func (s *session) exec(query string, args ...any) (int64, error) {
	st, err := s.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// get reads the one row of a query; found is false where there is none.
func (s *session) get(query string, args []any, into ...any) (found bool, err error) {
	st, err := s.stmt(query)
	if err != nil {
		return false, err
	}
	err = st.QueryRowContext(context.Background(), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// query calls row for each row.
func (s *session) query(query string, args []any, row func(*sql.Rows) error) error {
	st, err := s.stmt(query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return err
	}
	return eachRow(rows, row)
}

func eachRow(rows *sql.Rows, row func(*sql.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// chunks are the numbers of rows for which many-row statements are generated; few sizes, so that all stay prepared.
var chunks = []int{64, 8, 1}

// inChunks cuts n rows into chunks.
func inChunks(n int, do func(from, size int) error) error {
	from := 0
	for _, size := range chunks {
		for ; n-from >= size; from += size {
			if err := do(from, size); err != nil {
				return err
			}
		}
	}
	return nil
}

// tuples is "(p1, p2), (p3, p4)" for rows of parameters, one for each column. Where the columns' types are given, the first
// row says them: a list that is not inserted has no other way to know.
func (d *database) tuples(rows, columns int, types ...string) string {
	var b strings.Builder
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for k := range columns {
			if k > 0 {
				b.WriteString(", ")
			}
			p := d.placeholder(i*columns + k + 1)
			if i == 0 && len(types) > 0 {
				p = "CAST(" + p + " AS " + types[k] + ")"
			}
			b.WriteString(p)
		}
		b.WriteByte(')')
	}
	return b.String()
}
