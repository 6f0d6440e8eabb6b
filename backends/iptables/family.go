package iptables

import (
	"net/netip"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// family holds what differs between iptables and ip6tables.
type family struct {
	ir      ir.Family
	command string
	// inet is the family argument of ipset; suffix ends the names of the family's sets.
	inet, suffix string
	bits         int
	// reject is the REJECT target, which answers the sender.
	reject string
	// loopback is the range on which nodePorts are never served.
	loopback netip.Prefix
	// halves are two prefixes that cover all addresses: ipset accepts no prefix of
	// length 0.
	halves [2]string
}

func familyOf(f ir.Family) family {
	if f == ir.IPv4 {
		return family{
			ir: f, command: "iptables", inet: "inet", suffix: "4", bits: 32,
			reject:   xtables.Reject(f),
			loopback: netip.MustParsePrefix("127.0.0.0/8"), halves: [2]string{"0.0.0.0/1", "128.0.0.0/1"},
		}
	}
	return family{
		ir: f, command: "ip6tables", inet: "inet6", suffix: "6", bits: 128,
		reject:   xtables.Reject(f),
		loopback: netip.MustParsePrefix("::1/128"), halves: [2]string{"::/1", "8000::/1"},
	}
}
