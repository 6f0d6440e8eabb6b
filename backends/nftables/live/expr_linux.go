package live

import (
	"encoding/binary"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/text/nft"
)

// register returns the kernel's number of a 32-bit register, counted from 0,
// as it is dumped: the start of a 128-bit register has that register's number.
func register(word int) uint32 {
	if word%4 == 0 {
		return uint32(1 + word/4)
	}
	return uint32(8 + word)
}

func (c *compiler) add(list ...expr.Any) { c.exprs = append(c.exprs, list...) }

// load loads a field of the packet into registers.
func (c *compiler) load(f nft.Field, word int) {
	switch f.Source {
	case nft.SourceAddr, nft.DestAddr, nft.DestPort:
		p := placeOf(f)
		c.payload(register(word), p.base, p.offset, uint32(f.Kind.Size()))
	case nft.L4Proto, nft.MetaMark, nft.MetaPriority, nft.InInterface, nft.OutInterface:
		c.meta(metaKeys[f.Source], word)
	case nft.ConntrackID:
		c.conntrack(ctID, word)
	case nft.Random:
		c.add(&expr.Numgen{Register: register(word), Modulus: f.Modulus, Type: unix.NFT_NG_RANDOM})
	}
}

func (c *compiler) meta(key uint32, word int) {
	c.add(&expr.Meta{Key: expr.MetaKey(key), Register: register(word)})
}

func (c *compiler) conntrack(key uint32, word int) {
	c.add(&expr.Ct{Key: expr.CtKey(key), Register: register(word)})
}

func (c *compiler) payload(reg, base, offset, n uint32) {
	c.add(&expr.Payload{DestRegister: reg, Base: expr.PayloadBase(base), Offset: offset, Len: n})
}

// loadAll loads a key into registers. A set of concatenated ranges compares big
// endian, so fields that are not from a packet header are byte-swapped, even
// single bytes: nft does the same.
func (c *compiler) loadAll(list []nft.Field, word int, ranges bool) {
	for i, f := range list {
		c.load(f, word)
		if ranges && len(list) > 1 && (f.Source == nft.L4Proto || f.Source == nft.MetaMark || f.Source == nft.MetaPriority) {
			n := uint32(f.Kind.Size())
			c.byteorder(word, n, max(2, n))
		}
		word += nft.Words(list[i : i+1])
	}
}

func (c *compiler) byteorder(word int, n, size uint32) {
	c.add(&expr.Byteorder{SourceRegister: register(word), DestRegister: register(word), Op: expr.ByteorderHton, Len: n, Size: size})
}

// cmp compares register 0 with the data.
func (c *compiler) cmp(op expr.CmpOp, data []byte) {
	c.add(&expr.Cmp{Op: op, Register: register(0), Data: data})
}

// bitwise masks register 0 and combines it with xor.
func (c *compiler) bitwise(mask, xor []byte) {
	c.add(&expr.Bitwise{SourceRegister: register(0), DestRegister: register(0), Len: uint32(len(mask)), Mask: mask, Xor: xor})
}

// anyBit matches if register 0 has one of the bits.
func (c *compiler) anyBit(bits uint32) {
	c.bitwise(hostU32(bits), hostU32(0))
	c.cmp(expr.CmpOpNeq, hostU32(0))
}

// What a lookup does with its result.
type found uint8

const (
	matches found = iota
	matchesNot
	toVerdict
	toRegister
)

// lookup finds the key in register 0.
func (c *compiler) lookup(set string, then found) {
	e := &expr.Lookup{SourceRegister: register(0), SetName: set, Invert: then == matchesNot}
	switch then {
	case toVerdict:
		e.IsDestRegSet, e.DestRegister = true, unix.NFT_REG_VERDICT
	case toRegister:
		e.IsDestRegSet, e.DestRegister = true, register(0)
	}
	c.add(e)
}

// setMeta writes register 0 to the packet.
func (c *compiler) setMeta(to nft.Source) {
	c.add(&expr.Meta{Key: expr.MetaKey(metaKeys[to]), SourceRegister: true, Register: register(0)})
}

// jhash sets register 0 to the hash of n bytes starting at a word.
func (c *compiler) jhash(word, n int, mod, seed uint32) {
	c.add(&expr.Hash{
		SourceRegister: register(word), DestRegister: register(0), Length: uint32(n),
		Modulus: mod, Seed: seed, Type: expr.HashTypeJenkins,
	})
}

// dataWord is the register of an update's data, after one 128-bit register for
// the key, as nft places it.
const dataWord = 4

// dynsetDelete is NFT_DYNSET_OP_DELETE, which x/sys/unix lacks.
const dynsetDelete = 2

// dynset changes a dynamic map or set. The timeout belongs to the element.
func (c *compiler) dynset(s nft.Update) {
	op := uint32(unix.NFT_DYNSET_OP_UPDATE)
	if s.Delete {
		op = dynsetDelete
	}
	e := &expr.Dynset{SrcRegKey: register(0), Operation: op, SetName: s.Set.Name, Timeout: s.Timeout}
	if s.Set.Map {
		e.SrcRegData = register(dataWord)
	}
	c.add(e)
}

// dnat uses the address and port in the registers from 0 on.
func (c *compiler) dnat(portWord int) {
	c.add(&expr.NAT{
		Type: expr.NATTypeDestNAT, Family: uint32(c.family), Specified: true,
		RegAddrMin: register(0), RegAddrMax: register(0), RegProtoMin: register(portWord), RegProtoMax: register(portWord),
	})
}

// reject answers "port unreachable".
func (c *compiler) reject() {
	code := uint8(3)
	if c.family == nft.IPv6 {
		code = 4
	}
	c.add(&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: code})
}

// log writes a line to the kernel's log, at nft's default level. The kernel dumps the
// level also where it was not sent.
func (c *compiler) log(prefix string) {
	c.add(&expr.Log{Key: 1<<unix.NFTA_LOG_PREFIX | 1<<unix.NFTA_LOG_LEVEL, Level: expr.LogLevelWarning, Data: []byte(prefix)})
}

func bigU32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
