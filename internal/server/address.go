package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
)

// clientAddress returns the address that a request comes from: the peer's own,
// or, behind trusted proxies, the right-most hop of X-Forwarded-For that is
// none of them. Whatever stands to the left of it anybody can have written.
func clientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // a Unix socket
	}
	address := plain(peer.Addr())
	if !isTrusted(address, trusted) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && isTrusted(address, trusted); i-- {
		hop, err := parseHop(strings.TrimSpace(hops[i]))
		if err != nil {
			break // the last hop that can be read is the one to hold to account
		}
		address = plain(hop)
	}
	return address
}

// parseHop takes the forms that proxies write: an address, in brackets or not,
// with a port or without.
func parseHop(hop string) (netip.Addr, error) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return withPort.Addr(), nil
	}
	if inner, ok := strings.CutPrefix(hop, "["); ok {
		hop = strings.TrimSuffix(inner, "]")
	}
	return netip.ParseAddr(hop)
}

// plain folds IPv4-mapped addresses and drops zones, so that one host has one form.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, prefix := range trusted {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// network is what is counted as one: an IPv6 customer has a /64 to choose from.
func network(a netip.Addr) string {
	if a.Is6() {
		prefix, err := a.Prefix(64)
		if err == nil {
			return prefix.String()
		}
	}
	return a.String()
}

// addressHash makes opaque ids of addresses: the journal holds no personal data.
type addressHash struct{ key []byte }

func (h addressHash) of(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	mac := hmac.New(sha256.New, h.key)
	mac.Write([]byte(network(a)))
	return "adr_" + hex.EncodeToString(mac.Sum(nil)[:8])
}

// buckets names the counters of failed sign-ins and of sign-ups: a keyed hash cut to 20 bits, so
// that rows are bounded and nobody can choose whose bucket to fill.
type buckets struct{ key []byte }

func (b buckets) account(canonicalEmail string) string { return b.name("account", canonicalEmail) }

func (b buckets) address(a netip.Addr) string { return b.name("address", network(a)) }

func (b buckets) signUp(a netip.Addr) string { return b.name("sign-up", network(a)) }

func (b buckets) name(kind, of string) string {
	mac := hmac.New(sha256.New, b.key)
	fmt.Fprintf(mac, "%s\x00%s", kind, of)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%s:%02x%02x%x", kind, sum[0], sum[1], sum[2]>>4)
}
