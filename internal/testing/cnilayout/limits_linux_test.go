package cnilayout_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir/eval"
)

// differences makes the flows of golden cases on a layout, in the first kernel, and returns
// those that the evaluator answers otherwise.
func (n node) differences(t *testing.T, names ...string) (list []testkit.Disagreement, agreed int) {
	t.Helper()
	k := kernels()[0]
	testkit.Require(t, k.Tools...)
	for _, name := range names {
		c := byName(t, name)
		p, o := n.compile(t, c)
		flows, load := prepared(t, k, p, o, c)
		r := testkit.Differences(t, n.layout, p, flows, load)
		list = append(list, r.Disagreements...)
		for _, count := range r.Agreed {
			agreed += count
		}
	}
	return list, agreed
}

// podsOfNode is the range of the pods on the node of golden cases.
func podsOfNode() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("10.244.1.0/24"), netip.MustParsePrefix("fd00:10:244:1::/64")}
}

func isPod(a netip.Addr) bool {
	return slices.ContainsFunc(podsOfNode(), func(p netip.Prefix) bool { return p.Contains(a) })
}

// towardsPods are the local pods that a flow may come to.
func towardsPods(d testkit.Disagreement) (list []netip.Addr) {
	if isPod(d.Flow.Dst) {
		list = append(list, d.Flow.Dst)
	}
	for _, e := range d.Want.Endpoints {
		if isPod(e.Address.Addr()) {
			list = append(list, e.Address.Addr())
		}
	}
	return list
}

// TestBridgeWithoutRules: where bridge-nf-call-iptables is off, answers between two pods of a
// bridge pass no rules, so that they are not translated back, and no policy is asked.
// Everything else is as it should be, a pod that gets itself included.
func TestBridgeWithoutRules(t *testing.T) {
	t.Parallel()
	link := bridge("cbr0")
	link.NoBridgeRules = true
	n := node{preset: "kubenet", layout: testkit.Layout{Pods: link}}
	wrong, agreed := n.differences(t, "cluster-ip", "hairpin", "node-port", "policy-service")
	for _, d := range wrong {
		if to := towardsPods(d); d.Flow.From != eval.FromPod || len(to) == 0 || slices.Equal(to, []netip.Addr{d.Flow.Src}) {
			t.Errorf("this is not between two pods: %v", d)
		}
	}
	if len(wrong) == 0 || agreed == 0 {
		t.Errorf("%d flows differ, %d agree", len(wrong), agreed)
	}
}

// TestBridgeWithoutHairpin: a bridge without hairpin mode loses the packets of a pod to a
// Service that gives it itself, where rules see what the bridge passes on; and loses no other.
func TestBridgeWithoutHairpin(t *testing.T) {
	t.Parallel()
	link := bridge("cbr0")
	link.NoHairpin = true
	n := node{preset: "kubenet", layout: testkit.Layout{Pods: link}}
	wrong, agreed := n.differences(t, "cluster-ip", "hairpin")
	for _, d := range wrong {
		if to := towardsPods(d); d.Flow.From != eval.FromPod || !slices.Contains(to, d.Flow.Src) {
			t.Errorf("this is not from a pod to itself: %v", d)
		}
	}
	if len(wrong) == 0 || agreed == 0 {
		t.Errorf("%d flows differ, %d agree", len(wrong), agreed)
	}
	link.NoBridgeRules = true
	n.layout.Pods = link
	if wrong, agreed = n.differences(t, "hairpin"); agreed == 0 {
		t.Error("nothing agrees")
	}
	for _, d := range wrong {
		if to := towardsPods(d); slices.Equal(to, []netip.Addr{d.Flow.Src}) {
			t.Errorf("without rules at the bridge the node routes it: %v", d)
		}
	}
}

// TestMACVLAN: packets of pods with cards of their own pass the network card without the node,
// which cannot reach them either: Services have no endpoints there, pods no Services, and
// no policy holds. What goes to endpoints of other nodes is served.
func TestMACVLAN(t *testing.T) {
	t.Parallel()
	ownCards(t, testkit.MACVLAN)
}

// ownCards tests a layout whose pods' packets the node does not see.
func ownCards(t *testing.T, kind testkit.LinkKind) {
	t.Helper()
	// All endpoints of this one are on other nodes.
	if wrong, agreed := ownCard(kind).differences(t, "itp-local-elsewhere"); agreed == 0 || slices.ContainsFunc(wrong, func(d testkit.Disagreement) bool { return d.Flow.From != eval.FromPod }) {
		t.Errorf("%d flows to other nodes agree; %v", agreed, wrong)
	}
	wrong, agreed := ownCard(kind).differences(t, "cluster-ip", "masq-agent", "policy-service")
	past := 0
	for _, d := range wrong {
		fromPod := d.Flow.From == eval.FromPod
		if !fromPod && len(towardsPods(d)) == 0 {
			t.Errorf("this is not about a local pod: %v", d)
		}
		if fromPod && !isPod(d.Flow.Dst) && (d.Got.Endpoint != d.Flow.Destination() || d.Got.Source != d.Flow.Src) {
			t.Errorf("this packet did not leave as it was: %v", d)
		}
		if fromPod && d.Want.Verdict == eval.DNAT && d.Got.Endpoint == d.Flow.Destination() {
			past++
		}
	}
	if past == 0 || agreed == 0 {
		t.Errorf("%d connections of pods to Services passed the node, %d flows agree", past, agreed)
	}
}
