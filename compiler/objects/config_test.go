package objects_test

import (
	"net/netip"
	"testing"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// TestExplicitLoopback wants a loopback range to count by itself only: what contains
// loopback addresses among others does not ask for them.
func TestExplicitLoopback(t *testing.T) {
	for _, c := range []struct {
		cidrs  []string
		v4, v6 bool
	}{
		{nil, false, false},
		{[]string{"0.0.0.0/0", "::/0"}, false, false},
		{[]string{"126.0.0.0/7", "::/127"}, false, false},
		{[]string{"127.0.0.0/8"}, true, false},
		{[]string{"127.0.0.1/32"}, true, false},
		{[]string{"192.0.2.0/24", "::1/128"}, false, true},
		{[]string{"0.0.0.0/0", "127.0.0.0/8", "::/0", "::1/128"}, true, true},
	} {
		var n objects.NodePortAddresses
		for _, s := range c.cidrs {
			n.CIDRs = append(n.CIDRs, netip.MustParsePrefix(s))
		}
		if v4, v6 := n.ExplicitLoopback(ir.IPv4), n.ExplicitLoopback(ir.IPv6); v4 != c.v4 || v6 != c.v6 {
			t.Errorf("%v: got %v, %v", c.cidrs, v4, v6)
		}
	}
}
