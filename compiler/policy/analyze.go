package policy

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/planec/planec/compiler/objects"
	"github.com/planec/planec/compiler/policy/validate"
	"github.com/planec/planec/ir"
	"github.com/planec/planec/ir/diag"
)

// Model is what policies say about the whole cluster. It is immutable but for
// peers that are resolved when a node first needs them, and safe for concurrent
// use.
type Model struct {
	cast *cast
	// byNode are the pods that can be subjects.
	byNode map[string][]*pod
	// network are the NetworkPolicies of each namespace, by name; cluster all
	// others, in the order of evaluation.
	network map[string][]*policy
	cluster []*policy
	// everyPod is what an egress rule with a named port and without peers is
	// about.
	everyPod *peer
}

// Analyze reads the policies and everybody they are about.
func Analyze(set *objects.Set) (*Model, diag.List) {
	var diags diag.List
	if len(set.NetworkPolicies)+len(set.ClusterNetworkPolicies)+len(set.AdminNetworkPolicies)+len(set.BaselineAdminNetworkPolicies) == 0 {
		return &Model{cast: &cast{}}, nil
	}
	c, hosts := readCast(set, &diags)
	x := &peers{cast: c, all: make(map[string]*peer)}
	m := &Model{cast: c, byNode: make(map[string][]*pod), network: make(map[string][]*policy)}
	for _, p := range c.pods {
		if len(p.addresses) > 0 {
			m.byNode[p.node] = append(m.byNode[p.node], p)
		}
	}
	m.readNetworkPolicies(x, set, &diags)
	m.readClusterPolicies(x, set, &diags)
	m.everyPod = x.ofPods(podSelector{namespaces: newSelector(nil), pods: newSelector(nil)})
	m.equalPriorities(&diags)
	m.unknownPorts(&diags)
	m.hostPods(hosts, &diags)
	diags.Sort()
	return m, diags
}

// all calls do with every policy, in a stable order.
func (m *Model) all(do func(*policy)) {
	for _, n := range m.cast.namespaces {
		for _, p := range m.network[n.name] {
			do(p)
		}
	}
	for _, p := range m.cluster {
		do(p)
	}
}

func (m *Model) readNetworkPolicies(x *peers, set *objects.Set, diags *diag.List) {
	seen := make(map[string]bool)
	for _, src := range oldestFirst(set.NetworkPolicies) {
		id := src.Object.Namespace + "/" + src.Object.Name
		if seen[id] || refused(validate.NetworkPolicy(src.Object), objects.Origin("NetworkPolicy", src), diags) {
			continue
		}
		seen[id] = true
		m.network[src.Object.Namespace] = append(m.network[src.Object.Namespace], x.networkPolicy(src))
	}
	for _, list := range m.network {
		slices.SortFunc(list, (*policy).compare)
	}
}

func (m *Model) readClusterPolicies(x *peers, set *objects.Set, diags *diag.List) {
	seen := make(map[string]bool)
	add := func(p *policy) {
		if !seen[p.key()] {
			seen[p.key()] = true
			m.cluster = append(m.cluster, p)
		}
	}
	for _, src := range oldestFirst(set.ClusterNetworkPolicies) {
		if at := objects.Origin("ClusterNetworkPolicy", src); !refused(validate.ClusterNetworkPolicy(src.Object), at, diags) {
			add(x.clusterPolicy("clusternetworkpolicy", &src.Object.Spec, at, diags))
		}
	}
	for _, src := range oldestFirst(set.AdminNetworkPolicies) {
		if at := objects.Origin("AdminNetworkPolicy", src); !refused(validate.AdminNetworkPolicy(src.Object), at, diags) {
			add(x.clusterPolicy("adminnetworkpolicy", fromAdmin(&src.Object.Spec), at, diags))
		}
	}
	for _, src := range oldestFirst(set.BaselineAdminNetworkPolicies) {
		if at := objects.Origin("BaselineAdminNetworkPolicy", src); !refused(validate.BaselineAdminNetworkPolicy(src.Object), at, diags) {
			add(x.clusterPolicy("baselineadminnetworkpolicy", fromBaseline(&src.Object.Spec), at, diags))
		}
	}
	slices.SortFunc(m.cluster, (*policy).compare)
}

// compare is the order of evaluation. Where two policies have one priority the
// API leaves the order open; the name decides here.
func (p *policy) compare(q *policy) int {
	return cmp.Or(
		cmp.Compare(p.tier, q.tier), cmp.Compare(p.priority, q.priority),
		cmp.Compare(p.origin.Name, q.origin.Name), cmp.Compare(p.kind, q.kind),
	)
}

// refused reports what the API server would not have let in.
func refused(errs field.ErrorList, at ir.Origin, diags *diag.List) bool {
	for _, e := range errs {
		diags.Add(diag.RefusedPolicy, at.At(e.Field), e.ErrorBody())
	}
	return len(errs) > 0
}

// equalPriorities warns where the order of two policies is nobody's decision
// but planec's.
func (m *Model) equalPriorities(diags *diag.List) {
	for i, p := range m.cluster {
		for _, q := range m.cluster[:i] {
			if p.tier != q.tier || p.priority != q.priority || !m.share(p, q) {
				continue
			}
			diags.Add(diag.EqualPriority, p.origin.At("spec.priority"), fmt.Sprintf("%s has priority %d in the %v tier too, and comes first", q.origin.Object(), p.priority, p.tier))
			break
		}
	}
}

// share reports whether two policies say something about one direction of one
// pod.
func (m *Model) share(p, q *policy) bool {
	if !slices.ContainsFunc(ir.Directions(), func(d ir.Direction) bool { return p.affects(d) && q.affects(d) }) {
		return false
	}
	return slices.ContainsFunc(m.cast.pods, func(pod *pod) bool { return p.subject.matches(pod) && q.subject.matches(pod) })
}

// unknownPorts reports named ports that stand for nothing.
func (m *Model) unknownPorts(diags *diag.List) {
	m.all(func(p *policy) {
		for _, d := range ir.Directions() {
			for i := range p.rules[d] {
				m.unknownPortsOf(p, d, &p.rules[d][i], diags)
			}
		}
	})
}

func (m *Model) unknownPortsOf(p *policy, d ir.Direction, r *rule, diags *diag.List) {
	if len(r.ports.named) == 0 {
		return
	}
	var pods []*pod
	switch {
	case d == ir.Ingress:
		pods = p.subject.find(m.cast)
	case r.anyPeer:
		pods = m.cast.pods
	default:
		for _, peer := range r.peers {
			peer.resolve(m.cast)
			pods = append(pods, peer.found...)
		}
	}
	for _, n := range r.ports.named {
		if !slices.ContainsFunc(pods, func(p *pod) bool { return len(n.on(p)) > 0 }) {
			diags.Add(diag.UnknownNamedPort, r.origin, fmt.Sprintf("none of %d pods has a port %s", len(pods), n))
		}
	}
}

// hostPods reports pods on the host's network that a NetworkPolicy selects: its
// author may think that it protects them.
func (m *Model) hostPods(hosts []objects.Sourced[*corev1.Pod], diags *diag.List) {
	if len(hosts) == 0 {
		return
	}
	namespaces := make(map[string]*namespace)
	for _, n := range m.cast.namespaces {
		namespaces[n.name] = n
	}
	m.all(func(p *policy) {
		var selected []string
		for _, h := range hosts {
			if p.tier == ir.NetworkTier && p.subject.matchesHost(h.Object, namespaces[h.Object.Namespace]) {
				selected = append(selected, h.Object.Name)
			}
		}
		if len(selected) > 0 {
			slices.Sort(selected)
			diags.Add(diag.HostNetworkPod, p.origin.At("spec.podSelector"), fmt.Sprintf("%d pods on the host's network, as %s, are not subject to it", len(selected), selected[0]))
		}
	})
}
