package password

import (
	"strings"
	"testing"
)

// matches checks a password against a hash as a Hasher would, on the test's own thread.
func matches(t *testing.T, phc, password string) bool {
	t.Helper()
	h, err := parse(phc)
	if err != nil {
		t.Fatal(err)
	}
	var memory arena
	defer memory.release()
	ok, err := h.matches(&memory, []byte(password))
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

// The hashes of the reference implementation's test.c (https://github.com/P-H-C/phc-winner-argon2).
func TestHashesOfTheReferenceImplementationVerify(t *testing.T) {
	for _, c := range []struct{ password, phc string }{
		{"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
		{"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"},
		{"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"},
	} {
		if !matches(t, c.phc, c.password) {
			t.Errorf("%q does not match %s", c.password, c.phc)
		}
		if matches(t, c.phc, c.password+"x") {
			t.Errorf("%q matches %s", c.password+"x", c.phc)
		}
	}
}

const (
	goodSalt = "AAAAAAAAAAAAAAAAAAAAAA"                      // 16 bytes
	goodKey  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // 32 bytes
	goodPHC  = "$argon2id$v=19$m=19456,t=2,p=1$" + goodSalt + "$" + goodKey
	goodBlow = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
)

func TestHostileStoredHashesAreRefused(t *testing.T) {
	argon := func(costs string) string { return "$argon2id$v=19$" + costs + "$" + goodSalt + "$" + goodKey }
	sized := func(salt, key string) string { return "$argon2id$v=19$m=8,t=1,p=1$" + salt + "$" + key }
	for name, phc := range map[string]string{
		"empty":                       "",
		"only a dollar":               "$",
		"the plain password":          "correct horse battery staple",
		"sha-crypt":                   "$6$rounds=5000$usesomesillystri$KqJWpanXZHKq2BOB43TSaYhEWsQ1Lr5QNyPCDH",
		"Argon2i":                     strings.Replace(goodPHC, "argon2id", "argon2i", 1),
		"Argon2d":                     strings.Replace(goodPHC, "argon2id", "argon2d", 1),
		"upper case":                  strings.Replace(goodPHC, "argon2id", "ARGON2ID", 1),
		"version 16":                  strings.Replace(goodPHC, "v=19", "v=16", 1),
		"no version":                  strings.Replace(goodPHC, "$v=19", "", 1),
		"no memory":                   argon("m=0,t=2,p=1"),
		"memory below 8 for a lane":   argon("m=31,t=2,p=4"),
		"more than 1 GiB":             argon("m=1048577,t=1,p=1"),
		"4 TiB":                       argon("m=4294967295,t=1,p=1"),
		"memory that overflows":       argon("m=4294967296,t=1,p=1"),
		"no passes":                   argon("m=8,t=0,p=1"),
		"65 passes":                   argon("m=8,t=65,p=1"),
		"4 billion passes":            argon("m=8,t=4294967295,p=1"),
		"more than 4 GiB of work":     argon("m=1048576,t=5,p=1"),
		"no lanes":                    argon("m=8,t=1,p=0"),
		"65 lanes":                    argon("m=19456,t=1,p=65"),
		"lanes that overflow":         argon("m=19456,t=1,p=257"),
		"negative memory":             argon("m=-8,t=1,p=1"),
		"a plus sign":                 argon("m=+19456,t=2,p=1"),
		"a leading zero":              argon("m=019456,t=2,p=1"),
		"a space":                     argon("m=19456, t=2,p=1"),
		"hexadecimal":                 argon("m=0x4c00,t=2,p=1"),
		"another order":               argon("t=2,m=19456,p=1"),
		"a cost twice":                argon("m=19456,m=19456,t=2,p=1"),
		"a cost missing":              argon("m=19456,t=2"),
		"names missing":               argon("19456,2,1"),
		"a key id":                    argon("m=19456,t=2,p=1,keyid=AA"),
		"no salt":                     sized("", goodKey),
		"a salt of 7 bytes":           sized("AAAAAAAAAA", goodKey),
		"a salt of 65 bytes":          sized(strings.Repeat("A", 87), goodKey),
		"no key":                      sized(goodSalt, ""),
		"a key of 15 bytes":           sized(goodSalt, strings.Repeat("A", 20)),
		"a key of 65 bytes":           sized(goodSalt, strings.Repeat("A", 87)),
		"a field missing":             "$argon2id$v=19$m=8,t=1,p=1$" + goodSalt,
		"a field too many":            goodPHC + "$",
		"padded base64":               goodPHC + "=",
		"URL-safe base64":             sized(goodSalt, strings.Repeat("A", 42)+"_"),
		"stray bits in the last byte": sized(goodSalt, strings.Repeat("A", 42)+"B"),
		"a line feed at the end":      goodPHC + "\n",
		"a line feed in the key":      sized(goodSalt, goodKey[:20]+"\n"+goodKey[20:]),
		"a NUL":                       goodPHC + "\x00",
		"a space before":              " " + goodPHC,
		"very long":                   goodPHC + strings.Repeat("A", 1<<20),
		"very many fields":            "$argon2id" + strings.Repeat("$", 1<<20),

		"bcrypt of cost 3":            strings.Replace(goodBlow, "$05$", "$03$", 1),
		"bcrypt of cost 15":           strings.Replace(goodBlow, "$05$", "$15$", 1),
		"bcrypt of cost 31":           strings.Replace(goodBlow, "$05$", "$31$", 1),
		"bcrypt of cost 99":           strings.Replace(goodBlow, "$05$", "$99$", 1),
		"bcrypt of cost +5":           strings.Replace(goodBlow, "$05$", "$+5$", 1),
		"bcrypt without a cost":       strings.Replace(goodBlow, "$05$", "$xx$", 1),
		"bcrypt of the first version": strings.Replace(goodBlow, "$2b$", "$2$0", 1),
		"bcrypt with the 2x defect":   strings.Replace(goodBlow, "$2b$", "$2x$", 1),
		"bcrypt cut short":            goodBlow[:59],
		"bcrypt with more":            goodBlow + "A",
		"bcrypt with a foreign byte":  goodBlow[:30] + "+" + goodBlow[31:],
		"bcrypt with a dollar inside": goodBlow[:30] + "$" + goodBlow[31:],
		"only bcrypt's prefix":        "$2b$05$",
	} {
		h, err := parse(phc)
		if err == nil {
			t.Errorf("%s: accepted as %v", name, h)
			continue
		}
		if secret := "AAAAAAAA"; strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes the hash: %v", name, err)
		}
	}
}

func TestOtherParamsOrBcryptNeedARehash(t *testing.T) {
	for _, c := range []struct {
		phc    string
		params Params
		want   bool
	}{
		{goodPHC, DefaultParams, false},
		{goodPHC, Params{19456, 3, 1}, true},
		{goodPHC, Params{19455, 2, 1}, true},
		{goodPHC, Params{12288, 2, 1}, true},
		{goodPHC, Params{19456, 2, 2}, true},
		{strings.Replace(goodPHC, goodSalt, goodSalt[:11], 1), DefaultParams, true},
		{strings.Replace(goodPHC, goodKey, goodKey[:22], 1), DefaultParams, true},
		{goodBlow, DefaultParams, true},
		{"", DefaultParams, true},
		{"nonsense", DefaultParams, true},
	} {
		if got := NeedsRehash(c.phc, c.params); got != c.want {
			t.Errorf("NeedsRehash(%q, %+v) = %t", c.phc, c.params, got)
		}
	}
}

func FuzzWhatIsParsedIsWithinBounds(f *testing.F) {
	f.Add(goodPHC)
	f.Add(goodBlow)
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$" + goodSalt + "$" + goodKey)
	f.Fuzz(func(t *testing.T, phc string) {
		switch h, err := parse(phc); h := h.(type) {
		case *argon2idHash:
			if err == nil && (h.check() != nil || h.String() != phc || h.blocks() > maxMemoryKiB) {
				t.Errorf("%q was parsed as %v", phc, h)
			}
		case bcryptHash:
			if err == nil && string(h) != phc {
				t.Errorf("%q was parsed as %v", phc, h)
			}
		}
	})
}
