package xtables

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// hashLength is how many characters stand for an identity: 80 bits, as in
// kube-proxy's chains.
const hashLength = 16

// hashOf is a name made of an identity's parts.
func hashOf(parts ...string) string {
	b := make([]byte, 0, 256)
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	sum := sha256.Sum256(b)
	return base32.StdEncoding.EncodeToString(sum[:hashLength*5/8])
}

// Names makes names of identities and refuses that two identities get one name:
// whoever may name objects could otherwise, with patience, make two that are
// served as one. The zero value is ready.
type Names struct {
	owner map[string]string
	err   error
}

// Of returns prefix and the identity's hash, 16 characters.
func (n *Names) Of(prefix string, parts ...string) string {
	name := prefix + hashOf(parts...)
	if n.owner == nil {
		n.owner = make(map[string]string)
	}
	identity := fmt.Sprint(parts)
	if have, taken := n.owner[name]; taken && have != identity {
		n.err = fmt.Errorf("%q and %q have the same hash", have, identity)
	}
	n.owner[name] = identity
	return name
}

// Err is the collision that happened, or nil.
func (n *Names) Err() error { return n.err }
