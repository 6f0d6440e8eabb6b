package dataplane_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	nftlive "github.com/planec/planec/backends/nftables/live"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// The pods of policed: only alice may reach bob, at port 8080;
// alice reaches bob alone. Carol has no policies.
var (
	alice, bob, carol = netip.MustParseAddr("10.1.0.11"), netip.MustParseAddr("10.1.0.12"), netip.MustParseAddr("10.1.0.13")
	outside           = netip.MustParseAddr("192.0.2.10")
)

const served, streamed = 8080, 7000

// policed is a program with Services of bob: a ClusterIP of all protocols, a nodePort that
// masquerades, and a port for connections that last, which policies deny.
func policed() *ir.Program {
	p := &ir.Program{Node: ir.Node{
		Name: "a", Addresses: []netip.Addr{netip.MustParseAddr("192.168.9.1")},
		Local:     ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/24")}},
		NodePorts: ir.NodePortScope{Addresses: []netip.Addr{netip.MustParseAddr("192.168.9.1")}},
	}}
	p.ClusterIPs = []netip.Addr{netip.MustParseAddr("10.96.0.1")}
	pool := irtest.Pool("bob", netip.AddrPortFrom(bob, served).String())
	pool.Endpoints[0].Local = true
	long := irtest.Pool("long", netip.AddrPortFrom(bob, streamed).String())
	long.Endpoints[0].Local = true
	other := irtest.Pool("carol", netip.AddrPortFrom(carol, served).String())
	other.Endpoints[0].Local = true
	p.Pools = []ir.Pool{pool, other, long}
	p.Frontends = append(p.Frontends, irtest.Frontend(ir.ClusterIP, "carol", "10.96.0.1:60", "carol"))
	p.Frontends = append(p.Frontends, irtest.Frontend(ir.ClusterIP, "long", "10.96.0.1:70", "long"))
	for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP} {
		f := irtest.Frontend(ir.ClusterIP, "bob", "10.96.0.1:80", "bob")
		f.Match.Protocol, f.Service.Protocol = protocol, protocol
		f.ID = fmt.Sprintf("shop/bob/http/%v/%v/%v", protocol, f.Kind, f.Match)
		p.Frontends = append(p.Frontends, f)
	}
	f := irtest.Frontend(ir.NodePort, "bob", "0.0.0.0:30080", "bob")
	f.External.Masquerade = ir.MasqueradeAlways
	p.Frontends = append(p.Frontends, f)
	only := func(set string) []ir.Tier {
		return []ir.Tier{{
			Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "n", Name: "p"}},
			Rules: []ir.Rule{{Action: ir.Accept, Peers: []string{set}, Ports: []ir.PortRange{
				{Protocol: ir.TCP, First: served, Last: served}, {Protocol: ir.UDP, First: served, Last: served}, {Protocol: ir.SCTP, First: served, Last: served},
			}}},
		}}
	}
	pod := func(name string, a netip.Addr) []ir.Pod {
		return []ir.Pod{{Namespace: "n", Name: name, Addresses: []netip.Addr{a}}}
	}
	p.Policy = ir.Policy{
		OnDeny: ir.Drop,
		Profiles: []ir.Profile{
			{ID: "n/a", Pods: pod("alice", alice), Ingress: only("bob"), Egress: only("bob")},
			{ID: "n/b", Pods: pod("bob", bob), Ingress: only("alice"), Egress: only("alice")},
		},
		AddressSets: []ir.AddressSet{{ID: "alice", Addresses: []netip.Addr{alice}}, {ID: "bob", Addresses: []netip.Addr{bob}}},
		Peers:       []ir.Peer{{Address: alice, Namespace: "n", Name: "alice"}, {Address: bob, Namespace: "n", Name: "bob"}},
	}
	p.Normalize()
	return p
}

// policedFlows are what is accepted and what is denied, to addresses of pods and of Services.
func policedFlows() (out []testkit.Flow) {
	vip, node := netip.MustParseAddr("10.96.0.1"), netip.MustParseAddr("192.168.9.1")
	for _, protocol := range []ir.Protocol{ir.TCP, ir.UDP, ir.SCTP} {
		for _, pair := range [][2]netip.Addr{{alice, bob}, {carol, bob}, {bob, alice}, {bob, carol}, {carol, alice}, {alice, carol}} {
			out = append(out, testkit.Flow{From: eval.FromPod, Src: pair[0], Dst: pair[1], Port: served, Protocol: protocol})
		}
		for _, client := range []netip.Addr{alice, carol} {
			out = append(out, testkit.Flow{From: eval.FromPod, Src: client, Dst: vip, Port: 80, Protocol: protocol})
			if protocol == ir.TCP && client == alice { // from_pod does not see that it leads to carol, whom alice must not reach
				out = append(out, testkit.Flow{From: eval.FromPod, Src: client, Dst: vip, Port: 60, Protocol: protocol})
			}
		}
	}
	return append(out,
		testkit.Flow{From: eval.FromOutside, Src: outside, Dst: node, Port: 30080, Protocol: ir.TCP},
		testkit.Flow{From: eval.FromOutside, Src: outside, Dst: bob, Port: served, Protocol: ir.TCP},
		testkit.Flow{From: eval.FromOutside, Src: outside, Dst: carol, Port: served, Protocol: ir.TCP},
	)
}

// guarded is a node with these pods.
type guarded struct {
	t   *testing.T
	rig *testkit.Rig
	plane
	applier *applier.Applier
	// direct has programs at interfaces hand packets from pod to pod.
	direct bool
}

// entry is what is applied for a program.
func (g *guarded) entry(p *ir.Program, atInterfaces bool) applier.Entry {
	g.t.Helper()
	return policedEntry(g.t, p, atInterfaces, atInterfaces && g.direct)
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	p := ebpfPlane(t)
	testkit.Require(t, p.tools...)
	spec := testkit.SpecFor(policed(), policedFlows())
	spec.Ports = slices.DeleteFunc(spec.Ports, func(p testkit.Port) bool { return p.Number == streamed })
	g := &guarded{t: t, rig: testkit.New(t, spec), plane: p}
	g.again()
	return g
}

// again is a process that knows nothing yet.
func (g *guarded) again() {
	g.applier = applier.New(map[string]applier.Dataplane{"nftables": planes()[0].make(), ebpf.Name: g.make()}, applier.NewRecord(g.t.TempDir()))
}

func policedEntry(t testing.TB, p *ir.Program, atInterfaces, direct bool) applier.Entry {
	t.Helper()
	p.Normalize()
	if err := ir.Verify(p); err != nil {
		t.Fatal(err)
	}
	o := backends.DefaultOptions()
	o.PoliciesAtInterfaces, o.DirectPods = atInterfaces, direct
	a, err := ebpf.New(o).Emit(p)
	if err != nil {
		t.Fatal(err)
	}
	return applier.Entry{Backend: ebpf.Name, Artifact: a}
}

// put applies, and wants nothing to differ then.
func (g *guarded) put(e applier.Entry) {
	g.t.Helper()
	apply(g.t, g.rig, g.applier, e)
	if err := g.rig.Do(func() error { return g.applier.Verify(g.t.Context(), e) }); err != nil {
		var drift *applier.DriftError
		if errors.As(err, &drift) {
			g.t.Errorf("after an apply: %q", drift.Steps)
		}
		g.t.Fatal(err)
	}
}

// covered wants these pods to be covered, and no others.
func (g *guarded) covered(want ...netip.Addr) {
	g.t.Helper()
	if err := g.rig.Do(func() error {
		for _, set := range []string{nftables.CoveredPods, nftables.WatchedPods} {
			have, err := nftlive.Addresses(set)
			if err != nil {
				return err
			}
			slices.SortFunc(have.Addrs, netip.Addr.Compare)
			if !slices.Equal(have.Addrs, want) {
				g.t.Errorf("%s are %v, want %v", set, have.Addrs, want)
			}
		}
		return nil
	}); err != nil {
		g.t.Fatal(err)
	}
}

// placed wants the programs to know these pods, and no others, and packets to be handed to them if
// they should be.
func (g *guarded) placed(want ...netip.Addr) {
	g.t.Helper()
	if err := g.rig.Do(func() error {
		have, known, err := (&live.Interfaces{Dir: g.Dir}).Placed()
		same := slices.EqualFunc(have, want, func(p live.Place, a netip.Addr) bool { return p.Pod == a && (p.Index != 0) == g.direct })
		if !known && len(want) > 0 || !same {
			g.t.Errorf("the programs know %v, want %v", have, want)
		}
		return err
	}); err != nil {
		g.t.Fatal(err)
	}
}

// judged wants every connection to be what the evaluator says.
func (g *guarded) judged(what string) {
	g.t.Helper()
	report, err := g.rig.Check(g.t.Context(), policedFlows(), eval.New(policed()).Eval, testkit.DefaultTimeout)
	if err != nil {
		g.t.Fatal(err)
	}
	for _, d := range report.Disagreements {
		g.t.Errorf("%s: %v", what, d)
	}
}

// stream is a TCP connection of alice to an echo of bob.
func (g *guarded) stream(at netip.AddrPort) net.Conn {
	g.t.Helper()
	var c net.Conn
	if err := g.rig.Outside(func() (err error) {
		d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: alice.AsSlice()}}
		c, err = d.DialContext(context.Background(), "tcp4", at.String())
		return err
	}); err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	return c
}

// lives sends on a connection, from the client or from the server first, and wants it to
// arrive.
func lives(t *testing.T, what string, c, server net.Conn, serverFirst bool) {
	t.Helper()
	from, to := c, server
	if serverFirst {
		from, to = server, c
	}
	for range 2 {
		if err := carries(from, to); err != nil {
			t.Errorf("%s: %v to %v: %v", what, from.LocalAddr(), to.LocalAddr(), err)
		}
		from, to = to, from
	}
}

func carries(from, to net.Conn) error {
	deadline := time.Now().Add(10 * time.Second)
	if err := errors.Join(from.SetDeadline(deadline), to.SetDeadline(deadline)); err != nil {
		return err
	}
	if _, err := from.Write([]byte("planec?")); err != nil {
		return err
	}
	b := make([]byte, 7)
	if _, err := io.ReadFull(to, b); err != nil || string(b) != "planec?" {
		return fmt.Errorf("%q, %w", b, err)
	}
	return nil
}

// accepts listens at an address of bob, and returns what is accepted there.
func (g *guarded) accepts(port uint16) <-chan net.Conn {
	g.t.Helper()
	accepted := make(chan net.Conn, 16)
	if err := g.rig.Outside(func() error {
		l, err := net.Listen("tcp4", netip.AddrPortFrom(bob, port).String())
		if err != nil {
			return err
		}
		g.t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		return nil
	}); err != nil {
		g.t.Fatal(err)
	}
	return accepted
}

// TestPoliciesAtInterfaces: with programs at the interfaces of pods, connections are accepted
// and denied as without, whether sockets or rules give them an endpoint.
func TestPoliciesAtInterfaces(t *testing.T) {
	for _, c := range []struct{ inCgroup, direct bool }{{true, false}, {false, false}, {true, true}, {false, true}} {
		t.Run(fmt.Sprintf("cgroup=%t,direct=%t", c.inCgroup, c.direct), func(t *testing.T) {
			g := newGuarded(t)
			g.direct = c.direct
			if c.inCgroup {
				g.sockets(t, g.rig)
			}
			g.put(g.entry(policed(), false))
			g.covered()
			g.judged("without")
			g.put(g.entry(policed(), true))
			g.covered(alice, bob, carol)
			g.placed(alice, bob, carol)
			g.judged("with")
			g.judged("with, after some connections that rules translated")
			g.again()
			g.put(g.entry(policed(), true))
			g.put(g.entry(policed(), false))
			g.covered()
			g.placed()
			g.judged("without again")
		})
	}
}

// TestStreamsGoOn: connections that were accepted go on while policies come, while programs
// come to interfaces and go, and while a pod has others of its connections translated by
// rules, from both ends.
func TestStreamsGoOn(t *testing.T) {
	for _, c := range []struct{ translated, direct bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		t.Run(fmt.Sprintf("translated=%t,direct=%t", c.translated, c.direct), func(t *testing.T) { streamsGoOn(t, c.translated, c.direct) })
	}
}

// streamsGoOn has alice's connections untracked until she gets one translated: from the
// beginning, or later.
func streamsGoOn(t *testing.T, translated, handed bool) {
	g := newGuarded(t) // sockets are in no cgroup: rules give them endpoints
	g.direct = handed
	open := policed()
	open.Policy = ir.Policy{}
	g.put(g.entry(open, false))
	accepted := g.accepts(streamed)
	var streams [][2]net.Conn
	dial := func(at string) {
		t.Helper()
		c := g.stream(netip.MustParseAddrPort(at))
		server := <-accepted
		t.Cleanup(func() { server.Close() })
		streams = append(streams, [2]net.Conn{c, server})
	}
	goOn := func(what string) {
		t.Helper()
		for i, s := range streams {
			lives(t, fmt.Sprintf("%s: stream %d", what, i), s[0], s[1], true)
			lives(t, fmt.Sprintf("%s: stream %d", what, i), s[0], s[1], false)
		}
	}
	direct, service := netip.AddrPortFrom(bob, streamed).String(), "10.96.0.1:70"
	dial(direct)
	if translated {
		dial(service)
	}
	goOn("at first")
	g.put(g.entry(open, true))
	goOn("with programs")
	dial(direct)
	goOn("another one")
	g.put(g.entry(policed(), true))
	g.covered(alice, bob, carol)
	goOn("with policies")
	g.judged("with policies") // alice has connections translated now
	goOn("beside others")
	g.direct = !handed
	g.put(g.entry(policed(), true))
	goOn("where packets are handed over now, or not any more")
	g.direct = handed
	g.put(g.entry(policed(), true))
	goOn("as before")
	g.put(g.entry(policed(), false))
	goOn("without programs")
	g.again()
	g.put(g.entry(policed(), true))
	goOn("with programs again")
	if !translated {
		open.ClusterIPs = nil // no policy is left, and nothing of connection tracking is needed
		open.Frontends, open.Pools = nil, nil
	}
	g.put(g.entry(open, false))
	g.put(g.entry(policed(), true))
	goOn("after a time without anything")
	alone := nftables.New(backends.DefaultOptions())
	a, err := alone.Emit(policed())
	if err != nil {
		t.Fatal(err)
	}
	g.put(applier.Entry{Backend: nftables.Name, Artifact: a})
	goOn("with nftables alone")
	g.put(g.entry(policed(), true))
	goOn("with programs for the third time")
}

// TestUntracked counts: a connection of covered pods is in no table, one of others is.
func TestUntracked(t *testing.T) {
	g := newGuarded(t)
	open := policed()
	open.Policy = ir.Policy{}
	g.put(g.entry(open, true))
	accepted := g.accepts(streamed)
	flows := func() (n int) {
		t.Helper()
		if err := g.rig.Do(func() error {
			for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
				list, err := netlink.ConntrackTableList(netlink.ConntrackTable, family)
				if err != nil {
					return err
				}
				n += len(list)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := flows()
	c := g.stream(netip.AddrPortFrom(bob, streamed))
	lives(t, "untracked", c, <-accepted, false)
	if n := flows(); n != before {
		t.Errorf("%d connections are tracked, %d before", n, before)
	}
	c = g.stream(netip.MustParseAddrPort("10.96.0.1:70"))
	lives(t, "translated", c, <-accepted, true)
	if n := flows(); n <= before {
		t.Error("a connection that rules translate is not tracked")
	}
}

// TestNewInterfaceOfACoveredAddress: while no process looks, a pod's address gets an interface
// without programs. Nothing that policies deny is accepted: the rules judge it.
func TestNewInterfaceOfACoveredAddress(t *testing.T) {
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct=%t", direct), func(t *testing.T) { newInterface(t, direct) })
	}
}

func newInterface(t *testing.T, direct bool) {
	g := newGuarded(t)
	g.direct = direct
	g.put(g.entry(policed(), true))
	var indexes []uint32
	if err := g.rig.Do(func() error {
		route, err := netlink.RouteGet(bob.AsSlice())
		if err != nil {
			return err
		}
		for _, side := range []string{"in", "out"} {
			if err := os.Remove(filepath.Join(g.Dir, fmt.Sprintf("plc_veth_%d_%s", route[0].LinkIndex, side))); err != nil {
				return err
			}
		}
		if indexes, _, err = nftlive.Numbers(nftables.GuardedInterfaces); err != nil {
			return err
		}
		indexes = slices.DeleteFunc(indexes, func(n uint32) bool { return n == uint32(route[0].LinkIndex) })
		return nftlive.SetNumbers(t.Context(), nftables.GuardedInterfaces, indexes)
	}); err != nil || len(indexes) != 2 {
		t.Fatalf("interfaces %v, %v", indexes, err)
	}
	g.covered(alice, bob, carol)
	e := eval.New(policed())
	flows := slices.DeleteFunc(policedFlows(), func(f testkit.Flow) bool {
		v := e.Eval(eval.Packet{Src: f.Src, Dst: f.Dst, Protocol: f.Protocol, Port: f.Port, From: f.From}).Verdict
		return v == eval.DNAT || v == eval.Pass
	})
	got, err := g.rig.Try(t.Context(), flows, testkit.DefaultTimeout)
	if err != nil || len(flows) < 10 {
		t.Fatalf("%d flows, %v", len(flows), err)
	}
	for i, o := range got {
		if o.Fate == testkit.Answered {
			t.Errorf("%v: %v", flows[i], o)
		}
	}
}

// TestInterfacesArePutBack takes parts away, as a process would leave them that died between
// two steps: verify names what is missing, and an apply puts it back.
func TestInterfacesArePutBack(t *testing.T) {
	g := newGuarded(t)
	g.direct = true
	e := g.entry(policed(), true)
	g.put(e)
	for _, c := range []struct {
		name string
		do   func() error
		want string
	}{
		{"a link", func() error {
			pins, err := filepath.Glob(filepath.Join(g.Dir, "plc_veth_*_in"))
			if err != nil || len(pins) == 0 {
				return fmt.Errorf("%q, %w", pins, err)
			}
			return os.Remove(pins[0])
		}, "attach program from_pod to"},
		{"a covered pod", func() error {
			return nftlive.ChangeAddresses(t.Context(), nftables.CoveredPods, nil, []netip.Addr{bob}, 0)
		}, "set covered: add pod 10.1.0.12"},
		{"covered pods, and programs", func() error {
			return errors.Join(
				nftlive.ChangeAddresses(t.Context(), nftables.CoveredPods, nil, []netip.Addr{alice, bob, carol}, 0),
				os.Remove(filepath.Join(g.Dir, "plc_to_pod")))
		}, "replace program to_pod of"},
		{"pods to hand packets to", func() error { return (&live.Interfaces{Dir: g.Dir}).Place(nil) }, "map covered: 3 pods"},
		{"nothing, but another interface of a pod", func() error {
			return (&live.Interfaces{Dir: g.Dir}).Place([]live.Place{{Pod: bob, Index: 1}})
		}, "map covered: 3 pods"},
		{"nothing, but a pod that is none", func() error {
			return nftlive.ChangeAddresses(t.Context(), nftables.CoveredPods, []netip.Addr{outside}, nil, 0)
		}, "set covered: remove pod 192.0.2.10"},
	} {
		var drift *applier.DriftError
		if err := g.rig.Do(func() error {
			if err := c.do(); err != nil {
				return err
			}
			if err := g.applier.Verify(t.Context(), e); !errors.As(err, &drift) {
				return fmt.Errorf("verify says %w", err)
			}
			return nil
		}); err != nil {
			t.Fatalf("without %s: %v", c.name, err)
		}
		if got := strings.Join(drift.Steps, "\n"); !strings.Contains(got, c.want) {
			t.Errorf("without %s the drift is:\n%s", c.name, got)
		}
		g.put(e)
		g.covered(alice, bob, carol)
		g.placed(alice, bob, carol)
	}
	g.judged("put back")
	if err := g.rig.Do(func() error {
		programs, err := g.applier.Programs(t.Context(), ebpf.Name)
		var passed []string
		for _, p := range programs {
			passed = append(passed, p.Direct...)
		}
		slices.Sort(passed)
		if len(programs) < 8+6 || strings.Join(passed, " ") != "10.1.0.11 10.1.0.12 10.1.0.13" {
			t.Errorf("the programs are %v", programs)
		}
		if _, cleaned := g.applier.CleanAll(t.Context()); cleaned != nil {
			return cleaned
		}
		left, leftErr := g.make().Left(t.Context())
		if len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		return errors.Join(err, leftErr)
	}); err != nil {
		t.Fatal(err)
	}
}
