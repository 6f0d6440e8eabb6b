package live

import (
	"encoding/binary"

	"github.com/planec/planec/internal/text/nft"
)

// types holds nft's number of each type and the byte order that nft writes into user
// data (enum byteorder: 1 host, 2 big endian).
var types = [...]struct{ number, order uint32 }{
	nft.Addr4:       {typeAddr4, 2},
	nft.Addr6:       {typeAddr6, 2},
	nft.Proto:       {typeProto, 2},
	nft.Port:        {typePort, 2},
	nft.Mark:        {typeMark, 1},
	nft.ClassID:     {typeClassID, 1},
	nft.Index:       {typeInteger, 1},
	nft.ConnID:      {typeInteger, 2},
	nft.Iface:       {typeIface, 1},
	nft.VerdictKind: {typeVerdict, 0},
}

// Keys of meta and ct expressions, and bases of payloads.
const (
	metaIIFName = 6
	ctState     = 0
	ctStatus    = 2
	ctID        = 23
	network     = 1
	transport   = 2
)

// metaKeys are NFT_META_* of the sources that are "meta" expressions.
var metaKeys = [...]uint32{nft.L4Proto: 16, nft.MetaMark: 3, nft.MetaPriority: 2, nft.InInterface: 4, nft.OutInterface: 5}

// place is the header and offset that a payload expression reads.
type place struct {
	base, offset uint32
	// desc and template are nft's numbers of a header and of its field (enum
	// proto_desc_id, and the header's template), for user data.
	desc, template uint32
}

func placeOf(f nft.Field) place {
	switch {
	case f.Source == nft.DestPort:
		return place{base: transport, offset: 2, desc: 11, template: 2}
	case f.Kind == nft.Addr4 && f.Source == nft.SourceAddr:
		return place{base: network, offset: 12, desc: 12, template: 11}
	case f.Kind == nft.Addr4:
		return place{base: network, offset: 16, desc: 12, template: 12}
	case f.Source == nft.SourceAddr:
		return place{base: network, offset: 8, desc: 13, template: 8}
	}
	return place{base: network, offset: 24, desc: 13, template: 9}
}

// declared returns a set without elements, as nft makes it from the declaration.
func declared(source *nft.Set) *Set {
	s := &Set{Name: source.Name, Size: source.Size, KeyType: typeNumber(source.Key), KeyLen: uint32(nft.Length(source.Key))}
	if source.Map {
		s.Flags |= setMap
		s.DataType, s.DataLen = typeNumber(source.Data), uint32(nft.Length(source.Data))
	}
	if source.Dynamic {
		s.Flags |= setEval | setTimeouts
	}
	if source.Interval {
		s.Flags |= setInterval
	}
	if source.Interval && len(source.Key) > 1 {
		s.Flags |= setConcat
		for _, f := range source.Key {
			s.Concat = append(s.Concat, uint32(f.Kind.Size()))
		}
	}
	s.UserData = userData(source)
	s.Elems.keyLen = s.storedKey()
	return s
}

// typeNumber returns nft's number of a type, or of a concatenation with six bits
// for each type.
func typeNumber(list []nft.Field) uint32 {
	var n uint32
	for _, f := range list {
		n = n<<typeBits | types[f.Kind].number
	}
	return n
}

func hostU32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
