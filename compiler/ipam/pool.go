package ipam

import (
	"cmp"
	"net/netip"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// PoolName identifies a pool among those of all projects.
type PoolName struct {
	Kind string // "CiliumLoadBalancerIPPool" or "IPAddressPool"
	objects.Name
}

// String returns "kind name", or "kind namespace/name".
func (n PoolName) String() string { return n.Kind + " " + n.Name.String() }

// compare orders by kind, namespace and name.
func (n PoolName) compare(o PoolName) int {
	return cmp.Or(cmp.Compare(n.Kind, o.Kind), n.Name.Compare(o.Name))
}

// pool is a pool of any project.
type pool struct {
	name    PoolName
	at      ir.Origin
	created metav1.Time
	blocks  []*block // in the order in which they are written
	// disabled pools give nothing new.
	disabled bool
	// conflict is why the pool gives nothing new although it is not disabled, or "".
	conflict string
	// onRequest pools give addresses only to Services that ask for the pool or the address.
	onRequest bool
	// together pools give addresses of both families if they have both.
	together bool
	// pinned pools are for some Services, and come before all others. priority orders them; 0 is
	// after all others.
	pinned   bool
	priority int
	// avoidBuggy leaves out addresses that end in .0 and .255, kept ones too.
	avoidBuggy bool
	selects    func(*request) bool
	// next is the index of the first block that may have a free address, for each family.
	next [2]int
}

// block is an interval of a pool.
type block struct {
	span
	// ends reports that the first and the last address are not given. Who has one keeps it.
	ends bool
	// mark is the lowest address that may be free, or invalid if there is none.
	mark netip.Addr
}

// reserved reports whether an address of the block is never given.
func (b *block) reserved(a netip.Addr) bool { return b.ends && (a == b.lo || a == b.hi) }

func (p *pool) add(s span, ends bool) {
	p.blocks = append(p.blocks, &block{span: s, ends: ends && s.count() > 2, mark: s.lo})
}

// gives reports whether the pool has something for new requests.
func (p *pool) gives() bool { return !p.disabled && p.conflict == "" }

// hasFamily reports whether the pool has addresses of the family.
func (p *pool) hasFamily(f ir.Family) bool {
	return slices.ContainsFunc(p.blocks, func(b *block) bool { return ir.FamilyOf(b.lo) == f })
}

// readPools returns the pools of all projects, the older first, then by name.
func readPools(set *objects.Set, diags *diag.List) []*pool {
	var out []*pool
	for _, p := range set.CiliumPools {
		out = append(out, ciliumPool(p, diags))
	}
	labelled := make([]namespace, 0, len(set.Namespaces))
	for _, n := range set.Namespaces {
		labelled = append(labelled, namespace{n.Object.Name, namespaceLabels(n.Object.Name, n.Object.Labels)})
	}
	for _, p := range set.MetalLBPools {
		out = append(out, metalLBPool(p, labelled, diags))
	}
	slices.SortFunc(out, func(a, b *pool) int {
		return cmp.Or(objects.CompareTimes(a.created, b.created), a.name.compare(b.name))
	})
	settle(out, diags)
	return out
}

// preferred returns pools in the order in which Services are given addresses of them.
func preferred(pools []*pool) []*pool {
	out := slices.Clone(pools)
	rank := func(p *pool) int {
		switch {
		case p.pinned && p.priority > 0:
			return 0
		case p.pinned:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b *pool) int {
		c := cmp.Compare(rank(a), rank(b))
		if c == 0 && rank(a) == 0 {
			c = cmp.Compare(a.priority, b.priority)
		}
		if c == 0 && a.pinned {
			c = a.name.compare(b.name)
		}
		return c
	})
	return out
}

// namespace is a namespace with the label that Kubernetes gives all.
type namespace struct {
	name   string
	labels labels.Set
}

func namespaceLabels(name string, given map[string]string) labels.Set {
	out := make(labels.Set, len(given)+1)
	for k, v := range given {
		out[k] = v
	}
	out["kubernetes.io/metadata.name"] = name
	return out
}

// selectorOf compiles a selector; a wrong one is reported and selects nothing.
func selectorOf(s *metav1.LabelSelector, at ir.Origin, diags *diag.List) labels.Selector {
	compiled, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		diags.Add(diag.BadPool, at, "it selects nothing: "+diag.Printable(bounded(err.Error())))
		return labels.Nothing()
	}
	return compiled
}
