package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/store"
	"github.com/keywright/keywright/internal/store/storetest"
)

// clock is a time that stands still until a test moves it.
type clock struct{ micros atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.micros.Store(time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC).UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// appOrigin is the page that may use the tutorial API in these tests.
const appOrigin = "http://localhost:4200"

// A house is a whole server on one database, reached over HTTP.
type house struct {
	testing.TB
	*Server
	clock  *clock
	web    *httptest.Server
	lines  *lockedBuffer // the log
	store  store.Options
	params password.Params

	closeStore func()
	visits     *[]visit // nil: nobody takes notes
}

// lockedBuffer is a log that many requests write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// inEachHouse runs a test on every engine that is present.
func inEachHouse(t *testing.T, test func(h *house), changes ...func(*Config)) {
	t.Helper()
	storetest.EachOptions(t, func(t *testing.T, o store.Options) { test(build(t, o, changes...)) })
}

// newHouse is for what does not depend on the engine.
func newHouse(t testing.TB, changes ...func(*Config)) *house {
	t.Helper()
	return build(t, storetest.SQLite(t), changes...)
}

func build(t testing.TB, o store.Options, changes ...func(*Config)) *house {
	t.Helper()
	h := &house{TB: t, clock: newClock(), lines: &lockedBuffer{}, store: o, params: password.Params{MemoryKiB: 8, Time: 1, Threads: 1}}
	h.store.Clock = h.clock.now
	h.web = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }))
	h.open(changes...)
	h.web.Start()
	t.Cleanup(h.web.Close)
	browser := h.web.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	browser.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	return h
}

// run is t.Run for a house: what fails inside fails the subtest.
func (h *house) run(name string, test func(h *house)) {
	h.TB.(*testing.T).Run(name, func(t *testing.T) {
		guest := *h
		guest.TB = t
		test(&guest)
	})
}

// open starts the server on the house's database.
func (h *house) open(changes ...func(*Config)) {
	h.Helper()
	db, err := store.Open(context.Background(), h.store)
	if err != nil {
		h.Fatal(err)
	}
	hasher, err := password.New(rand.Reader, password.Options{Params: h.params, Threads: 2, Waiting: 2000})
	if err != nil {
		h.Fatal(err)
	}
	h.closeStore = sync.OnceFunc(func() { db.Close() })
	h.Cleanup(h.closeStore)
	h.Cleanup(hasher.Close)
	config := Config{
		DB: db, Hasher: hasher, SigningAlg: jose.ES256, KeyLifetime: 30 * 24 * time.Hour,
		Policy: oauth.Policy{
			Issuer: "http://" + h.web.Listener.Addr().String(), AccessTokenTTL: 10 * time.Minute,
			RefreshIdle: 30 * 24 * time.Hour, RefreshAbsolute: 180 * 24 * time.Hour,
			SessionIdle: 7 * 24 * time.Hour, SessionAbsolute: 30 * 24 * time.Hour,
		},
		Limits:        account.Limits{PerAccount: 1000, PerAddress: 100_000, Window: 15 * time.Minute},
		DirectOrigins: []string{appOrigin},
		SignUp:        true,
		Log:           slog.New(slog.NewJSONHandler(h.lines, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range changes {
		change(&config)
	}
	h.giveRSAKeys(config)
	if h.Server, err = New(context.Background(), config); err != nil {
		h.Fatal(err)
	}
}

// An answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

// member returns a string member of a JSON answer.
func (a answer) member(name string) string {
	var members map[string]any
	json.Unmarshal([]byte(a.body), &members)
	text, _ := members[name].(string)
	return text
}

// option changes a request before it is sent.
type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

func bearerToken(token string) option { return header("Authorization", "Bearer "+token) }

func (h *house) send(method, path, body string, options ...option) answer {
	h.Helper()
	r, err := http.NewRequest(method, h.web.URL+path, strings.NewReader(body))
	if err != nil {
		h.Fatal(err)
	}
	for _, change := range options {
		change(r)
	}
	resp, err := h.web.Client().Do(r)
	if err != nil {
		h.Error(err)
		return answer{}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Error(err)
	}
	a := answer{resp.StatusCode, resp.Header, string(text)}
	if h.visits != nil {
		*h.visits = append(*h.visits, visit{r, body, a})
	}
	return a
}

// atIssuer reaches the server by its own name, where the cookies are.
func (h *house) atIssuer(r *http.Request) {
	_, r.Host, _ = strings.Cut(h.Policy.Issuer, "://")
}

// A visit is a request and its answer.
type visit struct {
	request *http.Request
	body    string
	answer  answer
}

func (h *house) get(path string, options ...option) answer {
	h.Helper()
	return h.send("GET", path, "", options...)
}

// post sends JSON.
func (h *house) post(path, body string, options ...option) answer {
	h.Helper()
	return h.send("POST", path, body, append([]option{header("Content-Type", "application/json")}, options...)...)
}

// form sends a form of names and values in turn.
func (h *house) form(path string, parameters []string, options ...option) answer {
	h.Helper()
	return h.send("POST", path, encode(parameters), append([]option{header("Content-Type", "application/x-www-form-urlencoded")}, options...)...)
}

func encode(parameters []string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Add(parameters[i], parameters[i+1])
	}
	return values.Encode()
}

// admin asks what a command of the operator would.
func (h *house) admin(method, path string, in any, out any) answer {
	h.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		h.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.Operator().ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
	if out != nil {
		if w.Code != http.StatusOK {
			h.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			h.Fatal(err)
		}
	}
	return answer{w.Code, w.Header(), w.Body.String()}
}

// addClient registers a client and returns it with its secret.
func (h *house) addClient(c operator.Client) operator.Client {
	h.Helper()
	h.admin("POST", "/clients", c, &c)
	return c
}

// machine is a client with a grant of its own, and basic its credentials.
func (h *house) machine(id string) (c operator.Client, basic option) {
	h.Helper()
	c = h.addClient(operator.Client{
		ID: id, Grants: []string{"client_credentials"}, Scopes: []string{"read", "write"},
		Audiences: []string{"https://api.example.com", "https://other.example.com"},
	})
	return c, basicOf(c)
}

func basicOf(c operator.Client) option {
	return func(r *http.Request) { r.SetBasicAuth(c.ID, c.Secret) }
}

const rightPassword = "analytical engine"

// registered makes sure that a person exists.
func (h *house) registered(email string) {
	h.Helper()
	a := h.post("/register", jsonOf("email", email, "name", "Ada", "password", rightPassword))
	if a.status != http.StatusOK {
		h.Fatalf("register %s: %d %s", email, a.status, a.body)
	}
}

func jsonOf(members ...string) string {
	m := map[string]string{}
	for i := 0; i < len(members); i += 2 {
		m[members[i]] = members[i+1]
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// signedIn is what a person holds after signing in.
type signedIn struct{ access, refresh string }

func (h *house) login(email, password string, options ...option) answer {
	h.Helper()
	return h.post("/login", jsonOf("email", email, "password", password), options...)
}

// signIn registers a person who is new, and signs them in.
func (h *house) signIn(email string) signedIn {
	h.Helper()
	h.registered(email)
	a := h.login(email, rightPassword)
	if a.status != http.StatusOK {
		h.Fatalf("sign in %s: %d %s", email, a.status, a.body)
	}
	return signedIn{a.member("token"), a.member("refresh_token")}
}

// refresh asks with the built-in client, unless the parameters name another.
func (h *house) refresh(token string, parameters ...string) answer {
	h.Helper()
	all := append([]string{"grant_type", "refresh_token", "refresh_token", token}, parameters...)
	if !strings.Contains(strings.Join(all, " "), "client_id") {
		all = append(all, "client_id", "direct")
	}
	return h.form("/token", all)
}

// refused wants an OAuth error.
func (h *house) refused(a answer, status int, code string) {
	h.Helper()
	if a.status != status || a.member("error") != code {
		h.Errorf("got %d %s, want %d %s", a.status, a.body, status, code)
	}
}

func (h *house) ok(a answer) answer {
	h.Helper()
	if a.status != http.StatusOK {
		h.Errorf("got %d %s, want 200", a.status, a.body)
	}
	return a
}

// lives says whether an access token of a person still opens their profile.
func (h *house) lives(accessToken string) bool {
	h.Helper()
	return h.get("/profile", bearerToken(accessToken)).status == http.StatusOK
}

func mustVerify(h *house, accessToken string) *oauth.AccessToken {
	h.Helper()
	t, ok := h.verify(accessToken)
	if !ok {
		h.Fatal("not a token of ours")
	}
	return t
}

// rewind makes the database forget a rotation, as a restored backup does.
func (h *house) rewind(grantID string) {
	h.Helper()
	err := h.DB.Update(context.Background(), func(tx *store.Tx) error {
		return tx.Apply(change.Origin{Actor: "test"}, change.GrantRotated{Grant: grantID, Generation: 1, At: h.clock.now().Add(-time.Hour)})
	})
	if err != nil {
		h.Fatal(err)
	}
}

// rows counts a table's, past the server.
func (h *house) rows(table string) (n int) {
	h.Helper()
	driver, source := "sqlite", "file:"+h.store.Folder+"/keywright.db?mode=ro&_pragma=busy_timeout(10000)"
	if h.store.DatabaseURL != "" {
		driver, source = "pgx", h.store.DatabaseURL
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		h.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		h.Fatal(err)
	}
	return n
}
