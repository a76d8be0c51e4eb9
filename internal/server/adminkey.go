package server

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/oauth"
)

// KeyView is a signing key as commands show it.
type KeyView struct {
	ID          string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	Signing     bool      `json:"signing"`
	PublishedAt time.Time `json:"published_at"`
	SignsFrom   time.Time `json:"signs_from"`
}

func (s *Server) adminListKeys(r *http.Request) (any, error) {
	rows, err := s.DB.Read(r.Context()).SigningKeys()
	if err != nil {
		return nil, err
	}
	all, now := lives(rows), s.now()
	views := make([]KeyView, len(all))
	for i, k := range all {
		signer, _ := oauth.Signer(all, k.Algorithm, now)
		views[i] = KeyView{k.ID, k.Algorithm, k.ID == signer.ID, k.PublishedAt, k.SignsFrom}
	}
	return views, nil
}

// Rotation asks for the next signing key of each algorithm.
type Rotation struct {
	// Leaked withdraws the keys that have signed so far, and the next ones sign
	// at once: every token that exists is refused.
	Leaked bool `json:"leaked"`
}

func (s *Server) adminRotateKeys(r *http.Request) (any, error) {
	var rotation Rotation
	if err := decodeAdmin(r, &rotation); err != nil {
		return nil, err
	}
	next, err := s.keys.rotate(r.Context(), operator, rotation.Leaked)
	if err != nil {
		return nil, err
	}
	if err := s.reload(r.Context()); err != nil {
		return nil, err
	}
	views := make([]KeyView, len(next))
	for i, k := range next {
		views[i] = KeyView{k.ID, k.Algorithm, !k.SignsFrom.After(s.now()), k.PublishedAt, k.SignsFrom}
	}
	return views, nil
}
