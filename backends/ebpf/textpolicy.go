package ebpf

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// policyNames caches the names of profiles, classes and rows in the text: their
// symbol, or their identity. There are far fewer names than lines that contain
// them.
type policyNames struct {
	profiles map[layout.PolicyID][]byte
	classes  map[uint32][]byte
	rows     map[layout.PolicyID]string
}

func newPolicyNames(img *Image) *policyNames {
	n := &policyNames{
		profiles: make(map[layout.PolicyID][]byte), classes: map[uint32][]byte{0: []byte("none")},
		rows: map[layout.PolicyID]string{layout.RowAccept: "accept", layout.RowDeny: "deny"},
	}
	pods, classes := &img.maps[layout.Pods], &img.maps[layout.Classes]
	for i := range pods.Len() {
		if id := layout.DecodePod(pods.Value(i)).Profile; n.profiles[id] == nil {
			n.profiles[id] = profileWords(id, img.symbols.Profile(i).Name)
		}
	}
	for i := range classes.Len() {
		if id := layout.DecodeIndex(classes.Value(i)); n.classes[id] == nil {
			n.classes[id] = classWords(id, img.symbols.Class(i).Name)
		}
	}
	rows, _ := readPorts(&img.maps[layout.Ports])
	for id, r := range rows.rows {
		n.rows[id] = rowWords(r) + "," + hex.EncodeToString(id[:])
	}
	return n
}

// profileWords returns the name of a profile, or its identity without symbols.
func profileWords(id layout.PolicyID, name string) []byte {
	if name == "" {
		return hex.AppendEncode(nil, id[:])
	}
	return appendName(nil, name)
}

func classWords(class uint32, sets string) []byte {
	b := fmt.Appendf(nil, "%08x", class)
	if sets != "" {
		b = appendName(append(b, " sets="...), sets)
	}
	return b
}

// maxRanges is the maximum number of port ranges in the name of a row.
const maxRanges = 4

// rowWords describes a row: "only:80/tcp,53/udp", "but:22/tcp". The lines of port
// have all its ranges.
func rowWords(r *resolve.Row) string {
	var b strings.Builder
	b.WriteString("only:")
	if r.Accept {
		b.Reset()
		b.WriteString("but:")
	}
	for i, p := range r.Except {
		if i == maxRanges {
			fmt.Fprintf(&b, ",and-%d-more", len(r.Except)-maxRanges)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(appendRange(nil, p))
	}
	return b.String()
}

// appendRange writes "80/tcp", "8000-8999/tcp", or "tcp" for the whole protocol.
func appendRange(b []byte, p ir.PortRange) []byte {
	if p.First == 0 && p.Last == 65535 {
		return append(b, p.Protocol.String()...)
	}
	return p.AppendTo(b)
}

func (w *textWriter) pod(key, value []byte, i int) {
	p := layout.DecodePod(value)
	w.b = layout.Address(key).Addr().AppendTo(append(w.b, ' '))
	w.named("name=", w.symbols.Pod(i).Name)
	w.word("profile=")
	w.b = append(w.b, w.policies.profiles[p.Profile]...)
	w.word("id=")
	w.b = hex.AppendEncode(w.b, p.Profile[:])
	for _, d := range []uint8{layout.DirectionEgress, layout.DirectionIngress} {
		w.word(directionName(d) + "=")
		if row, policed := p.Row(d); policed {
			w.b = append(w.b, w.policies.rows[row]...)
		} else {
			w.b = append(w.b, "open"...)
		}
	}
}

func (w *textWriter) class(key, value []byte, i int) {
	p := layout.DecodePrefixKey(key).Prefix()
	if p.IsSingleIP() {
		w.b = p.Addr().AppendTo(append(w.b, ' '))
	} else {
		w.b = p.AppendTo(append(w.b, ' '))
	}
	w.named("name=", w.symbols.Peer(i).Name)
	w.word("class=")
	w.b = append(w.b, w.policies.classes[layout.DecodeIndex(value)]...)
}

func (w *textWriter) row(key, value []byte, _ int) {
	k := layout.DecodeRowKey(key)
	w.b = append(append(w.b, ' '), w.policies.profiles[k.Profile]...)
	w.word(directionName(k.Direction))
	w.word("class=")
	w.b = append(w.b, w.policies.classes[k.Class.Number()]...)
	w.word(w.policies.rows[layout.PolicyID(value)])
}

func (w *textWriter) port(key, value []byte, _ int) {
	k := layout.DecodePortKey(key)
	w.b = hex.AppendEncode(append(w.b, ' '), k.Row[:])
	if k.Bits == layout.RowBits {
		w.word("otherwise")
	} else {
		first, last := k.Range()
		w.b = appendRange(append(w.b, ' '), ir.PortRange{Protocol: ir.Protocol(k.Protocol), First: first, Last: last})
	}
	w.word([...]string{layout.VerdictAccept: "accept", layout.VerdictDeny: "deny"}[layout.DecodeIndex(value)])
}

// named writes a name after its key, or nothing if the name is empty.
func (w *textWriter) named(key, name string) {
	if name == "" {
		return
	}
	w.word(key)
	w.b = appendName(w.b, name)
}

func directionName(d uint8) string {
	if d == layout.DirectionIngress {
		return ir.Ingress.String()
	}
	return ir.Egress.String()
}
