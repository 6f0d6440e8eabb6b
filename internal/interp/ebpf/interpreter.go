package ebpf

import (
	"net/netip"
	"strings"

	image "github.com/planec/planec/backends/ebpf"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir/eval"
)

// Interpreter evaluates packets with one image. It is safe for concurrent use.
type Interpreter struct {
	info      layout.Info
	services  map[layout.ServiceKey]entry
	endpoints []layout.Endpoint
	weights   []uint16
	addresses map[layout.Address]uint32
	prefixes  longest
	sources   longest
	policies  policies
	symbols   *image.Symbols
}

// entry is a value of svc and its index.
type entry struct {
	layout.Service
	index int
}

// New indexes an image. Images are verified (image.Read), so New cannot fail.
func New(img *image.Image) *Interpreter {
	n := &Interpreter{info: img.Info(), symbols: img.Symbols()}
	svc := img.Map(layout.Services)
	n.services = make(map[layout.ServiceKey]entry, svc.Len())
	for i := range svc.Len() {
		n.services[layout.DecodeServiceKey(svc.Key(i))] = entry{layout.DecodeService(svc.Value(i)), i}
	}
	eps := img.Map(layout.Endpoints)
	n.endpoints = make([]layout.Endpoint, eps.Len())
	for i := range n.endpoints {
		n.endpoints[i] = layout.DecodeEndpoint(eps.Value(i))
	}
	n.weigh()
	addrs := img.Map(layout.Addresses)
	n.addresses = make(map[layout.Address]uint32, addrs.Len())
	for i := range addrs.Len() {
		n.addresses[layout.Address(addrs.Key(i))] = layout.DecodeIndex(addrs.Value(i))
	}
	n.prefixes = newLongest(img.Map(layout.Prefixes))
	n.sources = newLongest(img.Map(layout.Sources))
	n.policies = newPolicies(img)
	return n
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
	r := run{Interpreter: n, packet: p}
	service, found := r.lookup()
	if !found {
		return r.unclaimed()
	}
	r.symbol = n.symbols.Service(service.index)
	if service.Sources != 0 && !n.sources.contains(service.Sources, p.Src) {
		r.step("source", r.symbol.Origin.At("spec.loadBalancerSourceRanges"), "%v is not in source set %d: dropped", p.Src, service.Sources)
		return r.end(eval.Drop)
	}
	route := r.route(service)
	if route.Count == 0 {
		return r.empty(route)
	}
	return r.balance(service, route)
}

// isOwn reports whether an address is the node's own according to the image.
func (n *Interpreter) isOwn(a netip.Addr) bool {
	return n.flags(a)&layout.AddressOwn != 0 || a.IsLoopback()
}

// flags returns the flags of an address in addr. An IPv4-mapped address in an IPv6
// header has none.
func (n *Interpreter) flags(a netip.Addr) uint32 {
	if a.Is4In6() {
		return 0
	}
	return n.addresses[layout.AddressOf(a)]
}

// isNodePort reports whether an address serves nodePorts.
func (n *Interpreter) isNodePort(a netip.Addr) bool {
	flags := n.flags(a)
	switch {
	case a.IsLoopback():
		return false
	case flags&layout.AddressNodePort != 0:
		return true
	case flags&layout.AddressOwn == 0:
		return false
	case n.info.Flags&byFamily(a, layout.FlagNodePortAnyIPv4, layout.FlagNodePortAnyIPv6) != 0:
		return true
	}
	return n.contains(setOf(layout.SetNodePort, a), a)
}

// isLocalPod reports whether the local detector finds the packet's source.
func (n *Interpreter) isLocalPod(p eval.Packet) bool {
	switch n.info.Detector {
	case layout.DetectCIDR:
		return n.contains(setOf(layout.SetLocal, p.Src), p.Src)
	case layout.DetectInterface:
		return p.Interface == n.info.InterfaceName()
	case layout.DetectInterfacePrefix:
		return p.Interface != "" && strings.HasPrefix(p.Interface, n.info.InterfaceName())
	}
	return false
}

// masquerades reports whether the node's egress rule masquerades packets to dst.
func (n *Interpreter) masquerades(dst netip.Addr) bool {
	on := n.info.Flags&byFamily(dst, layout.FlagMasqueradeIPv4, layout.FlagMasqueradeIPv6) != 0
	return on && !n.isOwn(dst) && !n.contains(setOf(layout.SetNoMasquerade, dst), dst)
}

// isClusterIP reports whether the address is that of a ClusterIP.
func (n *Interpreter) isClusterIP(a netip.Addr) bool {
	_, found := n.services[layout.AddressKey(a)]
	return found
}

// inServiceRange reports whether ClusterIPs may be allocated there: meta has the ranges, or
// says that they are in prefix.
func (n *Interpreter) inServiceRange(a netip.Addr) bool {
	for _, r := range n.info.ServiceRanges(!a.Is4()) {
		if r.Prefix().Contains(a) {
			return true
		}
	}
	return n.contains(setOf(layout.SetServiceCIDR, a), a)
}

// contains reports whether a prefix of the set covers the address.
func (n *Interpreter) contains(set uint32, a netip.Addr) bool { return n.prefixes.contains(set, a) }

// contains reports whether a prefix of the set covers the address. An invalid address is in
// no set.
func (t longest) contains(set uint32, a netip.Addr) bool {
	key := layout.PrefixKey{Bits: layout.MaxPrefixBits, Set: layout.BE32Of(set), Address: layout.AddressOf(a)}
	return a.IsValid() && t.find(key.Append(nil)) != 0
}

func byFamily(a netip.Addr, ipv4, ipv6 uint32) uint32 {
	if a.Is4() {
		return ipv4
	}
	return ipv6
}

func setOf(set uint32, a netip.Addr) uint32 { return layout.SetFor(set, !a.Is4()) }
