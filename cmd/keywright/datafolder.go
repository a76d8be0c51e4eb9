package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/keywright/keywright/internal/settings"
)

// The data folder holds the database, the master key and the socket of the
// commands. Nobody but its owner may look into it.

func masterKeyFile(folder string) string { return filepath.Join(folder, "master.key") }

// makeDataFolder makes the folder, or makes one that is there private: an empty
// one, or one that was Keywright's before. Any other folder is left alone.
func makeDataFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("cannot make the data folder: %w", err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("cannot read the data folder: %w", err)
	}
	_, noKey := os.Stat(masterKeyFile(folder))
	if len(entries) == 0 || noKey == nil {
		if err := os.Chmod(folder, 0o700); err != nil {
			return fmt.Errorf("cannot make the data folder private: %w", err)
		}
	}
	return checkDataFolder(folder)
}

// checkDataFolder refuses a folder that others can read.
func checkDataFolder(folder string) error {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return badConfig("there is no data folder %s: run `keywright init --data %s` once", folder, folder)
	case err != nil:
		return badConfig("the data folder cannot be read: %w", err)
	case !info.IsDir():
		return badConfig("%s is not a folder", folder)
	}
	return checkPrivate(folder, info, 0o700)
}

func checkPrivate(path string, info fs.FileInfo, want fs.FileMode) error {
	if runtime.GOOS == "windows" || info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return badConfig("others can read %s (mode %04o), which holds secrets: run `chmod %o %s`", path, info.Mode().Perm(), want, path)
}

// makeMasterKey writes a new key, unless there is one.
func makeMasterKey(s *settings.Settings) error {
	if s.MasterKey != "" {
		return nil
	}
	var key [32]byte
	rand.Read(key[:])
	file, err := os.OpenFile(masterKeyFile(s.Data), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, base64.RawURLEncoding.EncodeToString(key[:]))
	return errors.Join(err, file.Sync(), file.Close())
}

// masterKey returns the key from the settings or from its file.
func masterKey(s *settings.Settings) (key [32]byte, err error) {
	if s.MasterKey != "" {
		copy(key[:], string(s.MasterKey))
		return key, nil
	}
	path := masterKeyFile(s.Data)
	info, err := os.Stat(path)
	if err != nil {
		return key, badConfig("there is no master key at %s: put back the one that was made with this database, or run `keywright init` for a new one", path)
	}
	if err := checkPrivate(path, info, 0o600); err != nil {
		return key, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return key, badConfig("the master key cannot be read: %w", err)
	}
	trimmed := strings.TrimSpace(string(text))
	raw, err := base64.RawURLEncoding.DecodeString(trimmed)
	if err != nil {
		raw, err = hex.DecodeString(trimmed)
	}
	if err != nil || len(raw) != len(key) {
		return key, badConfig("%s does not hold a master key: 32 bytes in base64url or hex", path)
	}
	copy(key[:], raw)
	return key, nil
}
