package live

import (
	"bytes"
	"encoding/binary"

	"github.com/planec/planec/internal/text/nft"
)

// User data of elements (enum nftnl_udata_set_elem_types of libnftnl) and of
// rules, which have the same layout.
const (
	udataComment = 0
	udataFlags   = 1
	// intervalOpen marks a range that reaches the end of all addresses: no element
	// ends it.
	intervalOpen = 1
)

func appendComment[T string | []byte](b []byte, text T) []byte {
	b = append(b, udataComment, byte(len(text)+1))
	return append(append(b, text...), 0)
}

func allOnes(b []byte) bool { return bytes.Count(b, []byte{0xff}) == len(b) }

// userData is nft's own data for a set, which the kernel only stores (enum
// nftnl_udata_set_types of libnftnl; set_make_key and others in nft). Without it
// nft lists a "typeof" as a type, or not at all.
func userData(s *nft.Set) []byte {
	const keyOrder, dataOrder, keyTypeof, dataTypeof, dataInterval = 0, 1, 3, 4, 6
	b := udataU32(nil, keyOrder, order(s.Key))
	if s.Map {
		b = udataU32(b, dataOrder, order(s.Data))
	}
	if hasExpression(s.Key) {
		b = udata(b, keyTypeof, func(b []byte) []byte { return udataExpr(b, s.Key) })
	}
	if hasExpression(s.Data) {
		b = udata(b, dataTypeof, func(b []byte) []byte { return udataExpr(b, s.Data) })
	}
	if s.Map {
		b = udataU32(b, dataInterval, 0)
	}
	return b
}

// hasExpression reports whether nft stores the key as an expression. For a
// concatenation it does so also for a type, with empty content.
func hasExpression(list []nft.Field) bool {
	return len(list) > 1 || len(list) == 1 && list[0].Source != nft.NoSource
}

// order returns nft's byte order of a type; concatenations have none.
func order(list []nft.Field) uint32 {
	if len(list) > 1 {
		return 0
	}
	return types[list[0].Kind].order
}

// udata appends type, length and what f appends (struct nftnl_udata).
func udata(b []byte, kind byte, f func([]byte) []byte) []byte {
	at := len(b)
	b = f(append(b, kind, 0))
	b[at+1] = byte(len(b) - at - 2)
	return b
}

func udataU32(b []byte, kind byte, v uint32) []byte {
	return binary.NativeEndian.AppendUint32(append(b, kind, 4), v)
}

// Numbers of nft's expressions (enum expr_types of its include/expression.h), and
// the parts of an expression.
const (
	exprPayload, exprMeta, exprCT, exprConcat, exprNumgen = 7, 9, 12, 13, 23

	exprKind, exprBody = 0, 1
)

// udataExpr writes an expression as nft's build_udata functions do.
func udataExpr(b []byte, list []nft.Field) []byte {
	if len(list) == 1 {
		return udataField(list[0])(b)
	}
	b = udataU32(b, exprKind, exprConcat)
	return udata(b, exprBody, func(b []byte) []byte {
		for i, f := range list {
			if f.Source != nft.NoSource {
				b = udata(b, byte(i), udataField(f))
			}
		}
		return b
	})
}

// udataField returns the function that writes one expression.
func udataField(f nft.Field) func(b []byte) []byte {
	kind, values := uint32(0), []uint32(nil)
	switch f.Source {
	case nft.SourceAddr, nft.DestAddr, nft.DestPort:
		p := placeOf(f)
		kind, values = exprPayload, []uint32{p.desc, p.template}
	case nft.L4Proto, nft.MetaMark, nft.MetaPriority, nft.InInterface, nft.OutInterface:
		kind, values = exprMeta, []uint32{metaKeys[f.Source]}
	case nft.ConntrackID:
		const noDirection = 1<<32 - 1
		kind, values = exprCT, []uint32{ctID, noDirection}
	case nft.Random:
		const random, offset = 1, 0
		kind, values = exprNumgen, []uint32{random, f.Modulus, offset}
	}
	return func(b []byte) []byte { return udataParts(b, kind, values) }
}

func udataParts(b []byte, kind uint32, values []uint32) []byte {
	b = udataU32(b, exprKind, kind)
	return udata(b, exprBody, func(b []byte) []byte {
		for i, v := range values {
			b = udataU32(b, byte(i), v)
		}
		return b
	})
}
