package live

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestPoliciesThatLog: a pod whose policies log is not covered, its packets are counted, and
// what the node sends to a pod is judged where policies are about it.
func TestPoliciesThatLog(t *testing.T) {
	r := newPodRig(t)
	r.add(1)
	r.add(2)
	p := r.program(policies{ingress: map[int][]int{1: {2}, 2: {1}}})
	for i := range p.Policy.Profiles {
		x := &p.Policy.Profiles[i]
		port := []ir.PortRange{{Protocol: ir.TCP, First: 80, Last: 80}}
		if x.ID == "n/1" {
			x.Ingress[0].Rules = append([]ir.Rule{{Action: ir.Log, Prefix: "to-one", AnyPeer: true, Ports: port}}, x.Ingress[0].Rules...)
			continue
		}
		x.Ingress[0].Rules = append(x.Ingress[0].Rules, ir.Rule{Action: ir.Deny, AnyPeer: true, Ports: port, OwnNode: true})
	}
	r.put(p)
	r.attach()
	connect := func(from *netns, src, dst netip.Addr, want bool) {
		t.Helper()
		a := &attempt{from: from, Packet: eval.Packet{Src: src, Dst: dst, Protocol: ir.TCP, Port: 80}}
		if got := a.passes(want); got != want {
			t.Errorf("%v: passes %v", a.Packet, got)
		}
	}
	for family := range 2 {
		one, two := r.pods[1], r.pods[2]
		connect(two.netns, two.addrs[family], one.addrs[family], true)
		connect(one.netns, one.addrs[family], two.addrs[family], true)
		connect(r.node, r.nodeAddrs[family], one.addrs[family], true)
		connect(r.node, r.nodeAddrs[family], two.addrs[family], false)
	}
	img, err := image.New(backends.DefaultOptions()).Image(p)
	if err != nil {
		t.Fatal(err)
	}
	logged, err := r.interfaces.Logged(img)
	if err != nil || len(logged) != 2 {
		t.Fatalf("%+v, %v", logged, err)
	}
	if packets := logged[0].Packets + logged[1].Packets; logged[0].Prefix != "to-one" || packets < 2 {
		t.Errorf("%+v", logged)
	}
	if err := r.node.do(func() error {
		covered, err := r.interfaces.Covered()
		if err != nil {
			return err
		}
		reached, err := r.interfaces.Reached()
		want := slices.SortedFunc(slices.Values(r.pods[2].addrs), netip.Addr.Compare)
		if !slices.Equal(covered, want) || len(reached) != 4 {
			t.Errorf("covered %v, want %v; reached %v", covered, want, reached)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
