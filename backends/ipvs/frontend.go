package ipvs

import (
	"net/netip"

	"github.com/planec/planec/ir"
)

// frontend adds a frontend at one address to the sets that it needs, and adds its
// virtual services.
func (t *table) frontend(f *ir.Frontend, r routes, addr netip.Addr) {
	k := key{netip.AddrPortFrom(addr, f.Match.Port), f.Match.Protocol}
	if t.checked {
		if len(r.internal.Endpoints)+len(r.external.Endpoints) > 0 {
			t.noteOwn(f, k, r)
		}
		return
	}
	if len(f.SourceRanges) > 0 {
		t.sets.of(restricted).addKey(k, f.Service)
		for _, p := range f.SourceRanges {
			t.sets.of(ranges).addKeyPrefix(k, p)
		}
	}
	inside, outside := len(r.internal.Endpoints) > 0, len(r.external.Endpoints) > 0
	if !inside {
		t.refuse(k, f, f.Internal, dropInside, rejectInside)
	}
	if !outside {
		t.refuse(k, f, f.External, dropOutside, rejectOutside)
	}
	if !inside && !outside {
		return
	}
	t.sets.of(served).addKey(k, f.Service)
	t.noteOwn(f, k, r)
	base := r.external
	if !outside {
		base = r.internal
	}
	t.services = append(t.services, t.virtualOf(f, k, base))
	t.addHairpins(k.protocol, r.internal)
	if r.internal != r.external {
		t.addHairpins(k.protocol, r.external)
	}
	t.masquerade(k, f, inside, outside)
	t.split(k, f, r)
}

// refuse adds the answer of a route without endpoints.
func (t *table) refuse(k key, f *ir.Frontend, r ir.Route, drop, reject setName) {
	if r.OnEmpty == ir.Drop {
		t.sets.of(drop).addKey(k, f.Service)
		return
	}
	t.sets.of(reject).addKey(k, f.Service)
}

// masquerade adds the sources that are masqueraded at this frontend.
func (t *table) masquerade(k key, f *ir.Frontend, inside, outside bool) {
	if inside && masqueradesPods(f) {
		t.sets.of(masqPods).addKey(k, f.Service)
	}
	if inside && masqueradesNode(f) {
		t.sets.of(masqNode).addKey(k, f.Service)
	}
	if outside && f.External.Masquerade != ir.MasqueradeNever {
		t.sets.of(masqOutside).addKey(k, f.Service)
	}
}

// masqueradesPods concerns sources that the detector finds; without a detector
// there are none.
func masqueradesPods(f *ir.Frontend) bool {
	return f.Internal.Masquerade == ir.MasqueradeAlways
}

// masqueradesNode concerns the node's own sources that the detector does not find.
func masqueradesNode(f *ir.Frontend) bool { return f.Internal.Masquerade != ir.MasqueradeNever }

// split adds the frontend's internal route if it differs from the ordinary virtual
// service: a firewall mark selects another virtual service.
func (t *table) split(k key, f *ir.Frontend, r routes) {
	if !needsMark(f, r) {
		return
	}
	mark, ok := t.marks[groupOf(f)]
	if !ok {
		return // Check reports it
	}
	pods, node := mark, mark
	if len(r.internal.Endpoints) > 0 && masqueradesPods(f) {
		pods |= t.masqMark
	}
	if len(r.internal.Endpoints) > 0 && masqueradesNode(f) {
		node |= t.masqMark
	}
	if t.program.Node.Local.Detects(t.family) {
		t.route(routesPods, k, f, pods, r.internal)
	}
	t.route(routesNode, k, f, node, r.internal)
}

// route maps the frontend to a mark and adds the mark's virtual service if it is new.
func (t *table) route(set setName, k key, f *ir.Frontend, mark uint32, pool *ir.Pool) {
	t.sets.of(set).addKeyMark(k, mark)
	if !t.marked[mark] {
		t.marked[mark] = true
		t.services = append(t.services, t.markedOf(f, mark, pool))
	}
}

// hairpin is an endpoint that may be selected for its own connection.
type hairpin struct {
	endpoint netip.AddrPort
	protocol ir.Protocol
}

func (t *table) addHairpins(p ir.Protocol, pool *ir.Pool) {
	for i := range pool.Endpoints {
		e := &pool.Endpoints[i]
		h := hairpin{e.Address, p}
		if e.Local && !t.hairpins[h] {
			t.hairpins[h] = true
			t.sets.of(hairpins).addKeyAddr(key{e.Address, p}, e.Address.Addr())
		}
	}
}
