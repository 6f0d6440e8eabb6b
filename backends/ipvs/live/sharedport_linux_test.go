package live

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestKernelSharedPort shows a limit that no apply causes: a client uses one port
// for two virtual addresses with the same endpoint. Without IPVS, the two
// connections are translated differently; behind IPVS, both are one connection to
// the endpoint.
func TestKernelSharedPort(t *testing.T) {
	inside(t)
	node, client := netip.MustParseAddr("192.168.9.1"), netip.MustParseAddr("10.1.0.9")
	p := &ir.Program{Node: ir.Node{Name: "n", Addresses: []netip.Addr{node}, Local: ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}}}
	for i, pool := range []string{"one", "one", "two"} {
		vip := fmt.Sprintf("10.96.0.%d", 50+i)
		p.ClusterIPs = append(p.ClusterIPs, netip.MustParseAddr(vip))
		f := irtest.Frontend(ir.ClusterIP, fmt.Sprintf("f%d", i), vip+":80", pool)
		p.Frontends = append(p.Frontends, f)
	}
	p.Pools = []ir.Pool{irtest.Pool("one", "10.1.1.2:8080"), irtest.Pool("two", "10.1.1.3:8080")}
	p.Normalize()
	flows := []testkit.Flow{{From: eval.FromPod, Src: client, Dst: netip.MustParseAddr("10.96.0.50"), Protocol: ir.TCP, Port: 80}}
	r := testkit.New(t, testkit.SpecFor(p, flows))
	a := emit(t, p)
	if err := r.Do(func() error { _, err := apply(t.Context(), a); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Try(t.Context(), flows, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	const tries = 2
	counts := map[string]int{}
	for i := range tries {
		from := netip.AddrPortFrom(client, uint16(40000+3*i))
		for _, c := range []struct {
			name  string
			from  netip.AddrPort
			other string
		}{
			{"one endpoint, two ports", from, "10.96.0.51:80"},
			{"one port, two endpoints", netip.AddrPortFrom(client, from.Port()+1), "10.96.0.52:80"},
			{"one port, one endpoint", netip.AddrPortFrom(client, from.Port()+2), "10.96.0.51:80"},
		} {
			second := c.from
			if c.name == "one endpoint, two ports" {
				second = netip.AddrPortFrom(client, from.Port()+1000)
			}
			if err := r.Outside(func() error { return together(c.from, "10.96.0.50:80", second, c.other) }); err != nil {
				counts[c.name+": "+errorWord(err)]++
			} else {
				counts[c.name+": both answered"]++
			}
		}
	}
	for _, c := range []string{"one endpoint, two ports", "one port, two endpoints"} {
		if counts[c+": both answered"] != tries {
			t.Errorf("connections that share nothing fail: %v", counts)
		}
	}
	tell(t, counts)
}

// together makes two connections and reads the greetings of both once both are
// established.
func together(from netip.AddrPort, to string, from2 netip.AddrPort, to2 string) error {
	one, err := dialFrom(from, to)
	if err != nil {
		return fmt.Errorf("the first: %w", err)
	}
	defer one.Close()
	two, err := dialFrom(from2, to2)
	if err != nil {
		return fmt.Errorf("the second: %w", err)
	}
	defer two.Close()
	for _, c := range []net.Conn{one, two} {
		if err := c.SetDeadline(time.Now().Add(4 * time.Second)); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 100)); err != nil {
			return fmt.Errorf("reading: %w", err)
		}
	}
	return nil
}

func dialFrom(from netip.AddrPort, to string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(from), Timeout: 4 * time.Second, Control: reusePort}
	return d.Dial("tcp", to)
}

func errorWord(err error) string {
	if e := net.Error(nil); errors.As(err, &e) && e.Timeout() {
		return "timed out"
	}
	if e := syscall.Errno(0); errors.As(err, &e) {
		return e.Error()
	}
	return err.Error()
}

// reusePort allows a port to be used while another connection has it.
func reusePort(_, _ string, c syscall.RawConn) error {
	var err error
	return errors.Join(c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) }), err)
}
