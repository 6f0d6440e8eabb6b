package iptables_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
)

// TestDispatchIsShort counts the rules that a packet passes until it finds its
// Service, for every frontend of programs that are typical, large, or built to
// have long paths.
func TestDispatchIsShort(t *testing.T) {
	for _, c := range []struct {
		name    string
		matches []ir.Match
		average float64
		max     int
	}{
		{"100 in a /12", inRange("10.96.0.0/12", 100), 15, 30},
		{"100 in a /16", inRange("10.96.0.0/16", 100), 15, 30},
		{"500 in a /12", inRange("10.96.0.0/12", 500), 16, 40},
		{"500 in a /16", inRange("10.96.0.0/16", 500), 16, 40},
		{"500 in a /108", inRange("fd00:10:96::/108", 500), 16, 40},
		{"2,000 in a /12", inRange("10.96.0.0/12", 2000), 18, 45},
		{"10,000 in a /12", inRange("10.96.0.0/12", 10000), 23, 55},
		{"10,000 in a /16", inRange("10.96.0.0/16", 10000), 23, 55},
		{"30,000 in a /12", inRange("10.96.0.0/12", 30000), 25, 60},
		{"30,000 in a /16", inRange("10.96.0.0/16", 30000), 25, 60},
		{"30,000 in a row", inRow(30000), 25, 60},
		{"500 of 3 ports", ported(inRange("10.96.0.0/12", 500), 80, 443, 9090), 19, 45},
		{"10,000 of 3 ports", ported(inRange("10.96.0.0/12", 10000), 80, 443, 9090), 26, 60},
		{"100 nodePorts", nodePorts(100), 14, 30},
		{"500 nodePorts", nodePorts(500), 18, 40},
		{"2,768 nodePorts", nodePorts(2768), 22, 40},
		{"5,000 networks, one host each", hosts(5000, "0.0.0.1"), 50, 120},
		{"5,000 networks of IPv6, one host each", hosts(5000, "::1"), 50, 120},
		{"10,000 anywhere in IPv6", inRange("::/0", 10000), 23, 55},
		{"addresses that leave each other bit by bit", bitByBit(), 60, 120},
		{"5,000 ports of one address", somePorts(5000), 60, 120},
		{"all TCP and UDP ports of one address", allPorts(), 90, 150},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := programAt(c.matches)
			files := emit(t, p, backends.Options{})
			file := files["iptables.rules"]
			if p.Frontends[0].Match.Family == ir.IPv6 {
				file = files["ip6tables.rules"]
			}
			r := readDispatch(file)
			average, most := r.found(t, c.matches)
			others := r.others(c.matches)
			t.Logf("%.1f rules on average, at most %d, %.1f for others; %d chains, %d deep", average, most, others, len(r.chains), r.depth(root(c.matches[0])))
			if average > c.average || most > c.max || others > 2*c.average {
				t.Errorf("want %v, %v and %v at most", c.average, c.max, 2*c.average)
			}
			if n := r.depth(root(c.matches[0])); n > deepest {
				t.Errorf("%d chains deep, the kernel takes %d", n, deepest)
			}
		})
	}
}

// found walks to all matches, and returns the average and the maximum number of
// rules on the way.
func (r dispatchRules) found(t *testing.T, matches []ir.Match) (average float64, most int) {
	total := 0
	for _, m := range matches {
		n, found := r.walk(m)
		if !found {
			t.Fatalf("%v is not found", m)
		}
		total += n
		most = max(most, n)
	}
	return float64(total) / float64(len(matches)), most
}

// others returns the average number of rules for packets that match no frontend.
func (r dispatchRules) others(matches []ir.Match) float64 {
	const n = 1000
	rng := rand.New(rand.NewPCG(5, 5))
	first := matches[0]
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	if first.Family == ir.IPv6 {
		everywhere = netip.MustParsePrefix("::/0")
	}
	total := 0
	for range n {
		m := first
		if m.Address.IsValid() {
			m.Address = randomIn(rng, everywhere)
		}
		m.Port = uint16(rng.UintN(1 << 16))
		met, _ := r.walk(m)
		total += met
	}
	return float64(total) / n
}

// deepest is the maximum depth of the dispatch. The kernel accepts 15 nf_tables
// chains below a built-in one (NFT_JUMP_STACK_SIZE; gotos count). PLC-OUTPUT is
// one of them, and a frontend needs up to four: its sources, the Service, a group,
// an endpoint.
const deepest = 15 - 1 - 4

// programAt serves each match by one endpoint.
func programAt(matches []ir.Match) *ir.Program {
	p := &ir.Program{
		Node:  ir.Node{Name: "node-a", Local: ir.LocalDetector{Mode: ir.DetectInterface, Interface: "pods"}},
		Pools: []ir.Pool{irtest.Pool("a", "10.1.0.1:80"), irtest.Pool("b", "[fd00::1]:80")},
	}
	p.Node.NodePorts.Addresses = irtest.Addrs("192.0.2.1")
	for i, m := range matches {
		p.Frontends = append(p.Frontends, frontendAt(i, m))
	}
	p.Normalize()
	return p
}

func frontendAt(i int, m ir.Match) ir.Frontend {
	kind, pool, at := ir.ExternalIP, "a", m.Address
	switch {
	case !at.IsValid():
		kind, at = ir.NodePort, netip.IPv4Unspecified()
	case at.Is6():
		pool = "b"
	}
	f := irtest.Frontend(kind, fmt.Sprint("svc-", i), netip.AddrPortFrom(at, m.Port).String(), pool)
	f.Match.Protocol, f.Service.Protocol = m.Protocol, m.Protocol
	f.ID += m.Protocol.String()
	f.Internal.Masquerade, f.External.Masquerade = ir.MasqueradeNever, ir.MasqueradeNever
	return f
}

func tcpAt(a netip.Addr, port int) ir.Match {
	return ir.Match{Family: ir.FamilyOf(a), Address: a, Protocol: ir.TCP, Port: uint16(port)}
}

// inRange are n addresses at random in a prefix.
func inRange(prefix string, n int) []ir.Match {
	p := netip.MustParsePrefix(prefix)
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	return distinct(n, func(int) ir.Match { return tcpAt(randomIn(rng, p), 80) })
}

func randomIn(rng *rand.Rand, p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= byte(rng.UintN(2)) << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// distinct makes n matches, none twice.
func distinct(n int, next func(i int) ir.Match) []ir.Match {
	seen := make(map[ir.Match]bool)
	var out []ir.Match
	for i := 0; len(out) < n; i++ {
		if m := next(i); !seen[m] {
			seen[m] = true
			out = append(out, m)
		}
	}
	return out
}

func inRow(n int) (out []ir.Match) {
	for i := range n {
		out = append(out, tcpAt(netip.AddrFrom4([4]byte{10, 96, byte(i >> 8), byte(i)}), 80))
	}
	return out
}

func ported(in []ir.Match, ports ...int) (out []ir.Match) {
	for _, m := range in {
		for _, p := range ports {
			out = append(out, tcpAt(m.Address, p))
		}
	}
	return out
}

// hosts returns one host in each of n networks: equal low halves, random high halves.
func hosts(n int, host string) []ir.Match {
	rng := rand.New(rand.NewPCG(2, 2))
	low := netip.MustParseAddr(host).AsSlice()
	return distinct(n, func(int) ir.Match {
		b := slices.Clone(low)
		for i := range len(b) / 2 {
			b[i] = byte(rng.UintN(256))
		}
		b[0] = 32 + b[0]%32 // no multicast in either family
		a, _ := netip.AddrFromSlice(b)
		return tcpAt(a, 80)
	})
}

// bitByBit returns addresses of which each bit separates a few from all others,
// some with more ports than a list has.
func bitByBit() (out []ir.Match) {
	for i := range 112 {
		for j := range i + 1 {
			var b [16]byte
			b[i/8] |= 0x80 >> (i % 8)
			b[j/8] |= 0x80 >> (j % 8)
			ports := 1
			if j%32 == 0 {
				ports = 20
			}
			for port := range ports {
				out = append(out, tcpAt(netip.AddrFrom16(b), 1+port*3000))
			}
		}
	}
	return out
}

func somePorts(n int) []ir.Match {
	rng := rand.New(rand.NewPCG(3, 3))
	return distinct(n, func(int) ir.Match { return tcpAt(netip.MustParseAddr("203.0.113.1"), 1+rng.IntN(65535)) })
}

func allPorts() (out []ir.Match) {
	for port := 1; port < 1<<16; port++ {
		m := tcpAt(netip.MustParseAddr("203.0.113.1"), port)
		out = append(out, m)
		m.Protocol = ir.UDP
		out = append(out, m)
	}
	return out
}

// nodePorts returns n ports of the default range.
func nodePorts(n int) []ir.Match {
	rng := rand.New(rand.NewPCG(4, 4))
	return distinct(n, func(int) ir.Match {
		return ir.Match{Family: ir.IPv4, Protocol: ir.TCP, Port: uint16(30000 + rng.IntN(2768))}
	})
}

// dispatchRules are the chains that find a frontend.
type dispatchRules struct{ chains map[string][]dispatchRule }

// dispatchRule is what a rule matches, and the chain it leads to.
type dispatchRule struct {
	address, mask netip.Addr
	protocol      string
	low, high     uint16
	to            string
}

func root(m ir.Match) string {
	if m.Address.IsValid() {
		return "PLC-SERVICES"
	}
	return "PLC-NODEPORTS"
}

func readDispatch(file string) dispatchRules {
	r := dispatchRules{make(map[string][]dispatchRule)}
	_, nat, _ := strings.Cut(file, "*nat\n")
	for line := range strings.Lines(nat) {
		w := strings.Fields(line)
		if w[0] != "-A" || w[1] != "PLC-SERVICES" && w[1] != "PLC-NODEPORTS" && !isDispatch(w[1]) {
			continue
		}
		r.chains[w[1]] = append(r.chains[w[1]], readDispatchRule(w[2:]))
	}
	return r
}

// isDispatch reports whether a chain belongs neither to a Service nor to every
// program.
func isDispatch(chain string) bool {
	for _, other := range []string{"PLC-S-", "PLC-X-", "PLC-G-", "PLC-E-", "PLC-PREROUTING", "PLC-OUTPUT", "PLC-POSTROUTING", "PLC-MASQUERADE", "PLC-EGRESS", "PLC-MARK-REMOTE"} {
		if strings.HasPrefix(chain, other) {
			return false
		}
	}
	return strings.HasPrefix(chain, "PLC-")
}

func readDispatchRule(words []string) dispatchRule {
	r := dispatchRule{high: 0xffff}
	for i := 0; i+1 < len(words); i++ {
		switch v := words[i+1]; words[i] {
		case "-d":
			r.address, r.mask = addressAndMask(v)
		case "-p":
			r.protocol = v
		case "--dport":
			low, high, span := strings.Cut(v, ":")
			if !span {
				high = low
			}
			l, _ := strconv.Atoi(low)
			h, _ := strconv.Atoi(high)
			r.low, r.high = uint16(l), uint16(h)
		case "-g", "-j":
			r.to = v
		}
	}
	return r
}

func addressAndMask(s string) (address, mask netip.Addr) {
	host, bits, _ := strings.Cut(s, "/")
	address = netip.MustParseAddr(host)
	if m, err := netip.ParseAddr(bits); err == nil {
		return address, m
	}
	n, _ := strconv.Atoi(bits)
	full := slices.Repeat([]byte{0xff}, address.BitLen()/8)
	all, _ := netip.AddrFromSlice(full)
	return address, netip.PrefixFrom(all, n).Masked().Addr()
}

// walk counts the rules that a packet passes, up to the one that leads to a
// Service, or all rules if there is none.
func (r dispatchRules) walk(m ir.Match) (met int, found bool) {
	for _, rule := range r.chains[root(m)] {
		met++
		if !rule.matches(m) {
			continue
		}
		if !isDispatch(rule.to) {
			return met, true
		}
		n, found := r.follow(rule.to, m)
		if met += n; found {
			return met, true
		}
	}
	return met, false
}

// follow is walk below the first chain, where there are gotos only.
func (r dispatchRules) follow(chain string, m ir.Match) (met int, found bool) {
	for isDispatch(chain) {
		next := ""
		for _, rule := range r.chains[chain] {
			met++
			if rule.matches(m) {
				next = rule.to
				break
			}
		}
		chain = next
	}
	return met, chain != ""
}

func (r dispatchRule) matches(m ir.Match) bool {
	if r.address.IsValid() && m.Address.IsValid() {
		a, mask, want := m.Address.AsSlice(), r.mask.AsSlice(), r.address.AsSlice()
		for i := range a {
			if a[i]&mask[i] != want[i] {
				return false
			}
		}
	}
	return (r.protocol == "" || r.protocol == m.Protocol.String()) && m.Port >= r.low && m.Port <= r.high
}

// depth is how many chains are below each other, from one.
func (r dispatchRules) depth(chain string) int {
	most := 0
	for _, rule := range r.chains[chain] {
		if isDispatch(rule.to) && (rule.to != "PLC-NODEPORTS" || chain == "PLC-SERVICES") {
			most = max(most, r.depth(rule.to))
		}
	}
	return most + 1
}
