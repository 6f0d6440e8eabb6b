package live

import (
	"encoding/binary"

	"github.com/planec/planec/internal/text/nft"
)

func (c *compiler) ports(p nft.ToPorts) {
	c.l4proto(byte(p.Protocol))
	c.payload(register(0), transport, 2, 2)
	if !p.Listed {
		c.between(bigPort(p.Ranges[0].First), bigPort(p.Ranges[0].Last))
		return
	}
	s := portSet(p)
	c.rule.Sets = append(c.rule.Sets, s)
	c.lookup(s.Name, matches)
}

// portSet is the rule's anonymous set. nft counts two elements for a range, its first
// and the one after its last, and one at 0 in front.
func portSet(p nft.ToPorts) *Set {
	ranges := false
	for _, r := range p.Ranges {
		ranges = ranges || r.First != r.Last
	}
	s := &Set{Name: anonymousName, Flags: setAnonymous | setConstant, KeyType: typePort, KeyLen: 2}
	if ranges {
		s.Flags |= setInterval
	}
	s.Elems.keyLen = s.storedKey()
	for _, p := range p.Ranges {
		r := record{key: bigPort(p.First)}
		if ranges {
			r.key = append(r.key, bigPort(p.Last)...)
			if p.Last == 0xffff {
				r.udata = udataU32(nil, udataFlags, intervalOpen)
			}
		}
		s.Elems.append(r)
	}
	s.Size = uint32(len(p.Ranges))
	if ranges {
		s.Size *= 2
		if p.Ranges[0].First != 0 {
			s.Size++
		}
	}
	s.Elems.index()
	s.UserData = portSetUserData(p.Protocol, ranges)
	return s
}

func portSetUserData(p nft.Protocol, ranges bool) []byte {
	const keyOrder, merge, keyTypeof, dport = 0, 2, 3, 2
	// The headers' numbers in nft (enum proto_desc_id).
	headers := map[nft.Protocol]uint32{nft.TCP: 8, nft.UDP: 6, nft.SCTP: 10}
	b := udataU32(nil, keyOrder, types[nft.Port].order)
	if ranges {
		b = udataU32(b, merge, 1)
	}
	return udata(b, keyTypeof, func(b []byte) []byte { return udataParts(b, exprPayload, []uint32{headers[p], dport}) })
}

func bigPort(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }
