package golden

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// BenchmarkEstablished is the CPU time of a request and its answer on an established TCP
// connection between two pods of a node with 10,000 Services, without policies and with
// policies of both pods: medians of rounds in turn, and ratios of the same round.
func BenchmarkEstablished(b *testing.B) {
	testkit.Require(b, "nft")
	bare, _ := latencyProgram(b)
	policed := withPolicies(*bare)
	ways := []*established{
		{name: "nothing"},
		{name: "ebpf", program: bare},
		{name: "ebpf-policies", program: policed},
		{name: "ebpf-interfaces", program: policed, how: mixed{interfaces: true}},
		{name: "ebpf-direct", program: policed, how: mixed{interfaces: true, direct: true}},
		{name: "nftables", program: bare, nftables: true},
		{name: "nftables-policies", program: policed, nftables: true},
	}
	for _, w := range ways {
		w.start(b)
	}
	for b.Loop() {
		for _, w := range ways {
			w.costs = append(w.costs, w.cost(b, 2000))
		}
	}
	for _, w := range ways {
		b.ReportMetric(medianOf(w.costs), w.name+"-ns")
		b.Logf("%-17s median %5.0f ns, %s of nothing, %s of ebpf, %s of nftables without policies",
			w.name, medianOf(w.costs), w.ratio(ways[0]), w.ratio(ways[1]), w.ratio(ways[5]))
	}
	b.ReportMetric(0, "ns/op")
}

// established is one way of a connection that stands already.
type established struct {
	name           string
	program        *ir.Program // nil: the node has no rules
	how            mixed
	nftables       bool
	client, server int       // file descriptors of both ends
	costs          []float64 // of each round, in nanoseconds
}

// start loads the rules and connects.
func (w *established) start(b *testing.B) {
	b.Helper()
	sockets := &live.Sockets{Dir: filepath.Join(testkit.BPFFS(b), "maps"), Cgroup: testkit.Cgroup(b, live.CgroupRoot())}
	r := testkit.New(b, testkit.Spec{NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Pods: []netip.Addr{latencyClient, latencyEndpoint.Addr()}})
	err := w.load(b, r, sockets)
	if err == nil {
		err = r.Inside(w.connect)
	}
	if err != nil {
		b.Fatal(w.name, err)
	}
	b.Cleanup(func() { _ = errors.Join(unix.Close(w.client), unix.Close(w.server)) })
}

func (w *established) load(b *testing.B, r *testkit.Rig, sockets *live.Sockets) error {
	o := backends.DefaultOptions()
	o.PoliciesAtInterfaces, o.DirectPods = w.how.interfaces, w.how.direct
	switch {
	case w.program == nil:
		return r.JoinCgroup(sockets.Cgroup)
	case !w.nftables:
		return w.how.load(b, r, sockets, w.program, o)
	}
	a, err := nftables.New(o).Emit(w.program)
	if err != nil {
		return err
	}
	return errors.Join(r.LoadNFT(string(a.File("rules.nft"))), r.JoinCgroup(sockets.Cgroup))
}

// connect opens both ends.
func (w *established) connect() error {
	at := func(a netip.AddrPort) unix.Sockaddr {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	open := func(bind netip.AddrPort) (int, error) {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		return fd, errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.Bind(fd, at(bind)))
	}
	listener, err := open(latencyEndpoint)
	if err != nil {
		return err
	}
	defer unix.Close(listener)
	if w.client, err = open(netip.AddrPortFrom(latencyClient, 0)); err != nil {
		return err
	}
	if err := errors.Join(unix.Listen(listener, 1), unix.Connect(w.client, at(latencyEndpoint))); err != nil {
		return fmt.Errorf("connecting to %v: %w", latencyEndpoint, err)
	}
	w.server, _, err = unix.Accept4(listener, unix.SOCK_CLOEXEC)
	return err
}

// cost is what a request and its answer cost, of so many. One thread does both ends, and
// the kernel carries a packet the whole way in the time of the thread that sends it.
func (w *established) cost(b *testing.B, n int) float64 {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &before)
	buf := make([]byte, 64)
	for range n {
		for _, way := range [][2]int{{w.client, w.server}, {w.server, w.client}} {
			_, sent := unix.Write(way[0], buf)
			_, got := unix.Read(way[1], buf)
			err = errors.Join(err, sent, got)
		}
	}
	if err = errors.Join(err, unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &after)); err != nil {
		b.Fatal(w.name, err)
	}
	return float64(after.Nano()-before.Nano()) / float64(n)
}

// ratio is the median of the ratios of each round, and their quartiles.
func (w *established) ratio(to *established) string {
	ratios := make([]float64, len(w.costs))
	for i, c := range w.costs {
		ratios[i] = c / to.costs[i]
	}
	slices.Sort(ratios)
	n := len(ratios)
	return fmt.Sprintf("%.2f [%.2f %.2f]", ratios[n/2], ratios[n/4], ratios[n*3/4])
}

// withPolicies lets the client's pod send to the endpoint's, and nothing else.
func withPolicies(p ir.Program) *ir.Program {
	profile := func(name string, own netip.Addr) ir.Profile {
		p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: name, Addresses: []netip.Addr{own}})
		p.Policy.Peers = append(p.Policy.Peers, ir.Peer{Address: own, Namespace: "n", Name: name})
		return ir.Profile{ID: "n/" + name, Pods: []ir.Pod{{Namespace: "n", Name: name, Addresses: []netip.Addr{own}}}}
	}
	only := func(peer string) []ir.Tier {
		return []ir.Tier{{
			Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "n", Name: "p"}},
			Rules: []ir.Rule{{Action: ir.Accept, Peers: []string{peer}, Ports: []ir.PortRange{{Protocol: ir.TCP, First: latencyEndpoint.Port(), Last: latencyEndpoint.Port()}}}},
		}}
	}
	client, server := profile("client", latencyClient), profile("server", latencyEndpoint.Addr())
	client.Egress, server.Ingress = only("server"), only("client")
	p.Policy.OnDeny = ir.Drop
	p.Policy.Profiles = []ir.Profile{client, server}
	p.Normalize()
	return &p
}
