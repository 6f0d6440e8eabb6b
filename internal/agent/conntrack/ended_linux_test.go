package conntrack

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestEndedStaysEnded ends a connection that a new policy denies: no packet of it
// passes, regardless of the side that sends first and of the direction of the
// policy, although conntrack picks up connections in the middle (tcp_loose).
func TestEndedStaysEnded(t *testing.T) {
	for _, k := range testkit.Kernels() {
		for _, closed := range []ir.Direction{ir.Ingress, ir.Egress} {
			for _, first := range []string{"server", "client"} {
				t.Run(k.Name+"/"+closed.String()+"/"+first, func(t *testing.T) {
					t.Parallel()
					testEnded(t, k, closed, first == "server")
				})
			}
		}
	}
}

func testEnded(t *testing.T, k testkit.Kernel, closed ir.Direction, serverFirst bool) {
	l := newLife(t, k)
	from, to := netip.MustParseAddr("10.1.0.20"), netip.MustParseAddr("10.1.0.21")
	// The server's ingress or the client's egress is closed.
	pod := to
	if closed == ir.Egress {
		pod = from
	}
	open, denied := program(ir.UDP, "svc=1"), program(ir.UDP, "svc=1")
	tier := []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "n", Name: "p"}}}}
	profile := ir.Profile{ID: "n/p", Pods: []ir.Pod{{Namespace: "n", Name: "p", Addresses: []netip.Addr{pod}}}}
	if closed == ir.Ingress {
		profile.Ingress = tier
	} else {
		profile.Egress = tier
	}
	denied.Policy = ir.Policy{OnDeny: ir.Drop, Profiles: []ir.Profile{profile}}
	denied.Normalize()
	l.put(open)

	client, server := l.connection(from, netip.AddrPortFrom(to, 18080), netip.AddrPortFrom(to, 18080))
	if !says(t, client, server) || !says(t, server, client) {
		t.Fatal("the connection does not work")
	}
	l.put(denied)
	if !says(t, client, server) || !says(t, server, client) {
		t.Error("a connection does not go on after a policy has changed")
	}
	if removed, err := l.table.DeleteFunc(Denied(denied)); err != nil || removed != 1 {
		t.Fatalf("%d connections were ended instead of 1: %v", removed, err)
	}
	one, other := client, server
	if serverFirst {
		one, other = server, client
	}
	if says(t, one, other) || says(t, other, one) || says(t, one, other) {
		t.Error("the connection goes on")
	}
	// A connection that no policy denies is picked up after conntrack has forgotten it.
	l.put(open)
	if err := l.FlushConntrack(); err != nil {
		t.Fatal(err)
	}
	// TCP has lost segments for three seconds, and may wait for longer than that before the next one.
	if !arrives(t, other, testkit.Patience) {
		t.Error("without policies a forgotten connection does not go on")
	}
}

// connection is a connection from a pod to an address, with a server at another address.
func (l *life) connection(from netip.Addr, to, at netip.AddrPort) (client, server net.Conn) {
	l.t.Helper()
	// The rig creates the pods on the first attempt to connect them.
	flows := []testkit.Flow{{From: eval.FromPod, Src: from, Dst: at.Addr(), Protocol: ir.UDP, Port: 5353}}
	if at.Addr().As4()[1] == from.As4()[1] {
		flows = append(flows, testkit.Flow{From: eval.FromPod, Src: at.Addr(), Dst: from, Protocol: ir.UDP, Port: 5353})
	}
	if _, err := l.Try(l.t.Context(), flows, testkit.DefaultTimeout); err != nil {
		l.t.Fatal(err)
	}
	if err := l.FlushConntrack(); err != nil {
		l.t.Fatal(err)
	}
	err := l.Outside(func() error {
		anyAddress := func(_, _ string, c syscall.RawConn) (err error) {
			failed := c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_IP, syscall.IP_FREEBIND, 1) })
			return errors.Join(err, failed)
		}
		config := net.ListenConfig{Control: anyAddress}
		listener, err := config.Listen(l.t.Context(), "tcp4", at.String())
		if err != nil {
			return err
		}
		defer listener.Close()
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}, Control: anyAddress, Timeout: testkit.Patience}
		if client, err = dialer.DialContext(l.t.Context(), "tcp4", to.String()); err != nil {
			return err
		}
		server, err = listener.Accept()
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// says reports whether data from one end reaches the other within a second. Lost
// segments are retransmitted.
func says(t *testing.T, from, to net.Conn) bool {
	t.Helper()
	if _, err := from.Write([]byte("x")); err != nil {
		return false
	}
	return arrives(t, to, time.Second)
}

func arrives(t *testing.T, at net.Conn, within time.Duration) bool {
	t.Helper()
	at.SetReadDeadline(time.Now().Add(within))
	_, err := at.Read(make([]byte, 16))
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	return err == nil
}

// TestOpenConnectionOutlivesServices has a connection through a Service that is
// removed, and with it all rules that translate in its family.
func TestOpenConnectionOutlivesServices(t *testing.T) {
	for _, k := range testkit.Kernels() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			l := newLife(t, k)
			l.put(program(ir.TCP, "svc=1,1/l"))
			client, server := l.connection(netip.MustParseAddr("10.1.0.20"), netip.MustParseAddrPort(vip+":53"), endpoint("1"))
			if !says(t, client, server) || !says(t, server, client) {
				t.Fatal("the connection does not work")
			}
			l.put(program(ir.TCP))
			if !says(t, client, server) || !says(t, server, client) {
				t.Error("a connection ends with its Service")
			}
		})
	}
}
