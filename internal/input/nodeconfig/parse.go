package nodeconfig

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/planec/planec/backends/ipvs"
	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
)

// ParseCIDR parses "10.244.0.0/16". Like kube-proxy, it drops bits after the
// prefix.
func ParseCIDR(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(strings.TrimSpace(s))
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is no CIDR such as 10.244.0.0/16 or fd00::/48", s)
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, fmt.Errorf("%q is an IPv4 range written as IPv6; write it as IPv4", s)
	}
	return p.Masked(), nil
}

// ParseCIDRs parses CIDRs separated by commas: "10.244.0.0/16,fd00::/48". An
// empty string gives none.
func ParseCIDRs(s string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, part := range splitCommas(s) {
		p, err := ParseCIDR(part)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// ParseClusterCIDRs parses --cluster-cidr: one CIDR, or one of each family, as
// in kube-proxy.
func ParseClusterCIDRs(s string) ([]netip.Prefix, error) {
	cidrs, err := ParseCIDRs(s)
	if err != nil {
		return nil, err
	}
	return cidrs, onePerFamily(cidrs)
}

func onePerFamily(cidrs []netip.Prefix) error {
	for _, f := range []ir.Family{ir.IPv4, ir.IPv6} {
		if len(ir.PrefixesOf(f, cidrs)) > 1 {
			return fmt.Errorf("more than one %v range; the pods of a cluster have one of each family", f)
		}
	}
	return nil
}

// ParseDetectLocal parses --detect-local: "cluster-cidr", "node-cidr",
// "bridge:NAME", "prefix:NAME" or "none".
func ParseDetectLocal(s string) (objects.DetectLocal, error) {
	mode, name, hasName := strings.Cut(s, ":")
	d := objects.DetectLocal{Mode: objects.DetectBy(mode), Interface: name}
	switch d.Mode {
	case objects.DetectByClusterCIDR, objects.DetectByNodeCIDR, objects.DetectByNone:
		if hasName {
			return objects.DetectLocal{}, fmt.Errorf("%q: %s takes no name", s, mode)
		}
		return d, nil
	case objects.DetectByBridge, objects.DetectByPrefix:
		if err := checkInterface(name); err != nil {
			return objects.DetectLocal{}, fmt.Errorf("%q: %w", s, err)
		}
		return d, nil
	}
	return objects.DetectLocal{}, fmt.Errorf("%q: want cluster-cidr, node-cidr, bridge:NAME, prefix:NAME or none", s)
}

func checkInterface(name string) error {
	switch {
	case name == "":
		return errors.New("the name of the interface is missing")
	case !ir.ValidInterface(name):
		return fmt.Errorf("%q cannot be the name of an interface", name)
	}
	return nil
}

// ParseLocalAddresses parses --local-address: addresses; each item may be a
// list separated by commas.
func ParseLocalAddresses(items []string) ([]netip.Addr, error) {
	var out []netip.Addr
	for _, item := range items {
		for _, s := range splitCommas(item) {
			a, err := parseAddress(s)
			if err != nil {
				return nil, err
			}
			out = append(out, a)
		}
	}
	return out, nil
}

func parseAddress(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err != nil || a.Zone() != "":
		return netip.Addr{}, fmt.Errorf("%q is no IP address", s)
	case a.IsUnspecified() || a.IsMulticast():
		return netip.Addr{}, fmt.Errorf("%q cannot be an address of a node", s)
	}
	return a.Unmap(), nil
}

// CheckMasqueradeBit returns an error for an invalid bit of the packet mark.
func CheckMasqueradeBit(bit int) error {
	if bit < 0 || bit > 31 {
		return fmt.Errorf("%d is no bit of the packet mark: want 0 to 31", bit)
	}
	return nil
}

// CheckScheduler returns an error for an invalid IPVS scheduler; "" is the default.
func CheckScheduler(s string) error {
	if s != "" && !slices.Contains(ipvs.Schedulers(), s) {
		return fmt.Errorf("%q is no scheduler: want one of %s", s, strings.Join(ipvs.Schedulers(), ", "))
	}
	return nil
}

// ParseRefusal parses how policies refuse packets: "drop" or "reject".
func ParseRefusal(s string) (ir.Refusal, error) {
	var r ir.Refusal
	err := r.UnmarshalText([]byte(s))
	return r, err
}

// ParseL7 parses what happens to packets that a policy hands to a proxy: "deny" or
// "allow".
func ParseL7(s string) (ir.Action, error) {
	switch s {
	case "deny":
		return ir.Deny, nil
	case "allow":
		return ir.Accept, nil
	}
	return 0, fmt.Errorf("%q: want deny or allow", s)
}

// ParsePolicyTiers parses where NetworkPolicies stand beside policies of other
// dialects: "together" or "separate". It reports whether they are separate.
func ParsePolicyTiers(s string) (separate bool, err error) {
	switch s {
	case "together", "separate":
		return s == "separate", nil
	}
	return false, fmt.Errorf("%q: want together or separate", s)
}

// ParseClusterName parses the name of a cluster among several: a DNS label, as KEP-1645 has
// it (it is shorter for Cilium, 32 bytes).
func ParseClusterName(s string) (string, error) {
	if problems := validation.IsDNS1123Label(s); len(problems) > 0 {
		return "", fmt.Errorf("%.80q is no name of a cluster: want lower-case letters, digits and dashes, at most %d", s, validation.DNS1123LabelMaxLength)
	}
	return s, nil
}

// ParseBGP parses what writes how addresses are announced by BGP: "frr" or "none", which is "".
func ParseBGP(s string) (string, error) {
	switch s {
	case "none":
		return "", nil
	case "frr":
		return s, nil
	}
	return "", fmt.Errorf("%q: want frr or none", s)
}

// ParseExternalIPs parses which external IPs are served: "allow", "deny" or
// CIDRs separated by commas.
func ParseExternalIPs(s string) (objects.ExternalIPs, error) {
	switch s {
	case "allow":
		return objects.ExternalIPs{}, nil
	case "deny":
		return objects.ExternalIPs{Deny: true}, nil
	case "":
		return objects.ExternalIPs{}, errors.New("want allow, deny or CIDRs")
	}
	cidrs, err := ParseCIDRs(s)
	if err != nil {
		return objects.ExternalIPs{}, fmt.Errorf("want allow, deny or CIDRs: %w", err)
	}
	return objects.ExternalIPs{Deny: true, Allowed: cidrs}, nil
}
