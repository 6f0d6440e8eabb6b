package bpf_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/planec/planec/internal/testing/vethtest"
	"github.com/planec/planec/ir"
)

// The ends of the connections: a pod that may be reached at 80/TCP, 53/UDP, 9/SCTP and may
// reach 53/UDP and the ICMP of its peer, a pod that is sealed, and a peer elsewhere.
var (
	web    = ends("10.1.0.2", "fd00:10:1::2")
	sealed = ends("10.1.0.4", "fd00:10:1::4")
	peer   = ends("10.1.9.9", "fd00:10:9::9")
	other  = ends("10.1.9.10", "fd00:10:9::10")
	node   = ends("192.0.2.1", "2001:db8::1")
)

func ends(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

// policed is the program with these ends.
func policed() *ir.Program {
	port := func(p ir.Protocol, n uint16) ir.PortRange { return ir.PortRange{Protocol: p, First: n, Last: n} }
	tier := func(rules ...ir.Rule) []ir.Tier {
		return []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "n"}}, Rules: rules}}
	}
	p := &ir.Program{Node: ir.Node{Name: "a", Addresses: node, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Policy = ir.Policy{
		OnDeny: ir.Drop,
		Profiles: []ir.Profile{
			{
				ID: "shop/sealed", Pods: []ir.Pod{{Namespace: "shop", Name: "sealed", Addresses: sealed}},
				Ingress: tier(), Egress: tier(),
			},
			{
				ID: "shop/web", Pods: []ir.Pod{{Namespace: "shop", Name: "web", Addresses: web}},
				Ingress: tier(ir.Rule{Action: ir.Accept, AnyPeer: true, Ports: []ir.PortRange{port(ir.TCP, 80), port(ir.UDP, 53), port(ir.SCTP, 9)}}),
				Egress:  tier(ir.Rule{Action: ir.Accept, Peers: []string{"peer"}, Ports: []ir.PortRange{port(ir.UDP, 53)}}),
			},
		},
		AddressSets: []ir.AddressSet{{ID: "peer", Addresses: peer}},
		Peers:       []ir.Peer{{Address: peer[0], Namespace: "shop", Name: "peer"}, {Address: peer[1], Namespace: "shop", Name: "peer"}},
	}
	p.Normalize()
	return p
}

// wire sends packets by the hooks of a pod.
type wire struct {
	*testing.T
	hooks *vethtest.Hooks
}

func newWire(t *testing.T) *wire {
	w := &wire{t, vethtest.New(t)}
	if err := w.hooks.Put(policed()); err != nil {
		t.Fatal(err)
	}
	return w
}

// out is what the pod sends, in what it is sent.
func (w *wire) out(name string, p vethtest.Packet, want bool) {
	w.Helper()
	w.wants(name, want)(w.hooks.From(p.Bytes()))
}

func (w *wire) in(name string, p vethtest.Packet, want bool) {
	w.Helper()
	w.wants(name, want)(w.hooks.To(p.Bytes(), false))
}

func (w *wire) wants(name string, want bool) func(bool, error) {
	return func(got bool, err error) {
		w.Helper()
		if got != want || err != nil {
			w.Errorf("%s: passes %v, want %v (%v)", name, got, want, err)
		}
	}
}

// each runs a test in both families.
func each(t *testing.T, f func(w *wire, i int)) {
	for i, name := range []string{"IPv4", "IPv6"} {
		t.Run(name, func(t *testing.T) { f(newWire(t), i) })
	}
}

func tcp(from, to netip.Addr, sport, dport uint16, flags uint8) vethtest.Packet {
	return vethtest.Packet{Src: from, Dst: to, Protocol: vethtest.TCP, SrcPort: sport, DstPort: dport, Flags: flags}
}

func udp(from, to netip.Addr, sport, dport uint16) vethtest.Packet {
	return vethtest.Packet{Src: from, Dst: to, Protocol: vethtest.UDP, SrcPort: sport, DstPort: dport, Data: []byte("data")}
}

// TestVethConnections: what is accepted goes on in both directions, and nothing else does.
func TestVethConnections(t *testing.T) {
	each(t, func(w *wire, i int) {
		syn := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		answer := syn.Reply()
		answer.Flags = vethtest.SYN | vethtest.ACK
		w.out("an answer to nothing", answer, false)
		w.in("opening", syn, true)
		w.out("its answer", answer, true)
		ack := syn
		ack.Flags = vethtest.ACK
		w.in("the rest of it", ack, true)
		w.out("the rest of it, from the pod", tcp(web[i], peer[i], 80, 1000, vethtest.ACK), true)
		long := ack
		long.Options, long.Headers = make([]byte, 8), []uint8{vethtest.Destination}
		w.in("the rest of it, with options", long, true)
		long.SrcPort++
		w.in("another port, with options", long, false)
		w.out("another port", tcp(web[i], peer[i], 80, 1001, vethtest.ACK), false)
		alone := tcp(peer[i], web[i], 4000, 80, vethtest.SYN|vethtest.ACK)
		w.in("an answer that policies accept", alone, true)
		w.out("which opens nothing", tcp(web[i], peer[i], 80, 4000, vethtest.ACK), false)
		w.out("another protocol", udp(web[i], peer[i], 80, 1000), false)
		w.out("the pod opens the same", tcp(web[i], peer[i], 80, 1000, vethtest.SYN), false)
		w.in("a port that is closed", tcp(peer[i], web[i], 1000, 81, vethtest.SYN), false)
		w.in("in the middle of a connection that is not known", tcp(peer[i], web[i], 2000, 80, vethtest.ACK), false)
		w.out("DNS", udp(web[i], peer[i], 3000, 53), true)
		w.in("DNS answers", udp(peer[i], web[i], 53, 3000), true)
		w.in("DNS answers another", udp(peer[i], web[i], 53, 3001), false)
		w.in("DNS of another", udp(other[i], web[i], 53, 3000), false)
		init := vethtest.Packet{Src: peer[i], Dst: web[i], Protocol: vethtest.SCTP, SrcPort: 7, DstPort: 9, Chunk: 1}
		w.in("SCTP opens", init, true)
		data := init.Reply()
		data.Chunk = 2
		w.out("SCTP answers", data, true)
		data.DstPort = 8
		w.out("SCTP of another port", data, false)
	})
}

// TestVethNode: what the node sends passes and is answered; what it is sent is judged.
func TestVethNode(t *testing.T) {
	each(t, func(w *wire, i int) {
		syn := tcp(node[i], sealed[i], 1000, 99, vethtest.SYN)
		passes, err := w.hooks.To(syn.Bytes(), true)
		w.wants("the node to a sealed pod", true)(passes, err)
		answer := syn.Reply()
		answer.Flags = vethtest.SYN | vethtest.ACK
		w.out("its answer", answer, true)
		w.out("a sealed pod to the node", tcp(sealed[i], node[i], 1000, 99, vethtest.SYN), false)
		w.in("the node's address, forwarded", tcp(node[i], sealed[i], 1001, 99, vethtest.SYN), true)
		w.in("a peer to a sealed pod", tcp(peer[i], sealed[i], 1000, 99, vethtest.SYN), false)
	})
}

// TestVethOutlivesPolicies: an accepted connection goes on when the policies no longer accept it,
// and cannot be opened again.
func TestVethOutlivesPolicies(t *testing.T) {
	each(t, func(w *wire, i int) {
		syn := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		w.in("opening", syn, true)
		p := policed()
		p.Policy.Profiles[1].Ingress[0].Rules = nil
		if err := w.hooks.Put(p); err != nil {
			t.Fatal(err)
		}
		w.in("it goes on", tcp(peer[i], web[i], 1000, 80, vethtest.ACK), true)
		w.out("it goes on, from the pod", tcp(web[i], peer[i], 80, 1000, vethtest.ACK), true)
		w.in("it opens again", syn, false)
		w.in("another opens", tcp(peer[i], web[i], 1001, 80, vethtest.SYN), false)
	})
}

// TestVethICMP: requests are judged, their answers follow, and errors belong to connections.
func TestVethICMP(t *testing.T) {
	each(t, func(w *wire, i int) {
		protocol, request, answer, unreachable := uint8(vethtest.ICMP), uint8(8), uint8(0), uint8(3)
		if i == 1 {
			protocol, request, answer, unreachable = vethtest.ICMPv6, 128, 129, 1
		}
		echo := func(from, to netip.Addr, kind uint8, id uint16) vethtest.Packet {
			return vethtest.Packet{Src: from, Dst: to, Protocol: protocol, Type: kind, ID: id}
		}
		w.in("a request to a policed pod", echo(peer[i], web[i], request, 1), false)
		passes, err := w.hooks.To(echo(node[i], web[i], request, 2).Bytes(), true)
		w.wants("a request of the node", true)(passes, err)
		w.out("its answer", echo(web[i], node[i], answer, 2), true)
		w.out("an answer to another", echo(web[i], node[i], answer, 3), false)
		w.out("a request of the pod, of the same number", echo(web[i], node[i], request, 2), false)

		passes, err = w.hooks.To(echo(node[i], web[i], request, 0).Bytes(), true)
		w.wants("a request of the node with number 0", true)(passes, err)
		w.out("its answer", echo(web[i], node[i], answer, 0), true)
		w.out("a request of the pod with number 0", echo(web[i], node[i], request, 0), false)

		report := func(from, to netip.Addr, about vethtest.Packet) vethtest.Packet {
			ip := about.IP()
			return vethtest.Packet{Src: from, Dst: to, Protocol: protocol, Type: unreachable, Data: ip[:min(len(ip), len(ip)-len(about.Data)-12)]}
		}
		syn := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		w.out("an error about nothing", report(web[i], peer[i], syn), false)
		w.in("opening", syn, true)
		w.out("an error about a connection", report(web[i], peer[i], syn), true)
		w.out("to another than its peer", report(web[i], other[i], syn), false)
		w.out("about what the pod has sent itself", report(web[i], peer[i], syn.Reply()), false)
		w.in("about what the pod has sent, by a router", report(other[i], web[i], tcp(web[i], peer[i], 80, 1000, vethtest.ACK)), true)
		w.in("about what it has not sent", report(other[i], web[i], tcp(web[i], peer[i], 80, 1001, vethtest.ACK)), false)
		w.out("a sealed pod about another's connection", report(sealed[i], peer[i], syn), false)
	})
}

// TestVethNeighbours: nothing keeps a pod from finding its neighbours.
func TestVethNeighbours(t *testing.T) {
	w := newWire(t)
	for kind := range uint8(255) {
		p := vethtest.Packet{Src: sealed[1], Dst: peer[1], Protocol: vethtest.ICMPv6, Type: kind}
		w.out("neighbour discovery", p, kind >= 133 && kind <= 137)
	}
	arp := append([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x06}, make([]byte, 28)...)
	passes, err := w.hooks.From(arp)
	w.wants("ARP", true)(passes, err)
	v4 := vethtest.Packet{Src: sealed[0], Dst: peer[0], Protocol: vethtest.ICMPv6, Type: 135}
	w.out("ICMPv6 in IPv4", v4, false)
}

// TestVethFragments: the other fragments follow the first one, in its direction only.
func TestVethFragments(t *testing.T) {
	each(t, func(w *wire, i int) {
		first := udp(web[i], peer[i], 3000, 53)
		first.Fragment = &vethtest.Fragment{ID: 7, More: true}
		later := first
		later.Fragment = &vethtest.Fragment{ID: 7, Offset: 1480}
		w.out("before the first", later, false)
		w.out("the first", first, true)
		w.out("the second", later, true)
		w.in("the same to the pod", later, true) // the destination is no pod of this node
		w.in("a fragment to the pod", later.Reply(), false)
		later.Fragment = &vethtest.Fragment{ID: 8, Offset: 1480}
		w.out("of another packet", later, false)
		denied := udp(web[i], other[i], 3000, 53)
		denied.Fragment = &vethtest.Fragment{ID: 9, More: true}
		w.out("a first one that is denied", denied, false)
		denied.Fragment = &vethtest.Fragment{ID: 9, Offset: 8}
		w.out("what follows it", denied, false)
		free := denied
		free.Src = other[i]
		free.Dst = peer[i]
		w.out("of a pod without policies", free, true)
		first.Fragment, later.Fragment = &vethtest.Fragment{ID: 20, More: true}, &vethtest.Fragment{ID: 20, Offset: 1480}
		w.out("a first one of a known connection", first, true)
		w.out("what follows it", later, true)
		toSealed := udp(other[i], sealed[i], 1, 2)
		toSealed.Fragment = &vethtest.Fragment{ID: 21, More: true}
		w.out("a first one that its pod may send", toSealed, true)
		toSealed.Fragment = &vethtest.Fragment{ID: 21, Offset: 8}
		w.in("what follows it, to a pod that must not get it", toSealed, false)
		short := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		short.Fragment = &vethtest.Fragment{ID: 10, More: true}
		w.in("a first one with a header of TCP", short, true)
		b := short.Bytes()
		cut := b[:len(b)-12]
		if i == 0 {
			cut[17] -= 12
		} else {
			cut[19] -= 12
		}
		passes, err := w.hooks.To(cut, false)
		w.wants("a first one with a part of it", false)(passes, err)
	})
}

// TestVethHeaders: headers in front of the transport's are passed over, up to a bound.
func TestVethHeaders(t *testing.T) {
	w := newWire(t)
	p := udp(web[0], peer[0], 3000, 53)
	for n := range 11 {
		p.Options = make([]byte, 4*n)
		p.SrcPort++
		w.out("IPv4 options", p, true)
		p.DstPort = 54
		w.out("IPv4 options, a closed port", p, false)
		p.DstPort = 53
	}
	p = udp(web[1], peer[1], 3000, 53)
	kinds := []uint8{vethtest.HopByHop, vethtest.Routing, vethtest.Destination, vethtest.AH}
	for n := range 20 {
		p.Headers = append(p.Headers, kinds[n%len(kinds)])
		p.SrcPort++
		w.out("IPv6 headers", p, n < 8)
		p.DstPort = 54
		w.out("IPv6 headers, a closed port", p, false)
		p.DstPort = 53
	}
	p.Headers, p.Fragment = nil, &vethtest.Fragment{ID: 1}
	w.out("a fragment that is all of the packet", p, true)
	p.Headers = []uint8{44}
	w.out("a fragment in a fragment", p, false)
}

// TestVethLengths: what is behind the end that the IP header gives is no part of the packet, and a
// packet must not end before that.
func TestVethLengths(t *testing.T) {
	each(t, func(w *wire, i int) {
		place := []int{17, 19}[i] // of the low byte of the length
		known := tcp(peer[i], web[i], 1000, 80, vethtest.SYN)
		w.in("opening", known, true)
		known.Flags = vethtest.ACK
		for _, p := range []vethtest.Packet{known, tcp(peer[i], web[i], 1001, 80, vethtest.SYN), udp(peer[i], web[i], 1002, 53)} {
			for _, change := range []int{-17, 60} {
				b := p.Bytes()
				b[place] = byte(int(b[place]) + change)
				passes, err := w.hooks.To(b, false)
				w.wants("another length", false)(passes, err)
			}
			w.in("its own length", p, true)
		}
	})
}

// TestVethHostile: nothing that begins as a packet of a sealed pod leaves it, however it goes on,
// and nothing reaches it.
func TestVethHostile(t *testing.T) {
	for _, onDeny := range []ir.Refusal{ir.Drop, ir.Reject} {
		w := newWire(t)
		p := policed()
		p.Policy.OnDeny = onDeny
		if err := w.hooks.Put(p); err != nil {
			t.Fatal(err)
		}
		w.hostile()
	}
}

func (w *wire) hostile() {
	rng := rand.New(rand.NewPCG(1, 2))
	var seeds []vethtest.Packet
	for i := range 2 {
		from, to := sealed[i], peer[i]
		icmp := vethtest.Packet{Src: from, Dst: to, Protocol: vethtest.ICMP, Type: 8}
		if i == 1 {
			icmp.Protocol, icmp.Type = vethtest.ICMPv6, 128
		}
		headers := udp(from, to, 1, 2)
		headers.Headers, headers.Options = []uint8{vethtest.HopByHop, vethtest.Routing, vethtest.Destination}, make([]byte, 8)
		part := udp(from, to, 1, 2)
		part.Fragment = &vethtest.Fragment{ID: 1, More: true}
		seeds = append(seeds, tcp(from, to, 1, 80, vethtest.SYN), udp(from, to, 1, 53), icmp, headers, part)
	}
	sent := 0
	for n := range 20000 {
		p := seeds[n%len(seeds)]
		if n%3 == 0 {
			p = p.Reply()
		}
		b := append(p.Bytes(), make([]byte, rng.IntN(40))...)
		addresses := [2]int{26, 34} // the kernel runs no program on less
		if !p.Src.Is4() {
			addresses = [2]int{22, 54}
		}
		for range rng.IntN(4) {
			at := 14 + rng.IntN(len(b)-14)
			if at < addresses[0] || at >= addresses[1] {
				b[at] = byte(rng.Uint32())
			}
		}
		if rng.IntN(2) == 0 {
			b = b[:addresses[1]+rng.IntN(len(b)-addresses[1])]
		}
		if neighbourDiscovery(b) {
			continue
		}
		sent++
		var passes bool
		var err error
		if n%3 == 0 {
			passes, err = w.hooks.To(b, false)
		} else {
			passes, err = w.hooks.From(b)
		}
		if passes || err != nil {
			w.Fatalf("%d: %x passes (%v)", n, b, err)
		}
	}
	if sent < 19000 {
		w.Errorf("only %d packets", sent)
	}
	for _, kind := range [][]byte{{0x81, 0x00}, {0x88, 0xa8}, {0x91, 0x00}} {
		b := seeds[0].Bytes()
		tagged := append(append(append([]byte(nil), b[:12]...), kind...), append([]byte{0, 0}, b[12:]...)...)
		passes, err := w.hooks.From(tagged)
		w.wants("a tag", false)(passes, err)
	}
}

// neighbourDiscovery reports whether any byte of an IPv6 packet could be the type of it, so that
// it may pass.
func neighbourDiscovery(b []byte) bool {
	if b[12] != 0x86 {
		return false
	}
	for _, x := range b[54:max(54, len(b))] {
		if x >= 133 && x <= 137 {
			return true
		}
	}
	return false
}
