package bpf_test

import (
	"slices"
	"testing"

	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
)

// fromNode is a program that denies port 22 of the first pod to everyone, the own node as
// well, and lets what comes from elsewhere to it pass and logs it.
func fromNode() *ir.Program {
	p := policed()
	ssh := []ir.PortRange{{Protocol: ir.TCP, First: 22, Last: 22}, {Protocol: ir.UDP, First: 22, Last: 22}}
	for i := range p.Policy.Profiles {
		if x := &p.Policy.Profiles[i]; x.ID == "shop/web" {
			x.Ingress[0].Rules = slices.Insert(
				x.Ingress[0].Rules, 0,
				ir.Rule{Action: ir.Deny, AnyPeer: true, Ports: ssh, OwnNode: true},
				ir.Rule{Action: ir.Log, Prefix: "opened ", AnyPeer: true, Ports: []ir.PortRange{{Protocol: ir.TCP, First: 80, Last: 80}}},
			)
		}
	}
	p.Normalize()
	return p
}

// TestVethOwnNode: what the node sends to a pod is judged where the pod's policies are
// about it, and only there; the pod's own connections to the node go on.
func TestVethOwnNode(t *testing.T) {
	each(t, func(w *wire, i int) {
		if err := w.hooks.Put(fromNode()); err != nil {
			t.Fatal(err)
		}
		send := func(name string, p vethtest.Packet, want bool) {
			t.Helper()
			w.wants(name, want)(w.hooks.To(p.Bytes(), true))
		}
		send("a port that is open to the node", tcp(node[i], web[i], 1000, 8080, vethtest.SYN), true)
		send("one that is denied", tcp(node[i], web[i], 1000, 22, vethtest.SYN), false)
		send("one that is denied, in the middle", tcp(node[i], web[i], 1001, 22, vethtest.ACK), false)
		send("a pod whose policies are not about the node", tcp(node[i], sealed[i], 1000, 22, vethtest.SYN), true)
		w.in("the node's address, forwarded: it was masqueraded", tcp(node[i], web[i], 1002, 22, vethtest.SYN), true)
		answer := tcp(web[i], node[i], 8080, 1000, vethtest.SYN|vethtest.ACK)
		w.out("the answer of the pod", answer, true)

		first := vethtest.Packet{Src: node[i], Dst: web[i], Protocol: vethtest.UDP, SrcPort: 7, DstPort: 8080, Data: make([]byte, 64), Fragment: &vethtest.Fragment{ID: 5, More: true}}
		later := first
		later.Fragment = &vethtest.Fragment{ID: 5, Offset: 72}
		send("a fragment before the first", later, false)
		send("the first fragment", first, true)
		send("a fragment after it", later, true)
		denied := first
		denied.DstPort, denied.Fragment = 22, &vethtest.Fragment{ID: 6, More: true}
		send("the first fragment of what is denied", denied, false)
		later.Fragment = &vethtest.Fragment{ID: 6, Offset: 72}
		send("a fragment after that", later, false)
		later.Dst = sealed[i]
		send("a fragment to a pod whose policies are not about the node", later, true)
	})
}

// TestVethLogs: the packet that opens a connection is counted, and no other.
func TestVethLogs(t *testing.T) {
	each(t, func(w *wire, i int) {
		if err := w.hooks.Put(fromNode()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.in("opening", tcp(peer[i], web[i], 1000, 80, vethtest.SYN), true)
		}
		w.in("going on", tcp(peer[i], web[i], 1000, 80, vethtest.ACK), true)
		w.in("not logged", vethtest.Packet{Src: peer[i], Dst: web[i], Protocol: vethtest.UDP, SrcPort: 9, DstPort: 53}, true)
		got, err := w.hooks.Logged()
		if err != nil || !slices.Equal(got, []string{"opened ", "opened ", "opened "}) {
			t.Errorf("%q, %v", got, err)
		}
	})
}
