package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// audienceWithin returns the one audience of an access token: the resource
// asked for if it is allowed, else the first allowed, else the issuer.
// RFC 8707 §2, RFC 9700 §2.3.
func audienceWithin(asked, allowed []string, issuer string) (string, *Refusal) {
	switch {
	case len(asked) > 1:
		return "", refuse(InvalidTarget, "one access token is for one resource: send a single resource parameter")
	case len(asked) == 1 && !slices.Contains(allowed, asked[0]) && !(len(allowed) == 0 && asked[0] == issuer):
		return "", refuse(InvalidTarget, "resource "+quote(asked[0])+" is not among the audiences of this client or grant")
	case len(asked) == 1:
		return asked[0], nil
	case len(allowed) > 0:
		return allowed[0], nil
	default:
		return issuer, nil
	}
}

// validateResource returns what is wrong with an audience to be registered. RFC 8707 §2.
func validateResource(resource string) string {
	u, err := url.Parse(resource)
	switch {
	case err != nil || len(resource) > maxURILength || !isURIText(resource):
		return "must be a URI of at most 2,048 characters"
	case !u.IsAbs():
		return "must be an absolute URI, such as https://api.example.com or urn:example:api"
	case strings.Contains(resource, "#"):
		return "must not have a fragment"
	}
	return ""
}
