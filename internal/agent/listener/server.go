package listener

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Limits of a request. Requests here have no body and few headers, and are
// answered immediately.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// WriteTimeout is the maximum duration of an answer that needs no waiting.
const WriteTimeout = 30 * time.Second

// Listen listens on a TCP address; an IPv4 wildcard listens on IPv4 only.
func Listen(addr string) (net.Listener, error) {
	network := "tcp"
	if at, err := netip.ParseAddrPort(addr); err == nil && at.Addr().Is4() {
		network = "tcp4"
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), network, addr)
	if err != nil {
		return nil, fmt.Errorf("listening on %s: %w", addr, err)
	}
	return l, nil
}

// NewServer returns a server for listeners that the gate guards. write is the
// maximum duration of an answer and must be positive.
func NewServer(h http.Handler, g *Gate, write time.Duration) *http.Server {
	return &http.Server{
		Handler: withoutBody(h), ConnState: g.State, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: write, IdleTimeout: idleTimeout,
	}
}

// withoutBody answers requests with a body without reading it: the connection ends
// with the answer.
func withoutBody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			w.Header().Set("Connection", "close")
			r.Body = http.NoBody
		}
		h.ServeHTTP(w, r)
	})
}
