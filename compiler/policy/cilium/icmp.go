package cilium

import (
	"strconv"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/planec/planec/compiler/objects/ciliumv2"
	"github.com/planec/planec/ir"
)

// The families of ICMP types.
const (
	familyIPv4 = "IPv4"
	familyIPv6 = "IPv6"
)

// typesIPv4 and typesIPv6 are the names of types (pkg/policy/api/icmp.go). The CRD lacks
// ExtendedEchoReply.
var (
	typesIPv4 = map[string]uint8{
		"EchoReply": 0, "DestinationUnreachable": 3, "Redirect": 5, "Echo": 8, "EchoRequest": 8, "RouterAdvertisement": 9,
		"RouterSelection": 10, "TimeExceeded": 11, "ParameterProblem": 12, "Timestamp": 13, "TimestampReply": 14,
		"Photuris": 40, "ExtendedEchoRequest": 42,
	}
	typesIPv6 = map[string]uint8{
		"DestinationUnreachable": 1, "PacketTooBig": 2, "TimeExceeded": 3, "ParameterProblem": 4, "EchoRequest": 128, "EchoReply": 129,
		"MulticastListenerQuery": 130, "MulticastListenerReport": 131, "MulticastListenerDone": 132, "RouterSolicitation": 133,
		"RouterAdvertisement": 134, "NeighborSolicitation": 135, "NeighborAdvertisement": 136, "RedirectMessage": 137,
		"RouterRenumbering": 138, "ICMPNodeInformationQuery": 139, "ICMPNodeInformationResponse": 140,
		"InverseNeighborDiscoverySolicitation": 141, "InverseNeighborDiscoveryAdvertisement": 142,
		"HomeAgentAddressDiscoveryRequest": 144, "HomeAgentAddressDiscoveryReply": 145, "MobilePrefixSolicitation": 146,
		"MobilePrefixAdvertisement": 147, "DuplicateAddressRequestCodeSuffix": 157, "DuplicateAddressConfirmationCodeSuffix": 158,
		"ExtendedEchoRequest": 160,
	}
)

// icmpType returns the protocol and the type of a field, which may be larger than packets
// have. It is false for a name of the other family, and for what is neither a name nor a
// number that the CRD accepts.
func icmpType(f *ciliumv2.ICMPField) (proto ir.Protocol, number int, ok bool) {
	proto, names := ir.ICMP, typesIPv4
	if f.Family == familyIPv6 {
		proto, names = ir.ICMPv6, typesIPv6
	}
	if f.Type == nil {
		return proto, 0, false
	}
	if f.Type.Type == intstr.Int {
		return proto, int(f.Type.IntVal), f.Type.IntVal >= 0
	}
	if named, known := names[f.Type.StrVal]; known {
		return proto, int(named), true
	}
	n, err := strconv.Atoi(f.Type.StrVal)
	return proto, n, err == nil && n >= 0 && n <= 255 && strconv.Itoa(n) == f.Type.StrVal
}
