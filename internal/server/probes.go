package server

import (
	"context"
	"net/http"
	"time"
)

// readyTimeout is longer than any healthy read, and shorter than a probe's own.
const readyTimeout = 2 * time.Second

type health struct {
	Status string `json:"status"`
}

// livez says that the process answers.
func (s *Server) livez(x *exchange) {
	x.quiet = true
	x.json(http.StatusOK, health{"ok"})
}

// readyz says that requests can be served: the store answers, and nobody has
// asked this process to stop.
func (s *Server) readyz(x *exchange) {
	x.quiet = true
	if s.draining.Load() {
		x.json(http.StatusServiceUnavailable, health{"draining"})
		return
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), readyTimeout)
	defer cancel()
	if err := s.DB.Ready(ctx); err != nil {
		x.blame(err)
		x.json(http.StatusServiceUnavailable, health{"the store does not answer"})
		return
	}
	x.json(http.StatusOK, health{"ok"})
}
