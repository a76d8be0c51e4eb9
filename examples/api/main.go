// Command api is an HTTP API that greets whoever brings an access token.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/keywright/keywright/resource"
)

// newAPI returns the API, which lets nobody in without a token.
func newAPI(issuer, audience string) (http.Handler, error) {
	verifier, err := resource.New(issuer, audience)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", greet)
	return allowLocalApps(verifier.Handler(mux)), nil
}

func greet(w http.ResponseWriter, r *http.Request) {
	token, _ := resource.TokenFrom(r.Context())
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{
		"message": "Hello, " + token.Subject(),
		"scope":   strings.Join(token.Scope(), " "),
	})
}

func main() {
	listen := flag.String("listen", "127.0.0.1:10102", "`address` to serve the API on")
	issuer := flag.String("issuer", "http://localhost:10101", "`URL` of the issuer whose tokens are accepted")
	audience := flag.String("audience", "", "`name` of this API in its tokens (default: the issuer's URL)")
	flag.Parse()
	if *audience == "" {
		*audience = *issuer
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *issuer, *audience); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

// serve runs the API until ctx ends, and lets the requests under way finish.
func serve(ctx context.Context, listen, issuer, audience string) error {
	api, err := newAPI(issuer, audience)
	if err != nil {
		return fmt.Errorf("%w (flags -issuer, -audience)", err)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("%w (flag -listen chooses another address)", err)
	}
	fmt.Printf("http://%s greets whoever brings a token of %s\n", listener.Addr(), issuer)
	server := &http.Server{Handler: api, ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(ending)
}
