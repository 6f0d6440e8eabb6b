package ebpf

import (
	"slices"

	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// symbolBuilder collects symbols by kind while the maps are laid out. No kind
// needs sorting, because its references ascend.
type symbolBuilder struct {
	strings []string
	known   map[string]uint32
	records [nodeProfileSymbol + 1][]symbolRecord
	// owners are the pools of the program that were laid out, by where they begin, and twins
	// routes to one that is equal to another one.
	owners map[uint32]*ir.Pool
	twins  []twinRoute
	paths  []string // of the first endpoints of a slice
	policySymbols
}

// twinRoute is a route whose pool is equal to one that was laid out before.
type twinRoute struct {
	ref  uint32
	pool *ir.Pool
}

func newSymbolBuilder(p *ir.Program) *symbolBuilder {
	b := &symbolBuilder{known: make(map[string]uint32, 4*len(p.Frontends)), owners: make(map[uint32]*ir.Pool, len(p.Pools))}
	b.intern("")
	b.policySymbols = newPolicySymbols(&p.Policy)
	b.records[serviceSymbol] = make([]symbolRecord, 0, len(p.Frontends))
	b.records[poolSymbol] = make([]symbolRecord, 0, len(p.Pools))
	n := 0
	for i := range p.Pools {
		n += len(p.Pools[i].Endpoints)
	}
	b.records[endpointSymbol] = make([]symbolRecord, 0, n)
	return b
}

// maxString is the maximum length of a string; Kubernetes names are far shorter.
const maxString = 4096

func (b *symbolBuilder) intern(s string) uint32 {
	s = s[:min(len(s), maxString)]
	n, ok := b.known[s]
	if !ok {
		n = uint32(len(b.strings))
		b.known[s] = n
		b.strings = append(b.strings, s)
	}
	return n
}

func (b *symbolBuilder) add(kind symbolKind, ref uint32, name string, o *ir.Origin) {
	r := symbolRecord{kind: kind, ref: ref, name: b.intern(name), line: uint32(max(0, o.Line))}
	list := &b.records[kind]
	for i, s := range [originStrings]string{o.Kind, o.Namespace, o.Name, o.Path, o.File} {
		// Adjacent symbols usually come from the same object.
		if n := len(*list); n > 0 && b.strings[(*list)[n-1].origin[i]] == s {
			r.origin[i] = (*list)[n-1].origin[i]
			continue
		}
		r.origin[i] = b.intern(s)
	}
	*list = append(*list, r)
}

func (b *symbolBuilder) service(at uint32, f *ir.Frontend) {
	o := f.Origin.Get()
	b.add(serviceSymbol, at, f.ID, &o)
}

// source names a set of source ranges after the first frontend that uses it.
func (b *symbolBuilder) source(set uint32, f *ir.Frontend) {
	o := f.Origin.Get()
	b.add(sourceSymbol, set, f.ID, &o)
}

// route names the pool of a route to where it was laid out. The first one gives it its name;
// one that is equal and of other objects has symbols of its own.
func (b *symbolBuilder) route(at uint32, external bool, base uint32, p *ir.Pool) {
	switch owner := b.owners[base]; {
	case len(p.Endpoints) == 0 || owner == p:
	case owner == nil:
		b.owners[base] = p
		o := p.Origin.Get()
		b.add(poolSymbol, base, p.ID, &o)
		b.endpoints(base, p)
	case !slices.EqualFunc(owner.Endpoints, p.Endpoints, ir.Endpoint.Equal): // of other objects
		b.twins = append(b.twins, twinRoute{routeRef(at, external), p})
	}
}

// finishRoutes writes the symbols of equal pools, behind those of all endpoints.
func (b *symbolBuilder) finishRoutes(endpoints uint32) {
	at := make(map[*ir.Pool]uint32)
	for _, t := range b.twins {
		base, known := at[t.pool]
		if !known {
			base = endpoints
			at[t.pool] = base
			b.endpoints(base, t.pool)
			endpoints += uint32(len(t.pool.Endpoints))
		}
		b.add(routeSymbol, t.ref, t.pool.ID, &ir.Origin{Line: int(base)})
	}
}

func (b *symbolBuilder) endpoints(base uint32, p *ir.Pool) {
	for i := range p.Endpoints {
		if o := b.originOf(&p.Endpoints[i]); !o.IsZero() {
			b.add(endpointSymbol, base+uint32(i), "", &o)
		}
	}
}

// originOf is the endpoint's origin. Most endpoints have one of few paths, which are made once.
func (b *symbolBuilder) originOf(e *ir.Endpoint) ir.Origin {
	const few = 1024
	slice, element, is := e.Element()
	if !is || element >= few {
		return e.Origin()
	}
	for len(b.paths) <= element {
		b.paths = append(b.paths, ir.EndpointPath(len(b.paths)))
	}
	return slice.At(b.paths[element])
}

// finish adds the symbols without a frontend.
func (b *symbolBuilder) finish(p *ir.Program, tables *[layout.NumMaps]Map) *Symbols {
	b.add(nodeSymbol, 0, p.Node.Name, &ir.Origin{})
	if !p.Masquerade.Origin.IsZero() {
		b.add(masqueradeSymbol, 0, "", &p.Masquerade.Origin)
	}
	b.finishPolicies(tables)
	b.finishRoutes(uint32(tables[layout.Endpoints].Len()))
	s := &Symbols{strings: b.strings, records: make([]symbolRecord, 0, len(p.Frontends)+len(p.Pools)+len(b.records[endpointSymbol])+8)}
	for _, list := range b.records {
		s.records = append(s.records, list...)
	}
	return s
}
