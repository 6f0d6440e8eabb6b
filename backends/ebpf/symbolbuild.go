package ebpf

import (
	"github.com/planec/planec/backends/ebpf/layout"
	"github.com/planec/planec/ir"
)

// symbolBuilder collects symbols by kind while the maps are laid out. No kind
// needs sorting, because its references ascend; except for services, whose
// positions in svc are known only at the end.
type symbolBuilder struct {
	strings []string
	known   map[string]uint32
	records [peerSymbol + 1][]symbolRecord
	keys    []layout.ServiceKey
	policySymbols
}

func newSymbolBuilder(p *ir.Program) *symbolBuilder {
	b := &symbolBuilder{known: make(map[string]uint32, 4*len(p.Frontends))}
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

func (b *symbolBuilder) service(key layout.ServiceKey, f *ir.Frontend) {
	b.keys = append(b.keys, key)
	b.add(serviceSymbol, 0, f.ID, &f.Origin)
}

func (b *symbolBuilder) pool(base uint32, p *ir.Pool) {
	b.add(poolSymbol, base, p.ID, &p.Origin)
	for i := range p.Endpoints {
		if o := &p.Endpoints[i].Origin; !o.IsZero() {
			b.add(endpointSymbol, base+uint32(i), "", o)
		}
	}
}

// finish adds the symbols without a frontend and sorts the services in the order
// of svc.
func (b *symbolBuilder) finish(p *ir.Program, owners []*ir.Frontend, tables *[layout.NumMaps]Map) *Symbols {
	b.add(nodeSymbol, 0, p.Node.Name, &ir.Origin{})
	if !p.Masquerade.Origin.IsZero() {
		b.add(masqueradeSymbol, 0, "", &p.Masquerade.Origin)
	}
	for i, f := range owners {
		b.add(sourceSymbol, layout.FirstSourceSet+uint32(i), f.ID, &f.Origin)
	}
	inOrder := make([]symbolRecord, len(b.keys))
	for i, r := range b.records[serviceSymbol] {
		at, _ := tables[layout.Services].find(b.keys[i].Append(nil))
		r.ref = uint32(at)
		inOrder[at] = r
	}
	b.records[serviceSymbol] = inOrder
	b.finishPolicies(tables)
	s := &Symbols{strings: b.strings, records: make([]symbolRecord, 0, len(p.Frontends)+len(p.Pools)+len(b.records[endpointSymbol])+8)}
	for _, list := range b.records {
		s.records = append(s.records, list...)
	}
	return s
}
