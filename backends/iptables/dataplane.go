package iptables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/backends/xtables"
	"github.com/planec/planec/backends/xtpolicy"
	"github.com/planec/planec/ir"
)

// dataplane collects the chains and sets of one family from a program.
type dataplane struct {
	family
	program  *ir.Program
	pools    map[string]*ir.Pool
	comments bool
	// mark is the masquerade bit in the notation of iptables-save.
	mark string

	mangle, filter, nat chains
	sets                sets
	policy              *xtpolicy.Rules
	names               xtables.Names

	// entries are the frontends with an address, nodePorts those without.
	entries, nodePorts []entry
	// nodePortKeys are the protocols and ports that are nodePorts.
	nodePortKeys map[uint32]bool
	hasScope     bool

	steps map[step]string
	// shares are the probabilities that were printed.
	shares      map[share][]byte
	splits      map[split]string
	stickers    map[sticker]string
	bound       map[binding]string
	members     map[ir.ServicePort][]netip.AddrPort
	hairpins    map[hairpin]bool
	marksRemote bool
}

func newDataplane(f family, p *ir.Program, pools map[string]*ir.Pool, opts backends.Options) *dataplane {
	return &dataplane{
		family: f, program: p, pools: pools, comments: !opts.NoComments,
		mark:   "0x" + strconv.FormatUint(1<<opts.MasqueradeBit, 16),
		mangle: chains{table: "mangle"}, filter: chains{table: "filter"}, nat: chains{table: "nat"},
		sets:         newSets(f),
		names:        xtables.NewNames(opts.Hash),
		nodePortKeys: make(map[uint32]bool),
		steps:        make(map[step]string),
		splits:       make(map[split]string),
		stickers:     make(map[sticker]string),
		bound:        make(map[binding]string),
		members:      make(map[ir.ServicePort][]netip.AddrPort),
		hairpins:     make(map[hairpin]bool),
	}
}

// build fills the tables and sets from the program.
func (d *dataplane) build() {
	list := d.frontends()
	for _, f := range list {
		d.survey(f)
	}
	for _, f := range list {
		d.frontend(f)
	}
	d.mangleTable()
	d.filterTable()
	d.natTable()
}

// frontends returns the frontends of the family.
func (d *dataplane) frontends() []*ir.Frontend {
	scope := &d.program.Node.NodePorts
	d.hasScope = len(ir.AddrsOf(d.ir, scope.Addresses))+len(ir.PrefixesOf(d.ir, scope.Prefixes)) > 0
	var list []*ir.Frontend
	for i := range d.program.Frontends {
		f := &d.program.Frontends[i]
		if f.Match.Family != d.ir || f.Kind == ir.NodePort && !d.hasScope {
			continue
		}
		list = append(list, f)
	}
	return list
}

// survey records the properties of a frontend that other frontends depend on.
func (d *dataplane) survey(f *ir.Frontend) {
	if f.Kind == ir.NodePort {
		d.nodePortKeys[portKey(f.Match)] = true
	}
	if f.Affinity != 0 {
		d.addMembers(f)
	}
}

func (d *dataplane) pool(r ir.Route) *ir.Pool { return d.pools[r.Pool] }

// comment appends ` -m comment --comment "namespace/name:port"`. The quotes are those
// of iptables-save, which quotes every comment with a slash.
func (d *dataplane) comment(b []byte, s *ir.ServicePort) []byte {
	if !d.comments {
		return b
	}
	return append(backends.AppendName(append(b, ` -m comment --comment "`...), *s), '"')
}

// all returns the tables in load order.
func (d *dataplane) all() []*chains { return []*chains{&d.mangle, &d.filter, &d.nat} }

func (d *dataplane) appendRules(b []byte) []byte {
	for _, c := range d.all() {
		b = c.appendTo(b)
	}
	return b
}

func (d *dataplane) appendClean(b []byte) []byte {
	for _, c := range d.all() {
		b = c.appendCleanTo(b)
	}
	return b
}
