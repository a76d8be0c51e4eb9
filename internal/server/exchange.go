package server

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
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
	route   string
	client  string // whose request it is, once that is known
	id      string
	began   time.Time
	status  int
	failure error // something broke; the operator reads it, nobody else
}

func newExchange(s *Server, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{server: s, w: w, r: r, id: requestID(), began: time.Now()}
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
	nothingLoads = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer   = []string{"no-referrer"}
	oneYear      = []string{"max-age=31536000; includeSubDomains"}
	noStore      = []string{"no-store"}
	jsonType     = []string{"application/json"}
)

// requestID names a request in the log and to whoever reports an error. It is
// no secret.
func requestID() string {
	var raw [8]byte
	n := rand.Uint64()
	for i := range raw {
		raw[i] = byte(n >> (8 * i))
	}
	return hex.EncodeToString(raw[:])
}

// finish answers a panic and writes the log's line.
func (x *exchange) finish() {
	if v := recover(); v != nil {
		if v == http.ErrAbortHandler {
			panic(v)
		}
		x.broke(panicked(v))
	}
	s := x.server
	level := slog.LevelInfo
	if x.failure != nil {
		level = slog.LevelError
	}
	ctx := x.r.Context()
	if !s.Log.Enabled(ctx, level) {
		return
	}
	line := []slog.Attr{
		slog.String("request_id", x.id), slog.String("method", x.r.Method), slog.String("route", x.route),
		slog.Int("status", x.status), slog.String("dur", time.Since(x.began).Round(time.Microsecond).String()),
	}
	if x.client != "" {
		line = append(line, slog.String("client_id", x.client))
	}
	if x.route == "none" {
		line = append(line, slog.String("path", x.r.URL.Path))
	}
	if x.failure != nil {
		line = append(line, slog.Any("error", x.failure))
	}
	s.Log.LogAttrs(ctx, level, "request", line...)
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
	x.failure = err
	x.json(http.StatusInternalServerError, errorBody{
		Error: "server_error", Description: "something failed here; the operator finds the cause by the request_id", RequestID: x.id,
	})
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

// origin says to the journal who asked and from where.
func (x *exchange) origin(actor, client string) change.Origin {
	return change.Origin{Actor: actor, Client: client, Address: x.server.addresses.of(x.address()), Request: x.id}
}

// address is where the request comes from, as far as it can be believed.
func (x *exchange) address() netip.Addr {
	return clientAddress(x.r, x.server.TrustedProxies)
}
