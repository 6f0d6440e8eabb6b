package listener

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
)

// Gate limits the connections of all listeners that it guards together. It is safe
// for concurrent use.
type Gate struct {
	// most is the maximum number of connections, each that of one remote address,
	// or of one /64 in IPv6, because an IPv6 host has that many addresses.
	most, each int

	mu    sync.Mutex
	conns map[*conn]bool
	count map[netip.Prefix]int
	// clock orders the state changes of connections.
	clock uint64
}

// NewGate returns a Gate for most connections, and each per remote address; both
// must be positive.
func NewGate(most, each int) *Gate {
	return &Gate{most: most, each: each, conns: make(map[*conn]bool), count: make(map[netip.Prefix]int)}
}

// conn is an accepted connection.
type conn struct {
	net.Conn
	gate   *Gate
	remote netip.Prefix
	// state and since determine which connection is closed first: idle ones, then
	// those that have not finished a first request, the oldest first.
	state http.ConnState
	since uint64
	once  sync.Once
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() {
		c.gate.mu.Lock()
		defer c.gate.mu.Unlock()
		c.gate.forget(c)
	})
	return c.Conn.Close()
}

// forget removes a connection; the lock is held.
func (g *Gate) forget(c *conn) {
	if !g.conns[c] {
		return
	}
	delete(g.conns, c)
	if g.count[c.remote]--; g.count[c.remote] == 0 {
		delete(g.count, c.remote)
	}
}

// Guard returns a listener whose connections pass the gate. The server's ConnState
// must be [Gate.State].
func (g *Gate) Guard(l net.Listener) net.Listener { return &guarded{l, g} }

type guarded struct {
	net.Listener
	gate *Gate
}

// Accept implements net.Listener.
func (l *guarded) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.gate.admit(c), nil
}

// admit makes room for a connection, and registers it.
func (g *Gate) admit(c net.Conn) net.Conn {
	in := &conn{Conn: c, gate: g, remote: remoteOf(c.RemoteAddr()), state: http.StateNew}
	g.mu.Lock()
	var out *conn
	switch {
	case g.count[in.remote] >= g.each:
		out = g.victim(func(c *conn) bool { return c.remote == in.remote })
	case len(g.conns) >= g.most:
		out = g.victim(func(*conn) bool { return true })
	}
	if out != nil {
		g.forget(out)
	}
	g.clock++
	in.since = g.clock
	g.conns[in] = true
	g.count[in.remote]++
	g.mu.Unlock()
	if out != nil {
		_ = out.Conn.Close() // its server notices
	}
	return in
}

// victim returns the connection to close.
func (g *Gate) victim(of func(*conn) bool) *conn {
	rank := map[http.ConnState]int{http.StateIdle: 0, http.StateNew: 1}
	var worst *conn
	better := func(c *conn) bool {
		a, known := rank[c.state]
		if !known {
			a = 2
		}
		b, known := rank[worst.state]
		if !known {
			b = 2
		}
		return a < b || a == b && c.since < worst.since
	}
	for c := range g.conns {
		if of(c) && (worst == nil || better(c)) {
			worst = c
		}
	}
	return worst
}

// State is the callback for [http.Server.ConnState].
func (g *Gate) State(c net.Conn, s http.ConnState) {
	in, ok := c.(*conn)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock++
	in.state, in.since = s, g.clock
}

// Len returns the number of connections.
func (g *Gate) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// remoteOf returns the prefix whose share a connection uses.
func remoteOf(a net.Addr) netip.Prefix {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits) // bits is valid for the family
	return p
}
