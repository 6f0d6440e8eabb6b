package cluster

import (
	"context"
	"time"

	"github.com/planec/planec/e2e/internal/process"
)

// Server is one of the cluster's two programs, with the faults of a
// [process.Program]: Kill, Stop (it hangs) and Continue.
type Server struct {
	*process.Program
	ready func(context.Context) error
}

// Start starts the server and waits until it is ready.
func (s *Server) Start(ctx context.Context) error {
	if err := s.Program.Start(); err != nil {
		return err
	}
	return s.Ready(ctx)
}

// Restart kills the server and starts it again.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Kill(); err != nil {
		return err
	}
	return s.Start(ctx)
}

// Ready waits until the server is ready. It fails if the server or the context
// ends.
func (s *Server) Ready(ctx context.Context) error {
	return s.Until(ctx, func() error {
		// A hanging server accepts connections and never answers.
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		return s.ready(attempt)
	})
}
