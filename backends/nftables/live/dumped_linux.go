package live

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"

	"github.com/planec/planec/internal/base/nlattr"
	"github.com/planec/planec/internal/text/nft"
)

// dumpedForm describes how the kernel dumps an expression that the library encodes
// differently.
type dumpedForm struct {
	// order lists the attributes in the order of the dump.
	order []uint16
	// zeros are the lengths of attributes that the library omits and the kernel dumps
	// as zeros.
	zeros map[uint16]int
	// bits are flags that the kernel adds to the value of an attribute.
	bits map[uint16]uint32
}

// dumped holds the expressions with another form, by name (the dump functions
// of net/netfilter/nft_*.c, Linux 6.18).
var dumped = map[string]dumpedForm{
	"bitwise": {
		order: []uint16{unix.NFTA_BITWISE_SREG, unix.NFTA_BITWISE_DREG, unix.NFTA_BITWISE_LEN, bitwiseOp, unix.NFTA_BITWISE_MASK, unix.NFTA_BITWISE_XOR},
		zeros: map[uint16]int{bitwiseOp: 4},
	},
	"ct": {order: []uint16{unix.NFTA_CT_DREG, unix.NFTA_CT_KEY}},
	"dynset": {
		order: []uint16{unix.NFTA_DYNSET_SREG_KEY, unix.NFTA_DYNSET_SREG_DATA, unix.NFTA_DYNSET_OP, unix.NFTA_DYNSET_SET_NAME, unix.NFTA_DYNSET_TIMEOUT, unix.NFTA_DYNSET_FLAGS},
		zeros: map[uint16]int{unix.NFTA_DYNSET_TIMEOUT: 8},
	},
	"fib": {order: []uint16{unix.NFTA_FIB_DREG, unix.NFTA_FIB_RESULT, unix.NFTA_FIB_FLAGS}},
	"hash": {
		order: []uint16{unix.NFTA_HASH_SREG, unix.NFTA_HASH_DREG, unix.NFTA_HASH_LEN, unix.NFTA_HASH_MODULUS, unix.NFTA_HASH_SEED, unix.NFTA_HASH_TYPE},
		// The library omits a seed of 0, and the kernel would then choose one at random.
		zeros: map[uint16]int{unix.NFTA_HASH_SEED: 4},
	},
	"lookup": {
		order: []uint16{lookupSet, unix.NFTA_LOOKUP_SREG, unix.NFTA_LOOKUP_DREG, unix.NFTA_LOOKUP_FLAGS},
		zeros: map[uint16]int{unix.NFTA_LOOKUP_FLAGS: 4},
	},
	"nat": {
		order: []uint16{unix.NFTA_NAT_TYPE, unix.NFTA_NAT_FAMILY, unix.NFTA_NAT_REG_ADDR_MIN, unix.NFTA_NAT_REG_ADDR_MAX, unix.NFTA_NAT_REG_PROTO_MIN, unix.NFTA_NAT_REG_PROTO_MAX, unix.NFTA_NAT_FLAGS},
		bits:  map[uint16]uint32{unix.NFTA_NAT_FLAGS: unix.NF_NAT_RANGE_MAP_IPS},
	},
}

// bitwiseOp is NFTA_BITWISE_OP, which x/sys/unix lacks.
const bitwiseOp = 6

// marshal writes expressions as the kernel dumps them, so that equal rules have
// equal bytes. The kernel also accepts this form.
func marshal(f nft.Family, list []expr.Any) ([]byte, error) {
	var w writer
	for _, e := range list {
		b, err := expr.Marshal(byte(f), e)
		if err != nil {
			return nil, fmt.Errorf("expression %T: %w", e, err)
		}
		nlattr.DropNested(b)
		name := nlattr.Get(b, exprName)
		form, ok := dumped[nlattr.String(name)]
		if !ok {
			w.bytes(listElem, b)
			continue
		}
		at := w.nest(listElem)
		w.bytes(exprName, name)
		data := w.nest(exprData)
		if err := w.inForm(form, nlattr.Get(b, exprData)); err != nil {
			return nil, fmt.Errorf("expression %T: %w", e, err)
		}
		w.done(data)
		w.done(at)
	}
	return w.b, nil
}

// inForm writes the attributes of one expression. Attributes that the form does not
// list must be zero: an offset, or the number of a set.
func (w *writer) inForm(form dumpedForm, data []byte) error {
	for _, kind := range form.order {
		value := nlattr.Get(data, kind)
		if n := form.zeros[kind]; value == nil && n > 0 {
			value = make([]byte, n)
		}
		if bits := form.bits[kind]; bits != 0 {
			w.u32(kind, nlattr.Uint32(value)|bits)
		} else if value != nil {
			w.bytes(kind, value)
		}
	}
	for kind, value := range nlattr.All(data) {
		if !slices.Contains(form.order, kind) && bytes.Count(value, []byte{0}) < len(value) {
			return fmt.Errorf("attribute %d is not in the kernel's dump", kind)
		}
	}
	return nil
}
