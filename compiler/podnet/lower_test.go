package podnet_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/planec/planec/compiler/objects"
	lower "github.com/planec/planec/compiler/podnet"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
	"github.com/planec/planec/ir/podnet"
)

// node makes a Node; addresses and ranges are words.
func node(name, addresses, cidrs string) objects.Sourced[*corev1.Node] {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Spec.PodCIDRs = strings.Fields(cidrs)
	for _, a := range strings.Fields(addresses) {
		n.Status.Addresses = append(n.Status.Addresses, corev1.NodeAddress{Type: corev1.NodeInternalIP, Address: a})
	}
	return objects.Sourced[*corev1.Node]{Object: n}
}

func lowered(s podnet.Settings, nodes ...objects.Sourced[*corev1.Node]) (podnet.Network, diag.List) {
	return lower.Lower(&objects.Set{Nodes: nodes}, "a", s, &objects.Config{})
}

// text is a network in short: "10.244.2.0/24>192.0.2.2" or with the device.
func text(n *podnet.Network) string {
	var out []string
	for _, r := range n.Routes {
		s := fmt.Sprintf("%v>%v", r.To, r.Via)
		if r.Device != "" {
			s += "@" + r.Device
		}
		if t := r.Tunnel; t.To.IsValid() {
			s += fmt.Sprintf("(%v,%v,%d)", t.From, t.To, t.VNI)
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func codes(l diag.List) string {
	var out []string
	for _, d := range l {
		out = append(out, d.Origin.Name+":"+string(d.Code))
	}
	return strings.Join(out, " ")
}

func TestModes(t *testing.T) {
	nodes := []objects.Sourced[*corev1.Node]{
		node("a", "192.0.2.1 2001:db8::1", "10.244.1.0/24 fd00:1::/64"),
		node("b", "192.0.2.2 2001:db8::2", "10.244.2.0/24 fd00:2::/64"),
		node("c", "198.51.100.3", "10.244.3.7/24"),
	}
	g6 := podnet.MACOf("b", "planec-gnv").LinkLocal().String()
	b6 := podnet.MACOf("b", "planec-vx6").LinkLocal().String()
	subnets := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/64")}
	for _, c := range []struct {
		s           podnet.Settings
		want, diags string
	}{
		{podnet.Settings{}, "", ""},
		{podnet.Settings{Mode: podnet.Native}, "10.244.2.0/24>192.0.2.2 10.244.3.0/24>198.51.100.3 fd00:2::/64>2001:db8::2", ""},
		{podnet.Settings{Mode: podnet.Native, Subnets: subnets}, "10.244.2.0/24>192.0.2.2 fd00:2::/64>2001:db8::2", "c:PLC0324"},
		{podnet.Settings{Mode: podnet.VXLAN, Subnets: subnets}, "10.244.2.0/24>10.244.2.0@planec-vx4 10.244.3.0/24>10.244.3.0@planec-vx4 fd00:2::/64>" + b6 + "@planec-vx6", ""},
		{podnet.Settings{Mode: podnet.Auto, Subnets: subnets}, "10.244.2.0/24>192.0.2.2 10.244.3.0/24>10.244.3.0@planec-vx4 fd00:2::/64>2001:db8::2", ""},
		{podnet.Settings{Mode: podnet.Auto}, "10.244.2.0/24>10.244.2.0@planec-vx4 10.244.3.0/24>10.244.3.0@planec-vx4 fd00:2::/64>" + b6 + "@planec-vx6", ":PLC0329 :PLC0329"},
		{podnet.Settings{Mode: podnet.Geneve, Subnets: subnets}, "10.244.2.0/24>10.244.2.0@planec-gnv(192.0.2.1,192.0.2.2,83) 10.244.3.0/24>10.244.3.0@planec-gnv(192.0.2.1,198.51.100.3,83) fd00:2::/64>" + g6 + "@planec-gnv(2001:db8::1,2001:db8::2,83)", ""},
		{podnet.Settings{Mode: podnet.AutoGeneve, Subnets: subnets, VNI: 7}, "10.244.2.0/24>192.0.2.2 10.244.3.0/24>10.244.3.0@planec-gnv(192.0.2.1,198.51.100.3,7) fd00:2::/64>2001:db8::2", ""},
	} {
		n, diags := lowered(c.s, nodes...)
		if got := text(&n); got != c.want || codes(diags) != c.diags {
			t.Errorf("%+v:\n got %s\nwant %s\n%v", c.s, got, c.want, diags)
		}
	}
	n, _ := lowered(podnet.Settings{Mode: podnet.VXLAN, UnderlayMTU: 9000, VNI: 7, Port: 8472}, nodes...)
	want := podnet.Device{Kind: podnet.InVXLAN, Name: "planec-vx6", VNI: 7, Port: 8472, Local: netip.MustParseAddr("2001:db8::1"), Addresses: []netip.Addr{netip.MustParseAddr("fd00:1::")}, MAC: podnet.MACOf("a", "planec-vx6"), MTU: 8930}
	if n.Devices[0].MTU != 8950 || !reflect.DeepEqual(n.Devices[1], want) {
		t.Errorf("devices %+v", n.Devices)
	}
	one, _ := lowered(podnet.Settings{Mode: podnet.Geneve, UnderlayMTU: 9000}, nodes...)
	want = podnet.Device{Kind: podnet.InGeneve, Name: "planec-gnv", Port: 6081, Addresses: []netip.Addr{netip.MustParseAddr("10.244.1.0"), netip.MustParseAddr("fd00:1::")}, MAC: podnet.MACOf("a", "planec-gnv"), MTU: 8930}
	if len(one.Devices) != 1 || !reflect.DeepEqual(one.Devices[0], want) || len(one.Forwarding) != 0 || len(one.Neighbours) != 3 {
		t.Errorf("Geneve: %+v", one)
	}
	if n, _ := lowered(podnet.Settings{Mode: podnet.AutoGeneve, Subnets: subnets}, nodes...); n.Devices[0].MTU != 1450 || len(n.Devices[0].Addresses) != 1 {
		t.Errorf("Geneve over IPv4 only: %+v", n.Devices)
	}
	if n, _ := lowered(podnet.Settings{Mode: podnet.VXLAN, MTU: 1400}, nodes...); n.Devices[0].MTU != 1400 || n.Devices[1].MTU != 1400 {
		t.Errorf("devices %+v", n.Devices)
	}
}

// TestHostile has nodes that want what is not theirs. The right ones keep their routes.
func TestHostile(t *testing.T) {
	for _, c := range []struct {
		about, address, cidrs string
		routed                bool
		diags                 string
	}{
		{"right", "192.0.2.9", "10.244.9.0/24", true, ""},
		{"everything", "192.0.2.9", "0.0.0.0/0", false, "z:PLC0322"},
		{"everything of IPv6", "2001:db8::9", "::/0", false, "z:PLC0322"},
		{"wide", "192.0.2.9", "10.0.0.0/7", false, "z:PLC0322"},
		{"around another", "192.0.2.9", "10.244.0.0/16", false, "z:PLC0321"},
		{"within another", "192.0.2.9", "10.244.2.128/25", false, "z:PLC0321"},
		{"the same", "192.0.2.9", "10.244.2.0/24", false, "z:PLC0321"},
		{"within the own", "192.0.2.9", "10.244.1.4/30", false, "z:PLC0321"},
		{"with a node", "192.0.2.9", "192.0.2.0/25", false, "z:PLC0322"},
		{"loopback", "192.0.2.9", "127.0.0.0/24", false, "z:PLC0322"},
		{"multicast", "2001:db8::9", "ff02::/16", false, "z:PLC0322"},
		{"link-local", "2001:db8::9", "fe80::/64", false, "z:PLC0322"},
		{"no CIDR", "192.0.2.9", "10.244.9.0", false, "z:PLC0323 z:PLC0305"},
		{"nothing", "", "", false, "z:PLC0323"},
		{"no address", "", "10.244.9.0/24", false, "z:PLC0323"},
		{"a loopback address", "127.0.0.1", "10.244.9.0/24", false, "z:PLC0323"},
		{"another's address", "192.0.2.2", "10.244.9.0/24", false, "z:PLC0326"},
		{"the own address", "192.0.2.1", "10.244.9.0/24", false, "z:PLC0326"},
		{"an address in another's range", "10.244.2.5", "10.244.9.0/24", false, "z:PLC0326"},
		{"an address in the own range", "10.244.1.5", "10.244.9.0/24", false, "z:PLC0326"},
		{"a second address in another's range", "192.0.2.9 10.244.2.5", "10.244.9.0/24", true, ""},
		{"an address that no host has", "240.0.0.1", "10.244.9.0/24", false, "z:PLC0323"},
		{"an address of this network", "0.1.2.3", "10.244.9.0/24", false, "z:PLC0323"},
		{"two of a family", "192.0.2.9", "10.244.9.0/24 10.244.10.0/24", true, "z:PLC0322"},
		{"mapped", "192.0.2.9", "::ffff:10.244.9.0/120", false, "z:PLC0323 z:PLC0305"},
	} {
		n, diags := lowered(podnet.Settings{Mode: podnet.VXLAN},
			node("a", "192.0.2.1 2001:db8::1", "10.244.1.0/24 fd00:1::/64"), node("b", "192.0.2.2", "10.244.2.0/24"), node("z", c.address, c.cidrs))
		got := text(&n)
		if !strings.Contains(got, "10.244.2.0/24>10.244.2.0@planec-vx4") || (len(n.Routes) == 2) != c.routed || codes(diags) != c.diags {
			t.Errorf("%s: %s\n%v", c.about, got, diags)
		}
	}
}

// TestOwn checks what the own node may lack.
func TestOwn(t *testing.T) {
	b := node("b", "192.0.2.2", "10.244.2.0/24")
	for _, c := range []struct {
		about, address, cidrs, diags string
		mode                         podnet.Mode
		routes                       int
	}{
		{"no podCIDR, native", "192.0.2.1", "", "", podnet.Native, 1},
		{"no podCIDR, vxlan", "192.0.2.1", "", "a:PLC0323", podnet.VXLAN, 0},
		{"no address", "", "10.244.1.0/24", "a:PLC0323", podnet.Native, 0},
		{"everything", "192.0.2.1", "0.0.0.0/0", "a:PLC0323 a:PLC0322", podnet.VXLAN, 0},
		{"other family", "2001:db8::1", "fd00:1::/64", "", podnet.VXLAN, 0},
	} {
		n, diags := lowered(podnet.Settings{Mode: c.mode}, node("a", c.address, c.cidrs), b)
		if len(n.Routes) != c.routes || codes(diags) != c.diags {
			t.Errorf("%s: %s\n%v", c.about, text(&n), diags)
		}
	}
	if n, diags := lowered(podnet.Settings{Mode: podnet.Native}, b); n.Node != "" || codes(diags) != "a:PLC0301" {
		t.Errorf("unknown node: %+v %v", n, diags)
	}
}

// TestRanges checks what settings say about ranges: the cluster's, and the masquerade.
func TestRanges(t *testing.T) {
	set := &objects.Set{Nodes: []objects.Sourced[*corev1.Node]{node("a", "192.0.2.1", "10.244.1.0/24"), node("b", "192.0.2.2", "10.244.2.0/24"), node("c", "192.0.2.3", "10.96.0.0/16")}}
	c := &objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}, ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.9.0/24")}}
	set.Nodes = append(set.Nodes, node("d", "192.0.2.4", "10.244.9.128/25"))
	c.Masquerade = ir.Masquerade{Families: []ir.Family{ir.IPv4}, Exclude: []netip.Prefix{netip.MustParsePrefix("10.244.1.0/24")}}
	n, diags := lower.Lower(set, "a", podnet.Settings{Mode: podnet.Native}, c)
	if text(&n) != "10.244.2.0/24>192.0.2.2" || codes(diags) != "b:PLC0327 c:PLC0322 d:PLC0322" {
		t.Errorf("%s\n%v", text(&n), diags)
	}
}

// TestOrder checks that the network does not depend on the order of Nodes, also where these
// contradict each other.
func TestOrder(t *testing.T) {
	var nodes []objects.Sourced[*corev1.Node]
	nodes = append(nodes, node("a", "192.0.2.1", "10.1.0.0/24"))
	for i := range 200 {
		nodes = append(nodes, node(fmt.Sprintf("n%d", i), fmt.Sprintf("192.0.2.%d", 2+i%150), fmt.Sprintf("10.%d.%d.0/%d", 1+i%3, i%100, 20+i%9)))
	}
	want, wantDiags := lowered(podnet.Settings{Mode: podnet.VXLAN}, nodes...)
	for range 10 {
		rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		if got, diags := lowered(podnet.Settings{Mode: podnet.VXLAN}, nodes...); !reflect.DeepEqual(got, want) || !slices.Equal(diags, wantDiags) {
			t.Fatal("another order gives another network")
		}
	}
}

// TestMany has more nodes than are routed to, each a range within another: the worst for
// claims.
func TestMany(t *testing.T) {
	nodes := []objects.Sourced[*corev1.Node]{node("a", "2001:db8::1", "fd00::/64")}
	for i := range 10500 {
		nodes = append(nodes, node(fmt.Sprintf("n%d", i), fmt.Sprintf("2001:db8::1:%x", i+1), fmt.Sprintf("fd00:%x::/64", i+1)))
	}
	n, diags := lowered(podnet.Settings{Mode: podnet.VXLAN}, nodes...)
	if len(n.Routes) < 9999 || len(n.Routes) > 10000 || diags.Count(diag.Error) != 1 {
		t.Errorf("%d routes, %d findings", len(n.Routes), len(diags))
	}
}

// TestSubnets checks podCIDRs within the nodes' own network.
func TestSubnets(t *testing.T) {
	set := &objects.Set{Nodes: []objects.Sourced[*corev1.Node]{node("a", "10.0.0.1", "10.244.1.0/24"), node("b", "10.0.0.2", "10.244.2.0/24")}}
	s := podnet.Settings{Mode: podnet.Native, Subnets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	if n, diags := lower.Lower(set, "a", s, &objects.Config{}); len(n.Routes) != 0 || codes(diags) != "a:PLC0322 b:PLC0322" {
		t.Errorf("%s\n%v", text(&n), diags)
	}
	c := &objects.Config{ClusterCIDRs: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16")}}
	if n, diags := lower.Lower(set, "a", s, c); len(n.Routes) != 1 || len(diags) != 0 {
		t.Errorf("%s\n%v", text(&n), diags)
	}
}

func BenchmarkLower(b *testing.B) {
	for _, many := range []int{500, 5000} {
		nodes := []objects.Sourced[*corev1.Node]{node("a", "192.0.2.1 2001:db8::1", "10.0.0.0/24 fd00::/64")}
		for i := range many - 1 {
			nodes = append(nodes, node(fmt.Sprintf("n%d", i), fmt.Sprintf("203.%d.%d.9 2001:db8::1:%x", i/250, i%250, i+1), fmt.Sprintf("10.%d.%d.0/24 fd00:%x::/64", 1+i/250, i%250, i+1)))
		}
		b.Run(fmt.Sprint(many), func(b *testing.B) {
			for b.Loop() {
				if n, _ := lowered(podnet.Settings{Mode: podnet.VXLAN}, nodes...); len(n.Routes) != 2*(many-1) {
					b.Fatal(len(n.Routes))
				}
			}
		})
	}
}
