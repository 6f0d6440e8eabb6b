package service

import (
	"net/netip"
	"testing"
)

// FuzzParseDotted wants what it takes to be what netip takes, with the same result, and every plain
// IPv4 address to be taken.
func FuzzParseDotted(f *testing.F) {
	for _, s := range []string{
		"", "10.0.0.1", "255.255.255.255", "0.0.0.0", "256.0.0.1", "10.0.0.01", "00.0.0.0", "1.2.3", "1.2.3.4.5", "1..2.3", ".1.2.3", "1.2.3.",
		"1.2.3.4 ", "1.2.3.1000", "::1", "::ffff:1.2.3.4", "fe80::1%eth0", "1.2.3.-4", "1.2.3.4\x00", "9999999999.0.0.0",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseDotted(s)
		want, err := netip.ParseAddr(s)
		if plain := err == nil && want.Is4(); ok != plain || ok && got != want {
			t.Fatalf("%q: %v, %v; netip has %v, %v", s, got, ok, want, err)
		}
	})
}

// TestParseDotted writes and reads addresses of all octets.
func TestParseDotted(t *testing.T) {
	for i := range 256 {
		for at := range 4 {
			octets := [4]byte{1, 20, 255, 0}
			octets[at] = byte(i)
			want := netip.AddrFrom4(octets)
			if got, ok := parseDotted(want.String()); !ok || got != want {
				t.Fatalf("%v is read as %v, %v", want, got, ok)
			}
		}
	}
}
