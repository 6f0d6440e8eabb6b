package nft

import (
	"fmt"
	"net/netip"
)

// scanner reads values as the text spells them. It makes no allocation for an element:
// there are hundreds of thousands of them.
type scanner struct {
	b  []byte
	at int
}

func (r *scanner) atEnd() bool { return r.at >= len(r.b) }

// skip takes the text if it comes next.
func (r *scanner) skip(s string) bool {
	if len(r.b)-r.at < len(s) || string(r.b[r.at:r.at+len(s)]) != s {
		return false
	}
	r.at += len(s)
	return true
}

// word is what comes before the next space.
func (r *scanner) word() []byte {
	from := r.at
	for r.at < len(r.b) && r.b[r.at] != ' ' {
		r.at++
	}
	return r.b[from:r.at]
}

// values appends values with dots between them, padded where asked for.
func (r *scanner) values(to []byte, list []Field, padded bool) (_ []byte, err error) {
	for i := range list {
		if i > 0 && !r.skip(" . ") {
			return to, fmt.Errorf("a key or data that end early")
		}
		if to, err = r.constant(to, list[i].Kind); err != nil {
			return to, err
		}
		if padded {
			to = Pad(to)
		}
	}
	return to, nil
}

// constant appends a value without padding.
func (r *scanner) constant(to []byte, k Kind) ([]byte, error) {
	switch k {
	case Addr4:
		return r.addr4(to)
	case Addr6:
		w := r.word()
		a, err := parseAddr(w, k)
		return append(to, a.AsSlice()...), err
	}
	n, err := r.number(k)
	return k.AppendNumber(to, n), err
}

// number reads a value that is a number.
func (r *scanner) number(k Kind) (uint32, error) {
	switch k {
	case Proto:
		switch w := r.word(); string(w) {
		case "tcp":
			return uint32(TCP), nil
		case "udp":
			return uint32(UDP), nil
		case "sctp":
			return uint32(SCTP), nil
		case "icmp":
			return uint32(ICMP), nil
		case "ipv6-icmp":
			return uint32(ICMPv6), nil
		default:
			inner := scanner{b: w}
			n, err := inner.decimal(255)
			if err != nil || !inner.atEnd() {
				return 0, fmt.Errorf("protocol %q", w)
			}
			return n, nil
		}
	case Port:
		return r.decimal(0xffff)
	case Index:
		return r.decimal(0xffffffff)
	case Mark:
		if !r.skip("0x") {
			return 0, fmt.Errorf("mark %q", r.word())
		}
		return r.hex(8)
	case ClassID:
		return r.classID()
	}
	return 0, fmt.Errorf("a value of a type that has no constants")
}

// decimal reads a number as nft prints it.
func (r *scanner) decimal(most uint64) (uint32, error) {
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
func (r *scanner) hex(most int) (n uint32, err error) {
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
func (r *scanner) classID() (uint32, error) {
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

func (r *scanner) addr4(to []byte) ([]byte, error) {
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

func parseAddr(w []byte, k Kind) (netip.Addr, error) {
	a, err := netip.ParseAddr(string(w))
	if err == nil && (a.Zone() != "" || a.Is4() != (k == Addr4)) {
		err = fmt.Errorf("address %q", w)
	}
	return a, err
}

// span reads an address, a prefix or "first-last".
func (r *scanner) span(k Kind) (first, last netip.Addr, err error) {
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

func prefix(w []byte, k Kind) (first, last netip.Addr, err error) {
	p, err := netip.ParsePrefix(string(w))
	if err != nil || p != p.Masked() || p.Addr().Is4() != (k == Addr4) {
		return first, last, fmt.Errorf("prefix %q", w)
	}
	return p.Addr(), lastAddr(p), nil
}

// lastAddr is the last address of a prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

// verdict reads a verdict, and the chain that it leads to.
func (r *scanner) verdict() (v Verdict, chain []byte, err error) {
	w := r.word()
	v = verdicts[string(w)]
	switch {
	case v == NoVerdict || v == Reject:
		return v, nil, fmt.Errorf("verdict %q", w)
	case !v.Leads():
		return v, nil, nil
	case !r.skip(" "):
		return v, nil, fmt.Errorf("a verdict without its chain")
	}
	return v, r.word(), nil
}
