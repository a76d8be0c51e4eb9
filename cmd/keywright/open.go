package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

const (
	// folderPatience is how long to wait for a command, or a server that stops,
	// to leave the data folder.
	folderPatience = 20 * time.Second
	folderPoll     = 10 * time.Millisecond
)

// errServed says that a server owns the data folder and answers commands.
var errServed = errors.New("a server owns the data folder")

// makeStore makes what is missing of the folder, the master key and the database,
// and opens the store for this process.
func makeStore(ctx context.Context, s *settings.Settings) (*store.DB, error) {
	if needsFolder(s) {
		if err := makeDataFolder(s.Data); err != nil {
			return nil, err
		}
	}
	if err := makeMasterKey(ctx, s); err != nil {
		return nil, explainServed(s, err)
	}
	db, err := claimStore(ctx, s, true)
	return db, explainServed(s, err)
}

// claimStore opens the store for this process. A command has the folder for a
// moment only, so claimStore waits for that; for a server it does not: errServed.
func claimStore(ctx context.Context, s *settings.Settings, create bool) (*store.DB, error) {
	if needsFolder(s) {
		if err := checkDataFolder(s.Data); err != nil {
			return nil, err
		}
	}
	for began := time.Now(); ; {
		if needsFolder(s) && isServed(s.Data) {
			return nil, errServed
		}
		key, err := masterKey(s)
		if err != nil {
			return nil, err
		}
		db, err := openStore(ctx, s, key, create)
		if !errors.Is(err, store.ErrFolderInUse) {
			return db, err
		}
		if time.Since(began) > folderPatience {
			return nil, fmt.Errorf("another process holds %s and answers no commands: end it", s.Data)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("stopped while another process held %s", s.Data)
		case <-time.After(folderPoll):
		}
	}
}

// openStore opens the database that the settings name, and says what to do when
// it cannot.
func openStore(ctx context.Context, s *settings.Settings, key [32]byte, create bool) (*store.DB, error) {
	db, err := store.Open(ctx, store.Options{Folder: s.Data, DatabaseURL: string(s.DatabaseURL), MasterKey: key, Create: create})
	switch {
	case errors.Is(err, store.ErrWrongMasterKey):
		return nil, badConfig("%w: put back the key that was made with this database", err)
	case errors.Is(err, store.ErrNoDatabase):
		return nil, badConfig("%w: run `keywright init --data %s` once", err, shellWord(s.Data))
	case errors.Is(err, store.ErrNewerSchema):
		return nil, badConfig("%w: run that version, or restore a backup", err)
	}
	return db, err
}

// explainServed says what to do about a second server on one folder.
func explainServed(s *settings.Settings, err error) error {
	if errors.Is(err, errServed) || errors.Is(err, store.ErrFolderInUse) {
		return badConfig("another Keywright is using %s: stop it, or give this one a folder of its own with --data", s.Data)
	}
	return err
}
