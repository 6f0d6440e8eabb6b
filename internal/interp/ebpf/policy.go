package ebpf

import (
	"encoding/hex"
	"fmt"
	"net/netip"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
)

// policies are the maps of policies; all are empty in an image without policies.
type policies struct {
	pods    map[layout.Address]pod
	classes longest
	rows    map[layout.RowKey]layout.PolicyID
	ports   longest
	// sources has the number of an entry of sport, from 1, and sourceRows its row.
	sources    longest
	sourceRows *image.Map
	logs       map[layout.LogKey]string
	// profiles and members are the first entries in pod and class of each profile
	// and class; these entries have the symbols.
	profiles map[layout.PolicyID]int
	members  map[uint32]int
}

// pod is a value of pod and its index.
type pod struct {
	layout.Pod
	index int
}

func newPolicies(img *image.Image) policies {
	pods, classes, rows := img.Map(layout.Pods), img.Map(layout.Classes), img.Map(layout.Rows)
	p := policies{
		pods: make(map[layout.Address]pod, pods.Len()), classes: newLongest(classes),
		rows: make(map[layout.RowKey]layout.PolicyID, rows.Len()), ports: newLongest(img.Map(layout.Ports)),
		sources: newLongestOf(img.Map(layout.SourcePorts), func(i int) uint32 { return uint32(i + 1) }), sourceRows: img.Map(layout.SourcePorts),
		logs: make(map[layout.LogKey]string), profiles: make(map[layout.PolicyID]int), members: make(map[uint32]int),
	}
	logs := img.Map(layout.Logs)
	for i := range logs.Len() {
		p.logs[layout.DecodeLogKey(logs.Key(i))] = layout.DecodeLogPrefix(logs.Value(i))
	}
	for i := pods.Len() - 1; i >= 0; i-- {
		entry := pod{layout.DecodePod(pods.Value(i)), i}
		p.pods[layout.Address(pods.Key(i))] = entry
		p.profiles[entry.Profile] = i
	}
	for i := classes.Len() - 1; i >= 0; i-- {
		p.members[layout.DecodeIndex(classes.Value(i))] = i
	}
	for i := range rows.Len() {
		p.rows[layout.DecodeRowKey(rows.Key(i))] = layout.PolicyID(rows.Value(i))
	}
	return p
}

// pod finds the pod of an address. An IPv4-mapped address in an IPv6 header has none.
func (p *policies) pod(a netip.Addr) (pod, bool) {
	if a.Is4In6() {
		return pod{}, false
	}
	found, ok := p.pods[layout.AddressOf(a)]
	return found, ok
}

func (p *policies) class(a netip.Addr) uint32 {
	key := layout.PrefixKey{Bits: layout.MaxPrefixBits, Set: layout.BE32Of(layout.ClassSet(!a.Is4())), Address: layout.AddressOf(a)}
	return p.classes.find(key.Append(nil))
}

// verdict makes the last look-ups, which rows that do not depend on ports skip: the
// verdict of the row, and where it has source ports, that of the row of the source port.
// It returns the row that decided.
func (p *policies) verdict(row layout.PolicyID, q eval.Transport) (layout.Verdict, layout.PolicyID) {
	v := p.ofRow(row, q)
	if v&layout.VerdictSources == 0 {
		return v, row
	}
	key := layout.PortKey{Bits: layout.MaxPortBits, Row: row, Protocol: uint8(q.Protocol), Port: layout.PortOf(q.SourcePort)}
	if i := p.sources.find(key.Append(nil)); i > 0 {
		row = layout.PolicyID(p.sourceRows.Value(int(i - 1)))
		v = p.ofRow(row, q)
	}
	return v, row
}

func (p *policies) ofRow(row layout.PolicyID, q eval.Transport) layout.Verdict {
	switch row {
	case layout.RowAccept:
		return layout.VerdictAccept
	case layout.RowDeny:
		return layout.VerdictDeny
	}
	key := layout.PortKey{Bits: layout.MaxPortBits, Row: row, Protocol: uint8(q.Protocol), Port: layout.PortOf(q.Port)}
	return layout.Verdict(p.ports.find(key.Append(nil)))
}

// policeEndpoints judges every possible endpoint of the packet and reports whether
// any is allowed.
func (r *run) policeEndpoints() bool {
	var allowed []eval.Choice
	for _, c := range r.result.Endpoints {
		if r.police(c.Address.Addr(), c.Address.Port()) {
			allowed = append(allowed, c)
		} else {
			r.result.Denied = append(r.result.Denied, c)
		}
	}
	r.result.Endpoints = allowed
	return len(allowed) > 0
}

// police judges the egress of the source and the ingress of the destination, with
// the addresses after DNAT. What the node sends and what is delivered to it is judged by
// its own profile; its packets to its pods by the rows for the own node.
func (r *run) police(dst netip.Addr, port uint16) bool {
	p, q := r.packet, r.packet.Transport(port)
	fromOwn, toOwn := p.From == eval.FromNode || r.isOwn(p.Src), r.isOwn(dst)
	switch {
	case fromOwn && toOwn, p.Protocol == ir.ICMPv6 && p.Type >= 133 && p.Type <= 137:
		return true
	case p.From == eval.FromNode:
		if !r.judge(r.node(), layout.DirectionEgress, dst, q) {
			return false
		}
	case p.Midstream && p.Protocol == ir.TCP && !r.isOwn(p.Src) && !toOwn && (r.denies(dst, layout.DirectionEgress) || r.denies(p.Src, layout.DirectionIngress)):
		return false
	case !r.judge(r.pod(p.Src), layout.DirectionEgress, dst, q):
		return false
	}
	switch {
	case toOwn:
		return r.judge(r.node(), layout.DirectionIngress, p.Src, q)
	case fromOwn:
		return r.judgeOwn(r.pod(dst), p.Src, q)
	}
	return r.judge(r.pod(dst), layout.DirectionIngress, p.Src, q)
}

// denies reports whether policies of a pod deny anything in a direction.
func (r *run) denies(a netip.Addr, direction uint8) bool {
	entry, found := r.policies.pod(a)
	return found && entry.Denies(direction)
}

// subject is whom policies apply to: a pod of the node, or the node. Nothing is judged
// for one that is in no profile.
type subject struct {
	layout.Pod
	name    string
	profile image.Symbol
}

func (r *run) pod(a netip.Addr) subject {
	entry, found := r.policies.pod(a)
	if !found {
		return subject{}
	}
	s := subject{Pod: entry.Pod, name: a.String(), profile: r.symbols.Profile(r.policies.profiles[entry.Profile])}
	if name := r.symbols.Pod(entry.index).Name; name != "" {
		s.name = fmt.Sprintf("%s (%v)", name, a)
	}
	return s
}

func (r *run) node() subject {
	return subject{Pod: r.info.Node, name: "the node", profile: r.symbols.NodeProfile()}
}

// judge makes the look-ups of one direction: class, row, port, and sport where the row
// has source ports.
func (r *run) judge(s subject, direction uint8, peer netip.Addr, q eval.Transport) bool {
	row, policed := s.Row(direction)
	if !policed {
		return true
	}
	class := r.policies.class(peer)
	if own, found := r.policies.rows[layout.RowKey{Profile: s.Profile, Class: layout.BE32Of(class), Direction: direction}]; found {
		row = own
	}
	origin, sets := s.profile.Origin, ""
	if class != 0 {
		symbol := r.symbols.Class(r.policies.members[class])
		if sets = symbol.Name; sets != "" {
			origin, sets = symbol.Origin, fmt.Sprintf(" (%s)", sets)
		}
	}
	stage, toward := ir.Egress, "to"
	if direction == layout.DirectionIngress {
		stage, toward = ir.Ingress, "from"
	}
	return r.decide(s, row, q, stage, origin, fmt.Sprintf("%s %v", toward, peer), fmt.Sprintf("class %08x%s, ", class, sets))
}

// judgeOwn judges a packet from the own node to a pod.
func (r *run) judgeOwn(s subject, peer netip.Addr, q eval.Transport) bool {
	if s.Flags&layout.PodOwn == 0 {
		return true
	}
	row := r.policies.rows[layout.RowKey{Profile: s.Profile, Direction: layout.DirectionOwn}]
	return r.decide(s, row, q, ir.Ingress, s.profile.Origin, fmt.Sprintf("from the own node (%v)", peer), "")
}

// decide asks a row, and says what it says.
func (r *run) decide(s subject, row layout.PolicyID, q eval.Transport, stage ir.Direction, origin ir.Origin, toward, class string) bool {
	verdict, decided := r.policies.verdict(row, q)
	if n := verdict.Log(); n > 0 {
		prefix := r.policies.logs[layout.LogKey{Row: decided, Number: layout.BE32Of(uint32(n))}]
		r.result.Logs = append(r.result.Logs, prefix)
		r.step("log", origin, "%s %s, %v: logged with prefix %q", s.name, toward, what(q), prefix)
	}
	profile := s.profile.Name
	if profile == "" {
		profile = hex.EncodeToString(s.Profile[:])
	}
	if decided != row {
		class += fmt.Sprintf("source port %d of row %x, ", q.SourcePort, row)
	}
	verb := "denied"
	if verdict.Accepts() {
		verb = "accepted"
	}
	r.step(stage.String(), origin, "%s %s, %s: %srow %x of profile %s: %s", s.name, toward, what(q), class, decided, profile, verb)
	return verdict.Accepts()
}

// what names the protocol of a packet, with its port, or its type and code.
func what(q eval.Transport) string {
	if q.Port == 0 && !q.Protocol.HasTypes() {
		return q.Protocol.String()
	}
	return q.String()
}

// refusal returns the verdict of denied packets.
func (r *run) refusal() eval.Verdict {
	r.result.Endpoints, r.result.Masquerade = nil, false
	if r.info.Flags&layout.FlagDenyReject != 0 {
		return eval.Reject
	}
	return eval.Drop
}
