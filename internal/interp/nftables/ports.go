package nftables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/ir"
)

// numbers are disjoint, sorted ranges.
type numbers []numberRange

type numberRange struct{ first, last uint16 }

func (list numbers) contain(n uint16) bool {
	_, found := slices.BinarySearchFunc(list, n, func(r numberRange, n uint16) int {
		switch {
		case r.last < n:
			return -1
		case r.first > n:
			return 1
		}
		return 0
	})
	return found
}

// parseProtocol parses "meta l4proto tcp".
func parseProtocol(line *stream) (statement, error) {
	line.accept("meta", "l4proto")
	p, err := ir.ParseProtocol(line.next())
	return matchProtocol{p}, err
}

// parsePorts parses "tcp dport ...".
func parsePorts(line *stream) (statement, error) {
	p, err := ir.ParseProtocol(line.next())
	line.next()
	if err != nil {
		return nil, err
	}
	ranges, err := parseNumbers(line, 65535)
	return matchPorts{p, ranges}, err
}

// parseNumbers parses "1", "1-3", or "{ 1, 5-7 }"; the numbers must ascend, as in
// nft's output.
func parseNumbers(line *stream, most uint16) (numbers, error) {
	if !line.accept("{") {
		r, err := parseNumberRange(line.next(), most)
		return numbers{r}, err
	}
	var list numbers
	for more := true; more; {
		var word string
		word, more = strings.CutSuffix(line.next(), ",")
		r, err := parseNumberRange(word, most)
		if err != nil {
			return nil, err
		}
		if n := len(list); n > 0 && list[n-1].last >= r.first {
			return nil, fmt.Errorf("%s is not above what stands before it", word)
		}
		list = append(list, r)
	}
	return list, line.expect("}")
}

func parseNumberRange(s string, most uint16) (numberRange, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, err := strconv.ParseUint(first, 10, 16)
	if err != nil {
		return numberRange{}, err
	}
	b, err := strconv.ParseUint(last, 10, 16)
	if err == nil && (b < a || b > uint64(most)) {
		err = fmt.Errorf("range %s: ends before it begins, or above %d", s, most)
	}
	return numberRange{uint16(a), uint16(b)}, err
}
