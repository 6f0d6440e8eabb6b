package nodeconfig

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/compiler/objects"
)

func TestParseDetectLocal(t *testing.T) {
	tests := []struct {
		in   string
		want objects.DetectLocal
		ok   bool
	}{
		{"cluster-cidr", objects.DetectLocal{Mode: objects.DetectByClusterCIDR}, true},
		{"node-cidr", objects.DetectLocal{Mode: objects.DetectByNodeCIDR}, true},
		{"none", objects.DetectLocal{Mode: objects.DetectByNone}, true},
		{"bridge:cni0", objects.DetectLocal{Mode: objects.DetectByBridge, Interface: "cni0"}, true},
		{"prefix:veth", objects.DetectLocal{Mode: objects.DetectByPrefix, Interface: "veth"}, true},
		{"", objects.DetectLocal{}, false},
		{"bridge", objects.DetectLocal{}, false},
		{"bridge:", objects.DetectLocal{}, false},
		{"bridge:a b", objects.DetectLocal{}, false},
		{"bridge:sixteencharacter", objects.DetectLocal{}, false},
		{"none:x", objects.DetectLocal{}, false},
		{"ClusterCIDR", objects.DetectLocal{}, false},
	}
	for _, tt := range tests {
		got, err := ParseDetectLocal(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseDetectLocal(%q) = %v, %v", tt.in, got, err)
		}
	}
}

func TestParseNodePortAddresses(t *testing.T) {
	tests := []struct {
		in   []string
		want objects.NodePortAddresses
		ok   bool
	}{
		{nil, objects.NodePortAddresses{}, true},
		{[]string{"primary", "192.0.2.9/24"}, objects.NodePortAddresses{Primary: true, CIDRs: prefixes("192.0.2.0/24")}, true},
		{[]string{"primary,2001:db8::/64"}, objects.NodePortAddresses{Primary: true, CIDRs: prefixes("2001:db8::/64")}, true},
		{[]string{"all"}, objects.NodePortAddresses{CIDRs: prefixes("0.0.0.0/0", "::/0")}, true},
		{[]string{"localhost"}, objects.NodePortAddresses{CIDRs: prefixes("127.0.0.0/8", "::1/128")}, true},
		{[]string{"localhost,192.0.2.0/24", "primary"}, objects.NodePortAddresses{Primary: true, CIDRs: prefixes("127.0.0.0/8", "::1/128", "192.0.2.0/24")}, true},
		{[]string{"all", "primary", "localhost"}, objects.NodePortAddresses{Primary: true, CIDRs: prefixes("0.0.0.0/0", "::/0", "127.0.0.0/8", "::1/128")}, true},
		{[]string{"127.0.0.0/8", "localhost", "127.0.0.0/8"}, objects.NodePortAddresses{CIDRs: prefixes("127.0.0.0/8", "127.0.0.0/8", "::1/128", "127.0.0.0/8")}, true},
		{[]string{"primary,primary"}, objects.NodePortAddresses{}, false},
		{[]string{"localhost", "192.0.2.0/24", "localhost"}, objects.NodePortAddresses{}, false},
		{[]string{"all", "all"}, objects.NodePortAddresses{}, false},
		{[]string{"Primary"}, objects.NodePortAddresses{}, false},
		{[]string{"192.0.2.1"}, objects.NodePortAddresses{}, false},
		{[]string{"primary,"}, objects.NodePortAddresses{}, false},
	}
	for _, tt := range tests {
		got, err := ParseNodePortAddresses(tt.in)
		if diff := cmp.Diff(tt.want, got, comparePrefixes); diff != "" || (err == nil) != tt.ok {
			t.Errorf("ParseNodePortAddresses(%q): %v %s", tt.in, err, diff)
		}
	}
}

func TestParseCIDRs(t *testing.T) {
	got, err := ParseClusterCIDRs(" 10.244.0.0/16 , fd00::1/48")
	if diff := cmp.Diff(prefixes("10.244.0.0/16", "fd00::/48"), got, comparePrefixes); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for _, bad := range []string{"10.0.0.0", "10.0.0.0/8,", "10.0.0.0/33", "::ffff:1.2.3.0/120", "10.0.0.0/8,11.0.0.0/8"} {
		if got, err := ParseClusterCIDRs(bad); err == nil {
			t.Errorf("ParseClusterCIDRs(%q) = %v", bad, got)
		}
	}
	if got, err := ParseCIDRs(""); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestParseLocalAddresses(t *testing.T) {
	if got, err := ParseLocalAddresses([]string{"192.0.2.1,2001:db8::1", "::ffff:192.0.2.2"}); err != nil || len(got) != 3 || !got[2].Is4() {
		t.Error(got, err)
	}
	for _, bad := range []string{"x", "0.0.0.0", "224.0.0.1", "fe80::1%eth0"} {
		if got, err := ParseLocalAddresses([]string{bad}); err == nil {
			t.Errorf("ParseLocalAddresses(%q) = %v", bad, got)
		}
	}
}
