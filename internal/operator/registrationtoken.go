package operator

import (
	"net/http"
	"slices"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// NewRegistrationToken is what the operator asks of an initial access token.
type NewRegistrationToken struct {
	Uses int64         `json:"uses"`
	TTL  time.Duration `json:"ttl"`
}

// RegistrationToken is an initial access token as commands show it. The
// token itself is set once, when it is made.
type RegistrationToken struct {
	ID        string    `json:"id"`
	Token     string    `json:"token,omitempty"`
	UsesLeft  int64     `json:"uses_left"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Limits of an initial access token.
const (
	maxTokenUses = 1_000_000
	minTokenTTL  = time.Minute
	maxTokenTTL  = 365 * 24 * time.Hour
)

func (o operator) addRegistrationToken(r *http.Request) (any, error) {
	var asked NewRegistrationToken
	if err := decode(r, &asked); err != nil {
		return nil, err
	}
	switch {
	case asked.Uses < 1 || asked.Uses > maxTokenUses:
		return nil, refusal{"a token registers between 1 and 1,000,000 clients"}
	case asked.TTL < minTokenTTL || asked.TTL > maxTokenTTL:
		return nil, refusal{"a token lives between one minute and 365 days"}
	}
	view := RegistrationToken{ID: random.ID("rgt_"), Token: random.Secret(random.InitialToken), UsesLeft: asked.Uses}
	err := store.Decide(r.Context(), o.DB, byOperator,
		func(*store.Tx) (any, error) { return nil, nil },
		func(_ any, now time.Time) ([]change.Change, error) {
			view.CreatedAt, view.ExpiresAt = now, now.Add(asked.TTL)
			return []change.Change{change.RegistrationTokenAdded{
				Token: view.ID, Hash: oauth.InitialTokenHash(o.DB.Secrets().ClientSecret, view.Token), Uses: asked.Uses, ExpiresAt: view.ExpiresAt, At: now,
			}}, nil
		})
	return view, err
}

func (o operator) listRegistrationTokens(r *http.Request) (any, error) {
	tokens, err := o.DB.Read(r.Context()).RegistrationTokens()
	views := make([]RegistrationToken, len(tokens))
	for i, t := range tokens {
		views[i] = viewRegistrationToken(t)
	}
	return views, err
}

func viewRegistrationToken(t oauth.RegistrationToken) RegistrationToken {
	return RegistrationToken{ID: t.ID, UsesLeft: t.UsesLeft, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}

func (o operator) removeRegistrationToken(r *http.Request) (any, error) {
	id := r.PathValue("id")
	var view RegistrationToken
	err := store.Decide(r.Context(), o.DB, byOperator,
		func(tx *store.Tx) ([]oauth.RegistrationToken, error) { return tx.RegistrationTokens() },
		func(tokens []oauth.RegistrationToken, _ time.Time) ([]change.Change, error) {
			i := slices.IndexFunc(tokens, func(t oauth.RegistrationToken) bool { return t.ID == id })
			if i < 0 {
				return nil, refusal{"there is no registration token with the id " + id}
			}
			view = viewRegistrationToken(tokens[i])
			return []change.Change{change.RegistrationTokenRemoved{Token: id}}, nil
		})
	return view, err
}
