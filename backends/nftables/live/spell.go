package live

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/internal/text/nft"
)

// kindsOf splits nft's number of a type.
func kindsOf(number uint32) []nft.Kind {
	if number == typeVerdict {
		return []nft.Kind{nft.VerdictKind}
	}
	var list []nft.Kind
	for ; number > 0; number >>= typeBits {
		k := nft.Kind(0)
		for i := nft.Addr4; i < nft.ConnID; i++ {
			if types[i].number == number&(1<<typeBits-1) {
				k = i
			}
		}
		list = append(list, k)
	}
	slices.Reverse(list)
	return list
}

// values formats the fields of a key or of data; fields that do not fit are
// in hexadecimal.
func values(b []byte, list []nft.Kind) []string {
	var out []string
	for _, k := range list {
		n := k.Size()
		if k == 0 || n > len(b) {
			return append(out, fmt.Sprintf("%#x", b))
		}
		out = append(out, valueText(k, b[:n]))
		b = b[min((n+3)&^3, len(b)):]
	}
	if len(out) == 0 {
		return []string{fmt.Sprintf("%#x", b)}
	}
	return out
}

// valueText formats one value as nft lists it.
func valueText(k nft.Kind, b []byte) string {
	switch k {
	case nft.Addr4, nft.Addr6:
		a, _ := netip.AddrFromSlice(b)
		return a.String()
	case nft.Port:
		return strconv.Itoa(int(binary.BigEndian.Uint16(b)))
	case nft.Proto:
		return nft.Protocol(b[0]).String()
	case nft.Mark:
		return fmt.Sprintf("0x%08x", binary.NativeEndian.Uint32(b))
	case nft.ClassID:
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

// verdictText formats a verdict as nft lists it.
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
