// Package resource protects an HTTP API with the access tokens of an OAuth 2
// issuer: it is the resource server of RFC 6749, for JWT access tokens as
// RFC 9068 profiles them.
//
//	api, err := resource.New("https://id.example.com", "https://api.example.com")
//	if err != nil {
//		log.Fatal(err)
//	}
//	http.Handle("GET /orders", api.Require("orders:read").Handler(orders))
//
// A handler behind it finds out who calls with TokenFrom.
//
// # What is checked
//
// Every request must carry a token in its Authorization header (RFC 6750 §2.1);
// a token in the query or in a form is not looked at. The token's signature
// must be that of a key that the issuer publishes, with ES256, EdDSA or RS256,
// whichever the key is for. It must be an access token (typ at+jwt), name the
// issuer and, among its audience, this API, have exp, iat, sub and client_id,
// and be valid now, give or take the leeway. A token that is bound to a key of
// its holder (RFC 7800 cnf) is refused: presented as a bearer token it may be
// stolen.
//
// What the token cannot say is whether it was revoked since: it is honoured
// until it expires, which is why access tokens are short-lived.
//
// # Keys
//
// New does no I/O, so an API may start before its issuer does. The keys are
// found through the issuer's metadata when the first token comes, and kept:
//
//   - They are fetched again, in the background, when the max-age of their
//     Cache-Control is over; it counts as at least a minute and at most a day.
//   - A token of an unknown key fetches them at once, at most every 30 seconds,
//     so that strangers cannot make the API storm its issuer.
//   - While the issuer cannot be reached the keys in hand stay in use, for at
//     most a day beyond their max-age. Every failure is logged to [slog.Default].
//   - Without keys the answer is 503: nothing is ever let through unverified.
//
// Verified tokens are remembered, so that a token costs one verification
// however many requests it makes. Their times are looked at on each request,
// and all are forgotten when the issuer's keys change.
//
// # Browsers
//
// A CORS preflight carries no token. Put whatever answers it in front of Handler.
package resource
