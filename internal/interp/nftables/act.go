package nftables

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/planec/planec/internal/text/nft"
	"github.com/planec/planec/ir/space"
)

// acts does what a statement does that decides or writes, and reports whether the rule
// goes on: a look-up that finds nothing ends it.
func (m *machine) acts(s nft.Statement) bool {
	switch s := s.(type) {
	case nft.Decide:
		m.decided = decision{s.Verdict, s.Chain}
	case nft.DecideBy:
		e, ok := m.lookup(s.Set, s.Key)
		m.decided = e.decision
		return ok
	case nft.DNAT:
		return m.dnat(s)
	case nft.Masquerade:
		m.onlyInNAT()
		m.masqueraded = true
		m.decided = decision{verdict: nft.Accept}
	case nft.Notrack:
		m.untracked = true
	case nft.Log:
		m.logs = append(m.logs, s.Prefix)
	case nft.CombineMark:
		if s.Xor {
			m.mark ^= s.Bits
		} else {
			m.mark |= s.Bits
		}
	case nft.HashMark:
		m.hash(s)
	case nft.SetPriority:
		m.setPriority(s.Class)
	case nft.Update:
		m.update(s)
	}
	return true
}

// hash sets the mark to a hash of a key, which depends on what the key is made of: every
// packet of a box has its own, and whatever it is, it is found again.
func (m *machine) hash(s nft.HashMark) {
	h := fnv.New32a()
	key := m.key(s.Key)
	m.hashText = fmt.Sprintf("hash(%s mod %d seed %d)", keyText(key, ""), s.Modulus, s.Seed)
	m.hashOfClient = s.Modulus >= fewCollisions && ofClient(key)
	for _, v := range key {
		b := []byte{byte(v.Field), 0}
		if v.Known {
			b[1] = 1
			b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, v.Number.Hi), v.Number.Lo)
		}
		h.Write(b) // never fails
	}
	m.mark, m.hashed = uint32(uint64(h.Sum32())*uint64(s.Modulus)>>32), true
}

// fewCollisions is the least modulus with which two clients hardly ever have one hash.
const fewCollisions = 1 << 31

// ofClient reports whether values tell clients apart.
func ofClient(key []space.Value) bool {
	return slices.ContainsFunc(key, func(v space.Value) bool { return !v.Known && v.Field == space.Source })
}

// keyText names the values of a key; hash is what its mark is, if it is one.
func keyText(key []space.Value, hash string) string {
	var words []string
	for _, v := range key {
		switch {
		case v.Known && hash != "":
			words = append(words, hash)
		case v.Known:
			words = append(words, fmt.Sprintf("%x:%x", v.Number.Hi, v.Number.Lo))
		default:
			words = append(words, v.Field.String())
		}
	}
	return strings.Join(words, " . ")
}

// errHash says that a rule compares a hash with something else than itself.
var errHash = errors.New("a rule decides by the value of a hash")

// plainMark returns the mark where its value counts.
func (m *machine) plainMark() uint32 {
	if m.hashed {
		m.packets.Fail(errHash)
	}
	return m.mark
}

// errNAT says that a rule translates where the kernel lets none.
var errNAT = errors.New("a chain that is not of type nat translates addresses")

func (m *machine) dnat(s nft.DNAT) bool {
	m.onlyInNAT()
	e, ok := m.lookup(s.Set, s.Key)
	if !ok {
		return false
	}
	m.dst, m.port = space.Known(e.address), space.Known(e.port)
	m.dnated = true
	m.decided = decision{verdict: nft.Accept}
	return true
}

// onlyInNAT refuses translations in chains of other types, which the kernel does not load
// (nft_chain_validate_dependency in net/netfilter/nf_tables_api.c).
func (m *machine) onlyInNAT() {
	if m.base.Type != "nat" {
		m.packets.Fail(errNAT)
	}
}

func (m *machine) setFromMap(s nft.SetFromMap, last bool) bool {
	if last && m.defers(s) {
		return true
	}
	e, ok := m.lookup(s.Set, s.Key)
	if !ok {
		return false
	}
	if s.Field.Source == nft.MetaMark {
		m.mark, m.hashed = e.number, e.hashed
	} else {
		m.setPriority(e.number)
	}
	return true
}

// found is what a look-up finds.
type found struct {
	element
	hashed bool // whether the number is a hash
}

// bound is an element that a rule has added to a dynamic set.
type bound struct {
	key  []space.Value
	data found
}

// find returns the place of an element with an equal key. The key of an element of a rule
// and one that is looked up are made of the same fields.
func (m *machine) find(s *nft.Set, key []space.Value) int {
	for i, b := range m.filled[s] {
		equal := true
		for k := range key {
			equal = equal && m.packets.Equal(b.key[k], key[k])
		}
		if equal {
			return i
		}
	}
	return -1
}

// update adds an element, or leaves the data of one that is there
// (net/netfilter/nft_dynset.c), or deletes one.
func (m *machine) update(s nft.Update) {
	key := m.key(s.Key)
	at := m.find(s.Set, key)
	if s.Delete {
		if at >= 0 {
			list := m.filled[s.Set]
			m.filled[s.Set] = append(list[:at:at], list[at+1:]...)
		}
		return
	}
	if at < 0 {
		m.bind(s, key)
	}
	if s.Set.Map && s.Key[0].Source != nft.ConntrackID {
		m.affinity = s.Timeout.Round(time.Second)
		hash := ""
		if m.hashed {
			hash = m.hashText
		}
		m.binding, m.ofClient = s.Set.Name+" "+keyText(key, hash), ofClient(key) || m.hashed && m.hashOfClient
	}
}

func (m *machine) bind(s nft.Update, key []space.Value) {
	if m.filled == nil {
		m.filled = make(map[*nft.Set][]bound)
	}
	b := bound{key: key}
	switch s.Data.Source {
	case nft.MetaMark:
		b.data.number, b.data.hashed = m.mark, m.hashed
	case nft.MetaPriority:
		b.data.number = m.plainPriority()
	}
	m.filled[s.Set] = append(m.filled[s.Set], b)
}
