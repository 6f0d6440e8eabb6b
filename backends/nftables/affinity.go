package nftables

import (
	"cmp"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/identity"
)

// affinitySize bounds the bindings of one family: clients times Services with
// affinity within the timeout. When the map is full, each connection of a new
// client is balanced anew; nothing else breaks.
const affinitySize = "1048576"

// savedMarksSize bounds the connections that traverse an affinity chain at
// the same time: at most one for each CPU.
const savedMarksSize = "65536"

// affinitySets are the maps of session affinity (see doc.go).
type affinitySets struct {
	bindings, marks set
	// services map a frontend to the ID of its Service: [0] by address, [1] by nodePort.
	services [2]set
	// draws map to the chain that draws an index, slots map an index to an
	// endpoint's ID, endpoints map an ID to an address.
	draws, slots, endpoints [scopes]set

	serviceIDs  map[ir.ServicePort]uint32
	endpointIDs map[ir.ServicePort]map[netip.AddrPort]uint32
}

func newAffinitySets(f family) affinitySets {
	a := affinitySets{
		bindings: set{
			kind: "map", name: "affinity", of: "typeof " + f.client + " : meta priority",
			size: affinitySize, flags: "dynamic,timeout",
		},
		marks: set{
			kind: "map", name: "affinity-saved-marks", of: "typeof ct id : meta mark",
			size: savedMarksSize, flags: "dynamic,timeout",
		},
		serviceIDs: make(map[ir.ServicePort]uint32), endpointIDs: make(map[ir.ServicePort]map[netip.AddrPort]uint32),
	}
	for i, s := range []scope{0, nodePortScope} {
		a.services[i] = set{kind: "map", name: s.prefix() + "affinity-services", of: "typeof " + s.keyExpr(f) + " : meta mark"}
	}
	for s := range scope(scopes) {
		key, name := s.keyExpr(f), s.prefix()+"affinity-"
		a.draws[s] = set{kind: "map", name: name + "draws", of: "type " + s.keyType(f) + " : verdict"}
		a.slots[s] = set{kind: "map", name: name + "slots", of: "typeof " + key + " . " + indexExpr(maxSlots) + " : meta priority"}
		a.endpoints[s] = set{kind: "map", name: name + "endpoints", of: "typeof " + key + " . meta priority : " + f.ip + " daddr . th dport"}
	}
	return a
}

func (a *affinitySets) sets() []*set {
	list := []*set{&a.bindings, &a.marks, &a.services[0], &a.services[1]}
	for s := range scope(scopes) {
		list = append(list, &a.draws[s], &a.slots[s], &a.endpoints[s])
	}
	return list
}

// used reports whether any frontend of the family has affinity.
func (a *affinitySets) used() bool { return a.bindings.always }

// add adds one route of a frontend.
func (a *affinitySets) add(t *table, f *ir.Frontend, key []byte, at scope, c choice) {
	a.bindings.always, a.marks.always = true, true
	if at&externalScope == 0 {
		a.addService(t, f, key, at)
	}
	m := &a.draws[at]
	b := t.comment(append(m.next(), key...), f)
	m.end(append(b, " : jump "+draw{at: at, n: len(c.slots)}.name()...))
	ids := a.endpointIDs[f.Service]
	a.addSlots(&a.slots[at], t, f, key, c, ids)
	a.addEndpoints(&a.endpoints[at], t, f, key, c, ids)
}

func (a *affinitySets) addService(t *table, f *ir.Frontend, key []byte, at scope) {
	m := &a.services[at&nodePortScope]
	b := t.comment(append(m.next(), key...), f)
	m.end(append(b, " : "+hex32(a.serviceIDs[f.Service])...))
}

func (a *affinitySets) addSlots(m *set, t *table, f *ir.Frontend, key []byte, c choice, ids map[netip.AddrPort]uint32) {
	for i := range c.slots {
		b := append(append(m.next(), key...), " . "...)
		b = t.comment(strconv.AppendInt(b, int64(i), 10), f)
		m.end(appendHandle(append(b, " : "...), ids[c.endpoint(i)]))
	}
}

func (a *affinitySets) addEndpoints(m *set, t *table, f *ir.Frontend, key []byte, c choice, ids map[netip.AddrPort]uint32) {
	for i := range c.pool.Endpoints {
		address := c.pool.Endpoints[i].Address
		b := append(append(m.next(), key...), " . "...)
		b = t.comment(appendHandle(b, ids[address]), f)
		m.end(appendEndpoint(append(b, " : "...), address))
	}
}

// name assigns an ID to every Service with affinity and to each of its endpoints.
func (a *affinitySets) name(t *table) {
	members := make(map[ir.ServicePort][]netip.AddrPort)
	var order []ir.ServicePort
	for i := range t.program.Frontends {
		f := &t.program.Frontends[i]
		if f.Affinity == 0 || f.Match.Family != t.ir {
			continue
		}
		if _, seen := members[f.Service]; !seen {
			order = append(order, f.Service)
		}
		members[f.Service] = append(members[f.Service], t.members(i)...)
	}
	slices.SortFunc(order, compareServicePort)
	var numbers identity.Numbers
	for _, s := range order {
		a.serviceIDs[s] = numbers.Free(hashString(s.String()), 1, 1<<32-1)
		a.endpointIDs[s] = endpointIDs(members[s])
	}
}

// members returns the endpoints that the frontend with an index may choose on any route.
func (t *table) members(frontend int) []netip.AddrPort {
	var list []netip.AddrPort
	for _, pool := range t.pools.routes[frontend] {
		if c, ok := t.pools.at(int(pool)); ok {
			for i := range c.pool.Endpoints {
				list = append(list, c.pool.Endpoints[i].Address)
			}
		}
	}
	return list
}

// The IDs of endpoints are unused traffic class handles, because a packet
// carries them in meta priority for a moment.
const (
	firstEndpointID = 0xc0000000
	lastEndpointID  = 0xfffffffe
)

func endpointIDs(members []netip.AddrPort) map[netip.AddrPort]uint32 {
	slices.SortFunc(members, netip.AddrPort.Compare)
	members = slices.Compact(members)
	ids := make(map[netip.AddrPort]uint32, len(members))
	var numbers identity.Numbers
	for _, m := range members {
		ids[m] = numbers.Free(uint32(hashAddrPort(m))|firstEndpointID, firstEndpointID, lastEndpointID)
	}
	return ids
}

func hashString(s string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return h.Sum32()
}

// appendHandle writes an ID as nft lists a traffic class handle: in hex, or with
// a word (TC_H_UNSPEC and TC_H_ROOT in include/uapi/linux/pkt_sched.h).
func appendHandle(b []byte, id uint32) []byte {
	switch id {
	case 0:
		return append(b, "none"...)
	case 1<<32 - 1:
		return append(b, "root"...)
	}
	b = strconv.AppendUint(b, uint64(id>>16), 16)
	b = append(b, ':')
	return strconv.AppendUint(b, uint64(id&0xffff), 16)
}

func compareServicePort(a, b ir.ServicePort) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name),
		cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
}
