package ebpf

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/failsafe"
	"github.com/planec/planec/ir/identity"
	"github.com/planec/planec/ir/resolve"
)

// builder lays out a program, one map after the other.
type builder struct {
	program *ir.Program
	policy  *policyTables
	// routes are those of [backends.Routes].
	routes [][2]int32
	// laid are the pools of the program that were laid out, and endpoints is memory for one of them.
	laid      []laidPool
	endpoints []layout.Endpoint
	slots     []slot
	ids       *identities
	hash      identity.Hash
	info      layout.Info
	tables    [layout.NumMaps]Map
	sheet     sheet
	symbols   *symbolBuilder
}

func newBuilder(p *ir.Program, symbols bool, hash identity.Hash, policies *resolve.Memo, routes *backends.Routes) (*builder, error) {
	if heavy := tooHeavy(p); len(heavy) > 0 {
		p = failsafe.Frontends(p, func(f *ir.Frontend) bool { return heavy.refusal(f) != nil })
	}
	var policy *policyTables
	p, _ = backends.Fit(p, func(x *ir.Policy) (err error) {
		policy, err = resolvePolicy(x, hash, policies)
		return err
	})
	b := &builder{
		program: p,
		policy:  policy,
		laid:    make([]laidPool, len(p.Pools)),
		ids:     newIdentities(len(p.Frontends), hash),
		hash:    hash,
	}
	var err error
	if b.routes, err = routes.Of(p); err != nil {
		return nil, err
	}
	for i, m := range layout.Maps() {
		b.tables[i].layout = m
	}
	if symbols {
		b.symbols = newSymbolBuilder(p)
	}
	return b, nil
}

// image lays out all maps and computes the digests.
func (b *builder) image() (*Image, error) {
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
	img := &Image{maps: b.tables, sheet: b.sheet}
	img.seal()
	if b.symbols != nil {
		img.symbols = b.symbols.finish(b.program, &b.tables)
	}
	return img, nil
}

func serviceKey(m *ir.Match) layout.ServiceKey {
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
