package main

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"strings"
	"time"
)

// clientID is the client that /sign and /edsign know.
const clientID = "bench"

// claims are an access token's. RFC 9068 §2.2.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	ID        string `json:"jti"`
	ClientID  string `json:"client_id"`
	Scope     string `json:"scope"`
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	Scope       string `json:"scope"`
}

var base64url = base64.RawURLEncoding

func serve(address, secret string) error {
	es256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	_, eddsa, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	http.HandleFunc("GET /json", func(w http.ResponseWriter, r *http.Request) {
		sendJSON(w, []byte(`{"status":"ok","message":"hello, world"}`))
	})
	http.HandleFunc("POST /sign", issue("ES256", secret, func(input []byte) ([]byte, error) {
		digest := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, es256, digest[:])
		if err != nil {
			return nil, err
		}
		var signature [64]byte
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		return signature[:], nil
	}))
	http.HandleFunc("POST /edsign", issue("EdDSA", secret, func(input []byte) ([]byte, error) {
		return ed25519.Sign(eddsa, input), nil
	}))
	http.HandleFunc("GET /verify", verify(&es256.PublicKey))
	return http.ListenAndServe(address, nil)
}

func sendJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(body)
}

// issue is a token endpoint that knows one client and stores nothing.
func issue(algorithm, clientSecret string, sign func(input []byte) ([]byte, error)) http.HandlerFunc {
	known := sha256.Sum256([]byte(clientSecret))
	return func(w http.ResponseWriter, r *http.Request) {
		id, secret, ok := r.BasicAuth()
		presented := sha256.Sum256([]byte(secret))
		if !ok || id != clientID || subtle.ConstantTimeCompare(presented[:], known[:]) != 1 || r.PostFormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		token, err := newToken(algorithm, sign)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		body, err := json.Marshal(tokenAnswer{token, "Bearer", 600, "bench:read"})
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		sendJSON(w, body)
	}
}

func newToken(algorithm string, sign func(input []byte) ([]byte, error)) (string, error) {
	var id [16]byte
	rand.Read(id[:])
	now := time.Now().Unix()
	payload, err := json.Marshal(claims{
		Issuer: "http://localhost:7000", Subject: clientID, Audience: "urn:bench", ExpiresAt: now + 600, IssuedAt: now,
		ID: base64url.EncodeToString(id[:]), ClientID: clientID, Scope: "bench:read",
	})
	if err != nil {
		return "", err
	}
	input := base64url.EncodeToString([]byte(`{"alg":"`+algorithm+`","typ":"at+jwt","kid":"k1"}`)) + "." + base64url.EncodeToString(payload)
	signature, err := sign([]byte(input))
	return input + "." + base64url.EncodeToString(signature), err
}

// verify reads the token of the Authorization header and trusts no cache.
func verify(key *ecdsa.PublicKey) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		input, signature, _ := cutLast(token, ".")
		_, payload, _ := strings.Cut(input, ".")
		var c claims
		if !signed(key, input, signature) || !decode(payload, &c) || c.ExpiresAt < time.Now().Unix() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		sendJSON(w, []byte(`{"sub":"`+c.Subject+`"}`))
	}
}

func cutLast(text, separator string) (before, after string, found bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}

func signed(key *ecdsa.PublicKey, input, encoded string) bool {
	signature, err := base64url.DecodeString(encoded)
	if err != nil || len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(input))
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

func decode(payload string, c *claims) bool {
	text, err := base64url.DecodeString(payload)
	return err == nil && json.Unmarshal(text, c) == nil
}
