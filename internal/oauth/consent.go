package oauth

import "time"

// Consent is what a person has allowed a client, and what is asked again only
// when a client wants more. OpenID Connect Core §3.1.2.4.
type Consent struct {
	Client    *Client
	Scope     []string
	Audiences []string
	GivenAt   time.Time
}
