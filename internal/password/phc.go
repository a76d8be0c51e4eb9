package password

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Params are what an Argon2id hash costs. (RFC 9106 §3.1)
type Params struct {
	MemoryKiB uint32 // m: 8 for each of Threads up to 1,048,576 (1 GiB)
	Time      uint32 // t, passes over the memory: 1 to 64, and in all no more than 4 GiB
	Threads   uint8  // p, lanes: 1 to 64, computed one after the other
}

// DefaultParams is the second of OWASP's recommended sets (Password Storage Cheat Sheet, Argon2id).
var DefaultParams = Params{MemoryKiB: 19 * 1024, Time: 2, Threads: 1}

const (
	maxMemoryKiB = 1 << 20
	maxTime      = 64
	maxThreads   = 64
	maxWorkKiB   = 4 << 20 // memory times passes: seconds, not minutes
	minMemoryKiB = 8       // for each lane (RFC 9106 §3.1)

	saltSize, minSaltSize, maxSaltSize = 16, 8, 64
	keySize, minKeySize, maxKeySize    = 32, 16, 64
	maxPHCSize                         = 256 // the longest within these limits has 226 bytes
)

func (p Params) check() error {
	switch {
	case p.Threads < 1 || p.Threads > maxThreads:
		return fmt.Errorf("password: Argon2id p=%d is outside 1 to %d", p.Threads, maxThreads)
	case p.MemoryKiB < minMemoryKiB*uint32(p.Threads) || p.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("password: Argon2id m=%d is outside %d (8 for each lane) to %d",
			p.MemoryKiB, minMemoryKiB*uint32(p.Threads), maxMemoryKiB)
	case p.Time < 1 || p.Time > maxTime:
		return fmt.Errorf("password: Argon2id t=%d is outside 1 to %d", p.Time, maxTime)
	case uint64(p.MemoryKiB)*uint64(p.Time) > maxWorkKiB:
		return fmt.Errorf("password: Argon2id m=%d, t=%d is more than 4 GiB of work", p.MemoryKiB, p.Time)
	}
	return nil
}

// NeedsRehash reports whether phc should be replaced at the next sign-in, when the password is at hand: it is
// anything but an Argon2id hash with exactly these params and today's sizes of salt and key.
func NeedsRehash(phc string, params Params) bool {
	h, err := parseArgon2id(phc)
	return err != nil || h.Params != params || len(h.salt) != saltSize || len(h.key) != keySize
}

// A stored hash can tell whether it is that of a password, working in memory where it needs much.
type stored interface {
	matches(memory *arena, password []byte) (bool, error)
}

// parse refuses whatever this package could not have made or would not want to compute. Its errors never quote
// the hash.
func parse(phc string) (stored, error) {
	if strings.HasPrefix(phc, "$argon2id$") {
		return parseArgon2id(phc)
	}
	return parseBcrypt(phc)
}

// An argon2idHash is what a PHC string says.
// (https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md)
type argon2idHash struct {
	Params
	salt, key []byte
}

func (h *argon2idHash) matches(memory *arena, password []byte) (bool, error) {
	blocks, err := memory.get(h.blocks())
	if err != nil {
		return false, err
	}
	key := h.Params.key(blocks, password, h.salt, len(h.key))
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

func (h *argon2idHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", version, h.MemoryKiB, h.Time, h.Threads,
		phcBase64.EncodeToString(h.salt), phcBase64.EncodeToString(h.key))
}

var (
	phcBase64 = base64.RawStdEncoding

	errPHC = errors.New("password: the stored hash is not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")
)

func parseArgon2id(phc string) (*argon2idHash, error) {
	if len(phc) > maxPHCSize {
		return nil, errPHC
	}
	fields := strings.Split(phc, "$")
	if len(fields) != 6 {
		return nil, errPHC
	}
	params, err := parseParams(fields[3])
	if err != nil {
		return nil, err
	}
	salt, saltErr := phcBase64.DecodeString(fields[4])
	key, keyErr := phcBase64.DecodeString(fields[5])
	h := &argon2idHash{params, salt, key}
	if saltErr != nil || keyErr != nil || h.String() != phc { // one form only: no 0019, no stray bits
		return nil, errPHC
	}
	if len(salt) < minSaltSize || len(salt) > maxSaltSize || len(key) < minKeySize || len(key) > maxKeySize {
		return nil, fmt.Errorf("password: the stored hash has a salt of %d bytes and a key of %d, outside %d to %d and %d to %d",
			len(salt), len(key), minSaltSize, maxSaltSize, minKeySize, maxKeySize)
	}
	return h, nil
}

func parseParams(s string) (Params, error) {
	costs := strings.Split(s, ",")
	if len(costs) != 3 {
		return Params{}, errPHC
	}
	m, mErr := strconv.ParseUint(strings.TrimPrefix(costs[0], "m="), 10, 32)
	t, tErr := strconv.ParseUint(strings.TrimPrefix(costs[1], "t="), 10, 32)
	p, pErr := strconv.ParseUint(strings.TrimPrefix(costs[2], "p="), 10, 8)
	if mErr != nil || tErr != nil || pErr != nil {
		return Params{}, errPHC
	}
	params := Params{MemoryKiB: uint32(m), Time: uint32(t), Threads: uint8(p)}
	return params, params.check()
}
