package podnet_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	emit "github.com/planec/planec/backends/podnet"
	"github.com/planec/planec/ir/podnet"
)

func network() *podnet.Network {
	far := podnet.MACOf("node-b", "planec-vx4")
	n := &podnet.Network{
		Node: "node-a",
		Devices: []podnet.Device{
			{Kind: podnet.InVXLAN, Name: "planec-vx4", VNI: 83, Port: 4789, Local: netip.MustParseAddr("192.0.2.1"), Addresses: []netip.Addr{netip.MustParseAddr("10.244.1.0")}, MAC: podnet.MACOf("node-a", "planec-vx4"), MTU: 1450},
			{Kind: podnet.InVXLAN, Name: "planec-vx6", VNI: 83, Port: 4789, Local: netip.MustParseAddr("2001:db8::1"), Addresses: []netip.Addr{netip.MustParseAddr("fd00:1::")}, MAC: podnet.MACOf("node-a", "planec-vx6"), MTU: 1430},
		},
		Routes: []podnet.Route{
			{To: netip.MustParsePrefix("10.244.2.0/24"), Via: netip.MustParseAddr("10.244.2.0"), Device: "planec-vx4"},
			{To: netip.MustParsePrefix("10.244.3.0/24"), Via: netip.MustParseAddr("192.0.2.3")},
			{To: netip.MustParsePrefix("fd00:3::/64"), Via: netip.MustParseAddr("2001:db8::3")},
		},
		Neighbours: []podnet.Neighbour{{Device: "planec-vx4", Address: netip.MustParseAddr("10.244.2.0"), MAC: far}},
		Forwarding: []podnet.Forwarding{{Device: "planec-vx4", MAC: far, To: netip.MustParseAddr("198.51.100.2")}},
	}
	n.Normalize()
	return n
}

// inGeneve is a network with a device that sends over both families.
func inGeneve() *podnet.Network {
	far, device := podnet.MACOf("node-b", "planec-gnv"), "planec-gnv"
	n := &podnet.Network{
		Node: "node-a",
		Devices: []podnet.Device{{
			Kind: podnet.InGeneve, Name: device, Port: 6081, MAC: podnet.MACOf("node-a", device), MTU: 1430,
			Addresses: []netip.Addr{netip.MustParseAddr("10.244.1.0"), netip.MustParseAddr("fd00:1::")},
		}},
		Routes: []podnet.Route{
			{To: netip.MustParsePrefix("10.244.2.0/24"), Via: netip.MustParseAddr("10.244.2.0"), Device: device, Tunnel: podnet.Tunnel{VNI: 83, From: netip.MustParseAddr("192.0.2.1"), To: netip.MustParseAddr("192.0.2.2")}},
			{To: netip.MustParsePrefix("fd00:2::/64"), Via: far.LinkLocal(), Device: device, Tunnel: podnet.Tunnel{VNI: 83, From: netip.MustParseAddr("2001:db8::1"), To: netip.MustParseAddr("2001:db8::2")}},
		},
		Neighbours: []podnet.Neighbour{{Device: device, Address: netip.MustParseAddr("10.244.2.0"), MAC: far}, {Device: device, Address: far.LinkLocal(), MAC: far}},
	}
	n.Normalize()
	return n
}

// TestReadBack checks that the files say the network, all of it and nothing else.
func TestReadBack(t *testing.T) {
	for _, n := range []*podnet.Network{network(), inGeneve(), {Node: "alone"}} {
		got, err := emit.Read(emit.Emit(n))
		if want := n.Bare(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
		}
	}
}

// TestWrongTunnels changes a right file with tunnels in ways that no emitter would.
func TestWrongTunnels(t *testing.T) {
	right := string(emit.Emit(inGeneve()).File(emit.RoutesFile))
	for _, c := range []struct{ from, to string }{
		{"external", ""},
		{"type geneve external", "type gre external"},
		{"ttl 64", "ttl 0"},
		{"hoplimit 64 csum", "hoplimit 64"},
		{"encap ip id", "encap ip6 id"},
		{"encap ip id", "encap mpls id"},
		{"id 83", "id 16777216"},
		{"src 192.0.2.1", "src 2001:db8::1"},
		{"via 10.244.2.0 dev planec-gnv", "via 10.244.2.0"},
	} {
		wrong := strings.Replace(right, c.from, c.to, 1)
		if wrong == right {
			t.Fatalf("%q is not in the file:\n%s", c.from, right)
		}
		if _, err := emit.Read(backends.Artifact{Files: []backends.File{{Name: emit.RoutesFile, Data: []byte(wrong)}}}); err == nil {
			t.Errorf("%q instead of %q is no error", c.to, c.from)
		}
	}
}

// TestWrongFiles changes a right file in ways that no emitter would.
func TestWrongFiles(t *testing.T) {
	right := string(emit.Emit(network()).File(emit.RoutesFile))
	for _, c := range []struct{ from, to string }{
		{"link set planec-vx4 up\n", ""},
		{"address add 10.244.1.0/32 dev planec-vx4\n", ""},
		{"10.244.1.0/32", "10.244.1.0/24"},
		{"proto 112", "proto 4"},
		{"onlink", ""},
		{"dev planec-vx4 nud", "dev eth0 nud"},
		{"link set", "link add x type dummy\nlink set"},
		{"route replace 10.244.3.0/24", "route replace 10.244.3.1/24"},
		{"lladdr 0", "lladdr zz0"},
		{"nolearning", "nolearning group 239.0.0.1"},
	} {
		wrong := strings.Replace(right, c.from, c.to, 1)
		if wrong == right && !strings.Contains(c.from, "lladdr") {
			t.Fatalf("%q is not in the file:\n%s", c.from, right)
		}
		if wrong == right {
			wrong = strings.Replace(right, "lladdr ", "lladdr zz:", 1)
		}
		_, err := emit.Read(backends.Artifact{Files: []backends.File{{Name: emit.RoutesFile, Data: []byte(wrong)}}})
		if err == nil {
			t.Errorf("%q instead of %q is no error", c.to, c.from)
		}
	}
}
