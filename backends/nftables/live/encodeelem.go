package live

import (
	"encoding/binary"
	"slices"
)

// attrLen is the length of an attribute's header.
const attrLen = 4

// padded is a length with what fills its last 32 bits.
func padded(n int) int { return (n + 3) &^ 3 }

// plain writes an element of a set without ranges. These are hundreds of thousands, so it takes the memory
// once, where [writer] would for each attribute. data and udata are left out if they are nil.
func (l *elemList) plain(s *Set, key, data, udata []byte) {
	n := attrLen + nestedLen(len(key))
	switch {
	case data == nil:
	case s.verdicts():
		n += nestedLen(verdictLen(chainOf(data)))
	case s.isMap():
		n += nestedLen(len(data))
	}
	if len(udata) > 0 {
		n += attrLen + padded(len(udata))
	}
	at := len(l.b)
	l.b = slices.Grow(l.b, n)[:at+n]
	p := plainWriter{b: l.b[at:]}
	p.header(listElem, n-attrLen)
	p.value(elemKey, key)
	switch {
	case data == nil:
	case s.verdicts():
		p.verdict(elemData, data)
	case s.isMap():
		p.value(elemData, data)
	}
	if len(udata) > 0 {
		p.attr(elemUData, udata)
	}
}

// nestedLen is the length of an attribute that has only another one, with a value.
func nestedLen(value int) int { return attrLen + padded(attrLen+value) }

// verdictLen is the length of the attributes of a verdict.
func verdictLen(chain []byte) int {
	const code = attrLen + 4
	if len(chain) == 0 {
		return code
	}
	return code + padded(attrLen+len(chain)+1)
}

// plainWriter writes into memory that is there already.
type plainWriter struct {
	b  []byte
	at int
}

func (p *plainWriter) header(kind uint16, value int) {
	b := p.b[p.at : p.at+attrLen]
	binary.NativeEndian.PutUint16(b, uint16(attrLen+value))
	binary.NativeEndian.PutUint16(b[2:], kind)
	p.at += attrLen
}

// attr writes an attribute, and zeros where it is filled up.
func (p *plainWriter) attr(kind uint16, v []byte) {
	p.header(kind, len(v))
	end := p.at + padded(len(v))
	if end > p.at {
		binary.NativeEndian.PutUint32(p.b[end-4:], 0)
	}
	copy(p.b[p.at:end], v)
	p.at = end
}

func (p *plainWriter) value(kind uint16, v []byte) {
	p.header(kind, attrLen+padded(len(v)))
	p.attr(dataValue, v)
}

func (p *plainWriter) verdict(kind uint16, data []byte) {
	chain := chainOf(data)
	n := verdictLen(chain)
	p.header(kind, attrLen+n)
	p.header(dataVerdict, n)
	p.attr(verdictCode, data[:4])
	if len(chain) == 0 {
		return
	}
	p.header(verdictChain, len(chain)+1)
	end := p.at + padded(len(chain)+1)
	binary.NativeEndian.PutUint32(p.b[end-4:], 0)
	copy(p.b[p.at:end], chain)
	p.at = end
}
