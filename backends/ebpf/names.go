package ebpf

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends/ebpf/layout"
)

// names has the pools of an image in the order of ep, and the names of pools and
// sets: their symbol, or "#" and their number.
type names struct {
	pools   []namedPool
	symbols *Symbols
	// last caches the last pool that was looked up; the lines of ep are grouped by pool.
	last *namedPool
}

// namedPool is a pool with its name as the text has it.
type namedPool struct {
	layout.Route
	name []byte
}

func newNames(img *Image) *names {
	n := &names{symbols: img.symbols}
	svc := &img.maps[layout.Services]
	n.pools = make([]namedPool, 0, 2*svc.Len())
	for i := range svc.Len() {
		s := layout.DecodeService(svc.Value(i))
		n.pools = append(n.pools, namedPool{Route: s.Internal}, namedPool{Route: s.External})
	}
	slices.SortFunc(n.pools, func(a, b namedPool) int { return cmp.Compare(a.Base, b.Base) })
	n.pools = slices.DeleteFunc(n.pools, func(p namedPool) bool { return p.Count == 0 })
	n.pools = slices.CompactFunc(n.pools, func(a, b namedPool) bool { return a.Base == b.Base })
	for i := range n.pools {
		p := &n.pools[i]
		p.name = appendNameOr(nil, n.symbols.Pool(p.Base).Name, p.Base)
	}
	return n
}

// poolOf returns the pool of entry i of ep. In a valid image, every endpoint has a
// pool.
func (n *names) poolOf(i uint32) *namedPool {
	if n.last != nil && i >= n.last.Base && i-n.last.Base < n.last.Count {
		return n.last
	}
	at, found := slices.BinarySearchFunc(n.pools, i, func(p namedPool, i uint32) int { return cmp.Compare(p.Base, i) })
	if !found {
		at--
	}
	n.last = &n.pools[at]
	return n.last
}

func (n *names) appendSet(b []byte, set uint32) []byte {
	return appendNameOr(b, n.symbols.SourceSet(set).Name, set)
}

func appendNameOr(b []byte, name string, number uint32) []byte {
	if name != "" {
		return appendName(b, name)
	}
	return strconv.AppendUint(append(b, '#'), uint64(number), 10)
}

// maxName bounds a name in the text. The longest name in Kubernetes is two names
// of 253 bytes and a few short words.
const maxName = 640

// appendName appends a name: unchanged if it has only harmless characters,
// otherwise quoted in ASCII. It cuts a name that is too long and appends "..."
// after the closing quote.
func appendName(b []byte, name string) []byte {
	cut := len(name) > maxName
	if cut {
		name = name[:maxName]
	}
	if harmless(name) {
		b = append(b, name...)
	} else {
		b = strconv.AppendQuoteToASCII(b, name)
	}
	if cut {
		b = append(b, "..."...)
	}
	return b
}

func harmless(s string) bool {
	const set = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:"
	return s != "" && strings.Trim(s, set) == ""
}

// appendHex64 appends 16 hexadecimal digits.
func appendHex64(b []byte, n uint64) []byte {
	return hex.AppendEncode(b, binary.BigEndian.AppendUint64(nil, n))
}
