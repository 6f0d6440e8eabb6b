package nftables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
)

// frontend adds the elements of the frontend with an index to the sets.
func (t *table) frontend(i int) {
	f := &t.program.Frontends[i]
	internal, external, ok := t.pools.of(i)
	if !ok {
		return
	}
	at := scope(0)
	if f.Kind == ir.NodePort {
		at = nodePortScope
	}
	key := t.appendKey(make([]byte, 0, 64), f)
	outside := at
	if !internal.same(&external) && len(internal.slots) > 0 && len(external.slots) > 0 {
		outside |= externalScope
	}
	to := target{
		internal: t.step(f, f.Internal, internal, at),
		external: t.step(f, f.External, external, outside),
	}
	t.ranges(f, key, at)
	t.addVerdict(i, key, at, to)
	if to.internal.act == nothing || to.external.act == nothing {
		t.addUnserved(f, key, at)
	}
	t.routePool(i, key, to.internal, internal)
	if to.external.at != to.internal.at || to.internal.act != to.external.act {
		t.routePool(i, key, to.external, external)
	}
	t.addHairpins(f, internal)
	if external.pool != internal.pool {
		t.addHairpins(f, external)
	}
}

// step returns what one route does.
func (t *table) step(f *ir.Frontend, r ir.Route, c choice, at scope) step {
	if len(c.slots) == 0 {
		if r.OnEmpty == ir.Drop {
			return step{act: drop}
		}
		return step{act: nothing}
	}
	s := step{act: pick, at: at, n: uint32(len(c.slots)), masquerade: r.Masquerade}
	t.endpoints[0].always = t.endpoints[0].always || at == 0 && f.Affinity == 0 // for the standing chains
	if f.Affinity > 0 {
		s.act, s.n = stick, f.Affinity
		t.draws[draw{at: at, n: len(c.slots)}] = true
	}
	if r.Masquerade == ir.MasqueradeUnlessLocalSource && !t.program.Node.Local.Detects(t.ir) {
		s.masquerade = ir.MasqueradeAlways
	}
	return s
}

// routePool adds the endpoints of a route of the frontend with an index.
func (t *table) routePool(frontend int, key []byte, s step, c choice) {
	switch s.act {
	case pick:
		t.addEndpoints(t.endpointsOf(s), frontend, key, &c)
	case stick:
		t.affinity.add(t, &t.program.Frontends[frontend], key, s.at, c)
	}
}

func (t *table) addEndpoints(to *set, frontend int, key []byte, c *choice) {
	l := to.lately()
	if to == &t.endpoints[0] && l.pooled == nil { // nearly all frontends are in this one
		l.pooled = make([]pooled, 0, len(t.program.Frontends)-frontend)
		if t.ir == ir.IPv4 {
			l.near = make([]endpoint4, 0, cap(t.pools.all))
		}
	}
	l.pooled = append(l.pooled, pooled{frontend: int32(frontend), pool: c.at, near: l.appendNear(c)})
	each := len(elemIndent) + len(key) + len(" . ") + t.commentLen(&t.program.Frontends[frontend]) + len(" : ") + len(elemEnd)
	to.room += len(c.slots)*each + digitsBelow(len(c.slots))
	for i := range c.slots {
		to.room += t.endpointLen(c.endpoint(i))
	}
}

func (t *table) addVerdict(frontend int, key []byte, at scope, to target) {
	m := &t.services
	if at&nodePortScope != 0 {
		m = &t.nodeports
	}
	l := m.lately()
	if m == &t.services && l.verdicts == nil {
		l.verdicts = make([]verdictOf, 0, len(t.program.Frontends)-frontend)
	}
	v := t.verdict(to)
	l.verdicts = append(l.verdicts, verdictOf{int32(frontend), v})
	m.room += len(elemIndent) + len(key) + t.commentLen(&t.program.Frontends[frontend]) + len(" : ") + len(t.verdicts[v]) + len(elemEnd)
}

func (t *table) addUnserved(f *ir.Frontend, key []byte, at scope) {
	m := &t.unserved
	if at&nodePortScope != 0 {
		m = &t.unservedNodeports
	}
	m.end(t.comment(append(m.next(), key...), f))
}

// ranges adds the frontend's source ranges.
func (t *table) ranges(f *ir.Frontend, key []byte, at scope) {
	if len(f.SourceRanges) == 0 {
		return
	}
	who, from := &t.restricted, &t.sourceRanges
	if at&nodePortScope != 0 {
		who, from = &t.restrictedNodeports, &t.nodeportSourceRanges
	}
	who.end(t.comment(append(who.next(), key...), f))
	for _, p := range f.SourceRanges {
		b := append(append(from.next(), key...), " . "...)
		from.end(t.comment(appendPrefix(b, p), f))
	}
}

type hairpinKey struct {
	address  netip.AddrPort
	protocol ir.Protocol
}

// addHairpins adds the pool's local endpoints, each once.
func (t *table) addHairpins(f *ir.Frontend, c choice) {
	for i := range c.pool.Endpoints {
		e := &c.pool.Endpoints[i]
		k := hairpinKey{e.Address, f.Match.Protocol}
		if !e.Local || t.hairpinSeen[k] {
			continue
		}
		t.hairpinSeen[k] = true
		b := e.Address.Addr().AppendTo(t.hairpin.next())
		b = append(b, " . "...)
		b = e.Address.Addr().AppendTo(b)
		b = append(appendProtocol(append(b, " . "...), f.Match.Protocol), " . "...)
		t.hairpin.end(strconv.AppendUint(b, uint64(e.Address.Port()), 10))
	}
}

// appendKey writes the frontend's key: "address . protocol . port", or
// "protocol . port" of a nodePort.
func (t *table) appendKey(b []byte, f *ir.Frontend) []byte {
	if f.Kind != ir.NodePort {
		b = append(f.Match.Address.AppendTo(b), " . "...)
	}
	b = append(appendProtocol(b, f.Match.Protocol), " . "...)
	return appendNumber(b, uint32(f.Match.Port))
}

func (t *table) comment(b []byte, f *ir.Frontend) []byte {
	if !t.comments {
		return b
	}
	return backends.AppendComment(b, f.Service)
}

func appendEndpoint(b []byte, a netip.AddrPort) []byte {
	b = append(a.Addr().AppendTo(b), " . "...)
	return strconv.AppendUint(b, uint64(a.Port()), 10)
}

func appendProtocol(b []byte, p ir.Protocol) []byte { return append(b, p.String()...) }
