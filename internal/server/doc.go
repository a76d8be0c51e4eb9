// Package server is HTTP and nothing else: it decodes a request, loads the facts
// that a decision needs, lets oauth or account decide, applies the changes and
// encodes the answer. routes.go is the table of everything it answers; each
// endpoint has a file.
package server
