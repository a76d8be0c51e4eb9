package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// Both folders hold the same numbers and names; only types differ.
//
//go:embed migrations
var migrationFiles embed.FS

type migration struct {
	version int64
	name    string
	sql     string
}

func migrationsFor(engine string) ([]migration, error) {
	folder := "migrations/" + engine
	entries, err := fs.ReadDir(migrationFiles, folder)
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("migration %s has no number", entry.Name())
		}
		text, err := fs.ReadFile(migrationFiles, folder+"/"+entry.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version, entry.Name(), string(text)})
	}
	slices.SortFunc(all, func(a, b migration) int { return int(a.version - b.version) })
	return all, nil
}

// migrate brings the schema up to date, in one transaction: nobody ever sees
// half a migration.
func (db *DB) migrate(ctx context.Context, create bool) error {
	all, err := migrationsFor(db.engine.name)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		if lock := db.engine.lockSchema; lock != "" {
			if err := tx.exec(lock); err != nil {
				return err
			}
		}
		applied, err := tx.schemaVersion(create)
		if err != nil {
			return err
		}
		if applied > all[len(all)-1].version {
			return ErrNewerSchema
		}
		if applied == 0 && !create {
			return ErrNoDatabase
		}
		for _, m := range all {
			if m.version <= applied {
				continue
			}
			if err := tx.applyMigration(m); err != nil {
				return fmt.Errorf("migration %s: %w", m.name, err)
			}
		}
		return nil
	})
}

// schemaVersion returns the number of the last migration, 0 for none. It makes
// the table of migrations if there is to be a new database.
func (tx *Tx) schemaVersion(create bool) (int64, error) {
	var tables int
	if err := tx.queryRow(tx.db.engine.hasMigrations).Scan(&tables); err != nil {
		return 0, err
	}
	if tables == 0 {
		if !create {
			return 0, nil
		}
		if err := tx.exec(`CREATE TABLE schema_migrations (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`); err != nil {
			return 0, err
		}
	}
	var version int64
	err := tx.queryRow(`SELECT COALESCE(MAX(version), 0) FROM schema_migrations`).Scan(&version)
	return version, err
}

func (tx *Tx) applyMigration(m migration) error {
	for statement := range strings.SplitSeq(m.sql, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if err := tx.exec(statement); err != nil {
			return err
		}
	}
	now, err := tx.Now()
	if err != nil {
		return err
	}
	return tx.exec(`INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)`, m.version, m.name, toMicros(now))
}
