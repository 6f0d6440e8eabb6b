package xtables

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash"
	"io"
)

// hashLength is how many characters stand for an identity: 80 bits, as in
// kube-proxy's chains.
const hashLength = 16

// Identity is the first parts of identities, hashed once for all names that begin
// with them: a row of thousands of ports has hundreds of chains.
type Identity struct {
	names *Names
	hash  hash.Cloner
}

// Names makes names of identities and refuses that two identities get one name:
// whoever may name objects could otherwise, with patience, make two that are
// served as one. The zero value is ready.
type Names struct {
	// owner is the whole hash of who has a name.
	owner map[string][sha256.Size]byte
	err   error
}

// Of returns prefix and the identity's hash, 16 characters.
func (n *Names) Of(prefix string, parts ...string) string {
	return n.name(prefix, with(sha256.New(), parts))
}

// Begin returns identities that begin with some parts.
func (n *Names) Begin(parts ...string) *Identity {
	// SHA-256 can be cloned, as every hash of the standard library.
	h, _ := sha256.New().(hash.Cloner)
	with(h, parts)
	return &Identity{n, h}
}

func with(h hash.Hash, parts []string) hash.Hash {
	for _, p := range parts {
		_, _ = io.WriteString(h, p)
		_, _ = h.Write([]byte{0})
	}
	return h
}

// Of is [Names.Of] of an identity that begins with i's parts.
func (i *Identity) Of(prefix string, more ...string) string {
	h, err := i.hash.Clone()
	if err != nil {
		i.names.err = err
		return prefix
	}
	return i.names.name(prefix, with(h, more))
}

func (n *Names) name(prefix string, h hash.Hash) string {
	sum := [sha256.Size]byte(h.Sum(nil))
	name := prefix + base32.StdEncoding.EncodeToString(sum[:hashLength*5/8])
	if n.owner == nil {
		n.owner = make(map[string][sha256.Size]byte)
	}
	if have, taken := n.owner[name]; taken && have != sum {
		n.err = fmt.Errorf("two identities have the same hash: %s", name)
	}
	n.owner[name] = sum
	return name
}

// Err is the collision that happened, or nil.
func (n *Names) Err() error { return n.err }
