package oauth

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScopeIsParsed(t *testing.T) {
	for asked, want := range map[string][]string{
		"read":                     {"read"},
		"read write":               {"read", "write"},
		"write read":               {"write", "read"},
		"read read":                {"read"},
		"  read   write ":          {"read", "write"},
		"urn:example:a#b":          {"urn:example:a#b"},
		"!#[]~":                    {"!#[]~"},
		strings.Repeat("a", 128):   {strings.Repeat("a", 128)},
		strings.Repeat("a ", 2048): {"a"},
	} {
		got, r := parseScope(asked)
		if r != nil {
			t.Errorf("%.40q is refused: %s", asked, r.Description)
			continue
		}
		equalStrings(t, "scope", got, want...)
	}
}

func TestMalformedScopeIsRefused(t *testing.T) {
	many := ""
	for i := range maxListLength + 1 {
		many += fmt.Sprint(" s", i)
	}
	for _, asked := range []string{
		" ", "    ", "\t", "read\twrite", "read\nwrite", "a\x00b", `a"b`, `a\b`, "é", "a\x7f", "a\u00a0b", "\xff",
		strings.Repeat("a", 129), strings.Repeat("ab ", 1366), strings.Repeat("a", 1<<20), many,
	} {
		_, r := parseScope(asked)
		if r == nil {
			t.Errorf("%.40q is not refused", asked)
			continue
		}
		refusedWith(t, r, InvalidScope)
	}
}

func TestScopeIsNeverWidened(t *testing.T) {
	allowed := []string{"read", "write"}
	for asked, want := range map[string][]string{
		"": allowed, "read": {"read"}, "write read": {"write", "read"},
		"admin": nil, "read admin": nil, "Read": nil, "rea": nil, "read,write": nil, "*": nil,
	} {
		got, r := scopeWithin(asked, allowed)
		if want == nil {
			refusedWith(t, r, InvalidScope)
		} else if r != nil {
			t.Errorf("%q is refused", asked)
		}
		equalStrings(t, "scope of "+asked, got, want...)
	}
	if got, r := scopeWithin("", nil); r != nil || len(got) != 0 {
		t.Errorf("a client without scopes gets %q, %v", got, r)
	}
	_, r := scopeWithin("read", nil)
	refusedWith(t, r, InvalidScope)
}

func FuzzParseScope(f *testing.F) {
	for _, seed := range append(hostileTexts, "read write", "a  b", " a", `a"`, "a\\") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		scope, r := parseScope(asked)
		if (r == nil) != (len(scope) > 0) {
			t.Fatalf("%q and %v", scope, r)
		}
		if r != nil {
			refusedWith(t, r, InvalidScope)
			return
		}
		for i, token := range scope {
			if !validScopeToken(token) || slices.Contains(scope[:i], token) || !slices.Contains(strings.Split(asked, " "), token) {
				t.Errorf("%q of %q", token, asked)
			}
		}
		again, r := parseScope(strings.Join(scope, " "))
		if r != nil || !slices.Equal(again, scope) {
			t.Errorf("%q, parsed again, is %q", scope, again)
		}
	})
}
