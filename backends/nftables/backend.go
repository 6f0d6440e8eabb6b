package nftables

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// Name is the backend's word on the command line.
const Name = "nftables"

// FileName is the one file of the artifact, for nft -f.
const FileName = "rules.nft"

// TableName is the name of both tables that planec owns, "table ip planec" and
// "table ip6 planec". Nothing outside them is ever touched.
const TableName = "planec"

// Backend emits nft text.
type Backend struct {
	opts backends.Options
}

var _ backends.Backend = (*Backend)(nil)

// New returns the backend; it is as pure as its options.
func New(opts backends.Options) *Backend { return &Backend{opts: opts} }

// Name returns "nftables".
func (*Backend) Name() string { return Name }

// Emit returns rules.nft: one transaction that replaces both of planec's
// tables, whatever they held before. A family with nothing to do gets the base
// chains of NAT only.
// What Check reports is given up.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	if b.opts.MasqueradeBit < 0 || b.opts.MasqueradeBit > 31 {
		return backends.Artifact{}, fmt.Errorf("nftables: masquerade bit %d: want 0 to 31", b.opts.MasqueradeBit)
	}
	tables, err := b.tables(backends.GiveUp(p, refused(p)))
	if err != nil {
		return backends.Artifact{}, fmt.Errorf("nftables: %w", err)
	}
	// The program is as large as the text, and not needed any more.
	size := 256
	for i := range tables {
		size += tables[i].size()
	}
	text := appendReset(make([]byte, 0, size))
	for i := range tables {
		text = tables[i].appendTo(text)
	}
	return backends.Artifact{Files: []backends.File{{Name: FileName, Data: text}}}, nil
}

func (b *Backend) tables(p *ir.Program) ([]content, error) {
	pools, err := newPoolIndex(p)
	if err != nil {
		return nil, err
	}
	resolved := resolve.New(&p.Policy, b.opts.Hash)
	var tables []content
	for _, f := range ir.Families() {
		t := newTable(familyOf(f), p, pools, resolved, b.opts)
		t.collect()
		tables = append(tables, t.content())
	}
	return tables, nil
}

// appendReset removes older tables of ours. "delete" fails where there is
// nothing to delete, so "add" comes first.
func appendReset(b []byte) []byte {
	for _, f := range ir.Families() {
		b = append(b, "add table "+familyOf(f).ip+" "+TableName+"\n"...)
		b = append(b, "delete table "+familyOf(f).ip+" "+TableName+"\n"...)
	}
	return b
}
