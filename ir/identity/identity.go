// Package identity derives short names from contents, such that different
// contents have different names. A name has at least 128 bits of a
// collision-resistant hash; if two names are equal nevertheless, the contents are
// compared, and the later one gets another name.
package identity

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"math/bits"
	"strconv"
)

// Hash hashes a content. The zero value is SHA-256; tests use a weak hash to
// provoke collisions.
type Hash func([]byte) [sha256.Size]byte

// Sum returns the hash of a content.
func (h Hash) Sum(b []byte) [sha256.Size]byte {
	if h == nil {
		return sha256.Sum256(b)
	}
	return h(b)
}

// Encoding turns a hash into the part of a name.
type Encoding func([sha256.Size]byte) string

// lower is the alphabet of case-insensitive names.
var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Lower writes 128 bits as 26 characters: a-z and 2-7.
func Lower(sum [sha256.Size]byte) string { return lower.EncodeToString(sum[:16]) }

// digits are the digits of base 62.
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// Short writes 130 bits as 22 letters and digits, for names that the kernel
// bounds: chains of iptables have 28 characters (XT_EXTENSION_MAXNAMELEN), sets of
// ipset 31 (IPSET_MAXNAMELEN).
func Short(sum [sha256.Size]byte) string {
	const length = 22
	// The first 17 bytes are one large number, which is divided by 62 again and again: by
	// its tenth power in between, which fits into a word.
	const ten, chunk = 10, 839299365868340224 // 62^10
	high, middle, low := uint64(sum[0]), binary.BigEndian.Uint64(sum[1:]), binary.BigEndian.Uint64(sum[9:])
	var out [length]byte
	for i := 0; i < length; i += ten {
		var rest uint64
		high, rest = high/chunk, high%chunk
		middle, rest = bits.Div64(rest, middle, chunk)
		low, rest = bits.Div64(rest, low, chunk)
		for j := i; j < min(i+ten, length); j++ {
			out[j] = digits[rest%62]
			rest /= 62
		}
	}
	return string(out[:])
}

// Names assigns names to contents. The zero value hashes with SHA-256. Only if
// hashes collide do names depend on the order of the calls, so callers use an
// order that depends on the program alone.
type Names struct {
	Hash Hash // the hash behind the names; nil is SHA-256, tests use a weak one
	// names are the names of contents, by prefix; taken holds all of them.
	names map[string]*contents[string]
	taken map[string]struct{}
}

// Of returns the prefix followed by the encoded hash of a content, the same for
// equal arguments. Each prefix is a separate namespace.
func (n *Names) Of(prefix, content string, encode Encoding) string {
	names := n.of(prefix)
	k := keyOf(content)
	if have, known := names.get(&k); known {
		return have
	}
	name := encode(n.Hash.sum(&k))
	free := prefix + name
	for i := 2; n.isTaken(free); i++ {
		// Another content has the name. With a weak hash, a hash of the content and
		// a number could collide again, so the number is part of the name.
		free = prefix + suffixed(name, i)
	}
	names.put(&k, free, 0)
	n.taken[free] = struct{}{}
	return free
}

func (n *Names) of(prefix string) *contents[string] {
	if have := n.names[prefix]; have != nil {
		return have
	}
	if n.names == nil {
		n.names, n.taken = make(map[string]*contents[string]), make(map[string]struct{})
	}
	n.names[prefix] = &contents[string]{}
	return n.names[prefix]
}

func (n *Names) isTaken(name string) bool {
	_, is := n.taken[name]
	return is
}

// suffixed replaces the end of a name by a number, so that the length stays the same.
func suffixed(name string, i int) string {
	s := "-" + strconv.Itoa(i)
	return name[:max(0, len(name)-len(s))] + s
}

// Codes assigns unique 64-bit numbers to contents, for machines without room for
// longer names. It compares contents, so uniqueness does not depend on the hash.
// The zero value hashes with SHA-256.
type Codes struct {
	Hash  Hash // the hash behind the numbers; nil is SHA-256
	Room  int  // how many contents are expected; 0 is not known
	taken map[uint64]struct{}
	codes contents[uint64]
}

// Of returns the first 64 bits of the content's hash, or the next number that is
// allowed and that no other content has.
func (c *Codes) Of(content string, allowed func(uint64) bool) uint64 {
	k := keyOf(content)
	if have, known := c.codes.get(&k); known {
		return have
	}
	if c.taken == nil {
		c.taken = make(map[uint64]struct{}, c.Room)
	}
	code := first64(c.Hash.sum(&k))
	for c.isTaken(code) || allowed != nil && !allowed(code) {
		code++
	}
	c.codes.put(&k, code, c.Room)
	c.taken[code] = struct{}{}
	return code
}

func (c *Codes) isTaken(code uint64) bool {
	_, is := c.taken[code]
	return is
}

func first64(sum [sha256.Size]byte) (n uint64) {
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}
