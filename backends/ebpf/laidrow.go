package ebpf

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// laidRow is a row in the form of port, sport and log: every packet has one verdict,
// which says where the packet is counted too.
type laidRow struct {
	// standard is the verdict of packets outside of ranges.
	standard layout.Verdict
	// ranges and sources are sorted by protocol and port, and disjoint. None has the
	// standard verdict, and neighbours differ.
	ranges  []verdictRange
	sources []sourceRange
	// logs are the prefixes of log 1, 2 and so on, sorted.
	logs []string
}

// verdictRange is destination ports, or types and codes, with their verdict.
type verdictRange struct {
	ir.PortRange
	verdict layout.Verdict
}

// sourceRange is source ports with the row that decides.
type sourceRange struct {
	ir.PortRange
	row layout.PolicyID
}

// newLaidRow lays a row out; rows are the identities of those that it refers to.
func newLaidRow(r *resolve.Row, rows []layout.PolicyID) laidRow {
	out := laidRow{standard: layout.VerdictOf(r.Accept, 0)}
	for i := range r.Logs {
		out.logs = append(out.logs, r.Logs[i].Prefix)
		if r.Logs[i].Every {
			out.standard = layout.VerdictOf(r.Accept, uint16(i+1))
		}
	}
	if len(r.Logs) == 0 {
		for _, p := range r.Except {
			out.ranges = append(out.ranges, verdictRange{p, layout.VerdictOf(!r.Accept, 0)})
		}
		slices.SortStableFunc(out.ranges, func(a, b verdictRange) int { return cmp.Compare(a.Protocol, b.Protocol) })
	} else {
		out.sweep(r)
	}
	for _, s := range r.Sources {
		out.sources = append(out.sources, sourceRange{s.Ports, rows[s.Row]})
	}
	slices.SortStableFunc(out.sources, func(a, b sourceRange) int { return cmp.Compare(a.Protocol, b.Protocol) })
	return out
}

// end is where a list of ranges begins or ends to hold packets: list 0 are the
// exceptions of the row, the others those of its logs, by number.
type end struct {
	at   uint32 // protocol and port
	list int
}

// sweep walks the ends of all lists in the order of protocols and ports.
func (l *laidRow) sweep(r *resolve.Row) {
	var ends []end
	add := func(list int, ranges []ir.PortRange) {
		for _, p := range ranges {
			begin := uint32(p.Protocol) << 16
			ends = append(ends, end{begin | uint32(p.First), list}, end{begin + uint32(p.Last) + 1, list})
		}
	}
	add(0, r.Except)
	for i := range r.Logs {
		add(i+1, r.Logs[i].Except)
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.at, b.at) })
	inside := make([]bool, 1+len(r.Logs))
	every, log := int(l.standard.Log()), 0
	for i, e := range ends {
		inside[e.list] = !inside[e.list]
		switch {
		case e.list == 0 || e.list == every:
		case inside[e.list]:
			log = e.list
		case log == e.list:
			log = 0
		}
		if i+1 == len(ends) || ends[i+1].at == e.at {
			continue
		}
		number := log
		if log == 0 && every > 0 && !inside[every] {
			number = every
		}
		l.add(e.at, ends[i+1].at-1, layout.VerdictOf(r.Accept != inside[0], uint16(number)))
	}
}

// add adds the packets from first to last, which are protocols and ports. Where they
// are of more than one protocol, no list holds them, and the verdict is standard.
func (l *laidRow) add(first, last uint32, v layout.Verdict) {
	if v == l.standard {
		return
	}
	l.addRange(verdictRange{ir.PortRange{Protocol: ir.Protocol(first >> 16), First: uint16(first), Last: uint16(last)}, v})
}

// addRange adds a range behind the last one, or joins the two.
func (l *laidRow) addRange(r verdictRange) {
	if n := len(l.ranges); n > 0 {
		if before := &l.ranges[n-1]; before.verdict == r.verdict && adjacent(before.PortRange, r.PortRange) {
			before.Last = r.Last
			return
		}
	}
	l.ranges = append(l.ranges, r)
}

// adjacent reports whether b begins where a ends.
func adjacent(a, b ir.PortRange) bool {
	return a.Protocol == b.Protocol && uint32(a.Last)+1 == uint32(b.First)
}

// constant returns the identity of a row that neither depends on ports nor logs.
func (l *laidRow) constant() (layout.PolicyID, bool) {
	id := layout.RowDeny
	if l.standard.Accepts() {
		id = layout.RowAccept
	}
	return id, len(l.ranges) == 0 && len(l.sources) == 0 && len(l.logs) == 0
}

// content encodes a row unambiguously.
func (l *laidRow) content() string {
	b := append(make([]byte, 0, 64), "row\x00"...)
	plain := len(l.sources) == 0 && len(l.logs) == 0
	if !plain {
		b = append(b[:0], "full row\x00"...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(l.ranges)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(l.sources)))
	}
	b = appendVerdict(b, l.standard, plain)
	for _, r := range l.ranges {
		b = appendEnds(b, r.PortRange)
		if !plain {
			b = appendVerdict(b, r.verdict, plain)
		}
	}
	for _, s := range l.sources {
		b = append(appendEnds(b, s.PortRange), s.row[:]...)
	}
	for _, prefix := range l.logs {
		b = layout.AppendLogPrefix(b, prefix)
	}
	return string(b)
}

func appendVerdict(b []byte, v layout.Verdict, plain bool) []byte {
	if plain {
		return append(b, byte(v))
	}
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

func appendEnds(b []byte, p ir.PortRange) []byte {
	b = append(b, byte(p.Protocol))
	b = binary.BigEndian.AppendUint16(b, p.First)
	return binary.BigEndian.AppendUint16(b, p.Last)
}

// appendPorts appends the entries of a row in port.
func (l *laidRow) appendPorts(b []byte, id layout.PolicyID) []byte {
	mark := layout.Verdict(0)
	if len(l.sources) > 0 {
		mark = layout.VerdictSources
	}
	b = layout.AppendIndex(layout.PortKey{Bits: layout.RowBits, Row: id}.Append(b), uint32(l.standard|mark))
	for _, r := range l.ranges {
		eachPrefix(id, r.PortRange, func(k layout.PortKey) {
			b = layout.AppendIndex(k.Append(b), uint32(r.verdict|mark))
		})
	}
	return b
}

// appendSources appends the entries of a row in sport.
func (l *laidRow) appendSources(b []byte, id layout.PolicyID) []byte {
	for _, s := range l.sources {
		eachPrefix(id, s.PortRange, func(k layout.PortKey) { b = append(k.Append(b), s.row[:]...) })
	}
	return b
}

// appendLogs appends the entries of a row in log.
func (l *laidRow) appendLogs(b []byte, id layout.PolicyID) []byte {
	for i, prefix := range l.logs {
		b = layout.AppendLogPrefix(layout.LogKey{Row: id, Number: layout.BE32Of(uint32(i + 1))}.Append(b), prefix)
	}
	return b
}

// eachPrefix calls f with the keys of a range, from the lowest port.
func eachPrefix(id layout.PolicyID, p ir.PortRange, f func(layout.PortKey)) {
	for first, last := uint32(p.First), uint32(p.Last); first <= last; {
		zeroes := portPrefix(first, last)
		f(layout.PortKey{Bits: layout.MaxPortBits - zeroes, Row: id, Protocol: uint8(p.Protocol), Port: layout.PortOf(uint16(first))})
		first += 1 << zeroes
	}
}

// portPrefix returns the number of free bits of the largest prefix that starts at
// first and ends at or before last. A range needs at most 30 prefixes.
func portPrefix(first, last uint32) uint32 {
	aligned := bits.TrailingZeros32(first | 1<<16)
	fits := bits.Len32(last-first+1) - 1
	return uint32(min(aligned, fits))
}

// laidRows are rows by their identities; rows that do not depend on ports are none.
type laidRows map[layout.PolicyID]*laidRow

// denies reports whether a row denies anything.
func (rows laidRows) denies(id layout.PolicyID) bool {
	r := rows[id]
	if r == nil {
		return id != layout.RowAccept
	}
	return !r.standard.Accepts() || slices.ContainsFunc(r.ranges, func(v verdictRange) bool { return !v.verdict.Accepts() }) ||
		slices.ContainsFunc(r.sources, func(s sourceRange) bool { return rows[s.row].deniesAlone(s.row) })
}

// deniesAlone is denies for a row without sources.
func (l *laidRow) deniesAlone(id layout.PolicyID) bool {
	if l == nil {
		return id != layout.RowAccept
	}
	return !l.standard.Accepts() || slices.ContainsFunc(l.ranges, func(v verdictRange) bool { return !v.verdict.Accepts() })
}

// logs reports whether a row or one of its source ports logs.
func (rows laidRows) logs(id layout.PolicyID) bool {
	r := rows[id]
	return r != nil && (len(r.logs) > 0 || slices.ContainsFunc(r.sources, func(s sourceRange) bool {
		other := rows[s.row]
		return other != nil && len(other.logs) > 0
	}))
}
