package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const canary = "canary-5f1e"

func TestASecretPrintsOnlyWhetherItIsSet(t *testing.T) {
	s := struct{ DatabaseURL Secret }{canary}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("settings", "all", s, "one", s.DatabaseURL)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("settings", "all", s, "one", s.DatabaseURL)

	printed := []string{string(asJSON), log.String(), s.DatabaseURL.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		printed = append(printed, fmt.Sprintf(verb, s), fmt.Sprintf(verb, s.DatabaseURL))
	}
	for _, text := range printed {
		if strings.Contains(text, "canary") || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("the secret shows in %s", text)
		}
		if !strings.Contains(text, "(set)") {
			t.Errorf("%s does not say that the secret is set", text)
		}
	}
	if got := fmt.Sprint(Secret("")); got != "(not set)" {
		t.Errorf("an empty secret prints as %q", got)
	}
}

func TestArgon2BelowEveryOWASPChoiceIsWeak(t *testing.T) {
	for _, c := range []struct {
		cost Argon2
		weak bool
	}{
		{Argon2{47104, 1, 1}, false},
		{Argon2{47103, 1, 1}, true},
		{Argon2{19456, 2, 1}, false},
		{Argon2{19456, 1, 4}, true},
		{Argon2{19455, 2, 1}, true},
		{Argon2{12288, 3, 1}, false},
		{Argon2{9216, 4, 1}, false},
		{Argon2{7168, 5, 1}, false},
		{Argon2{7167, 1000, 1}, true},
		{Argon2{65536, 3, 4}, false},
		{Argon2{}, true},
	} {
		if c.cost.Weak() != c.weak {
			t.Errorf("(%s).Weak() = %t", c.cost, !c.weak)
		}
	}
}

func TestTheZeroThrottleIsOff(t *testing.T) {
	if !(Throttle{}).Off() || (Throttle{Account: 1}).Off() {
		t.Error("only the zero Throttle is off")
	}
}
