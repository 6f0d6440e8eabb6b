package calico

import (
	"strconv"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/ir"
)

// protocolNames are the spellings that Calico's validation knows
// (libcalico-go/lib/validator/v3, protocolRegex), with IANA's numbers.
var protocolNames = map[string]ir.Protocol{
	"TCP": ir.TCP, "UDP": ir.UDP, "SCTP": ir.SCTP, "ICMP": ir.ICMP, "ICMPv6": ir.ICMPv6, "UDPLite": 136,
}

// protocol reads a protocol: a name, or a number from 1 to 255, which may be a string.
func protocol(p *intstr.IntOrString) (ir.Protocol, bool) {
	if p.Type == intstr.Int {
		return ir.Protocol(p.IntVal), p.IntVal > 0 && p.IntVal < 256
	}
	if known, named := protocolNames[p.StrVal]; named {
		return known, true
	}
	n, err := strconv.ParseUint(p.StrVal, 10, 8)
	return ir.Protocol(n), err == nil && n > 0
}

// hasPorts reports whether rules may have ports beside the protocol.
func hasPorts(p ir.Protocol) bool { return p == ir.TCP || p == ir.UDP || p == ir.SCTP }

// isICMP reports whether the protocol is written in one of the ways that Calico's
// definitions ask for beside icmp: a number in quotes is none.
func isICMP(p *intstr.IntOrString) bool {
	return p != nil && (isWritten(p, "ICMP", ir.ICMP) || isWritten(p, "ICMPv6", ir.ICMPv6))
}

func isWritten(p *intstr.IntOrString, name string, number ir.Protocol) bool {
	return p != nil && (p.Type == intstr.String && p.StrVal == name || p.Type == intstr.Int && p.IntVal == int32(number))
}

// familyOf returns the only family that a protocol is for by its name, or 0. A number is
// for both (felix/calc/rule_convert.go, ipVersionToProtoIPVersion).
func familyOf(p *intstr.IntOrString) ir.Family {
	switch {
	case p == nil || p.Type != intstr.String:
		return 0
	case p.StrVal == "ICMP":
		return ir.IPv4
	case p.StrVal == "ICMPv6":
		return ir.IPv6
	}
	return 0
}
