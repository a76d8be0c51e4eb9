package account

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/internal/change"
)

var limits = Limits{PerAccount: 10, PerAddress: 100, Window: 15 * time.Minute}

// counters are the rows of attempts, changed as the store changes them.
type counters map[string]Bucket

func (c counters) at(key string) Bucket {
	b := c[key]
	b.Key = key
	return b
}

func (c counters) reserve(l Limits, account, address string, now time.Time) Reservation {
	r := l.Reserve(c.at(account), c.at(address), now)
	for _, made := range r.Changes {
		if reserved, ok := made.(change.AttemptsReserved); ok {
			for _, b := range reserved.Buckets {
				c[b.Key] = Bucket(b)
			}
		}
	}
	return r
}

func (c counters) giveBack(keys ...string) {
	for _, key := range keys {
		if b := c.at(key); b.Failures > 0 {
			b.Failures--
			c[key] = b
		}
	}
}

func throttled(r Reservation) (limits []string) {
	for _, made := range r.Changes {
		if t, ok := made.(change.SignInThrottled); ok {
			limits = append(limits, t.Limit+" "+t.Key)
		}
	}
	return limits
}

func TestTenFailuresCloseAnAccountForTheWindow(t *testing.T) {
	c := counters{}
	for n := range 10 {
		r := c.reserve(limits, "ada", fmt.Sprint("address ", n), noon.Add(time.Duration(n)*time.Second))
		if r.Refused {
			t.Fatalf("attempt %d is refused", n+1)
		}
		if journaled := throttled(r); (n == 9) != reflect.DeepEqual(journaled, []string{"account ada"}) {
			t.Errorf("attempt %d journals %q", n+1, journaled)
		}
	}
	r := c.reserve(limits, "ada", "another address", noon.Add(time.Minute))
	if !r.Refused || r.RetryAfter != 14*time.Minute || len(r.Changes) != 0 {
		t.Errorf("the eleventh: %+v", r)
	}
	if r := c.reserve(limits, "bob", "address 0", noon.Add(time.Minute)); r.Refused {
		t.Error("another account is refused")
	}
	if r := c.reserve(limits, "ada", "address 0", noon.Add(limits.Window-time.Microsecond)); !r.Refused || r.RetryAfter != time.Microsecond {
		t.Errorf("at the end of the window: %+v", r)
	}
	if r := c.reserve(limits, "ada", "address 0", noon.Add(limits.Window)); r.Refused || c["ada"].Failures != 1 {
		t.Errorf("after the window: %+v, %+v", r, c["ada"])
	}
}

func TestAHundredFailuresCloseAnAddress(t *testing.T) {
	c := counters{}
	for n := range 100 {
		r := c.reserve(limits, fmt.Sprint("account ", n), "here", noon)
		if r.Refused {
			t.Fatalf("attempt %d is refused", n+1)
		}
		if journaled := throttled(r); (n == 99) != reflect.DeepEqual(journaled, []string{"address here"}) {
			t.Errorf("attempt %d journals %q", n+1, journaled)
		}
	}
	if r := c.reserve(limits, "another", "here", noon); !r.Refused || r.RetryAfter != limits.Window || len(r.Changes) != 0 {
		t.Errorf("%+v", r)
	}
	if r := c.reserve(limits, "account 0", "elsewhere", noon); r.Refused {
		t.Error("another address is refused")
	}
}

func TestASignInThatSucceedsCountsNothing(t *testing.T) {
	c := counters{}
	for range 1000 {
		if r := c.reserve(limits, "ada", "here", noon); r.Refused {
			t.Fatal("refused")
		}
		_, changes := SignIn(&User{ID: "usr_ada", CredentialVersion: 1}, PasswordProof{Right: true, Version: 1}, []string{"ada", "here"})
		c.giveBack(changes[0].(change.AttemptsReturned).Keys...)
	}
	if c["ada"].Failures != 0 || c["here"].Failures != 0 {
		t.Errorf("%+v", c)
	}
}

func TestWithoutLimitsNothingIsCounted(t *testing.T) {
	full := Bucket{"ada", 1000, noon.Add(time.Minute)}
	if r := (Limits{}).Reserve(full, full, noon); !reflect.DeepEqual(r, Reservation{}) {
		t.Errorf("%+v", r)
	}
}

func TestAClockThatWasAheadLocksNobodyOut(t *testing.T) {
	full := Bucket{"ada", 10, noon.Add(365 * 24 * time.Hour)}
	if r := limits.Reserve(full, Bucket{Key: "here"}, noon); r.Refused {
		t.Errorf("for %v", r.RetryAfter)
	}
	// But a clock that goes back a little opens nothing.
	full.ExpiresAt = noon.Add(limits.Window + time.Minute)
	if r := limits.Reserve(full, Bucket{Key: "here"}, noon); !r.Refused {
		t.Error("a small step opens a full counter")
	}
}

// However attempts come and succeed, no more than the limit fail in a window, a
// refusal changes nothing and says when to come back, and nobody is refused
// while fewer have failed.
func TestNoMoreThanTheLimitFailInAWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limits{
			PerAccount: rapid.Int64Range(1, 4).Draw(t, "per account"), PerAddress: rapid.Int64Range(1, 8).Draw(t, "per address"), Window: 10 * time.Second,
		}
		rows, now := counters{}, noon
		type window struct {
			ends    time.Time
			pending int64 // failed, or not known yet
		}
		model := map[string]window{}
		open := func(key string) window {
			w := model[key]
			if !now.Before(w.ends) {
				w = window{ends: now.Add(l.Window)}
			}
			return w
		}
		for range rapid.IntRange(1, 60).Draw(t, "attempts") {
			now = now.Add(time.Duration(rapid.IntRange(0, 4).Draw(t, "seconds")) * time.Second)
			account := rapid.SampledFrom([]string{"ada", "bob", "eve"}).Draw(t, "account")
			address := rapid.SampledFrom([]string{"home", "work"}).Draw(t, "address")
			byAccount, byAddress := open(account), open(address)
			full := byAccount.pending >= l.PerAccount || byAddress.pending >= l.PerAddress
			r := rows.reserve(l, account, address, now)
			if r.Refused != full {
				t.Fatalf("refused %t with %d and %d failures", r.Refused, byAccount.pending, byAddress.pending)
			}
			if r.Refused {
				if len(r.Changes) != 0 || r.RetryAfter <= 0 || r.RetryAfter > l.Window {
					t.Fatalf("%+v", r)
				}
				continue
			}
			if rapid.Bool().Draw(t, "succeeds") {
				rows.giveBack(account, address)
			} else {
				byAccount.pending++
				byAddress.pending++
			}
			model[account], model[address] = byAccount, byAddress
		}
	})
}

// Parallel attempts: all are reserved before the first one is known to fail.
func TestParallelAttemptsCannotOutrunTheCounter(t *testing.T) {
	c := counters{}
	hashed := 0
	for range 1000 {
		if !c.reserve(limits, "ada", "here", noon).Refused {
			hashed++
		}
	}
	if hashed != 10 {
		t.Errorf("%d passwords are hashed", hashed)
	}
}
