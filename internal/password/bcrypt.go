package password

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	minBcryptCost, maxBcryptCost = bcrypt.MinCost, 14 // 14 is about a second
	bcryptSize                   = 60
	bcryptAlphabet               = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

	maxBcryptPassword = 72 // bytes; bcrypt does not look at the rest
)

// A bcryptHash was made by another program; Keywright makes none.
type bcryptHash string

// matches is false for what bcrypt alone would mistake for the password: more than 72 bytes, of which it reads the
// first 72; and a NUL, which it puts between repetitions of the password to fill them (so that "a", NUL, "a"
// would pass for "a"). These cost the same work as others.
func (h bcryptHash) matches(_ *arena, password []byte) (bool, error) {
	exact := len(password) <= maxBcryptPassword && bytes.IndexByte(password, 0) < 0
	err := bcrypt.CompareHashAndPassword([]byte(h), password)
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, nil
	}
	return exact && err == nil, err
}

var errStored = errors.New("password: the stored hash is neither Argon2id ($argon2id$v=19$…) nor bcrypt ($2a$, $2b$, $2y$)")

func parseBcrypt(phc string) (bcryptHash, error) {
	if len(phc) != bcryptSize || phc[6] != '$' {
		return "", errStored
	}
	switch phc[:4] {
	case "$2a$", "$2b$", "$2y$":
	default:
		return "", errStored
	}
	if strings.Trim(phc[7:], bcryptAlphabet) != "" {
		return "", errStored
	}
	cost, err := strconv.ParseUint(phc[4:6], 10, 8)
	if err != nil {
		return "", errStored
	}
	if int(cost) < minBcryptCost || int(cost) > maxBcryptCost {
		return "", fmt.Errorf("password: the stored hash has bcrypt cost %d, outside %d to %d", cost, minBcryptCost, maxBcryptCost)
	}
	return bcryptHash(phc), nil
}
