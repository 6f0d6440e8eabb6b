package nodeconfig

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planec/planec/ir"
)

func TestReadMasquerade(t *testing.T) {
	tests := []struct {
		name, text string
		ipv6       bool
		families   []ir.Family
		exclude    []string
		notes      int
	}{
		{name: "an empty file is the defaults", exclude: strings.Fields("10.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16")},
		{name: "link-local", text: "masqLinkLocal: true\nmasqLinkLocalIPv6: true\n", exclude: strings.Fields("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16")},
		{name: "null is no range", text: "nonMasqueradeCIDRs: null\n", exclude: []string{"169.254.0.0/16"}},
		{name: "an empty list is no range", text: "nonMasqueradeCIDRs: []\nresyncInterval: 60s\n", exclude: []string{"169.254.0.0/16"}},
		{name: "contained ranges", text: "nonMasqueradeCIDRs: [10.1.0.0/16, 10.0.0.0/8, 169.254.1.0/24]\n", exclude: strings.Fields("10.0.0.0/8 169.254.0.0/16")},
		{name: "IPv6 by flag", ipv6: true, text: "nonMasqueradeCIDRs: []", families: []ir.Family{ir.IPv4, ir.IPv6}, exclude: strings.Fields("169.254.0.0/16 fe80::/10")},
		{name: "IPv6 by a range", text: "nonMasqueradeCIDRs: ['fd00::/8']", families: []ir.Family{ir.IPv4, ir.IPv6}, exclude: strings.Fields("169.254.0.0/16 fd00::/8 fe80::/10")},
		{name: "IPv6 link-local", ipv6: true, text: "nonMasqueradeCIDRs: []\nmasqLinkLocalIPv6: true", families: []ir.Family{ir.IPv4, ir.IPv6}, exclude: []string{"169.254.0.0/16"}},
		{name: "any case, as encoding/json", text: "nonmasqueradecidrs: []\n", exclude: []string{"169.254.0.0/16"}},
		{name: "unknown fields are noted", text: "nonMasqueradeCIDRs: []\nmasqLinkLocl: true\n", exclude: []string{"169.254.0.0/16"}, notes: 1},
		{name: "ConfigMap", text: "apiVersion: v1\nkind: ConfigMap\ndata:\n  config: |\n    nonMasqueradeCIDRs:\n    - 10.0.0.0/8\n", exclude: strings.Fields("10.0.0.0/8 169.254.0.0/16")},
		{name: "JSON", text: `{"nonMasqueradeCIDRs":["10.0.0.0/8"],"cidrLimit":1}`, exclude: strings.Fields("10.0.0.0/8 169.254.0.0/16")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, notes, err := ReadMasquerade("f", []byte(tt.text), tt.ipv6)
			if err != nil {
				t.Fatal(err)
			}
			if tt.families == nil {
				tt.families = []ir.Family{ir.IPv4}
			}
			want := ir.Masquerade{Families: tt.families, Exclude: prefixes(tt.exclude...), Origin: ir.Origin{File: "f", Line: 1}}
			if diff := cmp.Diff(want, m, comparePrefixes); diff != "" {
				t.Error(diff)
			}
			if len(notes) != tt.notes {
				t.Error(notes)
			}
		})
	}
}

func TestReadMasqueradeErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"limit", "cidrLimit: 0\nnonMasqueradeCIDRs: [10.0.0.0/8]\n", "f:2: nonMasqueradeCIDRs: 1 ranges, and cidrLimit allows 0"},
		{"limit by default", "nonMasqueradeCIDRs: [" + strings.TrimSuffix(strings.Repeat("10.0.0.0/8,", 65), ",") + "]", "65 ranges, and cidrLimit allows 64"},
		{"unaligned", "nonMasqueradeCIDRs: [10.0.0.1/8]", "want 10.0.0.0/8"},
		{"no range", "nonMasqueradeCIDRs: [10]", "want a string"},
		{"interval", "resyncInterval: often", "is no duration"},
		{"no mapping", "[]", "want an object"},
		{"ConfigMap without it", "kind: ConfigMap\ndata: {}\n", "data[config]: is missing"},
		{"two", "{}\n---\n{}\n", "a second document"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := ReadMasquerade("f", []byte(tt.text), false)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not contain %q", err, tt.want)
			}
		})
	}
}
