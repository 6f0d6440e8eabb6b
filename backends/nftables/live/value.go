package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// reader reads an element: a line has no allocation, and there are hundreds of
// thousands of lines.
type reader struct {
	b  []byte
	at int
}

func (r *reader) atEnd() bool { return r.at >= len(r.b) }

// skip takes the text if it comes next.
func (r *reader) skip(s string) bool {
	if len(r.b)-r.at < len(s) || string(r.b[r.at:r.at+len(s)]) != s {
		return false
	}
	r.at += len(s)
	return true
}

// word is what comes before the next space.
func (r *reader) word() []byte {
	from := r.at
	for r.at < len(r.b) && r.b[r.at] != ' ' {
		r.at++
	}
	return r.b[from:r.at]
}

// constant appends a value without padding.
func (r *reader) constant(to []byte, k kind) ([]byte, error) {
	switch k {
	case addr4:
		return r.addr4(to)
	case addr6:
		w := r.word()
		a, err := parseAddr(w, k)
		return append(to, a.AsSlice()...), err
	case proto:
		switch w := r.word(); string(w) {
		case "tcp":
			return append(to, 6), nil
		case "udp":
			return append(to, 17), nil
		case "sctp":
			return append(to, 132), nil
		default:
			return to, fmt.Errorf("protocol %q", w)
		}
	case port:
		n, err := r.decimal(0xffff)
		return binary.BigEndian.AppendUint16(to, uint16(n)), err
	case index:
		n, err := r.decimal(0xffffffff)
		return binary.NativeEndian.AppendUint32(to, n), err
	case mark:
		if !r.skip("0x") {
			return to, fmt.Errorf("mark %q", r.word())
		}
		n, err := r.hex(8)
		return binary.NativeEndian.AppendUint32(to, n), err
	case classID:
		n, err := r.classID()
		return binary.NativeEndian.AppendUint32(to, n), err
	}
	return to, fmt.Errorf("a value of a type that has no constants")
}

// decimal reads a number as nft prints it.
func (r *reader) decimal(most uint64) (uint32, error) {
	from, n := r.at, uint64(0)
	for r.at < len(r.b) && r.at-from < 11 && r.b[r.at]-'0' < 10 {
		n = 10*n + uint64(r.b[r.at]-'0')
		r.at++
	}
	if r.at == from || n > most || r.b[from] == '0' && r.at > from+1 {
		return 0, fmt.Errorf("number %q", r.b[from:])
	}
	return uint32(n), nil
}

// hex reads one to most digits.
func (r *reader) hex(most int) (n uint32, err error) {
	from := r.at
	for r.at < len(r.b) && r.at-from < most {
		d, ok := hexDigit(r.b[r.at])
		if !ok {
			break
		}
		n = n<<4 | d
		r.at++
	}
	if r.at == from {
		return 0, fmt.Errorf("hexadecimal number %q", r.b[from:])
	}
	return n, nil
}

func hexDigit(c byte) (uint32, bool) {
	if c-'0' < 10 {
		return uint32(c - '0'), true
	}
	return uint32(c-'a') + 10, c-'a' < 6
}

// classID reads "major:minor", or what nft prints for the first and the last.
func (r *reader) classID() (uint32, error) {
	switch {
	case r.skip("none"):
		return 0, nil
	case r.skip("root"):
		return 1<<32 - 1, nil
	}
	major, err := r.hex(4)
	if err != nil {
		return 0, err
	}
	if !r.skip(":") {
		return 0, fmt.Errorf("class %q", r.b)
	}
	minor, err := r.hex(4)
	return major<<16 | minor, err
}

func (r *reader) addr4(to []byte) ([]byte, error) {
	for i := range 4 {
		if i > 0 && !r.skip(".") {
			return to, fmt.Errorf("address %q", r.b)
		}
		n, err := r.decimal(255)
		if err != nil {
			return to, err
		}
		to = append(to, byte(n))
	}
	return to, nil
}

func parseAddr(w []byte, k kind) (netip.Addr, error) {
	a, err := netip.ParseAddr(string(w))
	if err == nil && (a.Zone() != "" || a.Is4() != (k == addr4)) {
		err = fmt.Errorf("address %q", w)
	}
	return a, err
}

// span reads an address, a prefix or "first-last".
func (r *reader) span(k kind) (first, last netip.Addr, err error) {
	if k != addr4 && k != addr6 {
		return first, last, fmt.Errorf("a range of a type that has none")
	}
	w := r.word()
	for i, c := range w {
		switch c {
		case '/':
			return prefix(w, k)
		case '-':
			if first, err = parseAddr(w[:i], k); err == nil {
				last, err = parseAddr(w[i+1:], k)
			}
			if err == nil && last.Less(first) {
				err = fmt.Errorf("range %q", w)
			}
			return first, last, err
		}
	}
	first, err = parseAddr(w, k)
	return first, first, err
}

func prefix(w []byte, k kind) (first, last netip.Addr, err error) {
	p, err := netip.ParsePrefix(string(w))
	if err != nil || p != p.Masked() || p.Addr().Is4() != (k == addr4) {
		return first, last, fmt.Errorf("prefix %q", w)
	}
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ = netip.AddrFromSlice(b)
	return p.Addr(), last, nil
}

// bigOfHost turns a number of the machine's byte order around, if that differs.
func bigOfHost(v []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, binary.NativeEndian.Uint32(v))
}
