package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/account"
	"github.com/keywright/keywright/internal/jose"
	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/operator"
	"github.com/keywright/keywright/internal/outbound"
	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/random"
	"github.com/keywright/keywright/internal/store"
)

// Config is what a server is made of.
type Config struct {
	DB             *store.DB
	Hasher         *password.Hasher
	Policy         oauth.Policy
	SigningAlg     jose.Algorithm // of access tokens
	KeyLifetime    time.Duration  // how long a key signs
	Limits         account.Limits
	DirectOrigins  []string       // pages that may use the tutorial API
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	SignUp         bool           // people may register themselves
	Outbound       outbound.Rules // which addresses of clients may be called
	Brand          pages.Brand
	Log            *slog.Logger
	Dev            *Dev // nil in production

	ClientRegistration bool // clients may register themselves, with an initial access token
}

// Dev is what only `keywright dev` does.
type Dev struct {
	Hosts []string // the values of Host that are answered; others are a DNS rebinding attack
	// APIURL is where the example API listens; empty: nowhere.
	APIURL string
	// DemoURL is where the demo app is served; empty: nowhere.
	DemoURL string
}

// Server answers requests.
type Server struct {
	Config
	keys      *keyring.Keyring
	published atomic.Pointer[publishedKeys]
	pages     *pages.Pages
	cookies   cookieNames
	sealer    sealer
	origins   originSet
	routes    map[string]endpoint
	throttle  buckets
	addresses addressHash
	nodeID    string
	seen      seenTokens
	draining  atomic.Bool

	outbound   *outbound.Client
	clientKeys *clientKeys
	ended      chan struct{} // sessions have ended: clients are to hear of it
	owed       chan struct{} // they can be told
	flows      *flowRecorder // in dev

	reloading sync.Mutex // guards cached, and is held while the caches are built
	cached    cacheEpochs
}

// New returns a server that has its signing keys ready. Run must run beside it.
func New(ctx context.Context, c Config) (*Server, error) {
	s := &Server{Config: c, nodeID: random.ID("nod_")}
	s.keys = keyring.New(c.DB, c.KeyLifetime)
	s.throttle = buckets{c.DB.Secrets().Throttle}
	s.addresses = addressHash{c.DB.Secrets().Address}
	if err := operator.EnsureDirectClient(ctx, c.DB); err != nil {
		return nil, err
	}
	s.cookies, s.ended, s.owed = namesOfCookies(c.Policy.Issuer), make(chan struct{}, 1), make(chan struct{}, 1)
	s.outbound = outbound.New(c.Outbound)
	s.clientKeys = newClientKeys(s.outbound, s.now, c.Log)
	var err error
	if s.sealer, err = newSealer(c.DB.Secrets().Flow); err != nil {
		return nil, err
	}
	if s.pages, err = pages.New(c.Brand); err != nil {
		return nil, err
	}
	if c.Dev != nil {
		s.flows = newFlowRecorder()
	}
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	s.routes = table.endpoints()
	if err := s.keys.Keep(ctx); err != nil {
		return nil, err
	}
	return s, s.reload(ctx)
}

// Operator answers the operator's commands beside the server.
func (s *Server) Operator() http.Handler {
	return operator.New(operator.Config{DB: s.DB, Hasher: s.Hasher, Keys: s.keys, Reload: s.reload})
}

// Drain makes /readyz answer 503, so that load balancers look elsewhere before
// the listener closes.
func (s *Server) Drain() { s.draining.Store(true) }

// now is the time by which a token is judged outside of any transaction.
func (s *Server) now() time.Time { return s.DB.Now() }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := newExchange(s, w, r)
	defer x.finish()
	if s.Dev != nil && !s.Dev.answers(r.Host) {
		x.refuseHost()
		return
	}
	e, ok := s.routes[r.URL.Path]
	if !ok {
		e = nowhere
	}
	s.share(x, e.sharing)
	if r.Method == http.MethodOptions {
		x.preflight(e)
		return
	}
	e.serve(x)
}
