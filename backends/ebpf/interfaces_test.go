package ebpf_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/ir"
)

// TestDirectSources: pods are handed packets past the node's stack only if that is asked for, and
// only where the stack would not masquerade them.
func TestDirectSources(t *testing.T) {
	pods4, pods6 := netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/64")
	all4, all6 := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")
	masquerade := func(exclude []netip.Prefix, families ...ir.Family) ir.Masquerade {
		return ir.Masquerade{Families: families, Exclude: exclude, Origin: ir.Origin{Kind: "ConfigMap", Namespace: "kube-system", Name: "masq"}}
	}
	for name, c := range map[string]struct {
		direct     bool
		masquerade ir.Masquerade
		want       []netip.Prefix
	}{
		"off":                    {false, ir.Masquerade{}, nil},
		"on":                     {true, ir.Masquerade{}, []netip.Prefix{all4, all6}},
		"masqueraded":            {true, masquerade(nil, ir.IPv4, ir.IPv6), nil},
		"one family masqueraded": {true, masquerade(nil, ir.IPv4), []netip.Prefix{all6}},
		"but for pods":           {true, masquerade([]netip.Prefix{pods4, pods6}, ir.IPv4, ir.IPv6), []netip.Prefix{pods4, pods6}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &ir.Program{Node: ir.Node{Name: "a", Local: ir.LocalDetector{Mode: ir.DetectCIDR, CIDRs: []netip.Prefix{pods4, pods6}}}, Masquerade: c.masquerade}
			p.Normalize()
			o := backends.DefaultOptions()
			o.DirectPods = c.direct
			a, err := ebpf.New(o).Emit(p)
			if err != nil {
				t.Fatal(err)
			}
			img, err := ebpf.Read(a.File(ebpf.ImageFile)) // as another process does
			if err != nil {
				t.Fatal(err)
			}
			if got := img.DirectSources(); !slices.Equal(got, c.want) || img.AtInterfaces() != c.direct {
				t.Errorf("packets are handed over within %v, want %v; programs at interfaces: %t", got, c.want, img.AtInterfaces())
			}
		})
	}
}
