package live

import (
	"encoding/binary"
	"errors"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// writer appends netlink messages and attributes (package nlattr describes their layout). It omits
// NLA_F_NESTED in nested attributes, as the kernel dumps them and accepts them.
type writer struct{ b []byte }

// message starts a message and returns its offset for end.
func (w *writer) message(kind, flags uint16, family nft.Family, resource uint16) int {
	at := len(w.b)
	w.b = append(w.b, 0, 0, 0, 0)
	w.b = binary.NativeEndian.AppendUint16(w.b, kind)
	w.b = binary.NativeEndian.AppendUint16(w.b, flags|flagRequest)
	w.b = append(w.b, 0, 0, 0, 0, 0, 0, 0, 0, byte(family), 0)
	w.b = binary.BigEndian.AppendUint16(w.b, resource)
	return at
}

// nft starts a message of nf_tables.
func (w *writer) nft(kind, flags uint16, family nft.Family) int {
	return w.message(subsysNFTables<<8|kind, flags, family, 0)
}

func (w *writer) end(at int) { binary.NativeEndian.PutUint32(w.b[at:], uint32(len(w.b)-at)) }

// nest starts an attribute; done ends it.
func (w *writer) nest(kind uint16) int {
	at := len(w.b)
	w.b = nlattr.Begin(w.b, kind, 0)
	return at
}

func (w *writer) done(at int) {
	binary.NativeEndian.PutUint16(w.b[at:], uint16(len(w.b)-at))
	w.b = nlattr.Pad(w.b)
}

func (w *writer) bytes(kind uint16, v []byte) { w.b = nlattr.Append(w.b, kind, v) }

func (w *writer) str(kind uint16, s string) { str(w, kind, s) }

// str writes an attribute of text with a final NUL.
func str[T string | []byte](w *writer, kind uint16, s T) {
	w.b = append(nlattr.Begin(w.b, kind, len(s)+1), s...)
	w.b = nlattr.Pad(append(w.b, 0))
}

func (w *writer) u32(kind uint16, v uint32) {
	w.b = binary.BigEndian.AppendUint32(nlattr.Begin(w.b, kind, 4), v)
}

// value writes an attribute that contains NFTA_DATA_VALUE.
func (w *writer) value(kind uint16, v []byte) {
	at := w.nest(kind)
	w.bytes(dataValue, v)
	w.done(at)
}

// verdict writes an attribute that contains NFTA_DATA_VERDICT; chain may be empty.
func (w *writer) verdict(kind uint16, code uint32, chain []byte) {
	at := w.nest(kind)
	in := w.nest(dataVerdict)
	w.u32(verdictCode, code)
	if len(chain) > 0 {
		str(w, verdictChain, chain)
	}
	w.done(in)
	w.done(at)
}

// reply is one message from or to the kernel.
type reply struct {
	kind, flags uint16
	sequence    uint32
	body        []byte
}

// replies splits a buffer of received or sent messages.
func replies(b []byte, yield func(reply) error) error {
	for len(b) >= headerLen {
		n := int(binary.NativeEndian.Uint32(b))
		if n < headerLen || n > len(b) {
			return errors.New("a netlink message that is cut off")
		}
		err := yield(reply{
			kind: binary.NativeEndian.Uint16(b[4:]), flags: binary.NativeEndian.Uint16(b[6:]),
			sequence: binary.NativeEndian.Uint32(b[8:]), body: b[headerLen:n],
		})
		if err != nil {
			return err
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return nil
}
