package server

import (
	"io"
	"net/http"

	"github.com/keywright/keywright/internal/oauth"
)

// readBody reads at most limit bytes.
func readBody(r *http.Request, limit int64) ([]byte, *oauth.Refusal) {
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, badRequest("the body could not be read")
	case int64(len(body)) > limit:
		return nil, tooLarge
	}
	return body, nil
}

// tooLarge is the one refusal that is not a 400.
var tooLarge = &oauth.Refusal{Code: oauth.InvalidRequest, Description: "the body is too large"}

func badRequest(description string) *oauth.Refusal {
	return &oauth.Refusal{Code: oauth.InvalidRequest, Description: description}
}
