package ebpf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// portRows are the rows decoded from port, sport and log, and their identities in
// order.
type portRows struct {
	ids  []layout.PolicyID
	rows laidRows
	// marked are the rows whose verdicts say that they have source ports.
	marked map[layout.PolicyID]bool
}

// readPorts decodes the rows of port, sport and log.
func readPorts(ports, sources, logs *Map) (portRows, error) {
	out := portRows{rows: make(laidRows), marked: make(map[layout.PolicyID]bool)}
	if err := out.readVerdicts(ports); err != nil {
		return out, fmt.Errorf("map port: %w", err)
	}
	if err := out.readSources(sources); err != nil {
		return out, fmt.Errorf("map sport: %w", err)
	}
	if err := out.readLogs(logs); err != nil {
		return out, fmt.Errorf("map log: %w", err)
	}
	return out, nil
}

func (p *portRows) readVerdicts(m *Map) error {
	var row *laidRow
	var id layout.PolicyID
	mark := layout.Verdict(0)
	for _, i := range textOrder(m) {
		key, verdict := layout.DecodePortKey(m.Key(i)), layout.Verdict(layout.DecodeIndex(m.Value(i)))
		if !verdict.Valid() {
			return fmt.Errorf("entry %d: unknown verdict %d", i, verdict)
		}
		if row == nil || key.Row != id {
			if key != (layout.PortKey{Bits: layout.RowBits, Row: key.Row}) {
				return fmt.Errorf("entry %d: row %x has no verdict for every packet", i, key.Row)
			}
			mark = verdict & layout.VerdictSources
			id, row = key.Row, &laidRow{standard: verdict &^ mark}
			p.ids, p.rows[id], p.marked[id] = append(p.ids, id), row, mark != 0
			continue
		}
		ports, err := portsOf(key)
		switch {
		case err != nil:
			return fmt.Errorf("entry %d: row %x: %w", i, id, err)
		case verdict == row.standard|mark:
			return fmt.Errorf("entry %d: row %x: a verdict that every packet gets", i, id)
		case verdict&layout.VerdictSources != mark:
			return fmt.Errorf("entry %d: row %x: unlike others of its row, it is marked for source ports or is not", i, id)
		case len(row.ranges) > 0 && !precedes(row.ranges[len(row.ranges)-1].PortRange, ports):
			return fmt.Errorf("entry %d: row %x: ports %v are there twice", i, id, ports)
		}
		row.addRange(verdictRange{ports, verdict &^ mark})
	}
	return nil
}

// readSources adds the source ports to the rows, which must be marked for them.
func (p *portRows) readSources(m *Map) error {
	for _, i := range textOrder(m) {
		key, target := layout.DecodePortKey(m.Key(i)), layout.PolicyID(m.Value(i))
		row := p.rows[key.Row]
		if row == nil {
			return fmt.Errorf("entry %d: row %x is not there", i, key.Row)
		}
		ports, err := portsOf(key)
		if err == nil && !ports.Protocol.HasPorts() {
			err = fmt.Errorf("protocol %v has no source ports", ports.Protocol)
		}
		if n := len(row.sources); err == nil && n > 0 {
			before := &row.sources[n-1]
			if before.row == target && adjacent(before.PortRange, ports) {
				before.Last = ports.Last
				continue
			}
			if !precedes(before.PortRange, ports) {
				err = fmt.Errorf("ports %v are there twice", ports)
			}
		}
		if err != nil {
			return fmt.Errorf("entry %d: row %x: %w", i, key.Row, err)
		}
		row.sources = append(row.sources, sourceRange{ports, target})
	}
	return nil
}

// readLogs adds the prefixes to the rows.
func (p *portRows) readLogs(m *Map) error {
	for i := range m.Len() {
		key, prefix := layout.DecodeLogKey(m.Key(i)), layout.DecodeLogPrefix(m.Value(i))
		row := p.rows[key.Row]
		switch {
		case row == nil:
			return fmt.Errorf("entry %d: row %x is not there", i, key.Row)
		case key.Number.Number() != uint32(len(row.logs)+1):
			return fmt.Errorf("entry %d: row %x: log %d is not the next one", i, key.Row, key.Number.Number())
		case prefix == "" || len(prefix) > ir.MaxPrefix || strings.ContainsFunc(prefix, func(c rune) bool { return c < ' ' || c > '~' }):
			return fmt.Errorf("entry %d: row %x: %q is no prefix", i, key.Row, prefix)
		case len(row.logs) > 0 && row.logs[len(row.logs)-1] >= prefix:
			return fmt.Errorf("entry %d: row %x: prefix %q is not in order", i, key.Row, prefix)
		}
		row.logs = append(row.logs, prefix)
	}
	return nil
}

// decodePorts decodes and checks port, sport and log: the entries of each row must be
// those of a laid row, and no two rows may have the same content.
func decodePorts(ports, sources, logs *Map) (portRows, error) {
	out, err := readPorts(ports, sources, logs)
	if err != nil {
		return out, err
	}
	var canonical [2][]byte
	contents := make(map[string]bool, len(out.ids))
	for _, id := range out.ids {
		r := out.rows[id]
		if _, constant := r.constant(); constant || id.Reserved() {
			return out, fmt.Errorf("map port: row %x: a reserved identity, or no ports", id)
		}
		if out.marked[id] != (len(r.sources) > 0) {
			return out, fmt.Errorf("map port: row %x: it is marked for source ports and has none, or has some and is not", id)
		}
		if err := out.complete(r); err != nil {
			return out, fmt.Errorf("row %x: %w", id, err)
		}
		content := r.content()
		if contents[content] {
			return out, fmt.Errorf("map port: row %x: another row is the same", id)
		}
		contents[content] = true
		canonical[0] = r.appendPorts(canonical[0], id)
		canonical[1] = r.appendSources(canonical[1], id)
	}
	if len(canonical[0]) != len(ports.data) || len(canonical[1]) != len(sources.data) {
		return out, errors.New("map port or sport: a range of ports is not in as few prefixes as it could be")
	}
	return out, nil
}

// complete checks that a row has its logs, and the rows of its source ports.
func (p *portRows) complete(r *laidRow) error {
	used := make([]bool, len(r.logs)+1)
	use := func(v layout.Verdict) bool {
		if int(v.Log()) >= len(used) {
			return false
		}
		used[v.Log()] = true
		return true
	}
	known := use(r.standard)
	for _, v := range r.ranges {
		known = use(v.verdict) && known
	}
	if !known || slices.Contains(used[1:], false) {
		return errors.New("a log that is not there, or that counts nothing")
	}
	for _, s := range r.sources {
		if other := p.rows[s.row]; other == nil && s.row != layout.RowAccept && s.row != layout.RowDeny || other != nil && len(other.sources) > 0 {
			return fmt.Errorf("row %x of source ports %v is not there, or has source ports itself", s.row, s.PortRange)
		}
	}
	return nil
}

// portsOf returns the ports of a key.
func portsOf(key layout.PortKey) (ir.PortRange, error) {
	if key.Bits < layout.ProtocolBits || key.Bits > layout.MaxPortBits || key.Reserved != 0 {
		return ir.PortRange{}, fmt.Errorf("%d bits are no ports", key.Bits)
	}
	first, last := key.Range()
	out := ir.PortRange{Protocol: ir.Protocol(key.Protocol), First: first, Last: last}
	parts := out.Protocol.HasPorts() || out.Protocol.HasTypes()
	if open := uint32(last - first); open != 1<<(layout.MaxPortBits-key.Bits)-1 || !parts && !out.Every() {
		return out, fmt.Errorf("protocol %d, port %d of %d bits is not in its canonical form", key.Protocol, first, key.Bits)
	}
	return out, nil
}

// precedes reports whether b begins behind a.
func precedes(a, b ir.PortRange) bool {
	return a.Protocol < b.Protocol || a.Protocol == b.Protocol && a.Last < b.First
}
