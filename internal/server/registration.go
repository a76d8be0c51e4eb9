package server

import (
	"bytes"
	"mime"
	"net/http"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// registrationRoutes are absent unless the operator lets clients register themselves.
func (s *Server) registrationRoutes() routeTable {
	if !s.ClientRegistration {
		return nil
	}
	return routeTable{
		{"POST", oauth.RegistrationPath, api, withNobody, s.registerClient},
		{"GET", oauth.RegistrationPath, api, withNobody, s.showRegistration},
		{"PUT", oauth.RegistrationPath, api, withNobody, s.changeRegistration},
		{"DELETE", oauth.RegistrationPath, api, withNobody, s.removeRegistration},
	}
}

// registerClient is a client that registers itself, with an initial access
// token. RFC 7591 §3.
func (s *Server) registerClient(x *exchange) {
	token, ok := x.registrationToken()
	if !ok {
		return
	}
	sent, ok := x.registration()
	if !ok {
		return
	}
	key := s.DB.Secrets().ClientSecret
	secret, access := random.Secret(random.ClientSecret), random.Secret(random.RegistrationToken)
	fresh := oauth.FreshClient{ID: random.ID("cl_"), SecretHash: oauth.SecretHash(key, secret), TokenHash: oauth.RegistrationTokenHash(key, access)}
	var c *oauth.Client
	var refusal *oauth.Refusal
	err := store.Decide(x.r.Context(), s.DB, x.origin(fresh.ID, fresh.ID),
		func(tx *store.Tx) (*oauth.RegistrationToken, error) {
			return tx.LockRegistrationToken(oauth.InitialTokenHash(key, token))
		},
		func(by *oauth.RegistrationToken, now time.Time) (changes []change.Change, err error) {
			c, changes, refusal = oauth.Register(sent, by, fresh, now)
			return changes, nil
		})
	if x.registrationFailed(refusal, err) {
		return
	}
	x.client = c.ID
	x.json(http.StatusCreated, s.registered(c, access, fresh, secret))
}

// showRegistration is what is registered about a client, without its secret. RFC 7592 §2.1.
func (s *Server) showRegistration(x *exchange) {
	id, token, ok := x.configuration()
	if !ok {
		return
	}
	c, err := s.DB.Read(x.r.Context()).Client(id)
	if err != nil {
		x.broke(err)
		return
	}
	if x.registrationFailed(oauth.MayConfigure(c, oauth.RegistrationTokenHash(s.DB.Secrets().ClientSecret, token)), nil) {
		return
	}
	x.client = c.ID
	x.json(http.StatusOK, s.registered(c, token, oauth.FreshClient{}, ""))
}

// changeRegistration replaces what is registered about a client. RFC 7592 §2.2.
func (s *Server) changeRegistration(x *exchange) {
	id, token, ok := x.configuration()
	if !ok {
		return
	}
	sent, ok := x.registration()
	if !ok {
		return
	}
	key, secret := s.DB.Secrets().ClientSecret, random.Secret(random.ClientSecret)
	fresh := oauth.FreshClient{SecretHash: oauth.SecretHash(key, secret)}
	var next *oauth.Client
	ok = x.configure(id, token, func(c *oauth.Client) (changes []change.Change, refusal *oauth.Refusal) {
		next, changes, refusal = oauth.Reregister(sent, c, key, fresh)
		return changes, refusal
	})
	if ok {
		x.json(http.StatusOK, s.registered(next, token, fresh, secret))
	}
}

// removeRegistration ends a client and all that it holds. RFC 7592 §2.3.
func (s *Server) removeRegistration(x *exchange) {
	id, token, ok := x.configuration()
	if !ok {
		return
	}
	ok = x.configure(id, token, func(c *oauth.Client) ([]change.Change, *oauth.Refusal) {
		return []change.Change{change.ClientRemoved{Client: c.ID}}, nil
	})
	if ok {
		x.w.Header()["Cache-Control"] = noStore
		x.write(http.StatusNoContent, nil)
	}
}

// configure applies what rule makes of the client, if the token is its own. It
// answers what it refuses.
func (x *exchange) configure(id, token string, rule func(*oauth.Client) ([]change.Change, *oauth.Refusal)) (ok bool) {
	var refusal *oauth.Refusal
	hash := oauth.RegistrationTokenHash(x.server.DB.Secrets().ClientSecret, token)
	err := store.Decide(x.r.Context(), x.server.DB, x.origin(id, id),
		func(tx *store.Tx) (*oauth.Client, error) { return tx.LockClient(id) },
		func(c *oauth.Client, _ time.Time) (changes []change.Change, err error) {
			if refusal = oauth.MayConfigure(c, hash); refusal == nil {
				x.client = c.ID
				changes, refusal = rule(c)
			}
			return changes, nil
		})
	return !x.registrationFailed(refusal, err)
}

// registered is what the client is told, with its secret if that is the fresh one.
func (s *Server) registered(c *oauth.Client, access string, fresh oauth.FreshClient, secret string) oauth.Registration {
	r := c.Registered(s.Policy.Issuer)
	r.RegistrationAccessToken = access
	if len(fresh.SecretHash) > 0 && bytes.Equal(c.SecretHash, fresh.SecretHash) {
		r.ClientSecret, r.ClientSecretExpiresAt = secret, new(int64)
	}
	return r
}

// registrationToken returns the token of the Authorization header. It answers a
// request without one.
func (x *exchange) registrationToken() (token string, ok bool) {
	token, sent, refusal := bearer(x.r)
	switch {
	case refusal != nil:
		x.refuse(refusal)
	case !sent:
		x.w.Header()["Www-Authenticate"] = []string{"Bearer"} // RFC 6750 §3.1: no error code
		x.fail(http.StatusUnauthorized, oauth.InvalidToken, "send a token in the Authorization header: the operator gives out those by which clients register")
	}
	return token, sent && refusal == nil
}

// configuration returns the client that a request to the configuration endpoint
// is about, and its token.
func (x *exchange) configuration() (id, token string, ok bool) {
	ids := x.r.URL.Query()["client_id"]
	if len(ids) != 1 {
		x.refuse(badRequest("name one client_id in the query: registration_client_uri is the whole address"))
		return "", "", false
	}
	token, ok = x.registrationToken()
	return ids[0], token, ok
}

// registration reads a client's metadata. It answers what it refuses.
func (x *exchange) registration() (r oauth.Registration, ok bool) {
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		x.fail(http.StatusUnsupportedMediaType, oauth.InvalidClientMetadata, "send the metadata as application/json")
		return r, false
	}
	body, refusal := readBody(x.r, maxJSONBytes)
	if refusal != nil {
		x.refuse(refusal)
		return r, false
	}
	members, err := parseObject(body)
	if err != nil {
		x.fail(http.StatusBadRequest, oauth.InvalidClientMetadata, err.Error())
		return r, false
	}
	if r, refusal = oauth.ParseRegistration(members); refusal != nil {
		x.refuse(refusal)
		return r, false
	}
	keys, err := jose.CanonicalPublicSet(r.JWKS)
	if err != nil {
		x.fail(http.StatusBadRequest, oauth.InvalidClientMetadata, err.Error())
		return r, false
	}
	r.JWKS = []byte(keys)
	return r, true
}

// registrationFailed answers a failure or refusal, if there is one. RFC 7591
// §3.2.2, RFC 6750 §3.1.
func (x *exchange) registrationFailed(refusal *oauth.Refusal, err error) bool {
	switch {
	case err != nil:
		x.broke(err)
	case refusal == nil:
		return false
	case refusal.Code == oauth.InvalidToken:
		x.w.Header()["Www-Authenticate"] = []string{`Bearer error="invalid_token"`}
		x.fail(http.StatusUnauthorized, refusal.Code, refusal.Description)
	default:
		x.refuse(refusal)
	}
	return true
}
