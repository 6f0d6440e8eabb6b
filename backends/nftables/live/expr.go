package live

// Attributes of expressions.
const (
	immediateDReg = 1
	immediateData = 2

	metaKey  = 2
	metaDReg = 1
	metaSReg = 3

	ctDReg = 1
	ctKey  = 2

	payloadDReg   = 1
	payloadBase   = 2
	payloadOffset = 3
	payloadLen    = 4

	lookupSet   = 1
	lookupSReg  = 2
	lookupDReg  = 3
	lookupSetID = 4
	lookupFlags = 5

	cmpSReg = 1
	cmpOp   = 2
	cmpData = 3

	bitwiseSReg = 1
	bitwiseDReg = 2
	bitwiseLen  = 3
	bitwiseMask = 4
	bitwiseXor  = 5
	bitwiseOp   = 6

	byteorderSReg = 1
	byteorderDReg = 2
	byteorderOp   = 3
	byteorderLen  = 4
	byteorderSize = 5

	numgenDReg   = 1
	numgenMod    = 2
	numgenType   = 3
	numgenOffset = 4

	hashSReg = 1
	hashDReg = 2
	hashLen  = 3
	hashMod  = 4
	hashSeed = 5
	hashType = 7

	dynsetName  = 1
	dynsetOp    = 3
	dynsetKey   = 4
	dynsetData  = 5
	dynsetTime  = 6
	dynsetFlags = 9

	fibDReg   = 1
	fibResult = 2
	fibFlags  = 3

	natType     = 1
	natFamily   = 2
	natAddrMin  = 3
	natAddrMax  = 4
	natProtoMin = 5
	natProtoMax = 6
	natFlags    = 7

	masqFlags  = 1
	rejectType = 1
	rejectCode = 2
)

// Operators of cmp.
const (
	cmpEq  = 0
	cmpNeq = 1
	cmpLte = 3
	cmpGte = 5
)

// The kernel's attributes stand in the order in which it dumps them, so that
// rules that are equal are equal bytes.

// register is the number of a 32-bit register, counted from 0, as the kernel
// dumps it: where a register of 128 bits begins, by that one's name.
func register(word int) uint32 {
	if word%4 == 0 {
		return uint32(1 + word/4)
	}
	return uint32(8 + word)
}

func (w *writer) expr(name string, body func()) {
	at := w.nest(listElem)
	w.str(exprName, name)
	data := w.nest(exprData)
	body()
	w.done(data)
	w.done(at)
}

// load puts a field of the packet into registers.
func (w *writer) load(f field, word int) {
	r := register(word)
	switch f.expr {
	case payload:
		w.payload(r, f.base, f.offset, uint32(f.kind.size()))
	case meta:
		w.expr("meta", func() { w.u32(metaKey, f.key); w.u32(metaDReg, r) })
	case conntrack:
		w.expr("ct", func() { w.u32(ctDReg, r); w.u32(ctKey, f.key) })
	case numgen:
		const random = 1
		w.expr("numgen", func() {
			w.u32(numgenDReg, r)
			w.u32(numgenMod, f.key)
			w.u32(numgenType, random)
			w.u32(numgenOffset, 0)
		})
	}
}

func (w *writer) payload(reg, base, offset, n uint32) {
	w.expr("payload", func() {
		w.u32(payloadDReg, reg)
		w.u32(payloadBase, base)
		w.u32(payloadOffset, offset)
		w.u32(payloadLen, n)
	})
}

// loadAll puts a key into registers. A set of concatenated ranges compares big
// endian, so what the packet's header does not give has its byte order changed,
// also where it is one byte: nft asks for that.
func (w *writer) loadAll(list []field, word int, ranges bool) {
	for _, f := range list {
		w.load(f, word)
		if ranges && len(list) > 1 && f.expr == meta {
			n := uint32(f.kind.size())
			w.byteorder(word, n, max(2, n))
		}
		word += f.kind.words()
	}
}

func (w *writer) byteorder(word int, n, size uint32) {
	const hton = 1
	w.expr("byteorder", func() {
		w.u32(byteorderSReg, register(word))
		w.u32(byteorderDReg, register(word))
		w.u32(byteorderOp, hton)
		w.u32(byteorderLen, n)
		w.u32(byteorderSize, size)
	})
}

func (w *writer) cmp(op uint32, data []byte) {
	w.expr("cmp", func() { w.u32(cmpSReg, register(0)); w.u32(cmpOp, op); w.value(cmpData, data) })
}

// bitwise is register 0, masked and combined.
func (w *writer) bitwise(mask, xor uint32) {
	w.expr("bitwise", func() {
		w.u32(bitwiseSReg, register(0))
		w.u32(bitwiseDReg, register(0))
		w.u32(bitwiseLen, 4)
		w.u32(bitwiseOp, 0)
		w.value(bitwiseMask, hostU32(mask))
		w.value(bitwiseXor, hostU32(xor))
	})
}

// maskByte leaves some bits of the byte in register 0.
func (w *writer) maskByte(mask byte) {
	w.expr("bitwise", func() {
		w.u32(bitwiseSReg, register(0))
		w.u32(bitwiseDReg, register(0))
		w.u32(bitwiseLen, 1)
		w.u32(bitwiseOp, 0)
		w.value(bitwiseMask, []byte{mask})
		w.value(bitwiseXor, []byte{0})
	})
}

// anyBit matches where register 0 has one of the bits.
func (w *writer) anyBit(bits uint32) {
	w.bitwise(bits, 0)
	w.cmp(cmpNeq, hostU32(0))
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
func (w *writer) lookup(set string, then found) {
	const inverted = 1
	w.expr("lookup", func() {
		w.str(lookupSet, set)
		w.u32(lookupSReg, register(0))
		flags := uint32(0)
		switch then {
		case toVerdict:
			w.u32(lookupDReg, 0)
		case toRegister:
			w.u32(lookupDReg, register(0))
		case matchesNot:
			flags = inverted
		}
		w.u32(lookupFlags, flags)
	})
}

// setMeta writes register 0 to the packet.
func (w *writer) setMeta(key uint32) {
	w.expr("meta", func() { w.u32(metaKey, key); w.u32(metaSReg, register(0)) })
}

func (w *writer) immediate(value []byte) {
	w.expr("immediate", func() { w.u32(immediateDReg, register(0)); w.value(immediateData, value) })
}

func (w *writer) decide(code uint32, chain string) {
	w.expr("immediate", func() { w.u32(immediateDReg, 0); w.verdict(immediateData, code, []byte(chain)) })
}

// fibType puts the type of an address into register 0.
func (w *writer) fibType(flags uint32) {
	const addrType = 3
	w.expr("fib", func() {
		w.u32(fibDReg, register(0))
		w.u32(fibResult, addrType)
		w.u32(fibFlags, flags)
	})
}

// jhash is register 0 from n bytes at a word.
func (w *writer) jhash(word, n int, mod, seed uint32) {
	w.expr("hash", func() {
		w.u32(hashSReg, register(word))
		w.u32(hashDReg, register(0))
		w.u32(hashLen, uint32(n))
		w.u32(hashMod, mod)
		w.u32(hashSeed, seed)
		w.u32(hashType, 0)
	})
}

// dataWord is where nft puts the data of an update: after one large register for
// the key.
const dataWord = 4

// dynset changes a dynamic map; milliseconds are of the element.
func (w *writer) dynset(op uint32, set string, milliseconds uint64) {
	w.expr("dynset", func() {
		w.u32(dynsetKey, register(0))
		w.u32(dynsetData, register(dataWord))
		w.u32(dynsetOp, op)
		w.str(dynsetName, set)
		w.u64(dynsetTime, milliseconds)
		w.u32(dynsetFlags, 0)
	})
}

// dnat takes address and port from register 0 on.
func (w *writer) dnat(f Family, portWord int) {
	const toDestination, specified = 1, 3 // NF_NAT_RANGE_MAP_IPS | _PROTO_SPECIFIED
	w.expr("nat", func() {
		w.u32(natType, toDestination)
		w.u32(natFamily, uint32(f))
		w.u32(natAddrMin, register(0))
		w.u32(natAddrMax, register(0))
		w.u32(natProtoMin, register(portWord))
		w.u32(natProtoMax, register(portWord))
		w.u32(natFlags, specified)
	})
}

func (w *writer) masquerade() {
	const fullyRandom = 0x10 // NF_NAT_RANGE_PROTO_RANDOM_FULLY
	w.expr("masq", func() { w.u32(masqFlags, fullyRandom) })
}

// reject answers "port unreachable".
func (w *writer) reject(f Family) {
	const icmpUnreach = 0
	code := byte(3)
	if f == IPv6 {
		code = 4
	}
	w.expr("reject", func() { w.u32(rejectType, icmpUnreach); w.bytes(rejectCode, []byte{code}) })
}
