// Package server is HTTP and nothing else: it decodes a request, loads the facts
// that a decision needs, lets oauth or account decide, applies the changes and
// encodes the answer. Each endpoint has a file; beside them:
//
//	server.go       what a server is made of, and where a request comes in
//	routes.go       the table of everything that it answers
//	exchange.go     one request and its answer: headers, refusals, the log's line
//	decide.go       one transaction: lock, decide, apply
//	cors.go         which pages may read what
//	address.go      where a request comes from, as far as it can be believed
//	form.go, json.go, body.go, credentials.go    decoding
//	accesstoken.go  signing and verifying our own tokens
//	keyring.go      the signing keys in memory
//	upkeep.go       what no request asks for
//	admin.go        what the operator's commands ask for, on a socket of their own
package server
