package live

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// declaration reads "type ..." or "typeof ..." and what follows from it.
func (s *Set) declaration(line *stream) error {
	byExpression := line.next() == "typeof"
	var err error
	if s.key, err = line.types(byExpression); err != nil {
		return err
	}
	if line.accept(":") {
		if s.data, err = line.types(byExpression); err != nil {
			return err
		}
	}
	if !line.done() {
		return fmt.Errorf("%q after the type", line.peek())
	}
	if (s.data != nil) != s.isMap() {
		return fmt.Errorf("only maps have data")
	}
	if slices.ContainsFunc(s.key, func(f field) bool { return f.kind == verdict }) || len(s.data) > 1 && slices.ContainsFunc(s.data, func(f field) bool { return f.kind == verdict }) {
		return fmt.Errorf("a verdict is data, and alone")
	}
	if words(s.key) > 16 || words(s.data) > 16 {
		return fmt.Errorf("longer than 64 bytes")
	}
	return nil
}

// types reads types or expressions with dots between them.
func (s *stream) types(byExpression bool) ([]field, error) {
	if byExpression {
		return s.concat()
	}
	var list []field
	for {
		word := s.next()
		k, ok := kindsByType[word]
		if !ok {
			return nil, fmt.Errorf("type %q", word)
		}
		list = append(list, field{kind: k})
		if !s.accept(".") {
			return list, nil
		}
	}
}

// declared fills in what nft makes of a declaration, once all of it is read.
func (s *Set) declared() error {
	if len(s.key) == 0 {
		return fmt.Errorf("it has no type")
	}
	last := s.key[len(s.key)-1].kind
	if s.interval() && last != addr4 && last != addr6 {
		return fmt.Errorf("ranges of something that is no address")
	}
	if s.interval() && s.Dynamic() {
		return fmt.Errorf("dynamic and with ranges")
	}
	s.KeyType, s.KeyLen = typeNumber(s.key), length(s.key)
	if s.isMap() {
		s.DataType, s.DataLen = typeNumber(s.data), length(s.data)
	}
	if s.interval() && len(s.key) > 1 {
		s.Flags |= setConcat
		for _, f := range s.key {
			s.Concat = append(s.Concat, kinds[f.kind].size)
		}
	}
	s.UserData = s.userData()
	s.Elems.keyLen = s.storedKey()
	return nil
}

// userData is nft's own memory of a set, which the kernel only keeps (enum
// nftnl_udata_set_types of libnftnl; set_make_key and others in nft). Without it
// nft lists a "typeof" as a type, or not at all.
func (s *Set) userData() []byte {
	const keyOrder, dataOrder, keyTypeof, dataTypeof, dataInterval = 0, 1, 3, 4, 6
	b := udataU32(nil, keyOrder, order(s.key))
	if s.isMap() {
		b = udataU32(b, dataOrder, order(s.data))
	}
	if hasExpression(s.key) {
		b = udata(b, keyTypeof, func(b []byte) []byte { return udataExpr(b, s.key) })
	}
	if hasExpression(s.data) {
		b = udata(b, dataTypeof, func(b []byte) []byte { return udataExpr(b, s.data) })
	}
	if s.isMap() {
		b = udataU32(b, dataInterval, 0)
	}
	return b
}

// hasExpression reports whether nft keeps the key as an expression: of a type too
// where it is a concatenation, with nothing in it.
func hasExpression(list []field) bool {
	return len(list) > 1 || len(list) == 1 && list[0].expr != byType
}

// order is nft's byte order of a type; concatenations have none.
func order(list []field) uint32 {
	if len(list) > 1 {
		return 0
	}
	return kinds[list[0].kind].order
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
func udataExpr(b []byte, list []field) []byte {
	if len(list) == 1 {
		return list[0].udata(b)
	}
	b = udataU32(b, exprKind, exprConcat)
	return udata(b, exprBody, func(b []byte) []byte {
		for i, f := range list {
			if f.expr != byType {
				b = udata(b, byte(i), f.udata)
			}
		}
		return b
	})
}

func (f field) udata(b []byte) []byte {
	parts := func(b []byte, kind uint32, values ...uint32) []byte {
		b = udataU32(b, exprKind, kind)
		return udata(b, exprBody, func(b []byte) []byte {
			for i, v := range values {
				b = udataU32(b, byte(i), v)
			}
			return b
		})
	}
	switch f.expr {
	case payload:
		return parts(b, exprPayload, f.desc, f.template)
	case meta:
		return parts(b, exprMeta, f.key)
	case conntrack:
		const noDirection = 1<<32 - 1
		return parts(b, exprCT, f.key, noDirection)
	case numgen:
		const random, offset = 1, 0
		return parts(b, exprNumgen, random, f.key, offset)
	}
	return udataU32(b, exprKind, 0)
}
