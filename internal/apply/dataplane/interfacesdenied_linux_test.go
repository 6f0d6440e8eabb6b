package dataplane_test

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/internal/agent/conntrack"
	"github.com/planec/planec/ir"
)

// TestDeniedConnectionsEnd: a connection that new policies deny goes on, since only its first
// packet was judged, until it is forgotten as --end-denied does. Then both ends are silent.
func TestDeniedConnectionsEnd(t *testing.T) {
	g := newGuarded(t)
	open := policed()
	open.Policy = ir.Policy{}
	g.put(g.entry(open, true))
	accepted := g.accepts(streamed)
	client := g.stream(netip.AddrPortFrom(bob, streamed))
	server := <-accepted
	defer server.Close()
	lives(t, "without policies", client, server, false)
	end := func() (n int) {
		t.Helper()
		if err := g.rig.Do(func() (err error) {
			n, err = g.applier.Guarded(ebpf.Name).Forget(conntrack.DeniedEnds(policed()))
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	g.put(g.entry(policed(), true))
	lives(t, "denied and known", client, server, true)
	if n := end(); n != 2 {
		t.Errorf("%d ends of connections are forgotten, want alice's and bob's", n)
	}
	for _, c := range []struct {
		name     string
		from, to net.Conn
	}{{"client", client, server}, {"server", server, client}} {
		if err := c.to.SetReadDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.from.Write([]byte("planec?")); err != nil {
			t.Fatal(err)
		}
		if n, err := c.to.Read(make([]byte, 7)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("what the %s sends arrives: %d bytes, %v", c.name, n, err)
		}
	}
	if n := end(); n != 0 {
		t.Errorf("%d more ends are forgotten", n)
	}
}
