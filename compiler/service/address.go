package service

import (
	"fmt"
	"net/netip"
	"strings"
)

// parseAddr parses an address as Kubernetes stores it: leading zeros in IPv4
// octets are accepted and ignored (KEP-2438, "sloppy" parsing), an
// IPv4-mapped IPv6 address is IPv4, zones are rejected.
func parseAddr(s string) (netip.Addr, error) {
	if a, ok := parseDotted(s); ok {
		return a, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		a, err = netip.ParseAddr(stripZeros(s))
	}
	if err != nil {
		return netip.Addr{}, fmt.Errorf("%q is not an IP address", clip(s))
	}
	if a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q has a zone", clip(s))
	}
	return a.Unmap(), nil
}

// parseDotted parses the plain form of an IPv4 address, which nearly all are: four numbers of one to
// three digits without leading zeros. It refuses everything else, which may be an address too. It takes half of the
// time of netip, and a start reads every endpoint of the cluster.
func parseDotted(s string) (netip.Addr, bool) {
	var octets [4]byte
	at, number, digits := 0, 0, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			if digits == 3 || digits > 0 && number == 0 {
				return netip.Addr{}, false
			}
			number, digits = number*10+int(c-'0'), digits+1
		case c == '.' && digits > 0 && number <= 255 && at < 3:
			octets[at] = byte(number)
			at, number, digits = at+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if at != 3 || digits == 0 || number > 255 {
		return netip.Addr{}, false
	}
	octets[3] = byte(number)
	return netip.AddrFrom4(octets), true
}

// stripZeros removes leading zeros from the octets of a dotted quad.
func stripZeros(s string) string {
	octets := strings.Split(s, ".")
	if len(octets) != 4 {
		return s
	}
	for i, o := range octets {
		for len(o) > 1 && o[0] == '0' {
			o = o[1:]
		}
		octets[i] = o
	}
	return strings.Join(octets, ".")
}

// parseRange parses a CIDR as Kubernetes does: it ignores surrounding white
// space and clears host bits.
func parseRange(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	addr, bits, ok := strings.Cut(s, "/")
	if !ok {
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR", clip(s))
	}
	p, err := netip.ParsePrefix(stripZeros(addr) + "/" + bits)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR", clip(s))
	}
	return p.Masked(), nil
}

// checkEndpointAddr rejects multicast, and what the API server rejects as an
// endpoint or an external IP (ValidateNonSpecialIP in pkg/apis/core/validation).
func checkEndpointAddr(a netip.Addr) error {
	if a.IsLinkLocalUnicast() {
		return fmt.Errorf("%v is a link-local address", a)
	}
	return checkVIP(a)
}

// checkVIP rejects addresses that cannot be the destination of a connection
// from another machine.
func checkVIP(a netip.Addr) error {
	switch {
	case a.IsUnspecified():
		return fmt.Errorf("%v is the unspecified address", a)
	case a.IsLoopback():
		return fmt.Errorf("%v is a loopback address", a)
	case a.IsMulticast():
		return fmt.Errorf("%v is a multicast address", a)
	case a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("%v is the broadcast address", a)
	}
	return nil
}

// clip bounds the quoted part of a hostile value.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
