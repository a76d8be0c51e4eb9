// Package operator answers what the commands of the operator ask for, as JSON
// over HTTP on a Unix socket that only the operator can open. It never stands on
// a network listener: whoever reaches it is the operator.
package operator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/keywright/keywright/internal/change"
	"github.com/keywright/keywright/internal/keyring"
	"github.com/keywright/keywright/internal/password"
	"github.com/keywright/keywright/internal/store"
)

// Config is what the operator's requests work on.
type Config struct {
	DB     *store.DB
	Hasher *password.Hasher
	Keys   *keyring.Keyring
	// Reload makes a running server see at once what has changed.
	Reload func(context.Context) error
}

type operator struct{ Config }

// New answers the requests of one operator. Every answer is 200 with the
// asked-for value, or {"error": "…"}, a sentence.
func New(c Config) http.Handler {
	o := operator{c}
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*http.Request) (any, error){
		"POST /clients":                         o.addClient,
		"GET /clients":                          o.listClients,
		"GET /clients/{id}":                     o.showClient,
		"POST /clients/{id}/disable":            o.disableClient,
		"POST /clients/{id}/enable":             o.enableClient,
		"POST /clients/{id}/secret":             o.replaceSecret,
		"POST /clients/{id}/remove":             o.removeClient,
		"POST /client-plan":                     o.planClients,
		"POST /client-apply":                    o.applyClients,
		"POST /registration-tokens":             o.addRegistrationToken,
		"GET /registration-tokens":              o.listRegistrationTokens,
		"POST /registration-tokens/{id}/remove": o.removeRegistrationToken,
		"POST /users":                           o.addUser,
		"GET /users":                            o.listUsers,
		"POST /users/{user}/disable":            o.disableUser,
		"POST /users/{user}/enable":             o.enableUser,
		"POST /users/{user}/end-sessions":       o.endSessions,
		"GET /keys":                             o.listKeys,
		"POST /keys/rotate":                     o.rotateKeys,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer(w, r, do)
		})
	}
	return mux
}

// refusal is an error that the operator can mend.
type refusal struct{ message string }

func (r refusal) Error() string { return r.message }

type failure struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	w.Header().Set("Content-Type", "application/json")
	value, err := do(r)
	var mend refusal
	switch {
	case errors.As(err, &mend):
		w.WriteHeader(http.StatusBadRequest)
		value = failure{mend.message}
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		value = failure{err.Error()}
	}
	json.NewEncoder(w).Encode(value)
}

func decode(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refusal{"the request is not understood: " + err.Error()}
	}
	return nil
}

var byOperator = change.Origin{Actor: "operator"}
