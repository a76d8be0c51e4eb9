package settings

import (
	"strings"
	"testing"
)

func TestTheNearestCandidateIsSuggested(t *testing.T) {
	candidates := []string{"listen", "issuer", "data", "tls_cert", "tls_key", "refresh_idle"}
	for word, want := range map[string]string{
		"lisetn":                 "listen", // swapped
		"listn":                  "listen",
		"lissten":                "listen",
		"LISTEN":                 "listen",
		"refresh-idel":           "refresh_idle", // two slips
		"tls-key":                "tls_key",
		"dat":                    "data",
		"":                       "",
		"ls":                     "",
		"port":                   "",
		"refresh":                "",
		strings.Repeat("x", 1e6): "",
	} {
		got, ok := Suggest(word, candidates)
		if got != want || ok != (want != "") {
			t.Errorf("Suggest(%.20q) = %q, %t; want %q", word, got, ok, want)
		}
	}
}
