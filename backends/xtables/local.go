package xtables

import "github.com/planec/planec/ir"

// FromSelf matches packets whose source is one of the node's own addresses.
const FromSelf = " -m addrtype --src-type LOCAL"

// Reject returns the target that answers the sender "port unreachable".
func Reject(f ir.Family) string {
	if f == ir.IPv6 {
		return " -j REJECT --reject-with icmp6-port-unreachable"
	}
	return " -j REJECT --reject-with icmp-port-unreachable"
}

// maxInterface is the maximum length of an interface name (IFNAMSIZ - 1); a prefix
// of that length is a whole name.
const maxInterface = 15

// LocalSources returns alternative matches for packets that the node's detector
// calls local. No match means that the family has no detector; "" matches all
// packets, for which iptables-save prints nothing.
func LocalSources(f ir.Family, local *ir.LocalDetector) []string {
	switch local.Mode {
	case ir.DetectCIDR:
		var list []string
		for _, p := range ir.PrefixesOf(f, local.CIDRs) {
			match := ""
			if p.Bits() > 0 {
				match = " -s " + p.String()
			}
			list = append(list, match)
		}
		return list
	case ir.DetectInterface:
		return []string{" -i " + local.Interface}
	case ir.DetectInterfacePrefix:
		if len(local.Interface) < maxInterface {
			return []string{" -i " + local.Interface + "+"}
		}
		return []string{" -i " + local.Interface}
	}
	return nil
}
