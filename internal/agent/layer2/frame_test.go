package layer2

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

var (
	ownMAC    = MAC{2, 0, 0, 0, 0, 1}
	otherMAC  = MAC{2, 0, 0, 0, 0, 2}
	address4  = netip.MustParseAddr("198.51.100.10")
	asker4    = netip.MustParseAddr("198.51.100.2")
	address6  = netip.MustParseAddr("2001:db8::10")
	asker6    = netip.MustParseAddr("fe80::2")
	multicast = MAC{0x33, 0x33, 0xff, 0, 0, 0x10}
)

// solicitation is a frame that asks for an address.
func solicitation(sender, target netip.Addr, option bool) []byte {
	m := append([]byte{solicit, 0, 0, 0, 0, 0, 0, 0}, target.AsSlice()...)
	if option {
		m = append(append(m, sourceOption, 1), otherMAC[:]...)
	}
	group := solicitedNode(target)
	binary.BigEndian.PutUint16(m[2:], checksum(sender.AsSlice(), group.AsSlice(), m))
	b := ethernet(multicast, otherMAC, typeIPv6, 0)
	b = append(b, 6<<4, 0, 0, 0, 0, byte(len(m)), protocolICMPv6, hopLimit)
	return append(append(append(b, sender.AsSlice()...), group.AsSlice()...), m...)
}

func TestAnswers(t *testing.T) {
	request := arp(arpRequest, otherMAC, broadcast, asker4, MAC{}, address4)
	q, ok := parse(request)
	if !ok || q.target != address4 || q.from != otherMAC {
		t.Fatalf("%+v %v", q, ok)
	}
	if got, want := q.answer(ownMAC), arp(arpReply, ownMAC, otherMAC, address4, otherMAC, asker4); !bytes.Equal(got, want) {
		t.Errorf("answer %x, want %x", got, want)
	}
	// A probe of a host that wants the address for itself is answered: it is taken (RFC 5227).
	if q, ok := parse(arp(arpRequest, otherMAC, broadcast, netip.IPv4Unspecified(), MAC{}, address4)); !ok || q.target != address4 {
		t.Errorf("a probe: %+v %v", q, ok)
	}
	for _, sender := range []netip.Addr{asker6, netip.IPv6Unspecified()} {
		q, ok := parse(solicitation(sender, address6, sender == asker6))
		if !ok || q.target != address6 || q.from != otherMAC {
			t.Fatalf("%+v %v", q, ok)
		}
		answer := q.answer(ownMAC)
		ip := answer[ethernetLength:]
		if checksum(ip[8:24], ip[24:40], ip[ipv6Length:]) != 0 {
			t.Errorf("checksum of %x", answer)
		}
		if solicited := ip[ipv6Length+4]&solicitedFlag != 0; solicited != (sender == asker6) {
			t.Errorf("solicited %v for %v", solicited, sender)
		}
	}
}

// TestNoQuestions lists frames that ask for nothing.
func TestNoQuestions(t *testing.T) {
	request, solicited := arp(arpRequest, otherMAC, broadcast, asker4, MAC{}, address4), solicitation(asker6, address6, true)
	change := func(frame []byte, at int, to byte) []byte {
		out := bytes.Clone(frame)
		out[at] = to
		return out
	}
	for name, frame := range map[string][]byte{
		"nothing":           nil,
		"a reply":           arp(arpReply, otherMAC, ownMAC, asker4, ownMAC, address4),
		"an announcement":   arp(arpRequest, otherMAC, broadcast, address4, MAC{}, address4),
		"from everybody":    arp(arpRequest, broadcast, broadcast, asker4, MAC{}, address4),
		"short":             request[:arpLength-1],
		"other hardware":    change(request, ethernetLength+1, 6),
		"a tag":             append(append(bytes.Clone(request[:12]), 0x81, 0, 0, 5), request[12:]...),
		"a far neighbour":   change(solicited, ethernetLength+7, 64),
		"a wrong sum":       change(solicited, ethernetLength+ipv6Length+3, solicited[ethernetLength+ipv6Length+3]+1),
		"a long length":     change(solicited, ethernetLength+5, 200),
		"an advertisement":  advertisement(otherMAC, ownMAC, address6, asker6, 0),
		"an empty option":   change(solicited, ethernetLength+ipv6Length+neighbourLength+1, 0),
		"a cut packet":      solicited[:len(solicited)-1],
		"no first hop":      change(solicited, ethernetLength, 4<<4),
		"a multicast group": solicitation(asker6, netip.MustParseAddr("ff02::1"), true),
	} {
		if q, ok := parse(frame); ok {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(arp(arpRequest, otherMAC, broadcast, asker4, MAC{}, address4))
	f.Add(solicitation(asker6, address6, true))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if q, ok := parse(frame); ok {
			if !q.from.unicast() || len(q.answer(ownMAC)) < 42 {
				t.Errorf("%+v", q)
			}
		}
	})
}
