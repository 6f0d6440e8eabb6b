package live

import (
	"encoding/binary"

	"github.com/planec/planec/internal/text/nft"
)

// portField is a field of a transport header, by nft's number for it (TCPHDR_SPORT,
// TCPHDR_DPORT; the other headers have the same).
type portField uint32

const (
	sourcePort portField = 1
	destPort   portField = 2
)

func (c *compiler) ports(proto nft.Protocol, f portField, list []nft.Range, listed bool) {
	const size = 2
	c.l4proto(byte(proto))
	c.payload(register(0), transport, (uint32(f)-1)*size, size)
	if !listed {
		c.between(bigPort(list[0].First), bigPort(list[0].Last))
		return
	}
	s := portSet(proto, f, list)
	c.rule.Sets = append(c.rule.Sets, s)
	c.lookup(s.Name, matches)
}

// portSet is the rule's anonymous set. nft counts two elements for a range, its first
// and the one after its last, and one at 0 in front.
func portSet(proto nft.Protocol, f portField, list []nft.Range) *Set {
	ranges := false
	for _, r := range list {
		ranges = ranges || r.First != r.Last
	}
	s := &Set{Name: anonymousName, Flags: setAnonymous | setConstant, KeyType: typePort, KeyLen: 2}
	if ranges {
		s.Flags |= setInterval
	}
	s.Elems.keyLen = s.storedKey()
	for _, p := range list {
		r := record{key: bigPort(p.First)}
		if ranges {
			r.key = append(r.key, bigPort(p.Last)...)
			if p.Last == 0xffff {
				r.udata = udataU32(nil, udataFlags, intervalOpen)
			}
		}
		s.Elems.append(r)
	}
	s.Size = uint32(len(list))
	if ranges {
		s.Size *= 2
		if list[0].First != 0 {
			s.Size++
		}
	}
	s.Elems.index()
	s.UserData = portSetUserData(proto, f, ranges)
	return s
}

func portSetUserData(p nft.Protocol, f portField, ranges bool) []byte {
	const keyOrder, merge, keyTypeof = 0, 2, 3
	// The headers' numbers in nft (enum proto_desc_id).
	headers := map[nft.Protocol]uint32{nft.TCP: 8, nft.UDP: 6, nft.SCTP: 10}
	b := udataU32(nil, keyOrder, types[nft.Port].order)
	if ranges {
		b = udataU32(b, merge, 1)
	}
	return udata(b, keyTypeof, func(b []byte) []byte { return udataParts(b, exprPayload, []uint32{headers[p], uint32(f)}) })
}

func bigPort(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
