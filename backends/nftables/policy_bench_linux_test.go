package nftables_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/nftables"
	"github.com/planec/planec/internal/testing/testkit"
	"github.com/planec/planec/ir"
)

// sender is the pod of BenchmarkPolicyPacket, receiver the node that it talks
// to. Both are the node's own addresses here: what a pod sends its node meets
// the same chains as what it sends elsewhere.
var (
	sender   = netip.MustParseAddr("10.1.0.2")
	receiver = netip.MustParseAddr("192.0.2.11")
)

// aimed is the policy that a benchmark's packets are about.
type aimed struct {
	name     string
	policies int
	// shared gives all policies the same peers, so that there is one row with
	// all ports, and not a row of one port for each policy.
	shared bool
	// mixed makes every fourth policy one of each dialect.
	mixed bool
	port  uint16
}

// about is the number of the policy that accepts the packets.
func (a aimed) about() int {
	if a.mixed {
		return (a.policies - 1) / 4 * 4
	}
	return a.policies - 1
}

// firstPort is the port of the first policy; ports are odd, so that no two of
// them make a range.
const firstPort = 10001

// program is one pod that the policies isolate, each with ten peers and a TCP
// and an UDP port; the receiver is a peer of the last NetworkPolicy.
func (a aimed) program() *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Addresses: []netip.Addr{receiver}, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	admin, named := ir.Tier{Kind: ir.AdminTier, Default: ir.Pass}, ir.Tier{Kind: ir.NamedTier, Name: "security", Default: ir.Pass}
	t := ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny}
	for i := range a.policies {
		origin := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: fmt.Sprintf("policy-%04d", i), Path: "spec.egress[0]"}
		t.Isolating = append(t.Isolating, origin)
		id := "peers"
		if !a.shared {
			id = fmt.Sprintf("peers-%04d", i)
		}
		if !a.shared || i == 0 {
			p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: id, Addresses: tenPeers(i, a.shared || i == a.about())})
		}
		port := uint16(firstPort + 2*i)
		r := ir.Rule{Action: ir.Accept, Peers: []string{id}, Origin: origin, Ports: []ir.PortRange{
			{Protocol: ir.TCP, First: port, Last: port}, {Protocol: ir.UDP, First: port, Last: port},
		}}
		switch kind := i % 4; {
		case a.mixed && kind == 1:
			r.Action = ir.Deny
			admin.Rules = append(admin.Rules, r)
		case a.mixed && kind == 2: // of Calico: everything but some ports, of all but some peers
			r.Action, r.AnyPort, r.Ports, r.NotPorts = ir.Pass, true, nil, r.Ports
			r.AnyPeer, r.Peers, r.NotPeers = true, nil, r.Peers
			named.Rules = append(named.Rules, r)
		case a.mixed && kind == 3: // of Cilium: an HTTP rule
			r.Action, r.Payload, p.Policy.OnRedirect = ir.Redirect, "http GET /", ir.Deny
			t.Rules = append(t.Rules, r)
		default:
			t.Rules = append(t.Rules, r)
		}
	}
	tiers := []ir.Tier{t}
	if a.mixed {
		tiers = []ir.Tier{admin, named, t}
	}
	p.Policy.OnDeny = ir.Drop
	p.Policy.Profiles = []ir.Profile{{
		ID: "shop/web", Egress: tiers,
		Pods: []ir.Pod{{Namespace: "shop", Name: "web-0", Addresses: []netip.Addr{sender}}},
	}}
	p.Normalize()
	return p
}

func tenPeers(policy int, withReceiver bool) []netip.Addr {
	var out []netip.Addr
	for j := range 10 {
		out = append(out, netip.AddrFrom4([4]byte{10, 2 + byte(policy>>8), byte(policy), byte(j)}))
	}
	if withReceiver {
		out[9] = receiver
	}
	return out
}

// BenchmarkPolicyPacket is the cost of a packet that policies judge: a datagram
// of a pod to its node, of a connection that is not answered yet, so that
// every packet is judged. The cases take turns, and the least of each counts.
func BenchmarkPolicyPacket(b *testing.B) {
	testkit.Require(b, "nft")
	for _, form := range []struct {
		name          string
		shared, mixed bool
	}{{"row-per-policy", false, false}, {"one-row", true, false}, {"all-dialects", false, true}} {
		b.Run(form.name, func(b *testing.B) {
			var streams []*stream
			for _, policies := range []int{0, 10, 1000} {
				a := aimed{name: fmt.Sprint(policies), policies: policies, shared: form.shared, mixed: form.mixed}
				if policies == 0 {
					a.name = "none"
					streams = append(streams, newStream(b, a))
					continue
				}
				a.port = uint16(firstPort + 2*a.about())
				streams = append(streams, newStream(b, a))
				a.name, a.port = a.name+"-denied", firstPort+1
				streams = append(streams, newStream(b, a))
			}
			for b.Loop() {
				for _, s := range streams {
					s.round(b)
				}
			}
			least := make(map[string]float64)
			for _, s := range streams {
				least[s.name] = s.least
				b.ReportMetric(s.least, s.name+"-ns/packet")
			}
			b.ReportMetric(least["1000"]/least["10"], "ratio")
			b.ReportMetric(least["1000-denied"]/least["10-denied"], "denied-ratio")
			b.ReportMetric((least["1000"]-least["none"])/(least["10"]-least["none"]), "ratio-of-rules-alone")
		})
	}
}

// stream is a pod's socket in a rig of its own.
type stream struct {
	aimed
	fd int
	// least is the shortest round so far, in nanoseconds a packet.
	least float64
}

const packetsPerRound = 5000

func newStream(b *testing.B, a aimed) *stream {
	b.Helper()
	rig := testkit.New(b, testkit.Spec{NodeAddrs: []netip.Addr{receiver, sender}})
	if a.policies > 0 {
		artifact, err := nftables.New(backends.DefaultOptions()).Emit(a.program())
		if err != nil {
			b.Fatal(err)
		}
		if err := rig.LoadNFT(string(artifact.Files[0].Data)); err != nil {
			b.Fatal(err)
		}
	} else {
		a.port = firstPort
		// Connection tracking is not what is compared.
		if err := rig.LoadNFT("table ip none {\n chain c {\n type filter hook input priority 0\n ct state established accept\n }\n}\n"); err != nil {
			b.Fatal(err)
		}
	}
	s := &stream{aimed: a}
	err := rig.Do(func() (err error) {
		s.fd, err = connectedPair(b, netip.AddrPortFrom(receiver, a.port))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// connectedPair returns a datagram socket of the pod's whose peer reads nothing
// and so never answers.
func connectedPair(b *testing.B, to netip.AddrPort) (int, error) {
	var fds [2]int
	for i := range fds {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
		if err != nil {
			return 0, err
		}
		b.Cleanup(func() { unix.Close(fd) })
		fds[i] = fd
	}
	if err := unix.Bind(fds[1], &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return 0, err
	}
	if err := unix.Bind(fds[0], &unix.SockaddrInet4{Addr: sender.As4()}); err != nil {
		return 0, err
	}
	return fds[0], unix.Connect(fds[0], &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
}

func (s *stream) round(b *testing.B) {
	payload := []byte("planec")
	start := time.Now()
	for range packetsPerRound {
		if _, err := unix.Write(s.fd, payload); err != nil {
			b.Fatal(err)
		}
	}
	took := float64(time.Since(start).Nanoseconds()) / packetsPerRound
	if s.least == 0 || took < s.least {
		s.least = took
	}
}

// BenchmarkPolicyLoad is nft -f of a node with many policies, into a namespace
// where the same is loaded already.
func BenchmarkPolicyLoad(b *testing.B) {
	testkit.Require(b, "nft")
	for _, families := range []int{1, 2} {
		p := manyPolicies(250, 40, families)
		b.Run(fmt.Sprintf("profiles=250/hosts=%d", 10000*families), func(b *testing.B) {
			artifact, err := nftables.New(backends.DefaultOptions()).Emit(p)
			if err != nil {
				b.Fatal(err)
			}
			rig := testkit.New(b, testkit.Spec{})
			for b.Loop() {
				if err := rig.LoadNFT(string(artifact.Files[0].Data)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(artifact.Files[0].Data)), "bytes")
		})
	}
}

// manyPolicies is a node with a pod of every application. Each has a policy: ten
// other applications may come in and it may go to ten others.
func manyPolicies(apps, podsPerApp, families int) *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Addresses: []netip.Addr{receiver}, Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	address := func(app, pod int) []netip.Addr {
		v4 := netip.AddrFrom4([4]byte{10, 1 + byte(pod), byte(app >> 8), byte(app)})
		v6 := netip.AddrFrom16([16]byte{0xfd, 1, 13: byte(pod), 14: byte(app >> 8), 15: byte(app)})
		return []netip.Addr{v4, v6}[:families]
	}
	set := func(app int) string { return fmt.Sprintf("app-%03d", app) }
	for i := range apps {
		s := ir.AddressSet{ID: set(i)}
		for j := range podsPerApp {
			for _, a := range address(i, j) {
				s.Addresses = append(s.Addresses, a)
				p.Policy.Peers = append(p.Policy.Peers, ir.Peer{Address: a, Namespace: "shop", Name: fmt.Sprintf("%s-%02d", set(i), j)})
			}
		}
		p.Policy.AddressSets = append(p.Policy.AddressSets, s)
		origin := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: set(i), Path: "spec"}
		tiers := func(step int) []ir.Tier {
			t := ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{origin}}
			for k := range 10 {
				port := uint16(8000 + (i+k)%20)
				t.Rules = append(t.Rules, ir.Rule{
					Action: ir.Accept, Peers: []string{set((i + (k+1)*step) % apps)}, Origin: origin,
					Ports: []ir.PortRange{{Protocol: ir.TCP, First: port, Last: port}},
				})
			}
			return []ir.Tier{t}
		}
		p.Policy.Profiles = append(p.Policy.Profiles, ir.Profile{
			ID: "shop/" + set(i), Ingress: tiers(1), Egress: tiers(3),
			Pods: []ir.Pod{{Namespace: "shop", Name: set(i) + "-00", Addresses: address(i, 0)}},
		})
	}
	p.Policy.OnDeny = ir.Drop
	p.Normalize()
	return p
}
