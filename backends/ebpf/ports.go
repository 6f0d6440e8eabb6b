package ebpf

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// appendRow appends the entries of a row: its verdict for all packets, and the
// ranges with the other verdict.
func appendRow(b []byte, id layout.PolicyID, r *resolve.Row) []byte {
	key := layout.PortKey{Bits: layout.RowBits, Row: id}
	b = layout.AppendIndex(key.Append(b), uint32(verdictOf(r.Accept)))
	other := uint32(verdictOf(!r.Accept))
	for _, p := range r.Except {
		for first, last := uint32(p.First), uint32(p.Last); first <= last; {
			zeroes := portPrefix(first, last)
			key := layout.PortKey{Bits: layout.MaxPortBits - zeroes, Row: id, Protocol: uint8(p.Protocol), Port: layout.PortOf(uint16(first))}
			b = layout.AppendIndex(key.Append(b), other)
			first += 1 << zeroes
		}
	}
	return b
}

// portPrefix returns the number of free bits of the largest prefix that starts at
// first and ends at or before last. A range needs at most 30 prefixes.
func portPrefix(first, last uint32) uint32 {
	aligned := bits.TrailingZeros32(first | 1<<16)
	fits := bits.Len32(last-first+1) - 1
	return uint32(min(aligned, fits))
}

// portRows are the rows decoded from port, in the order of their identities.
type portRows struct {
	ids  []layout.PolicyID
	rows map[layout.PolicyID]*resolve.Row
}

// readPorts decodes the rows of port.
func readPorts(m *Map) (portRows, error) {
	out := portRows{rows: make(map[layout.PolicyID]*resolve.Row)}
	var row *resolve.Row
	var id layout.PolicyID
	for _, i := range textOrder(m) {
		key, verdict := layout.DecodePortKey(m.Key(i)), layout.DecodeIndex(m.Value(i))
		if verdict != layout.VerdictAccept && verdict != layout.VerdictDeny {
			return out, fmt.Errorf("entry %d: unknown verdict %d", i, verdict)
		}
		if row == nil || key.Row != id {
			if key != (layout.PortKey{Bits: layout.RowBits, Row: key.Row}) {
				return out, fmt.Errorf("entry %d: row %x has no verdict for every packet", i, key.Row)
			}
			id, row = key.Row, &resolve.Row{Accept: verdict == layout.VerdictAccept}
			out.ids, out.rows[id] = append(out.ids, id), row
			continue
		}
		if err := addPorts(row, key); err != nil {
			return out, fmt.Errorf("entry %d: row %x: %w", i, id, err)
		}
		if (verdict == layout.VerdictAccept) == row.Accept {
			return out, fmt.Errorf("entry %d: row %x: a verdict that every packet gets", i, id)
		}
	}
	return out, nil
}

// decodePorts decodes and checks port: the entries of each row must be those of
// appendRow, and no two rows may have the same content.
func decodePorts(m *Map) (portRows, error) {
	out, err := readPorts(m)
	if err != nil {
		return out, err
	}
	var canonical []byte
	contents := make(map[string]bool, len(out.ids))
	for _, id := range out.ids {
		r := out.rows[id]
		if len(r.Except) == 0 || id.Reserved() {
			return out, fmt.Errorf("row %x: a reserved identity, or no ports", id)
		}
		content := rowContent(r)
		if contents[content] {
			return out, fmt.Errorf("row %x: another row is the same", id)
		}
		contents[content] = true
		canonical = appendRow(canonical, id, r)
	}
	if len(canonical) != len(m.data) {
		return out, errors.New("a range of ports is not in as few prefixes as it could be")
	}
	return out, nil
}

// addPorts adds a prefix to a row, and joins it with the previous range if they
// are adjacent.
func addPorts(r *resolve.Row, key layout.PortKey) error {
	if key.Bits < layout.ProtocolBits || key.Bits > layout.MaxPortBits || key.Reserved != 0 {
		return fmt.Errorf("%d bits are no ports", key.Bits)
	}
	first, last := key.Range()
	if open := uint32(last - first); open != 1<<(layout.MaxPortBits-key.Bits)-1 || !slices.Contains(ir.Protocols(), ir.Protocol(key.Protocol)) {
		return fmt.Errorf("protocol %d, port %d of %d bits is not in its canonical form", key.Protocol, first, key.Bits)
	}
	next := ir.PortRange{Protocol: ir.Protocol(key.Protocol), First: first, Last: last}
	if n := len(r.Except); n > 0 && r.Except[n-1].Protocol == next.Protocol {
		before := &r.Except[n-1]
		if before.Last >= first {
			return fmt.Errorf("ports %v are there twice", next)
		}
		if before.Last+1 == first {
			before.Last = last
			return nil
		}
	}
	r.Except = append(r.Except, next)
	return nil
}
