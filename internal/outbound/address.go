package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// ErrRefused says that a URL, or the address behind it, may not be reached.
var ErrRefused = errors.New("refused")

func refused(format string, arguments ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, arguments...)...)
}

// Rules say what may be reached besides public addresses.
type Rules struct {
	// Allow holds the networks that may be reached although they are not public.
	// In them, and in them only, https may use any port.
	Allow []netip.Prefix
	// Dev permits loopback and private addresses, any port and http.
	Dev bool
}

// control is a net.Dialer's: it judges each address before the connection.
func (r Rules) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return refused("%q is no address", address)
	}
	return r.check(to)
}

func (r Rules) check(to netip.AddrPort) error {
	ip := to.Addr().Unmap() // what connects to ::ffff:127.0.0.1 connects to 127.0.0.1
	if slices.ContainsFunc(r.Allow, func(p netip.Prefix) bool { return p.Contains(ip) }) {
		return nil
	}
	if r.Dev && (ip.IsLoopback() || ip.IsPrivate()) {
		return nil
	}
	if !isPublic(ip) {
		return refused("%s is not a public address", ip)
	}
	if to.Port() != 443 && !r.Dev {
		return refused("port %d is not 443", to.Port())
	}
	return nil
}

// globalUnicast is all of IPv6 that IANA hands out. What embeds an IPv4 address
// elsewhere (64:ff9b::/96, ::/96) is outside, as are addresses with a zone.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// special are the blocks that IANA's special-purpose address registries (RFC
// 6890) do not call globally reachable, of IPv6 within globalUnicast only.
var special = prefixes(
	"0.0.0.0/8",       // this network
	"10.0.0.0/8",      // private
	"100.64.0.0/10",   // shared by a carrier's customers
	"127.0.0.0/8",     // loopback
	"169.254.0.0/16",  // link-local, and the metadata of most clouds
	"172.16.0.0/12",   // private
	"192.0.0.0/24",    // protocol assignments
	"192.0.2.0/24",    // documentation
	"192.88.99.0/24",  // 6to4 relays
	"192.168.0.0/16",  // private
	"198.18.0.0/15",   // benchmarks
	"198.51.100.0/24", // documentation
	"203.0.113.0/24",  // documentation
	"224.0.0.0/4",     // multicast
	"240.0.0.0/4",     // reserved, broadcast

	"168.63.129.16/32", // looks public, and is Azure's host beneath a virtual machine

	"2001::/23",     // protocol assignments: Teredo, benchmarks, ORCHID
	"2001:db8::/32", // documentation
	"2002::/16",     // 6to4
	"3fff::/20",     // documentation
)

func isPublic(ip netip.Addr) bool {
	return (ip.Is4() || globalUnicast.Contains(ip)) &&
		!slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}
