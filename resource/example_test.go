package resource_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/keywright/keywright/resource"
)

func Example() {
	api, err := resource.New("https://id.example.com", "https://api.example.com")
	if err != nil {
		log.Fatal(err)
	}
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := resource.TokenFrom(r.Context())
		fmt.Fprintf(w, "Orders of %s\n", token.Subject())
	})

	mux := http.NewServeMux()
	mux.Handle("GET /orders", api.Require("orders:read").Handler(orders))
	mux.Handle("DELETE /orders/{id}", api.Require("orders:read", "orders:write").Handler(orders))
	log.Fatal(http.ListenAndServe("127.0.0.1:10102", mux))
}

// A handler can decide for itself what a token permits.
func ExampleToken_Claims() {
	tenant := func(w http.ResponseWriter, r *http.Request) {
		token, ok := resource.TokenFrom(r.Context())
		if !ok {
			http.Error(w, "not behind a Verifier", http.StatusInternalServerError)
			return
		}
		var own struct {
			Tenant string `json:"tenant"`
		}
		if err := token.Claims(&own); err != nil || own.Tenant != r.PathValue("tenant") {
			http.Error(w, "another tenant's", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, "Welcome,", token.Subject())
	}
	http.HandleFunc("GET /tenants/{tenant}", tenant)
}
