package server

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/oauth"
	"github.com/keywright/keywright/internal/password"
)

// An exchange is one request and its answer.
type exchange struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	route   string // as the log names it: never what the request wrote
	client  string // whose request it is, once a registered client is known
	id      string
	began   time.Time
	status  int
	failure error // something broke; the operator reads it, nobody else
	quiet   bool  // asked for all day long, and says nothing about anybody

	newBrowser string // what names the browser from now on
	newSession string // the cookie that the answer sets
	locales    string // languages that the person or the app asked for
	step       *step  // what the exchange adds to a flow; nil but in dev
}

func newExchange(s *Server, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{server: s, w: w, r: r, route: nowhere.path, id: requestID(), began: time.Now()}
	if s.flows != nil {
		x.step = &step{}
	}
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	h["Content-Security-Policy"] = nothingLoads
	h["Referrer-Policy"] = noReferrer
	if strings.HasPrefix(s.Policy.Issuer, "https:") {
		h["Strict-Transport-Security"] = oneYear
	}
	return x
}

// Header values that never change are made once.
var (
	nosniff      = []string{"nosniff"}
	nothingLoads = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	noReferrer   = []string{"no-referrer"}
	oneYear      = []string{"max-age=31536000; includeSubDomains"}
	noStore      = []string{"no-store"}
	jsonType     = []string{"application/json"}
)

// requestID names a request in the log and to whoever reports an error. It is
// no secret.
func requestID() string {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], rand.Uint64())
	return hex.EncodeToString(raw[:])
}

// finish answers a panic and writes the log's line.
func (x *exchange) finish() {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		x.broke(fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
	}
	x.server.flows.record(x)
	x.log()
}

// log writes one line, of which the request chose nothing: not its path, its
// query or a name that no client has.
func (x *exchange) log() {
	level := slog.LevelInfo
	switch {
	case x.failure != nil:
		level = slog.LevelError
	case x.quiet:
		level = slog.LevelDebug
	}
	ctx, handler := x.r.Context(), x.server.Log.Handler()
	if !handler.Enabled(ctx, level) {
		return
	}
	now := time.Now()
	line := slog.NewRecord(now, level, "request", 0) // a Logger would look up this place in the code, each time
	line.AddAttrs(
		slog.String("request_id", x.id), slog.String("method", x.method()), slog.String("route", x.route),
		slog.Int("status", x.status), slog.String("dur", now.Sub(x.began).Round(time.Microsecond).String()),
	)
	if x.client != "" {
		line.AddAttrs(slog.String("client_id", x.client))
	}
	if x.failure != nil {
		line.AddAttrs(slog.Any("error", x.failure))
	}
	handler.Handle(ctx, line)
}

// method is the request's, if it is one that HTTP knows.
func (x *exchange) method() string {
	switch m := x.r.Method; m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// write sends an answer.
func (x *exchange) write(status int, body []byte) {
	if x.status != 0 {
		return // the answer has begun; a panic after it changes nothing
	}
	x.status = status
	x.w.WriteHeader(status)
	x.w.Write(body)
}

// json sends a value that must not be kept by any cache.
func (x *exchange) json(status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		x.broke(err)
		return
	}
	h := x.w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	x.write(status, body)
}

// errorBody is how every refusal looks but the tutorial's. RFC 6749 §5.2.
type errorBody struct {
	Error       string            `json:"error"`
	Description string            `json:"error_description,omitempty"`
	Fields      map[string]string `json:"fields,omitempty"` // what to mend, by the field's name
	RequestID   string            `json:"request_id,omitempty"`
}

func (x *exchange) fail(status int, code, description string) {
	x.json(status, errorBody{Error: code, Description: description})
}

// broke answers a failure of ours: the operator finds its cause by the id.
func (x *exchange) broke(err error) {
	if errors.Is(err, password.ErrBusy) {
		x.unavailable("too many people are signing in at once; try again in a few seconds")
		return
	}
	x.blame(err)
	x.json(http.StatusInternalServerError, errorBody{
		Error: "server_error", Description: "something failed here; the operator finds the cause by the request_id", RequestID: x.id,
	})
}

// blame keeps a failure for the log, unless it is only that the sender has gone.
func (x *exchange) blame(err error) {
	if !errors.Is(err, context.Canceled) || x.r.Context().Err() == nil {
		x.failure = err
	}
}

func (x *exchange) unavailable(description string) {
	x.w.Header().Set("Retry-After", "5")
	x.json(http.StatusServiceUnavailable, errorBody{Error: "temporarily_unavailable", Description: description, RequestID: x.id})
}

// refuse sends a protocol refusal. RFC 6749 §5.2.
func (x *exchange) refuse(r *oauth.Refusal) {
	status := http.StatusBadRequest
	switch {
	case r == tooLarge:
		status = http.StatusRequestEntityTooLarge
	case r.Code == oauth.InvalidClient:
		status = http.StatusUnauthorized
		x.w.Header().Set("WWW-Authenticate", `Basic realm="Keywright", charset="UTF-8"`)
	}
	x.fail(status, r.Code, r.Description)
}

// recognize names a registered client in the log, and gives the built-in one
// the origins that are configured for it.
func (x *exchange) recognize(c *oauth.Client) {
	if c == nil {
		return
	}
	x.client = c.ID
	if c.ID == oauth.DirectClient {
		c.Origins = x.server.DirectOrigins
	}
}

// origin says to the journal who asked and from where.
func (x *exchange) origin(actor, client string) change.Origin {
	return change.Origin{Actor: actor, Client: client, Address: x.server.addresses.of(x.address()), Request: x.id}
}

// address is where the request comes from, as far as it can be believed.
func (x *exchange) address() netip.Addr {
	return clientAddress(x.r, x.server.TrustedProxies)
}
