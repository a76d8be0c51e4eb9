// Package outbound owns the requests to addresses that somebody else chose: a
// client's jwks_uri, or where a client wants to hear of a logout. Whoever
// chooses such an address must not reach through this server what only this
// server can reach (OWASP: server-side request forgery).
//
// A name is judged by what it resolves to, at the moment of the connection, so
// that a name server that changes its answer gains nothing. Redirects are not
// followed and proxies of the environment are not used. Time and size are
// bounded, and no error repeats what the other side said.
//
//	client.go   requests, and their limits
//	address.go  which addresses may be reached
package outbound
