package iptables

import (
	"strconv"
	"strings"
)

// MarkAndMask parses "value/mask"; without a mask, all bits count.
func MarkAndMask(word string) (value, mask uint32, err error) {
	first, second, has := strings.Cut(word, "/")
	v, err := strconv.ParseUint(first, 0, 32)
	m := uint64(1<<32 - 1)
	if err == nil && has {
		m, err = strconv.ParseUint(second, 0, 32)
	}
	return uint32(v), uint32(m), err
}
