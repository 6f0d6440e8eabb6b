package xtables

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"

	"github.com/planec/planec/ir/identity"
)

// Names makes names of identities, such that no two identities share one: a
// user who may name objects could otherwise, with patience, make two that are
// served as one. The zero value is ready.
type Names struct{ names identity.Names }

// NewNames returns names that are made with a hash; nil is SHA-256.
func NewNames(hash identity.Hash) Names { return Names{identity.Names{Hash: hash}} }

// Of returns prefix and 16 characters, for what is always written whole, with all
// that could have the same name: it is seen when two have.
func (n *Names) Of(prefix string, parts ...string) string {
	return n.names.Of(prefix, contentOf(parts), short80)
}

// Own returns prefix and 22 characters, for what is one Service's: a change of the
// Service writes it without a look at all others, so the hash alone keeps it
// apart.
func (n *Names) Own(prefix string, parts ...string) string {
	return n.names.Of(prefix, contentOf(parts), identity.Short)
}

// short80 writes 80 bits as kube-proxy does.
func short80(sum [sha256.Size]byte) string { return base32.StdEncoding.EncodeToString(sum[:10]) }

// contentOf joins parts so that no others read the same.
func contentOf(parts []string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = append(append(strconv.AppendInt(b, int64(len(p)), 10), ':'), p...)
	}
	return string(b)
}
