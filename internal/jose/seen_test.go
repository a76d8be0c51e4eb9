package jose

import (
	"strconv"
	"sync"
	"testing"
)

func TestSeenRemembersWhatWasPut(t *testing.T) {
	seen := NewSeen[string](4)
	if value, ok := seen.Get(DigestOf("token")); ok || value != "" {
		t.Errorf("an empty memory knows %q", value)
	}
	seen.Put(DigestOf("token"), "claims")
	if value, ok := seen.Get(DigestOf("token")); !ok || value != "claims" {
		t.Errorf("%q, %v", value, ok)
	}
	if _, ok := seen.Get(DigestOf("Token")); ok {
		t.Error("another token is known")
	}
}

func TestSeenIsBounded(t *testing.T) {
	for _, limit := range []int{0, 1, 2, 3, 10, 1000} {
		seen := NewSeen[int](limit)
		for i := range 5000 {
			seen.Put(DigestOf(strconv.Itoa(i)), i)
			if n := len(seen.young) + len(seen.old); n > limit {
				t.Fatalf("%d of at most %d", n, limit)
			}
		}
		if _, ok := seen.Get(DigestOf("4999")); ok != (limit >= 2) {
			t.Errorf("limit %d: the last token is known: %v", limit, ok)
		}
		if _, ok := seen.Get(DigestOf("0")); ok {
			t.Errorf("limit %d: the first of 5,000 is still known", limit)
		}
	}
}

func TestTokenInUseOutlivesManyOthers(t *testing.T) {
	seen := NewSeen[int](10)
	seen.Put(DigestOf("in use"), 1)
	for i := range 1000 {
		seen.Put(DigestOf(strconv.Itoa(i)), i)
		if _, ok := seen.Get(DigestOf("in use")); !ok {
			t.Fatalf("forgotten after %d others", i)
		}
	}
}

func TestSeenSharesBetweenGoroutines(t *testing.T) {
	seen := NewSeen[int](64)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				token := strconv.Itoa(i % 100)
				if value, ok := seen.Get(DigestOf(token)); ok && value != i%100 {
					t.Errorf("%s says %d", token, value)
				}
				seen.Put(DigestOf(token), i%100)
			}
		})
	}
	all.Wait()
}
