package ebpf

import (
	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/eval"
	"github.com/planec/planec/ir/space"
)

// Interpreter evaluates packets with one image. It is safe for concurrent use.
type Interpreter struct {
	info layout.Info
	// services are the values of svc. Those with an address are found by family,
	// destination, protocol and port, nodePorts by family, protocol and port.
	services             []layout.Service
	addressed, everyNode space.Table
	endpoints            []layout.Endpoint
	weights              []uint16
	// ipv4 and ipv6 are sets of addresses, of each family.
	ipv4, ipv6 known
	prefixes   *longest
	sources    *longest
	policies   *policies
	symbols    *image.Symbols
}

// known is what addr and svc say of addresses of one family. Loopback addresses (RFC 1122,
// RFC 4291) are every node's own.
type known struct{ own, nodePort, clusterIPs, loopback space.Set }

// New indexes an image. Images are verified (image.Read), so New cannot fail.
func New(img *image.Image) *Interpreter {
	n := &Interpreter{info: img.Info(), symbols: img.Symbols()}
	svc := img.Map(layout.Services)
	clusterIPs := map[bool][]space.Number{}
	for i := range svc.Len() {
		k, s := layout.DecodeServiceKey(svc.Key(i)), layout.DecodeService(svc.Value(i))
		n.services = append(n.services, s)
		if s.Kind == layout.KindAddress {
			ipv6 := k.Scope&layout.ScopeIPv6 != 0
			clusterIPs[ipv6] = append(clusterIPs[ipv6], numberOf(k.Address, ipv6))
			continue
		}
		n.addService(k, i)
	}
	eps := img.Map(layout.Endpoints)
	n.endpoints = make([]layout.Endpoint, eps.Len())
	for i := range n.endpoints {
		n.endpoints[i] = layout.DecodeEndpoint(eps.Value(i))
	}
	n.weigh()
	n.ipv4, n.ipv6 = addresses(img.Map(layout.Addresses))
	n.ipv4.loopback, n.ipv6.loopback = space.Own(nil)
	n.ipv4.clusterIPs, n.ipv6.clusterIPs = space.Points(clusterIPs[false]...), space.Points(clusterIPs[true]...)
	n.prefixes = newLongest(img.Map(layout.Prefixes))
	n.sources = newLongest(img.Map(layout.Sources))
	n.policies = newPolicies(img)
	return n
}

func (n *Interpreter) addService(k layout.ServiceKey, i int) {
	ipv6 := k.Scope&layout.ScopeIPv6 != 0
	family, protocol, port := one(familyOf(ipv6)), one(space.N(uint64(k.Protocol))), one(space.N(uint64(k.Port.Number())))
	if k.Scope&layout.ScopeNodePort != 0 {
		n.everyNode.Add([]space.Interval{family, protocol, port}, 0, i)
		return
	}
	n.addressed.Add([]space.Interval{family, one(numberOf(k.Address, ipv6)), protocol, port}, 0, i)
}

// familyOf is a family in a key.
func familyOf(ipv6 bool) space.Number {
	if ipv6 {
		return space.N(1)
	}
	return space.N(0)
}

// numberOf is the number of an address of a family.
func numberOf(a layout.Address, ipv6 bool) space.Number {
	if ipv6 {
		return number(a)
	}
	return number(a).And(low)
}

// addresses reads addr. IPv4-mapped addresses are those of IPv4 packets.
func addresses(m *image.Map) (ipv4, ipv6 known) {
	type list struct{ own, nodePort []space.Number }
	lists := map[bool]*list{false: {}, true: {}}
	for i := range m.Len() {
		a, flags := layout.Address(m.Key(i)), layout.DecodeIndex(m.Value(i))
		v6 := !a.Addr().Is4()
		if flags&layout.AddressOwn != 0 {
			lists[v6].own = append(lists[v6].own, numberOf(a, v6))
		}
		if flags&layout.AddressNodePort != 0 {
			lists[v6].nodePort = append(lists[v6].nodePort, numberOf(a, v6))
		}
	}
	ipv4.own, ipv6.own = space.Points(lists[false].own...), space.Points(lists[true].own...)
	ipv4.nodePort, ipv6.nodePort = space.Points(lists[false].nodePort...), space.Points(lists[true].nodePort...)
	return ipv4, ipv6
}

// weigh derives the probability of each endpoint from the alias tables instead of
// the stored weights, because programs draw from the tables.
func (n *Interpreter) weigh() {
	n.weights = make([]uint16, len(n.endpoints))
	done := make([]bool, len(n.endpoints))
	for _, s := range n.services {
		for _, r := range [...]layout.Route{s.Internal, s.External} {
			if r.Count > 0 && !done[r.Base] {
				done[r.Base] = true
				n.weighPool(r)
			}
		}
	}
}

// weighPool adds up the units of each endpoint: of Count slots with Total units
// each, an endpoint of weight w has w*Count. Without RouteWeighted, a program
// draws only the slot, so all endpoints are equally likely.
func (n *Interpreter) weighPool(r layout.Route) {
	pool := n.endpoints[r.Base : r.Base+r.Count]
	units := make([]uint64, len(pool))
	for i, e := range pool {
		if r.Flags&layout.RouteWeighted == 0 {
			units[i] = uint64(r.Total)
			continue
		}
		units[i] += uint64(e.Threshold)
		units[e.Alias] += uint64(r.Total - e.Threshold)
	}
	for i := range pool {
		n.weights[int(r.Base)+i] = uint16(units[i] / uint64(r.Count))
	}
}

// Eval returns what happens to the packet. The result has everything that
// eval.Evaluator returns except Frontend, which an image does not contain; origins
// are set if the image has symbols.
func (n *Interpreter) Eval(p eval.Packet) eval.Result {
	r := run{Interpreter: n, packets: space.New(p.Box()), shown: p, explain: true}
	return r.eval()
}

// EvalAll returns what happens to every packet of what is left of the box, without steps.
func (n *Interpreter) EvalAll(p *space.Packets) (eval.Result, error) {
	r := run{Interpreter: n, packets: p}
	return r.eval(), p.Err()
}

func (r *run) eval() eval.Result {
	r.known = &r.ipv4
	if r.packets.IPv6() {
		r.known = &r.ipv6
	}
	index, found := r.lookup()
	if !found {
		return r.unclaimed()
	}
	service := r.services[index]
	r.symbol = r.symbols.Service(index)
	if service.Sources != 0 && !r.sources.contains(r.packets, service.Sources, space.Source.Value()) {
		r.step("source", r.symbol.Origin.At("spec.loadBalancerSourceRanges"), "%v is not in source set %d: dropped", r.shown.Src, service.Sources)
		return r.end(eval.Drop)
	}
	route := r.route(service, index)
	if route.Count == 0 {
		return r.empty(route)
	}
	return r.balance(service, route)
}

// isOwn reports whether an address is the node's own according to the image.
func (r *run) isOwn(v space.Value) bool {
	return r.packets.Within(v, &r.known.own) || r.isLoopback(v)
}

func (r *run) isLoopback(v space.Value) bool { return r.packets.Within(v, &r.known.loopback) }

// isNodePort reports whether the destination serves nodePorts.
func (r *run) isNodePort() bool {
	dst := space.Destination.Value()
	switch {
	case r.isLoopback(dst):
		return false
	case r.packets.Within(dst, &r.known.nodePort):
		return true
	case !r.packets.Within(dst, &r.known.own):
		return false
	case r.info.Flags&r.byFamily(layout.FlagNodePortAnyIPv4, layout.FlagNodePortAnyIPv6) != 0:
		return true
	}
	return r.prefixes.contains(r.packets, r.setOf(layout.SetNodePort), dst)
}

// isLocalPod reports whether the local detector finds the packet's source.
func (r *run) isLocalPod() bool {
	name := r.info.InterfaceName()
	switch r.info.Detector {
	case layout.DetectCIDR:
		return r.prefixes.contains(r.packets, r.setOf(layout.SetLocal), space.Source.Value())
	case layout.DetectInterface:
		return r.packets.Is(space.Interface, space.Name(name))
	case layout.DetectInterfacePrefix:
		return !r.packets.Is(space.Interface, space.Name("")) && r.packets.Between(space.Interface, space.Names(name))
	}
	return false
}

// masquerades reports whether the node's egress rule masquerades packets to dst.
func (r *run) masquerades(dst space.Value) bool {
	on := r.info.Flags&r.byFamily(layout.FlagMasqueradeIPv4, layout.FlagMasqueradeIPv6) != 0
	return on && !r.isOwn(dst) && !r.prefixes.contains(r.packets, r.setOf(layout.SetNoMasquerade), dst)
}

// inServiceRange reports whether ClusterIPs may be allocated at the destination: meta has
// the ranges, or says that they are in prefix.
func (r *run) inServiceRange() bool {
	for _, s := range r.info.ServiceRanges(r.packets.IPv6()) {
		if r.packets.Between(space.Destination, space.Prefix(s.Prefix())) {
			return true
		}
	}
	return r.prefixes.contains(r.packets, r.setOf(layout.SetServiceCIDR), space.Destination.Value())
}

func (r *run) byFamily(ipv4, ipv6 uint32) uint32 {
	if r.packets.IPv6() {
		return ipv6
	}
	return ipv4
}

func (r *run) setOf(set uint32) uint32 { return layout.SetFor(set, r.packets.IPv6()) }
