package live

import (
	"time"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// register is the number of a 32-bit register, counted from 0, as the kernel
// dumps it: where a register of 128 bits begins, by that one's name.
func register(word int) uint32 {
	if word%4 == 0 {
		return uint32(1 + word/4)
	}
	return uint32(8 + word)
}

func (c *compiler) add(list ...expr.Any) { c.exprs = append(c.exprs, list...) }

// load puts a field of the packet into registers.
func (c *compiler) load(f field, word int) {
	r := register(word)
	switch f.expr {
	case payload:
		c.payload(r, f.base, f.offset, uint32(f.kind.size()))
	case meta:
		c.add(&expr.Meta{Key: expr.MetaKey(f.key), Register: r})
	case conntrack:
		c.add(&expr.Ct{Key: expr.CtKey(f.key), Register: r})
	case numgen:
		c.add(&expr.Numgen{Register: r, Modulus: f.key, Type: unix.NFT_NG_RANDOM})
	}
}

func (c *compiler) payload(reg, base, offset, n uint32) {
	c.add(&expr.Payload{DestRegister: reg, Base: expr.PayloadBase(base), Offset: offset, Len: n})
}

// loadAll puts a key into registers. A set of concatenated ranges compares big
// endian, so what the packet's header does not give has its byte order changed,
// also where it is one byte: nft asks for that.
func (c *compiler) loadAll(list []field, word int, ranges bool) {
	for _, f := range list {
		c.load(f, word)
		if ranges && len(list) > 1 && f.expr == meta {
			n := uint32(f.kind.size())
			c.byteorder(word, n, max(2, n))
		}
		word += f.kind.words()
	}
}

func (c *compiler) byteorder(word int, n, size uint32) {
	c.add(&expr.Byteorder{SourceRegister: register(word), DestRegister: register(word), Op: expr.ByteorderHton, Len: n, Size: size})
}

// cmp compares register 0.
func (c *compiler) cmp(op expr.CmpOp, data []byte) {
	c.add(&expr.Cmp{Op: op, Register: register(0), Data: data})
}

// bitwise is register 0, masked and combined.
func (c *compiler) bitwise(mask, xor []byte) {
	c.add(&expr.Bitwise{SourceRegister: register(0), DestRegister: register(0), Len: uint32(len(mask)), Mask: mask, Xor: xor})
}

// anyBit matches where register 0 has one of the bits.
func (c *compiler) anyBit(bits uint32) {
	c.bitwise(hostU32(bits), hostU32(0))
	c.cmp(expr.CmpOpNeq, hostU32(0))
}

// What a lookup does with what it finds.
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
func (c *compiler) setMeta(key uint32) {
	c.add(&expr.Meta{Key: expr.MetaKey(key), SourceRegister: true, Register: register(0)})
}

func (c *compiler) immediate(value []byte) {
	c.add(&expr.Immediate{Register: register(0), Data: value})
}

func (c *compiler) decide(kind expr.VerdictKind, chain string) {
	c.add(&expr.Verdict{Kind: kind, Chain: chain})
}

// jhash is register 0 from n bytes at a word.
func (c *compiler) jhash(word, n int, mod, seed uint32) {
	c.add(&expr.Hash{
		SourceRegister: register(word), DestRegister: register(0), Length: uint32(n),
		Modulus: mod, Seed: seed, Type: expr.HashTypeJenkins,
	})
}

// dataWord is where nft puts the data of an update: after one large register for
// the key.
const dataWord = 4

// dynsetDelete is NFT_DYNSET_OP_DELETE, which x/sys/unix lacks.
const dynsetDelete = 2

// dynset changes a dynamic map; the timeout is of the element.
func (c *compiler) dynset(op uint32, set string, timeout time.Duration) {
	c.add(&expr.Dynset{SrcRegKey: register(0), SrcRegData: register(dataWord), Operation: op, SetName: set, Timeout: timeout})
}

// dnat takes address and port from register 0 on.
func (c *compiler) dnat(f Family, portWord int) {
	c.add(&expr.NAT{
		Type: expr.NATTypeDestNAT, Family: uint32(f), Specified: true,
		RegAddrMin: register(0), RegAddrMax: register(0), RegProtoMin: register(portWord), RegProtoMax: register(portWord),
	})
}

// reject answers "port unreachable".
func (c *compiler) reject(f Family) {
	code := uint8(3)
	if f == IPv6 {
		code = 4
	}
	c.add(&expr.Reject{Type: unix.NFT_REJECT_ICMP_UNREACH, Code: code})
}
