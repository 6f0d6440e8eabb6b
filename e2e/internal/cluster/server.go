package cluster

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/planec/planec/e2e/internal/process"
)

// Server is one of the cluster's two programs, with the faults of a
// [process.Program]: Kill, Stop (it hangs) and Continue.
type Server struct {
	*process.Program
	name  string
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
	const pause = 20 * time.Millisecond
	for {
		// A hanging server accepts connections and never answers.
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		err := s.ready(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if !s.Running() {
			return fmt.Errorf("%s ended before it was ready: %w", s.name, s.Wait(0))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w (%w)", s.name, err, context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// healthy queries a server's health.
func healthy(ctx context.Context, client *http.Client, url, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}
