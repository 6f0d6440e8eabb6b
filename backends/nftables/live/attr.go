package live

import (
	"encoding/binary"
	"iter"
)

// writer appends netlink messages and attributes. Nested attributes go without
// NLA_F_NESTED, as the kernel dumps them and takes them.
type writer struct{ b []byte }

// message starts a message and returns its place for end.
func (w *writer) message(kind, flags uint16, family Family, resource uint16) int {
	at := len(w.b)
	w.b = append(w.b, 0, 0, 0, 0)
	w.b = binary.NativeEndian.AppendUint16(w.b, kind)
	w.b = binary.NativeEndian.AppendUint16(w.b, flags|flagRequest)
	w.b = append(w.b, 0, 0, 0, 0, 0, 0, 0, 0, byte(family), 0)
	w.b = binary.BigEndian.AppendUint16(w.b, resource)
	return at
}

// nft starts a message of nf_tables.
func (w *writer) nft(kind, flags uint16, family Family) int {
	return w.message(subsysNFTables<<8|kind, flags, family, 0)
}

func (w *writer) end(at int) { binary.NativeEndian.PutUint32(w.b[at:], uint32(len(w.b)-at)) }

// nest starts an attribute that done ends.
func (w *writer) nest(kind uint16) int {
	at := len(w.b)
	w.b = append(w.b, 0, 0)
	w.b = binary.NativeEndian.AppendUint16(w.b, kind)
	return at
}

func (w *writer) done(at int) {
	binary.NativeEndian.PutUint16(w.b[at:], uint16(len(w.b)-at))
	w.pad()
}

func (w *writer) pad() {
	for len(w.b)%4 != 0 {
		w.b = append(w.b, 0)
	}
}

func (w *writer) head(kind uint16, n int) {
	w.b = binary.NativeEndian.AppendUint16(w.b, uint16(n+4))
	w.b = binary.NativeEndian.AppendUint16(w.b, kind)
}

func (w *writer) bytes(kind uint16, v []byte) {
	w.head(kind, len(v))
	w.b = append(w.b, v...)
	w.pad()
}

func (w *writer) str(kind uint16, s string) {
	w.head(kind, len(s)+1)
	w.b = append(append(w.b, s...), 0)
	w.pad()
}

func (w *writer) u32(kind uint16, v uint32) {
	w.head(kind, 4)
	w.b = binary.BigEndian.AppendUint32(w.b, v)
}

// value is an attribute that holds NFTA_DATA_VALUE.
func (w *writer) value(kind uint16, v []byte) {
	at := w.nest(kind)
	w.bytes(dataValue, v)
	w.done(at)
}

// verdict is an attribute that holds NFTA_DATA_VERDICT; chain may be empty.
func (w *writer) verdict(kind uint16, code uint32, chain []byte) {
	at := w.nest(kind)
	in := w.nest(dataVerdict)
	w.u32(verdictCode, code)
	if len(chain) > 0 {
		w.head(verdictChain, len(chain)+1)
		w.b = append(append(w.b, chain...), 0)
		w.pad()
	}
	w.done(in)
	w.done(at)
}

// attrs are the attributes of a message or of another attribute. What is cut off
// ends them.
func attrs(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= 4 {
			n := int(binary.NativeEndian.Uint16(b))
			if n < 4 || n > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&attrTypeMask, b[4:n]) {
				return
			}
			b = b[min((n+3)&^3, len(b)):]
		}
	}
}

// attr returns one attribute, or nil.
func attr(b []byte, kind uint16) []byte {
	for k, v := range attrs(b) {
		if k == kind {
			return v
		}
	}
	return nil
}

func asU32(b []byte) uint32 {
	if len(b) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// asString drops the NUL at the end.
func asString(b []byte) string {
	if n := len(b); n > 0 && b[n-1] == 0 {
		b = b[:n-1]
	}
	return string(b)
}
