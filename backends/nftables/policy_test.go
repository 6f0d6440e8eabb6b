package nftables

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/internal/testing/irtest"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// The pods of policed: web and db are policed, and so is one that nothing may
// reach.
var (
	webPod    = ir.Pod{Namespace: "shop", Name: "web-7d9", Addresses: irtest.Addrs("10.1.0.2", "fd00:10:1::2")}
	dbPod     = ir.Pod{Namespace: "shop", Name: "db-0", Addresses: irtest.Addrs("10.1.0.3", "fd00:10:1::3")}
	sealedPod = ir.Pod{Namespace: "vault", Name: "sealed", Addresses: irtest.Addrs("10.1.0.4", "fd00:10:1::4")}
)

// policed is the kitchen sink with one of everything that policies have.
func policed() *ir.Program {
	p := irtest.KitchenSink()
	policy := func(name string) ir.Origin {
		return ir.Origin{Kind: "NetworkPolicy", Namespace: "shop", Name: name, Path: "spec.ingress[0]"}
	}
	tier := func(name string, rules ...ir.Rule) ir.Tier {
		for i := range rules {
			rules[i].Action, rules[i].Origin = ir.Accept, policy(name)
		}
		return ir.Tier{Kind: ir.NetworkTier, Default: ir.Deny, Isolating: []ir.Origin{policy(name)}, Rules: rules}
	}
	ports := func(proto ir.Protocol, first, last uint16) ir.PortRange {
		return ir.PortRange{Protocol: proto, First: first, Last: last}
	}
	admin := ir.Tier{Kind: ir.AdminTier, Default: ir.Pass, Rules: []ir.Rule{
		{Action: ir.Accept, Name: "dns", AnyPeer: true, Ports: []ir.PortRange{ports(ir.UDP, 53, 53), ports(ir.TCP, 53, 53)}, Origin: policy("admin")},
		{Action: ir.Deny, Name: "metadata", Peers: []string{"metadata"}, AnyPort: true, Origin: policy("admin")},
	}}
	p.Policy = ir.Policy{
		OnDeny: ir.Drop,
		AddressSets: []ir.AddressSet{
			{ID: "app=db", Addresses: dbPod.Addresses},
			{ID: "app=web", Addresses: append(irtest.Addrs("10.1.1.2", "fd00:10:2::2"), webPod.Addresses...)},
			{ID: "metadata", Prefixes: irtest.Prefixes("169.254.169.254/32")},
			{ID: "world", Prefixes: irtest.Prefixes("0.0.0.0/0", "::/0"), Except: irtest.Prefixes("10.0.0.0/8", "192.168.0.0/16", "fc00::/7")},
		},
		Profiles: []ir.Profile{
			{
				ID: "shop/db", Pods: []ir.Pod{dbPod},
				Ingress: []ir.Tier{tier("db", ir.Rule{Peers: []string{"app=web"}, Ports: []ir.PortRange{ports(ir.TCP, 5432, 5432)}})},
				Egress:  []ir.Tier{tier("db")},
			},
			{
				ID: "shop/web/1f3a9c2e", Pods: []ir.Pod{webPod},
				Ingress: []ir.Tier{tier("web", ir.Rule{AnyPeer: true, Ports: []ir.PortRange{ports(ir.TCP, 8080, 8080), ports(ir.SCTP, 0, 65535), ports(ir.UDP, 8000, 8999), ports(ir.UDP, 9090, 9090)}})},
				Egress: []ir.Tier{admin, tier("web",
					ir.Rule{Peers: []string{"app=db"}, Ports: []ir.PortRange{ports(ir.TCP, 5432, 5432)}},
					ir.Rule{Peers: []string{"app=web", "world"}, AnyPort: true},
				)},
			},
			{ID: "vault/sealed", Pods: []ir.Pod{sealedPod}, Ingress: []ir.Tier{tier("sealed")}, Egress: []ir.Tier{tier("sealed")}},
		},
		Peers: []ir.Peer{
			{Address: webPod.Addresses[0], Namespace: "shop", Name: webPod.Name},
			{Address: dbPod.Addresses[0], Namespace: "shop", Name: dbPod.Name},
			{Address: netip.MustParseAddr("10.1.1.2"), Name: "node-b"},
		},
	}
	p.Normalize()
	return p
}

// TestPolicyChangesElementsOnly: a pod that comes or goes, here or elsewhere,
// changes no chain and declares no map.
func TestPolicyChangesElementsOnly(t *testing.T) {
	for name, change := range podChanges() {
		from, to := policed(), policed()
		change(to)
		to.Normalize()
		text, n := transition(t, make(map[string]bool), from, to, backends.DefaultOptions())
		if n == 0 || n > 16 {
			t.Errorf("%s: %d elements changed", name, n)
		}
		for line := range strings.Lines(text) {
			if !strings.HasPrefix(line, "add element ") && !strings.HasPrefix(line, "delete element ") {
				t.Errorf("%s: not only elements: %s", name, line)
			}
		}
		if a, b := declarations(emit(t, from, backends.DefaultOptions())), declarations(emit(t, to, backends.DefaultOptions())); a != b {
			t.Errorf("%s: other maps and chains", name)
		}
	}
}

// podChanges are what happens to pods all day.
func podChanges() map[string]func(*ir.Program) {
	addTo := func(set int, addrs ...string) func(*ir.Program) {
		return func(p *ir.Program) {
			s := &p.Policy.AddressSets[set]
			s.Addresses = append(s.Addresses, irtest.Addrs(addrs...)...)
		}
	}
	return map[string]func(*ir.Program){
		"a pod elsewhere": addTo(1, "10.1.5.5", "fd00:10:5::5"),
		"a pod elsewhere goes": func(p *ir.Program) {
			p.Policy.AddressSets[1].Addresses = p.Policy.AddressSets[1].Addresses[2:]
			p.Policy.Peers = p.Policy.Peers[1:2]
		},
		"a pod in a network": addTo(0, "203.0.113.77"),
		"a local pod": func(p *ir.Program) {
			pod := ir.Pod{Namespace: "shop", Name: "web-8aa", Addresses: irtest.Addrs("10.1.0.9", "fd00:10:1::9")}
			p.Policy.Profiles[1].Pods = append(p.Policy.Profiles[1].Pods, pod)
		},
		"another address": func(p *ir.Program) {
			p.Policy.Profiles[1].Pods[0].Addresses = irtest.Addrs("10.1.0.10", "fd00:10:1::10")
		},
	}
}

// declarations is a text without the elements.
func declarations(text string) string {
	var b strings.Builder
	inElements := false
	for line := range strings.Lines(text) {
		word := strings.TrimSpace(line)
		inElements = inElements && word != "}" || word == "elements = {"
		if !inElements && !strings.HasPrefix(line, "\t\t}") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestPolicyNoComments(t *testing.T) {
	text := emit(t, policed(), backends.Options{MasqueradeBit: 14, NoComments: true})
	if strings.Contains(text, "comment") || strings.Contains(text, "web-7d9") {
		t.Error("there are comments")
	}
	text = emit(t, policed(), backends.DefaultOptions())
	for _, want := range []string{`10.1.1.2 comment "node-b" : `, `10.1.0.2 comment "shop/web-7d9" : goto out-shop/web/1f3a9c2e`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestPolicyOneFamily: without a policed pod in a family its table has nothing
// of policies.
func TestPolicyOneFamily(t *testing.T) {
	p := policed()
	for i := range p.Policy.Profiles {
		pod := &p.Policy.Profiles[i].Pods[0]
		pod.Addresses = pod.Addresses[:1]
	}
	_, six, _ := strings.Cut(emit(t, p, backends.DefaultOptions()), "\ntable ip6 ")
	if six == "" || strings.Contains(six, "policy-") || strings.Contains(six, "row-") {
		t.Error("policies in the IPv6 table")
	}
}

func TestAppendRange(t *testing.T) {
	for _, c := range [][3]string{
		{"10.0.0.0", "10.255.255.255", "10.0.0.0/8"},
		{"10.0.0.1", "10.0.0.1", "10.0.0.1"},
		{"10.0.0.1", "10.0.0.2", "10.0.0.1-10.0.0.2"},
		{"0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
		{"128.0.0.0", "255.255.255.255", "128.0.0.0/1"},
		{"128.0.0.0", "255.255.255.254", "128.0.0.0-255.255.255.254"},
		{"::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"},
		{"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::/7"},
	} {
		if got := string(appendRange(nil, netip.MustParseAddr(c[0]), netip.MustParseAddr(c[1]))); got != c[2] {
			t.Errorf("%s to %s: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestOtherClasses(t *testing.T) {
	const last = 1<<32 - 1
	for _, c := range []struct {
		ids  []uint32
		want uint32
	}{{nil, last}, {[]uint32{1, last - 1}, last}, {[]uint32{1, last}, last - 1}, {[]uint32{last - 3, last - 1, last}, last - 2}} {
		var classes []resolve.Class
		for _, id := range c.ids {
			classes = append(classes, resolve.Class{ID: id})
		}
		if got := otherClasses(classes); got != c.want {
			t.Errorf("%x: %x, want %x", c.ids, got, c.want)
		}
	}
}

func TestAppendHandle(t *testing.T) {
	for id, want := range map[uint32]string{0: "none", 1: "0:1", 0x12ab34cd: "12ab:34cd", 0xffff0000: "ffff:0", 1<<32 - 1: "root"} {
		if got := string(appendHandle(nil, id)); got != want {
			t.Errorf("%x: %s, want %s", id, got, want)
		}
	}
}
