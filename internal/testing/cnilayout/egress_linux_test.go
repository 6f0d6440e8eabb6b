package cnilayout_test

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// TestEgress: where a plugin leaves the masquerade to the node, the preset does what the rule
// does that administrators of such nodes write:
//
//	iptables -t nat -A POSTROUTING ! -d 10.0.0.0/8 -o eth0 -j MASQUERADE
//
// but for link-local destinations, which it leaves alone as ip-masq-agent does.
func TestEgress(t *testing.T) {
	t.Parallel()
	for _, k := range kernels() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()
			testkit.Require(t, append(k.Tools, "iptables")...)
			n := node{preset: "kubenet", layout: testkit.Layout{Pods: bridge("cbr0")}}
			c := byName(t, "cluster-ip")
			settings := given(t, c)
			s := n.system(t)
			settings.Network(s, s.Preset(), nil)
			p, o := compileWith(t, settings, c)
			_, load := prepared(t, k, p, o, c)
			byHand := func(r *testkit.Rig) error {
				_, err := r.Run("", "iptables", "-t", "nat", "-A", "POSTROUTING", "!", "-d", "10.0.0.0/8", "-o", "eth0", "-j", "MASQUERADE")
				return err
			}
			ours, theirs := sources(t, n.layout, p, load), sources(t, n.layout, p, byHand)
			for i, e := range leaving() {
				if masqueraded := ours[i] != e.flow.Src; masqueraded != e.masquerade {
					t.Errorf("%v: the preset's source is %v", e.flow, ours[i])
				}
				if (ours[i] != theirs[i]) != e.differs {
					t.Errorf("%v: the preset's source is %v, the rule's %v", e.flow, ours[i], theirs[i])
				}
			}
		})
	}
}

// departure is a connection that leaves a node.
type departure struct {
	flow       testkit.Flow
	masquerade bool
	differs    bool // whether the rule by hand does otherwise
}

// leaving are connections of a pod and of others.
func leaving() []departure {
	from := func(entry eval.Entry, src, dst string) testkit.Flow {
		return testkit.Flow{From: entry, Src: netip.MustParseAddr(src), Dst: netip.MustParseAddr(dst), Protocol: ir.TCP, Port: 443}
	}
	const pod, self = "10.244.1.99", "192.0.2.11"
	return []departure{
		{from(eval.FromPod, pod, "203.0.113.50"), true, false},
		{from(eval.FromPod, pod, "172.16.3.4"), true, false},
		{from(eval.FromPod, pod, "11.0.0.1"), true, false},
		{from(eval.FromPod, pod, "10.200.0.9"), false, false},
		{from(eval.FromPod, pod, "10.244.2.99"), false, false},
		{from(eval.FromPod, pod, self), false, false},
		{from(eval.FromPod, pod, "169.254.169.254"), false, true},
		{from(eval.FromNode, self, "203.0.113.50"), false, false},
		{from(eval.FromOutside, "203.0.113.7", pod), false, false},
	}
}

// sources returns the source that the other end of each departing connection saw.
func sources(t *testing.T, l testkit.Layout, p *ir.Program, load func(*testkit.Rig) error) (list []netip.Addr) {
	t.Helper()
	var flows []testkit.Flow
	for _, e := range leaving() {
		flows = append(flows, e.flow)
	}
	spec := testkit.SpecFor(p, flows)
	spec.Layout = l
	r := testkit.New(t, spec)
	if err := load(r); err != nil {
		t.Fatal(err)
	}
	outcomes, err := r.Try(t.Context(), flows, testkit.Patience)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range outcomes {
		if got.Fate != testkit.Answered || got.Endpoint != flows[i].Destination() {
			t.Errorf("%v: %v", flows[i], got)
		}
		list = append(list, got.Source)
	}
	return list
}
