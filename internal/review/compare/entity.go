package compare

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/clause"
	"github.com/planec/planec/internal/review/clusterwide"
	"github.com/planec/planec/internal/review/netpath"
	"github.com/planec/planec/ir"
)

// role is the kind of an entity.
type role uint8

const (
	podRole role = iota + 1
	nodeRole
	outsideRole
)

// entity is a set of pods of one workload, of nodes or of outside addresses that the
// policies of neither state distinguish. One pod represents those in both states.
type entity struct {
	role role
	// namespace and name are those of the workload. The name of an outside
	// network is its prefix; the rest of the world has none.
	namespace, name string
	count           int
	before, after   clusterwide.Ends
	class           string
	// network is that of an outside entity, or the innermost policy network
	// around a stand-in's address.
	network netip.Prefix
	// stand describes a stand-in, and variant its ports; both are nil for pods of
	// the input. Labels are those of one of the pods.
	stand   *standIn
	variant *portVariant
	// node holds the labels of a stand-in for nodes; nil for nodes of the input.
	node *combination
	// kind and place index comparison.kindsOfPods and the networks there.
	kind, place int
	labels      map[string]string
}

// given reports whether the entity consists of pods of the input.
func (e *entity) given() bool { return e.role == podRole && e.stand == nil }

// label identifies the entity for machines.
func (e *entity) label() string {
	switch {
	case e.role == podRole:
		return e.namespace + "/" + e.name
	case e.role == nodeRole:
		return "node/" + e.name
	case e.name == "":
		return "outside"
	}
	return e.name
}

// pair is one pod, in both states or in one of them.
type pair struct {
	workload      objects.Identity
	before, after *netpath.Pod
}

// matchPods matches the pods of both states: by name, or in order if a
// workload's pods have new names.
func matchPods(before, after []netpath.Pod) []pair {
	var out []pair
	rest := make(map[objects.Identity][2][]*netpath.Pod)
	var order []objects.Identity
	leave := func(i int, p *netpath.Pod) {
		w := objects.Identity{Namespace: p.Namespace, Name: p.Workload}
		lists, known := rest[w]
		if !known {
			order = append(order, w)
		}
		lists[i] = append(lists[i], p)
		rest[w] = lists
	}
	old := make(map[string]*netpath.Pod, len(before))
	for i := range before {
		if !before[i].Place.Host {
			old[before[i].String()] = &before[i]
		}
	}
	for i := range after {
		p := &after[i]
		if p.Place.Host {
			continue
		}
		if q := old[p.String()]; q != nil {
			out = append(out, pair{objects.Identity{Namespace: p.Namespace, Name: p.Workload}, q, p})
			delete(old, p.String())
			continue
		}
		leave(1, p)
	}
	for i := range before {
		if old[before[i].String()] != nil {
			leave(0, &before[i])
		}
	}
	for _, w := range order {
		lists := rest[w]
		for i := range max(len(lists[0]), len(lists[1])) {
			p := pair{workload: w}
			if i < len(lists[0]) {
				p.before = lists[0][i]
			}
			if i < len(lists[1]) {
				p.after = lists[1][i]
			}
			out = append(out, p)
		}
	}
	return out
}

func endsOf(p *netpath.Pod) clusterwide.Ends {
	return clusterwide.Ends{Addresses: p.Addresses, Primary: p.Primary}
}

// podEntities groups the pods of both states, and returns the workloads of
// only one state. A changed number of replicas is not reported here, because
// the Service reports it.
func podEntities(pairs []pair, before, after *side) (both []*entity, gone, fresh []*entity) {
	index, labels, old := make(map[string]*entity), after.state.podLabels(), before.state.podLabels()
	stays := make(map[objects.Identity]bool)
	add := func(list *[]*entity, key string, p *pair) *entity {
		key = fmt.Sprint(p.workload, key)
		e := index[key]
		if e == nil {
			e = &entity{role: podRole, namespace: p.workload.Namespace, name: p.workload.Name}
			index[key] = e
			*list = append(*list, e)
		}
		e.count++
		return e
	}
	for i := range pairs {
		p := &pairs[i]
		if p.before == nil || p.after == nil {
			continue
		}
		stays[p.workload] = true
		b, a := endsOf(p.before), endsOf(p.after)
		class := before.Signature(&b) + " | " + after.Signature(&a)
		if e := add(&both, class, p); e.class == "" {
			e.before, e.after, e.class, e.labels = b, a, class, labels[p.after.String()]
		}
	}
	for i := range pairs {
		p := &pairs[i]
		switch {
		case stays[p.workload] || p.before != nil && p.after != nil:
		case p.after != nil:
			e := add(&fresh, "fresh", p)
			e.after, e.labels = endsOf(p.after), labels[p.after.String()]
		default:
			e := add(&gone, "gone", p)
			e.before, e.labels = endsOf(p.before), old[p.before.String()]
		}
	}
	for _, list := range [][]*entity{both, gone, fresh} {
		slices.SortFunc(list, func(a, b *entity) int {
			return cmp.Or(cmp.Compare(a.namespace, b.namespace), cmp.Compare(a.name, b.name), cmp.Compare(a.class, b.class))
		})
	}
	return both, gone, fresh
}

// podLabels maps "namespace/name" of pods to their labels, with the name of the service
// account as [clause.AccountKey].
func (s *State) podLabels() map[string]map[string]string {
	out := make(map[string]map[string]string, len(s.Objects.Pods))
	for _, p := range s.Objects.Pods {
		own := p.Object.Labels
		if account := p.Object.Spec.ServiceAccountName; account != "" {
			own = withEntry(own, clause.AccountKey, account)
		}
		out[p.Object.Namespace+"/"+p.Object.Name] = own
	}
	return out
}

// standInEntities returns the stand-ins for pods outside of the input.
func standInEntities(u *universe, before, after *side) []*entity {
	out := make([]*entity, 0, len(u.extras))
	for i := range u.extras {
		x := &u.extras[i]
		e := &entity{role: podRole, namespace: x.kind.namespace, count: 2, network: x.network, stand: x.kind, variant: x.variant}
		e.before = clusterwide.Ends{Addresses: make(map[ir.Family]netip.Addr, 2), Primary: ir.FamilyOf(x.addresses[0])}
		for _, a := range x.addresses {
			e.before.Addresses[ir.FamilyOf(a)] = a
		}
		e.after = e.before
		e.class = before.Signature(&e.before) + " | " + after.Signature(&e.after)
		if x.kind.only != nil {
			e.class += " of one state only"
		}
		out = append(out, e)
	}
	return out
}

// common returns the addresses of a connection between two ends.
func common(from, to *clusterwide.Ends) (src, dst netip.Addr, ok bool) {
	return netpath.Common(from.Addresses, to.Addresses, from.Primary)
}
