// Package identity makes short names of contents, such that no two contents share
// one: a name has at least 128 bits of a hash, which no one can find two contents
// for, and where two have the same name all the same, the content is compared and
// the later one gets another name.
package identity

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
)

// Hash hashes a content. The zero value is SHA-256; tests weaken it to see what
// happens to contents whose hashes are equal.
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

// lower is the alphabet of names in which capitals mean nothing.
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
	out := make([]byte, length)
	rest := sum[:17]
	for i := range out {
		// The remainder of the bytes, as one large number, divided by 62.
		remainder := 0
		for j, b := range rest {
			n := remainder<<8 | int(b)
			rest[j], remainder = byte(n/len(digits)), n%len(digits)
		}
		out[i] = digits[remainder]
	}
	return string(out)
}

// Names gives contents their names. The zero value hashes with SHA-256. The names
// depend on the order of the questions only where hashes are equal, so callers ask
// in an order that is the same for the same program.
type Names struct {
	Hash Hash // the hash that names are made of; nil is SHA-256, and tests have a weak one
	// taken are the names that a content has, names those of each content.
	taken map[string]bool
	names map[nameKey]string
}

type nameKey struct {
	prefix string
	key
}

// key is a content, or where that is long its SHA-256: no one can find two
// contents for it, and it is cheap to keep and to look up. It is never weakened.
type key struct {
	content string
	sum     [sha256.Size]byte
}

// longest is how many bytes a content has, at most, that is kept as it is.
const longest = 128

func keyOf(content string) key {
	if len(content) <= longest {
		return key{content: content}
	}
	return key{sum: sha256.Sum256([]byte(content))}
}

// sum is the hash of the content that k is the key of.
func (h Hash) sum(content string, k key) [sha256.Size]byte {
	if h == nil && len(content) > longest {
		return k.sum
	}
	return h.Sum([]byte(content))
}

// Of returns prefix and the encoded hash of a content, and the same for the same
// prefix and content each time. A prefix is a namespace of its own.
func (n *Names) Of(prefix, content string, encode Encoding) string {
	k := nameKey{prefix, keyOf(content)}
	if have, known := n.names[k]; known {
		return have
	}
	if n.names == nil {
		n.names, n.taken = make(map[nameKey]string), make(map[string]bool)
	}
	name := encode(n.Hash.sum(content, k.key))
	free := prefix + name
	for i := 2; n.taken[free]; i++ {
		// Another content has it. A hash of the content with a number would be the
		// same again where the hash is weak, so the number is seen.
		free = prefix + suffixed(name, i)
	}
	n.names[k], n.taken[free] = free, true
	return free
}

// suffixed replaces the end of a name by a number, so that it gets no longer.
func suffixed(name string, i int) string {
	s := "-" + strconv.Itoa(i)
	return name[:max(0, len(name)-len(s))] + s
}

// Codes gives contents numbers of 64 bits that no two share, for machines that
// have no room for more. Numbers are not what keeps contents apart: the content is
// compared. The zero value hashes with SHA-256.
type Codes struct {
	Hash  Hash // the hash that numbers are made of; nil is SHA-256
	taken map[uint64]bool
	codes map[key]uint64
}

// Of returns the first 64 bits of the content's hash, or the next number that no
// other content has and that is allowed.
func (c *Codes) Of(content string, allowed func(uint64) bool) uint64 {
	k := keyOf(content)
	if have, known := c.codes[k]; known {
		return have
	}
	if c.codes == nil {
		c.codes, c.taken = make(map[key]uint64), make(map[uint64]bool)
	}
	code := first64(c.Hash.sum(content, k))
	for c.taken[code] || allowed != nil && !allowed(code) {
		code++
	}
	c.codes[k], c.taken[code] = code, true
	return code
}

func first64(sum [sha256.Size]byte) (n uint64) {
	for _, b := range sum[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}
