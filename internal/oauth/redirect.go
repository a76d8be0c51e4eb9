package oauth

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// ValidateRedirectURI returns what is wrong with a redirect URI that somebody
// wants to register, or "". RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.6.
func ValidateRedirectURI(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || len(uri) > maxURILength || !isURIText(uri):
		return "must be a URI of at most 2,048 characters"
	case strings.Contains(uri, "*"):
		return "must not hold a wildcard: it is compared exactly"
	case strings.Contains(uri, "#"):
		return "must not have a fragment"
	case u.User != nil:
		return "must not have a user name"
	case isAmbiguousPath(u.Path):
		return "must not hold a dot segment, backslash or control character: browsers and servers disagree about them"
	case isPrivateUse(uri, u):
		return ""
	case u.Scheme != "https" && u.Scheme != "http":
		// javascript:, data:, vbscript:, file:, blob: and their like.
		return "must be https://host/..., http on a loopback host, or com.example.app:/..."
	case !hasPlainAuthority(uri, u):
		return "must begin as browsers write it: in lower case, with a plain host name or IP address"
	case u.Scheme == "http" && !isLoopbackHost(u.Hostname()):
		return "must use https, or http on a loopback host"
	}
	return ""
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
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && strconv.FormatUint(n, 10) == port
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
