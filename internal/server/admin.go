package server

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/keywright/keywright/internal/change"
)

// Admin is what the commands of the operator ask for, as JSON over HTTP on a
// Unix socket that only the operator can open. It never stands on a network
// listener: whoever reaches it is the operator.
//
// Every answer is 200 with the asked-for value, or {"error": "…"}, a sentence.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	for pattern, do := range map[string]func(*http.Request) (any, error){
		"POST /clients":                         s.adminAddClient,
		"GET /clients":                          s.adminListClients,
		"GET /clients/{id}":                     s.adminShowClient,
		"POST /clients/{id}/disable":            s.adminDisableClient,
		"POST /clients/{id}/enable":             s.adminEnableClient,
		"POST /clients/{id}/secret":             s.adminReplaceSecret,
		"POST /clients/{id}/remove":             s.adminRemoveClient,
		"POST /client-plan":                     s.adminPlanClients,
		"POST /client-apply":                    s.adminApplyClients,
		"POST /registration-tokens":             s.adminAddRegistrationToken,
		"GET /registration-tokens":              s.adminListRegistrationTokens,
		"POST /registration-tokens/{id}/remove": s.adminRemoveRegistrationToken,
		"POST /users":                           s.adminAddUser,
		"GET /users":                            s.adminListUsers,
		"POST /users/{user}/disable":            s.adminDisableUser,
		"POST /users/{user}/enable":             s.adminEnableUser,
		"POST /users/{user}/end-sessions":       s.adminEndSessions,
		"GET /keys":                             s.adminListKeys,
		"POST /keys/rotate":                     s.adminRotateKeys,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answerAdmin(w, r, do)
		})
	}
	return mux
}

// refusal is an error that the operator can mend.
type refusal struct{ message string }

func (r refusal) Error() string { return r.message }

func answerAdmin(w http.ResponseWriter, r *http.Request, do func(*http.Request) (any, error)) {
	w.Header()["Content-Type"] = jsonType
	value, err := do(r)
	var mend refusal
	switch {
	case errors.As(err, &mend):
		w.WriteHeader(http.StatusBadRequest)
		value = errorBody{Error: mend.message}
	case err != nil:
		w.WriteHeader(http.StatusInternalServerError)
		value = errorBody{Error: err.Error()}
	}
	json.NewEncoder(w).Encode(value)
}

func decodeAdmin(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refusal{"the request is not understood: " + err.Error()}
	}
	return nil
}

var operator = change.Origin{Actor: "operator"}
