//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// childVariable is set in a process that a test starts from its own binary.
const childVariable = "KEYWRIGHT_TEST_STORE_CHILD"

// inChild runs the test of the same name in a process of its own, and returns
// false in there.
func inChild(t *testing.T, folder string) bool {
	t.Helper()
	if os.Getenv(childVariable) != "" {
		return false
	}
	child := osexec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"="+folder)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return true
}

func TestOneProcessOwnsAFolder(t *testing.T) {
	ctx := context.Background()
	o := storetest.SQLite(t)
	if folder := os.Getenv(childVariable); folder != "" {
		o.Folder = folder
		if _, err := store.Open(ctx, o); !errors.Is(err, store.ErrFolderInUse) {
			t.Fatalf("a second process: %v", err)
		}
		return
	}
	db, err := store.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(ctx, o); !errors.Is(err, store.ErrFolderInUse) {
		t.Errorf("a second Open: %v", err)
	}
	inChild(t, o.Folder)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if db, err = store.Open(ctx, o); err != nil {
		t.Fatalf("after it was closed: %v", err)
	}
	db.Close()
}

// A disk that fails during a COMMIT leaves its outcome unknown. Here all
// files of the process are held short, so it has a process of its own.
func TestDiskThatFailsDuringACommit(t *testing.T) {
	if inChild(t, "a new one") {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	o := storetest.SQLite(t)
	ctx := context.Background()
	db, err := store.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	makeKept(t, db)
	keepOne(t, db, "before")
	exec(t, db, `PRAGMA cache_size = 77`) // marks the connection

	const callers = 9
	answers := make([]error, callers)
	var allow func()
	var calls []func()
	for i := range callers {
		calls = append(calls, func() {
			answers[i] = db.Update(ctx, func(tx *store.Tx) error {
				switch i {
				case 0:
					allow = refuseWrites(t)
				case 5:
					return errPlanted
				}
				return keep(tx, fmt.Sprint(i))
			})
		})
	}
	inOneGroup(t, db, calls...)
	for i, err := range answers {
		switch {
		case i == 5 && !errors.Is(err, errPlanted):
			t.Errorf("the update that failed by itself was answered %v", err)
		case i != 5 && !errors.Is(err, store.ErrOutcomeUnknown):
			t.Errorf("update %d was answered %v", i, err)
		}
	}
	for range 2 {
		if err := db.Ready(ctx); err == nil {
			t.Error("ready, although nothing can be written")
		}
	}
	allow()
	if err := db.Ready(ctx); err != nil {
		t.Errorf("not ready again: %v", err)
	}
	keepOne(t, db, "after")
	err = db.Update(ctx, func(tx *store.Tx) error {
		var size int64
		if err := tx.QueryRow(`PRAGMA cache_size`).Scan(&size); err != nil || size == 77 {
			t.Errorf("the connection was not opened anew: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	checkAfterFault(t, db, callers)

	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if db, err = store.Open(ctx, o); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	checkAfterFault(t, db, callers)
}

func keepOne(t *testing.T, db *store.DB, id string) {
	t.Helper()
	if err := db.Update(context.Background(), func(tx *store.Tx) error { return keep(tx, id) }); err != nil {
		t.Fatalf("the update %q: %v", id, err)
	}
}

// checkAfterFault wants what was acknowledged, all or nothing of what was not,
// and a sound file that is written as durably as before.
func checkAfterFault(t *testing.T, db *store.DB, callers int) {
	t.Helper()
	if timesKept(t, db, "before") != 1 || timesKept(t, db, "after") != 1 || timesKept(t, db, "5") != 0 {
		t.Error("an acknowledged update is not kept once, or a failed one is")
	}
	unknown := count(t, db, `SELECT COUNT(*) FROM kept WHERE times = 1 AND id NOT IN ('before', 'after')`)
	if unknown != 0 && unknown != int64(callers-1) {
		t.Errorf("half of a group is kept: %d updates", unknown)
	}
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		var check string
		if err := tx.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
			t.Errorf("integrity_check: %s %v", check, err)
		}
		var synchronous int
		if err := tx.QueryRow(`PRAGMA synchronous`).Scan(&synchronous); err != nil || synchronous != 2 {
			t.Errorf("synchronous=%d %v", synchronous, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// refuseWrites makes writing to files fail in this process: none may be longer
// than a byte.
func refuseWrites(t *testing.T) (allow func()) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(size uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: limit.Max}); err != nil {
			t.Error(err)
		}
	}
	set(1)
	return func() { set(limit.Cur) }
}
