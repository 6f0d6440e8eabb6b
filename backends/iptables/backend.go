package iptables

import (
	"fmt"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

// Name selects this backend on the command line.
const Name = "iptables"

// The files of the artifact; doc.go describes how to load them. The names of the
// IPv4 files begin with "iptables", those of the IPv6 files with "ip6tables".
const (
	SetsFile       = "ipset.rules"
	SetsCleanFile  = "ipset-clean.rules"
	rulesSuffix    = ".rules"
	jumpsSuffix    = "-jumps.rules"
	cleanSuffix    = "-clean.rules"
	RulesFile      = "iptables" + rulesSuffix
	JumpsFile      = "iptables" + jumpsSuffix
	CleanFile      = "iptables" + cleanSuffix
	RulesFileIPv6  = "ip6tables" + rulesSuffix
	JumpsFileIPv6  = "ip6tables" + jumpsSuffix
	CleanFileIPv6  = "ip6tables" + cleanSuffix
	highestMarkBit = 31
)

// Backend emits text for iptables-restore, ip6tables-restore and ipset.
type Backend struct {
	opts backends.Options
}

var _ backends.Backend = (*Backend)(nil)

// New returns a backend with the given options.
func New(opts backends.Options) *Backend { return &Backend{opts: opts} }

// Name returns "iptables".
func (*Backend) Name() string { return Name }

// Emit returns the files of both families and of the sets that they share. It
// refuses the Services that Check reports.
func (b *Backend) Emit(p *ir.Program) (backends.Artifact, error) {
	if b.opts.MasqueradeBit < 0 || b.opts.MasqueradeBit > highestMarkBit {
		return backends.Artifact{}, fmt.Errorf("iptables: masquerade bit %d: want 0 to %d", b.opts.MasqueradeBit, highestMarkBit)
	}
	p = backends.GiveUp(p, refused(p))
	pools, err := poolsOf(p)
	if err != nil {
		return backends.Artifact{}, fmt.Errorf("iptables: %w", err)
	}
	policies := xtpolicy.New(&p.Policy, b.opts.Hash)
	var files []backends.File
	var sets, setsClean []byte
	for _, f := range []ir.Family{ir.IPv6, ir.IPv4} {
		d := newDataplane(familyOf(f), p, pools, b.opts)
		d.policy = policies.Rules(f, d.comments)
		d.build()
		sets, setsClean = d.sets.appendTo(sets), d.sets.appendCleanTo(setsClean)
		files = append(files,
			backends.File{Name: d.command + cleanSuffix, Data: d.appendClean(nil)},
			backends.File{Name: d.command + jumpsSuffix, Data: xtables.AppendJumps(nil, jumps)},
			backends.File{Name: d.command + rulesSuffix, Data: d.appendRules(nil)},
		)
	}
	files = append(files, backends.File{Name: SetsCleanFile, Data: setsClean}, backends.File{Name: SetsFile, Data: sets})
	return backends.Artifact{Files: files}, nil
}

// poolsOf maps pool IDs to pools. It fails if a frontend names a missing pool.
func poolsOf(p *ir.Program) (map[string]*ir.Pool, error) {
	pools := backends.Pools(p)
	for i := range p.Frontends {
		f := &p.Frontends[i]
		for _, id := range []string{f.Internal.Pool, f.External.Pool} {
			if pools[id] == nil {
				return nil, fmt.Errorf("frontend %q: pool %q does not exist", f.ID, id)
			}
		}
	}
	return pools, nil
}
