package operator

import (
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/oauth"
)

// Key is a signing key as commands show it.
type Key struct {
	ID          string    `json:"kid"`
	Algorithm   string    `json:"alg"`
	Signing     bool      `json:"signing"`
	PublishedAt time.Time `json:"published_at"`
	SignsFrom   time.Time `json:"signs_from"`
}

func (o operator) listKeys(r *http.Request) (any, error) {
	rows, err := o.DB.Read(r.Context()).SigningKeys()
	if err != nil {
		return nil, err
	}
	all, now := keyring.Lives(rows), o.DB.Now()
	views := make([]Key, len(all))
	for i, k := range all {
		signer, _ := oauth.Signer(all, k.Algorithm, now)
		views[i] = Key{k.ID, k.Algorithm, k.ID == signer.ID, k.PublishedAt, k.SignsFrom}
	}
	return views, nil
}

// Rotation asks for the next signing key of each algorithm.
type Rotation struct {
	// Leaked withdraws the keys that have signed so far, and the next ones sign
	// at once: every token that exists is refused.
	Leaked bool `json:"leaked"`
}

func (o operator) rotateKeys(r *http.Request) (any, error) {
	var rotation Rotation
	if err := decode(r, &rotation); err != nil {
		return nil, err
	}
	next, err := o.Keys.Rotate(r.Context(), byOperator, rotation.Leaked)
	if err != nil {
		return nil, err
	}
	if err := o.Reload(r.Context()); err != nil {
		return nil, err
	}
	views := make([]Key, len(next))
	for i, k := range next {
		views[i] = Key{k.ID, k.Algorithm, !k.SignsFrom.After(o.DB.Now()), k.PublishedAt, k.SignsFrom}
	}
	return views, nil
}
