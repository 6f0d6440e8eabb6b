package nftables

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"

	"github.com/planec/planec/internal/text/nft"
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
		// Any hash serves: both sides of it are computed here.
		h := fnv.New32a()
		h.Write(m.key(s.Key)) // never fails
		m.mark = uint32(uint64(h.Sum32()) * uint64(s.Modulus) >> 32)
	case nft.SetPriority:
		m.priority = s.Class
	case nft.SetFromMap:
		return m.setFromMap(s)
	case nft.Update:
		m.update(s)
	}
	return true
}

func (m *machine) dnat(s nft.DNAT) bool {
	e, ok := m.lookup(s.Set, s.Key)
	if !ok {
		return false
	}
	data := []byte(e.bytes)
	n := s.Set.Data[0].Kind.Size()
	m.dst, _ = netip.AddrFromSlice(data[:n])
	m.port = binary.BigEndian.Uint16(data[n:])
	m.dnated = true
	m.decided = decision{verdict: nft.Accept}
	return true
}

func (m *machine) setFromMap(s nft.SetFromMap) bool {
	e, ok := m.lookup(s.Set, s.Key)
	if !ok {
		return false
	}
	value := binary.NativeEndian.Uint32([]byte(e.bytes))
	if s.Field.Source == nft.MetaMark {
		m.mark = value
	} else {
		m.priority = value
	}
	return true
}

// update adds an element, or leaves the data of one that is there
// (net/netfilter/nft_dynset.c), or deletes one.
func (m *machine) update(s nft.Update) {
	key := string(m.key(s.Key))
	if s.Delete {
		delete(m.filled[s.Set], key)
		return
	}
	if m.filled == nil {
		m.filled = make(map[*nft.Set]map[string]string)
	}
	if m.filled[s.Set] == nil {
		m.filled[s.Set] = make(map[string]string)
	}
	if _, ok := m.filled[s.Set][key]; !ok {
		m.filled[s.Set][key] = ""
		if s.Set.Map {
			m.filled[s.Set][key] = string(m.appendField(nil, s.Data))
		}
	}
	if s.Set.Map && s.Key[0].Source != nft.ConntrackID {
		m.affinity = s.Timeout
	}
}
