package xtpolicy_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/compiler"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/internal/testing/randomcluster"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

func policed(seed uint64) *ir.Program {
	rng := rand.New(rand.NewPCG(seed, 11))
	p := irtest.RandomProgram(rng)
	irtest.AddRandomPolicy(rng, p)
	return p
}

func rules(t testing.TB, p *ir.Policy, f ir.Family) *xtpolicy.Rules {
	t.Helper()
	return xtpolicy.New(p, nil).Rules(f, true)
}

// TestWhole: names are short enough and sorted, every reference resolves, and
// everything is used.
func TestWhole(t *testing.T) {
	for seed := range uint64(300) {
		p := policed(seed)
		for _, f := range ir.Families() {
			r := rules(t, &p.Policy, f)
			used := map[string]bool{r.Forward: true, r.Input: true}
			have := make(map[string]bool)
			for _, c := range r.Chains {
				if have[c.Name] || len(c.Name) > 28 || !strings.HasPrefix(c.Name, "PLC-") {
					t.Fatalf("seed %d: chain %s", seed, c.Name)
				}
				have[c.Name] = true
				for _, rule := range c.Rules {
					words := strings.Fields(rule)
					for i, w := range words {
						if w == "--match-set" || (w == "-g" || w == "-j") && strings.HasPrefix(words[i+1], "PLC-") {
							used[words[i+1]] = true
						}
					}
				}
			}
			for _, s := range r.Sets {
				if have[s.Name] || len(s.Name) > 26 || !strings.HasPrefix(s.Name, "plc-") {
					t.Fatalf("seed %d: set %s", seed, s.Name)
				}
				have[s.Name] = true
			}
			delete(used, "")
			if !maps.Equal(used, have) {
				t.Fatalf("seed %d: used %v, have %v", seed, slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(have)))
			}
			if !slices.IsSortedFunc(r.Chains, func(a, b xtpolicy.Chain) int { return strings.Compare(a.Name, b.Name) }) {
				t.Fatalf("seed %d: chains are not sorted", seed)
			}
		}
	}
}

// cluster has profiles with some peers by name, and a network.
func cluster(profiles, peers, podsEach int) *ir.Policy {
	p := &ir.Program{Policy: ir.Policy{OnDeny: ir.Drop}}
	origin := ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", Path: "spec"}
	set := func(i int) ir.AddressSet {
		s := ir.AddressSet{ID: fmt.Sprint("set-", i)}
		for j := range peers {
			s.Addresses = append(s.Addresses, netip.AddrFrom4([4]byte{10, 2, byte(i), byte(j)}))
		}
		return s
	}
	for i := range 10 {
		p.Policy.AddressSets = append(p.Policy.AddressSets, set(i))
	}
	p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: "world", Prefixes: irtest.Prefixes("0.0.0.0/0"), Except: irtest.Prefixes("10.0.0.0/8")})
	for i := range profiles {
		x := ir.Profile{ID: fmt.Sprintf("shop/app-%d", i)}
		for j := range podsEach {
			x.Pods = append(x.Pods, ir.Pod{Namespace: "shop", Name: fmt.Sprint("pod-", j), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 1, byte(i), byte(j)})}})
		}
		tier := ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{origin}}
		for j, ports := range [][]ir.PortRange{{{Protocol: ir.TCP, First: 80, Last: 80}}, {{Protocol: ir.UDP, First: 53, Last: 53}}, {{Protocol: ir.TCP, First: 8000, Last: 9000}}} {
			tier.Rules = append(tier.Rules, ir.Rule{Action: ir.Accept, Peers: []string{fmt.Sprint("set-", (i+j)%10)}, Ports: ports, Origin: origin})
		}
		tier.Rules = append(tier.Rules, ir.Rule{Action: ir.Accept, Peers: []string{"world"}, AnyPort: true, Origin: origin})
		x.Ingress = []ir.Tier{tier}
		p.Policy.Profiles = append(p.Policy.Profiles, x)
	}
	p.Normalize()
	return &p.Policy
}

// TestPodsAreElements: a new pod changes only elements, and a new profile changes
// no chains of others.
func TestPodsAreElements(t *testing.T) {
	before := rules(t, cluster(20, 5, 2), ir.IPv4)
	for name, p := range map[string]*ir.Policy{"remote": cluster(20, 6, 2), "local": cluster(20, 5, 3)} {
		after := rules(t, p, ir.IPv4)
		if !reflect.DeepEqual(before.Chains, after.Chains) {
			t.Errorf("%s pods change chains", name)
		}
		if elements(before) >= elements(after) || len(before.Sets) != len(after.Sets) {
			t.Errorf("%s pods do not change elements only", name)
		}
	}
	more := make(map[string][]string)
	for _, c := range rules(t, cluster(21, 5, 2), ir.IPv4).Chains {
		more[c.Name] = c.Rules
	}
	changed := 0
	for _, c := range before.Chains {
		if !slices.Equal(c.Rules, more[c.Name]) {
			changed++
			if strings.HasPrefix(c.Name, "PLC-INGRESS-") {
				t.Errorf("another profile changes %s", c.Name)
			}
		}
	}
	if changed > 2 {
		t.Errorf("another profile changes %d chains", changed)
	}
}

func elements(r *xtpolicy.Rules) (n int) {
	for _, s := range r.Sets {
		n += bytes.Count(s.AppendAdds(nil, ""), []byte{'\n'})
	}
	return n
}

// TestLookUps counts the set look-ups on a packet's longest path, which must not
// grow with the number of policies.
func TestLookUps(t *testing.T) {
	for _, c := range []struct{ profiles, most int }{{1, 5}, {10, 12}, {250, 20}} {
		r := rules(t, cluster(c.profiles, 5, 1), ir.IPv4)
		chains := make(map[string][]string)
		for _, x := range r.Chains {
			chains[x.Name] = x.Rules
		}
		if got := longest(chains, r.Forward); got > c.most {
			t.Errorf("%d profiles: %d look-ups, want %d at most", c.profiles, got, c.most)
		} else {
			t.Logf("%d profiles: %d look-ups at most", c.profiles, got)
		}
	}
}

func longest(chains map[string][]string, name string) int {
	most, sofar := 0, 0
	for _, rule := range chains[name] {
		sofar += strings.Count(rule, "--match-set")
		words := strings.Fields(rule)
		if to := words[len(words)-1]; chains[to] != nil {
			most = max(most, sofar+longest(chains, to))
		}
	}
	return max(most, sofar)
}

// TestElementsOnce wants every element of a set only once, with or without "nomatch",
// because the kernel treats both as one element and the last one wins. A network of
// one address beside a rule for the pod with that address used to be duplicated.
func TestElementsOnce(t *testing.T) {
	for seed := range uint64(400) {
		c := randomcluster.New(seed)
		p, _ := compiler.Compile(compiler.Input{Objects: &c.Objects, Node: randomcluster.Node, Config: c.Config})
		for _, f := range ir.Families() {
			for _, s := range rules(t, &p.Policy, f).Sets {
				seen := make(map[string]bool)
				for line := range strings.Lines(string(s.AppendAdds(nil, s.Name))) {
					element := strings.Fields(line)[2]
					if seen[element] {
						t.Errorf("seed %d: %s has %s twice", seed, s.Name, element)
					}
					seen[element] = true
				}
			}
		}
	}
}

// depth returns the maximum depth of chains below a chain.
func depth(chains map[string][]string, name string) int {
	deepest := 0
	for _, rule := range chains[name] {
		words := strings.Fields(rule)
		if to := words[len(words)-1]; strings.HasPrefix(to, "PLC-") {
			deepest = max(deepest, depth(chains, to))
		}
	}
	return deepest + 1
}

// hostile is a policy such as an attacker finds by trying many names: the codes of
// profiles and of rows share ever longer prefixes, and one row has as many port
// ranges as possible.
func hostile(t testing.TB) *ir.Policy {
	p := &ir.Policy{OnDeny: ir.Drop}
	ports := make([]ir.PortRange, 0, 1<<15)
	for port := 1; port < 1<<16; port += 2 {
		ports = append(ports, ir.PortRange{Protocol: ir.TCP, First: uint16(port), Last: uint16(port)})
	}
	rule := func(set string, ports ...ir.PortRange) ir.Rule {
		return ir.Rule{Action: ir.Accept, Peers: []string{set}, Ports: ports, Origin: ir.Origin{Kind: "NetworkPolicy", Namespace: "a", Name: set}}
	}
	var rules []ir.Rule
	for i := range 64 {
		id := fmt.Sprintf("set-%02d", i)
		p.AddressSets = append(p.AddressSets, ir.AddressSet{ID: id, Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i)}), 16)}})
		rules = append(rules, rule(id, ports[i]))
	}
	rules = append(rules, rule("set-00", ports...))
	for i := range 64 {
		p.Profiles = append(p.Profiles, ir.Profile{
			ID:   fmt.Sprintf("a/profile-%02d", i),
			Pods: []ir.Pod{{Namespace: "a", Name: fmt.Sprintf("pod-%02d", i), Addresses: []netip.Addr{netip.AddrFrom4([4]byte{192, 168, 0, byte(i + 1)})}}},
			Ingress: []ir.Tier{{
				Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "a", Name: "p"}},
				Rules: rules[i%2:],
			}},
		})
	}
	return p
}

// steep returns codes whose first i bits are 1, one for each i: the deepest
// possible tree of codes.
func steep() identity.Hash {
	n := 0
	return func(b []byte) (sum [32]byte) {
		sum = sha256.Sum256(b)
		for i := range 8 {
			sum[i] = 0
		}
		for bit := range n % 65 {
			sum[bit/8] |= 0x80 >> (bit % 8)
		}
		n++
		return sum
	}
}

// TestDepth: whatever the codes and ports are, chains nest no deeper than
// iptables-nft allows below PLC-VIPS, the deepest chain that leads to policies.
func TestDepth(t *testing.T) {
	const most = 12
	for _, hash := range []identity.Hash{nil, steep()} {
		r := xtpolicy.New(hostile(t), hash).Rules(ir.IPv4, true)
		chains := make(map[string][]string)
		rules := 0
		for _, c := range r.Chains {
			chains[c.Name] = c.Rules
			rules += len(c.Rules)
		}
		if got := depth(chains, r.Forward); got > most {
			t.Errorf("%d chains below one another", got)
		}
		t.Logf("%d chains with %d rules, %d below one another", len(chains), rules, depth(chains, r.Forward))
	}
}
