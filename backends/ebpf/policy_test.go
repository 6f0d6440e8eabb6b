package ebpf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/internal/testing/irtest"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/failsafe"
	"github.com/planec/planec/ir/resolve"
)

// policyRule is a rule of one set of peers, or of any without; ports are as
// ir.PortRange writes them, all of them without.
func policyRule(action ir.Action, path string, peers []string, ports ...ir.PortRange) ir.Rule {
	return ir.Rule{
		Action: action, Peers: peers, AnyPeer: len(peers) == 0, Ports: ports, AnyPort: len(ports) == 0,
		Origin: ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", Path: path, File: "policy.yaml", Line: 3},
	}
}

func isolated(rules ...ir.Rule) []ir.Tier {
	return []ir.Tier{{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{{Kind: "NetworkPolicy", Namespace: "shop", Name: "web", File: "policy.yaml", Line: 3}}, Rules: rules}}
}

func tcp(first, last uint16) ir.PortRange {
	return ir.PortRange{Protocol: ir.TCP, First: first, Last: last}
}

func podOf(name string, list ...string) ir.Pod {
	return ir.Pod{Namespace: "shop", Name: name, Addresses: addrs(list...)}
}

// policed is a program with every kind of policy item in both families.
func policed() *ir.Program {
	p := &ir.Program{Node: ir.Node{Name: "node-a", Addresses: addrs("192.168.9.1"), Local: ir.LocalDetector{Mode: ir.DetectNone}}}
	p.Policy = ir.Policy{
		OnDeny: ir.Reject,
		Profiles: []ir.Profile{
			{
				ID: "shop/web/1f3a", Pods: []ir.Pod{podOf("web-0", "10.1.0.2", "fd00:10:1::2"), podOf("web-1", "10.1.0.3")},
				Ingress: isolated(policyRule(ir.Accept, "spec.ingress[0]", []string{"db", "world"}, tcp(80, 80), tcp(8000, 9000)), policyRule(ir.Accept, "spec.ingress[1]", []string{"node"})),
				Egress:  isolated(policyRule(ir.Accept, "spec.egress[0]", nil, ir.PortRange{Protocol: ir.UDP, Last: 65535}), policyRule(ir.Accept, "spec.egress[1]", []string{"db"})),
			},
			{
				ID: "shop/locked/22", Pods: []ir.Pod{podOf("locked", "10.1.0.4")},
				Ingress: isolated(), Egress: []ir.Tier{{Kind: ir.AdminTier, Default: ir.Pass, Rules: []ir.Rule{policyRule(ir.Deny, "spec.egress[0]", []string{"world"}, tcp(25, 25))}}},
			},
			{
				ID: "shop/free/33", Pods: []ir.Pod{podOf("free", "10.1.0.5")},
				Ingress: isolated(policyRule(ir.Accept, "spec.ingress[0]", nil)),
			},
		},
		AddressSets: []ir.AddressSet{
			// The exception is a member too, by its own address.
			{ID: "db", Addresses: addrs("10.1.9.9", "10.2.0.1", "fd00:10:9::9"), Prefixes: prefixes("10.1.9.0/24"), Except: prefixes("10.1.9.9/32", "10.1.9.128/25")},
			{ID: "node", Addresses: addrs("192.168.9.1")},
			{ID: "world", Prefixes: prefixes("0.0.0.0/0", "::/0"), Except: prefixes("10.0.0.0/8", "fd00::/8")},
		},
		Peers: []ir.Peer{
			{Address: netip.MustParseAddr("10.1.9.9"), Namespace: "shop", Name: "db-0"},
			{Address: netip.MustParseAddr("192.168.9.1"), Name: "node-a"},
		},
	}
	p.Normalize()
	return p
}

// hostilePods have names that Kubernetes would reject.
func hostilePods() *ir.Program {
	p := policed()
	for i := range p.Policy.Profiles {
		profile := &p.Policy.Profiles[i]
		for j := range profile.Pods {
			profile.Pods[j].Name = fmt.Sprintf("a\"b\nport forged %d\x00", j)
		}
	}
	for i := range p.Policy.Peers {
		p.Policy.Peers[i].Name += "\u2028\r\nclass 0.0.0.0/0"
	}
	renamed := map[string]string{"db": "db\nrow x " + strings.Repeat("é", 3000), "node": "node\x1b[2J", "world": "world'"}
	for i := range p.Policy.AddressSets {
		p.Policy.AddressSets[i].ID = renamed[p.Policy.AddressSets[i].ID]
	}
	for i := range p.Policy.Profiles {
		for _, d := range ir.Directions() {
			for _, tier := range p.Policy.Profiles[i].Tiers(d) {
				for j := range tier.Rules {
					for k, id := range tier.Rules[j].Peers {
						tier.Rules[j].Peers[k] = renamed[id]
					}
				}
			}
		}
	}
	p.Normalize()
	return p
}

func shufflePolicy(rng *rand.Rand, p *ir.Policy) {
	rng.Shuffle(len(p.Profiles), func(i, j int) { p.Profiles[i], p.Profiles[j] = p.Profiles[j], p.Profiles[i] })
	rng.Shuffle(len(p.AddressSets), func(i, j int) { p.AddressSets[i], p.AddressSets[j] = p.AddressSets[j], p.AddressSets[i] })
	rng.Shuffle(len(p.Peers), func(i, j int) { p.Peers[i], p.Peers[j] = p.Peers[j], p.Peers[i] })
	for _, profile := range p.Profiles {
		rng.Shuffle(len(profile.Pods), func(i, j int) { profile.Pods[i], profile.Pods[j] = profile.Pods[j], profile.Pods[i] })
	}
}

// TestPolicyNeedsNothingElse: policies that refuse nothing leave no entries, and
// other policies do not change the other maps.
func TestPolicyNeedsNothingElse(t *testing.T) {
	free := policed()
	free.Policy.Profiles = slices.DeleteFunc(free.Policy.Profiles, func(p ir.Profile) bool { return p.ID != "shop/free/33" })
	free.Policy.AddressSets, free.Policy.Peers = nil, nil
	none := policed()
	none.Policy = ir.Policy{}
	if !bytes.Equal(imageOf(t, free).Bytes(), imageOf(t, none).Bytes()) {
		t.Error("policies that accept everything change the image")
	}
	with, without := kitchenSink(), kitchenSink()
	with.Policy = policed().Policy
	a, b := imageOf(t, with), imageOf(t, without)
	for i := layout.Services; i < layout.Pods; i++ {
		if a.Map(i).Digest() != b.Map(i).Digest() {
			t.Errorf("map %s changes", a.Map(i).layout.Name)
		}
	}
	if n := a.Map(layout.Pods).Len(); n != 4 || b.Map(layout.Pods).Len() != 0 {
		t.Errorf("%d pods", n)
	}
}

// TestPolicyMovesLittle: a new peer adds one entry to class, and a new pod of a
// profile adds one entry to pod.
func TestPolicyMovesLittle(t *testing.T) {
	for name, change := range map[string]func(*ir.Policy){
		"peer": func(p *ir.Policy) {
			p.AddressSets[0].Addresses = append(p.AddressSets[0].Addresses, addrs("10.2.0.2")...)
		},
		"pod": func(p *ir.Policy) { p.Profiles[1].Pods = append(p.Profiles[1].Pods, podOf("more", "10.1.0.9")) },
	} {
		p := policed()
		known := make(map[string]bool)
		for _, l := range strings.Split(string(imageOf(t, p).Text()), "\n") {
			known[l] = true
		}
		change(&p.Policy)
		p.Normalize()
		var changed []string
		for _, l := range strings.Split(string(imageOf(t, p).Text()), "\n") {
			if !known[l] {
				changed = append(changed, l)
			}
		}
		if len(changed) != 3 { // the entry, its map's count, digest
			t.Errorf("%s: %d lines changed:\n%s", name, len(changed), strings.Join(changed, "\n"))
		}
	}
}

// TestPortPrefixes reads rows of random ranges back and counts prefixes.
func TestPortPrefixes(t *testing.T) {
	worst := laidOf(&resolve.Row{Except: []ir.PortRange{tcp(1, 65534)}})
	if n := len(worst.appendPorts(nil, idOf(worst))) / (layout.PortKeySize + layout.VerdictSize); n != 31 {
		t.Errorf("ports 1 to 65534 take %d entries", n)
	}
	rng := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		r := &resolve.Row{Accept: rng.IntN(2) == 0}
		for _, proto := range ir.Protocols() {
			for next := rng.IntN(3); next < 65536 && rng.IntN(8) != 0; {
				last := min(65535, next+rng.IntN(1<<rng.IntN(17)))
				r.Except = append(r.Except, ir.PortRange{Protocol: proto, First: uint16(next), Last: uint16(last)})
				next = last + 2 + rng.IntN(1<<rng.IntN(16))
			}
		}
		if len(r.Except) == 0 {
			continue
		}
		want := laidOf(r)
		m := Map{layout: layout.Maps()[layout.Ports], data: want.appendPorts(nil, idOf(want))}
		m.sort()
		rows, err := decodePorts(&m, &Map{layout: layout.Maps()[layout.SourcePorts]}, &Map{layout: layout.Maps()[layout.Logs]})
		if err != nil {
			t.Fatalf("%v: %v", r, err)
		}
		got := rows.rows[idOf(want)]
		if got == nil || got.standard.Accepts() != r.Accept || !slices.Equal(got.except(), r.Except) {
			t.Fatalf("%v comes back as %v", r, got)
		}
		if words := rowWords(want); len(words) > 100 {
			t.Fatalf("%d bytes of words: %s", len(words), words)
		}
	}
}

// TestStandardRow: the default is the row of class 0 unless another row is much more
// frequent; of several equally frequent ones, it is the one with the least identity.
func TestStandardRow(t *testing.T) {
	none, a, b := layout.PolicyID{0: 9}, layout.PolicyID{0: 1}, layout.PolicyID{0: 2}
	for _, c := range []struct {
		none, a, b int
		want       layout.PolicyID
	}{{1, 0, 0, none}, {1, 4, 4, none}, {1, 5, 5, a}, {1, 5, 6, b}, {2, 9, 1, a}, {3, 1, 12, none}} {
		for range 10 {
			if got := standardRow(map[layout.PolicyID]int{none: c.none, a: c.a, b: c.b}, none); got != c.want {
				t.Errorf("%+v: %x", c, got)
			}
		}
	}
}

// idOf returns the identity of a single row.
func idOf(r *laidRow) layout.PolicyID {
	ids := newPolicyIDs(nil)
	return ids.row(r)
}

// laidOf is a row without source ports in the form of the maps.
func laidOf(r *resolve.Row) *laidRow {
	out := newLaidRow(r, nil)
	return &out
}

// TestPolicyIdentities: contents with equal hashes get different identities, none
// of them reserved.
func TestPolicyIdentities(t *testing.T) {
	weak := newPolicyIDs(func([]byte) (sum [32]byte) { return sum })
	a, b := weak.profile("a"), weak.profile("b")
	if a == b || a.Reserved() || b.Reserved() || weak.profile("a") != a {
		t.Errorf("two profiles have the identities %x and %x", a, b)
	}
	ids := newPolicyIDs(nil)
	row := func(accept bool, except ...ir.PortRange) layout.PolicyID {
		return ids.row(laidOf(&resolve.Row{ID: fmt.Sprint(accept, except), Accept: accept, Except: except}))
	}
	seen := make(map[layout.PolicyID]bool)
	for _, id := range []layout.PolicyID{row(true), row(false), row(true, tcp(80, 80)), row(false, tcp(80, 80)), row(false, tcp(80, 81)), row(false, tcp(80, 80), tcp(82, 82))} {
		if seen[id] {
			t.Errorf("%x is there twice", id)
		}
		seen[id] = true
	}
	if row(true) != layout.RowAccept || row(false) != layout.RowDeny {
		t.Error("rows without ports have identities of their own")
	}
}

// TestTooManyClasses gives up the one policy that is too large.
func TestTooManyClasses(t *testing.T) {
	p := policed()
	var peers []string
	for i := range maxClasses + 1 {
		id := fmt.Sprintf("pod-%06d", i)
		peers = append(peers, id)
		p.Policy.AddressSets = append(p.Policy.AddressSets, ir.AddressSet{ID: id, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 3 + byte(i>>16), byte(i >> 8), byte(i)})}})
	}
	p.Policy.Profiles[0].Egress = isolated(policyRule(ir.Accept, "spec.egress[0]", peers, tcp(80, 80)))
	p.Normalize()
	b := New(backends.DefaultOptions())
	list := b.Check(p)
	if len(list) != 1 || list[0].Code != diag.NotExpressible || !strings.Contains(list[0].Message, "classes of addresses apart, 65536 at most") {
		t.Errorf("%v", list)
	}
	// The policy is given up, and what it selects is closed.
	safe := backends.GiveUp(p, []backends.Refused{{Object: failsafe.Object{Kind: list[0].Origin.Kind, Namespace: list[0].Origin.Namespace, Name: list[0].Origin.Name}}})
	want, got := imageOf(t, safe), imageOf(t, p)
	if !bytes.Equal(want.Bytes(), got.Bytes()) {
		t.Error("not the image of the program without the policy")
	}
}

// TestRandomPolicies reads back all emitted images, to show that Emit satisfies
// every check of Read.
func TestRandomPolicies(t *testing.T) {
	classes, rows, ports, none, sources, logs, own, nodes := 0, 0, 0, 0, 0, 0, 0, 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 9))
		p := irtest.RandomProgram(rng)
		if seed%2 == 0 {
			irtest.AddRandomPolicy(rng, p)
		} else {
			irtest.AddRandomDialects(rng, p)
		}
		img := imageOf(t, p)
		got, err := Read(img.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !bytes.Equal(got.Text(), img.Text()) {
			t.Fatalf("seed %d: another image comes back", seed)
		}
		for i := range img.Map(layout.Rows).Len() {
			switch key := layout.DecodeRowKey(img.Map(layout.Rows).Key(i)); {
			case key.Direction == layout.DirectionOwn:
				own++
			case key.Class == (layout.BE32{}):
				none++
			}
		}
		if img.Info().Node.Flags != 0 {
			nodes++
		}
		sources, logs = sources+img.Map(layout.SourcePorts).Len(), logs+img.Map(layout.Logs).Len()
		classes, rows, ports = classes+img.Map(layout.Classes).Len(), rows+img.Map(layout.Rows).Len(), ports+img.Map(layout.Ports).Len()
	}
	t.Logf("%d entries of class, %d of row, %d of them of class 0, %d of the own node, %d of port, %d of sport, %d of log, %d profiles of the node",
		classes, rows, none, own, ports, sources, logs, nodes)
	if min(none, own, sources, logs, nodes) < 100 {
		t.Error("the default is nearly always the row of class 0, or an entry of other dialects is rare: the test does not ask enough")
	}
}
