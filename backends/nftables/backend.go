package nftables

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Name is the backend's name on the command line.
const Name = "nftables"

// FileName is the only file of the artifact, for nft -f.
const FileName = "rules.nft"

// TableName is the name of both tables of planec, "table ip planec" and "table
// ip6 planec". The rules never touch another table.
const TableName = "planec"

// Backend emits nft text.
type Backend struct {
	opts backends.Options
}

var _ backends.Backend = (*Backend)(nil)

// New returns the backend for the given options. It has no other state.
func New(opts backends.Options) *Backend {
	opts.UntrackedPods, opts.PoliciesAtInterfaces, opts.DirectPods = false, false, false // there are no programs
	return Beside(opts)
}

// Beside returns the backend for the rules beside programs that translate sockets,
// and, with an option, stand at the interfaces of pods.
func Beside(opts backends.Options) *Backend { return &Backend{opts: opts} }

// Name returns "nftables".
func (*Backend) Name() string { return Name }

// Emit returns rules.nft: one transaction that replaces both tables of planec,
// whatever they contain. A family without work gets only the base chains of
// NAT. Emit leaves out what Check reports.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	return b.EmitResolved(backends.GiveUp(p, Refused(p)), &resolve.Memo{}, &backends.Routes{})
}

// EmitResolved is Emit for a caller that resolves the same policy and finds the same pools for
// other uses too, and that has given up what [Refused] names.
func (b *Backend) EmitResolved(p *ir.Program, policies *resolve.Memo, routes *backends.Routes) (backends.Artifact, error) {
	if b.opts.MasqueradeBit < 0 || b.opts.MasqueradeBit > 31 {
		return backends.Artifact{}, fmt.Errorf("nftables: masquerade bit %d: want 0 to 31", b.opts.MasqueradeBit)
	}
	resolved := policies.New(&p.Policy, b.opts.Hash)
	return b.emit(p, resolved, routes, func(ir.Family) *policyPart { return nil })
}

// emit writes the part of a program's policies that a family's table is to have.
func (b *Backend) emit(p *ir.Program, resolved *resolve.Policy, routes *backends.Routes, part func(ir.Family) *policyPart) (backends.Artifact, error) {
	tables, err := b.tables(p, resolved, routes, part)
	if err != nil {
		return backends.Artifact{}, fmt.Errorf("nftables: %w", err)
	}
	size := 256
	for i := range tables {
		size += tables[i].size()
	}
	text := appendReset(make([]byte, 0, size))
	for i := range tables {
		text = tables[i].appendTo(text)
	}
	return backends.Artifact{Files: []backends.File{backends.NewFile(FileName, text)}}, nil
}

func (b *Backend) tables(p *ir.Program, resolved *resolve.Policy, routes *backends.Routes, part func(ir.Family) *policyPart) ([]content, error) {
	pools, err := newPoolIndex(p, routes)
	if err != nil {
		return nil, err
	}
	var tables []content
	for _, f := range ir.Families() {
		t := newTable(familyOf(f), p, pools, resolved, part(f), b.opts)
		t.collect()
		tables = append(tables, t.content())
	}
	return tables, nil
}

// appendReset removes planec's earlier tables. "delete" fails for a missing
// table, so "add" comes first.
func appendReset(b []byte) []byte {
	for _, f := range ir.Families() {
		b = append(b, "add table "+familyOf(f).ip+" "+TableName+"\n"...)
		b = append(b, "delete table "+familyOf(f).ip+" "+TableName+"\n"...)
	}
	return b
}
