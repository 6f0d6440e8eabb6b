package ebpf_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	interp "github.com/planec/planec/internal/interp/ebpf"
	"github.com/planec/planec/internal/testing/interptest"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/resolve"
)

var (
	policyPrograms = flag.Int("policy-programs", 400, "how many random programs with policies to try")
	policyPackets  = flag.Int("policy-packets", 400, "how many packets to try in each")
)

// TestPolicies compares the interpreter with the evaluator on random programs
// with policies.
func TestPolicies(t *testing.T) {
	b := image.New(backends.DefaultOptions())
	count := interptest.RunPolicies(t, b, func(_ *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		img, err := image.Read(a.File(image.ImageFile))
		if err != nil {
			return nil, err
		}
		n := interp.New(img)
		return func(p eval.Packet) (eval.Result, error) { return n.Eval(p), nil }, nil
	}, *seed, *policyPrograms, *policyPackets)
	t.Log(count)
}

// TestDialects does the same with what only other dialects than Kubernetes' have: ICMP,
// protocols by number, source ports, logs, packets from the own node, the node itself.
func TestDialects(t *testing.T) {
	b := image.New(backends.DefaultOptions())
	t.Log(interptest.RunDialects(t, b, func(_ *ir.Program, a backends.Artifact) (func(eval.Packet) (eval.Result, error), error) {
		img, err := image.Read(a.File(image.ImageFile))
		if err != nil {
			return nil, err
		}
		n := interp.New(img)
		return func(p eval.Packet) (eval.Result, error) { return n.Eval(p), nil }, nil
	}, *seed, *policyPrograms, *policyPackets))
}

// TestEveryPort compares every port of a pod and a peer, including the limits of
// the prefixes of ranges.
func TestEveryPort(t *testing.T) {
	for s := range uint64(6) {
		rng := rand.New(rand.NewPCG(s, 5))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomPolicy(rng, p)
		p.Frontends, p.Pools, p.ClusterIPs, p.Node.ServiceCIDRs = nil, nil, nil, nil
		if err := ir.Verify(p); err != nil {
			t.Fatal(err)
		}
		e, n := eval.New(p), interp.New(readBack(t, p))
		src := p.Policy.Profiles[0].Pods[0].Addresses[0]
		dst := netip.MustParseAddr("fd00:10:9::9")
		if src.Is4() {
			dst = netip.MustParseAddr("10.1.9.9")
		}
		for _, proto := range ir.Protocols() {
			for port := range 1 << 16 {
				packet := eval.Packet{Src: src, Dst: dst, Protocol: proto, Port: uint16(port), From: eval.FromPod}
				if want, got := e.Eval(packet).Verdict, n.Eval(packet).Verdict; want != got {
					t.Fatalf("seed %d: %v: want %v, got %v", s, packet, want, got)
				}
			}
		}
	}
}

// TestEveryAddress compares the limits of every prefix, and the addresses next to
// them, in both families.
func TestEveryAddress(t *testing.T) {
	asked := 0
	for s := range uint64(60) {
		rng := rand.New(rand.NewPCG(s, 6))
		p := irtest.RandomProgram(rng)
		irtest.AddRandomPolicy(rng, p)
		e, n := eval.New(p), interp.New(readBack(t, p))
		resolved := resolve.New(&p.Policy, nil)
		var peers []netip.Addr
		for _, f := range ir.Families() {
			for _, r := range resolve.Ranges(resolved.Networks, f) {
				peers = append(peers, r.First, r.Last, r.First.Prev(), r.Last.Next())
			}
		}
		for _, h := range resolved.Hosts {
			peers = append(peers, h.Address)
		}
		// On the wire this is an IPv6 packet despite its address.
		peers = append(peers, netip.MustParseAddr("::ffff:10.1.0.2"), netip.MustParseAddr("::ffff:10.1.0.200"))
		for _, profile := range p.Policy.Profiles {
			pod := profile.Pods[0].Addresses[0]
			for _, peer := range peers {
				if !peer.IsValid() || peer.Is4() != pod.Is4() {
					continue
				}
				asked++
				for _, packet := range []eval.Packet{
					{Src: pod, Dst: peer, Protocol: ir.TCP, Port: 8080, From: eval.FromPod},
					{Src: peer, Dst: pod, Protocol: ir.UDP, Port: 8999, From: eval.FromOutside},
					{Src: peer, Dst: pod, Protocol: ir.ICMP, From: eval.FromOutside},
				} {
					want, got := e.Eval(packet), n.Eval(packet)
					if err := compare(want, got); err != nil {
						t.Fatalf("seed %d: %v: %v\n%v", s, packet, err, want.Steps)
					}
				}
			}
		}
	}
	if asked < 1000 {
		t.Errorf("only %d peers", asked)
	}
}

// TestExplain wants names in the steps if the image has symbols, and the same
// verdicts if it has none.
func TestExplain(t *testing.T) {
	p := &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	origin := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", Path: "spec.ingress[0]"}
	p.Policy = ir.Policy{
		OnDeny: ir.Reject,
		Profiles: []ir.Profile{{
			ID: "shop/web/1f3a", Pods: []ir.Pod{{Namespace: "shop", Name: "web-0", Addresses: irtest.Addrs("10.1.0.2")}},
			Ingress: []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{origin.At("spec")}, Rules: []ir.Rule{
				{Action: ir.Accept, Peers: []string{"app=db"}, Ports: []ir.PortRange{{Protocol: ir.TCP, First: 80, Last: 80}}, Origin: origin},
			}}},
		}},
		AddressSets: []ir.AddressSet{{ID: "app=db", Addresses: irtest.Addrs("10.1.1.9")}},
		Peers:       []ir.Peer{{Address: netip.MustParseAddr("10.1.1.9"), Namespace: "shop", Name: "db-0"}},
	}
	for port, want := range map[uint16]struct {
		verdict eval.Verdict
		step    string
	}{
		80: {eval.Pass, "ingress shop/web-0 (10.1.0.2) from 10.1.1.9, 80/TCP: class %08x (app=db), row %x of profile shop/web/1f3a: accepted NetworkPolicy shop/web"},
		81: {eval.Reject, "ingress shop/web-0 (10.1.0.2) from 10.1.1.9, 81/TCP: class %08x (app=db), row %x of profile shop/web/1f3a: denied NetworkPolicy shop/web"},
	} {
		packet := eval.Packet{Src: netip.MustParseAddr("10.1.1.9"), Dst: netip.MustParseAddr("10.1.0.2"), Protocol: ir.TCP, Port: port, From: eval.FromOutside}
		img := readBack(t, p)
		got := interp.New(img).Eval(packet)
		step := got.Steps[0]
		text := fmt.Sprintf(want.step, resolve.New(&p.Policy, nil).Classes[0].ID, layout.PolicyID(img.Map(layout.Rows).Value(0)))
		if line := step.Stage + " " + step.Text + " " + step.Origin.Object(); got.Verdict != want.verdict || !strings.EqualFold(line, text) {
			t.Errorf("%v: %s\nwant %v: %s", got.Verdict, line, want.verdict, text)
		}
		bare, err := image.New(backends.Options{NoComments: true}).Image(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := interp.New(bare).Eval(packet); got.Verdict != want.verdict || strings.Contains(got.Steps[0].Text, "shop") {
			t.Errorf("without symbols: %v %v", got.Verdict, got.Steps)
		}
	}
}
