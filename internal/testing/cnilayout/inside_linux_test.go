package cnilayout_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir/eval"
)

func geneve(name string) testkit.Tunnel {
	return testkit.Tunnel{Kind: testkit.Geneve, Name: name, Port: 6081}
}

// geneves are nodes with a tunnel beside pods that are routed.
func geneves() []node {
	return []node{{name: "routed", preset: "calico", layout: testkit.Layout{Pods: proxyARP(), Tunnel: geneve("genev_sys_6081")}}}
}

func TestOverlayGeneve(t *testing.T) {
	onlyInside(t)
	run(t, geneves()...)
}

// TestOtherLayoutsIPVS is backend ipvs on the layouts that other backends are tested on
// outside.
func TestOtherLayoutsIPVS(t *testing.T) {
	onlyInside(t)
	ipvs := testkit.IPVS()
	for _, n := range slices.Concat(bridges()[:1], proxyARPs(), prefixed(), vxlans()[:1]) {
		t.Run(n.name, func(t *testing.T) {
			for _, name := range []string{"cluster-ip", "node-port", "policy-service"} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					n.serve(t, ipvs, byName(t, name))
				})
			}
		})
	}
}

// ownCard is a node whose pods have an address on the network card.
func ownCard(kind testkit.LinkKind) node {
	return node{preset: "bridge", detect: "none", layout: testkit.Layout{Pods: testkit.PodLink{Kind: kind}}}
}

// TestIPVLAN: packets of pods with an address on the network card pass it without the node's
// rules in mode L2, as with macvlan. In mode L3 rules see and translate what pods send, and
// not the answers, so that pods have no Services and no masqueraded egress.
func TestIPVLAN(t *testing.T) {
	onlyInside(t)
	t.Run("L2", func(t *testing.T) { ownCards(t, testkit.IPVLANL2) })
	t.Run("L3", func(t *testing.T) {
		wrong, agreed := ownCard(testkit.IPVLANL3).differences(t, "cluster-ip", "masq-agent")
		lost := 0
		for _, d := range wrong {
			if d.Flow.From != eval.FromPod && len(towardsPods(d)) == 0 {
				t.Errorf("this is not about a local pod: %v", d)
			}
			if d.Flow.From == eval.FromPod && d.Got.Fate == testkit.TimedOut {
				lost++
			}
		}
		if lost == 0 || agreed == 0 {
			t.Errorf("%d connections of pods were lost, %d flows agree", lost, agreed)
		}
	})
}

// TestIPVLANL3S: in mode L3S rules see both directions: pods reach Services whose endpoints
// are elsewhere, and are masqueraded. What goes to a local pod passes no rules on the way back.
func TestIPVLANL3S(t *testing.T) {
	onlyInside(t)
	wrong, agreed := ownCard(testkit.IPVLANL3S).differences(t, "cluster-ip", "masq-agent")
	for _, d := range wrong {
		if len(towardsPods(d)) == 0 {
			t.Errorf("this is not towards a local pod: %v", d)
		}
	}
	if agreed == 0 {
		t.Error("no flow agrees")
	}
}

// onOVS is a node whose pods are ports of an Open vSwitch bridge with a port for the node.
func onOVS(device string, switched bool) testkit.Layout {
	return testkit.Layout{Pods: testkit.PodLink{Kind: testkit.OnOVS, Device: device, NoBridgeRules: switched}}
}

// onOVSs are nodes whose preset recognises pods by the node's port, or by the podCIDR.
func onOVSs() []node {
	return []node{
		{name: "by-port", preset: "kube-ovn", layout: onOVS("ovn0", false)},
		{name: "by-range", preset: "antrea", layout: onOVS("antrea-gw0", false)},
	}
}

// TestOVS: pods are ports of the kernel's Open vSwitch datapath, whose flows send all packets
// of a pod to the node's port.
func TestOVS(t *testing.T) {
	onlyInside(t)
	run(t, onOVSs()...)
}

// TestOVSSwitched: where flows switch packets from pod to pod, answers between two pods of the
// node are not translated back, as on a bridge without bridge-nf-call-iptables. That is why
// such plugins serve connections of pods themselves.
func TestOVSSwitched(t *testing.T) {
	onlyInside(t)
	n := node{preset: "kube-ovn", layout: onOVS("ovn0", true)}
	wrong, agreed := n.differences(t, "cluster-ip", "hairpin", "policy-service")
	for _, d := range wrong {
		if to := towardsPods(d); d.Flow.From != eval.FromPod || len(to) == 0 || slices.Equal(to, []netip.Addr{d.Flow.Src}) {
			t.Errorf("this is not between two pods: %v", d)
		}
	}
	if len(wrong) == 0 || agreed == 0 {
		t.Errorf("%d flows differ, %d agree", len(wrong), agreed)
	}
}
