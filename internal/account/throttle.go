package account

import (
	"time"

	"github.com/keywright/keywright/internal/change"
)

// Limits bound the failed sign-ins of one window; the zero value is no limit.
type Limits struct {
	PerAccount int64
	PerAddress int64
	Window     time.Duration
}

// Bucket counts failures. Its key is a keyed hash cut to 20 bits for accounts
// and for addresses each, so there are never more than two million rows,
// whatever names an attacker makes up.
type Bucket struct {
	Key       string
	Failures  int64
	ExpiresAt time.Time // the count starts anew
}

// Reservation is the answer to somebody who wants to try a password.
type Reservation struct {
	Refused    bool
	RetryAfter time.Duration
	Changes    []change.Change
}

// Reserve counts an attempt before its password is hashed, so that parallel
// attempts cannot outrun the counter. SignIn returns the reservation on
// success; a refused attempt counts nothing. Known and unknown accounts are
// counted alike.
func (l Limits) Reserve(byAccount, byAddress Bucket, now time.Time) Reservation {
	if l == (Limits{}) {
		return Reservation{}
	}
	account, address := byAccount.at(now, l.Window), byAddress.at(now, l.Window)
	if account.Failures >= l.PerAccount {
		return Reservation{Refused: true, RetryAfter: account.ExpiresAt.Sub(now)}
	}
	if address.Failures >= l.PerAddress {
		return Reservation{Refused: true, RetryAfter: address.ExpiresAt.Sub(now)}
	}
	account.Failures++
	address.Failures++
	changes := []change.Change{change.AttemptsReserved{Buckets: []change.AttemptBucket{
		change.AttemptBucket(account), change.AttemptBucket(address),
	}}}
	if account.Failures == l.PerAccount {
		changes = append(changes, change.SignInThrottled{Limit: "account", Key: account.Key})
	}
	if address.Failures == l.PerAddress {
		changes = append(changes, change.SignInThrottled{Limit: "address", Key: address.Key})
	}
	return Reservation{Changes: changes}
}

// ReserveSignUp counts somebody who fills in the form for an account, whatever
// comes of it: as many may come from an address as may fail to sign in.
func (l Limits) ReserveSignUp(byAddress Bucket, now time.Time) Reservation {
	if l == (Limits{}) {
		return Reservation{}
	}
	b := byAddress.at(now, l.Window)
	if b.Failures >= l.PerAddress {
		return Reservation{Refused: true, RetryAfter: b.ExpiresAt.Sub(now)}
	}
	b.Failures++
	changes := []change.Change{change.AttemptsReserved{Buckets: []change.AttemptBucket{change.AttemptBucket(b)}}}
	if b.Failures == l.PerAddress {
		changes = append(changes, change.SignInThrottled{Limit: "sign-up", Key: b.Key})
	}
	return Reservation{Changes: changes}
}

// at returns the bucket as it counts now: a new window begins with the first
// attempt after the last one ended. An end more than two windows away comes from a
// clock that was ahead, or from a longer window; it shall lock nobody out.
func (b Bucket) at(now time.Time, window time.Duration) Bucket {
	if !now.Before(b.ExpiresAt) || b.ExpiresAt.Sub(now) > 2*window {
		return Bucket{Key: b.Key, ExpiresAt: now.Add(window)}
	}
	return b
}
