package settings

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

func parseHostPort(text string) (string, error) {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", errors.New("is not of the form host:port")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", errors.New("has no port from 0 to 65535")
	}
	return text, nil
}

// parseNetwork reads a network, or an address as the network of it alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("is not an address or network")
	case prefix.Addr().Is4In6():
		return netip.Prefix{}, errors.New("is an IPv4 network inside IPv6; write it as IPv4")
	case prefix != prefix.Masked():
		return netip.Prefix{}, fmt.Errorf("has bits outside its mask; did you mean %s?", prefix.Masked())
	}
	return prefix, nil
}

// parseIssuer allows a path, as RFC 8414 §2 does, and nothing after it.
func parseIssuer(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := parseWebURL(text)
	if err != nil {
		return "", err
	}
	if u.Path != "" && u.EscapedPath() != path.Clean(u.Path) {
		return "", errors.New("has a path with empty or dot segments, or characters that need escaping")
	}
	return text, nil
}

func parseOrigin(text string) (string, error) {
	u, err := parseWebURL(text)
	if err != nil {
		return "", err
	}
	if u.Path != "" {
		return "", fmt.Errorf("has a path; an origin is only %s://%s", u.Scheme, u.Host)
	}
	return text, nil
}

// parseWebURL demands the one spelling that a browser uses for a URL, since
// issuers and origins are compared byte by byte.
func parseWebURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("is not an http or https URL")
	}
	host, port := u.Hostname(), u.Port()
	switch {
	case u.User != nil:
		return nil, errors.New("has a user name or password in it")
	case u.Scheme == "http" && !loopback(host):
		return nil, errors.New("is http: passwords and tokens would cross the network for all to read; use https")
	case !hostname(host):
		return nil, errors.New("has a host that is not a lower-case DNS name or an IP address; write other scripts as xn--…")
	case strings.HasSuffix(u.Host, ":"):
		return nil, errors.New("has a colon but no port")
	case port == "443" && u.Scheme == "https", port == "80" && u.Scheme == "http":
		return nil, fmt.Errorf("names the port that %s has anyway; leave out :%s", u.Scheme, port)
	case strings.HasSuffix(u.Path, "/"):
		return nil, errors.New("ends with a slash; leave it out")
	case strings.ContainsAny(text, "?#"):
		return nil, errors.New("has a query or fragment")
	}
	if port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port || n == 0 {
			return nil, errors.New("has no port from 1 to 65535")
		}
	}
	return u, nil
}

func loopback(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// dnsName is RFC 1035's labels, and the underscore that some networks use.
var dnsName = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$`)

// hostname reports whether host is spelt as a browser spells it.
func hostname(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.String() == host && addr.Zone() == "" && !addr.Is4In6()
	}
	return dnsName.MatchString(host)
}
