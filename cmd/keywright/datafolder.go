package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/keywright/keywright/internal/settings"
	"github.com/keywright/keywright/internal/store"
)

// The data folder holds the master key, the database if it is SQLite, and the
// socket of the commands. Nobody but its owner may look into it.

func masterKeyFile(folder string) string { return filepath.Join(folder, "master.key") }

// needsFolder is false where nothing would lie in the folder.
func needsFolder(s *settings.Settings) bool { return s.DatabaseURL == "" || s.MasterKey == "" }

// makeDataFolder makes the folder, or takes an empty one that somebody has made
// for it, and keeps it out of the repository that it may lie in. A folder with
// anything in it is left as it is.
func makeDataFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("cannot make the data folder: %w", err)
		}
		if err := os.Chmod(folder, 0o700); err != nil {
			return fmt.Errorf("cannot make the data folder private: %w", err)
		}
		if err := os.WriteFile(filepath.Join(folder, ".gitignore"), []byte("*\n"), 0o600); err != nil {
			return err
		}
	}
	return checkDataFolder(folder)
}

// checkDataFolder refuses a folder that others can read.
func checkDataFolder(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return badConfig("there is no data folder %s: run `keywright init --data %s` once", folder, shellWord(folder))
	case err != nil:
		return badConfig("the data folder cannot be read: %w", err)
	case !info.IsDir():
		return badConfig("%s is not a folder", folder)
	}
	return checkPrivate(folder, info, 0o700)
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./~+-]+$`)

// shellWord quotes a path where a command to copy needs it.
func shellWord(path string) string {
	if plainWord.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

func checkPrivate(path string, info fs.FileInfo, want fs.FileMode) error {
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return badConfig("others can read %s (mode %04o), which holds secrets: run `chmod %o %s`", path, info.Mode().Perm(), want, shellWord(path))
}

// makeMasterKey writes a new key, unless there is one already. It makes none for
// a database that was sealed with another.
func makeMasterKey(ctx context.Context, s *settings.Settings) error {
	path := masterKeyFile(s.Data)
	if _, err := os.Stat(path); s.MasterKey != "" || err == nil {
		return nil
	}
	var key [32]byte
	rand.Read(key[:])
	db, err := openStore(ctx, s, key, false)
	switch {
	case err == nil:
		db.Close()
		return nil
	case errors.Is(err, store.ErrWrongMasterKey):
		return badConfig("there is a database, but its master key is missing: put it back at %s", path)
	case !errors.Is(err, store.ErrNoDatabase):
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, base64.RawURLEncoding.EncodeToString(key[:]))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(path)
	}
	return err
}

// masterKey returns the key from the settings or from its file.
func masterKey(s *settings.Settings) (key [32]byte, err error) {
	if s.MasterKey != "" {
		copy(key[:], string(s.MasterKey))
		return key, nil
	}
	path := masterKeyFile(s.Data)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return key, badConfig("there is no master key at %s: put back the one that was made with the database, or run `keywright init --data %s` for a new database", path, shellWord(s.Data))
	}
	if err == nil {
		err = checkPrivate(path, info, 0o600)
	}
	if err != nil {
		return key, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, badConfig("the master key cannot be read: %w", err)
	}
	return parseMasterKey(path, strings.TrimSpace(string(text)))
}

func parseMasterKey(path, text string) (key [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	}
	if err != nil || len(raw) != len(key) {
		return key, badConfig("%s does not hold a master key: 32 bytes in hex or base64url", path)
	}
	copy(key[:], raw)
	return key, nil
}
