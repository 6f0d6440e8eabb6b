package nftables

import (
	"fmt"
	"strconv"
)

// field is an expression that reads the packet or its metadata.
type field struct {
	kind kind
	read source
	// modulus is the modulus of numgen or jhash.
	modulus uint32
	// over are the fields that jhash covers.
	over []field
}

// source is the origin of a field's value.
type source uint8

const (
	sourceAddr source = iota + 1
	destAddr
	l4proto
	destPort
	metaMark
	metaPriority
	ctID
	random
	hash
)

// words of the fields without arguments.
var plainFields = []struct {
	words []string
	field field
}{
	{[]string{"ip", "saddr"}, field{kind: addr4, read: sourceAddr}},
	{[]string{"ip", "daddr"}, field{kind: addr4, read: destAddr}},
	{[]string{"ip6", "saddr"}, field{kind: addr6, read: sourceAddr}},
	{[]string{"ip6", "daddr"}, field{kind: addr6, read: destAddr}},
	{[]string{"meta", "l4proto"}, field{kind: proto, read: l4proto}},
	{[]string{"th", "dport"}, field{kind: port, read: destPort}},
	{[]string{"meta", "mark"}, field{kind: mark, read: metaMark}},
	{[]string{"meta", "priority"}, field{kind: priority, read: metaPriority}},
	{[]string{"ct", "id"}, field{kind: connID, read: ctID}},
}

func parseField(line *stream) (field, error) {
	for _, p := range plainFields {
		if line.accept(p.words...) {
			return p.field, nil
		}
	}
	switch {
	case line.accept("numgen", "random", "mod"):
		n, err := modulus(line)
		return field{kind: index, read: random, modulus: n}, err
	case line.accept("jhash"):
		over, err := parseConcat(line)
		if err == nil {
			err = line.expect("mod")
		}
		if err != nil {
			return field{}, err
		}
		n, err := modulus(line)
		if line.accept("seed") {
			line.next()
		}
		return field{kind: mark, read: hash, modulus: n, over: over}, err
	}
	return field{}, fmt.Errorf("expression %q", line.peek()+" "+line.peekAt(1))
}

func modulus(line *stream) (uint32, error) {
	n, err := strconv.ParseUint(line.next(), 10, 32)
	if err == nil && n == 0 {
		err = fmt.Errorf("modulus 0")
	}
	return uint32(n), err
}

// parseConcat parses fields separated by dots.
func parseConcat(line *stream) ([]field, error) {
	var out []field
	for {
		f, err := parseField(line)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		if !line.accept(".") {
			return out, nil
		}
	}
}
