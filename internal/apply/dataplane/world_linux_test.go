package dataplane_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/live"
	"github.com/planec/planec/backends/registry"
	"github.com/planec/planec/internal/apply/applier"
	"github.com/planec/planec/internal/apply/dataplane"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/internal/testing/uml"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

var kills = flag.Int("kills", 200, "how often an apply is killed")

// plane is a dataplane that the tests of this package try.
type plane struct {
	name, backend string
	tools         []string
	make          func() applier.Dataplane
	// place is where programs are; empty for a backend that has none.
	place
	// direct has pods\' packets handed over, of ebpf.
	direct bool
}

// place is where ebpf's maps and programs are: a directory and a cgroup of the test's own.
type place struct{ Dir, Cgroup string }

func planes() []plane {
	return []plane{
		{name: "nftables", backend: "nftables", tools: []string{"nft"}, make: func() applier.Dataplane { return dataplane.All()["nftables"] }},
		{name: "iptables-legacy", backend: "iptables", tools: []string{"ipset", "iptables-legacy-restore", "ip6tables-legacy-restore"}, make: func() applier.Dataplane { return dataplane.IPTables("legacy") }},
		{name: "iptables-nft", backend: "iptables", tools: []string{"ipset", "iptables-nft-restore", "ip6tables-nft-restore"}, make: func() applier.Dataplane { return dataplane.IPTables("nft") }},
	}
}

// ebpfPlane has a BPF file system and a cgroup of the test's own.
func ebpfPlane(t testing.TB) plane {
	t.Helper()
	return ebpfAt(place{testkit.BPFFS(t), testkit.Cgroup(t, live.CgroupRoot())})
}

func ebpfAt(at place) plane {
	return plane{name: "ebpf", backend: "ebpf", tools: []string{"nft"}, place: at, make: func() applier.Dataplane {
		if err := testkit.NotRoot(at.Cgroup); err != nil {
			panic(err)
		}
		return dataplane.EBPF(at.Dir, at.Cgroup)
	}}
}

// sockets has the rig's pods and node open their sockets where the plane's programs are.
func (p plane) sockets(t testing.TB, r *testkit.Rig) {
	t.Helper()
	if p.Cgroup == "" {
		return
	}
	if err := r.JoinCgroup(p.Cgroup); err != nil {
		t.Fatal(err)
	}
}

// program is the Services of irtest.KitchenSink, which stay, and some others,
// which the seed chooses.
func program(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 31))
	p := irtest.KitchenSink()
	for i := range 30 {
		if rng.IntN(3) == 0 {
			continue
		}
		id := fmt.Sprintf("other-%02d", i)
		var endpoints []string
		for range rng.IntN(6) {
			e := fmt.Sprintf("10.1.%d.%d:8080", 2+rng.IntN(3), 10+rng.IntN(20))
			if !slices.Contains(endpoints, e) {
				endpoints = append(endpoints, e)
			}
		}
		p.Pools = append(p.Pools, irtest.Pool(id, endpoints...))
		p.ClusterIPs = append(p.ClusterIPs, netip.MustParseAddr(fmt.Sprintf("10.96.1.%d", i)))
		kind, at := ir.ClusterIP, fmt.Sprintf("10.96.1.%d:80", i)
		if i%3 == 0 {
			kind, at = ir.NodePort, fmt.Sprintf("0.0.0.0:%d", 31000+i)
		}
		f := irtest.Frontend(kind, id, at, id)
		if i%4 == 0 {
			f.Affinity = 100
		}
		p.Frontends = append(p.Frontends, f)
	}
	p.Normalize()
	return p
}

// stable are connections to the Services that stay, from everywhere.
func stable() []testkit.Flow {
	var out []testkit.Flow
	for _, dst := range []string{"10.96.0.1:80", "192.168.9.1:30080", "203.0.113.2:80", "10.96.0.1:90", "203.0.113.3:90", "[fd00:96::1]:80"} {
		at := netip.MustParseAddrPort(dst)
		for i := range 6 {
			f := testkit.Flow{Dst: at.Addr(), Port: at.Port(), Protocol: ir.TCP, From: eval.FromOutside}
			// The load balancer's and the nodePort's source ranges and local
			// endpoints are met by these.
			f.Src = netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 10+i))
			if at.Addr().Is6() {
				f.Src = netip.MustParseAddr(fmt.Sprintf("2001:db8:2::%d", 10+i))
			}
			if i%2 == 0 {
				f.From, f.Src = eval.FromPod, netip.MustParseAddr("10.1.0.9")
				if at.Addr().Is6() {
					f.Src = netip.MustParseAddr("fd00:10:1::9")
				}
			}
			out = append(out, f)
		}
	}
	return out
}

func emitted(t testing.TB, backend string, seed uint64) applier.Entry {
	t.Helper()
	selected, err := registry.Select(backends.DefaultOptions(), backend)
	if err != nil {
		t.Fatal(err)
	}
	a, err := selected[0].Emit(program(seed))
	if err != nil {
		t.Fatal(err)
	}
	return applier.Entry{Backend: backend, Artifact: a}
}

// node is a rig with a plane that has the first program.
func node(t *testing.T, p plane) (*testkit.Rig, *applier.Applier) {
	t.Helper()
	testkit.Require(t, p.tools...)
	r := testkit.New(t, testkit.SpecFor(program(0), stable()))
	p.sockets(t, r)
	a := applier.New(map[string]applier.Dataplane{"nftables": planes()[0].make(), p.backend: p.make()}, applier.NewRecord(t.TempDir()))
	apply(t, r, a, emitted(t, p.backend, 0))
	return r, a
}

func apply(t *testing.T, r *testkit.Rig, a *applier.Applier, e applier.Entry) {
	t.Helper()
	err := r.Do(func() error {
		_, err := a.Apply(t.Context(), e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wrong are the stable flows that fail. Sockets that programs have sent to an endpoint keep
// their own source: there is no packet to masquerade.
func wrong(ctx context.Context, r *testkit.Rig, p plane) (failed []string, err error) {
	evaluate := eval.New(program(0)).Eval
	report, err := r.Check(ctx, stable(), evaluate, 2*time.Second)
	for _, d := range report.Disagreements {
		if p.Cgroup == "" || d.Flow.From == eval.FromOutside || compareSocket(d.Flow, d.Want, d.Got) != nil {
			failed = append(failed, d.String())
		}
	}
	return failed, err
}

// compareSocket is [testkit.Compare] of a connection that programs decided.
func compareSocket(f testkit.Flow, want eval.Result, got testkit.Outcome) error {
	if got.Fate != testkit.Answered || want.Verdict != eval.DNAT {
		return fmt.Errorf("want %v, got %v", want, got)
	}
	if !slices.ContainsFunc(want.Endpoints, func(c eval.Choice) bool { return c.Address == got.Endpoint }) || got.Source != f.Src {
		return fmt.Errorf("want one of %v from %v, got %v", want.Endpoints, f.Src, got)
	}
	return nil
}

// childVariable makes the test binary a process that applies two artifacts in
// turn, until it is killed.
const childVariable = "PLANEC_TEST_APPLY"

type childWork struct {
	Plane, Record string
	Place         place
	Artifacts     [2]applier.Entry
}

func TestMain(m *testing.M) {
	uml.Init()
	if path := os.Getenv(childVariable); path != "" {
		child(path)
	}
	os.Exit(m.Run())
}

func child(path string) {
	data, err := os.ReadFile(path)
	var w childWork
	if err == nil {
		err = json.Unmarshal(data, &w)
	}
	all := append(planes(), ebpfAt(w.Place))
	i := slices.IndexFunc(all, func(p plane) bool { return p.name == w.Plane })
	if err != nil || i < 0 {
		fmt.Fprintln(os.Stderr, err, strings.TrimSpace(w.Plane))
		os.Exit(2)
	}
	p := all[i]
	a := applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(w.Record))
	for n := 0; ; n++ {
		if _, err := a.Apply(context.Background(), w.Artifacts[n%2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
}
