package main

import (
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"

	"github.com/keywright/keywright/internal/settings"
)

// newLog writes text for people at a terminal and JSON for everything else.
func newLog(w io.Writer, s *settings.Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	format := s.LogFormat
	if file, ok := w.(*os.File); format == "auto" && ok && term.IsTerminal(int(file.Fd())) {
		format = "text"
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
