package oauth

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// HasRedirectURI says whether uri is registered. URIs compare exactly; a native
// app may listen on any port of the loopback addresses, since it cannot know
// which one will be free. RFC 9700 §4.1.3, RFC 8252 §7.3.
func (c *Client) HasRedirectURI(uri string) bool { return c.registered(c.RedirectURIs, uri) }

// HasPostLogoutRedirectURI is HasRedirectURI for the way back from signing out.
// OpenID Connect RP-Initiated Logout 1.0 §3.
func (c *Client) HasPostLogoutRedirectURI(uri string) bool {
	return c.registered(c.PostLogoutRedirectURIs, uri)
}

func (c *Client) registered(uris []string, uri string) bool {
	if slices.Contains(uris, uri) {
		return true
	}
	portless, ok := withoutLoopbackPort(uri)
	return ok && c.Native && slices.ContainsFunc(uris, func(registered string) bool {
		other, ok := withoutLoopbackPort(registered)
		return ok && other == portless
	})
}

// withoutLoopbackPort cuts the port, if there is one, out of an http URI on a
// loopback address. A name such as localhost may lead elsewhere: RFC 8252 §8.3.
func withoutLoopbackPort(uri string) (portless string, ok bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, found := strings.CutPrefix(uri, host)
		if !found {
			continue
		}
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		port, hasPort := strings.CutPrefix(rest[:end], ":")
		return host + rest[end:], hasPort && isPort(port) || end == 0
	}
	return "", false
}

// validateRedirectURI returns what is wrong with a redirect URI that the client
// wants to register, or "". RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.6.
func (c *Client) validateRedirectURI(uri string) string {
	if problem := validateText(uri); problem != "" {
		return problem
	}
	u, err := url.Parse(uri)
	if err == nil && isPrivateUse(uri, u) {
		switch {
		case !c.Native:
			return "has a scheme of its own, as only a native app may: any app of the device can claim it"
		case isAmbiguous(u):
			return ambiguous
		}
		return ""
	}
	return validateWebURI(uri)
}

// validateWebURI returns what is wrong with the URI of a page or endpoint of a
// client, or "".
func validateWebURI(uri string) string {
	if problem := validateText(uri); problem != "" {
		return problem
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return notURI
	case u.Scheme != "https" && u.Scheme != "http":
		// javascript:, data:, vbscript:, file:, blob: and their like.
		return "must be https://host/..., http on a loopback host, or a native app's com.example.app:/..."
	case isAmbiguous(u):
		return ambiguous
	case !hasPlainAuthority(uri, u):
		return "must begin as browsers write it: in lower case, with a plain host name or IP address"
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return "must use https, or http on a loopback host"
	}
	return ""
}

const (
	notURI    = "must be a URI of at most 2,048 characters"
	ambiguous = "must not hold a user name, dot segment, backslash or control character: browsers and servers disagree about them"
)

// validateText is about the characters alone.
func validateText(uri string) string {
	switch {
	case len(uri) > maxURILength || !isURIText(uri):
		return notURI
	case strings.Contains(uri, "*"):
		return "must not hold a wildcard: it is compared exactly"
	case strings.Contains(uri, "#"):
		return "must not have a fragment"
	}
	return ""
}

func isAmbiguous(u *url.URL) bool { return u.User != nil || isAmbiguousPath(u.Path) }

// sameOrigin says whether two valid web URIs have one scheme, host and port. RFC 6454 §5.
func sameOrigin(a, b string) bool { return originOf(a) == originOf(b) }

func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + u.Hostname() + ":" + port
}

// isURIText says whether s holds only characters of a URI. RFC 3986 §2.
func isURIText(s string) bool {
	for _, c := range []byte(s) {
		if !isUnreserved(c) && strings.IndexByte(":/?#[]@!$&'()*+,;=%", c) < 0 {
			return false
		}
	}
	return s != ""
}

// hasPlainAuthority says whether a URI begins with scheme://host[:port] in the
// one form that browsers give it, and a server can compare. WHATWG URL §4.5.
func hasPlainAuthority(uri string, u *url.URL) bool {
	if !strings.HasPrefix(uri, u.Scheme+"://"+u.Host) || !isPlainPort(u) {
		return false
	}
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(host)
		return err == nil && !ip.Is4In6() && ip.Zone() == "" && ip.String() == host
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isPlainLabel(label) {
			return false
		}
	}
	return true
}

func isPlainPort(u *url.URL) bool {
	port := u.Port()
	if port == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	return isPort(port)
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == text
}

// isPlainLabel follows RFC 1123 §2.1, and lets the underscore of container names pass.
func isPlainLabel(label string) bool {
	for _, c := range []byte(label) {
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return label != "" && len(label) <= 63 && label[0] != '-' && label[len(label)-1] != '-'
}

// isPrivateUse accepts schemes that are a reversed domain name. RFC 8252 §7.1.
func isPrivateUse(uri string, u *url.URL) bool {
	rest, ok := strings.CutPrefix(uri, u.Scheme+":")
	if !ok || !strings.HasPrefix(rest, "/") || !strings.Contains(u.Scheme, ".") {
		return false
	}
	for label := range strings.SplitSeq(u.Scheme, ".") {
		if !isPlainLabel(label) {
			return false
		}
	}
	return true
}

// isAmbiguousPath finds what one reader of a path takes for something else than
// another does: browsers resolve dot segments, also escaped ones, some turn
// backslashes, and some servers drop path parameters first.
func isAmbiguousPath(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		segment, _, _ = strings.Cut(segment, ";")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return strings.ContainsFunc(path, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' })
}

// isLoopbackHost accepts the names of this machine. RFC 8252 §7.3, RFC 6761 §6.3.
func isLoopbackHost(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "127.0.0.1" || host == "::1"
}

// WithQuery appends parameters to a URI that may have a query. RFC 6749 §4.1.2.
func WithQuery(uri string, parameters ...Parameter) string {
	query := url.Values{}
	for _, p := range parameters {
		query.Set(p.Name, p.Value)
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + query.Encode()
}
