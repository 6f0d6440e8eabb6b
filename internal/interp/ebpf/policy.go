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
		profiles: make(map[layout.PolicyID]int), members: make(map[uint32]int),
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

// verdict makes the last look-up, which rows that do not depend on ports skip.
func (p *policies) verdict(row layout.PolicyID, proto ir.Protocol, port uint16) bool {
	switch row {
	case layout.RowAccept:
		return true
	case layout.RowDeny:
		return false
	}
	key := layout.PortKey{Bits: layout.MaxPortBits, Row: row, Protocol: uint8(proto), Port: layout.PortOf(port)}
	return p.ports.find(key.Append(nil)) == layout.VerdictAccept
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
// the addresses after DNAT. Packets that the node sends and neighbour discovery
// pass; packets from the node's own addresses pass ingress.
func (r *run) police(dst netip.Addr, port uint16) bool {
	p := r.packet
	switch {
	case p.From == eval.FromNode || p.Protocol == ir.ICMPv6 && p.Type >= 133 && p.Type <= 137:
		return true
	case p.Midstream && p.Protocol == ir.TCP && !r.isOwn(p.Src) && !r.isOwn(dst) && (r.policed(dst, layout.DirectionEgress) || r.policed(p.Src, layout.DirectionIngress)):
		return false
	case !r.judge(layout.DirectionEgress, p.Src, dst, port):
		return false
	}
	return r.isOwn(p.Src) || r.judge(layout.DirectionIngress, dst, p.Src, port)
}

// policed reports whether policies apply to a direction of a pod.
func (r *run) policed(a netip.Addr, direction uint8) bool {
	entry, found := r.policies.pod(a)
	_, policed := entry.Row(direction)
	return found && policed
}

// judge makes the look-ups of one direction: pod, class, row, port.
func (r *run) judge(direction uint8, subject, peer netip.Addr, port uint16) bool {
	entry, found := r.policies.pod(subject)
	row, policed := entry.Row(direction)
	if !found || !policed {
		return true
	}
	class := r.policies.class(peer)
	if own, found := r.policies.rows[layout.RowKey{Profile: entry.Profile, Class: layout.BE32Of(class), Direction: direction}]; found {
		row = own
	}
	accept := r.policies.verdict(row, r.packet.Protocol, port)
	r.explain(entry, direction, subject, peer, port, class, row, accept)
	return accept
}

func (r *run) explain(entry pod, direction uint8, subject, peer netip.Addr, port uint16, class uint32, row layout.PolicyID, accept bool) {
	profile := r.symbols.Profile(r.policies.profiles[entry.Profile])
	if profile.Name == "" {
		profile.Name = hex.EncodeToString(entry.Profile[:])
	}
	who := subject.String()
	if name := r.symbols.Pod(entry.index).Name; name != "" {
		who = fmt.Sprintf("%s (%v)", name, subject)
	}
	origin, sets := profile.Origin, ""
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
	verb := "denied"
	if accept {
		verb = "accepted"
	}
	what := r.packet.Protocol.String()
	if port != 0 {
		what = fmt.Sprintf("%d/%v", port, r.packet.Protocol)
	}
	r.step(stage.String(), origin, "%s %s %v, %s: class %08x%s, row %x of profile %s: %s", who, toward, peer, what, class, sets, row, profile.Name, verb)
}

// refusal returns the verdict of denied packets.
func (r *run) refusal() eval.Verdict {
	r.result.Endpoints, r.result.Masquerade = nil, false
	if r.info.Flags&layout.FlagDenyReject != 0 {
		return eval.Reject
	}
	return eval.Drop
}
