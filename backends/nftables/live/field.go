package live

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// kind is the type of one value.
type kind uint8

const (
	addr4 kind = iota + 1
	addr6
	proto
	port
	mark
	classID
	index
	connID
	verdict
)

// kinds are what nft and the kernel know of each: its length, nft's type number,
// and its byte order as nft writes it into user data (enum byteorder: 1 host, 2
// big endian).
var kinds = [...]struct{ size, number, order uint32 }{
	addr4:   {4, typeAddr4, 2},
	addr6:   {16, typeAddr6, 2},
	proto:   {1, typeProto, 2},
	port:    {2, typePort, 2},
	mark:    {4, typeMark, 1},
	classID: {4, typeClassID, 1},
	index:   {4, typeInteger, 1},
	connID:  {4, typeInteger, 2},
	verdict: {16, typeVerdict, 0},
}

func (k kind) size() int { return int(kinds[k].size) }

// words is the size in 32-bit registers: what a value takes in a concatenation.
func (k kind) words() int { return (k.size() + 3) / 4 }

// kindsByType are the names that "type" declarations use.
var kindsByType = map[string]kind{
	"ipv4_addr": addr4, "ipv6_addr": addr6, "inet_proto": proto, "inet_service": port,
	"mark": mark, "classid": classID, "verdict": verdict,
}

// expression is what a field reads a packet with; none for one by type.
type expression uint8

const (
	byType expression = iota
	payload
	meta
	conntrack
	numgen
)

// field is one field of a key: a type, or an expression.
type field struct {
	kind kind
	expr expression
	// key is NFT_META_* or NFT_CT_*, or numgen's modulus; base and offset are a
	// payload's place.
	key, base, offset uint32
	// desc and template are nft's numbers of a header and a field in it (enum
	// proto_desc_id, and the header's template), for user data.
	desc, template uint32
}

// Keys of meta and ct expressions, and bases of payloads.
const (
	metaPriority = 2
	metaMark     = 3
	metaIIFName  = 6
	metaL4Proto  = 16
	ctState      = 0
	ctStatus     = 2
	ctID         = 23
	network      = 1
	transport    = 2
)

var fieldsByName = map[string]field{
	"ip saddr":      {kind: addr4, expr: payload, base: network, offset: 12, desc: 12, template: 11},
	"ip daddr":      {kind: addr4, expr: payload, base: network, offset: 16, desc: 12, template: 12},
	"ip6 saddr":     {kind: addr6, expr: payload, base: network, offset: 8, desc: 13, template: 8},
	"ip6 daddr":     {kind: addr6, expr: payload, base: network, offset: 24, desc: 13, template: 9},
	"th dport":      {kind: port, expr: payload, base: transport, offset: 2, desc: 11, template: 2},
	"meta l4proto":  {kind: proto, expr: meta, key: metaL4Proto},
	"meta mark":     {kind: mark, expr: meta, key: metaMark},
	"meta priority": {kind: classID, expr: meta, key: metaPriority},
	"ct id":         {kind: connID, expr: conntrack, key: ctID},
}

// protocols have the numbers of protocols and of nft's headers.
var protocols = map[string]struct {
	number byte
	desc   uint32
}{"tcp": {6, 8}, "udp": {17, 6}, "sctp": {132, 10}}

// field reads one expression.
func (s *stream) field() (field, error) {
	if s.accept("numgen", "random", "mod") {
		n, err := strconv.ParseUint(s.next(), 10, 32)
		if err == nil && n == 0 {
			err = fmt.Errorf("numgen mod 0")
		}
		return field{kind: index, expr: numgen, key: uint32(n)}, err
	}
	name := s.next() + " " + s.next()
	f, ok := fieldsByName[name]
	if !ok {
		return f, fmt.Errorf("unknown expression %q", name)
	}
	return f, nil
}

// concat reads fields with dots between them.
func (s *stream) concat() ([]field, error) {
	var list []field
	for {
		f, err := s.field()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
		if !s.accept(".") {
			return list, nil
		}
	}
}

// words is the length of fields in registers.
func words(list []field) int {
	n := 0
	for _, f := range list {
		n += f.kind.words()
	}
	return n
}

// typeNumber is nft's number of a type or of a concatenation, which has six bits
// for each of its types.
func typeNumber(list []field) uint32 {
	var n uint32
	for _, f := range list {
		n = n<<typeBits | kinds[f.kind].number
	}
	return n
}

// length is what a key or data is long: fields of a concatenation are padded.
func length(list []field) uint32 {
	if len(list) == 1 {
		return kinds[list[0].kind].size
	}
	return uint32(4 * words(list))
}

// constant appends a value as a rule or an element spells it, without padding.
func constant(b []byte, k kind, s string) ([]byte, error) {
	r := reader{b: []byte(s)}
	b, err := r.constant(b, k)
	if err == nil && !r.atEnd() {
		err = fmt.Errorf("%q", s)
	}
	return b, err
}

// number reads an unsigned 32-bit number, "0x..." in hexadecimal.
func number(s string) (uint32, error) {
	base := 10
	if h, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = h, 16
	}
	n, err := strconv.ParseUint(s, base, 32)
	return uint32(n), err
}

func hostU32(v uint32) []byte { return binary.NativeEndian.AppendUint32(nil, v) }
