package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/oauth"
)

const maxJSONBytes = 16 << 10

// texts reads a JSON object and returns its members of these names, all of
// which must be strings; others are ignored. It answers what it refuses.
func (x *exchange) texts(names ...string) (values map[string]string, ok bool) {
	mediaType, _, _ := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		x.fail(http.StatusUnsupportedMediaType, oauth.InvalidRequest, "send the body as application/json")
		return nil, false
	}
	body, refusal := readBody(x.r, maxJSONBytes)
	if refusal != nil {
		x.refuse(refusal)
		return nil, false
	}
	members, err := parseObject(body)
	if err != nil {
		x.fail(http.StatusBadRequest, oauth.InvalidRequest, err.Error())
		return nil, false
	}
	values, problems := textsOf(members, names)
	if problems != nil {
		x.problems(problems)
	}
	return values, problems == nil
}

func textsOf(members map[string]json.RawMessage, names []string) (values map[string]string, problems []account.Problem) {
	values = make(map[string]string, len(names))
	for _, name := range names {
		var value any
		raw, sent := members[name]
		json.Unmarshal(raw, &value) // well-formed, or absent
		text, isText := value.(string)
		switch {
		case !sent:
			problems = append(problems, account.Problem{Field: name, Code: account.Missing})
		case !isText:
			problems = append(problems, account.Problem{Field: name, Code: account.NotString})
		default:
			values[name] = text
		}
	}
	return values, problems
}

var (
	errNotUTF8   = errors.New("the body is not UTF-8")
	errNotObject = errors.New("the body is not a JSON object")
	errTwice     = errors.New("a member stands twice in the body")
)

// parseObject returns the members of a JSON object. Two of one name are
// refused, since another reader of the body could take the other one. RFC 8259 §4.
func parseObject(body []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(body) {
		return nil, errNotUTF8
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if first, err := d.Token(); err != nil || first != json.Delim('{') || !json.Valid(body) {
		return nil, errNotObject
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		name, nameErr := d.Token()
		var value json.RawMessage
		if err := errors.Join(nameErr, d.Decode(&value)); err != nil {
			return nil, errNotObject
		}
		if _, twice := members[name.(string)]; twice {
			return nil, errTwice
		}
		members[name.(string)] = value
	}
	return members, nil
}

// problems says which fields to mend, and why.
func (x *exchange) problems(problems []account.Problem) {
	body := errorBody{Error: oauth.InvalidRequest, Fields: map[string]string{}}
	for _, p := range problems {
		body.Fields[p.Field] = p.Message()
		if body.Description == "" {
			body.Description = p.Field + ": " + p.Message()
		}
	}
	x.json(http.StatusBadRequest, body)
}
