package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

func TestNewDatabaseIsReady(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		if err := db.Ready(context.Background()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReopenedDatabaseHasTheSameSecretsAndRows(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := open(t, o)
		user, secrets := registered(t, db), db.Secrets()
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		o.Create = false
		db = open(t, o)
		if !reflect.DeepEqual(db.Secrets(), secrets) {
			t.Error("other secrets")
		}
		if u, err := db.Read(context.Background()).UserByID(user); err != nil || u == nil {
			t.Errorf("the person is gone: %v", err)
		}
	})
}

func open(t testing.TB, o store.Options) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestOpenWithoutCreateMakesNothing(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		o.Create = false
		for range 2 {
			if _, err := store.Open(context.Background(), o); !errors.Is(err, store.ErrNoDatabase) {
				t.Fatalf("answered %v", err)
			}
		}
		if o.Folder == "" {
			return
		}
		if left, err := os.ReadDir(o.Folder); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
		o.Folder = filepath.Join(o.Folder, "missing")
		if _, err := store.Open(context.Background(), o); !errors.Is(err, store.ErrNoDatabase) {
			t.Errorf("a missing folder: %v", err)
		}
	})
}

func TestFileWithoutASchemaIsNoDatabase(t *testing.T) {
	o := storetest.SQLite(t)
	if err := os.WriteFile(filepath.Join(o.Folder, "keywright.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.Create = false
	if _, err := store.Open(context.Background(), o); !errors.Is(err, store.ErrNoDatabase) {
		t.Errorf("answered %v", err)
	}
}

func TestForeignFileIsRefused(t *testing.T) {
	o := storetest.SQLite(t)
	if err := os.WriteFile(filepath.Join(o.Folder, "keywright.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "keywright.db") {
		t.Errorf("answered %v", err)
	}
}

func TestWrongMasterKeyIsRefused(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		open(t, o).Close()
		wrong := o
		wrong.MasterKey[31] ^= 1
		if _, err := store.Open(context.Background(), wrong); !errors.Is(err, store.ErrWrongMasterKey) {
			t.Errorf("answered %v", err)
		}
		open(t, o)
	})
}

func TestNewerSchemaIsRefused(t *testing.T) {
	storetest.EachOptions(t, func(t *testing.T, o store.Options) {
		db := open(t, o)
		exec(t, db, `INSERT INTO schema_migrations (version, name, applied_at) VALUES (9999, '9999_later.sql', 1)`)
		db.Close()
		if _, err := store.Open(context.Background(), o); !errors.Is(err, store.ErrNewerSchema) {
			t.Errorf("answered %v", err)
		}
	})
}

func TestDatabaseFilesAreTheOwnersAlone(t *testing.T) {
	o := storetest.SQLite(t)
	db := open(t, o)
	registered(t, db)
	if err := db.Ready(context.Background()); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(o.Folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 4 { // the database, its log, the log's index, the lock
		t.Errorf("%d files", len(files))
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o", file.Name(), mode)
		}
	}
}

func TestDatabaseFileThatOthersCouldReadIsMadePrivate(t *testing.T) {
	o := storetest.SQLite(t)
	file := filepath.Join(o.Folder, "keywright.db")
	open(t, o).Close()
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, o)
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

func TestDurabilityIsReadBack(t *testing.T) {
	cases := []struct {
		pragmas []string
		durable bool
	}{
		{[]string{"journal_mode(WAL)", "synchronous(FULL)"}, true},
		{[]string{"journal_mode(WAL)", "synchronous(NORMAL)"}, false},
		{[]string{"journal_mode(WAL)", "synchronous(OFF)"}, false},
		{[]string{"journal_mode(DELETE)", "synchronous(FULL)"}, false},
		{[]string{"journal_mode(MEMORY)", "synchronous(FULL)"}, false},
	}
	for _, c := range cases {
		file := filepath.Join(t.TempDir(), "some.db")
		if err := store.CheckDurability(t, file, c.pragmas...); (err == nil) != c.durable {
			t.Errorf("%v: %v", c.pragmas, err)
		}
	}
}

func TestCommitsAreWrittenToTheDiskInFull(t *testing.T) {
	db := open(t, storetest.SQLite(t))
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		var mode string
		var synchronous int
		err := errors.Join(tx.QueryRow(`PRAGMA journal_mode`).Scan(&mode), tx.QueryRow(`PRAGMA synchronous`).Scan(&synchronous))
		if mode != "wal" || synchronous != 2 {
			t.Errorf("journal_mode=%s synchronous=%d", mode, synchronous)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	db := open(t, storetest.SQLite(t))
	var n int64
	err := db.Read(context.Background()).QueryRow(`UPDATE epochs SET value = 1 RETURNING value`).Scan(&n)
	if err == nil || !strings.Contains(err.Error(), "readonly") {
		t.Errorf("answered %v", err)
	}
}

func TestNodesThatStartTogetherShareOneNewDatabase(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("needs PostgreSQL")
	}
	o := storetest.Postgres(t)
	const nodes = 8
	opened := make([]*store.DB, nodes)
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			db, err := store.Open(context.Background(), o)
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			opened[i] = db
		})
	}
	wg.Wait()
	for _, db := range opened {
		if db == nil {
			continue
		}
		defer db.Close()
		if !reflect.DeepEqual(db.Secrets(), opened[0].Secrets()) {
			t.Error("two nodes have different secrets")
		}
	}
}

func TestNodeWaitsWhileAnotherMigrates(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("needs PostgreSQL")
	}
	o := storetest.Postgres(t)
	first := open(t, o)
	opened := make(chan error, 1)
	err := first.Update(context.Background(), func(tx *store.Tx) error {
		if err := tx.LockSchema(); err != nil {
			return err
		}
		go func() {
			second, err := store.Open(context.Background(), o)
			if err == nil {
				second.Close()
			}
			opened <- err
		}()
		for waiting := int64(0); waiting == 0; {
			select {
			case err := <-opened:
				t.Errorf("it did not wait: %v", err)
				opened <- err
				return nil
			default:
			}
			waiting = count(t, first, `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("after the migration: %v", err)
	}
}

func TestPostgresThatForgetsAcknowledgedCommitsIsRefused(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("needs PostgreSQL")
	}
	o := storetest.Postgres(t)
	o.DatabaseURL += "&synchronous_commit=off"
	if _, err := store.Open(context.Background(), o); err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("answered %v", err)
	}
}

func TestCallerWaitsForAConnectionAsLongAsItsContext(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("needs PostgreSQL")
	}
	o := storetest.Postgres(t)
	o.DatabaseURL += "&pool_max_conns=1"
	db := open(t, o)
	holding, release := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		err := db.Update(context.Background(), func(*store.Tx) error {
			close(holding)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-holding
	ctx := deadline{context.Background(), make(chan struct{})}
	close(ctx.passed)
	waiting, cancel := context.WithCancel(context.Background())
	wg.Go(func() {
		err := db.Update(waiting, func(*store.Tx) error { t.Error("it ran"); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("answered %v", err)
		}
	})
	cancel()
	if err := db.Update(ctx, func(*store.Tx) error { t.Error("it ran"); return nil }); err == nil {
		t.Error("an update ran without a connection")
	}
	close(release)
	wg.Wait()
}

func TestBothEnginesHaveTheSameMigrations(t *testing.T) {
	sqlite, postgres := store.Migrations(t, "sqlite"), store.Migrations(t, "postgres")
	if !slices.Equal(sqlite, postgres) {
		t.Errorf("SQLite has %v, PostgreSQL %v", sqlite, postgres)
	}
	for i, name := range sqlite {
		if want := fmt.Sprintf("%04d_", i+1); !strings.HasPrefix(name, want) {
			t.Errorf("%s does not begin with %s", name, want)
		}
	}
}

func TestBothEnginesHaveTheSameSchema(t *testing.T) {
	if os.Getenv(storetest.PostgresVariable) == "" {
		t.Skip("needs PostgreSQL")
	}
	sqlite, postgres := sqliteSchema(t, open(t, storetest.SQLite(t))), postgresSchema(t, open(t, storetest.Postgres(t)))
	if len(sqlite) < 20 {
		t.Fatalf("SQLite's schema was not read: %v", sqlite)
	}
	for _, line := range sqlite {
		if !slices.Contains(postgres, line) {
			t.Errorf("only SQLite has     %s", line)
		}
	}
	for _, line := range postgres {
		if !slices.Contains(sqlite, line) {
			t.Errorf("only PostgreSQL has %s", line)
		}
	}
}

// sqliteSchema describes each column, with its place, and each index in a line.
func sqliteSchema(t *testing.T, db *store.DB) []string {
	columns := texts(t, db, `SELECT m.name || ' column ' || c.cid || ' ' || c.name || ' ' ||
		CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' ELSE lower(c.type) END ||
		CASE WHEN c."notnull" OR c.pk THEN ' not null' ELSE '' END || COALESCE(' default ' || c.dflt_value, '')
		FROM sqlite_master m, pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	primary := texts(t, db, `SELECT m.name || ' primary key ' || (SELECT group_concat(c.name, ',') FROM pragma_table_info(m.name) c WHERE c.pk)
		FROM sqlite_master m WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'`)
	indexes := texts(t, db, `SELECT m.name || CASE WHEN i."unique" THEN ' unique' ELSE '' END || ' index ' ||
		(SELECT group_concat(c.name, ',') FROM pragma_index_info(i.name) c) ||
		COALESCE((SELECT substr(s.sql, instr(s.sql, ' WHERE ')) FROM sqlite_master s WHERE s.name = i.name AND i.partial), '')
		FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i.origin <> 'pk'`)
	return slices.Concat(columns, primary, indexes)
}

var casts = regexp.MustCompile(`::\w+|[()]`)

func postgresSchema(t *testing.T, db *store.DB) []string {
	columns := texts(t, db, `SELECT table_name || ' column ' || ordinal_position - 1 || ' ' || column_name || ' ' || data_type ||
		CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END || COALESCE(' default ' || column_default, '')
		FROM information_schema.columns WHERE table_schema = current_schema()`)
	indexes := texts(t, db, `SELECT t.relname || CASE WHEN i.indisprimary THEN ' primary key ' WHEN i.indisunique THEN ' unique index ' ELSE ' index ' END ||
		(SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
			JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number) ||
		COALESCE(' WHERE ' || pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE t.relnamespace = current_schema()::regnamespace`)
	all := slices.Concat(columns, indexes)
	for i, line := range all {
		all[i] = strings.ReplaceAll(casts.ReplaceAllString(line, ""), `'\x'`, `x''`)
	}
	return all
}

func texts(t *testing.T, db *store.DB, query string) []string {
	t.Helper()
	rows, err := db.Read(context.Background()).Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text.String)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
