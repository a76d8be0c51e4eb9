package account

import (
	"slices"
	"strings"
	"testing"
)

func TestTheCommonPasswordsCanBeSearched(t *testing.T) {
	lines, ended := strings.CutSuffix(commonPasswords, "\n")
	words := strings.Split(lines, "\n")
	if !ended || len(words) < 20_000 {
		t.Fatalf("%d words, the last line ended: %t", len(words), ended)
	}
	if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Error("they are not sorted, or not unique")
	}
	for _, word := range words {
		if len(word) < 8 || strings.ContainsAny(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ \r\t") {
			t.Errorf("%q is too short or not in lower case", word)
		}
	}
}

func TestEveryCommonPasswordIsFoundInAnyCase(t *testing.T) {
	for word := range strings.Lines(commonPasswords) {
		word = strings.TrimSuffix(word, "\n")
		if !common(word) || !common(strings.ToUpper(word)) {
			t.Errorf("%q is not found", word)
		}
		if common(word+"\n") || common("\n"+word) || common(word+"\x00") {
			t.Errorf("%q is found with another byte", word)
		}
	}
}

func TestWellKnownPasswordsAreCommon(t *testing.T) {
	for _, password := range []string{
		"password", "Password1", "12345678", "QWERTYUIOP", "1qaz2wsx", "iloveyou", "trustno1", "letmein1", "changeme",
	} {
		if !common(password) {
			t.Errorf("%q is not", password)
		}
	}
}

func TestOtherPasswordsAreNotCommon(t *testing.T) {
	first, _, _ := strings.Cut(commonPasswords, "\n")
	for _, password := range []string{
		"", "\n", " ", "a", "\x00", "\xff\xff\xff\xff\xff\xff\xff\xff", "passwor", "password ", " password",
		"password\nsunshine", "pässword", "correct horse battery staple", "12345678\n", first + "\n" + first,
		"zzzzzzzzzzzz", "!", strings.Repeat("a", 1<<20), commonPasswords,
	} {
		if common(password) {
			t.Errorf("%.40q is", password)
		}
	}
}

func TestLookingForACommonPasswordAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { common("Correct-Horse-Battery") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCommon(b *testing.B) {
	for b.Loop() {
		common("Correct-Horse-Battery")
	}
}
