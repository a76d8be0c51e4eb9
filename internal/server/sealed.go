package server

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/random"
)

// A sealer seals what travels through the pages in a form's field. Nobody can
// read or change it, or use it for another purpose or in another browser.
type sealer struct{ aead cipher.AEAD }

// purpose keeps one kind of sealed value from passing for another.
type purpose string

const (
	sealedFlow    purpose = "flow"
	sealedChoice  purpose = "choice"
	sealedConsent purpose = "consent"
	sealedSignOut purpose = "sign-out"
	sealedAccount purpose = "account"
)

func newSealer(key []byte) (sealer, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

func (s sealer) seal(p purpose, boundTo string, v any) (string, error) {
	plaintext, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(s.aead.Seal(nil, nil, plaintext, []byte(string(p)+"\x00"+boundTo))), nil
}

func (s sealer) open(p purpose, boundTo, sealed string, v any) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || boundTo == "" {
		return false
	}
	plaintext, err := s.aead.Open(nil, nil, raw, []byte(string(p)+"\x00"+boundTo))
	return err == nil && json.Unmarshal(plaintext, v) == nil
}

// flow is an authorization request on its way through the pages: the request as
// it came, its id and its start. What the person has done since is in rows.
type flow struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
	Query string    `json:"query"` // empty: the person came by themselves
	// Locale is the language that the person switched to; empty: none.
	Locale string `json:"locale,omitempty"`
}

func (f flow) expired(now time.Time) bool { return now.Sub(f.Start) >= oauth.FlowTTL }

// loginHint is the address that the app thinks the person has; empty: none.
func (f flow) loginHint() string {
	p, _ := parseParameters(f.Query)
	email, _ := account.CanonicalEmail(p.get("login_hint"))
	return email
}

// newFlow begins one by the clock that its rules are measured by.
func (s *Server) newFlow(x *exchange, query string) (flow, error) {
	now, err := s.DB.Read(x.r.Context()).Now()
	return flow{ID: random.ID("flw_"), Start: now, Query: query}, err
}

// consent is a consent page that was shown: to whom, and what it said.
type consent struct {
	Flow      flow     `json:"flow"`
	Session   string   `json:"session"`
	User      string   `json:"user"`
	Scope     []string `json:"scope"`
	Audiences []string `json:"audiences"`
}

// choice is a page that offered an account: whose.
type choice struct {
	Flow    flow   `json:"flow"`
	Session string `json:"session"`
	User    string `json:"user"`
}
