package iptables

import (
	"strconv"
	"strings"
)

// protocolNames are the names that iptables-save prints for protocol numbers: those
// of Debian's /etc/protocols, and those that iptables has of its own
// (xtables_chain_protos in libxtables/xtables.c). Which of them it prints depends on
// its version and on the node's /etc/protocols. TCP, UDP, SCTP and both ICMPs are left
// out: every version prints their names.
var protocolNames = map[string]uint8{
	"igmp": 2, "ggp": 3, "ipencap": 4, "ipv4": 4, "st": 5, "egp": 8, "igp": 9, "pup": 12, "hmp": 20, "xns-idp": 22, "rdp": 27,
	"iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
	"idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73,
	"vmtp": 81, "eigrp": 88, "ospf": 89, "ospfigp": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108,
	"vrrp": 112, "l2tp": 115, "isis": 124, "fc": 133, "mobility-header": 135, "ipv6-mh": 135, "mh": 135, "udplite": 136,
	"mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143,
}

// ProtocolNumber returns the number of a protocol that a rule names, for the names
// that iptables-save may print in place of a number.
func ProtocolNumber(name string) (number uint8, known bool) {
	number, known = protocolNames[name]
	return number, known
}

// NumericProtocol returns a rule in the form that names its protocol by the number,
// where iptables-save may print a name or a number. Other rules stay as they are.
func NumericProtocol(rule string) string {
	const option = " -p "
	at := strings.Index(rule, option)
	if at < 0 {
		return rule
	}
	// iptables-save prints -p before all matches, and therefore before all texts.
	if text := strings.IndexByte(rule, '"'); text >= 0 && text < at {
		return rule
	}
	begin := at + len(option)
	name, _, _ := strings.Cut(rule[begin:], " ")
	number, known := protocolNames[name]
	if !known {
		return rule
	}
	return rule[:begin] + strconv.Itoa(int(number)) + rule[begin+len(name):]
}
