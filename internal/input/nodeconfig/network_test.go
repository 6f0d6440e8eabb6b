package nodeconfig

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/internal/input/cni"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// system returns a row of the table.
func system(t *testing.T, name string) *cni.System {
	t.Helper()
	s, err := cni.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNetworkOfEveryRow: a row gives settings that can be written and read again.
func TestNetworkOfEveryRow(t *testing.T) {
	for _, s := range cni.Systems() {
		c := Default()
		set, said := c.Network(&s, s.Preset(), nil)
		c.CNI = s.Name
		text, err := Text(&c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := Read("a.yaml", text); err != nil {
			t.Errorf("%s: %v\n%s", s.Name, err, text)
		}
		if (s.DetectLocal == cni.Unknown) != has(said, diag.UnknownNetwork) || s.Conflicts() != warns(said, diag.NetworkServes) {
			t.Errorf("%s: %v, %v", s.Name, set, said)
		}
		if c.MasqueradeBit != 14 || has(said, diag.MarkCollision) {
			t.Errorf("%s: bit %d, %v", s.Name, c.MasqueradeBit, said)
		}
	}
}

// has reports whether a finding of the code is there.
func has(list diag.List, code diag.Code) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == code })
}

// warns reports whether a finding of the code is more than a note.
func warns(list diag.List, code diag.Code) bool {
	return slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == code && !d.Note })
}

// TestNetworkMasquerade: the preset of kubenet means
// iptables -t nat -A POSTROUTING ! -d 10.0.0.0/8 -j MASQUERADE.
func TestNetworkMasquerade(t *testing.T) {
	c := Default()
	s := system(t, "kubenet")
	set, _ := c.Network(s, s.Preset(), nil)
	want := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16")}
	if m := c.Config.Masquerade; !slices.Equal(m.Exclude, want) || !m.Enabled(ir.IPv4) || m.Enabled(ir.IPv6) || !slices.Equal(set, []string{"detectLocal", "masqAgent"}) {
		t.Errorf("%+v, %v", m, set)
	}
	if d := c.Config.DetectLocal; d != (objects.DetectLocal{Mode: objects.DetectByBridge, Interface: "cbr0"}) {
		t.Errorf("%+v", d)
	}
}

// TestNetworkGiven: what is given stays, also where it is a default.
func TestNetworkGiven(t *testing.T) {
	c := Default()
	s := system(t, "kubenet")
	set, said := c.Network(s, s.Preset(), map[string]ir.Origin{"detectLocal": {}, "masqAgent": {}, "masqueradeBit": {}})
	if len(set) > 0 || len(said) > 0 || c.Config.DetectLocal.Mode != "" || len(c.Config.Masquerade.Families) > 0 {
		t.Errorf("%v, %v, %+v", set, said, c)
	}
	unknown := system(t, "contiv")
	if _, said := c.Network(unknown, unknown.Preset(), map[string]ir.Origin{"detectLocal": {}}); has(said, diag.UnknownNetwork) {
		t.Errorf("%v", said)
	}
}

// TestNetworkBit: a bit that the plugin takes is another one, or a finding that names one.
func TestNetworkBit(t *testing.T) {
	given := map[string]ir.Origin{"masqueradeBit": {File: "a.yaml", Line: 3}}
	taker := &cni.System{Name: "taker", Title: "Taker", DetectLocal: "none", Marks: []cni.Mark{{Mask: 0x1c000, Use: "all of it"}}}
	c := Default()
	if set, said := c.Network(taker, taker.Preset(), nil); c.MasqueradeBit != 17 || !slices.Contains(set, "masqueradeBit") || warns(said, diag.MarkCollision) || !has(said, diag.MarkCollision) {
		t.Errorf("bit %d, %v, %v", c.MasqueradeBit, set, said)
	}
	c = Default()
	if _, said := c.Network(taker, taker.Preset(), given); c.MasqueradeBit != 14 || !warns(said, diag.MarkCollision) || !strings.Contains(said[0].Message, "bit 17 is free") || said[0].Origin.Line != 3 {
		t.Errorf("bit %d, %v", c.MasqueradeBit, said)
	}
	full := &cni.System{Title: "Full", DetectLocal: "none", Marks: []cni.Mark{{Mask: 0xffffffff}}}
	c = Default()
	if _, said := c.Network(full, full.Preset(), nil); c.MasqueradeBit != 14 || !strings.Contains(said[0].Message, "no other bit is free") {
		t.Errorf("bit %d, %v", c.MasqueradeBit, said)
	}
	c.MasqueradeBit = 20
	if _, said := c.Network(system(t, "flannel"), cni.Preset{}, given); !warns(said, diag.MarkCollision) {
		t.Errorf("flannel no longer sees planec's bit: %v", said)
	}
	if _, said := c.Network(system(t, "calico"), cni.Preset{DetectLocal: "none"}, given); !strings.Contains(said[0].Message, "bit 14 is free") {
		t.Errorf("%v", said)
	}
}

// TestNetworkMarks: ipvs has marks of its own, other backends one bit.
func TestNetworkMarks(t *testing.T) {
	c := Default()
	if said := c.NetworkMarks(system(t, "antrea"), ipvs.Name); len(said) != 1 || !strings.Contains(said[0].Message, "0x0/0xff") {
		t.Errorf("%v", said)
	}
	if said := append(c.NetworkMarks(system(t, "antrea"), "nftables"), c.NetworkMarks(system(t, "calico"), ipvs.Name)...); len(said) > 0 {
		t.Errorf("%v", said)
	}
	if bits := ipvs.MarkBits(14); bits != 0x3fff {
		t.Errorf("%#x", bits)
	}
	if bits := ipvs.MarkBits(3); bits != 0x7ff7 {
		t.Errorf("%#x", bits)
	}
}

// TestParseCNI reads names, aliases and auto.
func TestParseCNI(t *testing.T) {
	for _, s := range []string{"flannel", "aws", "auto"} {
		if got, err := ParseCNI(s); err != nil || got != s {
			t.Errorf("%q, %v", got, err)
		}
	}
	if _, err := ParseCNI("calcio"); err == nil || !strings.Contains(err.Error(), "did you mean calico?") {
		t.Error(err)
	}
	if _, _, err := Read("a.yaml", []byte("apiVersion: planec.io/v1alpha1\nkind: NodeConfig\ncni: calcio\n")); err == nil || !strings.Contains(err.Error(), "a.yaml:3") {
		t.Error(err)
	}
}
