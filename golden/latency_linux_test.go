package golden

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/clustergen"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// way is one way of a connection from a pod to a pod of the same node.
type way struct {
	name string
	load func(b *testing.B, r *testkit.Rig, sockets *live.Sockets, p *ir.Program) error
	// direct is whether the client connects to the endpoint and not to the Service.
	direct bool
	rig    *testkit.Rig
	// medians has the median of each round, in nanoseconds.
	medians []float64
}

var (
	latencyClient   = netip.MustParseAddr("10.1.0.5")
	latencyEndpoint = netip.MustParseAddrPort("10.1.0.6:8080")
)

// BenchmarkSocketConnect is connect(2) of TCP from a pod to a ClusterIP among 10,000
// Services of 5 endpoints, beside a connection to the endpoint without any rules: medians
// of rounds in turn, and ratios of the same round.
func BenchmarkSocketConnect(b *testing.B) {
	testkit.Require(b, "nft")
	p, vip := latencyProgram(b)
	load := func(m mixed) func(*testing.B, *testkit.Rig, *live.Sockets, *ir.Program) error {
		return func(b *testing.B, r *testkit.Rig, sockets *live.Sockets, p *ir.Program) error {
			o := backends.DefaultOptions()
			o.UntrackedPods, o.PoliciesAtInterfaces, o.DirectPods = m.untracked, m.interfaces, m.direct
			return m.load(b, r, sockets, p, o)
		}
	}
	none := func(_ *testing.B, r *testkit.Rig, s *live.Sockets, _ *ir.Program) error {
		return r.JoinCgroup(s.Cgroup)
	}
	rules := func(_ *testing.B, r *testkit.Rig, s *live.Sockets, p *ir.Program) error {
		a, err := nftables.New(backends.DefaultOptions()).Emit(p)
		if err == nil {
			err = r.LoadNFT(string(a.File("rules.nft")))
		}
		return errors.Join(err, r.JoinCgroup(s.Cgroup))
	}
	counted := func(b *testing.B, r *testkit.Rig, s *live.Sockets, p *ir.Program) error {
		return errors.Join(load(mixed{alone: true})(b, r, s, p), s.Count(true))
	}
	policed := func(m mixed) func(*testing.B, *testkit.Rig, *live.Sockets, *ir.Program) error {
		return func(b *testing.B, r *testkit.Rig, s *live.Sockets, p *ir.Program) error {
			return load(m)(b, r, s, withPolicies(*p))
		}
	}
	ways := []*way{
		{name: "direct", load: none, direct: true},
		{name: "sockets", load: load(mixed{alone: true})},
		{name: "counted", load: counted},
		{name: "mixed", load: load(mixed{})},
		{name: "untracked", load: load(mixed{untracked: true})},
		{name: "direct-pods", load: load(mixed{interfaces: true, direct: true})},
		{name: "nftables", load: rules},
		{name: "policies", load: policed(mixed{})},
		{name: "interfaces", load: policed(mixed{interfaces: true})},
		{name: "direct-policies", load: policed(mixed{interfaces: true, direct: true})},
	}
	for _, w := range ways {
		// The cgroup is removed after the rig, whose threads are in it.
		sockets := &live.Sockets{Dir: filepath.Join(testkit.BPFFS(b), "maps"), Cgroup: testkit.Cgroup(b, live.CgroupRoot())}
		w.rig = testkit.New(b, testkit.Spec{
			NodeAddrs: []netip.Addr{netip.MustParseAddr("192.0.2.10")}, Pods: []netip.Addr{latencyClient, latencyEndpoint.Addr()},
			Ports: []testkit.Port{{Protocol: ir.TCP, Number: latencyEndpoint.Port()}},
		})
		if err := w.load(b, w.rig, sockets, p); err != nil {
			b.Fatal(w.name, err)
		}
	}
	for b.Loop() {
		for _, w := range ways {
			w.round(b, vip)
		}
	}
	for _, w := range ways {
		ratios := make([]float64, len(w.medians))
		for i, m := range w.medians {
			ratios[i] = m / ways[0].medians[i]
		}
		slices.Sort(ratios)
		n := len(ratios)
		b.ReportMetric(ratios[n/2], w.name+"/direct")
		b.Logf("%-10s median %5.1f µs, %.2f of direct [%.2f %.2f]", w.name, medianOf(w.medians)/1000, ratios[n/2], ratios[n/4], ratios[n*3/4])
	}
	b.ReportMetric(0, "ns/op")
}

// round adds the median of 200 connections.
func (w *way) round(b *testing.B, vip netip.AddrPort) {
	to := vip
	if w.direct {
		to = latencyEndpoint
	}
	var took []float64
	err := w.rig.Inside(func() error {
		for range 200 {
			d, err := timeConnect(to)
			if err != nil {
				return err
			}
			took = append(took, float64(d.Nanoseconds()))
		}
		return nil
	})
	if err != nil {
		b.Fatal(w.name, err)
	}
	w.medians = append(w.medians, medianOf(took))
}

// timeConnect connects from the client's pod and resets the connection.
func timeConnect(to netip.AddrPort) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	err = errors.Join(
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: latencyClient.As4()}),
	)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	if err != nil {
		err = fmt.Errorf("connecting to %v: %w", to, err)
	}
	return time.Since(start), err
}

func medianOf(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

// latencyProgram is 10,000 Services, one of which has the node's own pod as its endpoint.
func latencyProgram(b *testing.B) (*ir.Program, netip.AddrPort) {
	b.Helper()
	set := clustergen.Objects(clustergen.Size{Services: 10000, Endpoints: 5})
	p, _ := compiler.Compile(compiler.Input{Objects: &set, Node: set.Nodes[0].Object.Name})
	p.Node.Local = ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	f := &p.Frontends[len(p.Frontends)/2]
	for i := range p.Pools {
		if p.Pools[i].ID == f.Internal.Pool {
			p.Pools[i].Endpoints = []ir.Endpoint{{Address: latencyEndpoint, Local: true, Weight: 1}}
			return p, netip.AddrPortFrom(f.Match.Address, f.Match.Port)
		}
	}
	b.Fatal("the Service has no pool")
	return nil, netip.AddrPort{}
}
