package oauth

import (
	"net/netip"
	"net/url"
	"strings"
)

// ValidateRedirectURI returns what is wrong with a redirect URI that somebody
// wants to register, or "". RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.6.
func ValidateRedirectURI(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || len(uri) > maxURILength || !isVisibleASCII(uri):
		return "must be a URI of at most 2,048 visible ASCII characters"
	case strings.ContainsAny(uri, `*\`):
		return "must not hold a wildcard or a backslash: it is compared exactly"
	case strings.Contains(uri, "#"):
		return "must not have a fragment"
	case u.User != nil:
		return "must not have a user name"
	case u.Scheme == "https" && u.Hostname() != "":
		return ""
	case u.Scheme == "http" && isLoopbackHost(u.Hostname()):
		return ""
	case u.Scheme == "http":
		return "must use https, or http on a loopback host"
	case strings.Contains(u.Scheme, ".") && u.Scheme == strings.ToLower(u.Scheme):
		return "" // RFC 8252 §7.1: a private-use scheme is a reversed domain name
	default:
		// javascript:, data:, vbscript:, file:, blob: and their like.
		return "must be https://host/..., http on a loopback host, or com.example.app:/..."
	}
}

func isVisibleASCII(s string) bool {
	for _, c := range []byte(s) {
		if c <= 0x20 || c >= 0x7f {
			return false
		}
	}
	return s != ""
}

// isLoopbackHost accepts localhost, *.localhost (RFC 6761 §6.3), 127.0.0.0/8 and ::1.
func isLoopbackHost(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}
