package policy

import (
	"maps"
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir/diag"
)

// networkRead are the NetworkPolicies as they were read.
type networkRead struct {
	// given are the objects in the order in which the caller has them; results are in the same
	// order, empty for an object that an older one of its name keeps out.
	given   []objects.Sourced[*networkingv1.NetworkPolicy]
	results []compiled
	// twice says that two objects have one name.
	twice bool
}

// fewVersions is how many other versions of objects are read one by one. More are read with all
// others.
const fewVersions = 64

// networkPolicies reads the NetworkPolicies. Where only a few of them are other versions of those
// before, only these are read.
func (r *reader) networkPolicies(set *objects.Set) {
	m := r.model
	if m.networkRead = r.again(set.NetworkPolicies); m.networkRead == nil {
		m.networkRead = r.readNetwork(set.NetworkPolicies)
	}
	for i := range m.networkRead.results {
		*r.diags = append(*r.diags, m.networkRead.results[i].diags...)
	}
}

// readNetwork reads all NetworkPolicies, the oldest of one name.
func (r *reader) readNetwork(list []objects.Sourced[*networkingv1.NetworkPolicy]) *networkRead {
	m, seen := r.model, make(map[objects.Name]bool, len(list))
	m.network = make(map[string][]*policy)
	out := &networkRead{given: slices.Clone(list)}
	read := make(map[objects.Sourced[*networkingv1.NetworkPolicy]]compiled, len(list))
	for _, src := range oldestFirst(list) {
		id := objects.NameOf(src.Object)
		used, had := seen[id]
		if out.twice = out.twice || had; used {
			continue
		}
		c := r.readOne(src)
		seen[id] = c.policy != nil
		if read[src] = c; c.policy != nil {
			m.network[src.Object.Namespace] = append(m.network[src.Object.Namespace], c.policy)
		}
	}
	for _, src := range list {
		out.results = append(out.results, read[src])
	}
	for _, list := range m.network {
		slices.SortFunc(list, (*policy).compare)
	}
	return out
}

// again reads other versions of a few NetworkPolicies; nil if more than that differs.
func (r *reader) again(list []objects.Sourced[*networkingv1.NetworkPolicy]) *networkRead {
	m, old := r.model, r.old.networkRead
	if old == nil || old.twice || !m.samePeers || len(old.given) != len(list) {
		return nil
	}
	var others []int
	for i := range list {
		if list[i] == old.given[i] {
			continue
		}
		if others = append(others, i); len(others) > fewVersions || !sameName(list[i].Object, old.given[i].Object) || old.results[i].policy == nil {
			return nil
		}
	}
	out := &networkRead{given: slices.Clone(list), results: slices.Clone(old.results)}
	m.network = maps.Clone(r.old.network)
	for _, i := range others {
		c := r.compile(list[i])
		if c.policy == nil {
			return nil
		}
		of := slices.Clone(m.network[list[i].Object.Namespace])
		of[slices.Index(of, old.results[i].policy)] = c.policy
		m.network[list[i].Object.Namespace], out.results[i] = of, c
	}
	return out
}

// sameName reports whether one is another version of the other. The order of policies of one
// namespace is that of their names.
func sameName(a, b *networkingv1.NetworkPolicy) bool { return objects.NameOf(a) == objects.NameOf(b) }

// readOne reads a NetworkPolicy, or takes what the older model made of it.
func (r *reader) readOne(src objects.Sourced[*networkingv1.NetworkPolicy]) compiled {
	origin := objects.Origin("NetworkPolicy", src)
	if c, known := r.known(src.Object); known && r.mayKeep(c, origin) {
		return c
	}
	return r.compile(src)
}

func (r *reader) compile(src objects.Sourced[*networkingv1.NetworkPolicy]) compiled {
	return compileOne(objects.Origin("NetworkPolicy", src),
		func() field.ErrorList { return validate.NetworkPolicy(src.Object) },
		func(*diag.List) *policy { return r.model.peers.networkPolicy(src) })
}

// known returns what the older model made of a NetworkPolicy.
func (r *reader) known(p *networkingv1.NetworkPolicy) (c compiled, known bool) {
	if r.before == nil {
		r.before = make(map[*networkingv1.NetworkPolicy]compiled)
		if old := r.old.networkRead; old != nil {
			for i, src := range old.given {
				if c := old.results[i]; c.policy != nil || len(c.diags) > 0 {
					r.before[src.Object] = c
				}
			}
		}
	}
	c, known = r.before[p]
	return c, known
}
