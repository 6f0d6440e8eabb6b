package ebpf

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
	"github.com/planec/planec/ir/identity"
)

// builder lays out a program, one map after the other.
type builder struct {
	program   *ir.Program
	policy    *policyTables
	frontends []*ir.Frontend
	pools     map[string]*ir.Pool
	// routes has, for each pool that was laid out, the fields that all routes to
	// the pool share.
	routes  map[string]layout.Route
	sources sourceSets
	ids     *identities
	hash    identity.Hash
	info    layout.Info
	tables  [layout.NumMaps]Map
	symbols *symbolBuilder
}

func newBuilder(p *ir.Program, symbols bool, hash identity.Hash) (*builder, error) {
	pools := backends.Pools(p)
	p = failsafe.Frontends(p, func(f *ir.Frontend) bool { return refusalOf(f, pools) != nil })
	var policy *policyTables
	p, _ = backends.Fit(p, func(x *ir.Policy) (err error) {
		policy, err = resolvePolicy(x, hash)
		return err
	})
	b := &builder{
		program: p,
		policy:  policy,
		pools:   backends.Pools(p),
		routes:  make(map[string]layout.Route, len(p.Pools)),
		sources: sourceSets{sets: make(map[string]uint32)},
		ids:     newIdentities(len(p.Frontends), hash),
		hash:    hash,
	}
	for i, m := range layout.Maps() {
		b.tables[i].layout = m
	}
	if symbols {
		b.symbols = newSymbolBuilder(p)
	}
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for _, r := range [...]*ir.Route{&f.Internal, &f.External} {
			if b.pools[r.Pool] == nil {
				return nil, fmt.Errorf("service %v: frontend %v: pool %q does not exist", f.Service, f.Match, r.Pool)
			}
		}
		b.frontends = append(b.frontends, f)
	}
	return b, nil
}

// image lays out all maps and computes the digests.
func (b *builder) image() (*Image, error) {
	b.layPools()
	b.layServices()
	b.layAddresses()
	b.layPrefixes()
	b.layPolicies()
	for i := range b.tables {
		if n := b.tables[i].Len(); n > layout.MaxEntries {
			return nil, fmt.Errorf("map %s has %d entries, more than %d", b.tables[i].layout.Name, n, layout.MaxEntries)
		}
		b.tables[i].sort()
	}
	b.layInfo()
	img := &Image{maps: b.tables}
	img.seal()
	if b.symbols != nil {
		img.symbols = b.symbols.finish(b.program, b.sources.owners, &b.tables)
	}
	return img, nil
}

// layServices writes an entry of svc for each frontend.
func (b *builder) layServices() {
	t := &b.tables[layout.Services]
	t.grow(len(b.frontends))
	for _, f := range b.frontends {
		s := layout.Service{
			ID: b.ids.of(f.Service), Internal: b.route(f.Internal), External: b.route(f.External),
			Affinity: f.Affinity, Sources: b.sources.of(f), Kind: uint8(f.Kind),
		}
		b.need(f, &s)
		key := serviceKey(f.Match)
		t.data = s.Append(key.Append(t.data))
		if b.symbols != nil {
			b.symbols.service(key, f)
		}
	}
}

// need adds the features that a program must have to serve the frontend.
func (b *builder) need(f *ir.Frontend, s *layout.Service) {
	if s.Affinity != 0 {
		b.info.Features |= layout.FeatureAffinity
	}
	if s.Sources != 0 {
		b.info.Features |= layout.FeatureSourceRanges
	}
	if (s.Internal.Flags|s.External.Flags)&layout.RouteWeighted != 0 {
		b.info.Features |= layout.FeatureWeights
	}
	if f.Kind == ir.NodePort {
		b.info.Features |= layout.FeatureNodePorts
	}
	if f.Match.Protocol == ir.SCTP {
		b.info.Features |= layout.FeatureSCTP
	}
}

// route returns a route: the fields of its pool, and those of r.
func (b *builder) route(r ir.Route) layout.Route {
	out := b.routes[r.Pool]
	switch r.Masquerade {
	case ir.MasqueradeUnlessLocalSource:
		out.Masquerade = layout.MasqueradeUnlessLocalSource
	case ir.MasqueradeAlways:
		out.Masquerade = layout.MasqueradeAlways
	}
	if r.OnEmpty == ir.Drop {
		out.OnEmpty = layout.EmptyDrop
	}
	return out
}

func serviceKey(m ir.Match) layout.ServiceKey {
	key := layout.ServiceKey{Port: layout.PortOf(m.Port), Protocol: uint8(m.Protocol)}
	if m.Family == ir.IPv6 {
		key.Scope |= layout.ScopeIPv6
	}
	if !m.Address.IsValid() {
		key.Scope |= layout.ScopeNodePort
		return key
	}
	key.Address = layout.AddressOf(m.Address)
	return key
}
