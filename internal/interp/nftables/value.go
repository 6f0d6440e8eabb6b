package nftables

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// kind is the type of a value in a register. Each kind has a fixed width, so that
// the bytes of a concatenation are unambiguous.
type kind uint8

const (
	addr4 kind = iota + 1
	addr6
	proto
	port
	mark
	priority
	index
	connID
	verdictKind
)

// kindsByType maps the names in "type" declarations to kinds.
var kindsByType = map[string]kind{
	"ipv4_addr": addr4, "ipv6_addr": addr6, "inet_proto": proto, "inet_service": port, "mark": mark, "classid": priority, "verdict": verdictKind,
}

// appendAddr appends the bytes of an address, 4 or 16.
func appendAddr(b []byte, a netip.Addr) []byte { return append(b, a.AsSlice()...) }

func appendUint32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

func appendPort(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }

// appendConstant appends the bytes of a constant in the notation of elements.
func appendConstant(b []byte, k kind, s string) ([]byte, error) {
	switch k {
	case addr4, addr6:
		a, err := netip.ParseAddr(s)
		if err == nil && (k == addr4) != a.Is4() {
			err = fmt.Errorf("address %s is of the other family", s)
		}
		return appendAddr(b, a), err
	case proto:
		p, err := ir.ParseProtocol(s)
		return append(b, byte(p)), err
	case port:
		n, err := strconv.ParseUint(s, 10, 16)
		return appendPort(b, uint16(n)), err
	case index:
		n, err := strconv.ParseUint(s, 10, 32)
		return appendUint32(b, uint32(n)), err
	case mark:
		n, err := strconv.ParseUint(s, 0, 32)
		return appendUint32(b, uint32(n)), err
	case priority:
		n, err := parsePriority(s)
		return appendUint32(b, n), err
	}
	return b, fmt.Errorf("a constant %q of a type that has none", s)
}

// parsePriority parses a traffic class handle, "major:minor" in hexadecimal.
func parsePriority(s string) (uint32, error) {
	switch s {
	case "none":
		return 0, nil
	case "root":
		return 1<<32 - 1, nil
	}
	major, minor, ok := strings.Cut(s, ":")
	if !ok {
		return 0, fmt.Errorf("priority %q", s)
	}
	if major == "" {
		major = "0"
	}
	if minor == "" {
		minor = "0"
	}
	hi, err := strconv.ParseUint(major, 16, 16)
	if err != nil {
		return 0, err
	}
	lo, err := strconv.ParseUint(minor, 16, 16)
	return uint32(hi<<16 | lo), err
}
