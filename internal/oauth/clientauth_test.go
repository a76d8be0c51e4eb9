package oauth

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOnlyTheRightCredentialsAuthenticate(t *testing.T) {
	const failed, foreignPage, passed = InvalidClient, InvalidRequest, ""
	disabled := func(c *Client) *Client {
		c.Disabled = true
		return c
	}
	withoutSecret := worker()
	withoutSecret.SecretHash = nil
	publicWithSecret := app()
	publicWithSecret.SecretHash = SecretHash(secretKey, rightSecret)

	for _, test := range []struct {
		name   string
		client *Client
		secret string
		// What each method comes to.
		basic, post, none string
	}{
		{"confidential, right secret", worker(), rightSecret, passed, passed, failed},
		{"confidential, wrong secret", worker(), "kws_wrong", failed, failed, failed},
		{"confidential, no secret", worker(), "", failed, failed, failed},
		{"confidential, secret in upper case", worker(), strings.ToUpper(rightSecret), failed, failed, failed},
		{"confidential, secret and more", worker(), rightSecret + " ", failed, failed, failed},
		{"confidential, the hash as secret", worker(), string(worker().SecretHash), failed, failed, failed},
		{"confidential, disabled", disabled(worker()), rightSecret, failed, failed, failed},
		{"confidential, no secret stored", withoutSecret, rightSecret, failed, failed, failed},
		{"confidential, no secret stored nor sent", withoutSecret, "", failed, failed, failed},
		{"public", app(), "", failed, failed, passed},
		{"public, a secret sent", app(), rightSecret, failed, failed, passed},
		{"public, a secret stored and sent", publicWithSecret, rightSecret, failed, failed, passed},
		{"public, disabled", disabled(app()), "", failed, failed, failed},
		{"unknown", nil, rightSecret, failed, failed, failed},
		{"unknown, no secret", nil, "", failed, failed, failed},
	} {
		for method, want := range map[AuthMethod]string{
			ClientSecretBasic: test.basic, ClientSecretPost: test.post, NoAuthentication: test.none,
			"": failed, "private_key_jwt": failed, "CLIENT_SECRET_BASIC": failed,
		} {
			for origin, foreign := range map[string]bool{"": false, appOrigin: false, "https://evil.example": true, "null": true} {
				t.Run(test.name+" by "+string(method)+" from "+origin, func(t *testing.T) {
					c := test.client
					if c != nil && !c.Public {
						known := *c
						known.Origins = []string{appOrigin}
						c = &known
					}
					want, creds := want, Credentials{ID: "any", Secret: test.secret, Method: method, Origin: origin}
					if method == NoAuthentication {
						creds.Secret = ""
					}
					if want == passed && foreign {
						want = foreignPage
					}
					r := authenticate(creds, c, secretKey)
					if want != passed {
						refusedWith(t, r, want)
					} else if r != nil {
						t.Errorf("refused with %s", r.Code)
					}
				})
			}
		}
	}
}

func TestAuthenticationFailsInOneWay(t *testing.T) {
	wrong := authenticate(Credentials{ID: "worker", Secret: "wrong", Method: ClientSecretBasic}, worker(), secretKey)
	unknown := authenticate(Credentials{ID: "nobody", Secret: "wrong", Method: ClientSecretBasic}, nil, secretKey)
	disabled := worker()
	disabled.Disabled = true
	off := authenticate(workerCredentials(), disabled, secretKey)
	if *wrong != *unknown || *wrong != *off {
		t.Errorf("%v, %v and %v differ", *wrong, *unknown, *off)
	}
}

func TestASecretIsHashedForUnknownClientsToo(t *testing.T) {
	creds := Credentials{ID: "any", Secret: "guessed", Method: ClientSecretPost}
	work := func(c *Client) float64 {
		return testing.AllocsPerRun(100, func() { creds.prove(c, secretKey) })
	}
	if known, unknown, public := work(worker()), work(nil), work(app()); known != unknown || known != public || known == 0 {
		t.Errorf("%v allocations for a known client, %v for an unknown one, %v for a public one", known, unknown, public)
	}
}

func TestSecretsAreHashedUnderTheServersKey(t *testing.T) {
	hash := string(SecretHash(secretKey, rightSecret))
	if len(hash) != 32 || hash == string(SecretHash([]byte("another key"), rightSecret)) || hash == string(SecretHash(secretKey, "other")) {
		t.Errorf("%x", hash)
	}
}

func TestAForeignOriginIsShownWithoutWhatItHides(t *testing.T) {
	for _, origin := range hostileTexts {
		creds := appCredentials()
		creds.Origin = origin
		if origin == "" {
			continue
		}
		refusedWith(t, authenticate(creds, app(), secretKey), InvalidRequest)
	}
}

// hostileTexts are what somebody may send in the hope that it is repeated.
var hostileTexts = []string{
	"", `"`, `\`, `'`, `a"b\c`, "\x00", "\r\nSet-Cookie: a=b", "\t", "\x7f", "\x80", "\xff\xfe", "é", "日本語", "\u2028", "\u202eevil", "🙈",
	"<script>alert(1)</script>", `","active":true,"x":"`, "%00%0d%0a", strings.Repeat("a", 10_000), strings.Repeat("é", 50), strings.Repeat("\"", 500),
}

func TestWhatIsQuotedMayStandInADescription(t *testing.T) {
	for _, text := range hostileTexts {
		quoted := quote(text)
		if bad := forbidden(quoted); bad != "" {
			t.Errorf("quote(%q) is %s and holds %s", text, quoted, bad)
		}
		if len(quoted) > 100 {
			t.Errorf("quote(%.20q…) has %d bytes", text, len(quoted))
		}
	}
	if quoted := quote("read:all"); quoted != "'read:all'" {
		t.Errorf("quote changes plain text: %s", quoted)
	}
}

// keyed is a client that proves itself with assertions.
func keyed() *Client {
	c := worker()
	c.AuthMethod, c.SecretHash = string(PrivateKeyJWT), nil
	return c
}

func TestAnAssertionProvesOnlyAClientThatIsRegisteredForIt(t *testing.T) {
	public, disabled := app(), keyed()
	disabled.Disabled = true
	for name, test := range map[string]struct {
		client *Client
		creds  Credentials
		proved bool
	}{
		"verified":                     {keyed(), Credentials{Method: PrivateKeyJWT, Proved: true}, true},
		"not verified":                 {keyed(), Credentials{Method: PrivateKeyJWT}, false},
		"of a client with a secret":    {worker(), Credentials{Method: PrivateKeyJWT, Proved: true}, false},
		"of a public client":           {public, Credentials{Method: PrivateKeyJWT, Proved: true}, false},
		"of a disabled client":         {disabled, Credentials{Method: PrivateKeyJWT, Proved: true}, false},
		"of an unknown client":         {nil, Credentials{Method: PrivateKeyJWT, Proved: true}, false},
		"an empty secret instead":      {keyed(), Credentials{Method: ClientSecretPost}, false},
		"a secret instead":             {keyed(), Credentials{Method: ClientSecretBasic, Secret: rightSecret, Proved: true}, false},
		"nothing instead":              {keyed(), Credentials{Method: NoAuthentication, Proved: true}, false},
		"proved, for a public client":  {public, Credentials{Method: NoAuthentication, Proved: true}, true},
		"proved, and the wrong secret": {worker(), Credentials{Method: ClientSecretBasic, Secret: "wrong", Proved: true}, false},
	} {
		if r := authenticate(test.creds, test.client, secretKey); r != nil {
			refusedWith(t, r, InvalidClient)
			if test.proved {
				t.Errorf("%s: %s", name, r.Description)
			}
		} else if !test.proved {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestASecretComesTheWayThatIsRegistered(t *testing.T) {
	for registered, taken := range map[AuthMethod][]AuthMethod{
		"": {ClientSecretBasic, ClientSecretPost}, ClientSecretBasic: {ClientSecretBasic}, ClientSecretPost: {ClientSecretPost}, PrivateKeyJWT: nil,
	} {
		c := worker()
		c.AuthMethod = string(registered)
		for _, method := range []AuthMethod{ClientSecretBasic, ClientSecretPost} {
			r := authenticate(Credentials{Secret: rightSecret, Method: method}, c, secretKey)
			if (r == nil) != slices.Contains(taken, method) {
				t.Errorf("registered for %q, sent by %s: %v", registered, method, r)
			}
		}
	}
}

// RFC 7523 §3; who verified the signature, and whether the id was used before,
// is not asked here.
func TestAnAssertionIsForOneServerAndForAMoment(t *testing.T) {
	for name, test := range map[string]struct {
		alter func(*ClientAssertion)
		taken bool
	}{
		"as it should be":                     {func(*ClientAssertion) {}, true},
		"without iat and nbf":                 {func(a *ClientAssertion) { a.IssuedAt, a.NotBefore = time.Time{}, time.Time{} }, true},
		"in its last microsecond":             {func(a *ClientAssertion) { a.ExpiresAt = noon.Add(microsecond) }, true},
		"expired":                             {func(a *ClientAssertion) { a.ExpiresAt = noon }, false},
		"expired within the skew":             {func(a *ClientAssertion) { a.ExpiresAt = noon.Add(-time.Second) }, false},
		"without exp":                         {func(a *ClientAssertion) { a.ExpiresAt = time.Time{} }, false},
		"for 11 minutes":                      {func(a *ClientAssertion) { a.ExpiresAt = noon.Add(11 * time.Minute) }, true},
		"for longer":                          {func(a *ClientAssertion) { a.ExpiresAt = noon.Add(11*time.Minute + microsecond) }, false},
		"iat a minute ahead":                  {func(a *ClientAssertion) { a.IssuedAt = noon.Add(time.Minute) }, true},
		"iat further ahead":                   {func(a *ClientAssertion) { a.IssuedAt = noon.Add(time.Minute + microsecond) }, false},
		"iat long ago":                        {func(a *ClientAssertion) { a.IssuedAt = noon.Add(-24 * time.Hour) }, true},
		"nbf a minute ahead":                  {func(a *ClientAssertion) { a.NotBefore = noon.Add(time.Minute) }, true},
		"nbf further ahead":                   {func(a *ClientAssertion) { a.NotBefore = noon.Add(time.Minute + microsecond) }, false},
		"aud foreign":                         {func(a *ClientAssertion) { a.Audience = "https://other.example" }, false},
		"aud the token endpoint":              {func(a *ClientAssertion) { a.Audience = policy.Issuer + TokenPath }, false},
		"aud the issuer and a slash":          {func(a *ClientAssertion) { a.Audience = policy.Issuer + "/" }, false},
		"aud a list, or none":                 {func(a *ClientAssertion) { a.Audience = "" }, false},
		"iss another client":                  {func(a *ClientAssertion) { a.Issuer = "app" }, false},
		"sub another client":                  {func(a *ClientAssertion) { a.Subject = "app" }, false},
		"iss and sub another client":          {func(a *ClientAssertion) { a.Issuer, a.Subject = "app", "app" }, false},
		"without sub":                         {func(a *ClientAssertion) { a.Subject = "" }, false},
		"without iss":                         {func(a *ClientAssertion) { a.Issuer = "" }, false},
		"without jti":                         {func(a *ClientAssertion) { a.ID = "" }, false},
		"jti of 128 bytes":                    {func(a *ClientAssertion) { a.ID = strings.Repeat("j", 128) }, true},
		"jti of more":                         {func(a *ClientAssertion) { a.ID = strings.Repeat("j", 129) }, false},
		"the issuer's id in other characters": {func(a *ClientAssertion) { a.Audience = "HTTPS://id.example" }, false},
	} {
		a := ClientAssertion{
			Issuer: "worker", Subject: "worker", Audience: policy.Issuer, ID: "jti", IssuedAt: noon, NotBefore: noon, ExpiresAt: noon.Add(time.Minute),
		}
		test.alter(&a)
		if a.Accept(keyed(), policy.Issuer, noon) != test.taken {
			t.Errorf("%s: %t", name, !test.taken)
		}
	}
}
