package iptables

import (
	"net/netip"
	"slices"
	"strconv"

	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/ir"
)

// frontend writes the chains of a frontend and adds it to the sets and to the
// dispatch.
func (d *dataplane) frontend(f *ir.Frontend) {
	internal, external := d.route(f, f.Internal), d.route(f, f.External)
	target := internal
	if internal != external {
		target = d.split(f, split{internal, external, d.shadows(f)})
	} else if target == "" && d.shadows(f) {
		target = accept
	}
	if target != "" {
		d.addEntry(f, target)
	}
	d.addUnserved(f)
	d.addHairpins(f)
	if f.Kind != ir.NodePort {
		d.addRanges(f)
	}
}

// accept ends the traversal of the nat table: the address belongs to a frontend
// without endpoints, so the packet must not reach a nodePort.
const accept = " -j ACCEPT"

// shadows reports whether the frontend takes packets from a nodePort: a packet to an
// address of the node may match both, and the frontend with the address has priority.
func (d *dataplane) shadows(f *ir.Frontend) bool {
	if f.Kind == ir.NodePort || !d.nodePortKeys[portKey(f.Match)] {
		return false
	}
	scope := &d.program.Node.NodePorts
	return slices.Contains(scope.Addresses, f.Match.Address) || ir.ContainsAddr(scope.Prefixes, f.Match.Address)
}

// split is a frontend with two different routes. Each field is a target, or "" if
// the route has no endpoints.
type split struct {
	internal, external string
	shadows            bool
}

// split returns the chain that separates the sources of the two routes.
func (d *dataplane) split(f *ir.Frontend, s split) string {
	if have, ok := d.splits[s]; ok {
		return have
	}
	name := d.names.Own(xtables.FrontendChain, s.internal, s.external, strconv.FormatBool(s.shadows))
	target := " -g " + name
	d.splits[s] = target
	nothing := " -j RETURN"
	if s.shadows {
		nothing = accept
	}
	internal, external := s.internal, s.external
	if internal == "" {
		internal = nothing
	}
	if external == "" && s.shadows {
		external = accept
	}
	w := &d.nat
	w.open(name)
	for _, local := range d.localSources() {
		w.end(append(d.comment(append(w.rule(), local...), &f.Service), internal...))
	}
	w.end(append(d.comment(append(w.rule(), xtables.FromSelf...), &f.Service), internal...))
	if external != "" {
		w.end(append(d.comment(w.rule(), &f.Service), external...))
	}
	w.close()
	return target
}

// addUnserved adds the frontend to the sets of routes without endpoints. Packets
// with an endpoint are already translated when the rules match these sets. So if
// one route has endpoints, the other route's answer can apply to all clients.
func (d *dataplane) addUnserved(f *ir.Frontend) {
	internal := len(d.pool(f.Internal).Endpoints) == 0
	external := len(d.pool(f.External).Endpoints) == 0
	nodePort := f.Kind == ir.NodePort
	switch {
	case external:
		d.addKey(d.answers(f.External.OnEmpty, nodePort, false), f)
		if internal && f.Internal.OnEmpty != f.External.OnEmpty {
			d.addKey(d.answers(f.Internal.OnEmpty, nodePort, true), f)
		}
	case internal:
		d.addKey(d.answers(f.Internal.OnEmpty, nodePort, false), f)
	}
}

// answers returns the set of the frontends that give this answer.
func (d *dataplane) answers(a ir.Refusal, nodePort, internal bool) *set {
	all := [2][2][2]*set{
		{{&d.sets.reject, &d.sets.rejectInternal}, {&d.sets.nodePortReject, &d.sets.npRejectInternal}},
		{{&d.sets.drop, &d.sets.dropInternal}, {&d.sets.nodePortDrop, &d.sets.npDropInternal}},
	}
	index := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return all[index(a == ir.Drop)][index(nodePort)][index(internal)]
}

// addKey adds the frontend to a set of frontends. A nodePort is added with both halves
// of the address space, because an earlier rule has checked the destination address.
func (d *dataplane) addKey(s *set, f *ir.Frontend) {
	if f.Kind != ir.NodePort {
		s.end(appendKey(s.next(), f.Match))
		return
	}
	for _, half := range d.halves {
		s.end(appendProtocolPort(append(s.next(), half...), f.Match.Protocol, f.Match.Port))
	}
}

// appendKey writes "address,protocol:port".
func appendKey(b []byte, m ir.Match) []byte {
	return appendProtocolPort(m.Address.AppendTo(b), m.Protocol, m.Port)
}

func appendProtocolPort(b []byte, p ir.Protocol, port uint16) []byte {
	b = append(append(append(b, ','), p.String()...), ':')
	return strconv.AppendUint(b, uint64(port), 10)
}

type hairpin struct {
	address  netip.AddrPort
	protocol ir.Protocol
}

// addHairpins adds the frontend's local endpoints without duplicates.
func (d *dataplane) addHairpins(f *ir.Frontend) {
	for _, r := range []ir.Route{f.Internal, f.External} {
		for i := range d.pool(r).Endpoints {
			e := &d.pool(r).Endpoints[i]
			h := hairpin{e.Address, f.Match.Protocol}
			if !e.Local || d.hairpins[h] {
				continue
			}
			d.hairpins[h] = true
			a := e.Address.Addr()
			b := appendProtocolPort(a.AppendTo(d.sets.hairpin.next()), f.Match.Protocol, e.Address.Port())
			d.sets.hairpin.end(a.AppendTo(append(b, ',')))
		}
	}
}
