package podnet_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/planec/planec/backends"
	emit "github.com/planec/planec/backends/podnet"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/podnet"
)

func network() *podnet.Network {
	far := podnet.MACOf("node-b", ir.IPv4)
	n := &podnet.Network{
		Node: "node-a",
		Devices: []podnet.Device{
			{Name: "planec-vx4", VNI: 83, Port: 4789, Local: netip.MustParseAddr("192.0.2.1"), Address: netip.MustParseAddr("10.244.1.0"), MAC: podnet.MACOf("node-a", ir.IPv4), MTU: 1450},
			{Name: "planec-vx6", VNI: 83, Port: 4789, Local: netip.MustParseAddr("2001:db8::1"), Address: netip.MustParseAddr("fd00:1::"), MAC: podnet.MACOf("node-a", ir.IPv6), MTU: 1430},
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

// TestReadBack checks that the files say the network, all of it and nothing else.
func TestReadBack(t *testing.T) {
	for _, n := range []*podnet.Network{network(), {Node: "alone"}} {
		got, err := emit.Read(emit.Emit(n))
		if want := n.Bare(); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
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
