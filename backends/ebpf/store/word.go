package store

import "github.com/planec/planec/backends/ebpf/layout"

// The limits of a word.
const (
	recordBits = 24
	maxRecords = 1 << recordBits
	recordMask = maxRecords - 1
)

// word names the record of a key, before and after a transaction.
type word uint64

func wordOf(tag uint16, old, now uint32) word {
	return word(uint64(tag)<<48 | uint64(old)<<recordBits | uint64(now))
}

// settled is the word of a key that no transaction is about.
func settled(record uint32) word { return wordOf(0, record, record) }

func (w word) tag() uint16    { return uint16(w >> 48) }
func (w word) before() uint32 { return uint32(w>>recordBits) & recordMask }
func (w word) after() uint32  { return uint32(w) & recordMask }

// at is the record for programs of an epoch.
func (w word) at(epoch uint64) uint32 {
	if int16(uint16(epoch)-w.tag()) >= 0 {
		return w.after()
	}
	return w.before()
}

// route is where the pool of a record's route begins, and how many endpoints it has.
func routesOf(s layout.Service) [2]span {
	return [2]span{{s.Internal.Base, s.Internal.Count}, {s.External.Base, s.External.Count}}
}
