package conntrack

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// node is a rig with the rules of a program, and its table.
type node struct {
	*testkit.Rig
	t     testing.TB
	table *Table
}

func newNode(t testing.TB, p *ir.Program) *node {
	t.Helper()
	testkit.Require(t, "nft")
	n := &node{t: t, Rig: testkit.New(t, testkit.Spec{
		NodeAddrs: []netip.Addr{netip.MustParseAddr(nodeAddr), netip.MustParseAddr("2001:db8::11")},
		Ports:     []testkit.Port{{Protocol: ir.UDP, Number: 5353}, {Protocol: ir.UDP, Number: 53}, {Protocol: ir.UDP, Number: 30053}},
		Local:     ir.LocalDetector{Mode: ir.DetectNone},
	})}
	n.load(p)
	if err := n.Do(func() (err error) { n.table, err = Open(); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.table.Close)
	return n
}

// load replaces the rules. The connections that are tracked stay.
func (n *node) load(p *ir.Program) {
	n.t.Helper()
	if err := ir.Verify(p); err != nil {
		n.t.Fatal(err)
	}
	a, err := nftables.New(backends.DefaultOptions()).Emit(p)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.LoadNFT("flush ruleset\n" + string(a.Files[0].Data)); err != nil {
		n.t.Fatal(err)
	}
}

// socket is a socket that a process on the node keeps open.
func (n *node) socket(to string) *net.UDPConn {
	n.t.Helper()
	var c *net.UDPConn
	err := n.Do(func() (err error) {
		c, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to)))
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a datagram and returns the answering endpoint, or "". It retries,
// because an earlier datagram's refusal may be reported only now.
func (n *node) ask(c *net.UDPConn) string {
	n.t.Helper()
	const tries = 3
	buf := make([]byte, 512)
	c.SetReadDeadline(time.Now().Add(time.Second))
	for range tries {
		if _, err := c.Write([]byte("planec?\n")); err != nil {
			continue
		}
		if count, err := c.Read(buf); err == nil {
			return string(bytes.Fields(buf[:count])[1])
		}
	}
	return ""
}

func (n *node) remove(filters Filters) int {
	n.t.Helper()
	removed, err := n.table.Delete(filters)
	if err != nil {
		n.t.Fatal(err)
	}
	return removed
}

// in6 is a program over IPv6 besides.
func in6(words ...string) *ir.Program {
	p := program(ir.UDP, words...)
	for i, f := range p.Frontends {
		if f.Kind == ir.ClusterIP {
			p.Frontends[i].Match.Family, p.Frontends[i].Match.Address = ir.IPv6, netip.MustParseAddr("fd00:96::a")
		} else {
			p.Frontends[i].Match.Family = ir.IPv6
		}
	}
	for i := range p.Pools {
		for j, e := range p.Pools[i].Endpoints {
			b := e.Address.Addr().As4()
			to := netip.MustParseAddr("fd00:2::").As16()
			to[15] = b[3]
			p.Pools[i].Endpoints[j].Address = netip.AddrPortFrom(netip.AddrFrom16(to), e.Address.Port())
		}
	}
	p.Node.Addresses = append(p.Node.Addresses, netip.MustParseAddr("2001:db8::11"))
	p.Node.NodePorts.Prefixes = append(p.Node.NodePorts.Prefixes, netip.MustParsePrefix("2001:db8::/32"))
	p.Normalize()
	return p
}

// TestUDP has a socket that keeps sending. It reaches the remaining endpoint only
// after its flow was removed, and other sockets are not affected.
func TestUDP(t *testing.T) {
	ofIPv4 := func(words ...string) *ir.Program { return program(ir.UDP, words...) }
	for _, test := range []struct {
		name          string
		program       func(...string) *ir.Program
		service, node string
		one, two      string
	}{
		{"ipv4", ofIPv4, vip + ":53", nodeAddr + ":30053", "10.2.0.1:5353", "10.2.0.2:5353"},
		{"ipv6", in6, "[fd00:96::a]:53", "[2001:db8::11]:30053", "[fd00:2::1]:5353", "[fd00:2::2]:5353"},
	} {
		t.Run(test.name, func(t *testing.T) {
			before, after := test.program("svc=1,1/l", "node=1,1/l"), test.program("svc=2,2/l", "node=1,1/l")
			n := newNode(t, before)
			moving, staying := n.socket(test.service), n.socket(test.node)
			expect := func(when string, c *net.UDPConn, want string) {
				t.Helper()
				if got := n.ask(c); got != want {
					t.Errorf("%s: %q answered instead of %q", when, got, want)
				}
			}
			expect("before", moving, test.one)
			expect("before, the other", staying, test.one)
			n.load(after)
			expect("new rules alone", moving, test.one)
			if removed := n.remove(Stale(before, after)); removed != 1 {
				t.Errorf("%d flows were removed instead of 1", removed)
			}
			expect("after", moving, test.two)
			expect("after, the other", staying, test.one)
			if removed := n.remove(Stale(nil, after)); removed != 0 {
				t.Errorf("a restart removes %d flows that are right", removed)
			}

			// No endpoint, then none at all, then one again.
			empty := test.program("svc=", "node=1,1/l")
			n.load(empty)
			expect("scaled to zero, new rules alone", moving, test.two)
			if removed := n.remove(Stale(after, empty)); removed != 1 {
				t.Errorf("scaled to zero: %d flows were removed instead of 1", removed)
			}
			expect("scaled to zero", moving, "")
			n.load(after)
			n.remove(Stale(empty, after))
			expect("scaled up", moving, test.two)

			gone := test.program("svc=2,2/l")
			n.load(gone)
			if removed := n.remove(Stale(after, gone)); removed != 1 {
				t.Errorf("a nodePort went: %d flows were removed instead of 1", removed)
			}
			expect("a nodePort went: the process on the node answers", staying, test.node)
			n.load(after)
			expect("it came, new rules alone", staying, test.node)
			if removed := n.remove(Stale(gone, after)); removed == 0 {
				t.Error("it came: no flow was removed")
			}
			expect("it came", staying, test.one)
		})
	}
}

// TestSCTP does it with the start of associations.
func TestSCTP(t *testing.T) {
	same := func(words ...string) *ir.Program {
		p := program(ir.SCTP, words...)
		p.Frontends[0].Match.Port = 5353 // translating addresses only needs no checksum
		return p
	}
	before, after := same("svc=1,1/l"), same("svc=2,2/l")
	n := newNode(t, before)
	flow := testkit.Flow{From: eval.FromNode, Src: netip.MustParseAddr(nodeAddr), Dst: netip.MustParseAddr(vip), Protocol: ir.SCTP, Port: 5353}
	out, err := n.Try(context.Background(), []testkit.Flow{flow}, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	if out[0].Fate != testkit.Answered || out[0].Endpoint != endpoint("1") {
		t.Skipf("this kernel does not translate SCTP: %v", out[0])
	}
	if flows := n.flows(ir.SCTP); len(flows) != 1 || flows[0].Dst.String() != vip+":5353" || flows[0].ReplySrc != endpoint("1") {
		t.Fatalf("the table has %+v", flows)
	}
	n.load(after)
	if removed := n.remove(Stale(after, before)); removed != 0 {
		t.Errorf("the wrong way round: %d flows were removed", removed)
	}
	if removed := n.remove(Stale(before, after)); removed != 1 {
		t.Errorf("%d flows were removed instead of 1", removed)
	}
	if left := n.flows(ir.SCTP); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// flows reads the table.
func (n *node) flows(p ir.Protocol) (out []Flow) {
	n.t.Helper()
	if err := n.table.each(ir.IPv4, p, func(f *Flow, _ []byte) { out = append(out, *f) }); err != nil {
		n.t.Fatal(err)
	}
	return out
}

// TestDeniedFlows has a flow that new policies deny.
func TestDeniedFlows(t *testing.T) {
	open, closed := program(ir.UDP, "svc=2,2/l"), program(ir.UDP, "svc=2,2/l")
	pod := netip.MustParseAddr("10.1.0.7")
	closed.Policy = ir.Policy{OnDeny: ir.Drop, Profiles: []ir.Profile{{
		ID: "n/p", Pods: []ir.Pod{{Namespace: "n", Name: "p", Addresses: []netip.Addr{pod}}},
		Egress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "n", Name: "p"}}}},
	}}}
	closed.Normalize()
	n := newNode(t, open)
	from := func(e eval.Entry, src netip.Addr) testkit.Flow {
		return testkit.Flow{From: e, Src: src, Dst: netip.MustParseAddr(vip), Protocol: ir.UDP, Port: 53}
	}
	out, err := n.Try(context.Background(), []testkit.Flow{from(eval.FromPod, pod), from(eval.FromPod, pod.Next()), from(eval.FromNode, netip.MustParseAddr(nodeAddr))}, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		if o.Fate != testkit.Answered {
			t.Fatalf("%v", out)
		}
	}
	n.load(closed)
	removed, err := n.table.DeleteFunc(Denied(closed))
	if err != nil || removed != 1 {
		t.Errorf("%d flows were removed instead of 1: %v", removed, err)
	}
	for _, f := range n.flows(ir.UDP) {
		if f.Src.Addr() == pod {
			t.Errorf("left: %+v", f)
		}
	}
	if removed, err := n.table.DeleteFunc(Denied(open)); err != nil || removed != 0 {
		t.Errorf("without policies %d flows were removed: %v", removed, err)
	}
}

// TestNoPrivileges reads the table without CAP_NET_ADMIN.
func TestNoPrivileges(t *testing.T) {
	testkit.Require(t)
	done := make(chan error)
	go func() {
		// The thread ends with the goroutine, so its capabilities need not be restored.
		runtime.LockOSThread()
		done <- func() error {
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var none [2]unix.CapUserData
			if err := unix.Capset(&header, &none[0]); err != nil {
				return err
			}
			table, err := Open()
			if err != nil {
				return err
			}
			defer table.Close()
			_, err = table.Delete(Stale(nil, program(ir.UDP, "svc=1")))
			return err
		}()
	}()
	if err := <-done; err == nil || !bytes.Contains([]byte(err.Error()), []byte(ErrPrivileges.Error())) {
		t.Errorf("%v", err)
	}
}

// BenchmarkDelete reads a table of 10,000 flows, of which none, or a thousand,
// are stale; and one of 10,000 others, when the filters are about SCTP.
func BenchmarkDelete(b *testing.B) {
	const flows = 10000
	before, after := program(ir.UDP, "svc=1,1/l"), program(ir.UDP, "svc=2,2/l")
	n := newNode(b, before)
	sender := n.sender()
	fill := func(to netip.Addr, count int) {
		for i := range count {
			if err := unix.Sendto(sender, []byte("x"), 0, &unix.SockaddrInet4{Addr: to.As4(), Port: 10000 + i}); err != nil {
				b.Fatal(err)
			}
		}
	}
	fill(netip.MustParseAddr("203.0.113.5"), flows)
	if got := len(n.flows(0)); got < flows {
		b.Fatalf("the table has %d flows", got)
	}
	run := func(name string, do func() int, want int) {
		b.Run(name, func(b *testing.B) {
			var spent time.Duration
			for b.Loop() {
				if want > 0 {
					fill(netip.MustParseAddr("203.0.113.6"), want)
				}
				start := cpu(b)
				if got := do(); got != want {
					b.Fatalf("%d flows were removed instead of %d", got, want)
				}
				spent += cpu(b) - start
			}
			b.ReportMetric(float64(spent.Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
	run("stale=0", func() int { return n.remove(Stale(before, after)) }, 0)
	run("other protocol", func() int { return n.remove(Stale(program(ir.SCTP, "svc=1"), program(ir.SCTP, "svc=2"))) }, 0)
	matching := func(want func(*Flow) bool) func() int {
		return func() int {
			removed, err := n.table.DeleteFunc(want)
			if err != nil {
				b.Fatal(err)
			}
			return removed
		}
	}
	run("denied=0 of all", matching(Denied(policed())), 0)
	second := netip.MustParseAddr("203.0.113.6")
	run("deleted=1000", matching(func(f *Flow) bool { return f.Dst.Addr() == second }), 1000)
}

// sender is a socket of the node whose datagrams go anywhere.
func (n *node) sender() (fd int) {
	n.t.Helper()
	err := n.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { unix.Close(fd) })
	return fd
}

func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ExampleFilter shows what a filter says.
func ExampleFilter() {
	for _, f := range Stale(program(ir.UDP, "svc=1,2"), program(ir.UDP, "svc=1")).Frontends {
		fmt.Println(f)
	}
	// Output: 10.96.0.10:53/udp: flows to none of 1 endpoints
}
