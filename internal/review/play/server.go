package play

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Server is a playground on a port of this machine.
type Server struct {
	listener net.Listener
	secret   string
	remote   bool
	handler  *Handler
}

// ErrRemote says that an address can be reached from other machines.
var ErrRemote = errors.New("other machines can reach this address, and read the manifests")

// Listen opens a port for a playground. An address that is not a loopback one is
// [ErrRemote] unless allowed.
func Listen(address string, allowRemote bool, assets []Asset) (*Server, error) {
	at, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{secret: rand.Text(), remote: !at.IP.IsLoopback()}
	if s.remote && !allowRemote {
		return nil, ErrRemote
	}
	if s.listener, err = net.ListenTCP("tcp", at); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	s.handler = NewHandler(assets, s.secret, s.remote)
	return s, nil
}

// Remote reports whether other machines can reach the playground.
func (s *Server) Remote() bool { return s.remote }

// URL is the address of the page.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" + s.secret + "/" }

// Close closes the port of a server that does not serve.
func (s *Server) Close() error { return s.listener.Close() }

// Limits of a client of the server.
const (
	headerTime = 10 * time.Second
	writeTime  = time.Minute // for 7 MB
	idleTime   = time.Minute
	maxHeader  = 16 << 10 // bytes
	endTime    = time.Second
)

// Serve serves until the context ends.
func (s *Server) Serve(ctx context.Context) error {
	server := &http.Server{
		Handler: s.handler, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
	}
	ended := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		if err := server.Shutdown(end); err != nil {
			err = server.Close() // a client that is still reading is cut off
			ended <- err
			return
		}
		ended <- nil
	})
	err := server.Serve(s.listener)
	if stop() || !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the playground: %w", err)
	}
	return <-ended
}
