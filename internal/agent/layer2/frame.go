package layer2

import (
	"encoding/binary"
	"net/netip"
)

// MAC is an Ethernet address.
type MAC [6]byte

// question is a request for the Ethernet address of an address.
type question struct {
	target netip.Addr
	// from is where the answer goes.
	from MAC
	// sender is the address of who asks; it is unspecified while that checks whether its own
	// address is free (RFC 5227, RFC 4862).
	sender netip.Addr
}

// Types of Ethernet frames, and what their first bytes are.
const (
	typeARP  = 0x0806
	typeIPv6 = 0x86dd

	ethernetLength = 14
	arpLength      = ethernetLength + 28
	ipv6Length     = 40
	// solicitation and advertisement have this length without options.
	neighbourLength = 24
)

// Numbers of ARP and ICMPv6.
const (
	arpRequest     = 1
	arpReply       = 2
	protocolICMPv6 = 58
	solicit        = 135
	advertise      = 136
	sourceOption   = 1 // source link-layer address
	targetOption   = 2 // target link-layer address
	hopLimit       = 255
	solicitedFlag  = 0x40
	overrideFlag   = 0x20
)

// unicast reports whether a MAC is that of one interface.
func (m MAC) unicast() bool { return m[0]&1 == 0 && m != MAC{} }

// parse reads a frame; ok is false if it asks for no address. Frames are hostile: every length
// is checked, and a tagged frame has another type.
func parse(frame []byte) (q question, ok bool) {
	if len(frame) < ethernetLength {
		return q, false
	}
	switch binary.BigEndian.Uint16(frame[12:]) {
	case typeARP:
		return parseARP(frame)
	case typeIPv6:
		return parseSolicitation(frame)
	}
	return q, false
}

func parseARP(frame []byte) (q question, ok bool) {
	if len(frame) < arpLength {
		return q, false
	}
	a := frame[ethernetLength:]
	if binary.BigEndian.Uint16(a) != 1 || binary.BigEndian.Uint16(a[2:]) != 0x0800 || a[4] != 6 || a[5] != 4 || binary.BigEndian.Uint16(a[6:]) != arpRequest {
		return q, false
	}
	q.from = MAC(a[8:14])
	q.sender, q.target = netip.AddrFrom4([4]byte(a[14:18])), netip.AddrFrom4([4]byte(a[24:28]))
	// A request for one's own address announces it, and asks for nothing.
	return q, q.from.unicast() && q.sender != q.target
}

func parseSolicitation(frame []byte) (q question, ok bool) {
	if len(frame) < ethernetLength+ipv6Length+neighbourLength {
		return q, false
	}
	ip := frame[ethernetLength:]
	length := int(binary.BigEndian.Uint16(ip[4:]))
	if ip[0]>>4 != 6 || ip[6] != protocolICMPv6 || ip[7] != hopLimit || length < neighbourLength || len(ip) < ipv6Length+length {
		return q, false
	}
	m := ip[ipv6Length : ipv6Length+length]
	if m[0] != solicit || m[1] != 0 || checksum(ip[8:24], ip[24:40], m) != 0 {
		return q, false
	}
	q.sender, q.target = netip.AddrFrom16([16]byte(ip[8:24])), netip.AddrFrom16([16]byte(m[8:24]))
	if q.target.IsMulticast() || q.target.Is4In6() {
		return q, false
	}
	q.from = MAC(frame[6:12])
	for options := m[neighbourLength:]; len(options) >= 8; {
		n := int(options[1]) * 8
		if n == 0 || n > len(options) {
			return q, false
		}
		if options[0] == sourceOption && n == 8 {
			q.from = MAC(options[2:8])
		}
		options = options[n:]
	}
	return q, q.from.unicast()
}

// answer returns the frame with which an interface answers for the target.
func (q question) answer(own MAC) []byte {
	if q.target.Is4() {
		return arp(arpReply, own, q.from, q.target, q.from, q.sender)
	}
	if q.sender.IsUnspecified() {
		return advertisement(own, allNodesMAC, q.target, netip.IPv6LinkLocalAllNodes(), overrideFlag)
	}
	return advertisement(own, q.from, q.target, q.sender, solicitedFlag|overrideFlag)
}

var (
	broadcast   = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	allNodesMAC = MAC{0x33, 0x33, 0, 0, 0, 1}
)

// announcements are the frames that tell all neighbours of an address: for ARP in both forms,
// since some take only one of them (RFC 5227, section 3).
func announcements(own MAC, a netip.Addr) [][]byte {
	if a.Is4() {
		return [][]byte{arp(arpRequest, own, broadcast, a, MAC{}, a), arp(arpReply, own, broadcast, a, broadcast, a)}
	}
	return [][]byte{advertisement(own, allNodesMAC, a, netip.IPv6LinkLocalAllNodes(), overrideFlag)}
}

func ethernet(to, from MAC, kind uint16, length int) []byte {
	b := make([]byte, 0, max(length, 60)) // the shortest frame there is
	b = append(append(b, to[:]...), from[:]...)
	return binary.BigEndian.AppendUint16(b, kind)
}

// arp returns a frame of ARP.
func arp(operation uint16, own, to MAC, sender netip.Addr, targetMAC MAC, target netip.Addr) []byte {
	b := ethernet(to, own, typeARP, arpLength)
	b = append(b, 0, 1, 0x08, 0, 6, 4)
	b = binary.BigEndian.AppendUint16(b, operation)
	b = append(append(b, own[:]...), sender.AsSlice()...)
	return append(append(b, targetMAC[:]...), target.AsSlice()...)
}

// advertisement returns a frame of a neighbour advertisement. As in Linux, it comes from the
// address that it is about.
func advertisement(own, to MAC, target, receiver netip.Addr, flags byte) []byte {
	const length = neighbourLength + 8
	m := append([]byte{advertise, 0, 0, 0, flags, 0, 0, 0}, target.AsSlice()...)
	m = append(append(m, targetOption, 1), own[:]...)
	binary.BigEndian.PutUint16(m[2:], checksum(target.AsSlice(), receiver.AsSlice(), m))
	b := ethernet(to, own, typeIPv6, ethernetLength+ipv6Length+length)
	b = append(b, 6<<4, 0, 0, 0, 0, length, protocolICMPv6, hopLimit)
	b = append(append(b, target.AsSlice()...), receiver.AsSlice()...)
	return append(b, m...)
}

// checksum is that of ICMPv6 (RFC 4443, section 2.3). Over a message with its checksum it is 0.
func checksum(from, to, message []byte) uint16 {
	sum := uint32(len(message)) + protocolICMPv6
	for _, part := range [][]byte{from, to, message} {
		for i := 0; i+1 < len(part); i += 2 {
			sum += uint32(part[i])<<8 | uint32(part[i+1])
		}
		if len(part)%2 == 1 {
			sum += uint32(part[len(part)-1]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// solicitedNode is the multicast group to which neighbours send their solicitations for an
// address (RFC 4291, section 2.7.1).
func solicitedNode(a netip.Addr) netip.Addr {
	b := a.As16()
	return netip.AddrFrom16([16]byte{0xff, 2, 11: 1, 12: 0xff, 13: b[13], 14: b[14], 15: b[15]})
}
