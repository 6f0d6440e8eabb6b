package calico

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/planec/planec/ir"
)

// parseNet reads a network of a rule: with a length, and without host bits
// (libcalico-go/lib/validator/v3/validator.go, validateRule). The error is what Calico
// says.
func parseNet(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil || p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("invalid CIDR")
	case p != p.Masked():
		return netip.Prefix{}, errors.New("invalid CIDR: it has host bits")
	}
	return p, nil
}

// parseSetNet reads a network of a network set: host bits are ignored, and an address
// stands for itself.
func parseSetNet(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" || a.Is4In6() {
			return netip.Prefix{}, errors.New("invalid CIDR")
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("invalid CIDR")
	}
	return p.Masked(), nil
}

func familyOfNet(p netip.Prefix) ir.Family { return ir.FamilyOf(p.Addr()) }
