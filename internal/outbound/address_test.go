package outbound

import (
	"errors"
	"net/netip"
	"testing"
)

func TestOnlyPublicAddressesArePublic(t *testing.T) {
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1", "127.255.255.254",
		"168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:2::1", "2001:10::1",
		"2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1",
		"fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
	} {
		if err := (Rules{}).check(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); !errors.Is(err, ErrRefused) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
		"172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"::ffff:1.1.1.1", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "3ffe::1",
	} {
		if err := (Rules{}).check(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestRulesAddWhatMayBeReached(t *testing.T) {
	inside := Rules{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}}
	dev := Rules{Dev: true}
	for _, c := range []struct {
		rules Rules
		to    string
		ok    bool
	}{
		{Rules{}, "1.1.1.1:443", true},
		{Rules{}, "1.1.1.1:80", false},
		{Rules{}, "1.1.1.1:8443", false},
		{Rules{}, "[2606:4700::1111]:22", false},
		{inside, "10.1.2.3:443", true},
		{inside, "10.1.2.3:8443", true},
		{inside, "[::ffff:10.1.2.3]:8443", true},
		{inside, "[fd00:1::9]:8443", true},
		{inside, "10.2.0.1:443", false},
		{inside, "127.0.0.1:443", false},
		{inside, "1.1.1.1:8443", false},
		{dev, "127.0.0.1:3000", true},
		{dev, "[::1]:3000", true},
		{dev, "192.168.1.9:3000", true},
		{dev, "[fd00::1]:3000", true},
		{dev, "1.1.1.1:80", true},
		{dev, "169.254.169.254:80", false},
		{dev, "[fe80::1%eth0]:80", false},
		{dev, "0.0.0.0:80", false},
		{dev, "100.100.100.200:80", false},
	} {
		if err := c.rules.check(netip.MustParseAddrPort(c.to)); (err == nil) != c.ok {
			t.Errorf("%+v, %s: %v", c.rules, c.to, err)
		}
	}
}
