package account

import (
	"strings"
	"testing"
	"unicode"
)

func TestAnAddressHasOneCanonicalForm(t *testing.T) {
	label63 := strings.Repeat("d", 63)
	for typed, want := range map[string]string{
		"ada@example.com":                        "ada@example.com",
		"Ada@Example.COM":                        "ada@example.com",
		"ADA@EXAMPLE.COM":                        "ada@example.com",
		"ada+tag@example.com":                    "ada+tag@example.com",
		"ada.lovelace@example.com":               "ada.lovelace@example.com",
		"a@x":                                    "a@x",
		"A@X":                                    "a@x",
		"a@localhost":                            "a@localhost",
		"a@1.2.3.4":                              "a@1.2.3.4",
		"o'neil@example.com":                     "o'neil@example.com",
		"!#$%&'*+-/=?^_`{|}~@x.y":                "!#$%&'*+-/=?^_`{|}~@x.y",
		"0@0.0":                                  "0@0.0",
		"a@xn--bcher-kva.example":                "a@xn--bcher-kva.example",
		strings.Repeat("l", 64) + "@example.com": strings.Repeat("l", 64) + "@example.com",
		"a@" + label63 + ".example":              "a@" + label63 + ".example",
		strings.Repeat("l", 60) + "@" + strings.Repeat(label63+".", 3) + "d": strings.Repeat("l", 60) + "@" + strings.Repeat(label63+".", 3) + "d",
	} {
		if got, ok := CanonicalEmail(typed); !ok || got != want {
			t.Errorf("%q is %q, %t, want %q", typed, got, ok, want)
		}
	}
}

// ATTACKS class 10 (5): several addresses, injected lines, quoted and foreign
// forms are refused, since mail systems disagree about who gets them.
var hostileAddresses = []string{
	"", " ", "@", "a", "a@", "@x", "a@@x", "a@b@x", "@a@x", "a@x@", "a@x,b@y", "a@evil.example,b@victim.example", "a@x;b@y", "a@x b@y", "a@x\nBcc:b@y", "a@x\r\nBcc: b@y",
	"a@x\n", "\na@x", "a@x\x00", "\x00a@x", "a\x00@x", "a@x\x00.y", "a @x", "a@ x", " a@x", "a@x ", "a@x\t", "a\t@x", "a@x\u00a0", "\ufeffa@x", "a@x\u200b", "a\u200d@x", "a@\u202ex",
	`"a"@x`, `"a b"@x`, `"a@b"@x`, `a\@b@x`, `a"b@x`, "a<b@x>", "<a@x>", "Ada <a@x>", "a(comment)@x", "a@x(comment)", "a@[127.0.0.1]", "a@[IPv6:::1]", "a:b@x", "a,b@x", "a;b@x", "[a]@x", "a)@x",
	".a@x", "a.@x", "a..b@x", ".@x", "a@.x", "a@x.", "a@x..y", "a@.", "a@-x", "a@x-", "a@x-.y", "a@-", "a@x_y", "a@x/y", "a@x%2ey", "a@x:25", "a@*.x", "a@x!y", "a@x#y",
	"ä@x", "a@ä.example", "аda@example.com", "ada@exаmple.com", "ada@example。com", "ａda@example.com", "ada＠example.com", "\u212a@x", "ſ@x", "ı@x", "İ@x", "a@ſ", "\xff@x", "a@\xff", "🙈@x", "a\u0301@x",
	"mailto:a@x", "http://a@x", "a@http://x", "a@x?subject=b", "a%40x", "a@x\u2028", "a@x\u0085", "a@x\x7f", "a\x1b@x",
	strings.Repeat("l", 65) + "@x", "a@" + strings.Repeat("d", 64), "a@" + strings.Repeat("d.", 126) + "de", strings.Repeat("a", 1<<20) + "@x", "a@" + strings.Repeat("a.", 1<<19) + "x", strings.Repeat("@", 1<<10),
}

func TestWhatIsNoPlainAddressIsRefused(t *testing.T) {
	for _, address := range hostileAddresses {
		if got, ok := CanonicalEmail(address); ok || got != "" {
			t.Errorf("%.60q is %.60q, %t", address, got, ok)
		}
	}
}

func FuzzCanonicalEmail(f *testing.F) {
	for _, address := range hostileAddresses {
		if len(address) < 300 {
			f.Add(address)
		}
	}
	f.Add("Ada+tag@Example.com")
	f.Fuzz(func(t *testing.T, typed string) {
		canonical, ok := CanonicalEmail(typed)
		if !ok {
			if canonical != "" {
				t.Errorf("%q is refused, but %q", typed, canonical)
			}
			return
		}
		if again, ok := CanonicalEmail(canonical); !ok || again != canonical {
			t.Errorf("%q, made canonical again, is %q", canonical, again)
		}
		for _, other := range []string{strings.ToUpper(typed), strings.ToLower(typed)} {
			if same, ok := CanonicalEmail(other); !ok || same != canonical {
				t.Errorf("%q is %q, but %q is %q", typed, canonical, other, same)
			}
		}
		if !strings.EqualFold(typed, canonical) {
			t.Errorf("%q became %q", typed, canonical)
		}
		for _, r := range canonical {
			if r > unicode.MaxASCII || unicode.IsControl(r) || unicode.IsSpace(r) || unicode.IsUpper(r) || strings.ContainsRune(`,;:<>()[]\"`, r) {
				t.Errorf("%q holds %q", canonical, r)
			}
		}
		if strings.Count(canonical, "@") != 1 || len(canonical) > 254 {
			t.Errorf("%q", canonical)
		}
	})
}
