package ebpf

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// Text returns maps.txt, the decoded image: one line per entry, which starts with
// the name of its map. Names replace positions where possible, so that a new or
// removed endpoint changes only its own lines (and the digest and the counts).
// Names cannot contain line ends.
func (img *Image) Text() []byte {
	w := &textWriter{Image: img, names: newNames(img), policies: newPolicyNames(img)}
	w.b = make([]byte, 0, img.textSize())
	w.header()
	writers := [layout.NumMaps]func(key, value []byte, i int){
		layout.Meta: w.meta, layout.Services: w.service, layout.Endpoints: w.endpoint,
		layout.Addresses: w.address, layout.Prefixes: w.prefix, layout.Sources: w.source,
		layout.Pods: w.pod, layout.Classes: w.class, layout.Rows: w.row, layout.Ports: w.port,
		layout.SourcePorts: w.sourcePort, layout.Logs: w.log,
	}
	for i := range img.inFile() {
		m, line := &img.maps[i], writers[i]
		w.mapLine(m)
		for _, j := range textOrder(m) {
			w.b = append(w.b, m.layout.Name...)
			line(m.Key(j), m.Value(j), j)
			w.b = append(w.b, '\n')
		}
	}
	return w.b
}

// textSize is about the length of the text, in bytes. A line has an entry, and names are
// twice as long as the numbers that stand where there are none.
func (img *Image) textSize() int {
	const numbers, names = 64, 112
	lines := 64
	for i := range img.inFile() {
		lines += img.maps[i].Len()
	}
	if img.symbols == nil {
		return numbers * lines
	}
	return names * lines
}

// textOrder returns the order of lines: that of the map, but the prefixes of a set
// or row are grouped, although their keys start with a length. The shorter of two
// prefixes with the same start comes first.
func textOrder(m *Map) []int {
	order := make([]int, m.Len())
	for i := range order {
		order[i] = i
	}
	if m.layout.Type != layout.LPMTrie {
		return order
	}
	// Entries of one length are already sorted, and there are few lengths.
	var runs [][]int
	for begin, i := 0, 1; i <= len(order); i++ {
		if i == len(order) || [lengthSize]byte(m.Key(i)) != [lengthSize]byte(m.Key(begin)) {
			runs = append(runs, order[begin:i])
			begin = i
		}
	}
	for len(runs) > 1 {
		// Merge only adjacent runs, so that the shorter of two equal keys stays first.
		merged := runs[:0]
		for i := 0; i < len(runs); i += 2 {
			if i+1 == len(runs) {
				merged = append(merged, runs[i])
			} else {
				merged = append(merged, m.merge(runs[i], runs[i+1]))
			}
		}
		runs = merged
	}
	return slices.Concat(runs...)
}

// lengthSize is the size in bytes of a key's length (struct bpf_lpm_trie_key).
const lengthSize = 4

// merge merges entries that are sorted by the bytes after their length.
func (m *Map) merge(a, b []int) []int {
	out := make([]int, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if bytes.Compare(m.Key(b[0])[lengthSize:], m.Key(a[0])[lengthSize:]) < 0 {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// textWriter writes words, each preceded by a space.
type textWriter struct {
	*Image
	names    *names
	policies *policyNames
	b        []byte
}

func (w *textWriter) word(s string) { w.b = append(append(w.b, ' '), s...) }

func (w *textWriter) number(key string, n uint64) {
	w.word(key)
	w.b = strconv.AppendUint(append(w.b, '='), n, 10)
}

func (w *textWriter) header() {
	info := w.Info()
	w.b = append(w.b, "image"...)
	w.number("format", layout.Version)
	w.word("byte-order=little")
	w.named("node=", w.symbols.Node())
	var features []string
	for i, name := range layout.FeatureNames() {
		if info.Features&(1<<i) != 0 {
			features = append(features, name)
		}
	}
	if len(features) > 0 {
		w.word("features=" + strings.Join(features, ","))
	}
	w.b = append(w.b, '\n')
}

func (w *textWriter) mapLine(m *Map) {
	w.b = append(w.b, "\nmap"...)
	w.word(m.layout.Name)
	w.word(m.layout.Type.String())
	w.number("key", uint64(m.layout.KeySize))
	w.number("value", uint64(m.layout.ValueSize))
	w.number("entries", uint64(m.Len()))
	w.b = append(w.b, '\n')
}

func (w *textWriter) meta(_, value []byte, _ int) {
	info := layout.DecodeInfo(value)
	w.word("digest=")
	w.b = hex.AppendEncode(w.b, info.Digest[:])
	for i, name := range []string{"drop-invalid", "masquerade-ipv4", "masquerade-ipv6", "node-ports-any-ipv4", "node-ports-any-ipv6"} {
		if info.Flags&(1<<i) != 0 {
			w.word(name)
		}
	}
	if info.Features&layout.FeaturePolicies != 0 {
		w.word("denied=" + [...]string{"drop", "reject"}[info.Flags/layout.FlagDenyReject%2])
	}
	if info.Flags&layout.FlagAtInterfaces != 0 {
		w.word("at-interfaces")
	}
	if info.Flags&layout.FlagDirect != 0 {
		w.word("direct")
	}
	w.word("local=")
	switch info.Detector {
	case layout.DetectCIDR:
		w.b = append(w.b, "cidr"...)
	case layout.DetectInterface:
		w.b = appendName(append(w.b, "interface:"...), info.InterfaceName())
	case layout.DetectInterfacePrefix:
		w.b = appendName(append(w.b, "interface-prefix:"...), info.InterfaceName())
	default:
		w.b = append(w.b, "none"...)
	}
	w.serviceRanges(&info)
	if info.Node.Flags != 0 {
		w.profile(info.Node)
	}
}

func (w *textWriter) endpoint(_, value []byte, i int) {
	e := layout.DecodeEndpoint(value)
	pool := w.names.poolOf(uint32(i))
	w.b = append(append(w.b, ' '), pool.name...)
	w.addrPort(e.Address, e.Port)
	if e.Flags&layout.EndpointLocal != 0 {
		w.word("local")
	}
	w.number("weight", uint64(e.Weight))
	if e.Threshold != pool.Total {
		w.number("threshold", uint64(e.Threshold))
		other := layout.DecodeEndpoint(w.maps[layout.Endpoints].Value(int(pool.Base + e.Alias)))
		w.word("else")
		w.addrPort(other.Address, other.Port)
	}
}

func (w *textWriter) addrPort(a layout.Address, p layout.Port) {
	w.b = netip.AddrPortFrom(a.Addr(), p.Number()).AppendTo(append(w.b, ' '))
}

func (w *textWriter) address(key, value []byte, _ int) {
	flags := layout.DecodeIndex(value)
	w.b = layout.Address(key).Addr().AppendTo(append(w.b, ' '))
	for i, name := range []string{"own", "node-port"} {
		if flags&(1<<i) != 0 {
			w.word(name)
		}
	}
}

func (w *textWriter) prefix(key, _ []byte, _ int) {
	k := layout.DecodePrefixKey(key)
	w.word(layout.SetName(k.Set.Number()))
	w.b = k.Prefix().AppendTo(append(w.b, ' '))
}

func (w *textWriter) source(key, _ []byte, _ int) {
	k := layout.DecodePrefixKey(key)
	w.b = w.names.appendSet(append(w.b, ' '), k.Set.Number())
	w.b = k.Prefix().AppendTo(append(w.b, ' '))
}

// serviceRanges writes the service ranges that are in meta.
func (w *textWriter) serviceRanges(info *layout.Info) {
	between := " service-cidrs="
	for _, ipv6 := range []bool{false, true} {
		for _, r := range info.ServiceRanges(ipv6) {
			w.b = r.Prefix().AppendTo(append(w.b, between...))
			between = ","
		}
	}
}

func (w *textWriter) service(key, value []byte, i int) {
	s := layout.DecodeService(value)
	if k := layout.DecodeServiceKey(key); k.IsAddress() {
		w.b = k.Address.Addr().AppendTo(append(w.b, ' '))
		w.word("address-of-cluster-ip")
		return
	}
	w.word(matchOf(key).String())
	w.word(ir.FrontendKind(s.Kind).String())
	w.named("name=", w.symbols.Service(i).Name)
	w.word("id=")
	w.b = appendHex64(w.b, s.ID)
	if s.Affinity != 0 {
		w.number("affinity", uint64(s.Affinity))
	}
	if s.Sources != 0 {
		w.word("sources=")
		w.b = w.names.appendSet(w.b, s.Sources)
	}
	if s.Internal == s.External {
		w.route("both", s.Internal)
		return
	}
	w.route("internal", s.Internal)
	w.route("external", s.External)
}

func (w *textWriter) route(side string, r layout.Route) {
	masquerade, onEmpty := routeWords(r)
	w.word(side + "=" + masquerade + "," + onEmpty + ",")
	if r.Count == 0 {
		w.b = append(w.b, '-')
		return
	}
	w.b = append(w.b, w.names.poolOf(r.Base).name...)
}
