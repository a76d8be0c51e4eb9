package store

import (
	"context"
	"database/sql"
	"sync"
)

// connStatements prepares each SQL text once on one connection, which is worth
// a third of the time. It serves one goroutine at a time.
type connStatements struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
}

func newConnStatements(conn *sql.Conn) *connStatements {
	return &connStatements{conn, map[string]*sql.Stmt{}}
}

func (s *connStatements) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := s.prepared[query]; ok {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), query)
	if err == nil {
		s.prepared[query] = stmt
	}
	return stmt, err
}

func (s *connStatements) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepare(query)
	if err != nil {
		return s.conn.QueryRowContext(ctx, query, args...) // fails alike, in the Row
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *connStatements) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *connStatements) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

func (s *connStatements) close() {
	for _, stmt := range s.prepared {
		stmt.Close()
	}
}

// poolStatements does the same for a pool of connections.
type poolStatements struct {
	pool     *sql.DB
	prepared sync.Map // string → *sql.Stmt
}

func (s *poolStatements) prepare(query string) (*sql.Stmt, error) {
	if stmt, ok := s.prepared.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := s.pool.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	if first, raced := s.prepared.LoadOrStore(query, stmt); raced {
		stmt.Close()
		return first.(*sql.Stmt), nil
	}
	return stmt, nil
}

func (s *poolStatements) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	stmt, err := s.prepare(query)
	if err != nil {
		return s.pool.QueryRowContext(ctx, query, args...) // fails alike, in the Row
	}
	return stmt.QueryRowContext(ctx, args...)
}

func (s *poolStatements) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func (s *poolStatements) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	stmt, err := s.prepare(query)
	if err != nil {
		return nil, err
	}
	return stmt.ExecContext(ctx, args...)
}

// plain leaves preparing to the driver: pgx keeps statements by itself.
type plain struct {
	on interface {
		QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
		QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
		ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	}
}

func (p plain) queryRow(ctx context.Context, query string, args ...any) *sql.Row {
	return p.on.QueryRowContext(ctx, query, args...)
}

func (p plain) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return p.on.QueryContext(ctx, query, args...)
}

func (p plain) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return p.on.ExecContext(ctx, query, args...)
}
