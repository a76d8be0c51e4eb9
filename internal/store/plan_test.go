package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// requests are what requests read, whatever the answer is.
func requests(db *store.DB, tx *store.Tx) error {
	hash := []byte("hash")
	var errs []error
	check := func(_ any, err error) { errs = append(errs, err) }
	check(tx.SessionFacts(hash))
	check(tx.LockSessionFacts(hash))
	check(tx.AuthorizationFacts("app", hash, "flw_1"))
	check(tx.LockAuthorizationFacts("app", hash, "flw_1"))
	check(tx.LockCodeFacts("app", hash))
	check(tx.ClientFacts("app"))
	check(tx.LockClient("app"))
	check(tx.GrantFacts("grt_1", "t"))
	check(tx.TokenFacts("grt_1", "t"))
	check(tx.LockRefreshFacts("app", "grt_1", "t"))
	check(tx.LockRegistrationToken(hash))
	check(tx.AssertionUsed("app", "jti"))
	check(tx.UserByEmail("ada@example.com"))
	check(tx.LockUserByEmail("ada@example.com"))
	check(tx.UserByID("usr_1"))
	check(tx.LockUser("usr_1"))
	check(tx.Users("usr_1", 10))
	check(tx.Sessions("usr_1"))
	check(tx.Consents("usr_1"))
	check(tx.Holdings("usr_1"))
	check(tx.SessionClients("ses_1"))
	check(tx.ClientsOfSession("ses_1"))
	check(tx.ClientsOfUser("usr_1"))
	check(tx.DueLogouts(db.Now(), 10))
	check(tx.ClaimLogout(oauth.Logout{ID: "lgo_1"}, db.Now(), db.Now()))
	check(tx.LockCursor("logout"))
	check(tx.Cursor("logout"))
	check(tx.Journal(0, 10))
	check(tx.LastNumber())
	_, _, err := tx.LockAttempts("account", "address")
	_, _, err2 := tx.CacheEpochs()
	return errors.Join(append(errs, err, err2)...)
}

// No statement of a request reads a whole table, however large it is.
func TestRequestsReadByIndexes(t *testing.T) {
	storetest.Each(t, nil, func(t *testing.T, db *store.DB) {
		seen := map[string]int{}
		err := db.Update(context.Background(), func(tx *store.Tx) error {
			tx.Record(seen)
			if err := requests(db, tx); err != nil {
				return err
			}
			for _, c := range facts {
				if err := tx.Apply(change.Origin{}, filled(c)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(seen) < 60 {
			t.Fatalf("only %d statements were seen", len(seen))
		}
		for statement, parameters := range seen {
			for _, line := range plan(t, db, statement, parameters) {
				if strings.HasPrefix(line, "SCAN ") && line != "SCAN CONSTANT ROW" || strings.Contains(line, "Seq Scan") {
					t.Errorf("%s: %s", statement, line)
				}
			}
		}
	})
}

// plan returns how the database will run a statement, whatever its parameters
// are and however few rows there are yet.
func plan(t *testing.T, db *store.DB, statement string, parameters int) (lines []string) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		args := make([]any, parameters)
		explain := "EXPLAIN QUERY PLAN " + statement
		if db.Engine() == "postgres" {
			for _, setup := range []string{"SET LOCAL enable_seqscan = off", "SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE s AS " + statement} {
				if err := tx.Exec(setup); err != nil {
					return err
				}
			}
			explain, args = "EXPLAIN EXECUTE s", nil
			if parameters > 0 {
				explain += "(" + strings.Join(slices.Repeat([]string{"NULL"}, parameters), ", ") + ")"
			}
		}
		rows, err := tx.Query(explain, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			var line string
			into := make([]any, len(columns))
			for i := range into {
				into[i] = new(any)
			}
			into[len(into)-1] = &line // SQLite's detail, PostgreSQL's only column
			if err := rows.Scan(into...); err != nil {
				return err
			}
			lines = append(lines, line)
		}
		if db.Engine() == "postgres" {
			rows.Close()
			return errors.Join(rows.Err(), tx.Exec("DEALLOCATE s"))
		}
		return rows.Err()
	})
	if err != nil {
		t.Errorf("%s: %v", statement, err)
	}
	if len(lines) == 0 && !strings.HasPrefix(statement, "INSERT") {
		t.Errorf("%s has no plan", statement)
	}
	return lines
}
