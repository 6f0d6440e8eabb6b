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
}

func planes() []plane {
	return []plane{
		{"nftables", "nftables", []string{"nft"}, func() applier.Dataplane { return dataplane.All()["nftables"] }},
		{"iptables-legacy", "iptables", []string{"ipset", "iptables-legacy-restore", "ip6tables-legacy-restore"}, func() applier.Dataplane { return dataplane.IPTables("legacy") }},
		{"iptables-nft", "iptables", []string{"ipset", "iptables-nft-restore", "ip6tables-nft-restore"}, func() applier.Dataplane { return dataplane.IPTables("nft") }},
	}
}

// ebpfPlane keeps its maps in a BPF file system of the test's own.
func ebpfPlane(t testing.TB) plane {
	t.Helper()
	dir := testkit.BPFFS(t)
	return plane{"ebpf", "ebpf", nil, func() applier.Dataplane { return dataplane.EBPF(dir) }}
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
	a := applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(t.TempDir()))
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

// wrong are the stable flows that fail.
func wrong(ctx context.Context, r *testkit.Rig) (failed []string, err error) {
	report, err := r.Check(ctx, stable(), eval.New(program(0)).Eval, 2*time.Second)
	for _, d := range report.Disagreements {
		failed = append(failed, d.String())
	}
	return failed, err
}

// childVariable makes the test binary a process that applies two artifacts in
// turn, until it is killed.
const childVariable = "PLANEC_TEST_APPLY"

type childWork struct {
	Plane, Record string
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
	i := slices.IndexFunc(planes(), func(p plane) bool { return p.name == w.Plane })
	if err != nil || i < 0 {
		fmt.Fprintln(os.Stderr, err, strings.TrimSpace(w.Plane))
		os.Exit(2)
	}
	p := planes()[i]
	a := applier.New(map[string]applier.Dataplane{p.backend: p.make()}, applier.NewRecord(w.Record))
	for n := 0; ; n++ {
		if _, err := a.Apply(context.Background(), w.Artifacts[n%2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
	}
}
