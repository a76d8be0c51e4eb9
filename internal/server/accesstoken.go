package server

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
)

// accessTokenType is RFC 9068 §2.1.
const accessTokenType = "at+jwt"

// claims are an access token's content on the wire. RFC 9068 §2.2.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	ID        string `json:"jti"`
	ClientID  string `json:"client_id"`
	Scope     string `json:"scope,omitempty"`
	AuthTime  int64  `json:"auth_time,omitempty"`
}

// sign makes the JWT of an access token.
func (s *Server) sign(t oauth.AccessToken) (string, error) {
	key, err := s.keys.Signer(s.SigningAlg, t.IssuedAt)
	if err != nil {
		return "", err
	}
	c := claims{
		Issuer: t.Issuer, Subject: t.Subject, Audience: t.Audience, ExpiresAt: t.ExpiresAt.Unix(), IssuedAt: t.IssuedAt.Unix(),
		ID: t.ID, ClientID: t.ClientID, Scope: strings.Join(t.Scope, " "),
	}
	if !t.AuthTime.IsZero() {
		c.AuthTime = t.AuthTime.Unix()
	}
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return key.Sign(accessTokenType, payload)
}

// verify returns the content of an access token of ours, which may have expired.
func (s *Server) verify(token string) (*oauth.AccessToken, bool) {
	seen, digest := s.seen.current(), jose.DigestOf(token)
	if t, ok := seen.Get(digest); ok {
		return t, true
	}
	c, err := s.keys.Public().Verify(token, accessTokenType)
	if err != nil || c.Issuer != s.Policy.Issuer || len(c.Audience) != 1 || c.ExpiresAt.IsZero() {
		return nil, false
	}
	if !c.NotBefore.IsZero() || c.Confirmation != "" {
		return nil, false // conditions that our tokens do not have
	}
	t := &oauth.AccessToken{
		Issuer: c.Issuer, Subject: c.Subject, ClientID: c.ClientID, Audience: c.Audience[0], Scope: strings.Fields(c.Scope),
		ID: c.ID, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, AuthTime: c.AuthTime,
	}
	seen.Put(digest, t)
	return t, true
}

// seenTokens remembers the tokens whose signature was right, for as long as the
// keys do not change. Whether a token lives is asked of the database each time.
type seenTokens struct {
	tokens atomic.Pointer[jose.Seen[*oauth.AccessToken]]
}

const seenLimit = 10_000

func (s *seenTokens) current() *jose.Seen[*oauth.AccessToken] { return s.tokens.Load() }

func (s *seenTokens) forget() { s.tokens.Store(jose.NewSeen[*oauth.AccessToken](seenLimit)) }

// tokenAnswer is a successful answer of the token endpoint. RFC 6749 §5.1.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
}

func (s *Server) answer(i *oauth.Issue) (tokenAnswer, error) {
	signed, err := s.sign(i.AccessToken)
	if err != nil {
		return tokenAnswer{}, err
	}
	a := tokenAnswer{
		AccessToken: signed, TokenType: "Bearer", ExpiresIn: int64(i.AccessToken.ExpiresAt.Sub(i.AccessToken.IssuedAt) / time.Second),
		RefreshToken: i.RefreshToken, Scope: strings.Join(i.AccessToken.Scope, " "),
	}
	if i.IDToken != nil {
		a.IDToken, err = s.signIDToken(i.IDToken, signed)
	}
	return a, err
}
