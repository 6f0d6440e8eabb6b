package ebpf

import (
	"encoding/hex"
	"fmt"
	"net/netip"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// policies are the maps of policies; all are empty in an image without policies.
type policies struct {
	// pods finds the place in entries of a pod by family and address; pods of equal
	// entries have one place.
	pods    space.Table
	entries []layout.Pod
	// names finds the index in pod by address, for texts.
	names   map[layout.Address]int
	classes *longest
	rows    map[layout.RowKey]layout.PolicyID
	ports   *ports
	// sources has the number of a row in sourceRows, from 1, by source port.
	sources    *ports
	sourceRows []layout.PolicyID
	logs       map[layout.LogKey]string
	// profiles and members are the first entries in pod and class of each profile
	// and class; these entries have the symbols.
	profiles map[layout.PolicyID]int
	members  map[uint32]int
	peers    peers
}

func newPolicies(img *image.Image) *policies {
	classes, rows, ports := img.Map(layout.Classes), img.Map(layout.Rows), img.Map(layout.Ports)
	p := &policies{
		classes: newLongest(classes), rows: make(map[layout.RowKey]layout.PolicyID, rows.Len()),
		ports: newPorts(ports, func(i int) int { return int(layout.DecodeIndex(ports.Value(i))) }),
		names: make(map[layout.Address]int), logs: make(map[layout.LogKey]string),
		profiles: make(map[layout.PolicyID]int), members: make(map[uint32]int),
	}
	p.addPods(img.Map(layout.Pods))
	p.addSources(img.Map(layout.SourcePorts))
	logs := img.Map(layout.Logs)
	for i := range logs.Len() {
		p.logs[layout.DecodeLogKey(logs.Key(i))] = layout.DecodeLogPrefix(logs.Value(i))
	}
	for i := classes.Len() - 1; i >= 0; i-- {
		p.members[layout.DecodeIndex(classes.Value(i))] = i
	}
	for i := range rows.Len() {
		p.rows[layout.DecodeRowKey(rows.Key(i))] = layout.PolicyID(rows.Value(i))
	}
	return p
}

// addPods reads pod. IPv4-mapped addresses are those of IPv4 packets.
func (p *policies) addPods(m *image.Map) {
	places := make(map[layout.Pod]int)
	for i := m.Len() - 1; i >= 0; i-- {
		a, entry := layout.Address(m.Key(i)), layout.DecodePod(m.Value(i))
		place, has := places[entry]
		if !has {
			place = len(p.entries)
			places[entry], p.entries = place, append(p.entries, entry)
		}
		ipv6 := !a.Addr().Is4()
		p.pods.Add([]space.Interval{one(familyOf(ipv6)), one(numberOf(a, ipv6))}, 0, place)
		p.names[a], p.profiles[entry.Profile] = i, i
	}
}

func (p *policies) addSources(m *image.Map) {
	places := make(map[layout.PolicyID]int)
	p.sources = newPorts(m, func(i int) int {
		row := layout.PolicyID(m.Value(i))
		if places[row] == 0 {
			p.sourceRows = append(p.sourceRows, row)
			places[row] = len(p.sourceRows)
		}
		return places[row]
	})
}

// transport is the transport header of packets as policies see it.
type transport struct{ port, kind space.Value }

// verdict makes the last look-ups, which rows that do not depend on ports skip: the
// verdict of the row, and where it has source ports, that of the row of the source port.
// It returns the row that decided.
func (r *run) verdict(row layout.PolicyID, q transport) (layout.Verdict, layout.PolicyID) {
	v := r.ofRow(row, q)
	if v&layout.VerdictSources == 0 {
		return v, row
	}
	if i := r.policies.sources.find(r.packets, row, space.Protocol.Value(), space.SourcePort.Value()); i > 0 {
		row = r.policies.sourceRows[i-1]
		v = r.ofRow(row, q)
	}
	return v, row
}

func (r *run) ofRow(row layout.PolicyID, q transport) layout.Verdict {
	switch row {
	case layout.RowAccept:
		return layout.VerdictAccept
	case layout.RowDeny:
		return layout.VerdictDeny
	}
	port := q.port
	if !port.Known && (r.of(ir.ICMP) || r.of(ir.ICMPv6)) {
		port = q.kind
	}
	return layout.Verdict(r.policies.ports.find(r.packets, row, space.Protocol.Value(), port))
}

// of reports whether the packet is of the protocol.
func (r *run) of(p ir.Protocol) bool { return r.packets.Is(space.Protocol, space.N(uint64(p))) }

// policeEndpoints judges every possible endpoint of the packet and reports whether
// any is allowed.
func (r *run) policeEndpoints() bool {
	var allowed []eval.Choice
	for _, c := range r.result.Endpoints {
		to, port := space.Known(space.Addr(c.Address.Addr())), space.Known(space.N(uint64(c.Address.Port())))
		if r.police(to, port) {
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
func (r *run) police(dst, port space.Value) bool {
	if len(r.policies.entries) == 0 && r.info.Node.Flags == 0 {
		return true
	}
	src, q, fromNode := space.Source.Value(), transport{port, space.Type.Value()}, r.from(eval.FromNode)
	fromOwn, toOwn := fromNode || r.isOwn(src), r.isOwn(dst)
	switch {
	case fromOwn && toOwn, r.neighbourDiscovery():
		return true
	case fromNode:
		if !r.judge(r.node(), layout.DirectionEgress, dst, q) {
			return false
		}
	case r.midstream() && !r.isOwn(src) && !toOwn && (r.denies(dst, layout.DirectionEgress) || r.denies(src, layout.DirectionIngress)):
		return false
	case !r.judge(r.pod(src), layout.DirectionEgress, dst, q):
		return false
	}
	switch {
	case toOwn:
		return r.judge(r.node(), layout.DirectionIngress, src, q)
	case fromOwn:
		return r.judgeOwn(r.pod(dst), src, q)
	}
	return r.judge(r.pod(dst), layout.DirectionIngress, src, q)
}

func (r *run) midstream() bool {
	return r.packets.Is(space.Midstream, space.N(1)) && r.of(ir.TCP)
}

// neighbourDiscovery matches the ICMPv6 types 133 to 137 (RFC 4861).
func (r *run) neighbourDiscovery() bool {
	return r.of(ir.ICMPv6) && r.packets.Between(space.Type, space.Interval{First: space.N(133 << 8), Last: space.N(137<<8 | 0xff)})
}

// denies reports whether policies of a pod deny anything in a direction.
func (r *run) denies(addr space.Value, direction uint8) bool {
	place, found := r.policies.pods.Find(r.packets, space.Known(familyOf(r.packets.IPv6())), addr)
	return found && r.policies.entries[place].Denies(direction)
}

// subject is whom policies apply to: a pod of the node, or the node. Nothing is judged
// for one that is in no profile.
type subject struct {
	layout.Pod
	name    string
	profile image.Symbol
}

func (r *run) pod(v space.Value) subject {
	place, found := r.policies.pods.Find(r.packets, space.Known(familyOf(r.packets.IPv6())), v)
	if !found {
		return subject{}
	}
	s := subject{Pod: r.policies.entries[place]}
	if !r.explain {
		return s
	}
	a := r.text(v)
	s.name, s.profile = a.String(), r.symbols.Profile(r.policies.profiles[s.Profile])
	if name := r.symbols.Pod(r.policies.names[layout.AddressOf(a)]).Name; name != "" {
		s.name = fmt.Sprintf("%s (%v)", name, a)
	}
	return s
}

// text is an address for texts.
func (r *run) text(v space.Value) netip.Addr {
	switch {
	case v.Known:
		return v.Number.Addr(r.packets.IPv6())
	case v.Field == space.Source:
		return r.shown.Src
	}
	return r.shown.Dst
}

func (r *run) node() subject {
	return subject{Pod: r.info.Node, name: "the node", profile: r.symbols.NodeProfile()}
}

// judge makes the look-ups of one direction: class, row, port, and sport where the row
// has source ports.
func (r *run) judge(s subject, direction uint8, peer space.Value, q transport) bool {
	row, policed := s.Row(direction)
	if !policed {
		return true
	}
	if !r.explain {
		return r.decide(s, r.rowOf(s, direction, row, peer), q, 0, ir.Origin{}, "", "")
	}
	class := r.policies.classes.find(r.packets, layout.ClassSet(r.packets.IPv6()), peer)
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
	return r.decide(s, row, q, stage, origin, fmt.Sprintf("%s %v", toward, r.text(peer)), fmt.Sprintf("class %08x%s, ", class, sets))
}

// judgeOwn judges a packet from the own node to a pod.
func (r *run) judgeOwn(s subject, peer space.Value, q transport) bool {
	if s.Flags&layout.PodOwn == 0 {
		return true
	}
	row := r.policies.rows[layout.RowKey{Profile: s.Profile, Direction: layout.DirectionOwn}]
	return r.decide(s, row, q, ir.Ingress, s.profile.Origin, fmt.Sprintf("from the own node (%v)", r.text(peer)), "")
}

// decide asks a row, and says what it says.
func (r *run) decide(s subject, row layout.PolicyID, q transport, stage ir.Direction, origin ir.Origin, toward, class string) bool {
	verdict, decided := r.verdict(row, q)
	if n := verdict.Log(); n > 0 {
		prefix := r.policies.logs[layout.LogKey{Row: decided, Number: layout.BE32Of(uint32(n))}]
		r.result.Logs = append(r.result.Logs, prefix)
		r.step("log", origin, "%s %s, %v: logged with prefix %q", s.name, toward, r.what(q), prefix)
	}
	if !r.explain {
		return verdict.Accepts()
	}
	profile := s.profile.Name
	if profile == "" {
		profile = hex.EncodeToString(s.Profile[:])
	}
	if decided != row {
		class += fmt.Sprintf("source port %d of row %x, ", r.shown.SourcePort, row)
	}
	verb := "denied"
	if verdict.Accepts() {
		verb = "accepted"
	}
	r.step(stage.String(), origin, "%s %s, %s: %srow %x of profile %s: %s", s.name, toward, r.what(q), class, decided, profile, verb)
	return verdict.Accepts()
}

// what names the protocol of a packet, with its port, or its type and code, where a text is
// wanted.
func (r *run) what(t transport) string {
	if !r.explain {
		return ""
	}
	port := r.shown.Port
	if t.port.Known {
		port = uint16(t.port.Number.Lo)
	}
	q := r.shown.Transport(port)
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
