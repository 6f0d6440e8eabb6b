package live

import (
	"encoding/binary"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Lines yields the elements as rules.nft and nft spell them, in no order: also
// those that the kernel has, for people to read.
func (s *Set) Lines() iter.Seq[string] {
	key, data := kindsOf(s.KeyType), kindsOf(s.DataType)
	return func(yield func(string) bool) {
		for _, r := range s.Elems.all() {
			if !yield(s.line(r, key, data)) {
				return
			}
		}
	}
}

func (s *Set) line(r record, key, data []kind) string {
	n := int(s.KeyLen)
	line := values(r.key[:n], key)
	if s.interval() {
		line[len(line)-1] = spanText(r.key[:n], r.key[n:], key)
	}
	text := strings.Join(line, " . ")
	if c := r.comment(); c != "" {
		text += ` comment "` + c + `"`
	}
	switch {
	case s.verdicts():
		text += " : " + verdictText(r.data)
	case s.isMap():
		text += " : " + strings.Join(values(r.data, data), " . ")
	}
	return text
}

// kindsOf takes nft's number of a type apart.
func kindsOf(number uint32) []kind {
	if number == typeVerdict {
		return []kind{verdict}
	}
	var list []kind
	for ; number > 0; number >>= typeBits {
		k := kind(0)
		for i := addr4; i < connID; i++ {
			if kinds[i].number == number&(1<<typeBits-1) {
				k = i
			}
		}
		list = append(list, k)
	}
	slices.Reverse(list)
	return list
}

// values spells the fields of a key or of data; what does not fit is in
// hexadecimal.
func values(b []byte, list []kind) []string {
	var out []string
	for _, k := range list {
		n := k.size()
		if k == 0 || n > len(b) {
			return append(out, fmt.Sprintf("%#x", b))
		}
		out = append(out, k.text(b[:n]))
		b = b[min(4*k.words(), len(b)):]
	}
	if len(out) == 0 {
		return []string{fmt.Sprintf("%#x", b)}
	}
	return out
}

// text spells one value as nft lists it.
func (k kind) text(b []byte) string {
	switch k {
	case addr4, addr6:
		a, _ := netip.AddrFromSlice(b)
		return a.String()
	case port:
		return strconv.Itoa(int(binary.BigEndian.Uint16(b)))
	case proto:
		for name, p := range protocols {
			if p.number == b[0] {
				return name
			}
		}
		return strconv.Itoa(int(b[0]))
	case mark:
		return fmt.Sprintf("0x%08x", binary.NativeEndian.Uint32(b))
	case classID:
		switch n := binary.NativeEndian.Uint32(b); n {
		case 0:
			return "none"
		case 1<<32 - 1:
			return "root"
		default:
			return fmt.Sprintf("%x:%x", n>>16, n&0xffff)
		}
	}
	return strconv.FormatUint(uint64(binary.NativeEndian.Uint32(b)), 10)
}

// spanText spells the last field of two keys: an address, a prefix or a range.
func spanText(from, to []byte, list []kind) string {
	k := list[len(list)-1]
	if k != addr4 && k != addr6 || k.size() > len(from) {
		return fmt.Sprintf("%#x-%#x", from, to)
	}
	first, _ := netip.AddrFromSlice(from[len(from)-k.size():])
	last, _ := netip.AddrFromSlice(to[len(to)-k.size():])
	if first == last {
		return first.String()
	}
	for bits := range first.BitLen() {
		p := netip.PrefixFrom(first, bits)
		if _, end, err := prefix([]byte(p.String()), k); err == nil && end == last {
			return p.String()
		}
	}
	return first.String() + "-" + last.String()
}

func verdictText(data []byte) string {
	if len(data) < 4 {
		return "?"
	}
	to := string(chainOf(data))
	switch code := binary.BigEndian.Uint32(data); code {
	case verdictAccept:
		return "accept"
	case verdictDrop:
		return "drop"
	case verdictReturn:
		return "return"
	case verdictJump:
		return "jump " + to
	case verdictGoto:
		return "goto " + to
	default:
		return strconv.Itoa(int(int32(code)))
	}
}
