package live

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// maxComment is what nft allows (NFTNL_UDATA_COMMENT_MAXLEN).
const maxComment = 128

// User data of elements (enum nftnl_udata_set_elem_types of libnftnl) and of
// rules, which begin alike.
const (
	udataComment = 0
	udataFlags   = 1
	// intervalOpen is nft's note that a range reaches the end of all addresses: it
	// has no element that ends it.
	intervalOpen = 1
)

// elementReader holds memory for one element at a time.
type elementReader struct{ key, data, udata []byte }

// element reads `key [comment "..."] [: data]` into the set.
func (e *elementReader) element(s *Set, line []byte) error {
	r := reader{b: line}
	if err := e.readKey(s, &r); err != nil {
		return err
	}
	e.udata = e.udata[:0]
	if r.skip(` comment "`) {
		n := bytes.IndexByte(r.b[r.at:], '"')
		if n < 0 || n > maxComment || bytes.IndexByte(r.b[r.at:r.at+n], 0) >= 0 {
			return fmt.Errorf("a comment that does not end, or is longer than %d bytes", maxComment)
		}
		e.udata = appendComment(e.udata, r.b[r.at:r.at+n])
		r.at += n + 1
	}
	if s.singleSpan() && allOnes(e.key[s.KeyLen:]) {
		e.udata = udataU32(e.udata, udataFlags, intervalOpen)
	}
	e.data = e.data[:0]
	if s.isMap() {
		if !r.skip(" : ") {
			return fmt.Errorf("an element without data")
		}
		if err := e.readData(s, &r); err != nil {
			return err
		}
	}
	if !r.atEnd() {
		return fmt.Errorf("%q after an element", r.b[r.at:])
	}
	s.Elems.append(record{e.key, e.data, e.udata})
	return nil
}

func appendComment(b, text []byte) []byte {
	b = append(b, udataComment, byte(len(text)+1))
	return append(append(b, text...), 0)
}

func allOnes(b []byte) bool {
	for _, c := range b {
		if c != 0xff {
			return false
		}
	}
	return true
}

func (e *elementReader) readKey(s *Set, r *reader) error {
	e.key = e.key[:0]
	var err error
	for i, f := range s.key {
		if i > 0 && !r.skip(" . ") {
			return fmt.Errorf("the key ends early")
		}
		if s.interval() && i == len(s.key)-1 {
			return e.readSpan(s, r, f.kind)
		}
		if e.key, err = r.constant(e.key, f.kind); err != nil {
			return err
		}
		if len(s.key) > 1 {
			e.key = padded(e.key, f.kind)
		}
	}
	return nil
}

// readSpan reads the last field of a key with ranges; the record's key is the
// first and the last key of the range.
func (e *elementReader) readSpan(s *Set, r *reader, k kind) error {
	first, last, err := r.span(k)
	if err != nil {
		return err
	}
	n := len(e.key)
	e.key = append(e.key, first.AsSlice()...)
	e.key = append(e.key, e.key[:n]...)
	e.key = append(e.key, last.AsSlice()...)
	return nil
}

// padded fills the last 32 bits of a field in a concatenation.
func padded(b []byte, k kind) []byte {
	for n := k.size(); n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

func (e *elementReader) readData(s *Set, r *reader) error {
	var err error
	if s.verdicts() {
		e.data, err = r.verdict(e.data)
		return err
	}
	for i, f := range s.data {
		if i > 0 && !r.skip(" . ") {
			return fmt.Errorf("the data end early")
		}
		if e.data, err = r.constant(e.data, f.kind); err != nil {
			return err
		}
		if len(s.data) > 1 {
			e.data = padded(e.data, f.kind)
		}
	}
	return nil
}

// verdict appends a verdict: the code, then the chain's name.
func (r *reader) verdict(to []byte) ([]byte, error) {
	w := r.word()
	switch string(w) {
	case "accept":
		return binary.BigEndian.AppendUint32(to, verdictAccept), nil
	case "drop":
		return binary.BigEndian.AppendUint32(to, verdictDrop), nil
	case "return":
		return binary.BigEndian.AppendUint32(to, verdictReturn), nil
	case "jump":
		to = binary.BigEndian.AppendUint32(to, verdictJump)
	case "goto":
		to = binary.BigEndian.AppendUint32(to, verdictGoto)
	default:
		return to, fmt.Errorf("verdict %q", w)
	}
	if !r.skip(" ") {
		return to, fmt.Errorf("a verdict without its chain")
	}
	name := r.word()
	if !validName(name) {
		return to, fmt.Errorf("chain %q", name)
	}
	return append(to, name...), nil
}

// validName reports whether nft takes it as a name. The kernel's limit is
// NFT_NAME_MAXLEN, 256 with the NUL; the records' is the same.
func validName[T string | []byte](name T) bool {
	if len(name) == 0 || len(name) > 255 {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := c-'a' < 26 || c-'A' < 26
		if !letter && (i == 0 || c-'0' >= 10 && c != '-' && c != '_' && c != '.' && c != '/') {
			return false
		}
	}
	return true
}

// chainOf returns the chain that an element's data lead to, if any.
func chainOf(data []byte) []byte { return data[min(4, len(data)):] }
