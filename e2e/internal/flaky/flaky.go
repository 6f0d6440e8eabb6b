// Package flaky simulates a bad network between a client and a server: data
// arrives late, and connections break without warning.
package flaky

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planec/planec/e2e/internal/process"
)

// Proxy forwards TCP connections, badly.
type Proxy struct {
	in     *process.Namespace
	to     string
	listen net.Listener
	fine   atomic.Bool
	cuts   atomic.Int64
	conns  atomic.Int64
	wait   sync.WaitGroup
}

// Data is forwarded up to late later, in order, and a connection lives up to
// longest.
const (
	late     = 120 * time.Millisecond
	shortest = 50 * time.Millisecond
	longest  = 1500 * time.Millisecond
)

// Start starts a proxy in a namespace, on its loopback, until the test ends.
func Start(t testing.TB, in *process.Namespace, to netip.AddrPort) *Proxy {
	t.Helper()
	p := &Proxy{in: in, to: to.String()}
	err := in.Do(func() (err error) {
		p.listen, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.wait.Go(func() { p.accept(ctx) })
	t.Cleanup(func() {
		cancel()
		p.listen.Close()
		p.wait.Wait()
	})
	return p
}

// Address is where the proxy listens.
func (p *Proxy) Address() netip.AddrPort { return netip.MustParseAddrPort(p.listen.Addr().String()) }

// Mend makes new connections reliable.
func (p *Proxy) Mend() { p.fine.Store(true) }

// Count returns how many connections there were, and how many the proxy broke.
func (p *Proxy) Count() (connections, cuts int64) { return p.conns.Load(), p.cuts.Load() }

func (p *Proxy) accept(ctx context.Context) {
	for {
		c, err := p.listen.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.conns.Add(1)
		p.wait.Go(func() { p.pass(ctx, c) })
	}
}

func (p *Proxy) pass(ctx context.Context, client net.Conn) {
	defer client.Close()
	bad := !p.fine.Load()
	server, err := p.in.Dial(ctx, "tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if bad {
		cut := time.AfterFunc(shortest+rand.N(longest-shortest), func() {
			p.cuts.Add(1)
			cancel()
		})
		defer cut.Stop()
	}
	stop := context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})
	defer stop()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			defer cancel()
			slow(way[1], way[0], bad)
		})
	}
	both.Wait()
}

// slow copies, with a pause before each piece.
func slow(to, from net.Conn, bad bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if bad {
			time.Sleep(rand.N(late))
		}
		if _, failed := to.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}
