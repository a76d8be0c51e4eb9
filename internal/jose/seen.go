package jose

import (
	"crypto/sha256"
	"sync"
)

// Digest stands for a token in a Seen.
type Digest [sha256.Size]byte

// DigestOf returns the SHA-256 of a token.
func DigestOf(token string) Digest { return sha256.Sum256(bytesOf(token)) }

// Seen remembers what verified tokens said, so that a token costs its signature
// once. It knows tokens by their digest only, and at most limit of them, in two
// generations: when the young one is full it becomes the old one, and the old
// one is forgotten.
//
// A token says what it said only as long as its keys hold: a Seen belongs to
// one Set. When the keys change, drop it and make a new one; a verification
// that is still under way can then not put its token back.
//
// It may be used by many goroutines at once, which share the values.
type Seen[V any] struct {
	half       int
	mu         sync.RWMutex
	young, old map[Digest]V
}

// NewSeen returns an empty memory for at most limit tokens; below 2 it keeps none.
func NewSeen[V any](limit int) *Seen[V] {
	return &Seen[V]{half: limit / 2, young: make(map[Digest]V)}
}

// Get returns what was put for a token. Whether the token has expired since is
// for the caller to judge.
func (s *Seen[V]) Get(token Digest) (value V, ok bool) {
	s.mu.RLock()
	value, ok = s.young[token]
	old := false
	if !ok {
		value, old = s.old[token]
	}
	s.mu.RUnlock()
	if old {
		s.Put(token, value) // still in use: it outlives its generation
	}
	return value, ok || old
}

// Put remembers what a verified token said.
func (s *Seen[V]) Put(token Digest, value V) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.half < 1 {
		return
	}
	if _, known := s.young[token]; !known && len(s.young) >= s.half {
		s.old, s.young = s.young, make(map[Digest]V)
	}
	s.young[token] = value
}
