package policy

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/planec/planec/ir"
)

// block is "NETWORK EXCEPTION...".
func block(text string) *ir.AddressSet {
	words := strings.Fields(text)
	s := &ir.AddressSet{Prefixes: []netip.Prefix{netip.MustParsePrefix(words[0])}}
	for _, w := range words[1:] {
		s.Except = append(s.Except, netip.MustParsePrefix(w))
	}
	return s
}

// TestBlockCovers compares blocks, among them those of one length, at the edges of what
// the wider one has.
func TestBlockCovers(t *testing.T) {
	for _, c := range []struct {
		wide, narrow string
		want         bool
	}{
		{"10.0.0.0/8", "10.1.0.0/16", true},
		{"10.1.0.0/16", "10.0.0.0/8", false},
		{"10.0.0.0/8", "11.0.0.0/8", false},
		{"10.0.0.0/8", "10.0.0.0/8 10.1.0.0/16", true},
		{"10.0.0.0/8", "10.0.0.0/7", false},
		{"10.0.0.0/8 10.1.0.0/16", "10.0.0.0/8", false},
		{"10.0.0.0/8 10.1.0.0/16", "10.0.0.0/9 10.1.0.0/16", true},
		{"10.0.0.0/8 10.1.0.0/16", "10.0.0.0/9 10.0.0.0/15", true},
		{"10.0.0.0/8 10.1.0.0/16", "10.0.0.0/9 10.1.0.0/17", false},
		{"10.0.0.0/8 10.1.0.0/16", "10.0.0.0/9 10.2.0.0/16", false},
		{"10.0.0.0/8 10.1.0.0/16", "10.2.0.0/16", true},
		{"10.0.0.0/8 10.1.0.0/16", "10.1.2.0/24", false},
		{"10.0.0.0/8", "fd00::/8", false},
		{"fd00::/8", "fd00::/8 fd01::/16", true},
	} {
		if got := blockCovers(block(c.wide), block(c.narrow)); got != c.want {
			t.Errorf("%s covers %s: %v", c.wide, c.narrow, got)
		}
	}
}

// TestEmptied fills blocks with exceptions, exactly and all but one address.
func TestEmptied(t *testing.T) {
	for text, want := range map[string]bool{
		"10.0.0.0/8":                                      false,
		"10.0.0.0/8 10.0.0.0/8":                           true,
		"10.0.0.0/8 10.0.0.0/9":                           false,
		"10.0.0.0/8 10.128.0.0/9":                         false,
		"10.0.0.0/8 10.0.0.0/9 10.128.0.0/9":              true,
		"10.0.0.0/30 10.0.0.0/32 10.0.0.1/32 10.0.0.2/31": true,
		"10.0.0.0/30 10.0.0.0/32 10.0.0.2/31":             false,
		"fd00::/127 fd00::/128 fd00::1/128":               true,
		"fd00::/127 fd00::1/128":                          false,
	} {
		if got := emptied(block(text)); got != want {
			t.Errorf("%s is empty: %v", text, got)
		}
	}
}
