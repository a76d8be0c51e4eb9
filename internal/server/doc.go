// Package server is HTTP and nothing else: it decodes a request, loads the facts
// that a decision needs, lets oauth or account decide, applies the changes and
// encodes the answer. Each endpoint has a file; beside them:
//
//	server.go       what a server is made of, and where a request comes in
//	routes.go       the table of everything that it answers, and the three kinds
//	exchange.go     one request and its answer: headers, refusals, the log's line
//	page.go         the same for pages, and what guards their forms
//	cookie.go, sealed.go    what travels with the browser
//	cors.go         which pages of others may read what
//	address.go      where a request comes from, as far as it can be believed
//	form.go, json.go, body.go, parameters.go, credentials.go, assertion.go    decoding
//	accesstoken.go, idtoken.go    signing and verifying our own tokens
//	clientkeys.go                 the keys of clients, fetched and remembered
//	upkeep.go, logout.go          what no request asks for
//	devflows.go     in dev: the last flows, step by step
package server
