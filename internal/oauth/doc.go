// Package oauth decides what the protocol allows: it takes a parsed request,
// the facts that the store holds, the time and fresh random values, and returns
// an Outcome. It does no I/O and never reads the clock.
//
// Where to find a rule:
//
//	authorize.go          RFC 6749 §4.1.1, OpenID Connect Core §3.1.2: the rules, in one table
//	response.go           RFC 6749 §4.1.2: what goes back to the app
//	code.go               RFC 6749 §4.1.3, codes and their redemption
//	pkce.go               RFC 7636
//	session.go            what single sign-on hangs on
//	consent.go            what a person has allowed
//	idtoken.go            OpenID Connect Core §2
//	claims.go             OpenID Connect Core §5: scopes, the claims parameter, UserInfo
//	logout.go             OpenID Connect RP-Initiated, Back-Channel and Front-Channel Logout 1.0
//	token.go              RFC 6749 §5, the token endpoint's requests and answers
//	clientauth.go         RFC 6749 §2.3 and RFC 7523, client authentication
//	clientcredentials.go  RFC 6749 §4.4
//	refresh.go            RFC 6749 §6 and RFC 9700 §4.14: rotation with reuse detection
//	refreshtoken.go       what a refresh token is made of
//	direct.go             grants of the tutorial API
//	accesstoken.go        RFC 9068, JWT access tokens
//	grant.go              when a grant lives
//	scope.go              RFC 6749 §3.3
//	resource.go           RFC 8707, resource indicators
//	revoke.go             RFC 7009
//	introspect.go         RFC 7662
//	metadata.go           RFC 8414 and OpenID Connect Discovery 1.0
//	signingkeys.go        when a key is published, signs and is withdrawn
//	client.go             what may be registered; redirect.go has the URIs
//	registration.go       RFC 7591 and RFC 7592, clients that register themselves
package oauth
