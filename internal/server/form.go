package server

import (
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/keywright/keywright/internal/oauth"
)

const (
	maxFormBytes  = 64 << 10
	maxFormFields = 100
)

// form is a decoded form body in which every parameter stands once.
type form struct {
	values    map[string]string
	resources []string // the one parameter that may stand twice, RFC 8707 §2
}

func (f form) get(name string) string { return f.values[name] }

// decodeForm reads a request of application/x-www-form-urlencoded. RFC 6749
// §3.2: parameters come in the body, each once; an empty one counts as absent.
func decodeForm(r *http.Request) (form, *oauth.Refusal) {
	if !isForm(r) {
		return form{}, badRequest("send the parameters as application/x-www-form-urlencoded")
	}
	if r.URL.RawQuery != "" {
		return form{}, badRequest("send the parameters in the body: addresses are logged")
	}
	body, refusal := readBody(r, maxFormBytes)
	if refusal != nil {
		return form{}, refusal
	}
	return parseForm(string(body))
}

func isForm(r *http.Request) bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return mediaType == "application/x-www-form-urlencoded"
}

func parseForm(body string) (form, *oauth.Refusal) {
	f := form{values: map[string]string{}}
	if strings.Count(body, "&") >= maxFormFields {
		return f, badRequest("the body has too many parameters")
	}
	for pair := range strings.SplitSeq(body, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, nameOK := unescape(name)
		value, valueOK := unescape(value)
		if !nameOK || !valueOK {
			return f, badRequest("the body is not well-formed application/x-www-form-urlencoded text")
		}
		if name == "resource" {
			if value != "" {
				f.resources = append(f.resources, value)
			}
			continue
		}
		if _, twice := f.values[name]; twice {
			return f, badRequest("a parameter stands twice in the body")
		}
		f.values[name] = value
	}
	return f, nil
}

// unescape undoes form encoding. What comes out is text that every database
// takes: UTF-8 (RFC 6749 appendix B) without NUL.
func unescape(encoded string) (text string, ok bool) {
	text, err := url.QueryUnescape(encoded)
	return text, err == nil && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0
}
