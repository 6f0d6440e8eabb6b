package ipset_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/planec/planec/internal/text/ipset"
)

func TestParts(t *testing.T) {
	host := netip.MustParsePrefix("10.0.0.1/32")
	for _, c := range []struct {
		typ, element string
		want         []ipset.Part
	}{
		{"hash:ip", "10.0.0.1", []ipset.Part{{Name: "ip", Net: host}}},
		{"hash:ip,port", "10.0.0.1,tcp:80", []ipset.Part{{Name: "ip", Net: host}, {Name: "port", Protocol: "tcp", Port: 80}}},
		{"hash:ip,port,net", "10.0.0.1,udp:53,fd00::/8", []ipset.Part{{Name: "ip", Net: host}, {Name: "port", Protocol: "udp", Port: 53}, {Name: "net", Net: netip.MustParsePrefix("fd00::/8")}}},
		{"bitmap:port", "30080", []ipset.Part{{Name: "port", Port: 30080}}},
	} {
		if got, err := ipset.Parts(c.typ, c.element); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %+v, %v", c.typ, c.element, got, err)
		}
	}
	for typ, elements := range map[string][]string{
		"hash:ip":      {"", "10.0.0.1,tcp:80", "10.0.0.0/8", "fe80::1%eth0"},
		"hash:ip,port": {"10.0.0.1", "10.0.0.1,80", "10.0.0.1,tcp:65536", "10.0.0.1,tcp:http"},
		"hash:net":     {"10.0.0.0/33", "x"},
		"bitmap:port":  {"tcp:80", "65536", "80-90"},
		"hash:mac":     {"00:00:00:00:00:01"},
	} {
		for _, e := range elements {
			if got, err := ipset.Parts(typ, e); err == nil {
				t.Errorf("%s %s: %+v", typ, e, got)
			}
		}
	}
}
