package xtables

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"github.com/planec/planec/ir/identity"
)

// Names derives names from identities and detects collisions. Without that, a user
// who may name objects could construct two objects that share a chain. The zero
// value is ready to use.
type Names struct{ names identity.Names }

// NewNames returns Names that use the given hash; nil means SHA-256.
func NewNames(hash identity.Hash) Names { return Names{identity.Names{Hash: hash}} }

// Of returns prefix and 16 characters. Use it for objects that are always written
// together with all objects of the same prefix, so that a collision is detected.
func (n *Names) Of(prefix string, parts ...string) string {
	return n.names.Of(prefix, contentOf(parts), short80)
}

// Own returns prefix and 22 characters. Use it for objects of one Service: a
// change of the Service writes them without reading the others, so only the length
// of the hash prevents collisions.
func (n *Names) Own(prefix string, parts ...string) string {
	return n.names.Of(prefix, contentOf(parts), identity.Short)
}

// short80 encodes 80 bits as kube-proxy does.
func short80(sum [sha256.Size]byte) string { return base32.StdEncoding.EncodeToString(sum[:10]) }

// contentOf joins parts unambiguously: different parts give different strings.
func contentOf(parts []string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	return string(b)
}
