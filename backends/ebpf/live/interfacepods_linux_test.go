package live

import (
	"net/netip"
	"slices"
	"testing"
)

// TestPodDevices: which interfaces are pods', in the networks that plugins make.
func TestPodDevices(t *testing.T) {
	devices := []device{
		{index: 1, name: "lo", kind: "device"},
		{index: 2, name: "eth0", kind: "device", ethernet: true},
		{index: 3, name: "veth3", kind: "veth", ethernet: true},
		{index: 4, name: "veth4", kind: "veth", ethernet: true},
		{index: 5, name: "br5", kind: "bridge", ethernet: true},
		{index: 6, name: "veth6", kind: "veth", ethernet: true, master: 5},
		{index: 7, name: "vxlan7", kind: "vxlan", ethernet: true, master: 5},
		{index: 8, name: "tap8", kind: "tuntap", ethernet: true},
		{index: 9, name: "tun9", kind: "tuntap"},
	}
	to := func(prefix string, device int) path {
		return path{to: netip.MustParsePrefix(prefix), device: device}
	}
	router := func(prefix string, device int) path {
		return path{to: netip.MustParsePrefix(prefix), device: device, gateway: true}
	}
	pods := &cast{addresses: map[netip.Addr]bool{netip.MustParseAddr("10.1.0.2"): true}, networks: []netip.Prefix{netip.MustParsePrefix("fd00:1::/64")}}
	for name, c := range map[string]struct {
		paths []path
		want  []string
	}{
		"nothing":                       {nil, nil},
		"a route to one address":        {[]path{to("10.1.0.2/32", 3), to("10.1.0.3/32", 4)}, []string{"veth3", "veth4"}},
		"of IPv6":                       {[]path{to("fd00:9::1/128", 3)}, []string{"veth3"}},
		"an uplink":                     {[]path{router("0.0.0.0/0", 3), to("169.254.1.1/32", 3)}, nil},
		"an uplink with a pod":          {[]path{router("0.0.0.0/0", 3), to("10.1.0.2/32", 3)}, []string{"veth3"}},
		"the node's own address":        {[]path{{to: netip.MustParsePrefix("fd00:9::1/128"), device: 3, kernel: true}}, nil},
		"a network card":                {[]path{to("10.9.0.1/32", 2)}, nil},
		"a network card with a pod":     {[]path{to("10.1.0.2/32", 2)}, []string{"eth0"}},
		"a virtual machine":             {[]path{to("fd00:1::5/128", 8)}, []string{"tap8"}},
		"no Ethernet":                   {[]path{to("10.1.0.2/32", 9)}, nil},
		"a pod behind a router":         {[]path{router("10.1.0.2/32", 2)}, nil},
		"a network of pods, elsewhere":  {[]path{to("10.1.0.0/16", 2)}, nil},
		"a bridge with pods":            {[]path{to("10.1.0.0/24", 5)}, []string{"veth6"}},
		"a bridge with pods by network": {[]path{to("fd00:1::/80", 5)}, []string{"veth6"}},
		"another bridge":                {[]path{to("10.2.0.0/24", 5)}, nil},
		"a device that is gone":         {[]path{to("10.1.0.2/32", 99)}, nil},
		"a route to nothing":            {[]path{{device: 3}}, nil},
	} {
		var got []string
		for _, d := range podDevices(devices, c.paths, pods) {
			got = append(got, d.name)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestPinNames: a pin is read as it is written, and other names are not ours.
func TestPinNames(t *testing.T) {
	for s := range sides {
		k := linkKey{123, s}
		if got, ours := keyOfPin(k.pin()); got != k || !ours {
			t.Errorf("%s: %v, %v", k.pin(), got, ours)
		}
	}
	for _, name := range []string{"", "plc_legs", "plc_veth_1_up", "plc_veth_01_in", "plc_veth_1_in2", "plc_veth_-_in", "plc_veth_+1_in", "x_plc_veth_1_in"} {
		if k, ours := keyOfPin(name); ours {
			t.Errorf("%q is %v", name, k)
		}
	}
}
