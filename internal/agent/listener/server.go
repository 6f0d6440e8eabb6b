package listener

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// The bounds of a request. What is asked here has no body and few headers, and is
// answered at once.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
)

// WriteTimeout is how long an answer may take that is made at once.
const WriteTimeout = 30 * time.Second

// Listen listens on an address of TCP; an IPv4 wildcard is IPv4 only, as it says.
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

// NewServer is a server for listeners that the gate guards. An answer may take as
// long as write, which is positive.
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
