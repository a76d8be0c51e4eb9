package resource

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/internal/jose"
)

func mustBeInvalid(t *testing.T, v *Verifier, token string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalidToken) {
		t.Errorf("want ErrInvalidToken, got %v", err)
	}
}

func mustBeUnavailable(t *testing.T, v *Verifier, token string) {
	t.Helper()
	if got, err := v.Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) || got != nil {
		t.Errorf("want ErrUnavailable, got %v, %v", got, err)
	}
}

func TestNewDoesNoIO(t *testing.T) {
	i := newIssuer(t)
	i.verifier(t).Require("a")
	if n := i.fetched(); n != 0 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestKeysAreFetchedOnce(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	for range 20 {
		mustVerify(t, v, i.token(t, nil))
		i.clock.advance(10 * time.Second)
	}
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times in 200 seconds of max-age=300", n)
	}
}

func TestIssuerOverHTTPSIsTrustedThroughItsCertificate(t *testing.T) {
	i := startIssuer(t, httptest.NewTLSServer)
	mustVerify(t, i.verifier(t), i.token(t, nil))
	mustBeUnavailable(t, i.verifier(t, WithHTTPClient(&http.Client{})), i.token(t, nil))
}

func TestIssuerMayEndInASlash(t *testing.T) {
	i := newIssuer(t)
	i.metadata = map[string]any{"issuer": i.URL + "/"}
	v, err := New(i.URL+"/", audience, WithClock(i.clock.now))
	if err != nil {
		t.Fatal(err)
	}
	mustVerify(t, v, i.token(t, map[string]any{"iss": i.URL + "/"}))
}

func TestBadMetadataGivesNoKeys(t *testing.T) {
	for name, metadata := range map[string]map[string]any{
		"another issuer":       {"issuer": "https://attacker.example"},
		"issuer with a slash":  {"issuer": "/"},
		"no issuer":            {"issuer": nil},
		"issuer of other type": {"issuer": 1},
		"no jwks_uri":          {"jwks_uri": nil},
		"jwks_uri http":        {"jwks_uri": "http://id.example.com/jwks"},
		"jwks_uri file":        {"jwks_uri": "file:///etc/passwd"},
		"jwks_uri relative":    {"jwks_uri": "/jwks"},
		"jwks_uri with user":   {"jwks_uri": "https://user:password@127.0.0.1/jwks"},
		"too much":             {"a": strings.Repeat("a", jose.MaxSetBytes)},
	} {
		i := newIssuer(t)
		i.metadata = metadata
		if metadata["issuer"] == "/" {
			i.metadata = map[string]any{"issuer": i.URL + "/"}
		}
		mustBeUnavailable(t, i.verifier(t), i.token(t, nil))
		if n := i.fetched(); n != 0 {
			t.Errorf("%s: the keys were fetched", name)
		}
	}
}

func TestIssuerMismatchNamesBothValues(t *testing.T) {
	i := newIssuer(t)
	i.metadata = map[string]any{"issuer": "https://id.example.com"}
	_, err := i.verifier(t).Verify(t.Context(), i.token(t, nil))
	if err == nil || !strings.Contains(err.Error(), i.URL) || !strings.Contains(err.Error(), "https://id.example.com") {
		t.Errorf("%v", err)
	}
}

func TestKeysOfAnHTTPSIssuerAreNotFetchedOverHTTP(t *testing.T) {
	secure, insecure := startIssuer(t, httptest.NewTLSServer), newIssuer(t)
	secure.metadata = map[string]any{"jwks_uri": insecure.URL + "/jwks"}
	mustBeUnavailable(t, secure.verifier(t), secure.token(t, nil))
	if n := insecure.fetched(); n != 0 {
		t.Error("the keys were fetched")
	}
}

func TestBadAnswerGivesNoKeys(t *testing.T) {
	other := newIssuer(t)
	for name, answer := range map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"204": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"redirect to another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/jwks", http.StatusFound)
		},
		"redirect to itself": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/jwks", http.StatusFound) },
		"an error page":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"an error as JSON":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error":"server_error"}`) },
		"nothing":            func(http.ResponseWriter, *http.Request) {},
		"more than 256 KiB":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"keys":[]%*s}`, jose.MaxSetBytes, "") },
		"too many keys": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"keys":[`+strings.Repeat("{},", 64)+`{}]}`)
		},
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		i := newIssuer(t)
		i.answer = answer
		mustBeUnavailable(t, i.verifier(t), i.token(t, nil))
		if i.fetched() == 0 {
			t.Errorf("%s: the keys were not asked for", name)
		}
	}
	if n := other.fetched(); n != 0 {
		t.Error("a redirect was followed")
	}
}

func TestSetWithoutUsableKeysVerifiesNothing(t *testing.T) {
	i := newIssuer(t)
	token := i.token(t, nil)
	i.publish()
	mustBeInvalid(t, i.verifier(t), token)
}

func TestIssuerThatStartsLaterIsFound(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, nil)
	i.goDown()
	for range 10 {
		mustBeUnavailable(t, v, token)
	}
	if n := i.fetched(); n != 1 {
		t.Errorf("tried %d times within a second", n)
	}
	i.change(func() { i.answer = nil })
	i.clock.advance(firstCooldown)
	mustVerify(t, v, token)
}

// Class 2 of the attacks.
func TestRandomKidsDoNotStormTheIssuer(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	good := i.token(t, nil)
	tokens := make(chan string)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for token := range tokens {
				if _, err := v.Verify(context.Background(), token); (token == good) != (err == nil) {
					t.Errorf("good %v: %v", token == good, err)
				}
			}
		})
	}
	_, signed, _ := strings.Cut(good, ".")
	for n := range 10_000 {
		header := fmt.Sprintf(`{"alg":"EdDSA","typ":"at+jwt","kid":"%d"}`, n)
		tokens <- base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + signed
		if n%100 == 0 {
			tokens <- good
		}
		i.clock.advance(time.Millisecond)
	}
	close(tokens)
	all.Wait()
	if n := i.fetched(); n > 2 {
		t.Errorf("10,000 tokens in 10 seconds fetched the keys %d times", n)
	}
}

func TestMalformedTokensFetchNoKeysAgain(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	mustVerify(t, v, i.token(t, nil))
	for _, header := range []string{
		`{"alg":"none","typ":"at+jwt","kid":"a"}`, `{"alg":"EdDSA","typ":"JWT","kid":"a"}`, `{"alg":"EdDSA","typ":"at+jwt","kid":"a","jku":"b"}`,
	} {
		mustBeInvalid(t, v, forge(t, newKey(t), header, i.claims(nil)))
	}
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestBrandNewKeyVerifiesAfterOneRefetch(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	old := i.token(t, nil)
	mustVerify(t, v, old) // the keys are a moment old when the issuer rotates
	i.publish(i.keys[0], newKey(t))
	mustVerify(t, v, i.token(t, nil))
	mustVerify(t, v, i.token(t, map[string]any{"sub": "usr_2"}))
	mustVerify(t, v, old)
	if n := i.fetched(); n != 2 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestNextRotationIsFoundAfterTheCooldown(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	mustVerify(t, v, i.token(t, nil))
	i.publish(newKey(t))
	mustVerify(t, v, i.token(t, nil))
	i.publish(newKey(t))
	token := i.token(t, nil)
	i.clock.advance(cooldown - time.Microsecond)
	mustBeInvalid(t, v, token)
	i.clock.advance(time.Microsecond)
	mustVerify(t, v, token)
	if n := i.fetched(); n != 3 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// Keys that were already on their way when the issuer rotated do not have the
// new one. Whoever waited for them asks again.
func TestRotationDuringAFetchIsFound(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	first := i.token(t, nil)
	mustVerify(t, v, first)

	asked, proceed := make(chan struct{}), make(chan struct{})
	old := fmt.Sprintf(`{"keys":[%s]}`, mustMarshal(t, i.keys[0].Public()))
	i.change(func() {
		i.answer = func(w http.ResponseWriter, _ *http.Request) {
			i.change(func() { i.answer = nil })
			close(asked)
			<-proceed
			fmt.Fprint(w, old)
		}
	})
	i.clock.advance(6 * time.Minute)
	mustVerify(t, v, first) // renews in the background
	<-asked
	i.publish(newKey(t))
	done := make(chan error)
	go func() {
		_, err := v.Verify(context.Background(), i.token(t, nil))
		done <- err
	}()
	close(proceed)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := i.fetched(); n != 3 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestKeysAreRenewedInTheBackground(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, map[string]any{"exp": i.clock.seconds(3600)})
	mustVerify(t, v, token)
	i.clock.advance(5*time.Minute - time.Microsecond)
	mustVerify(t, v, token)
	settle(v)
	if n := i.fetched(); n != 1 {
		t.Errorf("fetched %d times before max-age is over", n)
	}
	hold := make(chan struct{})
	i.change(func() {
		i.answer = func(w http.ResponseWriter, _ *http.Request) {
			<-hold
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	i.clock.advance(time.Microsecond)
	mustVerify(t, v, token) // does not wait for the issuer
	mustVerify(t, v, token)
	close(hold)
	settle(v)
	if n := i.fetched(); n != 2 {
		t.Errorf("fetched %d times after max-age is over", n)
	}
}

func TestWithdrawnKeyEndsItsTokens(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, map[string]any{"exp": i.clock.seconds(3600)})
	mustVerify(t, v, token)
	i.publish(newKey(t))
	i.clock.advance(5 * time.Minute)
	mustVerify(t, v, token) // this request has the keys renewed
	settle(v)
	mustBeInvalid(t, v, token)
}

func TestAPIThatWasIdleJudgesByNewKeys(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, map[string]any{"exp": i.clock.seconds(3600)})
	mustVerify(t, v, token)
	i.publish(newKey(t))
	i.clock.advance(6 * time.Minute)
	mustBeInvalid(t, v, token)
	mustVerify(t, v, i.token(t, nil))
}

func TestSameKeysKeepWhatTheyVerified(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, map[string]any{"exp": i.clock.seconds(3600)})
	first := mustVerify(t, v, token)
	i.clock.advance(5 * time.Minute)
	mustVerify(t, v, token)
	settle(v)
	if mustVerify(t, v, token) != first || i.fetched() != 2 {
		t.Error("the token was verified again by the same keys")
	}
}

func TestKeysServeForADayWhileTheIssuerIsDown(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	fresh := func() string { return i.token(t, nil) }
	mustVerify(t, v, fresh())
	i.goDown()
	for range 24 {
		mustVerify(t, v, fresh())
		settle(v)
		i.clock.advance(time.Hour)
	}
	if n := i.fetched(); n > 25 {
		t.Errorf("fetched %d times", n)
	}
	i.clock.advance(5 * time.Minute)
	mustVerify(t, v, fresh())
	settle(v)
	i.clock.advance(time.Microsecond)
	mustBeUnavailable(t, v, fresh())
	i.change(func() { i.answer = nil })
	i.clock.advance(cooldown)
	mustVerify(t, v, fresh())
}

func TestRenewalThatFailsIsNotRepeatedAtOnce(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, nil)
	mustVerify(t, v, token)
	i.goDown()
	i.clock.advance(5 * time.Minute)
	for range 29 {
		mustVerify(t, v, token)
		settle(v)
		i.clock.advance(time.Second)
	}
	if n := i.fetched(); n != 2 {
		t.Errorf("fetched %d times in 30 seconds", n)
	}
}

func TestCancelledRequestDoesNotCancelTheFetchOfOthers(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier(t)
	token := i.token(t, nil)
	asked, proceed := make(chan struct{}), make(chan struct{})
	i.change(func() {
		i.answer = func(w http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-proceed
			fmt.Fprintf(w, `{"keys":[%s]}`, mustMarshal(t, i.keys[0].Public()))
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan error)
	go func() {
		_, err := v.Verify(ctx, token)
		first <- err
	}()
	<-asked
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the cancelled request: %v", err)
	}
	close(proceed)
	mustVerify(t, v, token)
	if n := i.fetched(); n != 1 {
		t.Errorf("the keys were fetched %d times", n)
	}
}

// silence is an issuer that accepts connections and never answers.
type silence struct{}

func (silence) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestSilentIssuerIsGivenUpAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, err := New("https://id.example.com", audience, WithHTTPClient(&http.Client{Transport: silence{}}))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		mustBeUnavailable(t, v, "a token")
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("after %v", took)
		}
	})
}

func TestFreshnessFollowsCacheControlWithinBounds(t *testing.T) {
	for cacheControl, want := range map[string]time.Duration{
		"":                                 defaultAge,
		"public":                           defaultAge,
		"max-age=300":                      5 * time.Minute,
		"public, max-age=3600, immutable":  time.Hour,
		"Public,Max-Age=3600":              time.Hour,
		`max-age="3600"`:                   time.Hour,
		"max-age=0":                        minAge,
		"max-age=59":                       minAge,
		"max-age=86401":                    maxAge,
		"max-age=2147483647":               maxAge,
		"max-age=99999999999999999999":     defaultAge,
		"max-age=-1":                       defaultAge,
		"max-age=abc":                      defaultAge,
		"max-age":                          defaultAge,
		"no-store":                         minAge,
		"max-age=3600, no-cache":           minAge,
		"s-maxage=60, max-age=3600, x=y,,": time.Hour,
	} {
		if got := freshness(cacheControl); got != want {
			t.Errorf("%q: %v, want %v", cacheControl, got, want)
		}
	}
}
