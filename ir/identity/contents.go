package identity

import "crypto/sha256"

// longest is the maximum length in bytes of a content that is its own key.
const longest = 128

// key is a content, and its SHA-256 if it is long. SHA-256 is collision resistant
// and cheap to store and look up. Tests never weaken it.
type key struct {
	content string
	sum     [sha256.Size]byte // of a long content
}

func keyOf(content string) key {
	k := key{content: content}
	if k.long() {
		k.sum = sha256.Sum256([]byte(content))
	}
	return k
}

func (k *key) long() bool { return len(k.content) > longest }

// sum is the hash of the content behind the key.
func (h Hash) sum(k *key) [sha256.Size]byte {
	switch {
	case h != nil:
		return h([]byte(k.content))
	case k.long():
		return k.sum
	}
	// A conversion would allocate.
	var short [longest]byte
	return sha256.Sum256(short[:copy(short[:], k.content)])
}

// contents holds a value for each content. It keeps short ones themselves.
type contents[V any] struct {
	short map[string]V
	long  map[[sha256.Size]byte]V
}

func (c *contents[V]) get(k *key) (v V, known bool) {
	if k.long() {
		v, known = c.long[k.sum]
	} else {
		v, known = c.short[k.content]
	}
	return v, known
}

// put adds a value. Room is how many short contents are expected.
func (c *contents[V]) put(k *key, v V, room int) {
	if c.short == nil {
		c.short, c.long = make(map[string]V, room), make(map[[sha256.Size]byte]V)
	}
	if k.long() {
		c.long[k.sum] = v
	} else {
		c.short[k.content] = v
	}
}
