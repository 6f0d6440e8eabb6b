package nftables

import (
	"net/netip"
	"strconv"

	"github.com/planec/planec/backends"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/resolve"
)

// table collects one family's sets and chains from a program.
type table struct {
	family
	program  *ir.Program
	pools    *poolIndex
	comments bool
	// untracked is [backends.Options.UntrackedPods].
	untracked bool
	// atInterfaces is [backends.Options.AtInterfaces].
	atInterfaces bool
	// mark is the masquerade bit as nft prints it.
	mark string

	// The sets of frontends; newTable has their names.
	services, nodeports                            set
	endpoints                                      [scopes]set
	large                                          [largeSizes]set
	unserved, unservedNodeports                    set
	restricted, sourceRanges                       set
	restrictedNodeports, nodeportSourceRanges      set
	hairpin                                        set
	hairpinSeen                                    map[hairpinKey]bool
	affinity                                       affinitySets
	nodeportAddresses, nodeportPrefixes            set
	localSources                                   set
	clusterIPs, serviceCIDRs, masqueradeExclusions set
	// translated are pods, for rules of connections that are not tracked.
	translated set
	// covered and watched are pods whose interfaces have programs.
	covered, watched, guarded set
	policy                    policySets

	// targets maps a target to the verdict that leads to its chain, as a place in verdicts.
	targets  map[target]int32
	verdicts []string
	draws    map[draw]bool
}

func newTable(f family, p *ir.Program, pools *poolIndex, resolved *resolve.Policy, part *policyPart, opts backends.Options) *table {
	t := &table{
		family: f, program: p, pools: pools, comments: !opts.NoComments, untracked: opts.UntrackedPods, atInterfaces: opts.AtInterfaces(),
		mark:        hex32(1 << opts.MasqueradeBit),
		targets:     make(map[target]int32),
		draws:       make(map[draw]bool),
		hairpinSeen: make(map[hairpinKey]bool),
	}
	address, nodePort := scope(0).keyType(f), nodePortScope.keyType(f)
	t.services = set{kind: "map", name: "services", of: "type " + address + " : verdict"}
	t.nodeports = set{kind: "map", name: "nodeports", of: "type " + nodePort + " : verdict"}
	for s := range scope(scopes) {
		t.endpoints[s] = set{
			kind: "map", name: s.prefix() + "endpoints",
			of: "typeof " + s.keyExpr(f) + " . " + indexExpr(maxSlots) + " : " + f.ip + " daddr . th dport",
		}
	}
	for i := range t.large {
		t.large[i] = set{kind: "map", name: largeWord + strconv.Itoa(2*standing<<i), of: t.endpoints[0].of}
	}
	t.unserved = set{kind: "set", name: "unserved", of: "type " + address}
	t.unservedNodeports = set{kind: "set", name: "unserved-nodeports", of: "type " + nodePort}
	t.restricted = set{kind: "set", name: "restricted", of: "type " + address}
	t.sourceRanges = set{kind: "set", name: "source-ranges", of: "type " + address + " . " + f.addr, flags: "interval"}
	t.restrictedNodeports = set{kind: "set", name: "restricted-nodeports", of: "type " + nodePort}
	t.nodeportSourceRanges = set{kind: "set", name: "nodeport-source-ranges", of: "type " + nodePort + " . " + f.addr, flags: "interval"}
	t.hairpin = set{kind: "set", name: "hairpin", of: "type " + f.addr + " . " + address}
	t.affinity = newAffinitySets(f)
	t.nodeportAddresses = set{kind: "set", name: "nodeport-addresses", of: "type " + f.addr}
	t.nodeportPrefixes = set{kind: "set", name: "nodeport-prefixes", of: "type " + f.addr, flags: "interval"}
	t.localSources = set{kind: "set", name: "local-sources", of: "type " + f.addr, flags: "interval"}
	t.clusterIPs = set{kind: "set", name: "cluster-ips", of: "type " + f.addr}
	t.serviceCIDRs = set{kind: "set", name: "service-cidrs", of: "type " + f.addr, flags: "interval"}
	t.masqueradeExclusions = set{kind: "set", name: "masquerade-exclusions", of: "type " + f.addr, flags: "interval"}
	t.translated = set{kind: "set", name: TranslatedPods, of: "type " + f.addr, size: translatedSize, flags: "dynamic,timeout"}
	t.covered = set{kind: "set", name: CoveredPods, of: "type " + f.addr, size: translatedSize, flags: "dynamic,timeout"}
	t.watched = set{kind: "set", name: WatchedPods, of: "type " + f.addr, size: translatedSize, flags: "dynamic,timeout"}
	t.guarded = set{kind: "set", name: GuardedInterfaces, of: "type iface_index", size: translatedSize, flags: "dynamic,timeout"}
	t.policy = newPolicySets(f, p, resolved, part)
	return t
}

// sets returns all sets in the order of the file.
func (t *table) sets() []*set {
	list := []*set{&t.services, &t.nodeports}
	for s := range t.endpoints {
		list = append(list, &t.endpoints[s])
	}
	for i := range t.large {
		list = append(list, &t.large[i])
	}
	list = append(list, t.affinity.sets()...)
	list = append(list, &t.unserved, &t.unservedNodeports, &t.restricted, &t.sourceRanges,
		&t.restrictedNodeports, &t.nodeportSourceRanges, &t.hairpin, &t.nodeportAddresses, &t.nodeportPrefixes,
		&t.localSources, &t.clusterIPs, &t.serviceCIDRs, &t.masqueradeExclusions, &t.translated, &t.covered, &t.watched, &t.guarded)
	return append(list, t.policy.sets()...)
}

// collect fills the sets from the program.
func (t *table) collect() {
	t.nodeFacts()
	t.affinity.name(t)
	for i := range t.program.Frontends {
		if t.program.Frontends[i].Match.Family == t.ir {
			t.frontend(i)
		}
	}
	t.policies()
}

// nodeFacts fills the sets that do not depend on frontends.
func (t *table) nodeFacts() {
	p := t.program
	t.addAddrs(&t.nodeportAddresses, p.Node.NodePorts.Addresses)
	t.addPrefixes(&t.nodeportPrefixes, p.Node.NodePorts.Prefixes)
	if p.Node.Local.Mode == ir.DetectCIDR {
		t.addPrefixes(&t.localSources, p.Node.Local.CIDRs)
	}
	t.addAddrs(&t.clusterIPs, p.ClusterIPs)
	t.addPrefixes(&t.serviceCIDRs, p.Node.ServiceCIDRs)
	if p.Masquerade.Enabled(t.ir) {
		t.addPrefixes(&t.masqueradeExclusions, p.Masquerade.Exclude)
	}
	t.covered.always, t.watched.always, t.guarded.always = t.covers(), t.covers(), t.covers()
	t.translated.always = t.leavesUntracked() || t.covers()
}

func (t *table) addAddrs(s *set, addrs []netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	s.lately().addresses = addrs
	for _, a := range addrs {
		if ir.FamilyOf(a) == t.ir {
			s.room += len(elemIndent) + t.addressLen(a) + len(elemEnd)
		}
	}
}

func (t *table) addPrefixes(s *set, prefixes []netip.Prefix) {
	for _, p := range prefixes {
		if ir.FamilyOf(p.Addr()) == t.ir {
			s.end(appendPrefix(s.next(), p))
		}
	}
}

// appendPrefix writes a prefix as nft lists it: a single address without its length.
func appendPrefix(b []byte, p netip.Prefix) []byte {
	if p.IsSingleIP() {
		return p.Addr().AppendTo(b)
	}
	return p.AppendTo(b)
}

// hex32 writes a mark as nft lists it.
func hex32(v uint32) string {
	s := strconv.FormatUint(uint64(v), 16)
	return "0x" + "00000000"[len(s):] + s
}

func indexExpr(n int) string { return "numgen random mod " + strconv.Itoa(n) }
