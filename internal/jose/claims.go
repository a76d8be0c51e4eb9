package jose

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// Claims is what a verified token says. A claim that the token lacks is empty,
// nil or the zero time. Only Verify makes them.
type Claims struct {
	Issuer       string    // iss
	Subject      string    // sub
	Audience     []string  // aud
	ExpiresAt    time.Time // exp
	NotBefore    time.Time // nbf
	IssuedAt     time.Time // iat
	ID           string    // jti
	ClientID     string    // client_id
	Scope        string    // scope: names with a space between
	AuthTime     time.Time // auth_time
	Nonce        string    // nonce
	Session      string    // sid
	Events       string    // events as JSON: the token tells of something, as a logout token does (RFC 8417 §2.2)
	Confirmation string    // cnf as JSON: the token is bound to a key (RFC 7800 §3.1)
	Payload      string    // all claims, as JSON
}

func parseClaims(payload string) (*Claims, error) {
	c := &Claims{Payload: payload}
	if err := eachMember(payload, c.read); err != nil {
		return nil, err
	}
	return c, nil
}

// read takes one claim. One that comes twice is refused: two readers of the
// same token could disagree on it (RFC 7519 §4).
func (c *Claims) read(name, value string) error {
	switch name {
	case "iss":
		return readString(&c.Issuer, name, value)
	case "sub":
		return readString(&c.Subject, name, value)
	case "aud":
		return readAudience(&c.Audience, value)
	case "exp":
		return readDate(&c.ExpiresAt, name, value)
	case "nbf":
		return readDate(&c.NotBefore, name, value)
	case "iat":
		return readDate(&c.IssuedAt, name, value)
	case "jti":
		return readString(&c.ID, name, value)
	case "client_id":
		return readString(&c.ClientID, name, value)
	case "scope":
		return readString(&c.Scope, name, value)
	case "auth_time":
		return readDate(&c.AuthTime, name, value)
	case "nonce":
		return readString(&c.Nonce, name, value)
	case "sid":
		return readString(&c.Session, name, value)
	case "events":
		return keep(&c.Events, name, value)
	case "cnf":
		return keep(&c.Confirmation, name, value)
	}
	return nil
}

// keep takes a value as JSON.
func keep(to *string, name, value string) error {
	if *to != "" {
		return twice(name)
	}
	*to = value
	return nil
}

func readString(to *string, name, value string) error {
	if *to != "" {
		return twice(name)
	}
	text, err := unquote(value)
	if err != nil {
		return errors.New(name + " is not a string")
	}
	*to = text
	return nil
}

// readAudience reads a string or an array of strings. RFC 7519 §4.1.3.
func readAudience(to *[]string, value string) error {
	if len(*to) != 0 {
		return twice("aud")
	}
	add := func(value string) error {
		text, err := unquote(value)
		if err != nil {
			return errors.New("aud is not a string or an array of strings")
		}
		*to = append(*to, text)
		return nil
	}
	if value[0] != '[' {
		return add(value)
	}
	return eachElement(value, add)
}

// maxDate is the last second of the year 9999: what is later is a mistake.
const maxDate = 253402300799

// readDate reads a NumericDate: seconds since 1970, possibly with a fraction.
// RFC 7519 §2.
func readDate(to *time.Time, name, value string) error {
	if !to.IsZero() {
		return twice(name)
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if err != nil || seconds < 0 || seconds > maxDate {
		return errors.New(name + " is not a number of seconds since 1970")
	}
	whole, fraction := math.Modf(seconds)
	*to = time.Unix(int64(whole), int64(fraction*1e9)).UTC()
	return nil
}

func twice(name string) error { return errors.New(name + " twice") }
