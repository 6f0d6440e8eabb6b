package live

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// Seal describes the tables so that a later process can tell, without reading their
// content, that nothing has changed since. It is exact, and no estimate:
//
//   - Tables are by family the names that planec gave to the tables when it created them: random
//     numbers in their user data, which the kernel keeps and never changes. So the same
//     names are the same tables, in the same network namespace, since the same boot.
//   - Generation is the number of the ruleset, to which each transaction of any program
//     adds 1. So the same number is the same content.
//   - Content is a digest of that content.
//
// Content is of the text that planec wrote for the kernel, and of the kernel's form of all of it but
// elements, of which it has some of each set: another planec may make something else of the same
// text, which would show in those, since the elements of one set all have one form.
//
// What the kernel changes without a transaction, elements that packets add, planec never
// compares. The number of elements, or the handles of objects, would prove less: other
// programs can delete one element and add another.
type Seal struct {
	Format     int // sealFormat of the planec that wrote it
	Generation uint32
	Tables     map[string]string
	Content    string
}

// sealFormat is to be raised when [Observe] sees more than before, so that a new planec
// reads what an older one could not see. 1 had all elements in the kernel's form, 2 the text of each
// set instead of a digest of the whole.
const sealFormat = 3

// proved is how many elements of each set are sealed in the kernel's form.
const proved = 64

// nonceLen is the length of a table's name in its user data.
const nonceLen = 16

// udataNonce is the type of the name in the user data of a table. nft uses 0 for the comment
// and the next numbers for its own version, and skips what it does not know
// (table_parse_udata_cb in its src/netlink.c).
const udataNonce = 112

// appendNonce appends a new name to a table's user data.
func appendNonce(b []byte) []byte {
	b = append(b, udataNonce, nonceLen)
	at := len(b)
	b = append(b, make([]byte, nonceLen)...)
	rand.Read(b[at:]) // it never fails
	return b
}

// nonceOf finds the name in a table's user data; "" if there is none.
func nonceOf(udata []byte) string {
	for len(udata) >= 2 && len(udata) >= 2+int(udata[1]) {
		value := udata[2 : 2+udata[1]]
		if udata[0] == udataNonce && len(value) == nonceLen {
			return hex.EncodeToString(value)
		}
		udata = udata[2+len(value):]
	}
	return ""
}

// complete reports whether the seal has a name for each table of m, and for no other.
func (s *Seal) complete(m *Model) bool {
	if len(s.Tables) != len(m.Tables) || len(m.Tables) == 0 {
		return false
	}
	for _, t := range m.Tables {
		if s.Tables[t.Family.String()] == "" {
			return false
		}
	}
	return true
}

// digest returns a digest of all content, see [Seal]. Equal texts have equal digests. It is ""
// without a text.
func (w *Wanted) digest() (string, error) {
	if w.content != "" || len(w.tables) == 0 {
		return w.content, nil
	}
	d := digester{Hash: sha256.New()}
	text := w.file.SHA256()
	d.bytes(text[:])
	for _, b := range w.tables {
		d.numbers(uint64(b.table.Family), uint64(len(b.table.Sets)), uint64(len(b.table.Chains)))
		for i, s := range b.table.Sets {
			source := b.source.Sets[i]
			some, err := b.first(source, proved)
			if err != nil {
				return "", err
			}
			d.declaration(s)
			d.bytes(some)
		}
		for _, c := range b.table.Chains {
			d.chain(c)
		}
	}
	w.content = hex.EncodeToString(d.Sum(nil))
	return w.content, nil
}

// first returns the first elements of a set in the kernel's form, at most n.
func (b *builder) first(source *nft.Set, n int) ([]byte, error) {
	s := declared(source)
	for e, err := range source.Elements() {
		if err != nil {
			return nil, err
		}
		if s.Elems.n == n {
			break
		}
		b.append(s, e)
	}
	return s.Elems.blob, nil
}

// digester hashes parts with their lengths, so that no two contents are one text.
type digester struct {
	hash.Hash
	buf []byte
}

func (d *digester) numbers(list ...uint64) {
	d.buf = d.buf[:0]
	for _, n := range list {
		d.buf = binary.BigEndian.AppendUint64(d.buf, n)
	}
	d.Write(d.buf)
}

func (d *digester) bytes(b []byte) {
	d.numbers(uint64(len(b)))
	d.Write(b)
}

// set is of a set whose elements are in the kernel's form.
func (d *digester) set(s *Set) {
	d.declaration(s)
	d.numbers(uint64(s.Elems.n))
	d.bytes(s.Elems.blob)
}

func (d *digester) declaration(s *Set) {
	d.bytes([]byte(s.Name))
	d.numbers(uint64(s.Flags), uint64(s.KeyType), uint64(s.KeyLen), uint64(s.DataType), uint64(s.DataLen), uint64(s.Size), uint64(len(s.Concat)))
	for _, n := range s.Concat {
		d.numbers(uint64(n))
	}
	d.bytes(s.UserData)
	d.bytes(s.odd)
}

func (d *digester) chain(c *Chain) {
	d.bytes([]byte(c.Name))
	d.bytes([]byte(c.Type))
	d.numbers(uint64(c.Hook), uint64(uint32(c.Priority)), uint64(c.Policy), uint64(len(c.Rules)))
	d.bytes(c.odd)
	for _, r := range c.Rules {
		d.bytes(r.Exprs)
		d.bytes(r.UserData)
		d.numbers(uint64(len(r.Sets)))
		for _, s := range r.Sets {
			d.set(s)
		}
	}
}

// sealed reads what a table's message says for a seal.
func (t *Table) sealed(body []byte) {
	t.nonce = nonceOf(nlattr.Get(body, tableUData))
	if t.odd != "" {
		t.nonce = ""
	}
}
