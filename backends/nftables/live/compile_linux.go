package live

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/text/nft"
)

// compiler translates one rule to expressions.
type compiler struct {
	exprs  []expr.Any
	family nft.Family
	rule   *Rule
}

// compile returns a rule in the kernel's form.
func compile(f nft.Family, source *nft.Rule) (*Rule, error) {
	const most = 8 // of nearly all rules
	c := compiler{family: f, rule: &Rule{}, exprs: make([]expr.Any, 0, most)}
	for _, s := range source.Statements {
		c.statement(s)
	}
	if source.Commented {
		c.rule.UserData = appendComment(nil, source.Comment)
	}
	var err error
	if c.rule.Exprs, err = marshal(f, c.exprs); err == nil && len(c.rule.Exprs) > 1<<15 {
		err = fmt.Errorf("it is too long")
	}
	return c.rule, err
}

// statement adds the expressions of one statement.
func (c *compiler) statement(s nft.Statement) {
	switch s := s.(type) {
	case nft.InSet:
		then := matches
		if s.Negate {
			then = matchesNot
		}
		c.find(s.Key, s.Set, then)
	case nft.InPrefix:
		c.inPrefix(s)
	case nft.InState:
		c.state(s)
	case nft.HasDNAT:
		const dnat = 0x20 // IPS_DST_NAT
		c.conntrack(ctStatus, 0)
		c.anyBit(dnat)
	case nft.NoSYN:
		c.noSYN()
	case nft.OfProtocol:
		c.l4proto(byte(s.Protocol))
	case nft.ToPorts:
		c.ports(s.Protocol, destPort, s.Ranges, s.Listed)
	case nft.FromPorts:
		c.ports(s.Protocol, sourcePort, s.Ranges, s.Listed)
	case nft.OfTypes:
		c.l4proto(byte(s.Protocol))
		c.payload(register(0), transport, 0, 1)
		c.between([]byte{byte(s.Types.First)}, []byte{byte(s.Types.Last)})
	case nft.StartsWith:
		c.payload(register(0), transport, 0, 2)
		c.between(binary.BigEndian.AppendUint16(nil, s.Values.First), binary.BigEndian.AppendUint16(nil, s.Values.Last))
	case nft.IsLocal:
		c.add(&expr.Fib{FlagSADDR: !s.Dest, FlagDADDR: s.Dest, Register: register(0), ResultADDRTYPE: true})
		c.cmp(equal(s.Negate), hostU32(unix.RTN_LOCAL))
	case nft.FromInterface:
		c.fromInterface(s)
	case nft.HasMark:
		c.meta(metaKeys[nft.MetaMark], 0)
		c.bitwise(hostU32(s.Bits), hostU32(0))
		c.cmp(expr.CmpOpEq, hostU32(s.Bits))
	case nft.AtLeast:
		// The field has the machine's byte order, but the comparison is big endian.
		c.load(s.Field, 0)
		c.byteorder(0, 4, 4)
		c.cmp(expr.CmpOpGte, bigU32(s.Least))
	default:
		c.action(s)
	}
}

// inPrefix loads the bytes of the prefix, or masks the address where it does not end with
// a byte, as nft does.
func (c *compiler) inPrefix(s nft.InPrefix) {
	addr, bits := s.Prefix.Addr().AsSlice(), s.Prefix.Bits()
	if whole := bits / 8; bits == 8*whole && whole > 0 {
		p := placeOf(s.Field)
		c.payload(register(0), p.base, p.offset, uint32(whole))
		c.cmp(expr.CmpOpEq, addr[:whole])
		return
	}
	c.load(s.Field, 0)
	c.bitwise(net.CIDRMask(bits, 8*len(addr)), make([]byte, len(addr)))
	c.cmp(expr.CmpOpEq, addr)
}

// action adds the expressions of a statement with a verdict or a write.
func (c *compiler) action(s nft.Statement) {
	switch s := s.(type) {
	case nft.Decide:
		c.decide(s)
	case nft.DecideBy:
		c.find(s.Key, s.Set, toVerdict)
	case nft.DNAT:
		c.find(s.Key, s.Set, toRegister)
		c.dnat(nft.Words(s.Set.Data[:1]))
	case nft.Masquerade:
		c.add(&expr.Masq{FullyRandom: true})
	case nft.CombineMark:
		mask := ^s.Bits
		if s.Xor {
			mask = 1<<32 - 1
		}
		c.meta(metaKeys[nft.MetaMark], 0)
		c.bitwise(hostU32(mask), hostU32(s.Bits))
		c.setMeta(nft.MetaMark)
	case nft.HashMark:
		const at = 4 // nft keeps the first large register for the result
		c.loadAll(s.Key, at, false)
		c.jhash(at, 4*nft.Words(s.Key), s.Modulus, s.Seed)
		c.setMeta(nft.MetaMark)
	case nft.SetPriority:
		c.add(&expr.Immediate{Register: register(0), Data: hostU32(s.Class)})
		c.setMeta(nft.MetaPriority)
	case nft.SetFromMap:
		c.find(s.Key, s.Set, toRegister)
		c.setMeta(s.Field.Source)
	case nft.Notrack:
		c.add(&expr.Notrack{})
	case nft.Log:
		c.log(s.Prefix)
	case nft.Update:
		c.loadAll(s.Key, 0, false)
		if s.Set.Map {
			c.load(s.Data, dataWord)
		}
		c.dynset(s)
	}
}

var verdictKinds = [...]expr.VerdictKind{
	nft.Accept: expr.VerdictAccept, nft.Drop: expr.VerdictDrop, nft.Return: expr.VerdictReturn, nft.Jump: expr.VerdictJump, nft.Goto: expr.VerdictGoto,
}

func (c *compiler) decide(s nft.Decide) {
	if s.Verdict == nft.Reject {
		c.reject()
		return
	}
	c.rule.to = s.Chain
	c.add(&expr.Verdict{Kind: verdictKinds[s.Verdict], Chain: s.Chain})
}

// find adds the lookup of a key in a set.
func (c *compiler) find(key []nft.Field, s *nft.Set, then found) {
	c.loadAll(key, 0, s.Interval)
	c.lookup(s.Name, then)
}

// state matches one of the states (NF_CT_STATE_* bits).
func (c *compiler) state(s nft.InState) {
	const untrackedBit = 1 << 6
	bits := uint32(0)
	for i, is := range []bool{s.Invalid, s.Established, s.Related, s.New} {
		if is {
			bits |= 1 << i
		}
	}
	if s.Untracked {
		bits |= untrackedBit
	}
	c.conntrack(ctState, 0)
	c.anyBit(bits)
}

// equal returns the operator for "[!=]".
func equal(negate bool) expr.CmpOp {
	if negate {
		return expr.CmpOpNeq
	}
	return expr.CmpOpEq
}

func (c *compiler) fromInterface(s nft.FromInterface) {
	data := make([]byte, 16) // IFNAMSIZ
	copy(data, s.Name)
	if s.Prefix {
		data = data[:len(s.Name)]
	}
	c.meta(metaIIFName, 0)
	c.cmp(equal(s.Negate), data)
}

// noSYN matches TCP segments without the bit SYN (RFC 9293, 3.1).
func (c *compiler) noSYN() {
	const flagsAt, syn = 13, 2
	c.l4proto(byte(nft.TCP))
	c.payload(register(0), transport, flagsAt, 1)
	c.bitwise([]byte{syn}, []byte{0})
	c.cmp(expr.CmpOpEq, []byte{0})
}

func (c *compiler) l4proto(number byte) {
	c.meta(metaKeys[nft.L4Proto], 0)
	c.cmp(expr.CmpOpEq, []byte{number})
}

// between matches register 0 against a range.
func (c *compiler) between(first, last []byte) {
	if string(first) == string(last) {
		c.cmp(expr.CmpOpEq, first)
		return
	}
	c.cmp(expr.CmpOpGte, first)
	c.cmp(expr.CmpOpLte, last)
}
