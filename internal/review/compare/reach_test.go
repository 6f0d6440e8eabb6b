package compare

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/compiler"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
)

// TestPathsAreTraces holds the paths that classes and tables give against
// following each connection in both states: between all pods, from and to nodes
// and the world outside.
func TestPathsAreTraces(t *testing.T) {
	counts := make(map[string]int)
	for seed := uint64(1); seed < 80; seed += 2 {
		before, after := twoStates(seed)
		c := newComparison(before, after, indexChanges(changedObjects(before.Objects, after.Objects)))
		pairs := matchPods(c.before.pods, c.after.pods)
		found := make(map[[2]string][]path)
		for _, p := range c.paths() {
			key := [2]string{p.from[0].class, p.to[0].class}
			found[key] = append(found[key], p)
		}
		everybody := everyEnd(c, pairs)
		for _, from := range everybody {
			for _, to := range everybody {
				if from.role == podRole || to.role == podRole {
					c.holds(t, seed, found, from, to, counts)
				}
			}
		}
	}
	for _, what := range []string{"opened", "closed", "same", "outside changed", "node changed"} {
		if counts[what] < 100 {
			t.Errorf("%s: only %d times in %v", what, counts[what], counts)
		}
	}
}

// twoStates are one random cluster with the policies, and some of the pods'
// labels, of two.
func twoStates(seed uint64) (before, after *State) {
	a, b := randomcluster.New(seed).Objects, randomcluster.New(seed).Objects
	other := randomcluster.New(seed + 1000).Objects
	a.Services, b.Services, a.EndpointSlices, b.EndpointSlices = nil, nil, nil, nil
	if seed%4 == 1 {
		b.NetworkPolicies = other.NetworkPolicies
	} else {
		b.ClusterNetworkPolicies, b.AdminNetworkPolicies = other.ClusterNetworkPolicies, other.AdminNetworkPolicies
	}
	for i := range b.Pods {
		if i%5 == 0 {
			b.Pods[i].Object.Labels["color"] = "green"
		}
	}
	return NewState(&a, compiler.Prepare(&a, objects.Config{})), NewState(&b, compiler.Prepare(&b, objects.Config{}))
}

// anEnd is one end of a connection with the class it belongs to.
type anEnd struct {
	role          role
	class         string
	before, after clusterwide.Ends
}

func everyEnd(c *comparison, pairs []pair) []anEnd {
	var out []anEnd
	for _, p := range pairs {
		if p.before != nil && p.after != nil {
			b, a := endsOf(p.before), endsOf(p.after)
			out = append(out, anEnd{podRole, c.before.Signature(&b) + " | " + c.after.Signature(&a), b, a})
		}
	}
	for _, e := range c.all {
		if e.role != podRole && e.node == nil {
			out = append(out, anEnd{e.role, e.class, e.before, e.after})
		}
	}
	return out
}

func (c *comparison) holds(t *testing.T, seed uint64, found map[[2]string][]path, from, to anEnd, counts map[string]int) {
	t.Helper()
	src, dst, ok := common(&from.before, &to.before)
	if !ok || src == dst || sameNode(c, src, dst) {
		return
	}
	for _, port := range []netpath.Port{{Protocol: ir.TCP, Number: 80}, {Protocol: ir.TCP, Number: 8080}, {Protocol: ir.TCP, Number: 8082}, {Protocol: ir.UDP, Number: 53}, {Protocol: ir.TCP, Number: 1}, {Protocol: ir.SCTP, Number: 65535}} {
		was, is := c.traces(t, c.before, src, dst, port), c.traces(t, c.after, src, dst, port)
		opened, closed := false, false
		for _, p := range found[[2]string{from.class, to.class}] {
			if p.ports.Contains(port.Protocol, port.Number) {
				opened, closed = opened || p.opened, closed || !p.opened
			}
		}
		if opened != (is && !was) || closed != (was && !is) {
			t.Fatalf("seed %d: %v to %v, port %v: traces say %v and then %v; paths say opened %v, closed %v", seed, src, dst, port, was, is, opened, closed)
		}
		switch {
		case opened:
			counts["opened"]++
		case closed:
			counts["closed"]++
		default:
			counts["same"]++
		}
		if (opened || closed) && (from.role == outsideRole || to.role == outsideRole) {
			counts["outside changed"]++
		}
		if (opened || closed) && (from.role == nodeRole || to.role == nodeRole) {
			counts["node changed"]++
		}
	}
}

// sameNode reports whether a node and a pod of it are the ends: it reaches its own
// pods in any case, and sentences are about other nodes.
func sameNode(c *comparison, src, dst netip.Addr) bool {
	a, b := c.before.state.Network.Owner(src), c.before.state.Network.Owner(dst)
	return (a.Host || b.Host) && a.Node == b.Node
}

func (c *comparison) traces(t *testing.T, x *side, src, dst netip.Addr, port netpath.Port) bool {
	t.Helper()
	place := x.state.Network.Owner(src)
	o, err := x.state.Network.Trace(netpath.Connection{Src: src, Dst: dst, Protocol: port.Protocol, Port: port.Number, FromHost: place.Host, Node: place.Node})
	if err != nil {
		t.Fatal(err)
	}
	return o.Reaches()
}
