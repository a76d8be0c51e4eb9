package server

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/oauth"
)

const maxJSONBytes = 16 << 10

// decodeJSON reads one JSON object into v. It answers what it refuses.
func (x *exchange) decodeJSON(v any) (ok bool) {
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		x.fail(http.StatusUnsupportedMediaType, oauth.InvalidRequest, "send the body as application/json")
		return false
	}
	body, refusal := readBody(x.r, maxJSONBytes)
	if refusal != nil {
		x.refuse(refusal)
		return false
	}
	if !utf8.Valid(body) {
		x.fail(http.StatusBadRequest, oauth.InvalidRequest, "the body is not UTF-8")
		return false
	}
	err := json.Unmarshal(body, v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		x.problems([]account.Problem{{Field: wrongType.Field, Message: "This must be a text, not a " + wrongType.Value + "."}})
		return false
	case err != nil:
		x.fail(http.StatusBadRequest, oauth.InvalidRequest, "the body is not a JSON object")
		return false
	}
	return true
}

// problems says which fields to mend, and why.
func (x *exchange) problems(problems []account.Problem) {
	body := errorBody{Error: oauth.InvalidRequest, Fields: map[string]string{}}
	for _, p := range problems {
		body.Fields[p.Field] = p.Message
		if body.Description == "" {
			body.Description = p.Field + ": " + p.Message
		}
	}
	x.json(http.StatusBadRequest, body)
}

// tooMany refuses somebody who has tried too often.
func (x *exchange) tooMany(retryAfter time.Duration) {
	seconds := int(retryAfter/time.Second) + 1
	x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	x.fail(http.StatusTooManyRequests, "too_many_attempts", "too many failed sign-ins; try again later")
}
