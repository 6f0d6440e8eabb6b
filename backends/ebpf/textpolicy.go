package ebpf

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// policyNames caches the names of profiles, classes and rows in the text: their
// symbol, or their identity. There are far fewer names than lines that contain
// them.
type policyNames struct {
	profiles map[layout.PolicyID][]byte
	laid     laidRows
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
	if info := img.Info(); info.Node.Flags != 0 {
		n.profiles[info.Node.Profile] = profileWords(info.Node.Profile, img.symbols.NodeProfile().Name)
	}
	rows, _ := readPorts(&img.maps[layout.Ports], &img.maps[layout.SourcePorts], &img.maps[layout.Logs])
	n.laid = rows.rows
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

// rowWords describes a row: "only:80/tcp,53/udp", "but:22/tcp", "accept+log",
// "deny+sources". The lines of port, sport and log have all of it.
func rowWords(r *laidRow) string {
	var b strings.Builder
	except := r.except()
	accept := r.standard.Accepts()
	b.WriteString(map[bool]string{true: "accept", false: "deny"}[accept])
	if len(except) > 0 {
		b.Reset()
		b.WriteString(map[bool]string{true: "but:", false: "only:"}[accept])
	}
	for i, p := range except {
		if i == maxRanges {
			fmt.Fprintf(&b, ",and-%d-more", len(except)-maxRanges)
			break
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(appendRange(nil, p))
	}
	if len(r.logs) > 0 {
		b.WriteString("+log")
	}
	if len(r.sources) > 0 {
		b.WriteString("+sources")
	}
	return b.String()
}

// except returns the ranges that are not accepted if all others are, or the other way
// around, whatever is logged.
func (l *laidRow) except() (out []ir.PortRange) {
	for _, r := range l.ranges {
		if n := len(out); r.verdict.Accepts() == l.standard.Accepts() {
			continue
		} else if n > 0 && adjacent(out[n-1], r.PortRange) {
			out[n-1].Last = r.Last
			continue
		}
		out = append(out, r.PortRange)
	}
	return out
}

// appendRange writes "80/tcp", "8000-8999/tcp", "type-8/icmp", or "tcp" for the whole
// protocol, without spaces.
func appendRange(b []byte, p ir.PortRange) []byte {
	if p.First == 0 && p.Last == 65535 {
		return append(b, strings.ReplaceAll(p.Protocol.String(), " ", "-")...)
	}
	return append(b, strings.ReplaceAll(p.String(), " ", "-")...)
}

func (w *textWriter) pod(key, value []byte, i int) {
	p := layout.DecodePod(value)
	w.b = layout.Address(key).Addr().AppendTo(append(w.b, ' '))
	w.named("name=", w.symbols.Pod(i).Name)
	w.profile(p)
}

// profile writes the profile of a pod, or of the node.
func (w *textWriter) profile(p layout.Pod) {
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
	if p.Flags&layout.PodOwn != 0 {
		w.word("own-node")
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
	if k.Direction != layout.DirectionOwn {
		w.word("class=")
		w.b = append(w.b, w.policies.classes[k.Class.Number()]...)
	}
	w.word(w.policies.rows[layout.PolicyID(value)])
}

func (w *textWriter) port(key, value []byte, _ int) {
	k := layout.DecodePortKey(key)
	w.b = hex.AppendEncode(append(w.b, ' '), k.Row[:])
	if k.Bits == layout.RowBits {
		w.word("otherwise")
	} else {
		w.ports(k)
	}
	v := layout.Verdict(layout.DecodeIndex(value))
	w.word(map[bool]string{true: "accept", false: "deny"}[v.Accepts()])
	if n := v.Log(); n > 0 {
		w.word("log=")
		w.b = appendName(w.b, w.policies.laid[k.Row].logs[n-1])
	}
}

func (w *textWriter) ports(k layout.PortKey) {
	first, last := k.Range()
	w.b = appendRange(append(w.b, ' '), ir.PortRange{Protocol: ir.Protocol(k.Protocol), First: first, Last: last})
}

func (w *textWriter) sourcePort(key, value []byte, _ int) {
	k := layout.DecodePortKey(key)
	w.b = hex.AppendEncode(append(w.b, ' '), k.Row[:])
	w.ports(k)
	w.word(w.policies.rows[layout.PolicyID(value)])
}

func (w *textWriter) log(key, value []byte, _ int) {
	k := layout.DecodeLogKey(key)
	w.b = hex.AppendEncode(append(w.b, ' '), k.Row[:])
	w.number("log", uint64(k.Number.Number()))
	w.word("prefix=")
	w.b = appendName(w.b, layout.DecodeLogPrefix(value))
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
	switch d {
	case layout.DirectionIngress:
		return ir.Ingress.String()
	case layout.DirectionOwn:
		return "own-node"
	}
	return ir.Egress.String()
}
